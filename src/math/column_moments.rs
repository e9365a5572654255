//! Sums and sums of squares of columns: the smallest summary that gives means and variances, and merges by addition.

/// Of every column of a matrix with many zeros.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnMoments {
    n_rows: usize,
    /// Sum and sum of squares, side by side since they are updated together.
    sums: Vec<[f64; 2]>,
}

impl ColumnMoments {
    /// Of no rows.
    pub fn new(n_columns: usize) -> Self {
        Self { n_rows: 0, sums: vec![[0.0; 2]; n_columns] }
    }

    /// Counts rows; their non-zeros come by [`ColumnMoments::add`].
    pub fn add_rows(&mut self, n_rows: usize) {
        self.n_rows += n_rows;
    }

    /// Adds a non-zero.
    #[inline]
    pub fn add(&mut self, column: u32, value: f64) {
        let sum = &mut self.sums[column as usize];
        sum[0] += value;
        sum[1] += value * value;
    }

    /// Adds further rows of the same columns.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.sums.len(), other.sums.len(), "the same columns");
        self.n_rows += other.n_rows;
        for (sum, more) in self.sums.iter_mut().zip(&other.sums) {
            sum[0] += more[0];
            sum[1] += more[1];
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.sums.len()
    }

    /// Sum of a column.
    pub fn sum(&self, column: usize) -> f64 {
        self.sums[column][0]
    }

    /// Sum of squares of a column.
    pub fn sum_of_squares(&self, column: usize) -> f64 {
        self.sums[column][1]
    }

    /// Mean of a column; 0 without rows.
    pub fn mean(&self, column: usize) -> f64 {
        if self.n_rows == 0 { 0.0 } else { self.sums[column][0] / self.n_rows as f64 }
    }

    /// Variance (n − 1) of a column; exactly 0 where it is constant but for rounding, or where there are fewer than two
    /// rows.
    pub fn variance(&self, column: usize) -> f64 {
        /// A column whose variance is below this share of its mean square is constant but for rounding.
        const CONSTANT: f64 = 1e-10;
        if self.n_rows < 2 {
            return 0.0;
        }
        let n = self.n_rows as f64;
        let [sum, squares] = self.sums[column];
        let variance = (squares - sum * sum / n) / (n - 1.0);
        if variance > CONSTANT * squares / n { variance } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let values = [[1.0, 0.1], [4.0, 0.1], [4.0, 0.1]];
        let of = |rows: &[[f64; 2]]| {
            let mut moments = ColumnMoments::new(2);
            moments.add_rows(rows.len());
            for row in rows {
                moments.add(0, row[0]);
                moments.add(1, row[1]);
            }
            moments
        };
        let whole = of(&values);
        assert_eq!((whole.mean(0), whole.variance(0), whole.variance(1)), (3.0, 3.0, 0.0));
        let mut merged = of(&values[..1]);
        merged.merge(&of(&values[1..]));
        assert_eq!(merged, whole);
        assert_eq!((of(&[]).mean(0), of(&values[..1]).variance(0)), (0.0, 0.0));
    }
}
