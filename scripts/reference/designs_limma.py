"""Freezes slopes of limma and statistics of statsmodels and scipy on real counts for tests/reference/designs_limma.rs.

usage: CQA_TEST_DATA=... python scripts/reference/designs_limma.py
scipy 1.17.1 and statsmodels 0.15.0 were used; limma's slopes (logFC) are copied from the data, where limma 3.54 made them from
the counts that designs.py freezes. limma's t and p are moderated over cell types, which is another statistic than ours, so
they are not among these.
"""

import os
import pathlib

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

folder = pathlib.Path(__file__).resolve().parents[2] / "tests/data/reference/designs"
data = pathlib.Path(os.environ["CQA_TEST_DATA"])


def write(name, lines):
    (folder / name).write_text("\n".join(lines) + "\n")


# data, transform, design, cell type, slope
lines = ["data,transform,design,group,slope"]
for name, file in [
    ("kang", "crumblr/ref_r/limma_{design}_{transform}.csv"),
    ("sccomp", "sccomp/ref_r/limma_{transform}_robustFALSE.csv"),
    ("heart", "propeller/ref/heart_stage_continuous_{transform}_nonrobust.csv"),
]:
    for transform in ["asin", "logit"]:
        for design in ["paired", "unpaired"] if name == "kang" else ["unpaired"]:
            fit = pd.read_csv(data / file.format(design=design, transform=transform), index_col=0)
            lines += [f"{name},{transform},{design},{g.replace(',', '')},{float(s)!r}" for g, s in fit.logFC.items()]
write("limma.csv", lines)


def simple(name, shares, readout, covariate=None):
    """Shares (samples × cell types) against a readout: t and p of the slope, r and p by scipy where there is no covariate."""
    lines = ["kind," + ",".join(shares.columns) + ",readout,covariate"]
    extra = np.zeros(len(readout)) if covariate is None else covariate
    for i in range(len(readout)):
        lines.append("value," + ",".join(repr(float(v)) for v in shares.iloc[i]) + f",{readout[i]},{extra[i]}")
    found = {key: [] for key in ["t", "p", "slope", "r", "p_pearson", "rho"]}
    for column in shares.columns:
        x = shares[column].to_numpy()
        design = np.column_stack([readout] if covariate is None else [readout, covariate]).astype(float)
        fit = sm.OLS(x, sm.add_constant(design)).fit()
        found["t"].append(fit.tvalues[1])
        found["p"].append(fit.pvalues[1])
        found["slope"].append(fit.params[1])
        if covariate is None:
            r = stats.pearsonr(x, readout)
            found["r"].append(r.statistic)
            found["p_pearson"].append(r.pvalue)
            found["rho"].append(stats.spearmanr(x, readout).statistic)
    for key, values in found.items():
        if values:
            lines.append(f"{key}," + ",".join(repr(float(v)) for v in values) + ",,")
    write(name, lines)


# Blood of 20 donors (propeller): shares against age with sex as covariate.
shares = pd.read_csv(data / "propeller/CTpropsTransposed.txt", sep="\t", index_col=0).T / 100
sheet = pd.read_csv(data / "propeller/sampleinfo.csv").set_index("Sample").loc[shares.index]
old, male = (sheet.Age == "old").astype(int).tolist(), (sheet.Sex == "male").astype(int).tolist()
simple("pbmc.csv", shares, old, male)
# The authors' means of both ages, from the same shares.
means = pd.read_csv(data / "propeller/ref/pbmc_young_old_logit.csv", index_col=0).loc[shares.columns]
with (folder / "pbmc.csv").open("a") as file:
    for key, column in [("mean_old", "PropMean.old"), ("mean_young", "PropMean.young")]:
        file.write(f"{key}," + ",".join(repr(float(v)) for v in means[column]) + ",,\n")

# Mouse gut (Haber 2017, from scCODA): shares in control and infected animals.
counts = pd.read_csv(data / "sccoda/sccoda/datasets/haber_counts.csv", index_col=0)
shares = counts.div(counts.sum(axis=1), axis=0)
infected = [int(not sample.startswith("Control")) for sample in counts.index]
simple("haber.csv", shares, infected)
