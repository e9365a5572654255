"""Freezes Jeffreys intervals for tests/reference/composition.rs.

usage: python scripts/reference/composition.py
scipy 1.17.1 was used: quantiles of Beta(x + 1/2, n - x + 1/2), 0 and 1 at the ends.
"""

import pathlib

from scipy import stats

file = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/composition/jeffreys.csv"
lines = ["x,n,level,low,high"]
for n in [1, 2, 10, 57, 1000, 5432, 1000000]:
    for x in sorted({0, 1, 2, n // 50, n // 3, n - 2, n - 1, n}):
        for level in [0.5, 0.95, 0.999]:
            if not 0 <= x <= n:
                continue
            tail = (1 - level) / 2
            low = 0.0 if x == 0 else stats.beta.ppf(tail, x + 0.5, n - x + 0.5)
            high = 1.0 if x == n else stats.beta.isf(tail, x + 0.5, n - x + 0.5)
            lines.append(f"{x},{n},{level},{float(low)!r},{float(high)!r}")
file.write_text("\n".join(lines) + "\n")
