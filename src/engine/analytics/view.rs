//! An application for display.

use crate::engine::lambda::name_of;
use crate::engine::time::{VirtualDuration, VirtualTime};
use crate::engine::view::{AccountingLine, ApplicationView, InAppStreamView, OutputView, ProcessingView};
use crate::sql::explain::why_no_rows;

use super::application::Application;

/// Rows shown of a stream.
const ROWS: usize = 200;

impl Application {
    /// Rows that failed since it started.
    pub fn error_rows(&self) -> u64 {
        self.run.as_ref().map_or(0, |run| run.running.error_count())
    }

    /// Why none of its own streams has a row although records came for so long; `None` when one has, or it is too early to say.
    pub fn without_rows(&self, now: VirtualTime, patience: VirtualDuration) -> Option<String> {
        let run = self.run.as_ref()?;
        if run.records == 0 || now.since(run.since) < patience {
            return None;
        }
        let plan = run.running.plan();
        let own = || plan.streams.iter().enumerate().filter(|(_, stream)| stream.declared);
        if own().any(|(index, _)| run.running.rows(index) > 0) {
            return None;
        }
        let (index, stream) = own().next_back()?;
        let why = why_no_rows(plan, &run.running.flows(), index, run.running.error_count());
        Some(format!("{} has read {} records and {} has no row: {why}", self.name, run.records, stream.name))
    }

    /// Why it is further behind its source than so many milliseconds; `None` when it is not.
    pub fn behind(&self, patience_ms: u64) -> Option<String> {
        let run = self.run.as_ref().filter(|run| run.behind_ms >= patience_ms)?;
        let input = self.input.as_ref()?;
        let why = match (&run.processed.trouble, &input.processor) {
            (Some(why), Some(function)) => format!("function {} fails: {why}", name_of(function)),
            _ if run.reading.refused > 0 => format!("{} reads were refused", run.reading.refused),
            _ => "it is still reading".to_owned(),
        };
        Some(format!("{} is {} s behind {}: {why}.", self.name, run.behind_ms / 1000, input.source.text()))
    }

    /// Where the records are that its function prepares, since it started; none without a function.
    pub fn accounting(&self) -> Option<AccountingLine> {
        let run = self.run.as_ref().filter(|_| self.input.as_ref().is_some_and(|input| input.processor.is_some()))?;
        let processed = &run.processed;
        Some(AccountingLine {
            subject: format!("application {}", self.name),
            parts: vec![
                ("prepared".to_owned(), run.records),
                ("ok".to_owned(), processed.ok),
                ("dropped".to_owned(), processed.dropped),
                ("failed".to_owned(), processed.failed),
            ],
            balanced: run.records == processed.ok + processed.dropped + processed.failed,
        })
    }

    fn processing_view(&self) -> Option<ProcessingView> {
        let function = self.input.as_ref()?.processor.as_ref()?;
        let processed = self.run.as_ref().map(|run| run.processed.clone()).unwrap_or_default();
        Some(ProcessingView {
            function: name_of(function).to_owned(),
            counts: (processed.ok, processed.dropped, processed.failed),
            failures: processed.failures,
            trouble: processed.trouble,
        })
    }

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
            input: self.input.as_ref().map(|input| input.source.text()),
            columns: self
                .input
                .as_ref()
                .map(|input| input.schema.columns.iter().map(|column| (column.name.clone(), column.ty.to_string())).collect())
                .unwrap_or_default(),
            code: self.code.clone(),
            records: self.run.as_ref().map_or(0, |run| run.records),
            since: self.run.as_ref().map(|run| run.since),
            errors: self.run.as_ref().map_or(0, |run| run.running.error_count()),
            behind_ms: self.run.as_ref().map_or(0, |run| run.behind_ms),
            processing: self.processing_view(),
            reference: self.reference.as_ref().map(|reference| format!("{} ({} rows)", reference.table, reference.rows.len())),
            outputs: self
                .outputs
                .iter()
                .map(|output| OutputView {
                    stream: output.stream.clone(),
                    to: output.to.text(),
                    delivered: output.delivered,
                    waiting: output.waiting() as u64,
                    failed: output.failed,
                    trouble: output.trouble.clone(),
                })
                .collect(),
            streams,
        }
    }
}
