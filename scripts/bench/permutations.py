"""Times family-wise permutation p-values with numpy and scipy, on the numbers that the bench of cqa gets.

usage: python scripts/bench/permutations.py make FILE LOTS COLUMNS | run FILE [--random N]
`run` prints, tab-separated as the bench does: program, lots, statistics, orders, seconds, orders per second, statistics per
second, family-wise p of the first column (single-step max |r|, the same as step-down's for the strongest column only).
"""

import itertools
import math
import sys
import time

import numpy as np
from scipy import stats


def unit(v):
    v = v - v.mean(0)
    return v / np.sqrt((v * v).sum(0))


def report(name, n, k, orders, seconds, p):
    print(f"{name}\t{n}\t{k}\t{orders}\t{seconds:.4f}\t{orders / seconds:.3e}\t{orders * k / seconds:.3e}\t{p:.10f}")


if sys.argv[1] == "make":
    file, n, k = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(n, k)), rng.normal(size=n)
    x[:, 0] += 1.5 * y
    np.savetxt(file, np.column_stack([x, y]), delimiter=",", fmt="%.17g")
    sys.exit()

data = np.loadtxt(sys.argv[2], delimiter=",")
x, y = unit(data[:, :-1]), unit(data[:, -1])
n, k = x.shape
seen = np.abs(y @ x).max()

# numpy: all orders in batches, one matrix product each.
start, count, batch = time.perf_counter(), 0, 200_000
orders = itertools.permutations(range(n))
while True:
    chunk = np.array(list(itertools.islice(orders, batch)))
    if len(chunk) == 0:
        break
    count += int((np.abs(y[chunk] @ x).max(1) >= seen - 1e-12).sum())
total = math.factorial(n)
report("numpy, all orders", n, k, total, time.perf_counter() - start, count / total)

# scipy: exact where it may take all orders, with a vectorised statistic.
start = time.perf_counter()
test = stats.permutation_test(
    (y,),
    lambda values, axis=-1: np.abs(np.moveaxis(values, axis, -1) @ x).max(-1),
    permutation_type="pairings",
    n_resamples=np.inf,
    batch=batch,
    alternative="greater",
    vectorized=True,
)
report("scipy.stats.permutation_test, all orders", n, k, total, time.perf_counter() - start, test.pvalue)
