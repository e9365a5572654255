"""Roads at equal numbers of clusters: mean adjusted Rand index to the known groups.

    cargo run --release --example study_defaults -- DATA [LOTS...] > ours.csv
    python scripts/bench/peer_clusters.py DATA [LOTS...] > theirs.csv
    python scripts/bench/equal_clusters.py ours.csv theirs.csv

Per data set: the number of clusters each road takes by itself with its index, then each number of clusters that all roads
reach in their sweeps (mean over the resolutions and seeds that give it), and the mean over these numbers. Needs pandas.
"""

import sys

import pandas as pd

ours, theirs = (pd.read_csv(path) for path in sys.argv[1:3])
ours = ours[ours.setting == "default"].assign(road="cqa")
rows = pd.concat([ours[theirs.columns], theirs])
for data, here in rows.groupby("data", sort=False):
    own = here[here["at"] == "own"].groupby("road").agg(
        clusters=("clusters", lambda n: ", ".join(map(str, n))), ari=("ari", "mean"))
    print(f"\n{data}\n{own.round(3).to_string()}")
    sweep = here[(here["at"] == "sweep") & (here.clusters > 1) & (here.clusters <= 20)]
    equal = sweep.pivot_table(index="clusters", columns="road", values="ari").dropna()
    print(equal.round(3).to_string())
    print("mean", equal.mean().round(3).to_dict())
