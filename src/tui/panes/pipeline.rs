//! Producers → streams → consumers as boxes and arrows, generated from the world. Every stream is as high as the boxes beside it, so arrows are
//! straight. An arrow shows records per second; dots move at the real ratio of the rates; an arrow that stands still is drawn `┄`. The first
//! broken stage is marked ✗ with its reason.

use ratatui::layout::Rect;

use super::{Cx, frame};
use crate::engine::view::{ApplicationView, BucketView, ConsumerView, DeliveryStreamView, FunctionView, ProducerView, StreamView, View};
use crate::tui::action::ActionId;
use crate::tui::hit::Target;
use crate::tui::ids::{PaneId, Screen};
use crate::tui::paint::Painter;
use crate::tui::text::{clip, clip_words, compact, delay, percent, plural, width};
use crate::tui::theme::Role;
use crate::tui::topology;

/// A box: up to three lines and their roles, and the records per second on its arrow.
struct Node {
    lines: Vec<(String, Role)>,
    rate: Option<u64>,
    target: Target,
}

fn producer(p: &ProducerView) -> Node {
    let (sign, role) = match p.state.as_str() {
        "failed" => (" ✗", Role::Bad),
        "blocked" => (" !", Role::Warn),
        _ => ("", Role::Accent),
    };
    let second = match p.state.as_str() {
        "running" | "blocked" => format!("{} {}/s", p.kind, compact(p.offered_per_second)),
        state => format!("{} {state}", p.kind),
    };
    let third = if p.state == "failed" {
        (p.log.last().map_or_else(|| "failed".to_owned(), |l| l.text.clone()), Role::Bad)
    } else if p.lag_ms > 0 {
        (format!("lag {}", delay(p.lag_ms)), if p.lag_ms > 2000 { Role::Bad } else { Role::Text })
    } else if p.refused_per_second > 0 {
        (format!("{}/s refused", compact(p.refused_per_second)), Role::Refused)
    } else if p.outstanding > 0 {
        (format!("{} in flight", compact(p.outstanding)), Role::Dim)
    } else {
        (String::new(), Role::Dim)
    };
    let running = matches!(p.state.as_str(), "running" | "blocked");
    Node {
        lines: vec![(format!("{}{sign}", p.name), role), (second, Role::Text), third],
        rate: running.then_some(p.acknowledged_per_second),
        target: Target::Box(Screen::Overview, PaneId::Programs),
    }
}

fn consumer(c: &ConsumerView, stream: &StreamView) -> Node {
    let reading = c.shards.iter().filter(|s| matches!(s.state.as_str(), "reading" | "throttled")).count();
    let behind = c.shards.iter().map(|s| s.behind_ms).max().unwrap_or(0);
    let broken = c.state == "failed" || c.shards.iter().any(|s| s.state == "crashed");
    let role = if broken { Role::Bad } else { Role::Accent };
    let sign = if broken { " ✗" } else { "" };
    let state = if c.state == "running" { plural(reading as u64, "shard") } else { c.state.clone() };
    let bytes: u64 = c.shards.iter().map(|s| s.bytes_per_second).sum();
    // The view counts bytes per consumer; records follow from the stream's mean record.
    let mean = stream.stored_bytes.checked_div(stream.stored_records).unwrap_or(0);
    let rate = bytes.checked_div(mean).unwrap_or(0);
    let third = if c.state == "running" {
        (format!("behind {}", delay(behind)), if behind > 10_000 { Role::Bad } else { Role::Text })
    } else {
        (String::new(), Role::Dim)
    };
    Node {
        lines: vec![(format!("{}{sign}", c.name), role), (format!("{} {state}", c.kind), Role::Text), third],
        rate: (c.state == "running").then_some(rate),
        target: Target::Box(Screen::Streams, PaneId::Consumers),
    }
}

fn stream_lines(s: &StreamView) -> Vec<(String, Role)> {
    let limit = s.shards.iter().filter(|x| x.open).map(topology::demand).max().unwrap_or(0);
    let state = if s.status == "ACTIVE" { s.mode.clone() } else { s.status.clone() };
    let refused = s.load.refused_records;
    let hot = if refused > 0 {
        (format!("✗ {}/s refused", compact(refused)), Role::Refused)
    } else if s.open_shards > 0 {
        (format!("busiest at {}", percent(limit)), if limit > 900 { Role::Warn } else { Role::Text })
    } else {
        (String::new(), Role::Dim)
    };
    vec![
        (s.name.clone(), Role::Accent),
        (format!("{}  {state}", plural(u64::from(s.open_shards), "shard")), if s.status == "ACTIVE" { Role::Text } else { Role::Warn }),
        hot,
    ]
}

/// A function as a reader of a stream, or as a writer into a delivery stream.
fn function(f: &FunctionView, stream: Option<&str>) -> Node {
    let age = f.mappings.iter().filter(|m| stream.is_none_or(|name| m.stream == name)).map(|m| m.age_ms).max();
    let broken = f.fault.is_some() || f.mappings.iter().any(|m| m.result.starts_with("PROBLEM"));
    let third = age.map_or((String::new(), Role::Dim), |age| (format!("age {}", delay(age)), if age > 5000 { Role::Bad } else { Role::Text }));
    let calls = f.per_second.last().copied().unwrap_or(0);
    Node {
        lines: vec![
            (format!("{}{}", f.name, if broken { " ✗" } else { "" }), if broken { Role::Bad } else { Role::Accent }),
            (format!("function {calls}/s"), Role::Text),
            third,
        ],
        rate: (calls > 0).then_some(calls * f.mappings.first().map_or(1, |m| m.batch_size)),
        target: Target::Box(Screen::Firehose, PaneId::Function),
    }
}

fn delivery_lines(d: &DeliveryStreamView) -> Vec<(String, Role)> {
    let share =
        crate::tui::text::permille(d.buffer_bytes, d.size_bytes.max(1)).max(crate::tui::text::permille(d.buffer_age_ms, d.interval_ms.max(1)));
    let third = if d.retries.is_empty() {
        (format!("buffer {}", percent(share)), Role::Text)
    } else {
        (format!("✗ {} tried again", plural(d.retries.len() as u64, "delivery").replace("deliverys", "deliveries")), Role::Bad)
    };
    vec![
        (d.name.clone(), Role::Accent),
        (
            if d.status == "ACTIVE" { format!("Firehose {}", d.format) } else { d.status.clone() },
            if d.status == "ACTIVE" { Role::Text } else { Role::Warn },
        ),
        third,
    ]
}

/// Where a delivery stream delivers: its bucket, or the destination's own interface.
fn destination(d: &DeliveryStreamView, buckets: &[BucketView]) -> Node {
    let bucket = d.destination.strip_prefix("s3://").and_then(|rest| rest.split('/').next());
    let found = bucket.and_then(|name| buckets.iter().find(|b| b.name == name));
    let (second, third) = match (bucket, found) {
        (Some(_), None) => (("no such bucket".to_owned(), Role::Bad), (String::new(), Role::Dim)),
        (_, Some(b)) => (
            (plural(b.objects, "object"), Role::Text),
            b.fault.as_ref().map_or_else(|| (crate::tui::text::bytes(b.bytes), Role::Text), |fault| (format!("✗ {fault}"), Role::Bad)),
        ),
        (None, None) => ((plural(d.taken.iter().map(|(_, n)| n).sum(), "record"), Role::Text), (d.trouble.clone().unwrap_or_default(), Role::Bad)),
    };
    let rate = d.objects.first().map(|object| object.records / 60);
    Node {
        lines: vec![(bucket.unwrap_or(&d.destination).to_owned(), Role::Accent), second, third],
        rate,
        target: Target::Box(Screen::Firehose, PaneId::Objects),
    }
}

/// The name and the reason of the first stage that stops the flow.
fn broken(view: &crate::engine::view::View) -> Option<String> {
    let failed = view.producers.iter().find(|p| p.state == "failed").map(|p| {
        let why = p.log.last().map_or("it stopped", |l| l.text.as_str());
        format!("✗ {}: {why}", p.name)
    });
    let missing = || {
        let without = view.producers.iter().find(|p| p.state != "stopped" && view.streams.iter().all(|s| s.name != p.target));
        without.map(|p| format!("✗ {} writes to {}, which does not exist", p.name, p.target))
    };
    let refusing = || {
        view.streams.iter().filter(|s| s.load.refused_records > 0).max_by_key(|s| s.load.refused_records).map(|s| {
            let hot = s.shards.iter().filter(|x| x.load.refused_records > 0).count();
            format!("✗ {} refuses {} records/s on {}", s.name, compact(s.load.refused_records), plural(hot as u64, "shard"))
        })
    };
    let behind = || {
        view.consumers
            .iter()
            .find(|c| c.state == "failed" || c.shards.iter().any(|s| s.state == "crashed"))
            .map(|c| format!("✗ {} has failed", c.name))
    };
    let undelivered = || view.deliveries.iter().find(|d| !d.retries.is_empty()).map(|d| format!("✗ {}: {}", d.name, d.retries[0]));
    let functions = || {
        let problem = |f: &FunctionView| f.mappings.iter().find(|m| m.result.starts_with("PROBLEM")).map(|m| format!("✗ {}: {}", f.name, m.result));
        view.functions.iter().find_map(problem)
    };
    failed.or_else(missing).or_else(refusing).or_else(behind).or_else(functions).or_else(undelivered)
}

fn draw_box(p: &mut Painter<'_>, area: Rect, lines: &[(String, Role)], target: Target) {
    let inner = p.frame(area, &crate::tui::paint::Frame::default());
    p.hit(area, target);
    let cells = inner.width.saturating_sub(2);
    let shown = lines.iter().take(usize::from(inner.height)).filter(|(t, _)| !t.is_empty());
    let count = lines.iter().take(usize::from(inner.height)).filter(|(t, _)| !t.is_empty()).count();
    let top = inner.y + (inner.height.saturating_sub(u16::try_from(count).unwrap_or(0))) / 2;
    for (i, (text, role)) in shown.enumerate() {
        // Names are one word, sentences are not.
        let text = if i == 0 { clip(text, cells) } else { clip_words(text, cells) };
        p.put(inner.x + 1, top + u16::try_from(i).unwrap_or(0), cells, &text, *role);
    }
}

/// An arrow with its rate: dots every second to fifth cell, moved by the phase at the ratio of `rate` to the fastest arrow.
fn arrow(cx: &Cx<'_>, p: &mut Painter<'_>, x: u16, y: u16, cells: u16, rate: Option<u64>, fastest: u64) {
    let g = p.glyphs;
    if cells < 3 {
        return;
    }
    let (start, len) = (x + 1, cells - 2);
    let Some(rate) = rate.filter(|r| *r > 0) else {
        p.repeat(start, y, len, g.gap, Role::Dim);
        return;
    };
    let ratio = rate * 1000 / fastest.max(1);
    let apart: u64 = match ratio {
        500.. => 2,
        200..=499 => 3,
        _ => 5,
    };
    let moved = if cx.app.look.motion { u64::from(cx.app.phase) * ratio / 1000 } else { 0 };
    for i in 0..len {
        let on = (u64::from(i) + apart - moved % apart) % apart == apart - 1;
        let (sign, role) = if on { (g.flow, Role::Series1) } else { (g.track, Role::Border) };
        p.sign(start + i, y, sign, role);
    }
}

fn rate_under(p: &mut Painter<'_>, x: u16, y: u16, cells: u16, rate: Option<u64>) {
    if let Some(rate) = rate {
        let text = format!("{}/s", compact(rate));
        let text = clip(&text, cells.saturating_sub(1));
        let at = x + (cells.saturating_sub(width(&text))) / 2;
        p.put(at, y, cells, &text, Role::Text);
    }
}

struct Group {
    /// The box in the middle: its lines and where it leads; `None` when it does not exist.
    middle: Option<(Vec<(String, Role)>, Target)>,
    left: Vec<Node>,
    right: Vec<Node>,
}

fn application(a: &ApplicationView) -> Node {
    Node {
        lines: vec![
            (a.name.clone(), Role::Accent),
            (format!("SQL {}", a.status), Role::Text),
            (
                if a.errors > 0 { format!("{} error rows", compact(a.errors)) } else { format!("{} rows", compact(a.records)) },
                if a.errors > 0 { Role::Warn } else { Role::Text },
            ),
        ],
        rate: a.streams.first().map(|stream| stream.per_second),
        target: Target::Box(Screen::Analytics, PaneId::InAppStreams),
    }
}

/// Streams with those who write and read, then delivery streams with theirs.
fn groups(world: &View) -> Vec<Group> {
    let streams = world.streams.iter().map(|s| {
        let readers = world.consumers.iter().filter(|c| c.stream == s.name).map(|c| consumer(c, s));
        let functions = world.functions.iter().filter(|f| f.mappings.iter().any(|m| m.stream == s.name)).map(|f| function(f, Some(&s.name)));
        let deliveries = world.deliveries.iter().filter(|d| d.source_stream.as_deref() == Some(&s.name)).map(|d| Node {
            lines: delivery_lines(d),
            rate: Some(s.load.accepted_records),
            target: Target::Box(Screen::Firehose, PaneId::Delivery),
        });
        let applications = world.applications.iter().filter(|a| a.input.as_deref() == Some(&s.name)).map(application);
        Group {
            middle: Some((stream_lines(s), Target::Box(Screen::Streams, PaneId::Shards))),
            left: world.producers.iter().filter(|x| x.target == s.name).map(producer).collect(),
            right: readers.chain(functions).chain(deliveries).chain(applications).collect(),
        }
    });
    let deliveries = world.deliveries.iter().map(|d| {
        let source = format!("delivery stream {}", d.name);
        let applications = world.applications.iter().filter(|a| a.input.as_deref() == Some(&source)).map(application);
        Group {
            middle: Some((delivery_lines(d), Target::Box(Screen::Firehose, PaneId::Delivery))),
            left: world.functions.iter().filter(|f| f.target.as_deref() == Some(&d.name)).map(|f| function(f, None)).collect(),
            right: std::iter::once(destination(d, &world.buckets)).chain(applications).collect(),
        }
    });
    streams.chain(deliveries).collect()
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let world = &cx.view.world;
    let keys = [cx.key(ActionId::Open, "open its screen")];
    let inner = frame(cx, PaneId::Pipeline, area, p, "Pipeline", "records/s on the arrows", &keys, "");
    if inner.height == 0 || inner.width < 30 {
        return;
    }
    if world.streams.is_empty() && world.producers.is_empty() && world.consumers.is_empty() && world.deliveries.is_empty() {
        p.put(inner.x + 1, inner.y, inner.width - 1, "Nothing is here yet: no producer, no stream, no consumer.", Role::Dim);
        if inner.height > 1 {
            p.put(inner.x + 1, inner.y + 1, inner.width - 1, &clip_words("The guide says what to create first.", inner.width - 1), Role::Dim);
        }
        return;
    }
    let mut groups = groups(world);
    // Producers and consumers whose stream does not exist (yet) stand alone, so that nothing is hidden.
    let nowhere = StreamView { status: "none".to_owned(), ..StreamView::default() };
    let lonely_left: Vec<Node> = world.producers.iter().filter(|x| world.streams.iter().all(|s| s.name != x.target)).map(producer).collect();
    let lonely_right: Vec<Node> =
        world.consumers.iter().filter(|c| world.streams.iter().all(|s| s.name != c.stream)).map(|c| consumer(c, &nowhere)).collect();
    if !lonely_left.is_empty() || !lonely_right.is_empty() {
        groups.push(Group { middle: None, left: lonely_left, right: lonely_right });
    }
    let rates = groups.iter().flat_map(|g| g.left.iter().chain(&g.right)).filter_map(|n| n.rate);
    let fastest = rates.max().unwrap_or(0);
    let reason = broken(world);
    // A line for the reason, where boxes of the height they need leave one.
    let tallest = |g: &Group| g.left.len().max(g.right.len()).max(1);
    let rows: usize = groups.iter().map(&tallest).sum();
    let height = usize::from(inner.height);
    let box_height: u16 = if rows * 5 < height { 5 } else { 4 };
    let spare = height.saturating_sub(rows * usize::from(box_height));
    let note = u16::from(reason.is_some() && spare > 0);
    let arrow_cells = (inner.width / 10).clamp(7, 14);
    let boxes = inner.width.saturating_sub(2 * arrow_cells + 2);
    let side = boxes / 3;
    let middle = boxes - 2 * side;
    let (x0, x1) = (inner.x + 1, inner.x + 1 + side);
    let (x2, x3) = (x1 + arrow_cells, x1 + arrow_cells + middle);
    let x4 = x3 + arrow_cells;
    let mut y = inner.y;
    let bottom = inner.bottom() - note;
    let mut hidden = 0;
    for group in &groups {
        let rows = u16::try_from(tallest(group)).unwrap_or(u16::MAX);
        let fits = (bottom - y) / box_height;
        if fits == 0 {
            hidden += group.left.len() + group.right.len() + 1;
            continue;
        }
        let rows = rows.min(fits);
        let whole = Rect::new(x2, y, middle, rows * box_height);
        match &group.middle {
            None => {
                p.put(x2, y + 1, middle, &clip_words("(this stream does not exist)", middle), Role::Bad);
            }
            Some((lines, target)) => draw_box(p, whole, lines, target.clone()),
        }
        for (side_x, arrow_x, nodes) in [(x0, x1, &group.left), (x4, x3, &group.right)] {
            hidden += nodes.len().saturating_sub(usize::from(rows));
            for (i, node) in nodes.iter().take(usize::from(rows)).enumerate() {
                let top = y + u16::try_from(i).unwrap_or(0) * box_height;
                draw_box(p, Rect::new(side_x, top, side, box_height), &node.lines, node.target.clone());
                arrow(cx, p, arrow_x, top + 1, arrow_cells, node.rate, fastest);
                rate_under(p, arrow_x, top + 2, arrow_cells, node.rate);
            }
        }
        y += rows * box_height;
    }
    if hidden > 0 {
        p.put_right(
            area.x + 2,
            area.right() - 2,
            area.bottom() - 1,
            &format!(" {hidden} more: {} zooms ", cx.app.look.keymap.name(ActionId::Zoom)),
            Role::Warn,
        );
    }
    if let Some(reason) = reason.filter(|_| note > 0) {
        p.put(inner.x + 1, inner.bottom() - 1, inner.width - 2, &clip_words(&reason, inner.width - 2), Role::Bad);
    }
}
