"""Prediction intervals of a straight line: tests/data/reference/potency/lines.csv.

usage: python scripts/reference/potency.py
Python 3.11.7, numpy 2.4.6 and statsmodels 0.15.0 (OLS, get_prediction(...).conf_int(obs=True)) were used.
"""

import csv
from pathlib import Path

import numpy as np
import statsmodels.api as sm

ROOT = Path(__file__).parents[2] / "tests/data/reference/potency"
RNG = np.random.default_rng(11)


def join(values):
    return " ".join(repr(float(v)) for v in values)


def main():
    ROOT.mkdir(parents=True, exist_ok=True)
    with (ROOT / "lines.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["x", "y", "at", "level", "intercept", "slope", "sd", "value", "low", "high"])
        for n in (3, 6, 11, 30):
            x = np.round(RNG.uniform(0.02, 0.4, n), 4)
            y = np.round(700 + 2500 * x + 120 * RNG.standard_normal(n), 2)
            fit = sm.OLS(y, sm.add_constant(x)).fit()
            for at in (float(x.mean()), 0.0, 0.6):
                for level in (0.8, 0.9, 0.95):
                    found = fit.get_prediction(np.array([[1.0, at]]))
                    low, high = found.conf_int(obs=True, alpha=1 - level)[0]
                    numbers = [at, level, *fit.params, fit.mse_resid**0.5, found.predicted_mean[0], low, high]
                    writer.writerow([join(x), join(y), *[repr(float(v)) for v in numbers]])


main()
