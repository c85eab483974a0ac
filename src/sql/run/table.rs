//! Table functions: the most frequent items, distinct items, ranks, anomaly scores, hotspots.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::forest::Forest;
use super::merge::Frontier;
use super::{Context, Row};
use crate::sql::cast::cut;
use crate::sql::plan::TableFunction;
use crate::sql::value::{Key, KeyMap, KeySet, Value};

/// State of a table function.
#[derive(Debug, Clone)]
pub(super) enum TableState {
    TopK { end: Option<i64>, counts: KeyMap<i64> },
    CountDistinct { end: Option<i64>, seen: KeySet },
    GroupRank { rows: Vec<Row> },
    Forest(Box<Forest>),
    Hotspots { points: VecDeque<Box<[f64]>> },
}

fn with(row: &Row, extra: Vec<Value>) -> Row {
    // The rank or score stands between the cursor's columns and ROWTIME.
    let mut cells: Vec<Value> = row.cells[..row.cells.len() - 1].to_vec();
    cells.extend(extra);
    cells.push(Value::Ms(row.time));
    Row { time: row.time, cells: cells.into(), live: row.live, cause: row.cause }
}

impl TableState {
    pub(super) fn new(function: &TableFunction, seed: u64) -> Self {
        match function {
            TableFunction::TopK(..) => Self::TopK { end: None, counts: KeyMap::default() },
            TableFunction::CountDistinct(..) => Self::CountDistinct { end: None, seen: KeySet::default() },
            TableFunction::GroupRank { .. } => Self::GroupRank { rows: Vec::new() },
            TableFunction::Forest { cells, trees, sample, decay, shingle, .. } => {
                Self::Forest(Box::new(Forest::new(cells.len(), *trees, *sample, *decay, *shingle, seed)))
            }
            TableFunction::Hotspots { .. } => Self::Hotspots { points: VecDeque::new() },
        }
    }

    /// Rows held.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::TopK { counts, .. } => counts.len(),
            Self::CountDistinct { seen, .. } => seen.len(),
            Self::GroupRank { rows } => rows.len(),
            Self::Forest(forest) => forest.held(),
            Self::Hotspots { points } => points.len(),
        }
    }

    pub(super) fn row(&mut self, function: &TableFunction, row: Row, context: &Context<'_>, out: &mut Vec<Row>) {
        self.settle(function, row.time.saturating_mul(2), context, out);
        match (self, function) {
            (Self::TopK { end, counts }, TableFunction::TopK(cell, ty, _, window)) => {
                let value = &row.cells[*cell];
                if value.is_null() {
                    return;
                }
                *end = Some((row.time.div_euclid(*window) + 1) * window);
                let item = Value::text(cut(&value.to_text(ty), 1024));
                *counts.entry(Key([item].into())).or_insert(0) += 1;
            }
            (Self::CountDistinct { end, seen }, TableFunction::CountDistinct(cell, window)) => {
                let value = &row.cells[*cell];
                if value.is_null() {
                    return;
                }
                *end = Some((row.time.div_euclid(*window) + 1) * window);
                seen.insert(Key([value.clone()].into()));
            }
            (Self::GroupRank { rows }, _) => rows.push(row),
            (Self::Forest(forest), TableFunction::Forest { cells, explain, .. }) => {
                let point: Vec<f64> = cells.iter().map(|(cell, _)| row.cells[*cell].number().unwrap_or(0.0)).collect();
                let scored = forest.next(&point, explain.is_some());
                let mut extra = vec![Value::Num(scored.score)];
                if let Some(directions) = explain {
                    let mut parts = serde_json::Map::new();
                    for ((_, name), (high, low)) in cells.iter().zip(&scored.parts) {
                        let mut part = serde_json::Map::new();
                        if *directions {
                            let strength = if high + low > 0.0 { (high - low).abs() / (high + low) } else { 0.0 };
                            part.insert("DIRECTION".to_owned(), if high > low { "HIGH" } else { "LOW" }.into());
                            part.insert("STRENGTH".to_owned(), format!("{strength:.4}").into());
                        }
                        part.insert("ATTRIBUTION_SCORE".to_owned(), format!("{:.4}", high + low).into());
                        parts.insert(name.clone(), part.into());
                    }
                    extra.push(Value::text(serde_json::Value::Object(parts).to_string()));
                }
                out.push(with(&row, extra));
            }
            (Self::Hotspots { points }, TableFunction::Hotspots { cells, window, radius, least }) => {
                let point: Box<[f64]> = cells.iter().map(|cell| row.cells[*cell].number().unwrap_or(0.0)).collect();
                points.push_back(point);
                if points.len() > *window {
                    points.pop_front();
                }
                out.push(with(&row, vec![Value::text(hotspots(points, *radius, *least))]));
            }
            _ => {}
        }
    }

    /// Closes what is complete at a frontier.
    pub(super) fn settle(&mut self, function: &TableFunction, frontier: Frontier, context: &Context<'_>, out: &mut Vec<Row>) {
        match (self, function) {
            (Self::TopK { end, counts }, TableFunction::TopK(_, _, k, _)) => {
                let Some(at) = end.filter(|end| frontier >= end.saturating_mul(2)) else { return };
                let mut items: Vec<(usize, (Key, i64))> = counts.drain(..).enumerate().collect();
                let cause = context.moments.when(at.saturating_mul(2));
                // Ties keep the order of first arrival.
                items.sort_by(|a, b| b.1.1.cmp(&a.1.1).then(a.0.cmp(&b.0)));
                for (_, (key, count)) in items.into_iter().take(*k) {
                    let item = key.0.first().cloned().unwrap_or(Value::Null);
                    out.push(Row { time: at, cells: [item, Value::Int(count), Value::Ms(at)].into(), live: i64::MAX, cause });
                }
                *end = None;
            }
            (Self::CountDistinct { end, seen }, _) => {
                let Some(at) = end.filter(|end| frontier >= end.saturating_mul(2)) else { return };
                let cause = context.moments.when(at.saturating_mul(2));
                out.push(Row { time: at, cells: [Value::Int(seen.len() as i64), Value::Ms(at)].into(), live: i64::MAX, cause });
                seen.clear();
                *end = None;
            }
            (Self::GroupRank { rows }, TableFunction::GroupRank { cell, ascending, output, most, .. }) => {
                let Some(time) = rows.first().map(|row| row.time) else { return };
                let complete = time.saturating_mul(2).saturating_add(1);
                if frontier < complete {
                    return;
                }
                let cause = context.moments.when(complete);
                let compare = |a: &Row, b: &Row| {
                    let order = a.cells[*cell].compare(&b.cells[*cell]).unwrap_or(Ordering::Equal);
                    if *ascending { order } else { order.reverse() }
                };
                let mut taken = std::mem::take(rows);
                for row in &mut taken {
                    row.cause = cause;
                }
                let mut order: Vec<usize> = (0..taken.len()).collect();
                order.sort_by(|a, b| compare(&taken[*a], &taken[*b]));
                let mut ranks = vec![0i64; taken.len()];
                for (place, at) in order.iter().enumerate() {
                    let tied = place > 0 && compare(&taken[order[place - 1]], &taken[*at]) == Ordering::Equal;
                    ranks[*at] = if tied { ranks[order[place - 1]] } else { place as i64 + 1 };
                }
                let mut shown: Vec<usize> = match output {
                    None => (0..taken.len()).collect(),
                    Some(true) => order,
                    Some(false) => order.into_iter().rev().collect(),
                };
                if *most > 0 {
                    // The best ranks stay, whatever the order of the output.
                    let mut by_rank: Vec<usize> = shown.clone();
                    by_rank.sort_by_key(|at| ranks[*at]);
                    by_rank.truncate(*most);
                    shown.retain(|at| by_rank.contains(at));
                }
                for at in shown {
                    out.push(with(&taken[at], vec![Value::Int(ranks[at])]));
                }
            }
            _ => {}
        }
    }
}

/// Dense regions of the points, as JSON: connected points that have enough neighbours within the radius.
fn hotspots(points: &VecDeque<Box<[f64]>>, radius: f64, least: usize) -> String {
    let count = points.len();
    let near = |a: usize, b: usize| points[a].iter().zip(&points[b]).map(|(x, y)| (x - y) * (x - y)).sum::<f64>() <= radius * radius;
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); count];
    for a in 0..count {
        for b in a + 1..count {
            if near(a, b) {
                neighbours[a].push(b);
                neighbours[b].push(a);
            }
        }
    }
    let core = |at: usize| neighbours[at].len() + 1 >= least;
    let mut cluster = vec![usize::MAX; count];
    let mut found: Vec<Vec<usize>> = Vec::new();
    for start in 0..count {
        if cluster[start] != usize::MAX || !core(start) {
            continue;
        }
        let id = found.len();
        let mut members = Vec::new();
        let mut queue = vec![start];
        cluster[start] = id;
        while let Some(at) = queue.pop() {
            members.push(at);
            if !core(at) {
                continue;
            }
            for next in &neighbours[at] {
                if cluster[*next] == usize::MAX {
                    cluster[*next] = id;
                    queue.push(*next);
                }
            }
        }
        found.push(members);
    }
    let spots: Vec<serde_json::Value> = found
        .into_iter()
        .map(|members| {
            let width = points[members[0]].len();
            let low: Vec<f64> = (0..width).map(|d| members.iter().map(|at| points[*at][d]).fold(f64::INFINITY, f64::min)).collect();
            let high: Vec<f64> = (0..width).map(|d| members.iter().map(|at| points[*at][d]).fold(f64::NEG_INFINITY, f64::max)).collect();
            let volume: f64 = low.iter().zip(&high).map(|(low, high)| (high - low).max(f64::MIN_POSITIVE)).product();
            serde_json::json!({"density": members.len() as f64 / volume, "minValues": low, "maxValues": high})
        })
        .collect();
    serde_json::json!({ "hotspots": spots }).to_string()
}
