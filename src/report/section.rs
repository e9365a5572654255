//! What a section of the report consists of.

use maud::Markup;

use super::draw::{Run, Scene};
use super::metrics::Metric;

/// A question and what the run says about it.
#[derive(Debug, Clone)]
pub struct Section {
    /// Anchor.
    pub id: String,
    /// Heading.
    pub title: String,
    /// What is asked, in one sentence.
    pub question: String,
    /// What was found.
    pub finding: Markup,
    /// Pictures.
    pub figures: Vec<Figure>,
    /// Numbers.
    pub tables: Vec<Table>,
    /// How it was computed, in a sentence or two; empty = not told.
    pub method: String,
}

/// A picture with its words.
#[derive(Debug, Clone)]
pub struct Figure {
    /// One drawing, or small ones side by side.
    pub scenes: Vec<Scene>,
    /// Small drawings that flow into the width of the page (true), or drawings that keep their width and scroll.
    pub flows: bool,
    /// What it shows.
    pub caption: String,
    /// How to read it.
    pub reading: String,
    /// Files with its numbers and itself: words and path relative to the run directory.
    pub links: Vec<(String, String)>,
}

/// A table with its words.
#[derive(Debug, Clone)]
pub struct Table {
    /// What it lists.
    pub caption: String,
    /// Columns; the first one names the row.
    pub columns: Vec<Column>,
    /// Cells, row by row.
    pub rows: Vec<Vec<Cell>>,
    /// Files with all its numbers.
    pub links: Vec<(String, String)>,
}

/// Head of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Short name.
    pub label: String,
    /// Unit; may be empty.
    pub unit: String,
    /// What it means; may be empty.
    pub help: String,
}

impl From<&Metric> for Column {
    fn from(metric: &Metric) -> Self {
        Self { label: metric.label.into(), unit: metric.unit.into(), help: metric.help.into() }
    }
}

/// A value of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// Words that stay on one line.
    Word(String),
    /// A number as written.
    Number(String),
    /// A gene symbol, or several.
    Genes(Vec<String>),
    /// Words of which some are gene symbols.
    Runs(Vec<Run>),
    /// Words that lead to a file: words, and path relative to the directory of the page.
    Link(String, String),
    /// A lot: index and name.
    Lot(usize, String),
    /// A cluster.
    Cluster(usize),
    /// A word that stands out; empty = nothing.
    Flag(String),
}
