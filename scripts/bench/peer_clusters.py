"""Adjusted Rand index to the known groups that scanpy's defaults and Seurat-like settings reach.

    python scripts/bench/peer_clusters.py DATA [LOTS...]

DATA and LOTS as for scripts/study_defaults.rs, with whose table this one is read. Needs scanpy, harmonypy, leidenalg,
igraph, scikit-learn. Both: 2,000 genes (seurat_v3, per lot), 50 components, Harmony over lots. scanpy: unscaled, UMAP graph
of 15 neighbours, resolution 1. Seurat-like: scaled (clip 10), the first 30 components, shared neighbours of 20 (Jaccard,
pruned below 1/15), resolution 0.8. Three seeds of the last step each. Column `at` is `own` there; rows with `sweep` are of
resolutions from 0.05 to 3 on the same graph, from which scripts/bench/equal_clusters.py compares roads at equal numbers of
clusters.
"""

import gzip
import random
import sys
import warnings
from pathlib import Path

import anndata
import harmonypy
import igraph
import leidenalg
import numpy as np
import pandas as pd
import scanpy as sc
import scipy.sparse as sp
from scipy.io import mmread
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

warnings.filterwarnings("ignore")


def folder(path):
    with gzip.open(path / "matrix.mtx.gz") as file:
        counts = mmread(file).T.tocsr().astype(np.float32)
    data = anndata.AnnData(counts)
    features = pd.read_csv(path / "features.tsv.gz", sep="\t", header=None)
    data.var_names = features[min(1, features.shape[1] - 1)].astype(str).to_numpy()
    data.var_names_make_unique()
    data.obs = pd.read_csv(path / "obs.csv", index_col=0)
    return data


def known(data):
    soupx = folder(data / "soupx/pbmc_mtx")
    yield "soupx", soupx, soupx.obs["Annotation"], np.repeat("one", soupx.n_obs)
    muscat = folder(data / "muscat/mtx")
    yield "muscat", muscat, muscat.obs["cluster_id"], muscat.obs["sample_id"]
    parts = [folder(data / "ideas_autism" / name) for name in ["mtx_AST-FB", "mtx_Endothelial", "mtx_Microglia"]]
    types = np.repeat(range(3), [part.n_obs for part in parts])
    ideas = anndata.concat(parts, index_unique=":")
    yield "ideas_autism", ideas, types, ideas.obs["sample"]


def generated(path):
    truth = pd.read_csv(path / "truth.csv")
    lots = [sc.read_10x_h5(path / f"h5/{lot}.h5") for lot in truth.lot.unique()]
    for lot in lots:
        lot.var_names_make_unique()
    data = anndata.concat(lots, index_unique=":")
    return path.name, data, truth.cluster.to_numpy(), truth.lot.to_numpy()


def shared_neighbors(scores, k=20):
    index = NearestNeighbors(n_neighbors=k).fit(scores).kneighbors(scores, return_distance=False)
    n = len(scores)
    near = sp.csr_matrix((np.ones(index.size), index.ravel(), np.arange(0, index.size + 1, k)), (n, n))
    shared = (near @ near.T).tocoo()
    weight = shared.data / (2 * k - shared.data)
    keep = (weight >= 1 / 15) & (shared.row < shared.col)
    return n, np.c_[shared.row[keep], shared.col[keep]], weight[keep]


def communities(n, edges, weights, resolution, seed):
    graph = igraph.Graph(n=n, edges=edges.tolist())
    found = leidenalg.find_partition(
        graph, leidenalg.RBConfigurationVertexPartition, weights=list(weights), resolution_parameter=resolution,
        seed=seed, n_iterations=-1)
    return np.array(found.membership)


def swept(n, edges, weights, resolution, seed):
    """As communities, by igraph itself: the same quality, much faster."""
    random.seed(seed)
    graph = igraph.Graph(n=n, edges=edges.tolist())
    found = graph.community_leiden(
        objective_function="modularity", weights=list(weights), resolution=resolution, n_iterations=-1)
    return np.array(found.membership)


def integrate(scores, lots):
    if len(set(lots)) == 1:
        return scores
    corrected = harmonypy.run_harmony(scores.astype(np.float64), pd.DataFrame({"lot": np.asarray(lots, str)}), ["lot"])
    corrected = np.asarray(corrected.Z_corr)
    return corrected if len(corrected) == len(scores) else corrected.T


def report(name, how, at, truth, labels):
    known = pd.Series(np.asarray(truth)).notna().to_numpy()
    ari = adjusted_rand_score(np.asarray(truth)[known].astype(str), labels[known])
    print(f"{name},{how},{at},{len(set(labels))},{ari:.4f}", flush=True)


def both(name, scanpy_scores, seurat_scores, truth):
    neighbors = anndata.AnnData(np.zeros((len(scanpy_scores), 1)), obsm={"X_pca": scanpy_scores})
    sc.pp.neighbors(neighbors, n_neighbors=15, use_rep="X_pca")
    upper = sp.triu(neighbors.obsp["connectivities"], 1).tocoo()
    umap = len(scanpy_scores), np.c_[upper.row, upper.col], upper.data
    for how, graph, resolution in [("scanpy", umap, 1.0), ("seurat-like", shared_neighbors(seurat_scores), 0.8)]:
        for seed in range(3):
            report(name, how, "own", truth, communities(*graph, resolution, seed))
            for other in np.geomspace(0.05, 3, 25):
                report(name, how, "sweep", truth, swept(*graph, other, seed))


def kept(counts, lots, mito):
    """The cells that the road keeps: per lot within 3 MADs of log counts, log genes (low) and % mitochondrial (high)."""
    total, n_genes = np.asarray(counts.sum(1)).ravel(), np.asarray((counts > 0).sum(1)).ravel()
    percent = 100 * np.asarray(counts[:, mito].sum(1)).ravel() / np.maximum(total, 1)
    keep = total > 0
    for lot in np.unique(lots):
        here = np.flatnonzero((lots == lot) & (total > 0))
        for values, side, least in [(np.log1p(total), -1, 0), (np.log1p(n_genes), -1, 0), (percent, 1, 0.5)]:
            x = side * values[here]
            center = np.median(x)
            keep[here] &= x <= center + max(3 * 1.4826 * np.median(abs(x - center)), least)
    return keep


def road(name, data, truth, lots):
    truth, lots = np.asarray(truth), np.asarray(lots, str)
    keep = kept(data.X.tocsr(), lots, [str(g).upper().startswith("MT-") for g in data.var_names])
    data, truth, lots = data[keep].copy(), truth[keep], lots[keep]
    data.obs["lot"] = pd.Categorical(lots)
    sc.pp.filter_genes(data, min_cells=3)
    batch = "lot" if data.obs.lot.nunique() > 1 and data.obs.lot.value_counts().min() > 100 else None
    sc.pp.highly_variable_genes(data, n_top_genes=min(2000, data.n_vars), flavor="seurat_v3", batch_key=batch)
    sc.pp.normalize_total(data, target_sum=1e4)
    sc.pp.log1p(data)
    data = data[:, data.var.highly_variable].copy()
    scaled = data.copy()
    sc.pp.scale(scaled, max_value=10)
    sc.tl.pca(data, n_comps=50)
    sc.tl.pca(scaled, n_comps=50)
    both(name, integrate(data.obsm["X_pca"], lots), integrate(scaled.obsm["X_pca"][:, :30], lots), truth)


def main():
    data = Path(sys.argv[1])
    print("data,road,at,clusters,ari")
    scores = pd.read_csv(data / "harmony/cell_lines_pcs.csv").to_numpy()
    meta = pd.read_csv(data / "harmony/cell_lines_meta.csv")
    lines = integrate(scores, meta["dataset"])
    both("cell lines", lines, lines, meta["cell_type"])
    for one in known(data):
        road(*one)
    for path in sys.argv[2:]:
        road(*generated(Path(path)))


main()
