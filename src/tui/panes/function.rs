//! Functions: what they did with their records, the last batch before and after, and their code.

use ratatui::layout::Rect;

use super::{Cx, frame, paged, scroll_to};
use crate::engine::view::FunctionView;
use crate::tui::action::ActionId;
use crate::tui::ids::PaneId;
use crate::tui::paint::Painter;
use crate::tui::text::{clip, clip_words, delay, grouped};
use crate::tui::theme::Role;

/// The lines of a function: text and role.
pub fn lines(cx: &Cx<'_>, function: &FunctionView) -> Vec<(String, Role)> {
    let (calls, errors, throttles) = function.counts;
    let rate = function.per_second.last().copied().unwrap_or(0);
    let mut lines = vec![(
        format!(
            "{} calls, {}/s, {} running, {} ms each   {errors} errors   {throttles} throttled",
            grouped(calls),
            rate,
            function.running,
            function.last_ms
        ),
        if errors > 0 { Role::Warn } else { Role::Text },
    )];
    if let Some(fault) = &function.fault {
        lines.push((format!("✗ fault: {fault}"), Role::Bad));
    }
    for mapping in &function.mappings {
        let role = if mapping.age_ms > 5000 { Role::Bad } else { Role::Text };
        lines.push((
            format!(
                "← {}   batch {}{}{}   iterator age {}   {}/{} shards{}",
                mapping.stream,
                mapping.batch_size,
                if mapping.how.is_empty() { "" } else { "   " },
                mapping.how,
                delay(mapping.age_ms),
                mapping.shards_seen,
                mapping.shards,
                if mapping.enabled { "" } else { "   disabled" }
            ),
            role,
        ));
        let (read, kept, dropped, again, given_up) = mapping.counts;
        if kept + dropped > 0 {
            lines.push((
                format!(
                    "read {} = kept {} + dropped {}   put again {}   given up {}",
                    grouped(read),
                    grouped(kept),
                    grouped(dropped),
                    grouped(again),
                    grouped(given_up)
                ),
                Role::Text,
            ));
        } else {
            lines.push((format!("read {}   given up {}", grouped(read), grouped(given_up)), Role::Text));
        }
        if mapping.result.starts_with("PROBLEM") {
            lines.push((mapping.result.clone(), Role::Bad));
        }
    }
    for stream in cx.view.world.deliveries.iter().filter(|stream| stream.function.as_deref() == Some(&function.name)) {
        let (ok, dropped, failed) = stream.transform_last;
        lines.push((
            format!("transforms {}: last batch {ok} Ok, {dropped} Dropped, {failed} failed", stream.name),
            if failed > 0 { Role::Warn } else { Role::Text },
        ));
        for sample in stream.samples.iter().take(3) {
            lines.push((format!("in   {}", sample.before), Role::Dim));
            lines.push((
                sample.after.as_ref().map_or_else(|| format!("out  {}", sample.result), |after| format!("out  {after}")),
                if sample.after.is_some() { Role::Text } else { Role::Warn },
            ));
        }
    }
    lines.push((format!("{}:", function.code.0), Role::Title));
    lines.extend(function.code.1.lines().map(|line| (line.to_owned(), Role::Dim)));
    lines
}

/// Draws the pane.
pub fn draw(cx: &Cx<'_>, area: Rect, p: &mut Painter<'_>) {
    let all = &cx.view.world.functions;
    let chosen = cx.app.function.min(all.len().saturating_sub(1));
    let Some(function) = all.get(chosen) else {
        let inner = frame(cx, PaneId::Function, area, p, "Function", "", &[], "");
        p.put(inner.x + 1, inner.y, inner.width.saturating_sub(2), &clip_words("No function yet.", inner.width.saturating_sub(2)), Role::Dim);
        return;
    };
    let right = function.target.as_ref().map_or_else(|| function.runtime.clone(), |target| format!("{} → {target}", function.runtime));
    let lines = lines(cx, function);
    let page = usize::from(area.height.saturating_sub(2));
    let from = scroll_to(0, 0, page, lines.len());
    let hidden = lines.len().saturating_sub(page);
    let note = if hidden > 0 { format!("{hidden} more lines") } else { String::new() };
    let title =
        if all.len() > 1 { format!("Function {} ({} of {})", function.name, chosen + 1, all.len()) } else { format!("Function {}", function.name) };
    let inner = frame(cx, PaneId::Function, area, p, &title, &right, &[cx.key(ActionId::Open, "code and log")], &note);
    paged(p, PaneId::Function, page, hidden, from);
    for (i, (text, role)) in lines.iter().take(page).enumerate() {
        let cells = inner.width.saturating_sub(2);
        p.put(inner.x + 1, inner.y + u16::try_from(i).unwrap_or(0), cells, &clip(text, cells), *role);
    }
}
