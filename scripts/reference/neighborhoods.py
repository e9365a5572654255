"""Freezes covarying neighbourhood analysis by its authors' program for tests/reference/neighborhoods.rs.

usage: python -P scripts/reference/neighborhoods.py   (-P: umap is the package, not the script beside this one)
cna 0.2.6, scanpy 1.11.5, anndata 0.12 and numpy 2.4 were used. The p of the program is from 20,000 random orders.
"""

import gzip
import pathlib

import anndata
import cna
import numpy as np
import pandas as pd
import scanpy as sc
import scipy.sparse as sp

folder = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/neighborhoods"
N_ORDERS = 20_000


def write(name, lines):
    with gzip.GzipFile(folder / name, "wb", mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())


def case(name, n_lots, n_cells, seed):
    """Lots of one continuum: a state that some lots have more of, beside differences of other kinds."""
    rng = np.random.default_rng(seed)
    potent = rng.normal(size=n_lots)
    other = rng.normal(size=n_lots)
    lots, points = [], []
    for lot in range(n_lots):
        for _ in range(n_cells + rng.integers(-15, 16)):
            weights = np.exp([0, 1.3 * potent[lot], 0.8 * other[lot], 0.3 * rng.normal()])
            state = rng.choice(4, p=weights / weights.sum())
            centre = np.array([[0, 0, 0, 0, 0], [2, 0, 0, 0, 0], [0, 2, 0, 0, 0], [0, 0, 2, 1, 0]])[state]
            points.append(centre + rng.normal(size=5) * 0.6)
            lots.append(lot)
    obs = pd.DataFrame({"lot": [f"L{lot:02d}" for lot in lots]}, index=[f"c{i}" for i in range(len(lots))])
    data = anndata.AnnData(np.array(points, dtype=np.float32), obs=obs)
    sc.pp.neighbors(data, n_neighbors=10, use_rep="X", random_state=0)
    # The graph as it is frozen: six digits of each weight, the same both ways.
    upper = sp.triu(data.obsp["connectivities"], 1).tocoo()
    weights = np.array([float(f"{w:.6g}") for w in upper.data])
    n = len(lots)
    graph = sp.coo_matrix((weights, (upper.row, upper.col)), shape=(n, n)).tocsr()
    data.obsp["connectivities"] = (graph + graph.T).tocsr()
    names = [f"L{lot:02d}" for lot in range(n_lots)]
    readouts = {
        "potent": potent + 0.3 * rng.normal(size=n_lots),
        "both": potent - other + 0.8 * rng.normal(size=n_lots),
        "weak": 0.5 * potent + rng.normal(size=n_lots),
        "tied": np.round(potent + 0.7 * rng.normal(size=n_lots)),
        "null": rng.normal(size=n_lots),
    }
    order = sorted(zip(upper.row, upper.col, weights))
    write(f"{name}_edges.csv.gz", ["a,b,weight"] + [f"{a},{b},{w:.6g}" for a, b, w in order])
    results, cells = ["readout,kind,values"], {"lot": lots}
    for readout, values in readouts.items():
        values = np.array([float(f"{v:.8g}") for v in values])
        np.random.seed(0)
        y = pd.Series(values, index=names)
        found = cna.tl.association(
            data, y, "lot", Nnull=N_ORDERS, seed=0, allow_low_sample_size=True, return_full=True, key_added=readout
        )
        found = found[-1] if isinstance(found, tuple) else found
        row = lambda kind, v: results.append(f"{readout},{kind}," + " ".join(repr(float(x)) for x in np.atleast_1d(v)))
        row("value", values)
        row("p", found.p)
        row("k", found.k)
        row("r2", found.r2)
        row("threshold", np.nan if found.fdr_5p_t is None else found.fdr_5p_t)
        cells[readout] = found.ncorrs
    table = pd.DataFrame(cells)
    write(f"{name}_cells.csv.gz", table.to_csv(index=False, float_format="%.6g").strip().split("\n"))
    write(f"{name}_results.csv.gz", results)


case("eleven_lots", 11, 60, 1)
case("thirty_lots", 30, 25, 2)
