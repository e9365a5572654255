"""Freezes pooled Wilcoxon scores for tests/reference/wilcoxon.rs: every 40th gene, with and without tie correction.

scores.csv.gz: scanpy's test on values normalised in double precision. stock.csv.gz: on those of its own `normalize_total` and
`log1p`, in single precision, as its users run it.

usage: CQA_TEST_DATA=... python scripts/reference/wilcoxon.py
scanpy 1.11.5 was used, on the cells of soupx/ref_scanpy/clusters.csv.gz and all genes.
"""

import gzip
import os
import pathlib
import warnings

import numpy as np
import pandas as pd
import scanpy as sc

warnings.filterwarnings("ignore")
data = pathlib.Path(os.environ["CQA_TEST_DATA"]) / "soupx"
folder = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/wilcoxon"

cells = sc.read_10x_mtx(data / "pbmc_mtx", var_names="gene_ids")
obs = pd.read_csv(data / "pbmc_mtx/obs.csv", index_col=0).loc[cells.obs_names]
cells.obs["type"] = pd.Categorical(obs["Annotation"])
cells = cells[pd.read_csv(data / "ref_scanpy/clusters.csv.gz", index_col=0).index].copy()
place = {gene: i for i, gene in enumerate(cells.var_names)}


def freeze(cells, name):
    parts = []
    for tie_correct in [False, True]:
        sc.tl.rank_genes_groups(cells, "type", method="wilcoxon", use_raw=False, tie_correct=tie_correct)
        part = sc.get.rank_genes_groups_df(cells, None)
        part["gene"] = part["names"].map(place)
        parts.append(part.assign(tie_correct=tie_correct)[part["gene"] % 40 == 0])
    out = pd.concat(parts)[["tie_correct", "group", "gene", "scores", "pvals"]]
    out = out.sort_values(["tie_correct", "group", "gene"])
    with gzip.GzipFile(folder / name, "wb", mtime=0) as stream:
        stream.write(out.to_csv(index=False).encode())


stock = cells.copy()
sc.pp.normalize_total(stock, target_sum=1e4)
sc.pp.log1p(stock)
freeze(stock, "stock.csv.gz")

# In double precision, from the correctly rounded share of the cell's total: equal shares are tied, and no others.
cells.X = cells.X.tocsr().astype(np.float64)
total = np.asarray(cells.X.sum(axis=1)).ravel()
cells.X.data = np.log1p(cells.X.data / np.repeat(total, np.diff(cells.X.indptr)) * 1e4)
freeze(cells, "scores.csv.gz")
