//! Exact principal components of the highly variable genes.
//!
//! **Question.** Along which few directions do cells differ most?
//!
//! **Method.** Per gene z = clamp((x − mean) / sd, ±`max_value`) of its log-normalised values x (or z = x − mean without
//! scaling); then the eigenvectors v of the genes × genes covariance of z. Covariances come from sums of products over
//! cells, so they cost one pass, never a dense matrix, and add up over lots. A cell's score is (z − mean of z) · v. The
//! sign is fixed: in each v the entry of largest magnitude is positive. Integration and neighbours use the *leading*
//! components only: those whose variance exceeds what noise alone would give genes of that variance (Marchenko & Pastur
//! 1967). The others blur distances and tell nothing.
//!
//! **Shapes.** Cells × genes → scores cells × components, loadings selected genes × components.
//!
//! **Others.** The same numbers as scanpy's `scale(max_value=10)` + `pca`, up to sign; clipping is exact. scanpy's default
//! leaves genes unscaled, Seurat's scales them. Eigenvectors are exact, not those of a randomised or truncated method.
//! Both use a fixed number of components, 50 and as many as the analyst reads off an elbow plot.
//!
//! **References.** Jolliffe & Cadima 2016, doi:10.1098/rsta.2015.0202; Marchenko & Pastur 1967,
//! doi:10.1070/SM1967v001n04ABEH001994; Shekhar 2016, doi:10.1016/j.cell.2016.07.054 (that edge for single cells).

use ndarray::{Array1, Array2, s};
use serde::{Deserialize, Serialize};

use crate::data::{Dataset, places_of_genes};
use crate::error::{Error, Result};
use crate::math::noise_edge::noise_edge;
use crate::math::principal_components::PrincipalComponents;
use crate::math::sparse_rows::{Blocks, RowParts, SparseRows};
use crate::steps::cells::Normalized;
use crate::steps::cells::normalize::pick_log_scaled;
use crate::warning::Warning;

/// Parameters of [`pca`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PcaParams {
    /// Number of components, at least 1. More keep rarer cell states apart, and more noise. Default 50, as in scanpy.
    pub n_components: usize,
    /// Leading components that integration and neighbours use, at most `n_components`. Default 0: those above the noise, at
    /// least 10; all where genes are not scaled, as their noise then differs from gene to gene.
    pub n_leading: usize,
    /// Scale genes to unit variance (true), so that a few highly expressed genes do not decide alone. Default true.
    pub scale: bool,
    /// Scaled values are clipped to ± this, in standard deviations; above 0, `inf` for no clipping. Keeps a gene seen in a
    /// handful of cells from making a component of its own. Default 10, as in scanpy and Seurat.
    pub max_value: f64,
}

impl Default for PcaParams {
    fn default() -> Self {
        Self { n_components: 50, n_leading: 0, scale: true, max_value: 10.0 }
    }
}

/// Fewer leading components are not chosen: with few cells the edge of the noise lies high.
const MIN_LEADING: usize = 10;

/// Result of [`pca`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pca {
    /// Cells × components.
    pub scores: Array2<f32>,
    /// Components that integration and neighbours use, the first ones.
    pub n_leading: usize,
    /// Selected genes × components; in each column the entry of largest magnitude is positive.
    pub loadings: Array2<f64>,
    /// Variance (n − 1) of each component, falling.
    pub variance: Array1<f64>,
    /// Share of the total variance, 0..1.
    pub variance_ratio: Array1<f64>,
    /// Per selected gene: mean of log-normalised values.
    pub mean: Vec<f64>,
    /// Per selected gene: standard deviation (n − 1); all 1 if not scaled.
    pub standard_deviation: Vec<f64>,
    /// Per selected gene: mean of the scaled and clipped values, taken off before the rotation.
    pub center: Vec<f64>,
    /// Fewer components than asked for.
    pub warnings: Vec<Warning>,
}

impl Pca {
    /// Scores of the leading components, cells × [`Pca::n_leading`].
    pub fn leading(&self) -> Array2<f32> {
        self.scores.slice(s![.., ..self.n_leading]).to_owned()
    }
}

/// Principal components of the log-normalised values of `genes` (rising indices).
///
/// # Errors
/// - a parameter is out of its range
/// - fewer than two cells, or no gene that varies
pub fn pca(dataset: &Dataset, normalized: &Normalized, genes: &[u32], params: &PcaParams) -> Result<Pca> {
    check(params)?;
    if dataset.n_cells() < 2 {
        return Err(too_few("cells for principal components", dataset.n_cells(), 2));
    }
    assert!(genes.is_sorted_by(|a, b| a < b), "indices of genes rise");
    if genes.is_empty() {
        return Err(too_few("highly variable genes", 0, 1));
    }
    let column_of_gene = places_of_genes(genes, dataset.n_genes());
    let rows = RowParts {
        ends: &dataset.offsets()[1..],
        n_columns: genes.len(),
        fill: &|cell, out| pick_log_scaled(dataset.row(cell), normalized.scale[cell], &column_of_gene, out),
        done: &|lot| dataset.lots()[lot].counts.release(),
    };
    // Rows are picked anew for each pass where counts do not fit into memory; picking takes a tenth of the time.
    if dataset.lots().iter().any(|lot| lot.counts.is_lent()) {
        components(dataset, &rows, params)
    } else {
        components(dataset, &SparseRows::of_parts(&rows), params)
    }
}

fn components(dataset: &Dataset, rows: &impl Blocks, params: &PcaParams) -> Result<Pca> {
    let fit = PrincipalComponents::fit(rows, params.n_components, params.scale.then_some(params.max_value));
    if fit.n_components() == 0 {
        return Err(too_few("highly variable genes that vary between cells", 0, 1));
    }
    let mut warnings = Vec::new();
    if fit.n_components() < params.n_components {
        warnings.push(Warning::FewerComponents { n_asked: params.n_components, n_found: fit.n_components() });
    }
    let above_noise = || {
        let varying = fit.standard_deviation.iter().filter(|sd| **sd > 0.0).count();
        let edge = noise_edge(fit.total_variance / varying as f64, dataset.n_cells(), varying);
        fit.variance.iter().filter(|variance| **variance > edge).count().max(MIN_LEADING)
    };
    let n_leading = match params.n_leading {
        0 if params.scale => above_noise(),
        0 => fit.n_components(),
        given => given,
    };
    let n_leading = n_leading.min(fit.n_components());
    let scores = fit.project(rows);
    let variance = Array1::from(fit.variance);
    Ok(Pca {
        scores,
        n_leading,
        loadings: fit.loadings,
        variance_ratio: &variance / fit.total_variance,
        variance,
        mean: fit.mean,
        standard_deviation: fit.standard_deviation,
        center: fit.center,
        warnings,
    })
}

fn check(params: &PcaParams) -> Result<()> {
    if params.n_components == 0 {
        return Err(Error::param("pca.n_components", params.n_components, "at least 1"));
    }
    if params.n_leading > params.n_components {
        return Err(Error::param("pca.n_leading", params.n_leading, "at most pca.n_components"));
    }
    if params.max_value.is_nan() || params.max_value <= 0.0 {
        return Err(Error::param("pca.max_value", params.max_value, "a number above 0"));
    }
    Ok(())
}

fn too_few(what: &str, have: usize, need: usize) -> Error {
    let cure = "look at what quality control excluded, and at the genes kept out in [hvg]";
    Error::TooFew { what: what.into(), have, need, cure: cure.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::cells::tests_common::{dataset, from_vectors};
    use crate::steps::cells::{NormalizeParams, normalize};

    fn run(data: &Dataset, genes: &[u32], params: &PcaParams) -> Result<Pca> {
        pca(data, &normalize(data, &NormalizeParams::default()).unwrap(), genes, params)
    }

    #[test]
    fn small_data_give_fewer_components_and_say_so() {
        let data = dataset(&[&[&[9, 1, 4], &[1, 9, 2]], &[&[5, 5, 9], &[2, 1, 1]]], &["A", "B", "C"]);
        let result = run(&data, &[0, 2], &PcaParams::default()).unwrap();
        assert_eq!(result.scores.dim(), (4, 2));
        assert_eq!(result.warnings, [Warning::FewerComponents { n_asked: 50, n_found: 2 }]);
        assert!((result.variance_ratio.sum() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_order_of_cells_does_not_matter() {
        let cells: Vec<Vec<u32>> =
            (0..40).map(|i: u32| (0..6).map(|g| (i * 7 + g * g * 5 + i * g) % 11).collect()).collect();
        let reversed: Vec<Vec<u32>> = cells.iter().rev().cloned().collect();
        let symbols = ["A", "B", "C", "D", "E", "F"];
        let params = PcaParams { n_components: 3, ..PcaParams::default() };
        let genes = [0, 1, 2, 4, 5];
        let one = run(&from_vectors(&[cells], &symbols), &genes, &params).unwrap();
        let other = run(&from_vectors(&[reversed], &symbols), &genes, &params).unwrap();
        for (i, score) in one.scores.indexed_iter() {
            assert!((score - other.scores[(39 - i.0, i.1)]).abs() < 1e-4);
        }
    }

    #[test]
    fn nothing_to_work_on_is_an_error_with_a_cure() {
        let data = dataset(&[&[&[3, 1], &[3, 1]]], &["A", "B"]);
        for genes in [&[0, 1][..], &[]] {
            assert!(matches!(run(&data, genes, &PcaParams::default()), Err(Error::TooFew { .. })));
        }
        assert!(run(&dataset(&[&[&[3, 1]]], &["A", "B"]), &[0], &PcaParams::default()).is_err());
        assert!(run(&data, &[0], &PcaParams { n_components: 0, ..PcaParams::default() }).is_err());
        assert!(run(&data, &[0], &PcaParams { n_leading: 51, ..PcaParams::default() }).is_err());
        assert!(run(&data, &[0], &PcaParams { max_value: f64::NAN, ..PcaParams::default() }).is_err());
    }
}
