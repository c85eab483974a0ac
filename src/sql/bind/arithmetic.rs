//! Arithmetic: what is defined between which types, and what comes out.

use super::{Bindable, error};
use crate::sql::bound::{Arith, Bound, Typed};
use crate::sql::diagnostic::Span;
use crate::sql::functions;
use crate::sql::types::{DIGITS_MAX, Family, SqlType};

/// `+ - * /` and `%` on numbers, datetimes and intervals.
pub(super) fn arithmetic(span: Span, op: &str, a: Typed, b: Typed) -> Bindable<Typed> {
    let (left, right) = (a.ty.clone(), b.ty.clone());
    let kind = match op {
        "+" => Arith::Add,
        "-" => Arith::Sub,
        "*" => Arith::Mul,
        "/" => Arith::Div,
        _ => {
            return match functions::resolve("%", &[left, right]) {
                Ok(Some((function, ty))) => Ok(Typed { expr: Bound::Call(function, vec![a.expr, b.expr], ty.clone()), ty }),
                Ok(None) => error(span, "MOD takes two whole numbers"),
                Err(why) => error(span, why),
            };
        }
    };
    let (a, b) = (Box::new(a.expr), Box::new(b.expr));
    let numeric = |ty: &SqlType| matches!(ty.family(), Family::Number | Family::Null);
    if numeric(&left) && numeric(&right) {
        let ty = number_type(kind, &left, &right);
        return Ok(Typed { expr: Bound::Number(kind, a, b, ty.clone()), ty });
    }
    if left.is_interval() && right.is_interval() && matches!(kind, Arith::Add | Arith::Sub) && left.family() == right.family() {
        let ty = left.unify(&right).unwrap_or(left);
        return Ok(Typed { expr: Bound::Shift { sign: if kind == Arith::Sub { -1 } else { 1 }, months: false, at: a, by: b, ty: ty.clone() }, ty });
    }
    if left.is_interval() && numeric(&right) && matches!(kind, Arith::Mul | Arith::Div) {
        return Ok(Typed { expr: Bound::Scale(kind == Arith::Div, a, b), ty: left });
    }
    if right.is_interval() && numeric(&left) && kind == Arith::Mul {
        return Ok(Typed { expr: Bound::Scale(false, b, a), ty: right });
    }
    let fits = |time: &SqlType, interval: &SqlType| match interval.family() {
        Family::YearMonth => matches!(time, SqlType::Date | SqlType::Timestamp),
        _ => true,
    };
    let months = |ty: &SqlType| ty.family() == Family::YearMonth;
    if left.is_datetime() && right.is_interval() && matches!(kind, Arith::Add | Arith::Sub) && fits(&left, &right) {
        let sign = if kind == Arith::Sub { -1 } else { 1 };
        return Ok(Typed { expr: Bound::Shift { sign, months: months(&right), at: a, by: b, ty: left.clone() }, ty: left });
    }
    if left.is_interval() && right.is_datetime() && kind == Arith::Add && fits(&right, &left) {
        return Ok(Typed { expr: Bound::Shift { sign: 1, months: months(&left), at: b, by: a, ty: right.clone() }, ty: right });
    }
    if left.is_datetime() && right.is_datetime() && kind == Arith::Sub {
        return error(span, "the difference of two times needs parentheses and a unit: (a - b) SECOND");
    }
    let hint = if left.is_datetime() && right.family() == Family::Number { "; add an interval: … + INTERVAL '1' MINUTE" } else { "" };
    error(span, format!("{left} {op} {right} is not defined{hint}"))
}

fn number_type(kind: Arith, left: &SqlType, right: &SqlType) -> SqlType {
    match (left, right) {
        (SqlType::Null, other) | (other, SqlType::Null) => other.clone(),
        (SqlType::Real, SqlType::Real) => SqlType::Real,
        (a, b) if a.is_approximate() || b.is_approximate() => SqlType::Double,
        (a, b) if a.is_integer() && b.is_integer() => a.wider(b),
        (a, b) => {
            let (Some((p1, s1)), Some((p2, s2))) = (a.as_decimal(), b.as_decimal()) else { return SqlType::Double };
            let cap = DIGITS_MAX;
            match kind {
                Arith::Add | Arith::Sub => {
                    let s = s1.max(s2);
                    SqlType::Decimal(((p1 - s1).max(p2 - s2) + s + 1).min(cap), s.min(cap))
                }
                Arith::Mul => SqlType::Decimal((p1 + p2).min(cap), (s1 + s2).min(cap)),
                Arith::Div => {
                    let d = p1 - s1 + s2;
                    let s = (s1 + p2 + 1).max(6);
                    let s = s.min(cap.saturating_sub(d)).max(s1);
                    SqlType::Decimal((d + s).min(cap), s)
                }
            }
        }
    }
}
