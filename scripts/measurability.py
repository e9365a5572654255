"""Writes data/measurability.csv: which gene products can be measured how, each fact with its source beside it.

usage: CQA_TEST_DATA=FOLDER python scripts/measurability.py

Reads FOLDER/biology:
- surface_secreted.csv: transmembrane and secreted proteins of CellPhoneDB (MIT licence; Efremova 2020);
- cspa.csv: the Cell Surface Protein Atlas, proteins seen at the surface of living cells by mass spectrometry (CC BY 4.0;
  Bausch-Fluck 2015), of which those that the membrane holds are taken (a transmembrane domain or a GPI anchor), not what
  sticks to it, such as collagen; its third category, unspecific, is left out;
- msc_isct.csv: identity markers of mesenchymal stromal cells (Dominici 2006);
- human_gene_mapping.csv.gz: only to find the current symbol of a gene that a source names by an older one.

The surfaceome predicted by SURFY may not be given on in changed form (CC BY-NC-ND), so it is not used.
"""

import csv
import gzip
import os
import pathlib

CELLPHONEDB = "CellPhoneDB doi:10.1038/s41596-020-0292-x"
CSPA = "CSPA {} doi:10.1371/journal.pone.0121314"
ISCT = "{} {} in Dominici 2006 doi:10.1080/14653240600855905"

root = pathlib.Path(__file__).resolve().parents[1]
biology = pathlib.Path(os.environ.get("CQA_TEST_DATA", root / "../shared/data")) / "biology"


def rows(name):
    path = biology / name
    with gzip.open(path, "rt") if name.endswith(".gz") else open(path) as file:
        return list(csv.DictReader(file))


names = {}
for row in rows("human_gene_mapping.csv.gz"):
    names.setdefault(row["alias"], set()).add(row["symbol"])
current = set().union(*names.values())

genes = {}


def gene(symbol, ensembl=""):
    """The entry of a symbol under its current name; the older name is kept as alias."""
    now = symbol
    if symbol not in current and len(names.get(symbol, ())) == 1:
        (now,) = names[symbol]
    entry = genes.setdefault(now, {"ensembl": "", "alias": set(), "surface": [], "secreted": [], "msc_marker": ""})
    if now != symbol:
        entry["alias"].add(symbol)
    entry["ensembl"] = entry["ensembl"] or ensembl
    return entry


def add(sources, source):
    if source not in sources:
        sources.append(source)


for row in rows("surface_secreted.csv"):
    if row["transmembrane"] == "True":
        add(gene(row["hgnc_symbol"], row["ensembl"])["surface"], CELLPHONEDB)
    if row["secreted"] == "True":
        add(gene(row["hgnc_symbol"], row["ensembl"])["secreted"], CELLPHONEDB)

for row in rows("cspa.csv"):
    symbol, category = row["ENTREZ gene symbol"], row["CSPA category"][4:]
    held = row["# predicted TM domains"] not in ("0", "") or row["GPI"] == "1"
    # A few proteins have no gene, or the name of a clone.
    named = symbol not in ("", "0") and "/" not in symbol and " " not in symbol
    if row["organism"] == "Human" and category != "unspecific" and held and named:
        add(gene(symbol)["surface"], CSPA.format(category))

for row in rows("msc_isct.csv"):
    expected = row["expected"].split()[0]
    gene(row["symbol"], row["ensembl"])["msc_marker"] = ISCT.format(row["marker"], expected)

with open(root / "data/measurability.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["gene", "ensembl", "alias", "surface", "secreted", "msc_marker"])
    for symbol in sorted(genes):
        entry = genes[symbol]
        sources = [" | ".join(entry[kind]) for kind in ["surface", "secreted"]]
        out.writerow([symbol, entry["ensembl"], " ".join(sorted(entry["alias"])), *sources, entry["msc_marker"]])
