"""Opens an .h5ad that cqa wrote the way its readers will, and asserts that all is well.

usage: python scripts/reference/check_h5ad.py FILE.h5ad [--no-scanpy]

anndata 0.12 and scanpy 1.11 were used. It is checked that counts are whole, that X = ln(1 + count x scale) with one
scale per cell, that names are unique, that the file can be opened in backed mode and written anew, and that scanpy's
UMAP plot, PCA and rank_genes_groups run.
"""

import sys
import tempfile
import warnings

import anndata
import h5py
import numpy as np
from scipy import sparse

warnings.filterwarnings("ignore")


def check(path):
    adata = anndata.read_h5ad(path)
    counts, x = adata.layers["counts"], adata.X
    for name, matrix in [("X", x), ("layers/counts", counts)]:
        assert sparse.issparse(matrix) and matrix.format == "csr", name
        assert matrix.dtype == np.float32, (name, matrix.dtype)
        assert matrix.indices.dtype == matrix.indptr.dtype, name
        assert matrix.has_sorted_indices and np.isfinite(matrix.data).all(), name
    assert (counts.data > 0).all() and (counts.data == np.round(counts.data)).all()
    assert (x.indptr == counts.indptr).all() and (x.indices == counts.indices).all()
    filled = np.diff(counts.indptr) > 0
    first = counts.indptr[:-1][filled]
    scale = np.zeros(adata.n_obs)
    scale[filled] = np.expm1(x.data[first].astype(float)) / counts.data[first]
    expected = np.log1p(counts.data * np.repeat(scale, np.diff(counts.indptr)))
    assert np.allclose(x.data, expected, rtol=1e-5), np.abs(x.data - expected).max()
    assert adata.obs_names.is_unique and adata.var_names.is_unique
    assert adata.obs["lot"].dtype == "category" and adata.obs["lot"].notna().all()
    assert adata.var["gene_ids"].is_unique
    for key, values in adata.obsm.items():
        assert values.shape[0] == adata.n_obs and values.ndim == 2, key
    with h5py.File(path) as file:
        file.visititems(lambda name, item: item[()] if isinstance(item, h5py.Dataset) and item.size < 10**7 else None)
    backed = anndata.read_h5ad(path, backed="r")
    assert (backed.X[:5].toarray() == x[:5].toarray()).all()
    backed.file.close()
    with tempfile.NamedTemporaryFile(suffix=".h5ad") as copy:
        adata.write_h5ad(copy.name)
    return adata


def use(adata):
    import matplotlib

    matplotlib.use("Agg")
    import scanpy as sc

    if "X_umap" in adata.obsm:
        sc.pl.umap(adata, color=["lot", adata.var_names[0]], show=False)
    filled = np.diff(adata.layers["counts"].indptr) > 0
    adata = adata[filled].copy()
    sc.tl.rank_genes_groups(adata, "lot", method="wilcoxon")
    assert len(sc.get.rank_genes_groups_df(adata, adata.obs["lot"].cat.categories[0])) == adata.n_vars
    sc.pp.pca(adata, n_comps=3)


if __name__ == "__main__":
    adata = check(sys.argv[1])
    if "--no-scanpy" not in sys.argv[2:]:
        use(adata)
    print(f"{sys.argv[1]}: {adata.n_obs} cells x {adata.n_vars} genes, sum of counts {int(adata.layers['counts'].sum(dtype=float))}, all well")
