"""How well Scrublet tells planted doublets from cells: the area under its ROC curve.

Sums of the counts of two soupx cells of different type are added to the cells. Needs numpy, pandas, scipy,
scikit-learn, scanpy and scrublet; $CQA_TEST_DATA names the folder of real data sets (default ../shared/data beside
the repository). Writes tests/data/reference/doublets/.
"""

import os
from importlib.metadata import version
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scanpy
import scipy.io
import scipy.sparse as sp
import scrublet
from sklearn.metrics import roc_auc_score

root = Path(__file__).resolve().parents[2]
shared = Path(os.environ.get("CQA_TEST_DATA", root.parent / "shared" / "data"))
out = root / "tests" / "data" / "reference" / "doublets"
out.mkdir(parents=True, exist_ok=True)

folder = shared / "soupx" / "pbmc_mtx"
counts = sp.csr_matrix(scipy.io.mmread(folder / "matrix.mtx.gz").T)
labels = pd.read_csv(folder / "obs.csv")["Annotation"].astype(str).to_numpy()
assert len(labels) == counts.shape[0]

rng = np.random.default_rng(0)
pairs = []
while len(pairs) < 220:
    a, b = rng.integers(len(labels), size=2)
    if labels[a] != labels[b]:
        pairs.append((a, b))
pairs = np.array(pairs)
pd.DataFrame(pairs, columns=["a", "b"]).to_csv(out / "planted.csv", index=False)

both = sp.vstack([counts, counts[pairs[:, 0]] + counts[pairs[:, 1]]]).tocsr()
truth = np.repeat([0, 1], [counts.shape[0], len(pairs)])
lines = ["# " + ", ".join(f"{p} {version(p)}" for p in ("scrublet", "scanpy", "numpy", "scipy")), "tool,seed,auc"]
for seed in range(3):
    scores, _ = scrublet.Scrublet(both, expected_doublet_rate=0.06, random_state=seed).scrub_doublets(
        min_counts=3, min_cells=3, verbose=False
    )
    lines.append(f"scrublet,{seed},{roc_auc_score(truth, scores):.5f}")
    data = anndata.AnnData(both.astype(np.float32))
    scanpy.pp.scrublet(data, expected_doublet_rate=0.06, random_state=seed)
    lines.append(f"scanpy,{seed},{roc_auc_score(truth, data.obs['doublet_score']):.5f}")
(out / "auc.csv").write_text("\n".join(lines) + "\n")
