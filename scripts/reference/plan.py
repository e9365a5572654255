"""Power of a correlation, of two groups and of pairs, and of the largest of a family: tests/data/reference/plan/power.csv.

usage: python scripts/reference/plan.py
Python 3.11.7, numpy 2.4.6, scipy 1.17.1 and statsmodels 0.15.0 were used.

Exact power of r is computed on another road than the program's: given the values of one side, t is non-central with a
non-centrality of rho / sqrt(1 - rho^2) * sqrt(their sum of squares), which is chi-squared. Two groups and pairs are those of
statsmodels. The largest of a family is simulated with numpy: shares of clusters that sum to one, and limits of |r| from
the same number of studies without association.
"""

import csv
from pathlib import Path

import numpy as np
from scipy import integrate, stats
from statsmodels.stats.power import TTestIndPower, TTestPower

OUT = Path(__file__).parents[2] / "tests/data/reference/plan/power.csv"


def correlation(n, rho, alpha):
    t = stats.t.isf(alpha / 2, n - 2)
    shift = rho / np.sqrt(1 - rho**2)

    def tails(v):
        ncp = shift * np.sqrt(v)
        # scipy gives no value where the lower tail is 0 to every digit.
        lower = np.nan_to_num(stats.nct.sf(t, n - 2, -ncp))
        return stats.chi2.pdf(v, n - 1) * (stats.nct.sf(t, n - 2, ncp) + lower)

    ends = stats.chi2.isf([1 - 1e-14, 0.5, 1e-14], n - 1)
    return sum(integrate.quad(tails, a, b, epsabs=1e-12, limit=400)[0] for a, b in zip(ends, ends[1:]))


def groups(n, rho, alpha):
    return TTestIndPower().power(2 * rho / np.sqrt(1 - rho**2), n // 2, alpha)


def pairs(n, rho, alpha):
    return TTestPower().power(rho / np.sqrt(1 - rho**2), n, alpha)


def family(n, rho, alpha, clusters=8, studies=200_000):
    rng = np.random.default_rng(20)
    unit = lambda x: (x - x.mean(1, keepdims=True)) / np.sqrt(((x - x.mean(1, keepdims=True)) ** 2).sum(1, keepdims=True))
    x = rng.standard_normal((studies, n, clusters))
    x = (x - x.mean(2, keepdims=True)) * np.sqrt(clusters / (clusters - 1))
    null = unit(rng.standard_normal((studies, n, 1)))
    limit = np.quantile(np.abs((unit(x) * null).sum(1)).max(1), 1 - alpha)
    y = rho * x[:, :, :1] + np.sqrt(1 - rho**2) * rng.standard_normal((studies, n, 1))
    return limit, np.mean(np.abs((unit(x[:, :, :1]) * unit(y)).sum((1, 2))) >= limit)


rows = []
for n in (4, 5, 8, 11, 16, 30, 100, 400):
    for rho in (0.1, 0.5, 0.7, 0.95):
        for alpha in (0.05, 0.05 / 8, 1e-4):
            rows.append(("correlation", n, rho, alpha, correlation(n, rho, alpha), ""))
for n in (16, 24, 40):
    for rho in (0.3, 0.5, 0.7):
        for alpha in (0.05, 0.05 / 8):
            rows.append(("groups", n, rho, alpha, groups(n, rho, alpha), ""))
            rows.append(("pairs", n, rho, alpha, pairs(n, rho, alpha), ""))
for n, rho in ((8, 0.9), (11, 0.7), (20, 0.6)):
    limit, power = family(n, rho, 0.05)
    rows.append(("family", n, rho, 0.05, power, f"{limit:.5f}"))

OUT.parent.mkdir(parents=True, exist_ok=True)
with OUT.open("w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["kind", "n", "rho", "alpha", "power", "limit"])
    writer.writerows([*row[:4], f"{row[4]:.10g}", row[5]] for row in rows)
