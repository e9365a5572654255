"""Freezes correlations of readout, share and covariate by scipy and statsmodels for tests/reference/confounding.rs.

usage: python -P scripts/reference/confounding.py
scipy 1.17.1 and statsmodels 0.15.0 were used.
"""

import pathlib

import numpy as np
import statsmodels.api as sm
from scipy import stats

path = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/confounding/eight_lots.csv"
rng = np.random.default_rng(3)
n = 8
covariates = {"depth": rng.normal(size=n), "passage": rng.integers(3, 6, size=n).astype(float), "sex": np.arange(n) % 2 * 1.0}
readout = 0.7 * covariates["depth"] + rng.normal(size=n)
shares = {"0": 0.1 * covariates["depth"] + 0.1 * readout + 0.1 * rng.normal(size=n), "1": rng.normal(size=n)}


def permutation_p(x, y):
    strength = lambda y: abs(np.corrcoef(x, y)[0, 1])
    kind = dict(permutation_type="pairings", n_resamples=np.inf, alternative="greater")
    return stats.permutation_test((y,), strength, **kind).pvalue


def left(y, z):
    return sm.OLS(y, sm.add_constant(z)).fit().resid


lines = ["covariate,cluster,kind,values"]
put = lambda a, b, kind, v: lines.append(f"{a},{b},{kind}," + " ".join(repr(float(x)) for x in np.atleast_1d(v)))
put("", "", "readout", readout)
for k, share in shares.items():
    put("", k, "share", share)
for name, z in covariates.items():
    put(name, "", "covariate", z)
    for k, share in shares.items():
        put(name, k, "r_readout", stats.pearsonr(z, readout).statistic)
        put(name, k, "p_readout", permutation_p(z, readout))
        put(name, k, "r_share", stats.pearsonr(z, share).statistic)
        put(name, k, "p_share", permutation_p(z, share))
        put(name, k, "r", stats.pearsonr(share, readout).statistic)
        put(name, k, "r_partial", stats.pearsonr(left(share, z), left(readout, z)).statistic)
        model = sm.OLS(readout, sm.add_constant(np.column_stack([share, z]))).fit()
        put(name, k, "p_partial", model.pvalues[1])
path.write_text("\n".join(lines) + "\n")
