//! An application for display.

use crate::engine::time::VirtualTime;
use crate::engine::view::{ApplicationView, InAppStreamView, OutputView};
use crate::sql::explain::why_no_rows;

use super::application::Application;

/// Rows shown of a stream.
const ROWS: usize = 200;

impl Application {
    /// The application for display.
    pub fn view(&self, now: VirtualTime) -> ApplicationView {
        let streams = self.run.as_ref().map_or_else(Vec::new, |run| {
            let plan = run.running.plan();
            let flows = run.running.flows();
            plan.streams
                .iter()
                .enumerate()
                .map(|(index, stream)| {
                    let shown = run.shown.get(&index).cloned().unwrap_or_default();
                    let rows = run.running.rows(index);
                    let per_second = if shown.second.0 == now.secs() { shown.second.2 } else { shown.second.1 };
                    InAppStreamView {
                        name: stream.name.clone(),
                        columns: stream.columns.iter().filter(|column| !column.hidden).map(|column| column.name.clone()).collect(),
                        rows,
                        per_second,
                        source: stream.source,
                        why: if rows == 0 && stream.declared { why_no_rows(plan, &flows, index, run.running.error_count()) } else { String::new() },
                        newest: shown
                            .rows
                            .iter()
                            .rev()
                            .take(ROWS)
                            .map(|(time, cells)| (VirtualTime::from_millis((*time).max(0) as u64), cells.clone()))
                            .collect(),
                    }
                })
                .collect()
        });
        ApplicationView {
            name: self.name.to_string(),
            status: self.status.name().to_owned(),
            version: self.version,
            input: self.input.as_ref().map(|input| input.stream.clone()),
            columns: self
                .input
                .as_ref()
                .map(|input| input.schema.columns.iter().map(|column| (column.name.clone(), column.ty.to_string())).collect())
                .unwrap_or_default(),
            code: self.code.clone(),
            records: self.run.as_ref().map_or(0, |run| run.records),
            since: self.run.as_ref().map(|run| run.since),
            errors: self.run.as_ref().map_or(0, |run| run.running.error_count()),
            reference: self.reference.as_ref().map(|reference| format!("{} ({} rows)", reference.table, reference.rows.len())),
            outputs: self
                .outputs
                .iter()
                .map(|output| OutputView {
                    stream: output.stream.clone(),
                    to: output.to.text(),
                    delivered: output.delivered,
                    waiting: output.pending.len() as u64,
                })
                .collect(),
            streams,
        }
    }
}
