"""Writes the nuclei of 23 donors as a pooled 10x folder with a lot sheet: a run of many uneven lots.

    python scripts/ideas_autism_lots.py [DATA] OUT

DATA holds `ideas_autism/` with one 10x folder per cell type (default: $CQA_TEST_DATA). OUT gets

    pooled/     matrix.mtx.gz, barcodes.tsv.gz, features.tsv.gz, obs.csv (barcode, donor, cell_type)
    lots.csv    one row per donor: lot, path, lot_column, lot_value, region

A donor's cells lie in all three folders of cell types, so these are put side by side first. The sheet then takes each
donor's cells from the pool by `lot_column`, and the pool is read once. Python's standard library is enough.
"""

import csv
import gzip
import os
import sys
from pathlib import Path

TYPES = ["AST-FB", "Endothelial", "Microglia"]


def lines(path):
    with gzip.open(path, "rt") as file:
        return [line.rstrip("\n") for line in file]


def main(data, out):
    pooled = out / "pooled"
    pooled.mkdir(parents=True, exist_ok=True)
    features, barcodes, obs, blocks = None, [], [], []
    for cell_type in TYPES:
        folder = data / "ideas_autism" / f"mtx_{cell_type}"
        here = lines(folder / "features.tsv.gz")
        if features is not None and here != features:
            sys.exit(f"{folder}: other features than in the folders before")
        features = here
        with open(folder / "obs.csv", newline="") as file:
            donor_of = {row[""]: row["sample"] for row in csv.DictReader(file)}
        names = lines(folder / "barcodes.tsv.gz")
        obs += [(f"{name}_{cell_type}", donor_of[name], cell_type) for name in names]
        blocks.append((folder / "matrix.mtx.gz", len(barcodes)))
        barcodes += [f"{name}_{cell_type}" for name in names]

    entries = [(path, offset, lines(path)) for path, offset in blocks]
    n_entries = sum(int(text[1].split()[2]) for _, _, text in entries)
    with gzip.open(pooled / "matrix.mtx.gz", "wt", compresslevel=4) as file:
        file.write("%%MatrixMarket matrix coordinate integer general\n")
        file.write(f"{len(features)} {len(barcodes)} {n_entries}\n")
        for _, offset, text in entries:
            for line in text[2:]:
                gene, cell, count = line.split()
                file.write(f"{gene} {int(cell) + offset} {count}\n")
    for name, column in [("features", features), ("barcodes", barcodes)]:
        with gzip.open(pooled / f"{name}.tsv.gz", "wt") as file:
            file.writelines(f"{line}\n" for line in column)
    with open(pooled / "obs.csv", "w", newline="") as file:
        csv.writer(file).writerows([("barcode", "donor", "cell_type"), *obs])
    donors = sorted({donor for _, donor, _ in obs})
    with open(out / "lots.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["lot", "path", "lot_column", "lot_value", "region"])
        writer.writerows((donor, "pooled", "donor", donor, donor.split("_")[1]) for donor in donors)
    print(f"{out / 'lots.csv'}: {len(donors)} lots, {len(barcodes)} nuclei, {n_entries} entries")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    source = sys.argv[1] if len(sys.argv) == 3 else os.environ.get("CQA_TEST_DATA", "../shared/data")
    main(Path(source), Path(sys.argv[-1]))
