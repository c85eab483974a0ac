//! Opening what is selected, and copying it.

use crate::engine::view::JournalRow;
use crate::session::driver::Act;
use crate::session::view::SessionView;
use crate::tui::app::{AnswerBox, App, Effect, Overlay};
use crate::tui::ids::{GuideItem, PaneId, Screen};
use crate::tui::line_edit::LineEdit;
use crate::tui::panes::rows;
use crate::tui::text::{bytes, hash_range, permille, shard};

use super::actions::go;
use super::{run_line, show};

pub(super) fn open(app: &mut App, view: &SessionView) -> Vec<Effect> {
    match app.focus() {
        PaneId::Guide => {
            let strip = app.guide_is_strip();
            if let Some(item) = app.chosen_item(view, strip) {
                return open_guide_item(app, view, item);
            }
            app.overlays.push(Overlay::Guide(None));
        }
        PaneId::Pipeline => go(app, Screen::Streams),
        PaneId::Shards | PaneId::Throughput | PaneId::HashMap => inspect_shard(app, view),
        PaneId::Record => {
            if let Some(record) = app.shard(view).and_then(|s| s.last_record.as_ref()) {
                let text = record_text(record);
                show(app, "Record".to_owned(), text);
            }
        }
        PaneId::Consumers => {
            let name = app.stream(view).map(|s| s.name.clone());
            if let Some(consumer) = view.world.consumers.iter().filter(|c| Some(&c.stream) == name.as_ref()).nth(app.consumer) {
                let mut text = format!(
                    "{} {} of {}: {} records, {} since it started\n",
                    consumer.kind,
                    consumer.state,
                    consumer.stream,
                    consumer.records,
                    bytes(consumer.bytes)
                );
                for s in &consumer.shards {
                    text.push_str(&format!(
                        "\nshard {}  {}  from {}  {} ms behind  {} reads/s",
                        shard(s.shard),
                        s.state,
                        s.position,
                        s.behind_ms,
                        s.reads_per_second
                    ));
                }
                show(app, consumer.name.clone(), text);
            }
        }
        PaneId::Programs => {
            let logs = view.world.producers.iter().map(|p| (&p.name, &p.log)).chain(view.world.consumers.iter().map(|c| (&c.name, &c.log)));
            if let Some((name, log)) = logs.skip(app.program).map(|(n, l)| (n.clone(), l.clone())).next() {
                let text = log.iter().map(|l| format!("{}  {}", l.at.clock_millis_text(), l.text)).collect::<Vec<_>>().join("\n");
                show(app, format!("Log of {name}"), if text.is_empty() { "It printed nothing yet.".to_owned() } else { text });
            }
        }
        PaneId::Journal => {
            if let Some(row) = selected_row(app, view) {
                let by = i64::try_from(row.at.0).unwrap_or(0) - i64::try_from(view.world.now.0).unwrap_or(0);
                return vec![Effect::Act(Act::Shift(by))];
            }
        }
        PaneId::Objects => {
            if let Some(object) = objects_of(app, view).get(app.object) {
                return vec![Effect::Act(Act::Line(format!("s3 select s3://{}/{} 20", object.bucket, object.key)))];
            }
        }
        PaneId::Function => {
            let all = &view.world.functions;
            if let Some(function) = all.get(app.function.min(all.len().saturating_sub(1))) {
                let log = function.log.iter().map(|l| format!("{}  {}", l.at.clock_millis_text(), l.text)).collect::<Vec<_>>().join("\n");
                let text = format!(
                    "{}\n\n{}\n\nLog\n{}",
                    function.code.0,
                    function.code.1.trim_end(),
                    if log.is_empty() { "It printed nothing yet.".to_owned() } else { log }
                );
                show(app, format!("Function {}", function.name), text);
            }
        }
        PaneId::SqlCode => {
            if let Some(application) = app.application(view) {
                let columns: Vec<String> = application.columns.iter().map(|(name, kind)| format!("  {name:<22} {kind}")).collect();
                let text =
                    format!("{}\n\nInput {}\n{}", application.code.trim_end(), application.input.as_deref().unwrap_or("none"), columns.join("\n"));
                show(app, format!("Application {}", application.name), text);
            }
        }
        PaneId::InAppStreams => app.set_focus(PaneId::SqlRows),
        PaneId::SqlRows => {
            if let Some((name, text)) = chosen_row(app, view) {
                show(app, format!("A row of {name}"), text);
            }
        }
        PaneId::Delivery => return vec![Effect::Act(Act::Line("deliveries".to_owned()))],
        PaneId::Cost => go(app, Screen::Metrics),
        PaneId::Charts | PaneId::Accounting | PaneId::Timeline => {}
    }
    Vec::new()
}

/// The chosen row of the in-application stream shown, a line per column, and the stream's name.
fn chosen_row(app: &App, view: &SessionView) -> Option<(String, String)> {
    let stream = app.in_app_stream(view)?;
    let rows = rows::matching(app, stream);
    let row = rows.get(app.rows.selected.min(rows.len().saturating_sub(1)))?;
    Some((stream.name.clone(), rows::vertical(stream, row)))
}

/// The objects of the delivery stream shown.
pub(super) fn objects_of<'v>(app: &App, view: &'v SessionView) -> &'v [crate::engine::view::DeliveredView] {
    let all = &view.world.deliveries;
    all.get(app.delivery.min(all.len().saturating_sub(1))).map_or(&[], |stream| &stream.objects)
}

pub(super) fn selected_row<'v>(app: &'v App, view: &'v SessionView) -> Option<&'v JournalRow> {
    let rows = &app.journal_view(view).rows;
    app.journal.selected.and_then(|s| rows.iter().find(|r| r.sequence == s)).or_else(|| rows.last())
}

pub(super) fn open_guide_item(app: &mut App, view: &SessionView, item: GuideItem) -> Vec<Effect> {
    app.guide_item = Some(item);
    match item {
        GuideItem::Run(i) => match app.guide(view).runs.get(i) {
            Some(line) => {
                app.overlays.retain(|o| !matches!(o, Overlay::Guide(_)));
                run_line(app, &line.clone())
            }
            None => Vec::new(),
        },
        GuideItem::Check(i) => {
            app.overlays.push(Overlay::Explain(i));
            Vec::new()
        }
        GuideItem::Question(i) => {
            app.overlays.push(Overlay::Answer(AnswerBox { question: i, input: LineEdit::default(), selected: 0 }));
            Vec::new()
        }
    }
}

pub(super) fn record_text(record: &crate::engine::view::RecordView) -> String {
    format!(
        "sequence number  {}\narrived          {}\npartition key    {}\nsize             {}{}\n\n{}",
        record.sequence_number,
        record.arrived,
        record.partition_key,
        bytes(record.data_bytes),
        if record.user_records > 1 { format!(", {} user records inside", record.user_records) } else { String::new() },
        record.text
    )
}

pub(super) fn inspect_shard(app: &mut App, view: &SessionView) {
    let (Some(stream), Some(s)) = (app.stream(view), app.shard(view)) else { return };
    let mut text = format!(
        "{}  {}\nhash keys  {}\n           {}\n           {}\n",
        s.id,
        if s.open { "open: takes writes" } else { "closed: can only be read until its records expire" },
        hash_range(s.hash_start, s.hash_end, 8),
        s.hash_start,
        s.hash_end
    );
    if let Some(parent) = s.parent {
        let second = s.adjacent_parent.map_or(String::new(), |p| format!(" and {}", shard(p)));
        text.push_str(&format!("parent     {}{second}\n", shard(parent)));
    }
    text.push_str(&format!(
        "\nlast second\n  accepted {} records, {}  ({} and {} of the limits)\n  refused  {} records, {}\n  read     {} in {} calls\n",
        s.load.accepted_records,
        bytes(s.load.accepted_bytes),
        crate::tui::text::percent(permille(s.load.accepted_records, stream.write_records_per_second)),
        crate::tui::text::percent(permille(s.load.accepted_bytes, stream.write_bytes_per_second)),
        s.load.refused_records,
        bytes(s.load.refused_bytes),
        bytes(s.load.read_bytes),
        s.load.read_calls
    ));
    text.push_str(&format!("\nstored     {} records", crate::tui::text::grouped(s.stored_records)));
    if let Some((key, share)) = &s.hot_key {
        text.push_str(&format!("\nhot key    {key}: {} of its records in the last 10 s", crate::tui::text::percent(u64::from(*share))));
    }
    if let Some(record) = &s.last_record {
        text.push_str(&format!("\n\nnewest record\n{}", record_text(record)));
    }
    let title = format!("Shard {} of {}", shard(s.number), stream.name);
    show(app, title, text);
}

pub(super) fn copy(app: &mut App, view: &SessionView) -> Vec<Effect> {
    let text = match app.focus() {
        PaneId::Guide => match app.chosen_item(view, app.guide_is_strip()) {
            Some(GuideItem::Run(i)) => app.guide(view).runs.get(i).cloned(),
            _ => Some(view.lab.step.body.clone()),
        },
        PaneId::Journal => selected_row(app, view).map(|r| format!("{} {} {} {}", r.at, r.resource, r.kind, r.text)),
        PaneId::Record => app.shard(view).and_then(|s| s.last_record.as_ref()).map(record_text),
        PaneId::Objects => objects_of(app, view).get(app.object).map(|object| format!("s3://{}/{}", object.bucket, object.key)),
        PaneId::SqlRows => chosen_row(app, view).map(|(_, text)| text),
        PaneId::SqlCode => app.application(view).map(|application| application.code.clone()),
        PaneId::Programs => {
            let logs = view.world.producers.iter().map(|p| &p.log).chain(view.world.consumers.iter().map(|c| &c.log));
            logs.skip(app.program).map(|l| l.iter().map(|l| l.text.as_str()).collect::<Vec<_>>().join("\n")).next()
        }
        _ => app.shard(view).map(|s| s.id.clone()),
    };
    if let Some(text) = text.filter(|t| !t.is_empty()) {
        let first = crate::tui::text::clip_words(text.lines().next().unwrap_or(""), 40).into_owned();
        app.say(format!("Copied: {first}"), false);
        vec![Effect::Copy(text)]
    } else {
        app.say("There is nothing to copy here.", true);
        Vec::new()
    }
}
