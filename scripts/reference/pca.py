"""Freezes scanpy's principal components of unscaled values (soupx, the genes of scaled ones), of every fourth cell.

scanpy 1.11.5. Run from the repository: CQA_TEST_DATA=… python scripts/reference/pca.py
"""

import gzip
import os
import pathlib
import warnings

import numpy as np
import pandas as pd
import scanpy as sc

warnings.filterwarnings("ignore")
DATA = pathlib.Path(os.environ.get("CQA_TEST_DATA", "../shared/data")) / "soupx"
OUT = pathlib.Path("tests/data/reference/pca")

cells = sc.read_10x_mtx(DATA / "pbmc_mtx")
qc = pd.read_csv(DATA / "ref_scanpy/qc_obs.csv.gz", index_col=0)
keep = (qc.n_genes_by_counts >= 300) & (qc.pct_counts_mt <= 10) & (qc.total_counts > 1000)
cells = cells[keep.to_numpy()].copy()
sc.pp.filter_genes(cells, min_cells=3)
sc.pp.normalize_total(cells, target_sum=1e4)
sc.pp.log1p(cells)
genes = pd.read_csv(DATA / "ref_scanpy/loadings50.csv.gz", index_col=0).index
cells = cells[:, genes].copy()
sc.pp.pca(cells, n_comps=20, svd_solver="covariance_eigh")
OUT.mkdir(parents=True, exist_ok=True)
scores = pd.DataFrame(cells.obsm["X_pca"][::4], index=cells.obs_names[::4])
print("share of variance", np.round(cells.uns["pca"]["variance_ratio"][:3], 6))
with gzip.GzipFile(OUT / "soupx_unscaled.csv.gz", "w", mtime=0) as file:
    file.write(scores.to_csv(index_label="barcode", float_format="%.5f", lineterminator="\n").encode())
