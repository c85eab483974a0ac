//! Spread of numbers that come and go: STDDEV and VAR of a window, without a look at its rows.
//!
//! The sums of numbers and of their squares are kept in two doubles each, about 106 bits, so what enters and leaves again leaves nothing behind
//! that a result could show. They depend on the rows of the window and their order alone. Numbers whose squares a double cannot hold are only
//! counted; while the window has one its rows are looked at.

use crate::sql::plan::Aggregate;
use crate::sql::value::Value;

/// Magnitudes between which a square and its rest are numbers.
const LEAST: f64 = 1e-140;
const GREATEST: f64 = 1e150;

/// An unevaluated sum of two doubles.
#[derive(Debug, Clone, Copy, Default)]
struct Double {
    high: f64,
    low: f64,
}

/// A sum and what rounding took from it.
fn two_sum(a: f64, b: f64) -> Double {
    let high = a + b;
    let of_b = high - a;
    Double { high, low: (a - (high - of_b)) + (b - of_b) }
}

/// A product and what rounding took from it (Dekker).
fn two_product(a: f64, b: f64) -> Double {
    let split = |x: f64| {
        let scaled = 134_217_729.0 * x;
        let high = scaled - (scaled - x);
        (high, x - high)
    };
    let high = a * b;
    let ((a1, a2), (b1, b2)) = (split(a), split(b));
    Double { high, low: ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2 }
}

impl Double {
    fn plus(self, other: Self) -> Self {
        let sum = two_sum(self.high, other.high);
        let rest = two_sum(self.low, other.low);
        let sum = two_sum(sum.high, sum.low + rest.high);
        two_sum(sum.high, sum.low + rest.low)
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self { high: -other.high, low: -other.low })
    }

    fn square(self) -> Self {
        let square = two_product(self.high, self.high);
        two_sum(square.high, square.low + 2.0 * self.high * self.low)
    }

    fn over(self, by: f64) -> Self {
        let first = self.high / by;
        let rest = self.minus(two_product(first, by));
        two_sum(first, (rest.high + rest.low) / by)
    }
}

/// Numbers of a window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spread {
    count: i64,
    extreme: i64,
    sum: Double,
    squares: Double,
}

impl Spread {
    /// A number comes in (1) or leaves (-1).
    pub(super) fn change(&mut self, x: f64, sign: i64) {
        self.count += sign;
        if x != 0.0 && !(LEAST..GREATEST).contains(&x.abs()) {
            self.extreme += sign;
        } else {
            let square = two_product(x, x);
            if sign > 0 {
                self.sum = self.sum.plus(Double { high: x, low: 0.0 });
                self.squares = self.squares.plus(square);
            } else {
                self.sum = self.sum.minus(Double { high: x, low: 0.0 });
                self.squares = self.squares.minus(square);
            }
        }
        if self.count == 0 {
            *self = Self::default();
        }
    }

    /// The result; `numbers` are those of the window, for when it has to be looked at.
    pub(super) fn result(&self, function: Aggregate, numbers: impl Iterator<Item = f64> + Clone) -> Value {
        let count = self.count as f64;
        let (population, root) = match function {
            Aggregate::StddevPop => (true, true),
            Aggregate::StddevSamp => (false, true),
            Aggregate::VarPop => (true, false),
            _ => (false, false),
        };
        if self.count < if population { 1 } else { 2 } {
            return Value::Null;
        }
        let squares = if self.extreme > 0 { two_passes(count, numbers) } else { self.squares.minus(self.sum.square().over(count)).high.max(0.0) };
        let variance = squares / if population { count } else { count - 1.0 };
        Value::Num(if root { libm::sqrt(variance) } else { variance })
    }
}

fn two_passes(count: f64, numbers: impl Iterator<Item = f64> + Clone) -> f64 {
    let mean = numbers.clone().fold(0.0, |sum, x| sum + x / count);
    numbers.fold(0.0, |squares, x| squares + (x - mean) * (x - mean))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variance(spread: &Spread, window: &[f64]) -> f64 {
        spread.result(Aggregate::VarSamp, window.iter().copied()).number().expect("at least two")
    }

    /// After millions have come and gone the result is that of a fresh look.
    #[test]
    fn nothing_is_left_behind() {
        let number = |i: u64| 1e9 + (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / 1024.0 * if i.is_multiple_of(1000) { 1e6 } else { 1.0 };
        let mut spread = Spread::default();
        for i in 0..300_000u64 {
            spread.change(number(i), 1);
            if i >= 50 {
                spread.change(number(i - 50), -1);
            }
        }
        let window: Vec<f64> = (299_950..300_000).map(number).collect();
        let mut fresh = Spread::default();
        for x in &window {
            fresh.change(*x, 1);
        }
        let (after, fresh) = (variance(&spread, &window), variance(&fresh, &window));
        assert!((after - fresh).abs() <= fresh * 1e-12, "{after} {fresh}");
        // The plainest evaluation agrees as far as it is good.
        let mean = window.iter().map(|x| x - 1e9).sum::<f64>() / 50.0;
        let plain = window.iter().map(|x| (x - 1e9 - mean) * (x - 1e9 - mean)).sum::<f64>() / 49.0;
        assert!((after - plain).abs() <= plain * 1e-9, "{after} {plain}");
    }

    #[test]
    fn extremes_are_looked_at_and_forgotten() {
        let mut spread = Spread::default();
        for x in [1e200, 1e200, 3.0] {
            spread.change(x, 1);
        }
        spread.change(3.0, -1);
        assert_eq!(variance(&spread, &[1e200, 1e200]), 0.0);
        spread.change(1e200, -1);
        spread.change(1e200, -1);
        for x in [1.0, 2.0, 4.0] {
            spread.change(x, 1);
        }
        assert!((variance(&spread, &[]) - 7.0 / 3.0).abs() < 1e-15);
    }
}
