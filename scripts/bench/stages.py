#!/usr/bin/env python3
"""Stage by stage beside other programs, on the same files, in alternation; one table with ratios, memory and quality.

    stages.py CQA DATA [--pairs 2] [--peers scanpy,scranpy] [--out results.json]

CQA is the program; DATA holds sheet_mtx.csv and sheet_h5.csv (lot, path, potency), pooled lots as folders and .h5, and truth.csv
(barcode, lot, cluster). Needs scanpy[leiden], scikit-misc, harmonypy, scranpy, knncolle, illico, faiss-cpu and umap-learn in the
Python that runs it. Processor seconds of all threads; medians over the pairs. Two threads throughout.

What is compared is the same work: cqa runs without doublet scores, sweep, runs without a lot, and pooled.h5ad, which the others do
not make either. `cqa (default)` is the road as an analyst runs it, without the runs that leave out a lot.
"""
import argparse, json, os, pathlib, resource, statistics, subprocess, sys, tempfile, time

THREADS = 2
SAME_WORK = "[doublets]\nenabled = false\n[leiden]\nn_starts = 1\n"


def cpu():
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


# ---------------------------------------------------------------- ours
def run_cqa(program, data, sheet, flags, params=""):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "params.toml").write_text(params)
        command = [program, "run", data / sheet, "--potency", "potency", "-o", folder / "run", "--threads", str(THREADS),
                   "--no-leave-one-out", "--no-sensitivity", "--json-log", "--params", folder / "params.toml", *flags]
        start = time.time()
        with open(folder / "log", "w+") as log:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
            # What this one child used, whatever others did before.
            _, status, used = os.wait4(process.pid, 0)
            log.seek(0)
            lines = log.read().splitlines()
        if status != 0:
            sys.exit("\n".join(lines))
        stages = {}
        for line in lines:
            event = json.loads(line)
            if event.get("event") == "finish":
                stages[event["step"]] = event["cpu_seconds"]
        out = dict(stages=stages, wall=time.time() - start, cpu=used.ru_utime + used.ru_stime, peak_mb=used.ru_maxrss / 1024)
        import pandas as pd
        cells = pd.read_parquet(folder / "run" / "cells.parquet")
        out.update(quality(data, cells.lot.astype(str), cells.barcode.astype(str), cells.cluster))
        if "--no-pooled" not in flags:
            out["embedding"] = embedding(folder / "run" / "pooled.h5ad")
        return out


def embedding(path):
    import h5py, numpy as np
    with h5py.File(path) as file:
        values = file["obsm/X_pca_harmony"][:]
    kept = pathlib.Path(tempfile.gettempdir()) / "stages_embedding.npy"
    np.save(kept, np.ascontiguousarray(values, dtype="float32"))
    return str(kept)


def quality(data, lots, barcodes, labels):
    import pandas as pd
    from sklearn.metrics import adjusted_rand_score
    truth = pd.read_csv(data / "truth.csv").set_index(["lot", "barcode"]).cluster
    known = truth.reindex(pd.MultiIndex.from_arrays([lots, barcodes])).to_numpy()
    return dict(ari=round(float(adjusted_rand_score(known, labels)), 4), n_clusters=int(pd.Series(list(labels)).nunique()))


# ---------------------------------------------------------------- peers, each in a process of its own
class Stages:
    def __init__(self):
        self.stages, self.start = {}, time.time()

    def __call__(self, name, work):
        before = cpu()
        out = work()
        self.stages[name] = round(cpu() - before, 3)
        return out

    def print(self, **more):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(dict(stages=self.stages, wall=time.time() - self.start, cpu=cpu(), peak_mb=peak, **more)))


def scanpy(data):
    import anndata, numpy as np, pandas as pd, scanpy as sc
    stage = Stages()
    sheet = pd.read_csv(data / "sheet_mtx.csv", dtype=str)

    def read():
        parts = {row.lot: sc.read_10x_mtx(data / row.path) for row in sheet.itertuples()}
        for part in parts.values():
            part.var_names_make_unique()
        return anndata.concat(parts, label="lot", index_unique="#", merge="same")

    def filtered(adata):
        adata.var["mt"] = adata.var_names.str.startswith("MT-")
        sc.pp.calculate_qc_metrics(adata, qc_vars=["mt"], percent_top=None, inplace=True)
        adata = adata[(adata.obs.n_genes_by_counts >= 500) & (adata.obs.pct_counts_mt < 20)].copy()
        sc.pp.normalize_total(adata, target_sum=1e4)
        sc.pp.log1p(adata)
        sc.pp.highly_variable_genes(adata, n_top_genes=2000, batch_key="lot")
        return adata

    def harmony():
        import harmonypy
        found = np.asarray(harmonypy.run_harmony(adata.obsm["X_pca"], adata.obs, "lot", verbose=False).Z_corr)
        adata.obsm["X_h"] = found if found.shape[0] == adata.n_obs else found.T

    def markers():
        from illico import asymptotic_wilcoxon
        return asymptotic_wilcoxon(adata, is_log1p=True, group_keys="leiden", reference=None, n_threads=THREADS)

    adata = stage("read", read)
    adata = stage("qc_hvg", lambda: filtered(adata))
    stage("pca", lambda: sc.pp.pca(adata, n_comps=50, mask_var="highly_variable", svd_solver="arpack"))
    stage("harmony", harmony)
    stage("neighbors", lambda: sc.pp.neighbors(adata, n_neighbors=15, use_rep="X_h"))
    stage("leiden", lambda: sc.tl.leiden(adata, resolution=0.5, flavor="igraph", n_iterations=2, directed=False))
    stage("umap", lambda: sc.tl.umap(adata))
    stage("markers", markers)
    names = adata.obs_names.str.split("#")
    stage.print(**quality(data, adata.obs.lot.astype(str), names.str[0], adata.obs.leiden))


def scranpy(data):
    import gzip, harmonypy, knncolle, numpy as np, pandas as pd, scipy.io, scipy.sparse as sparse, scranpy as sp
    stage = Stages()
    sheet = pd.read_csv(data / "sheet_mtx.csv", dtype=str)

    def read():
        matrices, names, lots = [], [], []
        for row in sheet.itertuples():
            matrices.append(scipy.io.mmread(data / row.path / "matrix.mtx.gz", spmatrix=True).tocsc())
            with gzip.open(data / row.path / "barcodes.tsv.gz", "rt") as file:
                barcodes = file.read().split()
            names += barcodes
            lots += [row.lot] * len(barcodes)
        genes = pd.read_csv(data / row.path / "features.tsv.gz", sep="\t", header=None)[1].to_numpy(str)
        return sparse.hstack(matrices, format="csc"), genes, np.array(names), np.array(lots)

    def filtered():
        found = sp.compute_rna_qc_metrics(counts, {"mt": np.char.startswith(genes, "MT-")}, num_threads=THREADS)
        keep = (np.asarray(found["detected"]) >= 500) & (np.asarray(found["subset_proportion"]["mt"]) < 0.2)
        values = sp.normalize_counts(counts[:, keep], sp.center_size_factors(np.asarray(found["sum"])[keep]), delayed=True)
        fit = sp.model_gene_variances(values, block=lots[keep], num_threads=THREADS)
        return keep, values, np.asarray(sp.choose_highly_variable_genes(fit["statistics"]["residual"], top=2000), dtype=int)

    def harmony():
        found = np.asarray(harmonypy.run_harmony(components.T.copy(), pd.DataFrame(dict(lot=lots[keep])), "lot", verbose=False).Z_corr)
        return found if found.shape[1] == components.shape[1] else found.T

    counts, genes, names, lots = stage("read", read)
    keep, values, chosen = stage("qc_hvg", filtered)
    components = stage("pca", lambda: sp.run_pca(values[chosen, :], number=50, num_threads=THREADS)["components"])
    corrected = stage("harmony", harmony)
    index = stage("neighbors", lambda: knncolle.find_knn(
        knncolle.build_index(knncolle.AnnoyParameters(), np.ascontiguousarray(corrected.T)), num_neighbors=15, num_threads=THREADS))
    labels = stage("leiden", lambda: np.asarray(sp.cluster_graph(
        sp.build_snn_graph(index, num_threads=THREADS), method="leiden", leiden_resolution=0.5)["membership"]))
    stage("umap", lambda: sp.run_umap(index, num_threads=THREADS, parallel_optimization=True))
    stage("markers", lambda: sp.score_markers(
        values, labels, compute_cohens_d=False, compute_delta_mean=False, compute_delta_detected=False, num_threads=THREADS))
    stage.print(**quality(data, lots[keep], names[keep], labels))


def read_h5(data):
    """The fastest way to read the .h5 that Python has: h5py alone."""
    import h5py, pandas as pd, scipy.sparse as sparse
    stage = Stages()

    def read():
        parts = []
        for row in pd.read_csv(data / "sheet_h5.csv", dtype=str).itertuples():
            with h5py.File(data / row.path) as file:
                group = file["matrix"]
                entries = (group["data"][:], group["indices"][:].astype("int32"), group["indptr"][:])
                parts.append(sparse.csc_matrix(entries, shape=tuple(group["shape"][:])))
        return sparse.hstack(parts, format="csc")

    stage("read_h5", read)
    stage.print()


def faiss(path):
    """Exact neighbours on the embedding that cqa made, as many as cqa finds."""
    import faiss as library, numpy as np
    stage, points = Stages(), np.load(path)
    library.omp_set_num_threads(THREADS)
    index = library.IndexFlatL2(points.shape[1])
    index.add(points)
    stage("knn", lambda: index.search(points, 31))
    stage.print(shape=list(points.shape))


# ---------------------------------------------------------------- the table
def worker(name, argument):
    threads = {v: str(THREADS) for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")}
    done = subprocess.run([sys.executable, __file__, "--worker", name, str(argument)], capture_output=True, text=True,
                          env={**os.environ, **threads})
    if done.returncode != 0:
        print(f"{name}: {done.stderr[-2000:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def median(runs, of):
    values = [of(run) for run in runs if run]
    return statistics.median(values) if values else float("nan")


def table(found, peers):
    def ours(*steps):
        return median(found["cqa"], lambda run: sum(run["stages"].get(step, 0.0) for step in steps))

    def theirs(peer, *steps):
        return median(found[peer], lambda run: sum(run["stages"].get(step, 0.0) for step in steps))

    rows = [("read folders", ("read",), ("read",)), ("QC, normalise, HVG", ("qc", "hvg"), ("qc_hvg",)),
            ("PCA", ("pca",), ("pca",)), ("Harmony", ("harmony",), ("harmony",)), ("neighbours", ("neighbors",), ("neighbors",)),
            ("graph and Leiden", ("graph", "resolution"), ("leiden",)), ("UMAP", ("umap",), ("umap",)),
            ("markers", ("effects",), ("markers",))]
    print("| stage (CPU s) | cqa | " + " | ".join(f"{peer} (ratio)" for peer in peers) + " |")
    print("|---" * (2 + len(peers)) + "|")
    for name, mine, others in rows:
        cells = [f"{theirs(peer, *others):.1f} ({ours(*mine) / theirs(peer, *others):.2f})" for peer in peers]
        print(f"| {name} | {ours(*mine):.2f} | " + " | ".join(cells) + " |")
    for name, of in [("whole road, CPU s", lambda run: run["cpu"]), ("whole road, wall s", lambda run: run["wall"]),
                     ("peak memory, MB", lambda run: run["peak_mb"]), ("ARI to the truth", lambda run: run["ari"]),
                     ("clusters", lambda run: run["n_clusters"])]:
        mine = median(found["cqa"], of)
        cells = [f"{median(found[peer], of):.4g} ({mine / median(found[peer], of):.2f})" for peer in peers]
        print(f"| {name} | {mine:.4g} | " + " | ".join(cells) + " |")
    default = found["cqa_default"]
    print(f"\ncqa (default): {median(default, lambda r: r['cpu']):.1f} CPU s, {median(default, lambda r: r['wall']):.1f} s wall, "
          f"{median(default, lambda r: r['peak_mb']):.0f} MB, ARI {median(default, lambda r: r['ari'])}")
    print(f"read .h5: cqa {median(found['cqa_h5'], lambda r: r['stages']['read']):.2f}, h5py {theirs('h5py', 'read_h5'):.2f} CPU s")
    print(f"neighbours of the same embedding: cqa {ours('neighbors'):.2f}, faiss (exact) {theirs('faiss', 'knn'):.2f} CPU s")


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--worker":
        work = dict(scanpy=scanpy, scranpy=scranpy, h5py=read_h5, faiss=faiss)[sys.argv[2]]
        return work(pathlib.Path(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cqa")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--peers", default="scanpy,scranpy")
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    data, peers = args.data.resolve(), [p for p in args.peers.split(",") if p]
    found = {name: [] for name in ["cqa", "cqa_default", "cqa_h5", "faiss", "h5py", *peers]}
    for _ in range(args.pairs):
        found["cqa"].append(run_cqa(args.cqa, data, "sheet_mtx.csv", ["--resolution", "0.6", "--no-pooled"], SAME_WORK))
        for peer in peers:
            found[peer].append(worker(peer, data))
            found["cqa"].append(run_cqa(args.cqa, data, "sheet_mtx.csv", ["--resolution", "0.6", "--no-pooled"], SAME_WORK))
        found["cqa_default"].append(run_cqa(args.cqa, data, "sheet_mtx.csv", []))
        found["faiss"].append(worker("faiss", found["cqa_default"][-1]["embedding"]))
        found["cqa_h5"].append(run_cqa(args.cqa, data, "sheet_h5.csv", ["--resolution", "0.6", "--no-pooled"], SAME_WORK))
        found["h5py"].append(worker("h5py", data))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1))
    table(found, peers)


if __name__ == "__main__":
    main()
