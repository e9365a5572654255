"""Freezes correlations, their intervals, permutation p-values and q-values for tests/reference/association.rs.

usage: python scripts/reference/association.py
scipy 1.17.1 and statsmodels 0.15.0 were used.
"""

import pathlib

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

folder = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/association"
rng = np.random.default_rng(11)


def case(name, n, n_columns, ties, signal):
    readout = rng.normal(size=n)
    columns = rng.normal(size=(n, n_columns))
    columns[:, 0] += signal * readout
    if ties:
        readout, columns = np.round(readout), np.round(columns)
    lines = ["kind," + ",".join(str(k) for k in range(n_columns)) + ",readout"]
    for i in range(n):
        lines.append("value," + ",".join(repr(float(v)) for v in columns[i]) + f",{float(readout[i])!r}")
    results = {key: [] for key in ["r", "rho", "ci_low", "ci_high", "slope", "intercept", "p", "q"]}
    for k in range(n_columns):
        x = columns[:, k]
        r = stats.pearsonr(x, readout)
        interval = r.confidence_interval(0.95)
        line = stats.linregress(x, readout)
        results["r"].append(r.statistic)
        results["rho"].append(stats.spearmanr(x, readout).statistic)
        results["ci_low"].append(interval.low)
        results["ci_high"].append(interval.high)
        results["slope"].append(line.slope)
        results["intercept"].append(line.intercept)
        if n <= 8:
            # The strength |r| one-sidedly, so that both signs count as extreme, as they do for an asymmetric null.
            test = stats.permutation_test(
                (readout,),
                lambda y: abs(np.corrcoef(x, y)[0, 1]),
                permutation_type="pairings",
                n_resamples=np.inf,
                alternative="greater",
            )
            results["p"].append(test.pvalue)
    if results["p"]:
        results["q"] = multipletests(results["p"], method="fdr_bh")[1]
    for key, values in results.items():
        if len(values):
            lines.append(f"{key}," + ",".join(repr(float(v)) for v in values) + ",")
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


case("seven_lots", 7, 5, False, 1.5)
case("eight_lots_with_ties", 8, 4, True, 1.0)
case("eleven_lots", 11, 8, False, 1.0)
