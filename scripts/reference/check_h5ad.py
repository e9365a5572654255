"""Opens an .h5ad that cqa wrote the way its readers will, and asserts that all is well.

usage: python scripts/reference/check_h5ad.py FILE.h5ad|RUN [--no-scanpy | --cellxgene]

anndata 0.12 and scanpy 1.11 were used. It is checked that counts are whole, that X = ln(1 + count x scale) with one
scale per cell, that names are unique and shapes agree (anndata's own checks), that the file can be opened in backed mode,
written anew and read again without a difference, and that scanpy's UMAP plot, PCA and rank_genes_groups run. Of a run
directory the file is pooled.h5ad, and its cells must be those of qc.csv and composition.csv. With --cellxgene the file is
loaded by the data adaptor of cellxgene instead (package cellxgene 1.3 with anndata 0.12 and numpy 2.0, in an environment
of its own), asked for all that its page asks for, and nothing else is done.
"""

import csv
import pathlib
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
    adata._check_dimensions()
    adata._check_uniqueness()
    with tempfile.NamedTemporaryFile(suffix=".h5ad") as copy:
        adata.write_h5ad(copy.name)
        again = anndata.read_h5ad(copy.name)
    assert again.obs.equals(adata.obs) and again.var.equals(adata.var)
    assert (again.X != x).nnz == 0 and (again.layers["counts"] != counts).nnz == 0
    assert all((again.obsm[key] == values).all() for key, values in adata.obsm.items())
    return adata


def check_run(adata, run):
    """The tables of the run tell of the same cells."""
    table = lambda name: list(csv.DictReader((run / name).open()))
    assert {"X_pca", "X_umap"} <= set(adata.obsm), list(adata.obsm)
    kept = {row["lot"]: int(row["n_cells_kept"]) for row in table("qc.csv")}
    assert kept == adata.obs["lot"].value_counts().to_dict()
    found = adata.obs.groupby(["lot", "cluster"], observed=False).size()
    for row in table("composition.csv"):
        cluster = next(c for c in adata.obs["cluster"].unique() if str(c) == row["cluster"])
        assert found[row["lot"], cluster] == int(row["n_cells"]), row


def use_in_cellxgene(path):
    from server.common.config.app_config import AppConfig
    from server.common.constants import Axis
    from server.common.utils.data_locator import DataLocator
    from server.data_anndata.anndata_adaptor import AnndataAdaptor

    config = AppConfig()
    config.update_server_config(single_dataset__datapath=str(path), app__flask_secret_key="unused")
    config.complete_config()
    told = []
    warnings.showwarning = lambda message, *_: told.append(str(message))
    warnings.simplefilter("always")
    data = AnndataAdaptor(DataLocator(str(path)), config)
    adata = anndata.read_h5ad(path)
    assert data.get_shape() == adata.shape
    embeddings = data.get_embedding_names()
    assert "umap" in embeddings, embeddings
    for name in embeddings:
        assert (data.get_embedding_array(name) == adata.obsm[f"X_{name}"][:, :2]).all()
    schema = data.get_schema()
    columns = {c["name"]: c["type"] for c in schema["annotations"]["obs"]["columns"]}
    assert columns["lot"] == columns["cluster"] == "categorical", columns
    assert data.annotation_to_fbs_matrix(Axis.OBS) and data.annotation_to_fbs_matrix(Axis.VAR)
    gene = {"filter": {"var": {"index": [0, 1]}}}
    assert data.data_frame_to_fbs_matrix(gene["filter"], Axis.VAR)
    in_first = (adata.obs["cluster"] == adata.obs["cluster"].cat.categories[0]).to_numpy()
    found = data.compute_diffexp_ttest(in_first, ~in_first, 10)
    both = [len(found[side]) for side in ("positive", "negative")]
    assert both == [10, 10], both
    print(f"{path}: cellxgene shows {schema['dataframe']}, embeddings {embeddings}, {len(columns)} columns of cells")
    for words in sorted(set(told)):
        if "nndata" in words and "deprecated" not in words:
            print(f"  it says: {words}")


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
    given = pathlib.Path(sys.argv[1])
    path = given / "pooled.h5ad" if given.is_dir() else given
    if "--cellxgene" in sys.argv[2:]:
        use_in_cellxgene(path)
        sys.exit()
    adata = check(path)
    if given.is_dir():
        check_run(adata, given)
    if "--no-scanpy" not in sys.argv[2:]:
        use(adata)
    print(f"{path}: {adata.n_obs} cells x {adata.n_vars} genes, sum of counts {int(adata.layers['counts'].sum(dtype=float))}, all well")
