//! Gates and panels as they are written, stored and counted.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Genes, places_of_genes};
use crate::error::Error;
use crate::math::intervals::jeffreys;
use crate::steps::cells::Normalized;

/// A gene that is high or low at a threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Id of the gene.
    pub gene_id: String,
    /// Its symbol.
    pub gene: String,
    /// Above the threshold (true), or not above it.
    pub high: bool,
    /// Threshold on ln(1 + counts per 10,000).
    pub threshold: f64,
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.gene, if self.high { "high" } else { "low" }, self.threshold)
    }
}

/// Gates that a cell must all pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// The gates.
    pub gates: Vec<Gate>,
}

impl fmt::Display for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gates: Vec<String> = self.gates.iter().map(Gate::to_string).collect();
        f.write_str(&gates.join("; "))
    }
}

impl Panel {
    /// Name as flow cytometry writes it: `CD44+CD34-`.
    pub fn name(&self) -> String {
        self.gates.iter().map(|gate| format!("{}{}", gate.gene, if gate.high { '+' } else { '-' })).collect()
    }

    /// Reads what [`Display`](fmt::Display) writes, `CD44 high 0.5; CD34 low 0`, with the ids of the genes in the same order;
    /// `None` if it is not so written.
    pub fn parse(gates: &str, gene_ids: &[&str]) -> Option<Self> {
        let parts: Vec<&str> = gates.split(';').map(str::trim).collect();
        if parts.len() != gene_ids.len() {
            return None;
        }
        let gate = |(part, gene_id): (&&str, &&str)| {
            let (rest, threshold) = part.rsplit_once(' ')?;
            let (gene, side) = rest.trim_end().rsplit_once(' ')?;
            let high = match side {
                "high" => true,
                "low" => false,
                _ => return None,
            };
            let threshold = threshold.parse().ok().filter(|t: &f64| t.is_finite() && *t >= 0.0)?;
            Some(Gate { gene_id: gene_id.to_string(), gene: gene.trim().into(), high, threshold })
        };
        let gates = parts.iter().zip(gene_ids).map(gate).collect::<Option<Vec<_>>>()?;
        Some(Self { gates })
    }

    /// Where its genes are: by id (without version, if need be), else by symbol.
    ///
    /// # Errors
    /// A gene is not there.
    pub fn find(&self, genes: &Genes) -> Result<Vec<u32>, MissingGene> {
        let plain = |id: &str| id.split('.').next().unwrap_or_default().to_string();
        let (ids, symbols) = (genes.index_by_id(), genes.index_by_symbol());
        let find = |gate: &Gate| {
            let by_plain_id = || {
                let wanted = plain(&gate.gene_id);
                genes.ids().iter().position(|id| plain(id) == wanted).map(|gene| gene as u32)
            };
            let found = ids.get(gate.gene_id.as_str()).copied().or_else(by_plain_id);
            let found = found.or_else(|| symbols.get(gate.gene.as_str()).copied());
            found.ok_or_else(|| MissingGene {
                panel: self.name(),
                gene: gate.gene.clone(),
                gene_id: gate.gene_id.clone(),
            })
        };
        self.gates.iter().map(find).collect()
    }
}

/// A panel asks for a gene that the lots do not have: their cells can't be counted, and 0 would be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingGene {
    /// Name of the panel.
    pub panel: String,
    /// Symbol.
    pub gene: String,
    /// Id.
    pub gene_id: String,
}

impl fmt::Display for MissingGene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panel {} asks for gene {} ({}), which the lots do not have", self.panel, self.gene, self.gene_id)
    }
}

impl From<MissingGene> for Error {
    fn from(missing: MissingGene) -> Self {
        Self::input(missing.to_string(), "give lots of the same gene annotation, or leave the panel out")
    }
}

/// A lot's cells under a panel; one row of `panel_shares.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct GatedShare {
    /// Lot name.
    pub lot: String,
    /// Name of the panel.
    pub panel: String,
    /// Cells of the lot.
    pub n_cells: u64,
    /// Cells that pass all gates.
    pub n_gated: u64,
    /// n_gated / n_cells; NaN without cells.
    pub share: f64,
    /// Lower Jeffreys limit.
    pub ci_low: f64,
    /// Upper Jeffreys limit.
    pub ci_high: f64,
}

impl GatedShare {
    /// From the numbers of cells, with the interval at a level between 0 and 1.
    pub fn new(lot: &str, panel: &Panel, n_cells: u64, n_gated: u64, level: f64) -> Self {
        let (ci_low, ci_high) = jeffreys(n_gated, n_cells, level);
        let share = n_gated as f64 / n_cells as f64;
        Self { lot: lot.into(), panel: panel.name(), n_cells, n_gated, share, ci_low, ci_high }
    }
}

/// Counts the cells of each lot that pass each panel; lot by lot, panels in order. `level`: of the intervals.
///
/// # Errors
/// A gene of a panel is not among the genes.
pub fn gated_shares(
    dataset: &Dataset,
    normalized: &Normalized,
    panels: &[Panel],
    level: f64,
) -> Result<Vec<GatedShare>, MissingGene> {
    let genes: Vec<Vec<u32>> = panels.iter().map(|panel| panel.find(dataset.genes())).collect::<Result<_, _>>()?;
    // Every gene of every panel, so that a cell is walked through once.
    let mut all: Vec<u32> = genes.iter().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    let place = places_of_genes(&all, dataset.n_genes());
    let of_lot = |lot: usize| -> Vec<u64> {
        let (counts, start) = (&dataset.lots()[lot].counts, dataset.offsets()[lot]);
        let mut n_gated = vec![0; panels.len()];
        let mut values = vec![0_f32; all.len()];
        for cell in 0..counts.n_cells() {
            values.fill(0.0);
            counts.row(cell).for_each(|gene, count| {
                if let Some(value) = values.get_mut(place[gene as usize] as usize) {
                    *value = normalized.value(start + cell, count);
                }
            });
            for ((panel, genes), n) in panels.iter().zip(&genes).zip(&mut n_gated) {
                let passes = |(gate, &gene): (&Gate, &u32)| {
                    (f64::from(values[place[gene as usize] as usize]) > gate.threshold) == gate.high
                };
                *n += u64::from(panel.gates.iter().zip(genes).all(passes));
            }
        }
        n_gated
    };
    let counted: Vec<Vec<u64>> = (0..dataset.n_lots()).into_par_iter().map(of_lot).collect();
    let row = |(lot, n_gated): (usize, &Vec<u64>)| {
        let lot = &dataset.lots()[lot];
        let row = |(panel, &n): (&Panel, &u64)| GatedShare::new(&lot.name, panel, lot.barcodes.len() as u64, n, level);
        panels.iter().zip(n_gated).map(row).collect::<Vec<_>>()
    };
    Ok(counted.iter().enumerate().flat_map(row).collect())
}
