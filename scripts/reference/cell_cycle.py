"""Freezes scanpy's cell-cycle scores averaged over 40 seeds (soupx), of every fourth cell.

scanpy 1.11.5. Run from the repository: CQA_TEST_DATA=… python scripts/reference/cell_cycle.py
"""

import csv
import gzip
import os
import pathlib
import warnings

import numpy as np
import pandas as pd
import scanpy as sc

warnings.filterwarnings("ignore")
DATA = pathlib.Path(os.environ.get("CQA_TEST_DATA", "../shared/data")) / "soupx"
OUT = pathlib.Path("tests/data/reference/cell_cycle")
N_SEEDS = 40

cells = sc.read_10x_mtx(DATA / "pbmc_mtx")
qc = pd.read_csv(DATA / "ref_scanpy/qc_obs.csv.gz", index_col=0)
keep = (qc.n_genes_by_counts >= 300) & (qc.pct_counts_mt <= 10) & (qc.total_counts > 1000)
cells = cells[keep.to_numpy()].copy()
sc.pp.filter_genes(cells, min_cells=3)
sc.pp.normalize_total(cells, target_sum=1e4)
sc.pp.log1p(cells)
lists = {"S": [], "G2M": []}
with open("data/cell_cycle_genes.csv") as file:
    for row in csv.DictReader(file):
        name = row["gene"] if row["gene"] in cells.var_names else row["alias"]
        if name in cells.var_names:
            lists[row["phase"]].append(name)
scores, phases = [], []
for seed in range(N_SEEDS):
    sc.tl.score_genes_cell_cycle(cells, s_genes=lists["S"], g2m_genes=lists["G2M"], random_state=seed)
    scores.append(cells.obs[["S_score", "G2M_score"]].to_numpy(float))
    phases.append(cells.obs["phase"].to_numpy(str))
print("agreement of successive seeds", np.mean([np.mean(a == b) for a, b in zip(phases, phases[1:])]))
out = pd.DataFrame(np.mean(scores, axis=0), columns=["S_score", "G2M_score"], index=cells.obs_names)
OUT.mkdir(parents=True, exist_ok=True)
with gzip.GzipFile(OUT / "soupx_mean.csv.gz", "w", mtime=0) as file:
    file.write(out[::4].to_csv(index_label="barcode", float_format="%.6f", lineterminator="\n").encode())
