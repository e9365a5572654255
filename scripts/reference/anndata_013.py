"""Writes tests/data/reference/readers/anndata_0.13.h5ad for tests/reference/readers_hdf5.rs.

usage: python scripts/reference/anndata_013.py
anndata 0.13.4 was used. X and layers hold the same counts in each way that the format knows; obs has the kinds of column.
"""

import pathlib

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp

file = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/readers/anndata_0.13.h5ad"
n_cells, n_genes = 12, 7
counts = np.random.default_rng(0).poisson(0.8, (n_cells, n_genes))
obs = pd.DataFrame(
    {
        "donor": pd.Categorical(["a", "b", "c"] * 4),
        "text": pd.array(["x", None, "z"] * 4, dtype="string"),
        "whole": pd.array([1, None, 3] * 4, dtype="Int64"),
        "flag": pd.array([True, None, False] * 4, dtype="boolean"),
    },
    index=[f"cell{i}" for i in range(n_cells)],
)
var = pd.DataFrame(
    {"gene_ids": [f"ENSG{i:011d}" for i in range(n_genes)]}, index=[f"GENE{i}" for i in range(n_genes)]
)
layers = {
    "csc": sp.csc_array(counts.astype(np.uint16)),
    "dense": counts.astype(float),
    "log": sp.csr_array(np.log1p(counts)),
}
data = anndata.AnnData(sp.csr_array(counts.astype(np.int64)), obs=obs, var=var, layers=layers)
data.uns["nothing"] = None
data.write_h5ad(file)
print(counts.sum(), (counts > 0).sum())
