//! Random numbers that depend on a seed and a place, never on the thread that draws them.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A generator for one item (a lot, a chunk, a replicate) of one purpose.
///
/// Streams of different `purpose` or `item` are independent, so work can be split in any way with the same result.
///
/// ```
/// use cqa::math::rng::stream;
/// use rand::RngExt;
/// let (mut a, mut b, mut c) = (stream(1, "demo", 0), stream(1, "demo", 0), stream(1, "demo", 1));
/// let first: u64 = a.random();
/// assert_eq!(first, b.random::<u64>());
/// assert_ne!(first, c.random::<u64>());
/// ```
pub fn stream(seed: u64, purpose: &str, item: u64) -> ChaCha8Rng {
    // FNV-1a: any fixed hash of the purpose will do, and this one never changes with the toolchain.
    let hash =
        purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut key = [0_u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&hash.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(item);
    rng
}
