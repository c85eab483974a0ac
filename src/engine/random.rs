//! Keyed randomness: a draw is a pure function of (seed, names, index, draw number). Nothing is remembered between draws, so adding a
//! generator or starting a minute later never changes another's values. Values are stable: a test pins some of them for ever.

use std::sync::OnceLock;

/// SplitMix64's finaliser: spreads every bit of the input over the output.
#[inline]
pub const fn mix(x: u64) -> u64 {
    let z = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stream of draws for one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Substream(u64);

impl Substream {
    /// The stream of a purpose: the order of the names matters.
    pub fn new(seed: u64, names: &[&str]) -> Self {
        let mut key = mix(seed ^ 0x6b69_6e6c_6162_0001);
        for name in names {
            for byte in name.bytes() {
                key = mix(key ^ u64::from(byte)).wrapping_add(0x9e37_79b9_7f4a_7c15);
            }
            key = mix(key ^ 0xff00);
        }
        Self(key)
    }

    /// 64 random bits for an index.
    #[inline]
    pub const fn bits(self, index: u64) -> u64 {
        mix(self.0 ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// 64 random bits for an index and a draw number.
    #[inline]
    pub const fn bits_of(self, index: u64, draw: u64) -> u64 {
        mix(self.bits(index) ^ draw.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// A stream of its own for an index.
    pub const fn child(self, index: u64) -> Self {
        Self(self.bits(index))
    }
}

/// A fraction in [0, 1) from the upper 53 bits.
#[inline]
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A whole number below `bound` without division; the bias is below 2^-32 for bounds that fit 32 bits.
#[inline]
pub const fn below(bits: u64, bound: u64) -> u64 {
    ((bits as u128 * bound as u128) >> 64) as u64
}

/// Steps of the quantile tables.
pub const QUANTILES: usize = 4096;

/// Quantiles of the standard normal distribution at (i + ½) / 4096. The tails end at ±3.67 σ.
pub fn normal_quantiles() -> &'static [f64; QUANTILES + 1] {
    static TABLE: OnceLock<Box<[f64; QUANTILES + 1]>> = OnceLock::new();
    TABLE.get_or_init(|| Box::new(std::array::from_fn(|i| normal_quantile((i as f64 + 0.5) / (QUANTILES as f64 + 1.0)))))
}

/// Linear interpolation in a quantile table by 64 random bits.
#[inline]
pub fn interpolate(table: &[f64; QUANTILES + 1], bits: u64) -> f64 {
    let index = (bits >> 52) as usize;
    let fraction = ((bits << 12) >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
    let (a, b) = (table[index], table[index + 1]);
    a + (b - a) * fraction
}

/// A standard normal draw.
#[inline]
pub fn normal(bits: u64) -> f64 {
    interpolate(normal_quantiles(), bits)
}

/// The inverse of the normal distribution function (Acklam's rational approximation, relative error below 1.2e-9).
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] =
        [-5.447_609_879_822_406e1, 1.615_858_368_580_409e2, -1.556_989_798_598_866e2, 6.680_131_188_771_972e1, -1.328_068_155_288_572e1];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let tail =
        |q: f64| (((((C[0] * q + C[1]) * q + C[2]) * q + C[3]) * q + C[4]) * q + C[5]) / ((((D[0] * q + D[1]) * q + D[2]) * q + D[3]) * q + 1.0);
    if p < 0.024_25 {
        tail(libm::sqrt(-2.0 * libm::log(p)))
    } else if p > 1.0 - 0.024_25 {
        -tail(libm::sqrt(-2.0 * libm::log(1.0 - p)))
    } else {
        let q = p - 0.5;
        let r = q * q;
        (((((A[0] * r + A[1]) * r + A[2]) * r + A[3]) * r + A[4]) * r + A[5]) * q
            / (((((B[0] * r + B[1]) * r + B[2]) * r + B[3]) * r + B[4]) * r + 1.0)
    }
}

/// A Poisson count with the given mean.
pub fn poisson(stream: Substream, index: u64, mean: f64) -> u64 {
    if mean <= 0.0 {
        return 0;
    }
    if mean > 30.0 {
        let value = mean + libm::sqrt(mean) * normal(stream.bits(index));
        return libm::round(value).max(0.0) as u64;
    }
    // Knuth: multiply fractions until the product falls below e^-mean.
    let limit = libm::exp(-mean);
    let mut product = 1.0;
    let mut count = 0;
    loop {
        product *= unit(stream.bits_of(index, count));
        if product <= limit || count > 200 {
            return count;
        }
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_stable_for_ever() {
        let stream = Substream::new(42, &["trip", "fare"]);
        assert_eq!(mix(1), 0x5692_161d_100b_05e5);
        let pinned: Vec<u64> = (0..3).map(|i| stream.bits(i)).collect();
        assert_eq!(pinned, [stream.bits(0), stream.bits(1), stream.bits(2)]);
        assert_ne!(Substream::new(42, &["ab", "c"]), Substream::new(42, &["a", "bc"]));
        assert_ne!(Substream::new(42, &["a"]), Substream::new(43, &["a"]));
    }

    #[test]
    fn the_normal_table_has_the_moments_of_the_normal() {
        let stream = Substream::new(1, &["n"]);
        let draws: Vec<f64> = (0..200_000).map(|i| normal(stream.bits(i))).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        assert!((normal_quantile(0.975) - 1.959_964).abs() < 1e-5);
    }

    #[test]
    fn poisson_counts_have_mean_and_variance_of_poisson() {
        for mean in [0.3, 4.0, 300.0] {
            let stream = Substream::new(2, &["p"]);
            let counts: Vec<f64> = (0..50_000).map(|i| poisson(stream, i, mean) as f64).collect();
            let average = counts.iter().sum::<f64>() / counts.len() as f64;
            let variance = counts.iter().map(|x| (x - average) * (x - average)).sum::<f64>() / counts.len() as f64;
            assert!((average / mean - 1.0).abs() < 0.03 && (variance / mean - 1.0).abs() < 0.06, "{mean}: {average} {variance}");
        }
    }
}
