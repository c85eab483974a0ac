//! Aggregates: in groups, or over windows.

use super::{Bindable, Binder, Place, error};
use crate::sql::ast::Call;
use crate::sql::bound::{Bound, Typed};
use crate::sql::diagnostic::{Diagnostic, Span};
use crate::sql::plan::{Aggregate, AggregateCall, SlidingWindow};
use crate::sql::types::{Family, SqlType};

impl Binder<'_> {
    pub(super) fn aggregate(&mut self, function: Aggregate, call: &Call, span: Span) -> Bindable<Typed> {
        if call.filter {
            return error(span, "FILTER is not part of the dialect; aggregate a CASE instead");
        }
        let function = if call.star { Aggregate::CountStar } else { function };
        if function == Aggregate::Count && call.distinct {
            return error(span, "COUNT(DISTINCT …) is not allowed on streams; COUNT_DISTINCT_ITEMS_TUMBLING counts distinct values");
        }
        // Arguments see the input's columns, and aggregates do not nest.
        let saved = self.grouping.take();
        let place = std::mem::replace(&mut self.place, Place::Inside);
        let sliding = self.sliding.take();
        let clause = std::mem::replace(&mut self.clause, "an aggregate");
        let args: Bindable<Vec<Typed>> = call.args.iter().map(|arg| self.bind(arg)).collect();
        (self.grouping, self.place, self.sliding, self.clause) = (saved, place, sliding, clause);
        let args = args?;
        let input = args.first().map_or(SqlType::Null, |arg| arg.ty.clone());
        let ty = aggregate_type(function, &input, &args).map_err(|why| Box::new(Diagnostic::error(span, format!("{}: {why}", call.name))))?;
        let planned = AggregateCall {
            function,
            args: args.into_iter().map(|arg| arg.expr).collect(),
            input,
            ty: ty.clone(),
            distinct: call.distinct,
            ignore_nulls: call.ignore_nulls,
            from_last: call.from_last,
        };
        if let Some(over) = &call.over {
            if self.grouping.is_some() {
                return error(span, "a call with OVER cannot stand in a query with GROUP BY; put one of them into a subquery");
            }
            if self.sliding.is_none() {
                return error(span, format!("a call with OVER cannot stand in {}; compute it in a subquery", self.clause));
            }
            let (partition, extent) = self.window(over, span)?;
            let cell = self.width + self.results;
            self.results += 1;
            let windows = self.sliding.get_or_insert_default();
            let same = |window: &SlidingWindow| {
                window.extent == extent
                    && window.partition.len() == partition.len()
                    && window.partition.iter().zip(&partition).all(|(a, b)| a.same(b))
            };
            match windows.iter_mut().find(|window| same(window)) {
                Some(window) => window.calls.push((cell, planned)),
                None => windows.push(SlidingWindow { partition, extent, calls: vec![(cell, planned)] }),
            }
            return Ok(Typed { expr: Bound::Cell(cell), ty });
        }
        if matches!(function, Aggregate::Lag | Aggregate::Nth) {
            return error(span, format!("{} needs OVER (…)", call.name));
        }
        let Some(grouping) = &mut self.grouping else {
            return error(span, format!("{} is an aggregate and cannot stand in {}", call.name, self.clause));
        };
        let known = grouping.calls.iter().position(|other| format!("{other:?}") == format!("{planned:?}"));
        let at = known.unwrap_or_else(|| {
            grouping.calls.push(planned);
            grouping.calls.len() - 1
        });
        Ok(Typed { expr: Bound::Cell(grouping.keys.len() + at), ty })
    }
}

pub(super) fn aggregate_of(name: &str, over: bool) -> Option<Aggregate> {
    use Aggregate as A;
    Some(match name {
        "COUNT" => A::Count,
        "SUM" => A::Sum,
        "AVG" => A::Avg,
        "MIN" => A::Min,
        "MAX" => A::Max,
        "STDDEV_POP" => A::StddevPop,
        "STDDEV_SAMP" | "STDDEV" | "STD_DEV" => A::StddevSamp,
        "VAR_POP" => A::VarPop,
        "VAR_SAMP" | "VARIANCE" => A::VarSamp,
        "ANY" | "SOME" => A::Any,
        "EVERY" => A::Every,
        "FIRST_VALUE" => A::First,
        "LAST_VALUE" => A::Last,
        "NTH_VALUE" => A::Nth,
        "LAG" => A::Lag,
        "EXP_AVG" => A::ExpAvg,
        _ => {
            let _ = over;
            return None;
        }
    })
}

fn aggregate_type(function: Aggregate, input: &SqlType, args: &[Typed]) -> Result<SqlType, String> {
    use Aggregate as A;
    let count = args.len();
    let one = |ok: bool, what: &str| {
        if ok && count == 1 {
            Ok(())
        } else {
            Err(format!("takes {what}, found {}", if count == 1 { input.to_string() } else { format!("{count} arguments") }))
        }
    };
    let number = matches!(input.family(), Family::Number | Family::Null);
    Ok(match function {
        A::CountStar => SqlType::BigInt,
        A::Count => {
            if count == 0 {
                return Err("takes * or a value".to_owned());
            }
            SqlType::BigInt
        }
        A::Sum => {
            one(number, "one number")?;
            match input {
                SqlType::Decimal(_, s) => SqlType::Decimal(18, *s),
                SqlType::Real | SqlType::Double => SqlType::Double,
                _ => SqlType::BigInt,
            }
        }
        A::Avg => {
            one(number, "one number")?;
            input.clone()
        }
        A::Min | A::Max => {
            one(!matches!(input, SqlType::Record(_)), "one value")?;
            input.clone()
        }
        A::StddevPop | A::StddevSamp | A::VarPop | A::VarSamp => {
            one(number, "one number")?;
            SqlType::Double
        }
        A::Any | A::Every => {
            one(matches!(input.family(), Family::Boolean | Family::Null), "one condition")?;
            SqlType::Boolean
        }
        A::First | A::Last => {
            one(true, "one value")?;
            input.clone()
        }
        A::Nth => {
            if count != 2 || args[1].ty.family() != Family::Number {
                return Err("takes a value and a position from 1".to_owned());
            }
            input.clone()
        }
        A::Lag => {
            if !(1..=3).contains(&count) || args.get(1).is_some_and(|arg| arg.ty.family() != Family::Number) {
                return Err("takes a value, a number of rows and a default".to_owned());
            }
            if let Some(default) = args.get(2)
                && input.unify(&default.ty).is_none()
            {
                return Err(format!("the default is a {}, the value a {input}", default.ty));
            }
            input.clone()
        }
        A::ExpAvg => {
            if count != 2 || !number || args[1].ty.family() != Family::DayTime {
                return Err("takes a number and an interval, the half-life".to_owned());
            }
            SqlType::Double
        }
    })
}
