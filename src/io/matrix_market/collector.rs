//! Entries on their way into rows of cells: straight, or by a counting sort where cells do not rise.

use std::path::Path;

use crate::data::{Counts, CountsBuilder};
use crate::error::{Error, Result};

/// Gathers entries into rows of cells.
pub(super) struct Collector<'p> {
    path: &'p Path,
    builder: CountsBuilder,
    /// Rows in `builder`.
    n_done: u32,
    /// The cell whose entries come in, and these.
    cell: u32,
    genes: Vec<u32>,
    counts: Vec<u32>,
    /// Every entry so far as (cell, gene, count), once cells have turned out not to rise.
    loose: Option<Vec<[u32; 3]>>,
}

impl<'p> Collector<'p> {
    pub(super) fn new(path: &'p Path, builder: CountsBuilder) -> Self {
        Self { path, builder, n_done: 0, cell: 0, genes: Vec::new(), counts: Vec::new(), loose: None }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, cell: u32, gene: u32, count: u32) -> Result<()> {
        if cell != self.cell {
            self.end_cell()?;
            self.cell = cell;
        }
        self.genes.push(gene);
        self.counts.push(count);
        Ok(())
    }

    /// Puts the entries of the current cell where they belong.
    pub(super) fn end_cell(&mut self) -> Result<()> {
        if self.genes.is_empty() {
            return Ok(());
        }
        if self.loose.is_none() && self.cell < self.n_done {
            self.loosen();
        }
        if let Some(loose) = &mut self.loose {
            loose.extend(self.genes.iter().zip(&self.counts).map(|(&gene, &count)| [self.cell, gene, count]));
        } else {
            while self.n_done < self.cell {
                self.builder.push_row(&[], &[]);
                self.n_done += 1;
            }
            self.push_cell()?;
        }
        self.genes.clear();
        self.counts.clear();
        Ok(())
    }

    /// Appends the current cell to the matrix, its genes brought into order.
    fn push_cell(&mut self) -> Result<()> {
        if self.genes.is_sorted_by(|a, b| a > b) {
            self.genes.reverse();
            self.counts.reverse();
        }
        if !self.genes.is_sorted_by(|a, b| a < b) {
            let mut entries: Vec<(u32, u32)> = self.genes.iter().copied().zip(self.counts.iter().copied()).collect();
            entries.sort_unstable_by_key(|e| e.0);
            if let Some(twice) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(Error::format(
                    self.path,
                    "",
                    format!(
                        "gene {} of cell {} is there twice (both count from 1); write each entry once",
                        u64::from(twice[0].0) + 1,
                        u64::from(self.cell) + 1
                    ),
                ));
            }
            (self.genes, self.counts) = entries.into_iter().unzip();
        }
        self.builder.push_row(&self.genes, &self.counts);
        self.n_done += 1;
        Ok(())
    }

    /// Takes the rows done so far apart again.
    fn loosen(&mut self) {
        let done = std::mem::replace(&mut self.builder, CountsBuilder::new(0)).finish();
        let mut loose = Vec::with_capacity(done.n_nonzero());
        for cell in 0..self.n_done {
            done.row(cell as usize).for_each(|gene, count| loose.push([cell, gene, count]));
        }
        self.loose = Some(loose);
    }

    pub(super) fn finish(mut self, n_genes: usize, n_cells: usize) -> Result<Counts> {
        self.end_cell()?;
        if let Some(loose) = self.loose.take() {
            self.sort(&loose, n_genes, n_cells)?;
        }
        for _ in self.n_done as usize..n_cells {
            self.builder.push_row(&[], &[]);
        }
        Ok(self.builder.finish())
    }

    /// Counting sort of loose entries by cell.
    fn sort(&mut self, loose: &[[u32; 3]], n_genes: usize, n_cells: usize) -> Result<()> {
        self.builder = CountsBuilder::new(n_genes);
        self.builder.reserve(loose.len());
        self.n_done = 0;
        let mut next = vec![0usize; n_cells + 1];
        for &[cell, ..] in loose {
            next[cell as usize + 1] += 1;
        }
        for cell in 0..n_cells {
            next[cell + 1] += next[cell];
        }
        let starts = next.clone();
        let mut sorted = vec![(0u32, 0u32); loose.len()];
        for &[cell, gene, count] in loose {
            sorted[next[cell as usize]] = (gene, count);
            next[cell as usize] += 1;
        }
        for cell in 0..n_cells {
            (self.genes, self.counts) = sorted[starts[cell]..starts[cell + 1]].iter().copied().unzip();
            self.cell = cell as u32;
            self.push_cell()?;
        }
        Ok(())
    }
}
