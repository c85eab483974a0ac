//! ORDER BY: terms and what sorts by them.

use crate::sql::ast::{Kind, OrderItem};
use crate::sql::bind::{Bindable, Binder};
use crate::sql::bound::{Bound, Typed};
use crate::sql::diagnostic::Span;
use crate::sql::plan::{Operator, SortTerm};
use crate::sql::scope::{Column, Scope};
use crate::sql::value::Value;

use super::{Output, Planner, Rel, error, is_rowtime_cell};

impl Planner<'_> {
    /// A sort behind a projection whose cells after `width` are the sort's terms.
    pub(super) fn sorted_projection(
        &mut self,
        rel: Rel,
        scope: &Scope,
        terms: &[Typed],
        order: &[OrderItem],
        width: usize,
        span: Span,
    ) -> Bindable<Rel> {
        let Some(leading) = terms.first() else { return error(span, "ORDER BY is empty") };
        let class = scope.class(&leading.expr);
        if !class.moves() {
            return error(order[0].expr.span, "ORDER BY on a stream begins with a term that moves with time, such as FLOOR(s.ROWTIME TO MINUTE)");
        }
        let is_time = matches!(leading.expr, Bound::OutTime) || is_rowtime_cell(&leading.expr, scope);
        let keep_time = is_time || rel.grouped;
        let of_time = if keep_time { Some(Bound::Cell(0)) } else { scope.of_time(&leading.expr) };
        let planned = order
            .iter()
            .enumerate()
            .map(|(at, item)| SortTerm { cell: width + at, descending: item.descending, nulls_first: item.nulls_first.unwrap_or(item.descending) })
            .collect();
        let node = self.add(
            Operator::Sort { terms: planned, of_time, keep_time, width },
            vec![rel.node],
            "ORDER BY: rows wait until the leading term moves on, then leave sorted",
        );
        Ok(Rel { node, ..rel })
    }

    /// ORDER BY on top of UNION ALL.
    pub(super) fn sorted_union(&mut self, rel: Rel, order: &[OrderItem], span: Span) -> Bindable<Rel> {
        let scope = Scope { columns: rel.columns.clone(), relations: Vec::new() };
        let terms = order.iter().map(|item| self.bind_in(&scope, &item.expr, "ORDER BY")).collect::<Bindable<Vec<Typed>>>()?;
        let visible = Self::visible(&rel.columns);
        let mut exprs: Vec<Typed> = visible.iter().map(|at| Typed { expr: Bound::Cell(*at), ty: rel.columns[*at].ty.clone() }).collect();
        let width = exprs.len();
        exprs.extend(terms.iter().cloned());
        let node = self.add(Operator::Project(exprs, None), vec![rel.node], "terms of ORDER BY");
        let mut columns: Vec<Column> = visible.iter().map(|at| rel.columns[*at].clone()).collect();
        columns.push(Column::rowtime());
        self.sorted_projection(Rel { node, columns, ..rel }, &scope, &terms, order, width, span)
    }
}

/// A term of ORDER BY: an ordinal, an alias of the select list, or an expression.
pub(super) fn bind_order(binder: &mut Binder<'_>, item: &OrderItem, items: &[Output], scope: &Scope) -> Bindable<Typed> {
    match &item.expr.kind {
        Kind::Literal(Value::Int(at), _) => match items.get((*at - 1).max(0) as usize) {
            Some(output) if *at >= 1 => return Ok(output.typed.clone()),
            _ => return error(item.expr.span, format!("the select list has no item {at}")),
        },
        Kind::Name(parts) => {
            if let [single] = parts.as_slice()
                && let Some(output) = items.iter().find(|output| output.name == single.name && !output.rowtime)
                && (binder.grouping.is_some() || scope.find(parts).is_err() || !matches!(output.typed.expr, Bound::Cell(_)))
            {
                return Ok(output.typed.clone());
            }
        }
        _ => {}
    }
    binder.bind(&item.expr)
}
