//! The regular expressions of the model: the text AWS prints, and a matcher that agrees with it on whole values.

use super::ModelYear;

/// A pattern a text must match as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Letters, digits, `_`, `.` and `-`: names of streams and consumers, shard ids.
    Name,
    /// `0` or up to 39 digits without leading zero.
    HashKey,
    /// `0` or up to 129 digits without leading zero.
    SequenceNumber,
    /// ARN of a stream.
    StreamArn,
    /// ARN of a consumer.
    ConsumerArn,
    /// ARN of a stream or of something in it.
    ResourceArn,
    /// 20 + `-` + 3 of `[a-z0-9]`.
    StreamId,
    /// An expression of a model file.
    Regex(&'static RegexPattern),
}

/// An expression of a model file with the text AWS prints.
#[derive(Debug)]
pub struct RegexPattern {
    text: &'static str,
    whole: regex::Regex,
}

impl RegexPattern {
    /// Compiles the expression; it must match whole values.
    ///
    /// # Errors
    /// The reason, when it is no expression.
    pub fn new(text: &'static str) -> Result<Self, String> {
        let whole = regex::Regex::new(&format!("^(?s:{text})$")).map_err(|error| error.to_string())?;
        Ok(Self { text, whole })
    }
}

impl PartialEq for RegexPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for RegexPattern {}

impl Pattern {
    /// The expression as AWS prints it.
    pub const fn text(self, year: ModelYear) -> &'static str {
        match (self, year) {
            (Self::Name, _) => r"[a-zA-Z0-9_.-]+",
            (Self::HashKey, ModelYear::Y2018) => r"0|([1-9]\d{0,38})",
            (Self::HashKey, ModelYear::Current) => r"^(0|([1-9]\d{0,38}))$",
            (Self::SequenceNumber, ModelYear::Y2018) => r"0|([1-9]\d{0,128})",
            (Self::SequenceNumber, ModelYear::Current) => r"^(0|([1-9]\d{0,128}))$",
            (Self::StreamArn, _) => r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+",
            (Self::ConsumerArn, _) => r"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+",
            (Self::ResourceArn, _) => r"arn:aws.*:kinesis:.*:\d{12}:.*(stream|channel|queue)/\S+",
            (Self::StreamId, _) => r"[a-z0-9]{20}-[a-z0-9]{3}",
            (Self::Regex(pattern), _) => pattern.text,
        }
    }

    /// Whether the whole text matches.
    pub fn matches(self, text: &str) -> bool {
        match self {
            Self::Regex(pattern) => pattern.whole.is_match(text),
            Self::Name => !text.is_empty() && text.bytes().all(is_name_byte),
            Self::HashKey => is_decimal(text, 39),
            Self::SequenceNumber => is_decimal(text, 129),
            Self::StreamArn => after_account(text, |rest| rest.strip_prefix("stream/").is_some_and(is_graphic)),
            Self::ResourceArn => {
                after_account(text, |rest| ["stream/", "channel/", "queue/"].iter().any(|word| splits(rest, word).any(|(_, tail)| is_graphic(tail))))
            }
            Self::ConsumerArn => after_account(text, |rest| splits(rest, "stream/").any(|(_, tail)| is_stream_consumer(tail))),
            Self::StreamId => {
                let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
                let bytes = text.as_bytes();
                bytes.len() == 24 && bytes.iter().enumerate().all(|(i, b)| if i == 20 { *b == b'-' } else { lower(*b) })
            }
        }
    }
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn is_decimal(text: &str, most_digits: usize) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty() && bytes.len() <= most_digits && bytes.iter().all(u8::is_ascii_digit) && (bytes[0] != b'0' || bytes.len() == 1)
}

/// One or more characters, none of them white space in the sense of the expression `\S`.
fn is_graphic(text: &str) -> bool {
    !text.is_empty() && !text.bytes().any(|b| matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r'))
}

/// Every way to cut the text at an occurrence of `word`.
fn splits<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.match_indices(word).map(move |(at, _)| (&text[..at], &text[at + word.len()..]))
}

/// Whether the text is `arn:aws…:kinesis:…:<12 digits>:` followed by something `rest` accepts.
fn after_account(text: &str, rest: impl Fn(&str) -> bool) -> bool {
    if text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        return false;
    }
    let Some(tail) = text.strip_prefix("arn:aws") else { return false };
    let Some((_, tail)) = tail.split_once(":kinesis:") else { return false };
    // The account may follow any colon after `:kinesis:`; the earliest `:kinesis:` leaves the most room.
    tail.match_indices(':').any(|(at, _)| {
        let after = &tail[at + 1..];
        after
            .split_at_checked(12)
            .is_some_and(|(account, more)| account.bytes().all(|b| b.is_ascii_digit()) && more.strip_prefix(':').is_some_and(&rest))
    })
}

/// `<name>/consumer/<name>:<digits>`.
fn is_stream_consumer(text: &str) -> bool {
    text.split_once("/consumer/").is_some_and(|(stream, consumer)| {
        Pattern::Name.matches(stream)
            && consumer
                .rsplit_once(':')
                .is_some_and(|(name, created)| Pattern::Name.matches(name) && !created.is_empty() && created.bytes().all(|b| b.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Pattern; 7] =
        [Pattern::Name, Pattern::HashKey, Pattern::SequenceNumber, Pattern::StreamArn, Pattern::ConsumerArn, Pattern::ResourceArn, Pattern::StreamId];

    fn oracle(pattern: Pattern) -> regex::Regex {
        let text = pattern
            .text(ModelYear::Current)
            .replace(r"\d", "[0-9]")
            .replace(r"\S", r"[^ \t\n\x0B\f\r]")
            .replace(".*", r"[^\n\r\u{85}\u{2028}\u{2029}]*");
        regex::Regex::new(&format!("^(?:{text})$")).expect("the pattern compiles")
    }

    #[test]
    fn examples() {
        let arn = "arn:aws:kinesis:us-east-1:111122223333:stream/orders";
        for (pattern, text, wanted) in [
            (Pattern::Name, "a_b.c-9", true),
            (Pattern::Name, "", false),
            (Pattern::Name, "a b", false),
            (Pattern::HashKey, "0", true),
            (Pattern::HashKey, "01", false),
            (Pattern::HashKey, "340282366920938463463374607431768211455", true),
            (Pattern::HashKey, "3402823669209384634633746074317682114550", false),
            (Pattern::StreamArn, arn, true),
            (Pattern::StreamArn, "arn:aws:kinesis:us-east-1:11112222333:stream/orders", false),
            (Pattern::StreamArn, "arn:aws-cn:kinesis::111122223333:stream/a b", false),
            (Pattern::ConsumerArn, "arn:aws:kinesis:us-east-1:111122223333:stream/orders/consumer/app:1546300800", true),
            (Pattern::ConsumerArn, arn, false),
            (Pattern::ResourceArn, "arn:aws:kinesis:us-east-1:111122223333:stream/orders/consumer/app:1546300800", true),
            (Pattern::StreamId, "abcdefghij0123456789-xyz", true),
            (Pattern::StreamId, "abcdefghij0123456789+xyz", false),
        ] {
            assert_eq!(pattern.matches(text), wanted, "{pattern:?} on {text}");
            assert_eq!(oracle(pattern).is_match(text), wanted, "the expression of {pattern:?} on {text}");
        }
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_expression(text in "(arn:aws|x)?[-a-z:]{0,4}(:kinesis:){0,2}[a-z0-9:]{0,3}(:111122223333:){0,2}(:|a)?(stream/|queue/|/consumer/|[a-z0-9 ]|:){0,6}[0-9:\\n]{0,3}") {
            for pattern in ALL {
                prop_assert_eq!(pattern.matches(&text), oracle(pattern).is_match(&text), "{:?} on {:?}", pattern, &text);
            }
        }

        #[test]
        fn numbers_agree(text in "[0-9]{0,131}") {
            for pattern in ALL {
                prop_assert_eq!(pattern.matches(&text), oracle(pattern).is_match(&text), "{:?} on {:?}", pattern, &text);
            }
        }
    }
}
