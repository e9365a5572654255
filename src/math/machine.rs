//! Small pieces of work of known size, by which the rate of a machine is measured. Who times them decides by which clock.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};

/// Side of the matrices that [`Machine::multiply`] multiplies.
const SIDE: usize = 768;
/// Numbers that [`Machine::read`] reads: more than caches hold.
const NUMBERS: usize = 1 << 25;

/// What the work is done on.
#[derive(Debug)]
pub struct Machine {
    matrix: Mat<f32>,
    numbers: Vec<u32>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            matrix: Mat::from_fn(SIDE, SIDE, |i, j| ((i * 7 + j * 3) % 11) as f32 - 5.0),
            numbers: (0..NUMBERS as u32).collect(),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_done() {
        let machine = Machine::default();
        assert_eq!(machine.multiply().0, 2.0 * 768.0_f64.powi(3));
        assert_eq!(machine.read(), (134_217_728.0, f64::from((0..NUMBERS as u32).fold(0_u32, u32::wrapping_add))));
    }
}
