//! GROUP BY: keys, monotonic terms, aggregates, HAVING.

use std::sync::Arc;

use crate::sql::ast::{Expr, Item, Kind, OrderItem, Query, Select};
use crate::sql::bind::{Bindable, Binder, Grouping, Place};
use crate::sql::bound::Typed;
use crate::sql::diagnostic::{Diagnostic, Span};
use crate::sql::plan::{MonotonicTerm, Operator};
use crate::sql::scope::{Class, Column, Scope, just_before, looks_before, rounds_up, written};
use crate::sql::types::Family;
use crate::sql::value::Value;

use super::join::test;
use super::sort::bind_order;
use super::{Planner, Rel, any_call, bind_items, error, has_over};

impl Planner<'_> {
    #[allow(clippy::too_many_arguments, clippy::too_many_lines)]
    pub(super) fn grouped(
        &mut self,
        select: &Select,
        order: &[OrderItem],
        within: Option<i64>,
        span: Span,
        mut rel: Rel,
        scope: &Scope,
    ) -> Bindable<Rel> {
        let empty = Vec::new();
        let terms = select.group.as_ref().or(select.stagger.as_ref().map(|(keys, _)| keys)).unwrap_or(&empty);
        let mut keys: Vec<Typed> = Vec::new();
        let mut direct = 0;
        let mut wrong: Vec<Diagnostic> = Vec::new();
        for term in terms {
            if has_over(term) {
                return error(term.span, "a call with OVER cannot stand in GROUP BY; compute it in a subquery");
            }
            // An ordinal or an alias of the select list may stand for its expression.
            let meant = group_term(term, &select.items, scope);
            let typed = match self.bind_in(scope, meant, "GROUP BY") {
                Ok(typed) => typed,
                Err(found) => {
                    // The other terms are looked at all the same: several findings at once.
                    wrong.push(*found);
                    continue;
                }
            };
            let new = !keys.iter().any(|key| key.expr.same(&typed.expr));
            if select.group.is_some() && scope.names_rowtime(&typed.expr) && new {
                direct += 1;
                if direct == 2 {
                    return error(term.span, "only one term of GROUP BY may name ROWTIME; group by one of them, or compute the other in a subquery");
                }
            }
            if new {
                keys.push(typed);
            }
        }
        if let Some(first) = wrong.pop() {
            self.warnings.extend(wrong);
            return Err(Box::new(first));
        }
        let mut monotonic = Vec::new();
        for (key, typed) in keys.iter().enumerate() {
            if scope.class(&typed.expr).moves() {
                let of_time = scope.of_time(&typed.expr);
                // Rows of an inner group at an instant still belong to the moment before it.
                let up = rounds_up(&typed.expr) || of_time.as_ref().is_some_and(looks_before);
                monotonic.push(MonotonicTerm { key, of_time, up });
            }
        }
        if select.group.is_some() && monotonic.is_empty() && !rel.finite {
            let place = terms.first().map_or(span, |term| term.span);
            let alias =
                scope.relations.first().and_then(|relation| relation.name.clone()).map_or_else(String::new, |name| format!("{}.", written(&name)));
            let mut wrong = Diagnostic::error(
                place,
                "GROUP BY on a stream needs a term that moves with time, or the groups never close: STEP or FLOOR of ROWTIME",
            );
            if let Some(last) = terms.last() {
                let end = Span { start: last.span.end, end: last.span.end };
                wrong.fix = Some(crate::sql::diagnostic::Fix {
                    title: format!("add STEP({alias}ROWTIME BY INTERVAL '1' MINUTE)"),
                    span: end,
                    text: format!(", STEP({alias}ROWTIME BY INTERVAL '1' MINUTE)"),
                });
            }
            return Err(Box::new(wrong));
        }
        let functions = self.functions;
        let mut items = Vec::new();
        let mut sort = Vec::new();
        let key_count = keys.len();
        let (calls, having) = {
            let mut subqueries = |query: &Query| self.subquery(query);
            let mut binder = Binder {
                scope,
                place: Place::Select,
                functions,
                params: &[],
                grouping: Some(Grouping { keys: keys.clone(), calls: Vec::new() }),
                windows: &select.windows,
                sliding: None,
                clause: "a grouped query",
                width: 0,
                results: 0,
                subqueries: &mut subqueries,
            };
            bind_items(&mut binder, &select.items, scope, &mut items)?;
            let having = match &select.having {
                None => None,
                Some(having) => {
                    let typed = binder.bind(having)?;
                    if !matches!(typed.ty.family(), Family::Boolean | Family::Null) {
                        return error(having.span, format!("HAVING needs a condition, found {}", typed.ty));
                    }
                    Some(typed.expr)
                }
            };
            for item in order {
                sort.push(bind_order(&mut binder, item, &items, scope)?);
            }
            (binder.grouping.map(|grouping| grouping.calls).unwrap_or_default(), having)
        };
        // Columns of the groups' rows: keys, then aggregates. A key of a closed group is its value just before the closing instant.
        let earlier = just_before();
        let mut columns: Vec<Column> = keys
            .iter()
            .map(|key| {
                let of_time =
                    scope.of_time(&key.expr).and_then(|f| if rounds_up(&key.expr) { Some(f) } else { f.map_cells(&|_| Some(earlier.clone())) });
                Column { class: scope.class(&key.expr), of_time, ..Column::new("", key.ty.clone()) }
            })
            .collect();
        columns.extend(calls.iter().map(|call| {
            // MIN and MAX of ROWTIME go with time.
            let time = call.args.first().is_some_and(|arg| scope.names_rowtime(arg))
                && matches!(
                    call.function,
                    crate::sql::plan::Aggregate::Min
                        | crate::sql::plan::Aggregate::Max
                        | crate::sql::plan::Aggregate::First
                        | crate::sql::plan::Aggregate::Last
                );
            Column { class: if time { Class::Asc } else { Class::None }, ..Column::new("", call.ty.clone()) }
        }));
        let inner = Scope { columns, relations: Vec::new() };
        let finite = rel.finite;
        if let Some(rows) = self.rows_of(rel.node) {
            let rows = crate::sql::run::group_table(&keys, &calls, &rows, key_count == 0);
            let kept: Vec<Arc<[Value]>> = rows.into_iter().filter(|row| having.as_ref().is_none_or(|having| test(having, row))).collect();
            rel = self.finite(kept.into(), inner.columns.clone());
        } else {
            let (operator, label) = match &select.stagger {
                Some((_, range)) => (
                    Operator::Stagger { keys, range: *range, calls },
                    format!("stagger: the first row of a key opens its window, which closes {} s later", range / 1000),
                ),
                None => {
                    let words = if monotonic.iter().all(|term| term.of_time.is_some()) {
                        "tumbling groups: they close when ROWTIME or the clock passes the end of the window"
                    } else {
                        "groups: they close when a row with another value of the monotonic term arrives"
                    };
                    (Operator::Group { keys, terms: monotonic, calls, finite }, words.to_owned())
                }
            };
            rel.node = self.add(operator, vec![rel.node], label);
            if let Some(having) = having {
                rel.node = self.add(Operator::Filter(having), vec![rel.node], "HAVING");
            }
        }
        rel.grouped = true;
        rel.columns.clone_from(&inner.columns);
        self.finish(select, order, within, span, rel, &inner, items, sort)
    }
}

/// What a term of GROUP BY means: an alias of the select list when it is no column.
pub(super) fn group_term<'e>(term: &'e Expr, items: &'e [Item], scope: &Scope) -> &'e Expr {
    if let Kind::Name(parts) = &term.kind
        && let [single] = parts.as_slice()
        && single.name != "ROWTIME"
        && scope.find(parts).is_err()
    {
        for item in items {
            if let Item::Expr(expr, Some(alias)) = item
                && alias.name == single.name
            {
                return expr;
            }
        }
    }
    term
}

/// An aggregate (without OVER) stands in the expression.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    any_call(expr, &|call| {
        call.over.is_none()
            && matches!(
                call.name.as_str(),
                "COUNT"
                    | "SUM"
                    | "AVG"
                    | "MIN"
                    | "MAX"
                    | "STDDEV_POP"
                    | "STDDEV_SAMP"
                    | "STDDEV"
                    | "STD_DEV"
                    | "VAR_POP"
                    | "VAR_SAMP"
                    | "VARIANCE"
                    | "ANY"
                    | "SOME"
                    | "EVERY"
                    | "FIRST_VALUE"
                    | "LAST_VALUE"
                    | "EXP_AVG"
            )
    })
}
