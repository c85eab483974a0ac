//! Sums that numbers enter and leave. Exact numbers stay exact; sums of doubles are compensated, so they do not drift when rows leave.

use crate::sql::cast;
use crate::sql::types::SqlType;
use crate::sql::value::{Outcome, Value};

/// A compensated sum (Neumaier).
#[derive(Debug, Clone, Copy, Default)]
struct Compensated {
    sum: f64,
    rest: f64,
}

impl Compensated {
    /// What rounding takes from the sum is a double itself, whichever of the two is larger (Knuth): no branch is needed to find it.
    fn add(&mut self, value: f64) {
        let total = self.sum + value;
        let of_value = total - self.sum;
        self.rest += (self.sum - (total - of_value)) + (value - of_value);
        self.sum = total;
    }

    fn total(self) -> f64 {
        self.sum + self.rest
    }
}

/// A sum of doubles that rows can enter and leave.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doubles {
    count: i64,
    number: Compensated,
}

impl Doubles {
    /// A number comes in.
    pub(super) fn enter(&mut self, value: f64) {
        self.count += 1;
        self.number.add(value);
    }

    /// A number leaves.
    pub(super) fn leave(&mut self, value: f64) {
        self.count -= 1;
        self.number.add(-value);
        if self.count == 0 {
            *self = Self::default();
        }
    }

    /// Sum or mean; none of nothing.
    pub(super) fn result(&self, mean: bool) -> Option<f64> {
        let total = self.number.total();
        (self.count != 0).then(|| if mean { total / self.count as f64 } else { total })
    }
}

/// Sums that rows can enter and leave.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub(super) count: i64,
    exact: i128,
    scale: u8,
    number: Compensated,
}

impl Sums {
    /// An exact number comes in.
    pub(super) fn enter_exact(&mut self, digits: i128, scale: u8) {
        self.count += 1;
        self.scale = scale;
        self.exact += digits;
    }

    /// A floating-point number comes in.
    pub(super) fn enter_number(&mut self, value: f64) {
        self.count += 1;
        self.number.add(value);
    }

    /// A value comes in (1) or leaves (-1).
    pub(super) fn change(&mut self, value: &Value, sign: i64) {
        if value.is_null() {
            return;
        }
        self.count += sign;
        match value.exact() {
            Some((digits, scale)) => {
                self.scale = scale;
                self.exact += digits * i128::from(sign);
            }
            None => self.number.add(value.number().unwrap_or(0.0) * sign as f64),
        }
        if self.count == 0 {
            // An empty window begins anew without any rest.
            *self = Self::default();
        }
    }

    pub(super) fn sum(&self, ty: &SqlType) -> Outcome {
        if self.count == 0 {
            return Ok(Value::Null);
        }
        match ty {
            SqlType::Real | SqlType::Double => cast::to_number(&Value::Num(self.number.total()), ty),
            SqlType::Decimal(..) => cast::decimal(self.exact, self.scale, ty),
            _ => match i64::try_from(self.exact) {
                Ok(sum) => Ok(Value::Int(sum)),
                Err(_) => cast::to_number(&Value::Num(1e30), ty),
            },
        }
    }

    pub(super) fn mean(&self, ty: &SqlType) -> Outcome {
        if self.count == 0 {
            return Ok(Value::Null);
        }
        let count = i128::from(self.count);
        match ty {
            SqlType::Real | SqlType::Double => cast::to_number(&Value::Num(self.number.total() / self.count as f64), ty),
            // Ten times as exact, then rounded half up.
            SqlType::Decimal(..) => cast::decimal(self.exact.saturating_mul(10) / count, self.scale + 1, ty),
            // Integers truncate: 29 and 32 give 30. Dividing 64 bits is much faster.
            _ => Ok(Value::Int(i64::try_from(self.exact).map_or_else(|_| (self.exact / count) as i64, |exact| exact / self.count))),
        }
    }
}

impl From<Doubles> for Sums {
    fn from(doubles: Doubles) -> Self {
        Self { count: doubles.count, number: doubles.number, ..Self::default() }
    }
}
