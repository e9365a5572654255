"""Trustworthiness (k = 15) of umap-learn's layouts, and the digits they are made of.

Needs numpy, pandas, scikit-learn and umap-learn; $CQA_TEST_DATA names the folder of real data sets
(default ../shared/data beside the repository). Writes tests/data/reference/umap/.
"""

import os
import sys
from pathlib import Path

# This file bears the name of the package.
sys.path = [p for p in sys.path if p and Path(p).resolve() != Path(__file__).resolve().parent]

import numpy as np
import pandas as pd
import sklearn
import umap
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

root = Path(__file__).resolve().parents[2]
shared = Path(os.environ.get("CQA_TEST_DATA", root.parent / "shared" / "data"))
out = root / "tests" / "data" / "reference" / "umap"
out.mkdir(parents=True, exist_ok=True)

digits = load_digits().data
pd.DataFrame(digits.astype(int)).to_csv(
    out / "digits.csv.gz", index=False, compression={"method": "gzip", "mtime": 0}
)
sets = {
    "digits": digits,
    "soupx": pd.read_csv(shared / "soupx/ref_scanpy/pca50.csv.gz", index_col=0).to_numpy(),
}
lines = [f"# umap-learn {umap.__version__}, scikit-learn {sklearn.__version__}, numpy {np.__version__}",
         "set,min_dist,seed,trustworthiness"]
for name, data in sets.items():
    for min_dist in (0.1, 0.5):
        for seed in range(3):
            # 16 neighbours here are the point itself and 15 others.
            layout = umap.UMAP(n_neighbors=16, min_dist=min_dist, random_state=seed).fit_transform(data)
            value = trustworthiness(data, layout, n_neighbors=15)
            lines.append(f"{name},{min_dist},{seed},{value:.5f}")
(out / "trustworthiness.csv").write_text("\n".join(lines) + "\n")
