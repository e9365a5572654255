"""Freezes tests of two groups, partial correlations and permutation p-values under designs for tests/reference/designs.rs.

usage: CQA_TEST_DATA=... python scripts/reference/designs.py
scipy 1.17.1 and statsmodels 0.15.0 were used. Copied from the data are Wilcoxon's p by R (crumblr, sccomp) and the slopes of
limma's fit of the heart; further slopes of limma are in designs_limma.py.
"""

import itertools
import os
import pathlib

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

folder = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/designs"
folder.mkdir(parents=True, exist_ok=True)
data = pathlib.Path(os.environ["CQA_TEST_DATA"])
rng = np.random.default_rng(3)


def write(name, lines):
    (folder / name).write_text("\n".join(lines) + "\n")


def text(values):
    return ",".join(repr(float(v)) for v in values)


# Two groups: columns, then the group; scipy's tests of each column.
def groups(name, n_low, n_high, ties):
    y = np.array([0] * n_low + [1] * n_high)
    x = rng.normal(size=(len(y), 4)) + 0.6 * y[:, None]
    if ties:
        x = np.round(x * 1.5)
    lines = ["kind,0,1,2,3,group"] + [f"value,{text(row)},{group}" for row, group in zip(x, y)]
    low, high = x[y == 0], x[y == 1]
    results = {}
    for alternative in ["two-sided", "greater", "less"]:
        test = [stats.mannwhitneyu(high[:, k], low[:, k], alternative=alternative, method="asymptotic") for k in range(4)]
        results[f"normal_{alternative}"] = [t.pvalue for t in test]
    results["u"] = [t.statistic for t in test]
    if not ties:
        exact = [stats.mannwhitneyu(high[:, k], low[:, k], method="exact").pvalue for k in range(4)]
    else:
        # scipy's exact distribution knows no ties: all ways to choose the group, by |U - mean|.
        ranks = stats.rankdata(x, axis=0)
        mean = n_high * (len(y) + 1) / 2
        ways = [ranks[list(c)].sum(0) for c in itertools.combinations(range(len(y)), n_high)]
        far = np.abs(np.array(ways) - mean) >= np.abs(ranks[y == 1].sum(0) - mean) - 1e-9
        exact = far.mean(0)
    results["exact"] = exact
    lines += [f"{key},{text(values)}," for key, values in results.items()]
    write(f"{name}.csv", lines)


groups("groups", 5, 6, False)
groups("groups_with_ties", 6, 5, True)

# Pairs: signed ranks.
x = rng.normal(size=(9, 2, 3))
x[:, 1] += 0.5
x[2, 1, 0] = x[2, 0, 0]
d = x[:, 1] - x[:, 0]
lines = ["kind,0,1,2,group,pair"]
for pair in range(9):
    for group in range(2):
        lines.append(f"value,{text(x[pair, group])},{group},{pair}")
for alternative in ["two-sided", "greater", "less"]:
    p = [stats.wilcoxon(d[:, k], alternative=alternative, method="approx", correction=True).pvalue for k in range(3)]
    lines.append(f"normal_{alternative},{text(p)},,")
flips = np.array(list(itertools.product([-1, 1], repeat=9)))
exact, plus = [], []
for k in range(3):
    ranks = np.where(d[:, k] == 0, 0, 0.0)
    ranks[d[:, k] != 0] = stats.rankdata(np.abs(d[d[:, k] != 0, k]))
    signed = ranks * np.sign(d[:, k])
    exact.append((np.abs(flips @ ranks) >= abs(signed.sum()) - 1e-9).mean())
    plus.append(signed[signed > 0].sum())
    if (d[:, k] != 0).all():
        assert abs(exact[-1] - stats.wilcoxon(d[:, k], method="exact").pvalue) < 1e-12
lines += [f"exact,{text(exact)},,", f"statistic,{text(plus)},,"]
write("pairs.csv", lines)


# One covariate and blocks: partial correlations by statsmodels, p by going through every order (Freedman and Lane).
def residual(v, z):
    return sm.OLS(v, z).fit().resid


def partial(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


n = 7
x, y, covariate = rng.normal(size=(n, 2)), rng.normal(size=n), rng.normal(size=n)
block = np.array([0, 1, 0, 1, 0, 1, 0])
lines = ["kind,0,1,readout,covariate,block"]
lines += [f"value,{text(x[i])},{float(y[i])!r},{float(covariate[i])!r},{block[i]}" for i in range(n)]
for name, z, within in [
    ("covariate", sm.add_constant(covariate), False),
    ("block", np.column_stack([block == 0, block == 1]).astype(float), True),
    ("both", np.column_stack([block == 0, block == 1, covariate]).astype(float), True),
]:
    e, xs = residual(y, z), [residual(x[:, k], z) for k in range(2)]
    orders = [o for o in itertools.permutations(range(n)) if not within or all(block[list(o)] == block)]
    null = np.array([[abs(partial(xr, residual(e[list(o)], z))) for xr in xs] for o in orders])
    seen = [abs(partial(xr, e)) for xr in xs]
    lines.append(f"{name}_r,{text(partial(xr, e) for xr in xs)},,,")
    lines.append(f"{name}_p,{text((null >= np.array(seen) - 1e-10).mean(0))},,,")
    strong, weak = np.argsort(seen)[::-1]
    family = np.empty(2)
    family[strong] = (null.max(1) >= seen[strong] - 1e-10).mean()
    family[weak] = max(family[strong], (null[:, weak] >= seen[weak] - 1e-10).mean())
    lines.append(f"{name}_family,{text(family)},,,")
write("adjusted.csv", lines)

# Kang 2018: counts of eight cell types in eight donors, control and stimulated; two-sided Wilcoxon p by R.
kang = pd.read_csv(data / "crumblr/kang_celltype_counts.csv", index_col=0)
info = pd.read_csv(data / "crumblr/kang_sample_info.csv", index_col=0)
ours = pd.read_csv(data / "crumblr/ref_r/simple_tests.csv", index_col=0).loc[kang.columns]
lines = ["sample,donor,arm," + ",".join(kang.columns)]
lines += [f"{s},{info.ind[s]},{info.stim[s]}," + ",".join(map(str, kang.loc[s])) for s in kang.index]
lines += [f"wilcox_paired,,,{text(ours.wilcox_paired)}", f"wilcox,,,{text(ours.wilcox)}"]
write("kang.csv", lines)

# Heart (propeller): arcsine-transformed shares against three stages and sex; slopes of limma's fit.
meta = pd.read_csv(data / "propeller/ref/heart_meta.csv").set_index("Sample")
counts = pd.read_csv(data / "propeller/ref/heart_counts.csv", index_col=0)
fit = pd.read_csv(data / "propeller/ref/heart_stage_continuous_asin_nonrobust.csv", index_col=0).loc[counts.columns]
stage = {"f": 1, "y": 2, "a": 3}
lines = ["sample,stage,sex," + ",".join(c.replace(",", "") for c in counts.columns)]
lines += [f"{s},{stage[s[0]]},{meta.Sex[s]}," + ",".join(map(str, counts.loc[s])) for s in counts.index]
lines.append(f"slope,,,{text(fit.logFC)}")
write("heart.csv", lines)

# sccomp's blood samples: 36 groups of cells in benign and cancer; Wilcoxon p by R.
counts = pd.read_csv(data / "sccomp/counts_wide.csv", index_col=0)
kind = pd.read_csv(data / "sccomp/sample_type.csv").set_index("sample").type
theirs = pd.read_csv(data / "sccomp/ref_r/simple_tests.csv", index_col=0).loc[counts.columns]
lines = ["sample,type," + ",".join(counts.columns)]
lines += [f"{s},{kind[s]}," + ",".join(map(str, counts.loc[s])) for s in counts.index]
lines += [f"{key},,{text(theirs[key])}" for key in ["wilcox", "mean_cancer", "mean_benign"]]
write("sccomp.csv", lines)
