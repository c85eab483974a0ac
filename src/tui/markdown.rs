//! The guide's language: Markdown with the directives of lab files, parsed into blocks and wrapped into lines of roles.
//!
//! Supported: headings, paragraphs, lists (nested, numbered), emphasis, code, tables, fenced code, ` ```run ` (commands that Enter runs),
//! `:::see`, `:::transfer`, `:::quiz` and `:::note speaker` (never shown here). An unknown directive shows its text; nothing is lost.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::ids::GuideItem;
use super::text::{clip, width, wrap};
use super::theme::Role;

/// One line of the guide, ready to draw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuideLine {
    /// Pieces of text with their roles.
    pub pieces: Vec<(String, Role)>,
    /// What Enter does here.
    pub item: Option<GuideItem>,
}

impl GuideLine {
    /// A line of one role.
    pub fn plain(text: impl Into<String>, role: Role) -> Self {
        Self { pieces: vec![(text.into(), role)], item: None }
    }
}

type Inline = Vec<(String, Role)>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    Heading(Inline),
    Paragraph(Inline),
    Item { depth: usize, marker: String, text: Inline },
    Code(Vec<String>),
    Run(Vec<String>),
    Table(Vec<Vec<String>>),
    Aside { label: &'static str, role: Role, blocks: Vec<Block> },
    Rule,
}

/// A parsed guide text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guide {
    blocks: Vec<Block>,
    /// Commands of the run blocks in order, one per line; a backslash at the end of a line continues it.
    pub runs: Vec<String>,
}

/// Commands in the text of a run block.
fn commands(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (part, continues) = line.strip_suffix('\\').map_or((line, false), |l| (l.trim_end(), true));
        match all.last_mut() {
            Some(last) if open => {
                last.push(' ');
                last.push_str(part);
            }
            _ => all.push(part.to_owned()),
        }
        open = continues;
    }
    all
}

impl Guide {
    /// Parses the body of a step. Total: any text gives a guide.
    pub fn parse(body: &str) -> Self {
        let mut guide = Self { blocks: blocks(body, 0), runs: Vec::new() };
        collect_runs(&guide.blocks, &mut guide.runs);
        guide
    }

    /// Lines of at most `cells` cells.
    pub fn lines(&self, cells: u16) -> Vec<GuideLine> {
        let mut out = Vec::new();
        let mut run = 0;
        lay_out(&self.blocks, cells.max(4), &mut run, &mut out);
        while out.last().is_some_and(|l: &GuideLine| l.pieces.is_empty()) {
            out.pop();
        }
        out
    }
}

fn collect_runs(blocks: &[Block], runs: &mut Vec<String>) {
    for block in blocks {
        match block {
            Block::Run(lines) => runs.extend(lines.iter().cloned()),
            Block::Aside { blocks, .. } => collect_runs(blocks, runs),
            _ => {}
        }
    }
}

/// Splits off `:::` directives (which are no Markdown) outside fenced code, and parses the rest.
fn blocks(body: &str, depth: usize) -> Vec<Block> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut lines = body.lines();
    let mut fenced = false;
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        }
        let Some(head) = trimmed.strip_prefix(":::").map(str::trim).filter(|h| !fenced && !h.is_empty()) else {
            if fenced || trimmed != ":::" {
                plain.push_str(line);
                plain.push('\n');
            }
            continue;
        };
        markdown(&std::mem::take(&mut plain), &mut out);
        let mut inner = String::new();
        let mut open = 1;
        for line in lines.by_ref() {
            let trimmed = line.trim_start();
            if trimmed == ":::" {
                open -= 1;
                if open == 0 {
                    break;
                }
            } else if trimmed.starts_with(":::") {
                open += 1;
            }
            inner.push_str(line);
            inner.push('\n');
        }
        // Directives inside directives are parsed, but only so deep: a lab file cannot exhaust the stack.
        let inside = |text: &str| if depth < 4 { blocks(text, depth + 1) } else { vec![Block::Paragraph(vec![(text.to_owned(), Role::Text)])] };
        match head.split_whitespace().next().unwrap_or("") {
            "note" => {}
            "see" => out.push(Block::Aside { label: "see", role: Role::Hint, blocks: inside(&inner) }),
            "transfer" => out.push(Block::Aside { label: "on AWS", role: Role::Accent, blocks: inside(&inner) }),
            "quiz" => out.push(Block::Aside { label: "quiz", role: Role::Warn, blocks: inside(&inner) }),
            _ => out.extend(inside(&inner)),
        }
    }
    markdown(&plain, &mut out);
    out
}

#[derive(Default)]
struct Reader {
    inline: Inline,
    strong: usize,
    emphasis: usize,
    lists: Vec<Option<u64>>,
    item: Option<String>,
    code: Option<(bool, String)>,
    table: Vec<Vec<String>>,
    quote: usize,
}

impl Reader {
    fn role(&self) -> Role {
        if self.strong > 0 {
            Role::Title
        } else if self.emphasis > 0 {
            Role::Accent
        } else {
            Role::Text
        }
    }

    fn flush(&mut self, out: &mut Vec<Block>) {
        let text = std::mem::take(&mut self.inline);
        if text.iter().all(|(t, _)| t.trim().is_empty()) && self.item.is_none() {
            return;
        }
        if self.lists.is_empty() {
            out.push(Block::Paragraph(text));
        } else {
            // The second paragraph of an item has no marker of its own.
            let marker = self.item.take().unwrap_or_default();
            out.push(Block::Item { depth: self.lists.len() - 1, marker, text });
        }
    }
}

fn markdown(text: &str, out: &mut Vec<Block>) {
    let mut r = Reader::default();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Heading { .. } | Tag::Paragraph) => {}
            Event::End(TagEnd::Heading(level)) => {
                let text = std::mem::take(&mut r.inline);
                let role = if matches!(level, HeadingLevel::H1 | HeadingLevel::H2) { Role::Title } else { Role::Accent };
                out.push(Block::Heading(text.into_iter().map(|(t, _)| (t, role)).collect()));
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item) => r.flush(out),
            Event::Start(Tag::List(start)) => {
                if !r.inline.is_empty() || r.item.is_some() {
                    r.flush(out);
                }
                r.lists.push(start);
            }
            Event::End(TagEnd::List(_)) => {
                r.lists.pop();
            }
            Event::Start(Tag::Item) => {
                let marker = match r.lists.last_mut() {
                    Some(Some(n)) => {
                        *n += 1;
                        format!("{}.", *n - 1)
                    }
                    _ => "•".to_owned(),
                };
                r.item = Some(marker);
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let run = matches!(&kind, CodeBlockKind::Fenced(info) if info.split_whitespace().next() == Some("run"));
                if !r.inline.is_empty() {
                    r.flush(out);
                }
                r.code = Some((run, String::new()));
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((run, text)) = r.code.take() {
                    out.push(if run { Block::Run(commands(&text)) } else { Block::Code(text.lines().map(str::to_owned).collect()) });
                }
            }
            Event::Start(Tag::Strong) => r.strong += 1,
            Event::End(TagEnd::Strong) => r.strong = r.strong.saturating_sub(1),
            Event::Start(Tag::Emphasis) => r.emphasis += 1,
            Event::End(TagEnd::Emphasis) => r.emphasis = r.emphasis.saturating_sub(1),
            Event::Start(Tag::BlockQuote(_)) => r.quote += 1,
            Event::End(TagEnd::BlockQuote(_)) => r.quote = r.quote.saturating_sub(1),
            Event::Start(Tag::TableHead | Tag::TableRow) => r.table.push(Vec::new()),
            Event::End(TagEnd::TableCell) => {
                let cell = std::mem::take(&mut r.inline).into_iter().map(|(t, _)| t).collect();
                if let Some(row) = r.table.last_mut() {
                    row.push(cell);
                }
            }
            Event::End(TagEnd::Table) => out.push(Block::Table(std::mem::take(&mut r.table))),
            Event::Text(t) => {
                if let Some((_, text)) = &mut r.code {
                    text.push_str(&t);
                } else {
                    let role = if r.quote > 0 { Role::Dim } else { r.role() };
                    r.inline.push((t.to_string(), role));
                }
            }
            Event::Code(t) | Event::InlineHtml(t) | Event::Html(t) => r.inline.push((t.to_string(), Role::Accent)),
            Event::SoftBreak => r.inline.push((" ".to_owned(), r.role())),
            Event::HardBreak => r.inline.push(("\n".to_owned(), Role::Text)),
            Event::Rule => out.push(Block::Rule),
            _ => {}
        }
    }
    if !r.inline.is_empty() {
        r.flush(out);
    }
}

/// Breaks inline text into lines; the first is indented by `first`, the others by as many spaces.
fn flow(text: &Inline, cells: u16, first: &str, first_role: Role, out: &mut Vec<GuideLine>) {
    let indent = width(first);
    let room = cells.saturating_sub(indent).max(1);
    let mut line = GuideLine { pieces: vec![(first.to_owned(), first_role)], item: None };
    let mut used = 0;
    let mut space = false;
    let blank = " ".repeat(usize::from(indent));
    let next = |line: &mut GuideLine, out: &mut Vec<GuideLine>| {
        out.push(std::mem::replace(line, GuideLine { pieces: vec![(blank.clone(), Role::Text)], item: None }));
    };
    for (piece, role) in text {
        let mut rest = piece.as_str();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('\n') {
                next(&mut line, out);
                (used, space, rest) = (0, false, after);
                continue;
            }
            let trimmed = rest.trim_start_matches(' ');
            space |= trimmed.len() < rest.len();
            let end = trimmed.find([' ', '\n']).unwrap_or(trimmed.len());
            let (word, after) = trimmed.split_at(end);
            rest = after;
            if word.is_empty() {
                continue;
            }
            let gap = u16::from(space && used > 0);
            if used > 0 && used + gap + width(word) > room {
                // A word that hangs on the one before (no space between) may not be torn from it, unless it cannot fit anyway.
                next(&mut line, out);
                used = 0;
            }
            if space && used > 0 {
                line.pieces.push((" ".to_owned(), *role));
                used += 1;
            }
            space = false;
            for (i, part) in wrap(word, room).into_iter().enumerate() {
                if i > 0 {
                    next(&mut line, out);
                    used = 0;
                }
                used += width(&part);
                line.pieces.push((part, *role));
            }
        }
    }
    out.push(line);
}

fn blank(out: &mut Vec<GuideLine>) {
    if out.last().is_some_and(|l| !l.pieces.is_empty()) {
        out.push(GuideLine::default());
    }
}

fn lay_out(blocks: &[Block], cells: u16, run: &mut usize, out: &mut Vec<GuideLine>) {
    let mut list = false;
    for block in blocks {
        let is_item = matches!(block, Block::Item { .. });
        if !(list && is_item) {
            blank(out);
        }
        list = is_item;
        match block {
            Block::Heading(text) => flow(text, cells, "", Role::Title, out),
            Block::Paragraph(text) => flow(text, cells, "", Role::Text, out),
            Block::Item { depth, marker, text } => {
                let marker = if marker.is_empty() { "  ".to_owned() } else { format!("{marker} ") };
                flow(text, cells, &format!("{}{marker}", "  ".repeat((*depth).min(4))), Role::Text, out);
            }
            Block::Code(lines) => {
                for line in lines {
                    // Code is never wrapped: a broken line would be another program. What is cut says so.
                    out.push(GuideLine {
                        pieces: vec![("  ".to_owned(), Role::Text), (clip(line, cells.saturating_sub(2)).into_owned(), Role::Dim)],
                        item: None,
                    });
                }
            }
            Block::Run(commands) => {
                for command in commands {
                    let from = out.len();
                    flow(&vec![(command.clone(), Role::Accent)], cells, "$ ", Role::Key, out);
                    for line in &mut out[from..] {
                        line.item = Some(GuideItem::Run(*run));
                    }
                    *run += 1;
                }
            }
            Block::Table(rows) => table(rows, cells, out),
            Block::Aside { label, role, blocks } => {
                let mut inner = Vec::new();
                lay_out(blocks, cells.saturating_sub(2), run, &mut inner);
                while inner.last().is_some_and(|l| l.pieces.is_empty()) {
                    inner.pop();
                }
                out.push(GuideLine::plain(format!("│ {label}"), *role));
                for line in inner {
                    let mut pieces = vec![("│ ".to_owned(), *role)];
                    pieces.extend(line.pieces);
                    out.push(GuideLine { pieces, item: line.item });
                }
            }
            Block::Rule => out.push(GuideLine::plain("─".repeat(usize::from(cells)), Role::Border)),
        }
    }
}

fn table(rows: &[Vec<String>], cells: u16, out: &mut Vec<GuideLine>) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(|i| rows.iter().filter_map(|r| r.get(i)).map(|c| usize::from(width(c))).max().unwrap_or(0)).collect();
    for (n, row) in rows.iter().enumerate() {
        let mut text = String::new();
        for (cell, w) in row.iter().zip(&widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(w.saturating_sub(usize::from(width(cell))) + 2));
        }
        let role = if n == 0 { Role::Title } else { Role::Text };
        out.push(GuideLine::plain(clip(text.trim_end(), cells).into_owned(), role));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str, cells: u16) -> Vec<String> {
        Guide::parse(body).lines(cells).iter().map(|l| l.pieces.iter().map(|(t, _)| t.as_str()).collect::<String>().trim_end().to_owned()).collect()
    }

    #[test]
    fn a_step_of_lab_1() {
        let body = "The original command replays **30 minutes of trips every second**.\n\n```run\nm\n```\n\nPress `m` and wait:\n\n    all events (5443 events/sec)\n\n:::see pane=\"shards\" for=\"30s\"\nSix pairs of bars.\n:::\n\n:::note speaker\nAsk the room.\n:::\n\n1. One\n2. Two\n   - nested\n";
        insta::assert_snapshot!(shown(body, 34).join("\n"), @r"
        The original command replays 30
        minutes of trips every second.

        $ m

        Press m and wait:

          all events (5443 events/sec)

        │ see
        │ Six pairs of bars.

        1. One
        2. Two
          • nested
        ");
        assert!(!shown(body, 34).concat().contains("Ask the room"));
    }

    #[test]
    fn run_blocks_are_commands() {
        let guide = Guide::parse("```run\naws kinesis create-stream \\\n  --shard-count 6\n\nhint\n```\n:::quiz\n```run\nanswer q yes\n```\n:::");
        assert_eq!(guide.runs, ["aws kinesis create-stream --shard-count 6", "hint", "answer q yes"]);
        let items: Vec<_> = guide.lines(20).into_iter().filter_map(|l| l.item).collect();
        assert_eq!(items.first(), Some(&GuideItem::Run(0)));
        assert_eq!(items.last(), Some(&GuideItem::Run(2)));
    }

    #[test]
    fn emphasis_has_roles_and_no_line_is_too_long() {
        let guide = Guide::parse("a *b* **c** `d`  \nnext");
        let lines = guide.lines(40);
        let roles: Vec<_> = lines[0].pieces.iter().filter(|(t, _)| !t.trim().is_empty()).map(|(t, r)| (t.as_str(), *r)).collect();
        assert_eq!(roles, [("a", Role::Text), ("b", Role::Accent), ("c", Role::Title), ("d", Role::Accent)]);
        for cells in 4..30 {
            for line in
                Guide::parse("# A heading that is long\n- item with averyveryverylongword inside\n\n| a | b |\n|---|---|\n| 1 | two |").lines(cells)
            {
                assert!(line.pieces.iter().map(|(t, _)| width(t)).sum::<u16>() <= cells, "{line:?} at {cells}");
            }
        }
    }

    #[test]
    fn broken_directives_lose_nothing() {
        assert!(shown(":::see\nnever closed", 30).concat().contains("never closed"));
        assert!(shown(":::odd thing\ninside\n:::\nafter", 30).concat().contains("inside"));
        assert!(shown("```\n:::see\ncode\n```", 30).concat().contains(":::see"));
        let deep = ":::see\n".repeat(5000);
        assert!(!shown(&deep, 30).is_empty());
    }
}
