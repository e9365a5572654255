"""Shape, sum, number of entries and a place-sensitive check sum of every text matrix of the real data sets, by scipy and
pandas. Prints the rows of the table in tests/reference/readers.rs.

    python scripts/reference/readers_text.py    (CQA_TEST_DATA names the folder of data sets)

Made with scipy 1.17.1, pandas 2.3.3. The check sum is the sum over entries of count * (gene % 1009 + 1) * (cell % 997 + 1)
with genes that are kept numbered in the order of the file; genes with one id are added up at the first of them.
"""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io
import scipy.sparse

DATA = Path(os.environ.get("CQA_TEST_DATA", "../shared/data"))
TENX = "scanpy_tests/tests/_data/10x_data"
FOLDERS = [
    f"{TENX}/1.2.0/filtered_gene_bc_matrices/hg19_chr21",
    f"{TENX}/1.2.0/filtered_gene_bc_matrices",
    f"{TENX}/3.0.0/filtered_feature_bc_matrix",
    f"{TENX}/int-ids",
    "seurat_tests/tests/testdata/cr3.0",
    "soupx/pbmc_mtx",
    "soupx/inst/extdata/toyData/filtered_gene_bc_matrices",
    "soupx/inst/extdata/toyData/raw_gene_bc_matrices/GRCh38",
    "muscat/mtx",
    "milode/mtx",
    "sctransform/mtx",
    "harmony/pbmc_stim_mtx",
    "ideas_autism/mtx_AST-FB",
    "ideas_autism/mtx_Endothelial",
    "ideas_autism/mtx_Microglia",
]
TEXTS = ["seurat_tests/inst/extdata/pbmc_raw.txt", "scvi_tests/tests/test_data/Layer2_BC_count_matrix-1.tsv"]


def show(name, genes_by_cells, ids):
    matrix = scipy.sparse.coo_matrix(genes_by_cells)
    first = {}
    for gene in ids:
        first.setdefault(gene, len(first))
    gene = np.array([first[ids[i]] for i in matrix.row], dtype=np.int64)
    matrix = scipy.sparse.csr_matrix((matrix.data.astype(np.int64), (gene, matrix.col)), (len(first), matrix.shape[1])).tocoo()
    matrix.sum_duplicates()
    check = int((matrix.data * (matrix.row % 1009 + 1).astype(np.int64) * (matrix.col % 997 + 1)).sum())
    print(f'    ("{name}", {matrix.shape[1]}, {matrix.shape[0]}, {int(matrix.data.sum())}, {(matrix.data > 0).sum()}, {check}),')


for name in FOLDERS:
    folder = DATA / name
    if not list(folder.glob("*matrix.mtx*")):
        (folder,) = [f for f in folder.iterdir() if f.is_dir()]
    (matrix,) = folder.glob("matrix.mtx*")
    (features,) = [*folder.glob("features.tsv*"), *folder.glob("genes.tsv*")]
    with (gzip.open if features.suffix == ".gz" else open)(features, "rt") as file:
        table = [line.rstrip("\n").split("\t") for line in file]
    keep = np.array([len(row) < 3 or row[2] == "Gene Expression" for row in table])
    ids = [row[0] for row, kept in zip(table, keep) if kept]
    show(name, scipy.io.mmread(matrix).tocsr()[keep], ids)

fixtures = DATA / "kb_python/tests/fixtures/counts"
ids = (fixtures / "genes.genes.txt").read_text().split()
show("kb_python/tests/fixtures/counts", scipy.io.mmread(fixtures / "genes.mtx").T, ids)
for name in TEXTS:
    table = pd.read_csv(DATA / name, sep="\t", index_col=0)
    if "ACTB" in table.columns or "GAPDH" in table.columns:
        table = table.T
    show(name, scipy.sparse.coo_matrix(table.to_numpy()), list(table.index))
