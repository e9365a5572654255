"""Equivalence tests, exact limits, tolerance factors and PERMANOVA: tests/data/reference/{equivalence,intervals,tolerance,permanova}/.

usage: python scripts/reference/equivalence.py
Python 3.11.7, numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0 and scikit-bio 0.7.4 were used.

Tests are those of statsmodels (ttost_ind, ttost_paired), limits of shares its proportion_confint(method="beta"), PERMANOVA
that of scikit-bio. Power is computed on another road than the program's: the exact double integral over both variances by
a tensor Gauss-Legendre rule over their probabilities (Welch), and Owen's integral by scipy's adaptive quadrature for a
common variance; a simulation of two million studies stands beside each. The exact two-sided tolerance factor solves the integral of the
noncentral chi-squared quantile over the mean; the one-sided one is scipy's noncentral t.
"""

import csv
from pathlib import Path

import numpy as np
from scipy import integrate, optimize, stats
from skbio import DistanceMatrix
from skbio.stats.distance import permanova
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

ROOT = Path(__file__).parents[2] / "tests/data/reference"
RNG = np.random.default_rng(7)


def write(name, header, rows):
    path = ROOT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([[f"{v:.15g}" if isinstance(v, float) else v for v in row] for row in rows])


def join(values):
    return " ".join(f"{v:.12g}" for v in values)


def tests():
    rows = []
    for n_x, n_y in ((2, 2), (3, 11), (6, 6), (11, 4), (40, 25)):
        for shift, spread, margin in ((0.0, 1.0, 1.0), (0.6, 3.0, 1.5), (-1.0, 0.3, 0.8)):
            x = np.round(10 + shift + RNG.standard_normal(n_x) * spread, 6)
            y = np.round(10 + RNG.standard_normal(n_y), 6)
            for usevar in ("unequal", "pooled"):
                p, lower, upper = ttost_ind(x, y, -margin, margin, usevar=usevar)
                compare = stats.ttest_ind(x, y, equal_var=usevar == "pooled")
                low, high = compare.confidence_interval(0.9)
                rows.append((usevar, join(x), join(y), margin, lower[1], upper[1], p, float(compare.df), low, high))
            if n_x == n_y:
                p, lower, upper = ttost_paired(x, y, -margin, margin)
                compare = stats.ttest_rel(x, y)
                low, high = compare.confidence_interval(0.9)
                rows.append(("paired", join(x), join(y), margin, lower[1], upper[1], p, float(compare.df), low, high))
    write("equivalence/tests.csv", ["kind", "x", "y", "margin", "p_lower", "p_upper", "p", "df", "low", "high"], rows)


def conditional(t, se, error, low, high):
    return max(0.0, stats.norm.cdf((high - t * se) / error) - stats.norm.cdf((low + t * se) / error))


def power_welch(d, sds, n, margin, alpha):
    parts = [s * s / k for s, k in zip(sds, n)]
    error = np.sqrt(sum(parts))
    low, high = -margin - d, margin - d

    def inner(u, v):
        # u and v: chi-squared quantile levels of both variances
        x = parts[0] * stats.chi2.ppf(u, n[0] - 1) / (n[0] - 1)
        y = parts[1] * stats.chi2.ppf(v, n[1] - 1) / (n[1] - 1)
        df = (x + y) ** 2 / (x**2 / (n[0] - 1) + y**2 / (n[1] - 1))
        t = stats.t.isf(alpha, df)
        se = np.sqrt(x + y)
        return np.maximum(0.0, stats.norm.cdf((high - t * se) / error) - stats.norm.cdf((low + t * se) / error))

    # a tensor Gauss-Legendre rule of 60 nodes on each of 8 panels per side
    node, weight = np.polynomial.legendre.leggauss(60)
    edges = np.array([0, 1e-4, 1e-2, 0.1, 0.3, 0.6, 0.9, 0.99, 1])
    places = np.concatenate([(a + b) / 2 + (b - a) / 2 * node for a, b in zip(edges, edges[1:])])
    weights = np.concatenate([(b - a) / 2 * weight for a, b in zip(edges, edges[1:])])
    return float(weights @ inner(places[:, None], places[None, :]) @ weights)


def power_owen(d, error, df, margin, alpha):
    t = stats.t.isf(alpha, df)

    def f(v):
        return stats.chi2.pdf(v, df) * conditional(t, error * np.sqrt(v / df), error, -margin - d, margin - d)

    end = min(stats.chi2.isf(1e-15, df), df * (margin / (t * error)) ** 2)
    cuts = np.linspace(0, end, 9)
    return sum(integrate.quad(f, a, b, epsabs=1e-13, limit=500)[0] for a, b in zip(cuts, cuts[1:]))


def simulated(d, sds, n, margin, alpha, pooled, studies=2_000_000):
    var = [s * s * RNG.chisquare(k - 1, studies) / (k - 1) for s, k in zip(sds, n)]
    mean = d + RNG.standard_normal(studies) * np.sqrt(sum(s * s / k for s, k in zip(sds, n)))
    if pooled:
        df = sum(n) - 2
        se = np.sqrt(sum(v * (k - 1) for v, k in zip(var, n)) / df * (1 / n[0] + 1 / n[1]))
    else:
        x, y = var[0] / n[0], var[1] / n[1]
        df = (x + y) ** 2 / (x**2 / (n[0] - 1) + y**2 / (n[1] - 1))
        se = np.sqrt(x + y)
    t = stats.t.isf(alpha, df)
    return float(np.mean((mean - t * se >= -margin) & (mean + t * se <= margin)))


def power():
    rows = []
    for n in ((3, 3), (6, 6), (11, 4), (5, 30), (60, 60)):
        scale = np.sqrt(1 / n[0] + 1 / n[1])
        for d_rel, margin_rel in ((0.0, 3.0), (0.3, 4.0), (1.0, 4.0), (0.0, 8.0)):
            margin = float(margin_rel * scale)
            d = float(d_rel * margin)
            rows.append(("pooled", *n, 1.0, 1.0, d, margin, power_owen(d, scale, sum(n) - 2, margin, 0.05), simulated(d, (1, 1), n, margin, 0.05, True)))
            for sds in ((1.0, 1.0), (1.0, 2.5), (0.4, 1.0)):
                exact = power_welch(d, sds, n, margin, 0.05)
                rows.append(("welch", *n, *sds, d, margin, exact, simulated(d, sds, n, margin, 0.05, False)))
    for n in (2, 3, 6, 12, 50):
        for d_rel, margin_rel in ((0.0, 3.0), (0.5, 6.0), (1.0, 6.0)):
            margin = float(margin_rel / np.sqrt(n))
            d = float(d_rel * margin)
            rows.append(("one", n, n, 1.0, 1.0, d, margin, power_owen(d, 1 / np.sqrt(n), n - 1, margin, 0.05), float("nan")))
    write("equivalence/power.csv", ["kind", "n_x", "n_y", "sd_x", "sd_y", "difference", "margin", "power", "simulated"], rows)


def shares():
    rows = []
    for n in (1, 5, 50, 1_000, 20_000, 3_000_000):
        for x in sorted({0, 1, 2, n // 3, n - 1, n}):
            if 0 <= x <= n:
                low, high = proportion_confint(x, n, alpha=0.05, method="beta")
                upper = 1.0 if x == n else float(stats.beta.ppf(0.95, x + 1, n - x))
                rows.append((x, n, float(low), float(high), upper))
    write("intervals/clopper_pearson.csv", ["x", "n", "low", "high", "upper_95"], rows)
    rows = []
    for n in (2, 3, 11, 40, 500):
        for level in (0.8, 0.95, 0.99):
            half = stats.t.ppf(0.5 + level / 2, n - 1) * np.sqrt(1 + 1 / n)
            several = stats.t.ppf(1 - (1 - level) / 10, n - 1) * np.sqrt(1 + 1 / n)
            rows.append((n, level, float(half), float(several), float(np.sqrt((n - 1) / stats.chi2.ppf(1 - level, n - 1)))))
    write("intervals/normal.csv", ["n", "level", "half_one", "half_five", "sd_upper"], rows)


def exact_factor(n, content, confidence):
    df = n - 1

    def reached(k):
        def f(x):
            least = stats.ncx2.ppf(content, 1, x * x) if x > 0 else stats.chi2.ppf(content, 1)
            return 2 * np.sqrt(n) * stats.norm.pdf(x * np.sqrt(n)) * stats.chi2.sf(df * least / (k * k), df)

        cuts = np.array([0, 1, 2, 4, 9]) / np.sqrt(n)
        return sum(integrate.quad(f, a, b, epsabs=1e-11)[0] for a, b in zip(cuts, cuts[1:]))

    return float(optimize.brentq(lambda k: reached(k) - confidence, 0.5, 2000, xtol=1e-9, rtol=1e-12))


def tolerance():
    rows = []
    for content, confidence in ((0.99, 0.95), (0.95, 0.95), (0.9, 0.99), (0.99, 0.99)):
        for n in (2, 3, 4, 5, 6, 8, 11, 20, 30, 100):
            z = stats.norm.ppf((1 + content) / 2)
            howe = float(z * np.sqrt((n - 1) * (1 + 1 / n) / stats.chi2.ppf(1 - confidence, n - 1)))
            one = float(stats.nct.ppf(confidence, n - 1, stats.norm.ppf(content) * np.sqrt(n)) / np.sqrt(n))
            rows.append((n, content, confidence, howe, exact_factor(n, content, confidence), one))
    write("tolerance/factors.csv", ["n", "content", "confidence", "howe", "exact", "one_sided"], rows)


def distances():
    rows = []
    for n, k, shift in ((6, 3, 0.0), (9, 4, 1.2), (11, 5, 0.8), (12, 6, 2.0)):
        points = np.round(RNG.standard_normal((n, 3)) + shift * (np.arange(n) < k)[:, None], 6)
        d = np.sqrt(((points[:, None] - points[None]) ** 2).sum(2))
        d = (d + d.T) / 2
        groups = ["b" if i < k else "a" for i in range(n)]
        result = permanova(DistanceMatrix(d, [str(i) for i in range(n)]), groups, permutations=99_999)
        # energy statistic and its exact p, by all groupings
        from itertools import combinations

        def energy(second):
            a = np.array([i for i in range(n) if i not in second])
            b = np.array(sorted(second))
            return len(a) * len(b) / n * (2 * d[np.ix_(a, b)].mean() - d[np.ix_(a, a)].mean() - d[np.ix_(b, b)].mean())

        all_of = [energy(set(c)) for c in combinations(range(n), k)]
        observed = energy(set(range(k)))
        p = float(np.mean(np.array(all_of) >= observed - 1e-10))
        rows.append((n, k, join(points.ravel()), float(result["test statistic"]), float(result["p-value"]), float(observed), p))
    write("permanova/groups.csv", ["n", "n_second", "points", "pseudo_f", "p_99999", "energy", "energy_p"], rows)


tests()
power()
shares()
tolerance()
distances()
