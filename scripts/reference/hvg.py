"""Freezes scanpy's highly variable genes by batch of ideas_autism (microglia of three brain regions as batches).

Of smaller batches, such as single donors, scanpy's local regression stops on the many genes of equal mean.

scanpy 1.11.5, scikit-misc 0.5.3. Run from the repository: CQA_TEST_DATA=… python scripts/reference/hvg.py
"""

import gzip
import os
import pathlib
import warnings

import pandas as pd
import scanpy as sc

warnings.filterwarnings("ignore")
DATA = pathlib.Path(os.environ.get("CQA_TEST_DATA", "../shared/data"))
OUT = pathlib.Path("tests/data/reference/hvg")
N_TOP = 2000

folder = DATA / "ideas_autism" / "mtx_Microglia"
cells = sc.read_10x_mtx(folder, var_names="gene_ids")
cells.obs["region"] = [barcode.split("_")[-1] for barcode in cells.obs_names]
cells = cells[cells.obs["region"].isin(["BA9", "PFC", "Nova"])].copy()
out = pd.DataFrame(index=cells.var_names)
table = sc.pp.highly_variable_genes(
    cells, flavor="seurat_v3_paper", n_top_genes=N_TOP, batch_key="region", inplace=False
)
out["seurat_v3"] = table["highly_variable"].to_numpy()
normalized = cells.copy()
sc.pp.normalize_total(normalized, target_sum=1e4)
sc.pp.log1p(normalized)
table = sc.pp.highly_variable_genes(
    normalized, flavor="seurat", n_top_genes=N_TOP, batch_key="region", inplace=False
)
out["seurat"] = table["highly_variable"].to_numpy()
OUT.mkdir(parents=True, exist_ok=True)
with gzip.GzipFile(OUT / "ideas_microglia.csv.gz", "w", mtime=0) as file:
    chosen = out[out.any(axis=1)].astype(int)
    file.write(chosen.to_csv(index_label="gene_id", lineterminator="\n").encode())
