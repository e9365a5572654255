"""Freezes lot-wise effects for tests/reference/effects.rs: every 10th gene of muscat's four lots.

usage: CQA_TEST_DATA=... python scripts/reference/effects.py
scikit-learn 1.7.2's roc_auc_score and numpy were used, in double precision.
"""

import gzip
import os
import pathlib

import numpy as np
import pandas as pd
from scipy.io import mmread
from sklearn.metrics import roc_auc_score

data = pathlib.Path(os.environ["CQA_TEST_DATA"]) / "muscat/mtx"
file = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/effects/effects.csv.gz"

counts = mmread(data / "matrix.mtx.gz").T.toarray().astype(float)
obs = pd.read_csv(data / "obs.csv", index_col=0)
values = counts / counts.sum(axis=1, keepdims=True) * 1e4
min_cells = 10
rows = ["cluster,gene,auc,log2_fc,share_in,share_out,n_lots,n_lots_up"]
for cluster in sorted(obs["cluster_id"].unique()):
    for gene in range(0, counts.shape[1], 10):
        effects = []
        for lot in sorted(obs["sample_id"].unique()):
            here = (obs["sample_id"] == lot).to_numpy()
            inside = (obs["cluster_id"] == cluster).to_numpy()[here]
            if min(inside.sum(), (~inside).sum()) < min_cells:
                continue
            x = values[here, gene]
            # Rounding must not part equal values.
            auc = roc_auc_score(inside, np.round(x, 9))
            fold = np.log2((x[inside].mean() + 1) / (x[~inside].mean() + 1))
            effects.append([auc, fold, (x[inside] > 0).mean(), (x[~inside] > 0).mean()])
        effects = np.array(effects)
        means = ",".join(repr(float(v)) for v in effects.mean(axis=0))
        rows.append(f"{cluster},{gene},{means},{len(effects)},{(effects[:, 0] > 0.5).sum()}")
with gzip.GzipFile(file, "wb", mtime=0) as stream:
    stream.write(("\n".join(rows) + "\n").encode())
