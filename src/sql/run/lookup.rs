//! A stream joined with a table.

use std::sync::Arc;

use super::{Context, Row};
use crate::sql::bound::Bound;
use crate::sql::value::{Key, KeyMap, KeyRef, Value};

/// The index of a table.
#[derive(Debug, Clone)]
pub(super) struct LookupState {
    index: Arc<KeyMap<Vec<usize>>>,
}

impl LookupState {
    pub(super) fn new(rows: &[Arc<[Value]>], equal: &[(Bound, usize)]) -> Self {
        let mut index: KeyMap<Vec<usize>> = KeyMap::default();
        if !equal.is_empty() {
            for (at, row) in rows.iter().enumerate() {
                index.entry(Key(equal.iter().map(|(_, cell)| row[*cell].clone()).collect())).or_default().push(at);
            }
        }
        Self { index: Arc::new(index) }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn row(
        &self,
        keep: bool,
        stream_left: bool,
        width: usize,
        rows: &[Arc<[Value]>],
        on: Option<&Bound>,
        equal: &[(Bound, usize)],
        row: &Row,
        context: &mut Context<'_>,
        out: &mut Vec<Row>,
    ) {
        let mut key = Vec::with_capacity(equal.len());
        for (expr, _) in equal {
            let Some(value) = context.eval(expr, row) else { return };
            key.push(value);
        }
        let null = key.iter().any(Value::is_null);
        let indexed = if equal.is_empty() { None } else { Some(self.index.get(&KeyRef(&key)).map_or(&[][..], Vec::as_slice)) };
        let all: Vec<usize>;
        let candidates = match indexed {
            Some(found) => found,
            None => {
                all = (0..rows.len()).collect();
                &all
            }
        };
        let joined = |table: &mut dyn Iterator<Item = Value>| -> Arc<[Value]> {
            if stream_left { row.cells.iter().cloned().chain(table).collect() } else { table.chain(row.cells.iter().cloned()).collect() }
        };
        let mut matched = false;
        for at in candidates.iter().filter(|_| !null) {
            let cells = joined(&mut rows[*at].iter().cloned());
            if let Some(on) = on {
                match context.eval_at(on, &cells, row.time, row.cause) {
                    Some(value) if value.is_true() => {}
                    _ => continue,
                }
            }
            matched = true;
            out.push(Row { time: row.time, cells, live: row.live, cause: row.cause });
        }
        if !matched && keep {
            out.push(Row { time: row.time, cells: joined(&mut std::iter::repeat_n(Value::Null, width)), live: row.live, cause: row.cause });
        }
    }
}
