//! Table functions: forests, hotspots, frequent items, distinct counts, ranks.

use crate::sql::ast::{Expr, Ident, Query};
use crate::sql::bind::Bindable;
use crate::sql::bound::{Bound, Env, Typed};
use crate::sql::diagnostic::{Diagnostic, near_miss};
use crate::sql::functions::Clock;
use crate::sql::plan::{Operator, TableFunction};
use crate::sql::scope::{Column, Scope, written};
use crate::sql::types::SqlType;
use crate::sql::value::Value;

use super::{Planner, Rel, error};

impl Planner<'_> {
    pub(super) fn table_function(&mut self, name: &Ident, cursor: &Query, args: &[Expr]) -> Bindable<Rel> {
        let input = self.query(cursor)?;
        if input.finite {
            return error(cursor.span, "a table function reads a stream");
        }
        // The function sees the cursor's columns only.
        let visible = Self::visible(&input.columns);
        let items: Vec<Typed> = visible.iter().map(|at| Typed { expr: Bound::Cell(*at), ty: input.columns[*at].ty.clone() }).collect();
        let mut columns: Vec<Column> = visible.iter().map(|at| input.columns[*at].clone()).collect();
        let node = self.add(Operator::Project(items, None), vec![input.node], "cursor");
        let scope = Scope::default();
        let mut literals = Vec::new();
        for arg in args {
            let typed = self.bind_in(&scope, arg, "a table function")?;
            let env = Env { cells: &[], out_time: 0, clock: Clock::default(), params: &[] };
            literals.push(typed.expr.eval(&env).map_err(|why| Box::new(Diagnostic::error(arg.span, why.message)))?);
        }
        let span_of = |at: usize| args.get(at).map_or(name.span, |arg| arg.span);
        let number = |at: usize, what: &str, low: i64, high: i64, default: Option<i64>| -> Bindable<i64> {
            match (literals.get(at), default) {
                (None, Some(default)) => Ok(default),
                (Some(Value::Int(value)), _) if (low..=high).contains(value) => Ok(*value),
                _ => error(span_of(at), format!("{}: {what} is a number from {low} to {high}", name.name)),
            }
        };
        let column = |at: usize, columns: &[Column]| -> Bindable<usize> {
            let Some(Value::Text(wanted)) = literals.get(at) else {
                return error(span_of(at), format!("{}: a column name in single quotes is expected", name.name));
            };
            let exact = columns.iter().position(|column| *column.name == **wanted);
            let folded = exact.or_else(|| columns.iter().position(|column| column.name.eq_ignore_ascii_case(wanted)));
            match folded {
                Some(at) => Ok(at),
                None => {
                    let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                    error(span_of(at), format!("the cursor has no column '{wanted}'; it has {}", known.join(", ")))
                }
            }
        };
        let numeric = |columns: &[Column]| -> Vec<(usize, String)> {
            columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.ty.is_integer() || column.ty.is_approximate())
                .map(|(at, column)| (at, column.name.clone()))
                .collect()
        };
        let (function, label) = match name.name.as_str() {
            "TOP_K_ITEMS_TUMBLING" => {
                let cell = column(0, &columns)?;
                let k = number(1, "K", 1, 100_000, None)?;
                let window = number(2, "the window in seconds", 1, 3600, None)?;
                let ty = columns[cell].ty.clone();
                columns = vec![Column::new("ITEM", SqlType::Varchar(1024)), Column::new("ITEM_COUNT", SqlType::BigInt)];
                (TableFunction::TopK(cell, ty, k as usize, window * 1000), format!("the {k} most frequent items of every {window} s"))
            }
            "COUNT_DISTINCT_ITEMS_TUMBLING" => {
                let cell = column(0, &columns)?;
                let window = number(1, "the window in seconds", 1, 3600, None)?;
                columns = vec![Column::new("NUMBER_OF_DISTINCT_ITEMS", SqlType::BigInt)];
                (TableFunction::CountDistinct(cell, window * 1000), format!("distinct items of every {window} s"))
            }
            "GROUP_RANK" => {
                let cell = column(0, &columns)?;
                let word = |at: usize| match literals.get(at) {
                    Some(Value::Text(text)) => text.trim().to_ascii_lowercase(),
                    _ => String::new(),
                };
                let Some(Value::Text(out)) = literals.get(1) else { return error(span_of(1), "GROUP_RANK: the name of the rank column is expected") };
                let output = match word(3).as_str() {
                    "asc" => Some(true),
                    "desc" => Some(false),
                    _ => None,
                };
                let idle = number(4, "maxIdle in milliseconds", 0, i64::MAX, Some(0))?;
                let most = number(5, "outputMax", 0, i64::MAX, Some(0))?;
                columns.push(Column::new(out, SqlType::Integer));
                let ascending = word(2) != "desc";
                (TableFunction::GroupRank { cell, ascending, output, idle, most: most as usize }, "ranks within equal ROWTIME".to_owned())
            }
            "RANDOM_CUT_FOREST" | "RANDOM_CUT_FOREST_WITH_EXPLANATION" => {
                let trees = number(0, "numberOfTrees", 1, 1000, Some(100))?;
                let sample = number(1, "subSampleSize", 10, 1000, Some(256))?;
                let decay = number(2, "timeDecay", 1, 2_147_483_647, Some(100_000))?;
                let shingle = number(3, "shingleSize", 1, 30, Some(1))?;
                if sample >= decay {
                    return error(span_of(2), format!("subSampleSize {sample} must be less than timeDecay {decay}"));
                }
                let cells = numeric(&columns);
                if let Some(column) = columns.iter().find(|column| matches!(column.ty, SqlType::Decimal(..))) {
                    let message = format!(
                        "{}: the column {} is {}; the forest takes no DECIMAL: CAST({} AS DOUBLE)",
                        name.name,
                        column.name,
                        column.ty,
                        written(&column.name)
                    );
                    return error(cursor.span, message);
                }
                if cells.is_empty() || cells.len() > 30 {
                    return error(cursor.span, format!("{}: 1 to 30 numeric columns are expected, found {}", name.name, cells.len()));
                }
                columns.push(Column::new("ANOMALY_SCORE", SqlType::Double));
                let explain = if name.name.ends_with("EXPLANATION") {
                    columns.push(Column::new("ANOMALY_EXPLANATION", SqlType::Varchar(20_480)));
                    Some(literals.get(4).is_some_and(Value::is_true))
                } else {
                    None
                };
                let label = format!("anomaly scores: {trees} trees of {sample} points, shingle {shingle}");
                (
                    TableFunction::Forest {
                        cells,
                        trees: trees as usize,
                        sample: sample as usize,
                        decay: decay as u64,
                        shingle: shingle as usize,
                        explain,
                    },
                    label,
                )
            }
            "HOTSPOTS" => {
                let window = number(0, "windowSize", 100, 1000, None)?;
                let radius = literals.get(1).and_then(Value::number).filter(|radius| *radius > 0.0);
                let Some(radius) = radius else { return error(span_of(1), "HOTSPOTS: scanRadius is a number above 0") };
                let least = number(2, "minimumNumberOfPointsInAHotspot", 2, window, None)?;
                let cells: Vec<usize> = numeric(&columns).into_iter().map(|(at, _)| at).collect();
                if cells.is_empty() {
                    return error(cursor.span, "HOTSPOTS needs numeric columns");
                }
                columns.push(Column::new("HOTSPOTS_RESULT", SqlType::Varchar(10_240)));
                (TableFunction::Hotspots { cells, window: window as usize, radius, least: least as usize }, "hotspots of the last records".to_owned())
            }
            _ => {
                const KNOWN: [&str; 6] = [
                    "TOP_K_ITEMS_TUMBLING",
                    "COUNT_DISTINCT_ITEMS_TUMBLING",
                    "GROUP_RANK",
                    "RANDOM_CUT_FOREST",
                    "RANDOM_CUT_FOREST_WITH_EXPLANATION",
                    "HOTSPOTS",
                ];
                let wrong = Diagnostic::error(name.span, format!("there is no table function '{}'; there are {}", name.name, KNOWN.join(", ")));
                return Err(Box::new(match near_miss(&name.name, KNOWN) {
                    Some(near) => wrong.with_fix(format!("write {near}"), near),
                    None => wrong,
                }));
            }
        };
        columns.push(Column::rowtime());
        let node = self.add(Operator::Table(function), vec![node], label);
        Ok(Rel { node, columns, finite: false, window: None, composite: false, grouped: false })
    }
}
