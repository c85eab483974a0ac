//! A program over records: to its end, or as they come.

use std::io::{BufRead, Write};

use serde_json::Value as Json;

use crate::cli::{OK, Pace};
use crate::sql::datetime::timestamp_millis_text;
use crate::sql::decode::Schema;
use crate::sql::decoder::Decoder;
use crate::sql::explain::why_no_rows;
use crate::sql::value::Value;
use crate::sql::{Program, Running};

use super::{EPOCH, Failed, RowsFormat, RunArguments, SAMPLES, SourceArguments, TOGETHER, catalog, compile, one, records};

/// Prints rows as they come.
struct Printer<'o> {
    out: &'o mut dyn Write,
    format: RowsFormat,
    streams: Vec<usize>,
    headed: Option<usize>,
    printed: u64,
}

impl Printer<'_> {
    fn rows(&mut self, running: &mut Running) -> std::io::Result<()> {
        for at in 0..self.streams.len() {
            let stream = self.streams[at];
            let rows = running.drain(stream);
            let plan = running.plan().clone();
            let planned = &plan.streams[stream];
            let columns: Vec<_> = planned.visible().collect();
            for row in rows {
                self.printed += 1;
                let text = |value: &Value, ty: &crate::sql::types::SqlType| match (value, ty) {
                    (Value::Null, _) => String::new(),
                    (Value::Ms(ms), crate::sql::types::SqlType::Timestamp) => timestamp_millis_text(*ms),
                    _ => value.to_text(ty),
                };
                match self.format {
                    RowsFormat::Jsonl => {
                        let mut object = serde_json::Map::new();
                        if self.streams.len() > 1 {
                            object.insert("STREAM".to_owned(), planned.name.clone().into());
                        }
                        object.insert("ROWTIME".to_owned(), timestamp_millis_text(row.time).into());
                        for (cell, column) in &columns {
                            object.insert(column.name.clone(), row.cells[*cell].to_json(&column.ty));
                        }
                        writeln!(self.out, "{}", Json::Object(object))?;
                    }
                    RowsFormat::Csv => {
                        let quote =
                            |field: String| if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field };
                        if self.headed.replace(stream) != Some(stream) {
                            let names: Vec<String> = columns.iter().map(|(_, column)| quote(column.name.clone())).collect();
                            writeln!(self.out, "ROWTIME,{}", names.join(","))?;
                        }
                        let fields: Vec<String> = columns.iter().map(|(cell, column)| quote(text(&row.cells[*cell], &column.ty))).collect();
                        writeln!(self.out, "{},{}", timestamp_millis_text(row.time), fields.join(","))?;
                    }
                    RowsFormat::Table => {
                        let width = |column: &crate::sql::scope::Column| {
                            column.name.chars().count().max(match column.ty.family() {
                                crate::sql::types::Family::Timestamp => 23,
                                crate::sql::types::Family::Text => column.ty.length().unwrap_or(16).clamp(4, 24) as usize,
                                _ => 10,
                            })
                        };
                        if self.headed.replace(stream) != Some(stream) {
                            let names: Vec<String> =
                                columns.iter().map(|(_, column)| format!("{:width$}", column.name, width = width(column))).collect();
                            writeln!(self.out, "-- {}\n{:23}  {}", planned.name, "ROWTIME", names.join("  ").trim_end())?;
                        }
                        let fields: Vec<String> = columns
                            .iter()
                            .map(|(cell, column)| {
                                let shown = if row.cells[*cell].is_null() { "NULL".to_owned() } else { text(&row.cells[*cell], &column.ty) };
                                if column.ty.family() == crate::sql::types::Family::Number {
                                    format!("{shown:>width$}", width = width(column))
                                } else {
                                    format!("{shown:width$}", width = width(column))
                                }
                            })
                            .collect();
                        writeln!(self.out, "{}  {}", timestamp_millis_text(row.time), fields.join("  ").trim_end())?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Streams to print: those asked for, or those that no pump reads.
pub(super) fn chosen(program: &Program, names: &[String]) -> Result<Vec<usize>, Failed> {
    let plan = &program.plan;
    if names.iter().any(|name| name == "*") {
        return Ok((0..plan.streams.len()).filter(|at| !plan.streams[*at].source).collect());
    }
    if !names.is_empty() {
        return names
            .iter()
            .map(|name| {
                plan.stream(name).or_else(|| plan.stream(&name.to_uppercase())).ok_or_else(|| {
                    let known: Vec<&str> = plan.streams.iter().map(|stream| stream.name.as_str()).collect();
                    one(format!("there is no stream '{name}'; there are {}", known.join(", ")))
                })
            })
            .collect();
    }
    let read = |stream: usize| plan.nodes.iter().any(|node| matches!(node.operator, crate::sql::plan::Operator::Scan(other) if other == stream));
    Ok((0..plan.streams.len()).filter(|at| plan.streams[*at].declared && !read(*at)).collect())
}

pub(super) fn run(arguments: &RunArguments, pace: &Pace) -> Result<std::io::Result<u8>, Failed> {
    if arguments.follow {
        return follow(arguments, pace);
    }
    let all = records(&arguments.input, &arguments.input_format, arguments.time.as_ref())?;
    let samples: Vec<Vec<u8>> = all.iter().take(SAMPLES).map(|(_, data)| data.clone()).collect();
    let (catalog, schema) = catalog(&arguments.source, &samples)?;
    let program = compile(&arguments.file, &catalog)?;
    let streams = chosen(&program, &arguments.stream)?;
    // Records in the order of their time; those without one come with the record before them.
    let mut last = all.iter().find_map(|(at, _)| *at).map_or(EPOCH, |at| (at.0 / 1000) as i64);
    let mut timed: Vec<(i64, Vec<u8>)> = Vec::with_capacity(all.len());
    for (index, (at, data)) in all.into_iter().enumerate() {
        last = match at {
            Some(at) => (at.0 / 1000) as i64,
            None if arguments.time.is_some() => last,
            None => EPOCH + index as i64 * arguments.every as i64,
        };
        timed.push((last, data));
    }
    timed.sort_by_key(|(at, _)| *at);
    let start = timed.first().map_or(EPOCH, |(at, _)| *at);
    let mut running = Running::new(program.plan.clone(), start, pace.seed.unwrap_or(1));
    for stream in 0..program.plan.streams.len() {
        running.keep(stream, streams.contains(&stream));
    }
    let stdout = std::io::stdout();
    let mut out = std::io::BufWriter::new(stdout.lock());
    let mut printer = Printer { out: &mut out, format: arguments.format, streams, headed: None, printed: 0 };
    let mut end = start;
    let told = (|| {
        let mut decoder = Decoder::new(&schema, 1);
        for (index, (at, data)) in timed.iter().enumerate() {
            end = *at;
            if printer.streams.len() == 1 {
                // APPROXIMATE_ARRIVAL_TIME follows the declared columns.
                decoder.feed(&mut running, 0, *at, data, &[Value::Ms(*at)]);
                if index.is_multiple_of(TOGETHER) {
                    printer.rows(&mut running)?;
                }
            } else {
                // Rows of several streams are shown as each record makes them.
                put(&mut running, &schema, *at, data);
                printer.rows(&mut running)?;
            }
        }
        decoder.flush(&mut running, 0);
        running.advance_to(end.saturating_add(arguments.linger as i64 * 1000));
        printer.rows(&mut running)?;
        printer.out.flush()
    })();
    let streams = printer.streams.clone();
    if told.is_ok() {
        finish(&running, &program, &streams, timed.len());
    }
    Ok(told.map(|()| OK))
}

pub(super) fn put(running: &mut Running, schema: &Schema, at: i64, data: &[u8]) {
    for row in schema.rows(data) {
        match row {
            Ok(mut cells) => {
                // APPROXIMATE_ARRIVAL_TIME follows the declared columns.
                cells.push(Value::Ms(at));
                running.insert(0, at, cells);
            }
            Err(error) => running.input_error(&error, at, data),
        }
    }
}

/// The accounting on standard error, and why a stream stayed empty.
pub(super) fn finish(running: &Running, program: &Program, streams: &[usize], records: usize) {
    let plan = &program.plan;
    let rows: Vec<String> = streams.iter().map(|stream| format!("{} rows in {}", running.rows(*stream), plan.streams[*stream].name)).collect();
    eprintln!("{records} records, {} rows in {}, {}, {} error rows", running.rows(0), plan.streams[0].name, rows.join(", "), running.error_count());
    let flows = running.flows();
    for stream in streams.iter().filter(|stream| running.rows(**stream) == 0 && plan.streams[**stream].declared) {
        eprintln!("why no rows? {}", why_no_rows(plan, &flows, *stream, running.error_count()));
    }
}

#[allow(clippy::disallowed_methods, reason = "following records in real time: the wall clock is the row's time")]
pub(super) fn follow(arguments: &RunArguments, pace: &Pace) -> Result<std::io::Result<u8>, Failed> {
    let Some(schema) = &arguments.source.schema else { return Err(one("--follow needs --schema: there is nothing yet to discover it from")) };
    let (catalog, decoded) = catalog(&SourceArguments { schema: Some(schema.clone()), ..arguments.source.clone() }, &[])?;
    let program = compile(&arguments.file, &catalog)?;
    let streams = chosen(&program, &arguments.stream)?;
    let wall = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(EPOCH, |since| since.as_millis() as i64);
    let mut running = Running::new(program.plan.clone(), wall(), pace.seed.unwrap_or(1));
    let (send, lines) = std::sync::mpsc::sync_channel::<Vec<u8>>(1024);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut line = Vec::new();
        while stdin.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if send.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    let mut out = std::io::stdout().lock();
    let mut printer = Printer { out: &mut out, format: arguments.format, streams, headed: None, printed: 0 };
    let mut count = 0;
    let told = loop {
        // The clock moves even when no record comes, so windows close.
        match lines.recv_timeout(std::time::Duration::from_millis(100)) {
            Ok(line) => {
                let line = line.trim_ascii();
                if !line.is_empty() {
                    count += 1;
                    put(&mut running, &decoded, wall(), line);
                }
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => running.advance_to(wall() - 1),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                running.advance_to(wall().saturating_add(arguments.linger as i64 * 1000));
                break printer.rows(&mut running);
            }
        }
        if let Err(error) = printer.rows(&mut running).and_then(|()| printer.out.flush()) {
            break Err(error);
        }
    };
    let streams = printer.streams.clone();
    if told.is_ok() {
        finish(&running, &program, &streams, count);
    }
    Ok(told.map(|()| OK))
}
