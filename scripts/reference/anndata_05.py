"""Writes tests/data/reference/readers/anndata_0.5.h5ad for tests/reference/readers_hdf5.rs.

usage: python scripts/reference/anndata_05.py
h5py 3.16 was used. The layout is that of AnnData 0.5 (as in the archive of its own tests, whose file holds no counts): obs
and var are compound data sets whose first field is the index, a categorical is codes in obs with its levels in uns, sparse
matrices carry h5sparse_format and h5sparse_shape, and raw lies in raw.X and raw.var. Today's anndata reads the file back.
"""

import pathlib
import warnings

import anndata
import h5py
import numpy as np
import scipy.sparse as sp

path = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/readers/anndata_0.5.h5ad"
n_cells, n_genes, n_raw = 10, 6, 8
raw = np.random.default_rng(5).poisson(0.9, (n_cells, n_raw))
counts = raw[:, :n_genes]
donors = np.array([0, 1, 2, 1, -1] * 2, dtype="i1")

with h5py.File(path, "w", track_order=True) as file:
    for name, matrix, dtype in [("X", counts, "i4"), ("raw.X", raw, "f4")]:
        csr = sp.csr_matrix(matrix.astype(dtype))
        group = file.create_group(name)
        group.attrs["h5sparse_format"] = "csr"
        group.attrs["h5sparse_shape"] = np.array(csr.shape)
        for part in ["data", "indices", "indptr"]:
            group.create_dataset(part, data=getattr(csr, part))
    obs = np.zeros(n_cells, dtype=[("index", "S8"), ("donor", "i1"), ("n_counts", "<f4")])
    obs["index"] = [f"cell{i}".encode() for i in range(n_cells)]
    obs["donor"], obs["n_counts"] = donors, counts.sum(1)
    file.create_dataset("obs", data=obs)
    for name, n in [("var", n_genes), ("raw.var", n_raw)]:
        var = np.zeros(n, dtype=[("index", "S8"), ("gene_ids", "S15")])
        var["index"] = [f"GENE{i}".encode() for i in range(n)]
        var["gene_ids"] = [f"ENSG{i:011d}".encode() for i in range(n)]
        file.create_dataset(name, data=var)
    file.create_dataset("uns/donor_categories", data=np.array([b"A1", b"B2", b"C3"]))

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    back = anndata.read_h5ad(path)
assert (back.X.toarray() == counts).all() and (back.raw.X.toarray() == raw).all()
print("X", counts.sum(), (counts > 0).sum(), "raw", raw.sum(), (raw > 0).sum())
print(list(back.obs["donor"][:5]), back.obs_names[9], back.var["gene_ids"].iloc[5])
