//! DynamoDB's numbers: decimals of up to 38 significant digits, exact, between 1e-130 and 9.99…e125.

use std::cmp::Ordering;
use std::fmt;

use crate::api::ServiceError;

/// Significant digits.
const DIGITS_MAX: usize = 38;
/// Exponents of the first digit.
const GREATEST: i64 = 125;
const LEAST: i64 = -130;

/// A number: `digits · 10^exponent`. Invariant: the digits do not end in a zero, and zero is positive with exponent 0; so equal numbers have
/// equal fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    negative: bool,
    digits: u128,
    exponent: i32,
}

impl Number {
    const ZERO: Self = Self { negative: false, digits: 0, exponent: 0 };

    /// Reads a number.
    ///
    /// # Errors
    /// `ValidationException` with the service's text: no number, too many digits, too large, too small.
    pub fn read(text: &str) -> Result<Self, ServiceError> {
        let wrong = || {
            ServiceError::validation(if text.is_empty() {
                "The parameter cannot be converted to a numeric value".to_owned()
            } else {
                format!("The parameter cannot be converted to a numeric value: {text}")
            })
        };
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], rest[at + 1..].parse::<i32>().map_err(|_| wrong())?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !plain(whole) || !plain(fraction) {
            return Err(wrong());
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        Self::of_digits(negative, &digits, i64::from(exponent) - fraction.len() as i64)
    }

    /// A number of its digits, the first one first, and the exponent of the last.
    fn of_digits(negative: bool, digits: &[u8], exponent: i64) -> Result<Self, ServiceError> {
        let Some(first) = digits.iter().position(|digit| *digit != 0) else { return Ok(Self::ZERO) };
        let end = digits.iter().rposition(|digit| *digit != 0).map_or(first, |last| last + 1);
        let exponent = exponent + (digits.len() - end) as i64;
        let significant = &digits[first..end];
        let magnitude = exponent + significant.len() as i64 - 1;
        if magnitude > GREATEST {
            return Err(ServiceError::validation("Number overflow. Attempting to store a number with magnitude larger than supported range"));
        }
        if magnitude < LEAST {
            return Err(ServiceError::validation("Number underflow. Attempting to store a number with magnitude smaller than supported range"));
        }
        if significant.len() > DIGITS_MAX {
            return Err(ServiceError::validation("Attempting to store more than 38 significant digits in a Number"));
        }
        let digits = significant.iter().fold(0, |number: u128, digit| number * 10 + u128::from(*digit));
        Ok(Self { negative, digits, exponent: exponent as i32 })
    }

    /// The number of significant digits.
    pub fn len(self) -> usize {
        if self.digits == 0 { 0 } else { self.digits.ilog10() as usize + 1 }
    }

    /// The sum.
    ///
    /// # Errors
    /// As [`Number::read`], when the sum is no number of the service.
    pub fn plus(self, other: Self) -> Result<Self, ServiceError> {
        let exponent = self.exponent.min(other.exponent);
        let (a, b) = (self.aligned(exponent), other.aligned(exponent));
        let (negative, digits) = match (self.negative == other.negative, compare(&a, &b)) {
            (true, _) => (self.negative, added(&a, &b)),
            (false, Ordering::Less) => (other.negative, subtracted(&b, &a)),
            (false, _) => (self.negative, subtracted(&a, &b)),
        };
        let digits: Vec<u8> = digits.into_iter().rev().collect();
        Self::of_digits(negative, &digits, i64::from(exponent))
    }

    /// The number with the other sign.
    pub fn negated(self) -> Self {
        Self { negative: !self.negative && self.digits != 0, ..self }
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.negative
    }

    /// The digits for an exponent that is not greater than its own, the last one first.
    fn aligned(self, exponent: i32) -> Vec<u8> {
        let mut digits = vec![0; (self.exponent - exponent) as usize];
        let mut rest = self.digits;
        while rest > 0 {
            digits.push((rest % 10) as u8);
            rest /= 10;
        }
        digits
    }

    fn magnitude(self, other: Self) -> Ordering {
        match (self.digits, other.digits) {
            (0, 0) => Ordering::Equal,
            (0, _) => Ordering::Less,
            (_, 0) => Ordering::Greater,
            _ => {
                let first = |number: Self| number.exponent + number.len() as i32;
                // As many digits for both: 10^38 is less than 2^128.
                let all = |number: Self| number.digits * 10u128.pow((DIGITS_MAX - number.len()) as u32);
                first(self).cmp(&first(other)).then_with(|| all(self).cmp(&all(other)))
            }
        }
    }
}

/// Compares digits, the last one first.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let longest = a.len().max(b.len());
    let at = |digits: &[u8], at: usize| digits.get(at).copied().unwrap_or(0);
    (0..longest).rev().map(|place| at(a, place).cmp(&at(b, place))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn added(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = (0..a.len().max(b.len()))
        .map(|place| {
            let digit = a.get(place).unwrap_or(&0) + b.get(place).unwrap_or(&0) + carry;
            carry = digit / 10;
            digit % 10
        })
        .collect();
    sum.push(carry);
    sum
}

/// `a - b`, where `a` is not less.
fn subtracted(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    (0..a.len().max(b.len()))
        .map(|place| {
            let (from, taken) = (a.get(place).copied().unwrap_or(0), b.get(place).copied().unwrap_or(0) + borrow);
            borrow = u8::from(from < taken);
            from + 10 * borrow - taken
        })
        .collect()
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(*other),
            (true, true) => other.magnitude(*self),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    /// Without an exponent, as the service writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let digits = self.digits.to_string();
        let zeros = |count: i32| "0".repeat(count.max(0) as usize);
        if self.exponent >= 0 {
            return write!(f, "{digits}{}", zeros(self.exponent));
        }
        let point = digits.len() as i32 + self.exponent;
        if point > 0 {
            let (whole, fraction) = digits.split_at(point as usize);
            write!(f, "{whole}.{fraction}")
        } else {
            write!(f, "0.{}{digits}", zeros(-point))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::read(text).expect("a number")
    }

    #[test]
    fn numbers_are_read_and_written_as_the_service_does() {
        for (text, shown) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("007", "7"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("-1e3", "-1000"),
            ("1E-3", "0.001"),
            ("123.456e1", "1234.56"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ] {
            assert_eq!(number(text).to_string(), shown, "{text}");
        }
        for (text, told) in [
            ("", "The parameter cannot be converted to a numeric value"),
            ("x", "The parameter cannot be converted to a numeric value: x"),
            ("1 ", "The parameter cannot be converted to a numeric value: 1 "),
            ("-", "The parameter cannot be converted to a numeric value: -"),
            ("1e", "The parameter cannot be converted to a numeric value: 1e"),
            ("1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
            ("1e-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
            ("123456789012345678901234567890123456789", "Attempting to store more than 38 significant digits in a Number"),
        ] {
            assert_eq!(Number::read(text).expect_err("refused").message, told, "{text}");
        }
    }

    #[test]
    fn sums_are_exact_and_ordered() {
        let sum = |a: &str, b: &str| number(a).plus(number(b)).map(|sum| sum.to_string());
        assert_eq!(sum("0.1", "0.2"), Ok("0.3".to_owned()));
        assert_eq!(sum("5", "-7"), Ok("-2".to_owned()));
        assert_eq!(sum("-5", "5"), Ok("0".to_owned()));
        assert_eq!(sum("99", "1"), Ok("100".to_owned()));
        assert!(sum("1e100", "1e-100").is_err(), "more than 38 digits");
        assert!(sum("9e125", "9e125").is_err(), "too large");
        let mut sorted = ["-10", "-9.5", "-1e-5", "0", "1e-5", "2", "10", "1e20"].map(number);
        let wanted = sorted;
        sorted.reverse();
        sorted.sort();
        assert_eq!(sorted, wanted);
        assert_eq!(number("3").negated().to_string(), "-3");
    }
}
