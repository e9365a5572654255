//! Small pieces of work of known size, by which the rate of a machine is measured. Who times them decides by which clock.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use rand::RngExt;

use super::rng::stream;

/// Side of the matrices that [`Machine::multiply`] multiplies.
const SIDE: usize = 768;
/// Numbers that [`Machine::read`] reads: more than caches hold.
const NUMBERS: usize = 1 << 25;
/// Keys of one run that [`Machine::sort`] sorts: about as many cells of a lot express a gene.
const RUN: usize = 1 << 10;
/// Runs sorted.
const RUNS: usize = 1 << 10;

/// What the work is done on.
#[derive(Debug)]
pub struct Machine {
    matrix: Mat<f32>,
    numbers: Vec<u32>,
    keys: Vec<u64>,
}

impl Default for Machine {
    fn default() -> Self {
        let mut rng = stream(1, "machine", 0);
        Self {
            matrix: Mat::from_fn(SIDE, SIDE, |i, j| ((i * 7 + j * 3) % 11) as f32 - 5.0),
            numbers: (0..NUMBERS as u32).collect(),
            keys: (0..RUN * RUNS).map(|_| rng.random()).collect(),
        }
    }
}

impl Machine {
    /// A product of dense matrices (f32) on one thread: floating-point operations done, and a number that depends on them all.
    pub fn multiply(&self) -> (f64, f64) {
        let mut product = Mat::<f32>::zeros(SIDE, SIDE);
        matmul(product.as_mut(), Accum::Replace, self.matrix.as_ref(), self.matrix.as_ref(), 1.0, Par::Seq);
        (2.0 * (SIDE as f64).powi(3), f64::from(product[(SIDE / 2, SIDE / 3)]))
    }

    /// A pass over memory on one thread: bytes read, and their sum.
    pub fn read(&self) -> (f64, f64) {
        let sum = self.numbers.chunks(16).fold([0_u32; 16], |mut sums, chunk| {
            sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum = sum.wrapping_add(*x));
            sums
        });
        (4.0 * NUMBERS as f64, f64::from(sum.iter().fold(0_u32, |a, b| a.wrapping_add(*b))))
    }

    /// Short runs of keys put in order on one thread: keys sorted, and one of them.
    pub fn sort(&self) -> (f64, f64) {
        let mut keys = self.keys.clone();
        keys.chunks_mut(RUN).for_each(<[u64]>::sort_unstable);
        (keys.len() as f64, keys[RUN / 2] as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_done() {
        let machine = Machine::default();
        assert_eq!(machine.multiply().0, 2.0 * 768.0_f64.powi(3));
        assert_eq!(machine.read(), (134_217_728.0, f64::from((0..NUMBERS as u32).fold(0_u32, u32::wrapping_add))));
        let (n, middle) = machine.sort();
        let mut first = machine.keys[..RUN].to_vec();
        first.sort_unstable();
        assert_eq!((n, middle), (1_048_576.0, first[RUN / 2] as f64));
    }
}
