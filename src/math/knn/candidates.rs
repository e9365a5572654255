//! Candidates for the nearest points of a block of queries, kept by their rounded products.

use super::points::{Points, distance_squared};

/// For each query of a block those references that may be among its k nearest.
///
/// With a the product and e the bound of its error, the true squared distance lies within a ± e. If v is the k-th smallest
/// product of a query, k references lie within v + e, so one with a > v + 2e is none of the k nearest. All others are held,
/// and measured exactly when the queries are done, or when ties crowd the room.
pub(super) struct Candidates {
    /// First query of the block.
    pub(super) start: usize,
    k: usize,
    /// Places per query.
    room: usize,
    /// Per query: candidates held.
    held: Vec<u32>,
    /// Queries × room: product, reference.
    near: Vec<(f32, u32)>,
    /// Per query: products above it are of no interest.
    pub(super) limits: Vec<f32>,
}

impl Candidates {
    pub(super) fn new(queries: std::ops::Range<usize>, k: usize) -> Self {
        let (n, room) = (queries.len(), 2 * k + 16);
        Self {
            start: queries.start,
            k,
            room,
            held: vec![0; n],
            near: vec![(0.0, 0); n * room],
            limits: vec![f32::INFINITY; n],
        }
    }

    /// Number of queries.
    pub(super) fn n(&self) -> usize {
        self.held.len()
    }

    /// Takes a reference whose product is within the limit of the query.
    #[inline]
    pub(super) fn push(&mut self, query: usize, product: f32, reference: u32, queries: &Points, references: &Points) {
        let held = self.held[query] as usize;
        self.near[query * self.room + held] = (product, reference);
        self.held[query] += 1;
        if held + 1 == self.room {
            self.prune(query, queries, references);
        }
    }

    /// Lets go of candidates that are none of the k nearest; afterwards there is room again.
    #[cold]
    fn prune(&mut self, query: usize, queries: &Points, references: &Points) {
        let all = &mut self.near[query * self.room..][..self.held[query] as usize];
        let kth = all.select_nth_unstable_by(self.k - 1, |a, b| a.0.total_cmp(&b.0)).1.0;
        let error = f64::from(queries.error(self.start + query, references.largest_norm));
        let limit = self.limits[query].min(((f64::from(kth) + 2.0 * error) as f32).next_up());
        let mut kept = 0;
        for i in 0..all.len() {
            if all[i].0 <= limit {
                all[kept] = all[i];
                kept += 1;
            }
        }
        // Many at nearly one distance: only measuring them makes room.
        if kept > self.room - self.room / 8 - 1 {
            let point = queries.point(self.start + query);
            let measure = |&(product, reference): &(f32, u32)| {
                (distance_squared(point, references.point(reference as usize)), reference, product)
            };
            let mut measured: Vec<(f64, u32, f32)> = all[..kept].iter().map(measure).collect();
            measured.sort_unstable_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).expect("distances are numbers"));
            kept = self.k;
            for (place, (_, reference, product)) in all.iter_mut().zip(measured).take(kept) {
                *place = (product, reference);
            }
        }
        self.held[query] = kept as u32;
        self.limits[query] = limit;
    }

    /// Appends the k nearest of each query: references, nearest first, ties to the lower index, and squared distances. There
    /// are fewer where fewer were seen.
    pub(super) fn measure(&self, queries: &Points, references: &Points, mut out: impl FnMut(usize, &[(f64, u32)])) {
        let mut measured: Vec<(f64, u32)> = Vec::with_capacity(self.room);
        for query in 0..self.n() {
            let point = queries.point(self.start + query);
            let held = &self.near[query * self.room..][..self.held[query] as usize];
            measured.clear();
            measured.extend(
                held.iter()
                    .filter(|near| near.0 <= self.limits[query])
                    .map(|&(_, reference)| (distance_squared(point, references.point(reference as usize)), reference)),
            );
            measured.sort_unstable_by(|a, b| a.partial_cmp(b).expect("distances are numbers"));
            measured.truncate(self.k);
            out(self.start + query, &measured);
        }
    }
}
