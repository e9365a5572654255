#!/usr/bin/env python3
"""The same road in scanpy, for comparison: SHEET (lot,path) -> QC, HVG per lot, PCA, Harmony, Leiden, UMAP, Wilcoxon.

    scanpy_road.py SHEET [--truth truth.csv] [--resolution 1.0]

Prints one JSON line: wall and CPU seconds, peak memory in MB, number of clusters, and ARI to the truth (columns barcode, lot,
cluster) if given. Needs scanpy[leiden], scikit-misc, harmonypy, scikit-learn.
"""
import argparse, json, pathlib, resource, sys, time, warnings
warnings.filterwarnings("ignore")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sheet")
    parser.add_argument("--truth")
    parser.add_argument("--resolution", type=float, default=1.0)
    args = parser.parse_args()
    start = time.time()
    import anndata, numpy as np, pandas as pd, scanpy as sc, harmonypy
    sheet = pathlib.Path(args.sheet)
    lots = pd.read_csv(sheet, dtype=str)
    parts = []
    for row in lots.itertuples():
        path = sheet.parent / row.path
        part = sc.read_10x_mtx(path) if path.is_dir() else sc.read_10x_h5(path)
        part.var_names_make_unique()
        part.obs["lot"] = row.lot
        parts.append(part)
    adata = anndata.concat(parts, index_unique=None)
    adata.obs["barcode"] = adata.obs_names
    adata.obs_names_make_unique()
    adata.var["mt"] = adata.var_names.str.upper().str.startswith("MT-")
    sc.pp.calculate_qc_metrics(adata, qc_vars=["mt"], inplace=True)
    keep = np.ones(adata.n_obs, bool)
    for lot in lots["lot"]:
        mask = (adata.obs["lot"] == lot).to_numpy()
        for column, side in (("log1p_total_counts", -1), ("log1p_n_genes_by_counts", -1), ("pct_counts_mt", 1)):
            x = adata.obs.loc[mask, column].to_numpy()
            centre = np.median(x)
            mad = 1.4826 * np.median(np.abs(x - centre))
            keep[mask] &= side * (x - centre) <= 3 * mad
    adata = adata[keep].copy()
    adata.layers["counts"] = adata.X.copy()
    # On small lots scanpy's local regression meets a singular system; a wider one is then tried.
    for span in (0.3, 0.5, 0.8):
        try:
            sc.pp.highly_variable_genes(
                adata, n_top_genes=2000, flavor="seurat_v3", batch_key="lot", layer="counts", span=span)
            break
        except ValueError as error:
            print(f"span {span}: {error}", file=sys.stderr)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    hvg = adata[:, adata.var["highly_variable"]].copy()
    sc.pp.scale(hvg, max_value=10)
    sc.pp.pca(hvg, n_comps=50)
    result = harmonypy.run_harmony(hvg.obsm["X_pca"], hvg.obs, ["lot"], verbose=False)
    corrected = np.asarray(result.Z_corr)
    adata.obsm["X_harmony"] = corrected if corrected.shape[0] == adata.n_obs else corrected.T
    sc.pp.neighbors(adata, n_neighbors=20, use_rep="X_harmony")
    sc.tl.leiden(adata, resolution=args.resolution, flavor="igraph", n_iterations=2, directed=False)
    sc.tl.umap(adata)
    sc.tl.rank_genes_groups(adata, "leiden", method="wilcoxon")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    out = {
        "cells": int(adata.n_obs),
        "wall_s": round(time.time() - start, 1),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": round(usage.ru_maxrss / 1024),
        "clusters": int(adata.obs["leiden"].nunique()),
    }
    if args.truth:
        from sklearn.metrics import adjusted_rand_score
        truth = pd.read_csv(args.truth).set_index(["lot", "barcode"])["cluster"]
        keys = list(zip(adata.obs["lot"], adata.obs["barcode"]))
        out["ari"] = round(float(adjusted_rand_score(truth.reindex(keys), adata.obs["leiden"])), 3)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
