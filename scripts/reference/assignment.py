"""Maximum-overlap assignments by scipy.optimize.linear_sum_assignment.

    python scripts/reference/assignment.py

Writes tests/data/reference/assignment/matrices.json: contingency tables of several shapes, each with the largest total
overlap of a one-to-one matching.
"""
import json
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import linear_sum_assignment

out = Path(__file__).resolve().parents[2] / "tests/data/reference/assignment"
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(3)
cases = []
for n_rows, n_columns in [(1, 1), (2, 2), (3, 5), (5, 3), (8, 8), (8, 11), (12, 7), (20, 20)]:
    for top in (3, 50, 2000):
        for _ in range(4):
            shared = rng.integers(0, top, (n_rows, n_columns))
            shared[rng.random((n_rows, n_columns)) < 0.4] = 0
            rows, columns = linear_sum_assignment(shared, maximize=True)
            total = int(shared[rows, columns].sum())
            cases.append({"shared": shared.tolist(), "total": total})
(out / "matrices.json").write_text(json.dumps({"scipy": scipy.__version__, "cases": cases}))
print(len(cases), "cases, scipy", scipy.__version__)
