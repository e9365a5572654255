//! Counts, row by row.

use std::sync::Arc;

use super::{Counts, Entries};

/// Builds [`Counts`] row by row. Starts narrow and widens by itself when a count needs it.
#[derive(Debug, Clone)]
pub struct CountsBuilder {
    n_genes: usize,
    starts: Vec<usize>,
    entries: Entries,
}

impl CountsBuilder {
    /// An empty matrix with this many genes.
    pub fn new(n_genes: usize) -> Self {
        let entries = if n_genes <= 1 << 16 {
            Entries::Narrow { genes: Vec::new(), counts: Vec::new() }
        } else {
            Entries::Wide { genes: Vec::new(), counts: Vec::new() }
        };
        Self { n_genes, starts: vec![0], entries }
    }

    /// Reserves room for `n` more entries.
    pub fn reserve(&mut self, n: usize) {
        match &mut self.entries {
            Entries::Narrow { genes, counts } => {
                genes.reserve_exact(n);
                counts.reserve_exact(n);
            }
            Entries::Wide { genes, counts } => {
                genes.reserve_exact(n);
                counts.reserve_exact(n);
            }
            Entries::Lent { .. } => unreachable!("a builder owns its entries"),
        }
    }

    /// Appends a cell. Genes must rise strictly and lie below the number of genes; zero counts are skipped.
    pub fn push_row(&mut self, genes: &[u32], counts: &[u32]) {
        assert_eq!(genes.len(), counts.len(), "one count per gene");
        assert!(
            genes.is_sorted_by(|a, b| a < b) && genes.last().is_none_or(|&last| (last as usize) < self.n_genes),
            "genes of a row rise and are in range"
        );
        match &mut self.entries {
            // The usual row goes in as a whole.
            Entries::Narrow { genes: stored_genes, counts: stored_counts }
                if counts.iter().all(|&count| count.wrapping_sub(1) < u32::from(u16::MAX)) =>
            {
                stored_genes.extend(genes.iter().map(|&gene| gene as u16));
                stored_counts.extend(counts.iter().map(|&count| count as u16));
            }
            _ => {
                for (&gene, &count) in genes.iter().zip(counts) {
                    self.push(gene, count);
                }
            }
        }
        self.end_row();
    }

    /// Appends a cell from entries in any order; entries of one gene are added (saturating at `u32::MAX`). Drains `entries`.
    pub fn push_unsorted(&mut self, entries: &mut Vec<(u32, u32)>) {
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            entries.sort_unstable_by_key(|e| e.0);
            entries.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    kept.1 = kept.1.saturating_add(next.1);
                }
                same
            });
        }
        if let Some(last) = entries.last() {
            assert!((last.0 as usize) < self.n_genes, "gene in range");
        }
        for &(gene, count) in entries.iter() {
            self.push(gene, count);
        }
        entries.clear();
        self.end_row();
    }

    fn push(&mut self, gene: u32, count: u32) {
        if count == 0 {
            return;
        }
        if count > u32::from(u16::MAX) {
            self.widen();
        }
        match &mut self.entries {
            Entries::Narrow { genes, counts } => {
                genes.push(gene as u16);
                counts.push(count as u16);
            }
            Entries::Wide { genes, counts } => {
                genes.push(gene);
                counts.push(count);
            }
            Entries::Lent { .. } => unreachable!("a builder owns its entries"),
        }
    }

    fn end_row(&mut self) {
        self.starts.push(self.entries.len());
    }

    fn widen(&mut self) {
        if let Entries::Narrow { genes, counts } = &self.entries {
            self.entries = Entries::Wide {
                genes: genes.iter().map(|&g| u32::from(g)).collect(),
                counts: counts.iter().map(|&c| u32::from(c)).collect(),
            };
        }
    }

    /// The matrix.
    pub fn finish(self) -> Counts {
        let spans = self.starts.windows(2).map(|ends| [ends[0], ends[1]]).collect();
        Counts { n_genes: self.n_genes, spans: Arc::new(spans), entries: Arc::new(self.entries) }
    }
}
