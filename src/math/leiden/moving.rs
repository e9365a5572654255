//! Moving of single nodes between communities.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Terms;
use super::level::{Level, Tally};

/// A move must gain more than this, in mean weights of an edge, so that rounding can't make nodes go to and fro.
const LEAST_GAIN: f64 = 1e-10;

/// Moves nodes until none gains by moving.
pub(super) fn move_nodes<W: Copy + Into<f64>>(
    level: &Level<'_, W>,
    labels: &mut [u32],
    terms: Terms,
    rng: &mut ChaCha8Rng,
) {
    let n = level.n_nodes();
    let (mut sizes, mut sums) = (vec![0_u32; n], vec![0.0; n]);
    for (v, &c) in labels.iter().enumerate() {
        sizes[c as usize] += 1;
        sums[c as usize] += level.strength[v];
    }
    let mut empty: Vec<u32> = (0..n as u32).rev().filter(|&c| sizes[c as usize] == 0).collect();
    let mut queue: Vec<u32> = (0..n as u32).collect();
    queue.shuffle(rng);
    let (mut first, mut length) = (0, n);
    let mut queued = vec![true; n];
    let mut tally = Tally::new(n);
    let least = LEAST_GAIN * terms.unit;
    while length > 0 {
        let v = queue[first] as usize;
        first = if first + 1 == n { 0 } else { first + 1 };
        length -= 1;
        queued[v] = false;

        let own = labels[v];
        for (u, w) in level.row(v) {
            tally.add(labels[u], w);
        }
        let k = level.strength[v];
        let price = terms.per_strength * k;
        let stay = tally.weight[own as usize] - price * (sums[own as usize] - k);
        let (mut best, mut best_gain) = (own, stay + least);
        for &c in &tally.groups {
            let gain = tally.weight[c as usize] - price * sums[c as usize];
            if gain > best_gain && c != own {
                (best, best_gain) = (c, gain);
            }
        }
        tally.clear();
        if best_gain < 0.0 && sizes[own as usize] > 1 {
            // Better alone. An empty name exists, since this community has two nodes.
            if let Some(c) = empty.pop() {
                best = c;
            }
        } else if best != own && sizes[own as usize] == 1 {
            empty.push(own);
        }
        if best == own {
            continue;
        }
        labels[v] = best;
        sizes[own as usize] -= 1;
        sums[own as usize] -= k;
        sizes[best as usize] += 1;
        sums[best as usize] += k;
        for (u, _) in level.row(v) {
            if !queued[u] && labels[u] != best {
                queued[u] = true;
                let end = first + length;
                queue[if end >= n { end - n } else { end }] = u as u32;
                length += 1;
            }
        }
    }
}
