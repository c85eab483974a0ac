//! Words and numbers as they appear in cells: widths, clipping at word borders, units. Pure functions, no styles.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::engine::kinesis::hash::HashKey;

/// Cells that `text` takes.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// The longest start of `text` that fits in `cells`.
fn prefix(text: &str, cells: u16) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        let w = c.width().unwrap_or(0);
        if used + w > usize::from(cells) {
            return &text[..at];
        }
        used += w;
    }
    text
}

/// `text` cut to `cells` with `…` when something is missing.
pub fn clip(text: &str, cells: u16) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    match cells {
        0 => Cow::Borrowed(""),
        _ => Cow::Owned(format!("{}…", prefix(text, cells - 1))),
    }
}

/// Like [`clip`], but cuts between words unless the first word alone is too long.
pub fn clip_words(text: &str, cells: u16) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let head = prefix(text, cells.saturating_sub(2));
    match head.rfind(' ') {
        Some(at) if at > 0 && cells > 2 => {
            let whole = if text[head.len()..].starts_with(' ') { head } else { &head[..at] };
            Cow::Owned(format!("{} …", whole.trim_end_matches([' ', ',', ';', ':'])))
        }
        _ => clip(text, cells),
    }
}

/// Breaks `text` into lines of at most `cells` at spaces; words that are too long are broken where the line ends.
pub fn wrap(text: &str, cells: u16) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut rest = word;
        let w = width(rest);
        if used > 0 && used + 1 + w <= cells {
            push(&mut lines, " ");
            push(&mut lines, rest);
            used += 1 + w;
            continue;
        }
        if used > 0 {
            lines.push(String::new());
        }
        while width(rest) > cells {
            let head = prefix(rest, cells);
            // A wide character in a one-cell line: take it anyway, the painter clips it.
            let at = if head.is_empty() { rest.chars().next().map_or(rest.len(), char::len_utf8) } else { head.len() };
            push(&mut lines, &rest[..at]);
            lines.push(String::new());
            rest = &rest[at..];
        }
        push(&mut lines, rest);
        used = width(rest);
    }
    lines
}

/// Breaks `text` at its line ends and where `cells` are full, and keeps every space: for data, JSON and logs.
pub fn chop(text: &str, cells: u16) -> Vec<String> {
    let cells = cells.max(2);
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut rest = line;
        loop {
            let head = prefix(rest, cells);
            lines.push(head.to_owned());
            rest = &rest[head.len()..];
            if rest.is_empty() || head.is_empty() {
                break;
            }
        }
    }
    lines
}

/// Like [`wrap`], but at most `most` lines; the last ends with `…` when something is missing.
pub fn wrap_most(text: &str, cells: u16, most: usize) -> Vec<String> {
    let mut lines = wrap(text, cells);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = if width(last) + 2 <= cells { format!("{last} …") } else { clip_words(&format!("{last} …"), cells).into_owned() };
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// `4120` as `4 120`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// A count in at most five cells: `971`, `11900`, `195k`, `12M`.
pub fn compact(n: u64) -> String {
    match n {
        0..=99_999 => n.to_string(),
        100_000..=9_999_999 => format!("{}k", n / 1000),
        10_000_000..=9_999_999_999 => format!("{}M", n / 1_000_000),
        _ => format!("{}G", (n / 1_000_000_000).min(9999)),
    }
}

/// Whole KiB, rounded to the nearest.
pub fn kib(bytes: u64) -> u64 {
    bytes.saturating_add(512) / 1024
}

/// `142 B`, `6.1 KiB`, `1.00 MiB`.
pub fn bytes(n: u64) -> String {
    let unit = |size: u64, decimals: u64, name: &str| {
        let scaled = u128::from(n) * u128::from(decimals) / u128::from(size);
        let d = u128::from(decimals);
        let digits = if decimals == 10 { 1 } else { 2 };
        format!("{}.{:0digits$} {name}", scaled / d, scaled % d)
    };
    match n {
        0..=1023 => format!("{n} B"),
        1024..=1_048_575 => unit(1 << 10, 10, "KiB"),
        1_048_576..=1_073_741_823 => unit(1 << 20, 100, "MiB"),
        _ => unit(1 << 30, 100, "GiB"),
    }
}

/// A delay: `0.2s`, `47.2s`, `3m07s`, `2h05m`.
pub fn delay(ms: u64) -> String {
    match ms {
        0..=99_949 => {
            let tenths = (ms + 50) / 100;
            format!("{}.{}s", tenths / 10, tenths % 10)
        }
        99_950..=3_599_999 => format!("{}m{:02}s", ms / 60_000, ms / 1000 % 60),
        _ => format!("{}h{:02}m", ms / 3_600_000, ms / 60_000 % 60),
    }
}

/// A length of time: `03:12`, `1:00:00`.
pub fn span(us: u64) -> String {
    let s = us / 1_000_000;
    if s < 3600 { format!("{:02}:{:02}", s / 60, s % 60) } else { format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60) }
}

/// Nano-dollars as `$0.071`, with more digits for small amounts so that nothing that costs is shown as nothing.
pub fn dollars(nano: u64) -> String {
    match nano {
        0 => "$0".to_owned(),
        1..=999 => format!("$0.{nano:09}"),
        1000..=999_999 => format!("$0.{:06}", nano / 1000),
        _ => {
            let milli = nano.saturating_add(500_000) / 1_000_000;
            format!("${}.{:03}", milli / 1000, milli % 1000)
        }
    }
}

/// Permille as whole percent, rounded to the nearest: `95 %`.
pub fn percent(permille: u64) -> String {
    format!("{} %", permille.saturating_add(5) / 10)
}

/// `value` in permille of `of`; 0 when `of` is 0. Saturates.
pub fn permille(value: u64, of: u64) -> u64 {
    if of == 0 { 0 } else { u64::try_from(u128::from(value) * 1000 / u128::from(of)).unwrap_or(u64::MAX) }
}

/// First hex digits of a hash key: `2aaa…` with `digits` digits.
pub fn hex(key: HashKey, digits: usize) -> String {
    let full = format!("{:032x}", key.0);
    let digits = digits.clamp(1, 32);
    if digits == 32 { full } else { format!("{}…", &full[..digits]) }
}

/// `00…–3f…`.
pub fn hash_range(start: HashKey, end: HashKey, digits: usize) -> String {
    format!("{}–{}", hex(start, digits), hex(end, digits))
}

/// Short number of a shard, `0002`.
pub fn shard(number: u32) -> String {
    format!("{number:04}")
}

/// `1 shard`, `6 shards`.
pub fn plural(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_never_cuts_inside_a_word() {
        assert_eq!(clip_words("one partition key sends", 13), "one …");
        assert_eq!(clip_words("one partition key sends", 15), "one partition …");
        assert_eq!(clip_words("one partition key sends", 23), "one partition key sends");
        assert_eq!(clip_words("shardId-000000000002", 8), "shardId…");
        assert_eq!(clip_words("ab cd", 0), "");
        assert_eq!(clip("日本語", 4), "日…");
    }

    #[test]
    fn wrapping_keeps_every_character() {
        assert_eq!(wrap("a bb ccc dddd", 5), ["a bb", "ccc", "dddd"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
        assert_eq!(wrap("日本", 1).concat(), "日本");
        assert_eq!(chop("{\n  \"a\": 1234\n\n}", 7), ["{", "  \"a\": ", "1234", "", "}"]);
        assert_eq!(wrap_most("aaa bbb ccc", 7, 1), ["aaa …"]);
        assert_eq!(wrap_most("aaa bbb ccc", 9, 1), ["aaa bbb …"]);
        assert_eq!(wrap_most("aaa bbb ccc", 7, 2), ["aaa bbb", "ccc"]);
    }

    #[test]
    fn numbers() {
        assert_eq!(grouped(1_234_567), "1 234 567");
        assert_eq!(grouped(12), "12");
        assert_eq!(compact(195_400), "195k");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(6_246), "6.0 KiB");
        assert_eq!(bytes(1_048_576), "1.00 MiB");
        assert_eq!(delay(1_940), "1.9s");
        assert_eq!(delay(187_000), "3m07s");
        assert_eq!(span(192_000_000), "03:12");
        assert_eq!(dollars(71_400_000), "$0.071");
        assert_eq!(dollars(14_000), "$0.000014");
        assert_eq!(percent(948), "95 %");
        assert_eq!(permille(5, 0), 0);
        assert_eq!(hash_range(HashKey(0), HashKey(u128::MAX >> 2), 2), "00…–3f…");
    }
}
