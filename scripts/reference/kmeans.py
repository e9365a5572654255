"""Points with their best k-means inertia and mixture log-likelihood, by scikit-learn 1.x.

    python scripts/reference/kmeans.py

Writes tests/data/reference/kmeans/points.csv (800 points of six unequal, overlapping groups in four dimensions) and
results.csv (k, inertia of k-means with 100 starts, mean log-likelihood of a full Gaussian mixture with 0.001 x mean variance
added, and the worst inertia of twenty runs of k-means with ten starts, of seeds 1 to 20).
"""
from pathlib import Path

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

out = Path(__file__).resolve().parents[2] / "tests/data/reference/kmeans"
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(1)
sizes = [300, 200, 120, 80, 60, 40]
groups = []
for n in sizes:
    mix = rng.normal(0, 1, (4, 4))
    groups.append(rng.normal(0, 3.5, 4) + rng.normal(0, 1, (n, 4)) @ mix * 0.8)
points = np.round(rng.permutation(np.vstack(groups)), 3).astype(np.float32).astype(float)
np.savetxt(out / "points.csv", points, fmt="%.3f", delimiter=",", header="a,b,c,d", comments="")
regularization = 0.001 * points.var(axis=0).mean()
with open(out / "results.csv", "w") as file:
    file.write("k,inertia,log_likelihood,worst_of_ten_starts\n")
    for k in (2, 4, 6, 9):
        inertia = KMeans(k, n_init=100, random_state=0, tol=1e-8).fit(points).inertia_
        model = GaussianMixture(k, reg_covar=regularization, n_init=20, tol=1e-6, max_iter=2000, random_state=0)
        ten = max(KMeans(k, n_init=10, random_state=seed, tol=1e-8).fit(points).inertia_ for seed in range(1, 21))
        file.write(f"{k},{inertia:.6f},{model.fit(points).score(points):.6f},{ten:.6f}\n")
print("scikit-learn", sklearn.__version__)
