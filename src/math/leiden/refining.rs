//! Refinement of communities into well-connected parts.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Terms;
use super::level::{Level, Tally};

/// Randomness θ, in mean weights of an edge; the value of Traag 2019.
const THETA: f64 = 0.01;

/// Exponents below this are as good as none beside 0.
const NOTHING: f64 = -40.0;

/// Splits each community into well-connected parts: a part per node, named by one of its nodes.
pub(super) fn refine<W: Copy + Into<f64>>(
    level: &Level<'_, W>,
    communities: &[u32],
    terms: Terms,
    rng: &mut ChaCha8Rng,
) -> Vec<u32> {
    let n = level.n_nodes();
    let mut community_sums = vec![0.0; n];
    // Of each part: weight to the rest of its community, strength; and whether it is a node alone.
    let (mut outward, mut sums, mut alone) = (vec![0.0; n], level.strength.to_vec(), vec![true; n]);
    for v in 0..n {
        let c = communities[v];
        community_sums[c as usize] += level.strength[v];
        outward[v] = level.row(v).filter(|&(u, _)| communities[u] == c).map(|(_, w)| w).sum();
    }
    let mut parts: Vec<u32> = (0..n as u32).collect();
    let mut order = parts.clone();
    order.shuffle(rng);
    let mut tally = Tally::new(n);
    let mut choices: Vec<(u32, f64)> = Vec::new();
    for v in order.into_iter().map(|v| v as usize) {
        let rest = |sum: f64| community_sums[communities[v] as usize] - sum;
        let k = level.strength[v];
        if !alone[v] || outward[v] < terms.per_strength * k * rest(k) {
            continue;
        }
        let own_outward = outward[v];
        for (u, w) in level.row(v) {
            if communities[u] == communities[v] {
                tally.add(parts[u], w);
            }
        }
        // Staying alone gains nothing and is one of the choices.
        choices.clear();
        choices.push((v as u32, 0.0));
        for &p in &tally.groups {
            let sum = sums[p as usize];
            let gain = tally.weight[p as usize] - terms.per_strength * k * sum;
            if gain >= 0.0 && outward[p as usize] >= terms.per_strength * sum * rest(sum) {
                choices.push((p, gain));
            }
        }
        let chosen = choose(&mut choices, terms.unit * THETA, rng);
        if chosen as usize != v {
            parts[v] = chosen;
            let p = chosen as usize;
            sums[p] += k;
            outward[p] += own_outward - 2.0 * tally.weight[p];
            alone[p] = false;
        }
        tally.clear();
    }
    parts
}

/// Draws one of the choices (name, gain) with probability ∝ exp(gain / θ).
fn choose(choices: &mut [(u32, f64)], theta: f64, rng: &mut ChaCha8Rng) -> u32 {
    if choices.len() == 1 {
        return choices[0].0;
    }
    let largest = choices.iter().map(|c| c.1).fold(0.0, f64::max);
    let mut sum = 0.0;
    for (_, value) in choices.iter_mut() {
        let power = (*value - largest) / theta;
        // What adds less than rounding is not worth an exponential, nor the trap that its underflow is.
        sum += if power < NOTHING { 0.0 } else { power.exp() };
        *value = sum;
    }
    let drawn = rng.random::<f64>() * sum;
    let at = choices.partition_point(|c| c.1 <= drawn).min(choices.len() - 1);
    choices[at].0
}
