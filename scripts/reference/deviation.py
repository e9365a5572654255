"""Freezes distances between lots by scipy for tests/reference/deviation.rs.

usage: python -P scripts/reference/deviation.py
scipy 1.17.1 and numpy 2.4 were used.
"""

import gzip
import pathlib

import numpy as np
from scipy.spatial.distance import cdist, jensenshannon
from scipy.stats import gmean

folder = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/deviation"
rng = np.random.default_rng(5)
N_LOTS, N_CLUSTERS, N_DIMENSIONS = 9, 6, 4

lots, clusters, points = [], [], []
base = rng.dirichlet(np.ones(N_CLUSTERS) * 2)
centres = rng.normal(size=(N_CLUSTERS, N_DIMENSIONS)) * 3
for lot in range(N_LOTS):
    shares = rng.dirichlet(base * (3 if lot == 4 else 40))
    shift = rng.normal(size=N_DIMENSIONS) * 0.2
    for _ in range(rng.integers(40, 160)):
        cluster = rng.choice(N_CLUSTERS, p=shares)
        lots.append(lot)
        clusters.append(cluster)
        points.append(centres[cluster] + shift + rng.normal(size=N_DIMENSIONS))
lots, clusters = np.array(lots), np.array(clusters)
points = np.round(np.array(points), 3).astype(np.float32)

counts = np.array([[np.sum((lots == lot) & (clusters == k)) for k in range(N_CLUSTERS)] for lot in range(N_LOTS)])
shares = counts / counts.sum(1, keepdims=True)
smoothed = (counts + 0.5) / (counts + 0.5).sum(1, keepdims=True)
clr = lambda p: np.log(p / gmean(p))
cells = points.astype(np.float64)
between = np.array([[cdist(cells[lots == a], cells[lots == b]).mean() for b in range(N_LOTS)] for a in range(N_LOTS)])
rows = []
for lot in range(N_LOTS):
    others = [other for other in range(N_LOTS) if other != lot]
    shannon = jensenshannon(shares[lot], shares[others].mean(0), base=2)
    aitchison = np.linalg.norm(clr(smoothed[lot]) - clr(smoothed[others].mean(0)))
    square = 2 * between[lot, others].mean() - between[lot, lot] - between[np.ix_(others, others)].mean()
    rows.append(f"{lot},{float(shannon)!r},{float(aitchison)!r},{float(np.sqrt(square))!r}")

(folder / "distances.csv").write_text("lot,jensen_shannon,aitchison,energy\n" + "\n".join(rows) + "\n")
lines = ["lot,cluster," + ",".join(f"x{j}" for j in range(N_DIMENSIONS))]
lines += [f"{lot},{cluster}," + ",".join(f"{x:.3f}" for x in p) for lot, cluster, p in zip(lots, clusters, points)]
with gzip.GzipFile(folder / "cells.csv.gz", "wb", mtime=0) as file:
    file.write(("\n".join(lines) + "\n").encode())
