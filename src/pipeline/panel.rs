//! A run and one of its clusters → the gene panels that find it, and what they say of the lots.

use ndarray::Array2;

use super::{Analysis, find_readout};
use crate::data::{Dataset, LotTable};
use crate::error::{Error, Result};
use crate::math::correlation::pearson;
use crate::progress::{Progress, Silent};
use crate::steps::cells::normalize;
use crate::steps::lots::{AssociationParams, Observed, association_of, censored, units, weights};
use crate::steps::markers::{GatedShare, Measurability, PanelParams, Panels, measurability, panels};
use crate::warning::Warning;

/// Which genes a panel may be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PanelGenes {
    /// All of them.
    All,
    /// Those whose product is at the cell's surface.
    Surface,
    /// Those whose product is secreted. They are measured in the medium of a whole lot, so each stands alone, and what counts is
    /// how its amount per lot goes with the share of the cluster.
    Secreted,
    /// Those of a list, by symbol or id.
    List(Vec<String>),
}

impl PanelGenes {
    /// A word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Surface => "surface",
            Self::Secreted => "secreted",
            Self::List(_) => "list",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelQuestion {
    /// The cluster.
    pub cluster: usize,
    /// Genes to choose from.
    pub genes: PanelGenes,
    /// The search.
    pub params: PanelParams,
}

/// How a panel's gated share, or a gene's amount, goes with other numbers of the lots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PanelLots {
    /// Pearson correlation of the gated share with the share of the cluster, over lots.
    pub r_share: f64,
    /// Correlation of the gated share with the readout; NaN without readout.
    pub r_potency: f64,
    /// Permutation p of that, alone.
    pub p_potency: f64,
    /// Panels of one gene: correlation of the lot's pseudobulk (log2 CPM) with the share of the cluster; else NaN.
    pub r_bulk: f64,
    /// Panels of one gene: the same with the readout; NaN without readout.
    pub r_bulk_potency: f64,
}

/// The readout beside the whole cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelReadout {
    /// Name.
    pub name: String,
    /// Value per lot; NaN = missing.
    pub values: Vec<f64>,
    /// Correlation of the share of the cluster with it.
    pub r_cluster: f64,
    /// Permutation p of that, alone.
    pub p_cluster: f64,
    /// Lots that took part.
    pub n_lots: usize,
}

/// Panels for one cluster of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelAnalysis {
    /// What was asked.
    pub question: PanelQuestion,
    /// The panels.
    pub panels: Panels,
    /// One per panel.
    pub lots: Vec<PanelLots>,
    /// How each gene of each panel can be measured.
    pub measurability: Vec<Vec<Measurability>>,
    /// Panels × lots, panel by panel.
    pub shares: Vec<GatedShare>,
    /// The readout; `None` if none was asked for.
    pub readout: Option<PanelReadout>,
    /// What bears on the result.
    pub warnings: Vec<Warning>,
}

/// Finds panels for a cluster of a run, and sets the shares they gate against a readout.
///
/// # Errors
/// - there is no such cluster, or a listed gene is not among those of the run
/// - a parameter is out of range
/// - the readout is not a column of the sheet, or too few lots have it
pub fn panel(
    analysis: &Analysis,
    dataset: &Dataset,
    question: &PanelQuestion,
    readout: Option<(&str, &AssociationParams)>,
    progress: &dyn Progress,
) -> Result<PanelAnalysis> {
    let n_clusters = analysis.clusters.len();
    if question.cluster >= n_clusters {
        return Err(Error::input(
            format!("the run has no cluster {}", question.cluster),
            format!("its clusters are 0 to {}", n_clusters.saturating_sub(1)),
        ));
    }
    let of_gene = measurability(&analysis.genes);
    let allowed = allowed(analysis, &question.genes, &of_gene)?;
    let normalized = normalize(dataset, &analysis.params.normalize)?;
    let inside: Vec<bool> = analysis.cells.cluster.iter().map(|&k| k as usize == question.cluster).collect();
    let secreted = question.genes == PanelGenes::Secreted;
    let mut params = question.params.clone();
    if secreted {
        // The amount tells of the cluster only if its cells make more of it than others.
        (params.n_genes, params.n_panels, params.low) = (1, params.n_candidates, false);
    }
    progress.start("panel", 0);
    let mut panels = panels(dataset, &normalized, &inside, &allowed, &params)?;
    progress.finish("panel", &format!("{} panels of {} genes", panels.rows.len(), panels.candidates.len()));

    let bulk = analysis.pseudobulk.log2_cpm_all();
    let share = analysis.composition.share.column(question.cluster).to_vec();
    if secreted {
        // What is measured is the amount in the medium, not a cell.
        let tracks = |gene: u32| {
            let r = correlation(&bulk.column(gene as usize).to_vec(), &share);
            if r.is_nan() { -1.0 } else { r }
        };
        panels.rows.sort_by(|a, b| tracks(b.genes[0]).total_cmp(&tracks(a.genes[0])));
        panels.rows.truncate(question.params.n_panels.max(10));
    }
    let level = analysis.params.composition.level;
    let names = dataset.lot_names();
    let gated = |row: &crate::steps::markers::PanelRow| -> Vec<GatedShare> {
        let lots = names.iter().zip(&row.lots);
        lots.map(|(lot, n)| GatedShare::new(lot, &row.panel, n.n_cells, n.n_gated, level)).collect()
    };
    let shares: Vec<Vec<GatedShare>> = panels.rows.iter().map(gated).collect();
    let mut warnings = Vec::new();
    let (readout, of_readout) = match readout {
        Some((name, asked)) => {
            let (readout, rows) = against_readout(analysis, question.cluster, &panels, &shares, &bulk, (name, asked))?;
            warnings.extend(readout.1);
            (Some(readout.0), rows)
        }
        None => (None, vec![[f64::NAN; 3]; panels.rows.len()]),
    };
    let lots = panels.rows.iter().zip(&shares).zip(of_readout);
    let lots = lots.map(|((row, gated), [r_potency, p_potency, r_bulk_potency])| PanelLots {
        r_share: correlation(&gated.iter().map(|lot| lot.share).collect::<Vec<_>>(), &share),
        r_potency,
        p_potency,
        r_bulk: match row.genes[..] {
            [gene] => correlation(&bulk.column(gene as usize).to_vec(), &share),
            _ => f64::NAN,
        },
        r_bulk_potency,
    });
    let measured =
        |row: &crate::steps::markers::PanelRow| row.genes.iter().map(|&gene| of_gene[gene as usize].clone()).collect();
    Ok(PanelAnalysis {
        question: question.clone(),
        lots: lots.collect(),
        measurability: panels.rows.iter().map(measured).collect(),
        shares: shares.into_iter().flatten().collect(),
        panels,
        readout,
        warnings,
    })
}

/// Genes that a panel may be made of, one entry per gene.
fn allowed(analysis: &Analysis, genes: &PanelGenes, of_gene: &[Measurability]) -> Result<Vec<bool>> {
    let allowed: Vec<bool> = match genes {
        PanelGenes::All => vec![true; of_gene.len()],
        PanelGenes::Surface => of_gene.iter().map(|m| !m.surface.is_empty()).collect(),
        PanelGenes::Secreted => of_gene.iter().map(|m| !m.secreted.is_empty()).collect(),
        PanelGenes::List(list) => {
            let (ids, symbols) = (analysis.genes.index_by_id(), analysis.genes.index_by_symbol());
            let mut allowed = vec![false; of_gene.len()];
            for name in list {
                let Some(&gene) = ids.get(name.as_str()).or_else(|| symbols.get(name.as_str())) else {
                    return Err(Error::input(
                        format!("the run has no gene {name}"),
                        "list genes by symbol or id, as markers.csv writes them",
                    ));
                };
                allowed[gene as usize] = true;
            }
            allowed
        }
    };
    if !allowed.contains(&true) {
        return Err(Error::input(
            format!("none of the run's genes is known as {}", genes.name()),
            "genes are looked up by Ensembl id or human symbol; give your own with --gene-list",
        ));
    }
    Ok(allowed)
}

/// Correlation over the lots that have both.
fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) =
        x.iter().zip(y).filter(|(x, y)| x.is_finite() && y.is_finite()).map(|(x, y)| (*x, *y)).unzip();
    if x.len() < 3 { f64::NAN } else { pearson(&x, &y) }
}

/// The readout beside the cluster with its warnings; and per panel: r and p of the gated share, r of the pseudobulk.
type AgainstReadout = ((PanelReadout, Vec<Warning>), Vec<[f64; 3]>);

fn against_readout(
    analysis: &Analysis,
    cluster: usize,
    panels: &Panels,
    shares: &[Vec<GatedShare>],
    bulk: &Array2<f64>,
    (name, asked): (&str, &AssociationParams),
) -> Result<AgainstReadout> {
    let readout = find_readout(&analysis.sheet, &analysis.readouts, name)?;
    let lots = &analysis.composition.lots;
    let n_rows = panels.rows.len();
    // Gated shares, and the share of the cluster last.
    let values = Array2::from_shape_fn((lots.len(), n_rows + 1), |(lot, column)| {
        if column < n_rows { shares[column][lot].share } else { analysis.composition.share[[lot, cluster]] }
    });
    let names = panels.rows.iter().map(|row| row.panel.name()).chain([format!("cluster {cluster}")]).collect();
    let table = LotTable::new(lots.clone(), names, values);
    let units = units(&analysis.sheet, &table, &readout, asked)?;
    let of_units = units.average(&readout.values);
    let lot_weights = weights(&readout, asked.weights).map(|of_lots| units.sum(&of_lots));
    let observed =
        Observed { name, values: &of_units, weights: lot_weights.as_deref(), ranks_only: censored(&readout).is_some() };
    let association = association_of(&units.table(&table), observed, &units, asked, analysis.params.seed, &Silent)?;
    let rows = &association.rows;
    let of_panel = |(row, panel): (&crate::steps::lots::AssociationRow, &crate::steps::markers::PanelRow)| {
        let bulk = match panel.genes[..] {
            [gene] => correlation(&bulk.column(gene as usize).to_vec(), &readout.values),
            _ => f64::NAN,
        };
        [row.effect, row.p_exact, bulk]
    };
    let of_panels = rows.iter().zip(&panels.rows).map(of_panel).collect();
    let whole = &rows[n_rows];
    let told = PanelReadout {
        name: name.into(),
        values: readout.values.clone(),
        r_cluster: whole.effect,
        p_cluster: whole.p_exact,
        n_lots: whole.n_lots,
    };
    Ok(((told, association.warnings), of_panels))
}
