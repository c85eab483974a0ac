//! Words of the text: identifiers, numbers, texts, signs. Comments go; every token knows where it stood.

use super::diagnostic::{Diagnostic, Span};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// An unquoted word: as written, and in upper case.
    Word(String, String),
    /// A quoted identifier.
    Quoted(String),
    /// A number as written.
    Number(String),
    /// A text, quotes and escapes resolved.
    Text(String),
    /// Hexadecimal bytes.
    Bytes(Vec<u8>),
    /// A sign.
    Sign(&'static str),
    /// The end.
    End,
}

/// A token and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned {
    /// The token.
    pub token: Token,
    /// Its place.
    pub span: Span,
}

const SIGNS: [&str; 27] =
    ["<>", "!=", "<=", ">=", "||", "(", ")", ",", ";", ".", "+", "-", "*", "/", "=", "<", ">", "[", "]", "{", "}", ":", "?", "%", "&", "|", "!"];

/// Cuts a text into tokens. The last one is [`Token::End`].
///
/// # Errors
/// Texts, names and comments without end, and signs that mean nothing.
pub fn lex(text: &str) -> (Vec<Spanned>, Vec<Diagnostic>) {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut errors = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { break };
        let start = at;
        if first.is_whitespace() || first == '\u{feff}' {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("--") || rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            match rest.find("*/") {
                Some(end) => at += end + 2,
                None => {
                    errors.push(Diagnostic::error(Span { start, end: start + 2 }, "the comment has no end; expected */"));
                    at = bytes.len();
                }
            }
            continue;
        }
        let unicode = (rest.starts_with("u&'") || rest.starts_with("U&'")).then_some(2);
        let hex = (rest.starts_with("x'") || rest.starts_with("X'")).then_some(1);
        let token = if first == '\'' || unicode.is_some() || hex.is_some() {
            let open = at + unicode.or(hex).unwrap_or(0);
            let Some((content, end)) = quoted(text, open, '\'') else {
                errors.push(Diagnostic::error(Span { start, end: start + 1 }, "the text has no end; expected '"));
                break;
            };
            at = end;
            if hex.is_some() {
                match bytes_of(&content) {
                    Some(bytes) => Token::Bytes(bytes),
                    None => {
                        errors.push(Diagnostic::error(Span { start, end }, "X'…' needs an even number of hexadecimal digits"));
                        Token::Bytes(Vec::new())
                    }
                }
            } else if unicode.is_some() {
                let (escape, end) = uescape(text, at);
                at = end;
                match unescape(&content, escape) {
                    Some(content) => Token::Text(content),
                    None => {
                        let message = format!("after {escape} four hexadecimal digits or {escape} itself are expected");
                        errors.push(Diagnostic::error(Span { start, end }, message));
                        Token::Text(content)
                    }
                }
            } else {
                Token::Text(content)
            }
        } else if first == '"' {
            let Some((content, end)) = quoted(text, at, '"') else {
                errors.push(Diagnostic::error(Span { start, end: start + 1 }, "the quoted name has no end; expected \""));
                break;
            };
            at = end;
            if content.is_empty() || content.chars().any(|c| c < ' ') || content.chars().count() > 128 {
                errors.push(Diagnostic::error(Span { start, end }, "a name has 1 to 128 characters and no control characters"));
            }
            Token::Quoted(content)
        } else if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            at += number_length(rest);
            Token::Number(text[start..at].to_owned())
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            at += length;
            let word = &text[start..at];
            if word.chars().count() > 128 {
                errors.push(Diagnostic::error(Span { start, end: at }, "a name has at most 128 characters"));
            }
            Token::Word(word.to_owned(), word.to_uppercase())
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            at += sign.len();
            Token::Sign(sign)
        } else {
            at += first.len_utf8();
            let hint = match first {
                '–' | '—' => "; a dash was typeset here, write -",
                '‘' | '’' => "; a typographic quote was pasted here, write '",
                '“' | '”' => "; a typographic quote was pasted here, write \"",
                _ => "",
            };
            errors.push(Diagnostic::error(Span { start, end: at }, format!("'{first}' means nothing here{hint}")));
            continue;
        };
        tokens.push(Spanned { token, span: Span { start, end: at } });
    }
    tokens.push(Spanned { token: Token::End, span: Span { start: text.len(), end: text.len() } });
    (tokens, errors)
}

/// Content between quotes at `open`, doubled quotes resolved, and the byte after.
fn quoted(text: &str, open: usize, quote: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut chars = text[open + 1..].char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        if c != quote {
            content.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            chars.next();
            content.push(quote);
        } else {
            return Some((content, open + 1 + offset + 1));
        }
    }
    None
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// `uescape '!'` after a unicode text.
fn uescape(text: &str, at: usize) -> (char, usize) {
    let rest = &text[at..];
    let trimmed = rest.trim_start();
    if trimmed.len() >= 7
        && trimmed.is_char_boundary(7)
        && trimmed[..7].eq_ignore_ascii_case("uescape")
        && let Some(open) = trimmed[7..].find('\'')
        && trimmed[7..7 + open].trim().is_empty()
    {
        let begin = at + (rest.len() - trimmed.len()) + 7 + open;
        if let Some((content, end)) = quoted(text, begin, '\'')
            && let Some(escape) = content.chars().next()
        {
            return (escape, end);
        }
    }
    ('\\', at)
}

fn unescape(content: &str, escape: char) -> Option<String> {
    let mut out = String::new();
    let mut chars = content.chars().peekable();
    while let Some(c) = chars.next() {
        if c != escape {
            out.push(c);
        } else if chars.peek() == Some(&escape) {
            chars.next();
            out.push(escape);
        } else {
            let digits: String = chars.by_ref().take(4).collect();
            let code = (digits.len() == 4).then(|| u32::from_str_radix(&digits, 16).ok())??;
            out.push(char::from_u32(code)?);
        }
    }
    Some(out)
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') {
        at += 1 + digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    at
}

/// Words that name no object or column unless quoted.
pub const RESERVED: &str = " ABS ALL ALLOCATE ALLOW ALTER ANALYZE AND ANY APPROXIMATE_ARRIVAL_TIME ARE ARRAY AS ASENSITIVE ASYMMETRIC AT ATOMIC \
AUTHORIZATION AVG BEGIN BETWEEN BIGINT BINARY BIT BLOB BOOLEAN BOTH BY CALL CALLED CARDINALITY CASCADED CASE CAST CEIL CEILING CHAR CHARACTER \
CHARACTER_LENGTH CHAR_LENGTH CHECK CHECKPOINT CLOB CLOSE CLUSTERED COALESCE COLLATE COLLECT COLUMN COMMIT CONDITION CONNECT CONSTRAINT CONVERT \
CORR CORRESPONDING COUNT COVAR_POP COVAR_SAMP CREATE CROSS CUBE CUME_DIST CURRENT CURRENT_CATALOG CURRENT_DATE CURRENT_DEFAULT_TRANSFORM_GROUP \
CURRENT_PATH CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_TRANSFORM_GROUP_FOR_TYPE CURRENT_USER CURSOR CYCLE DATE DAY \
DEALLOCATE DEC DECIMAL DECLARE DEFAULT DELETE DENSE_RANK DEREF DESCRIBE DETERMINISTIC DISALLOW DISCONNECT DISTINCT DOUBLE DROP DYNAMIC EACH \
ELEMENT ELSE END ESCAPE EVERY EXCEPT EXEC EXECUTE EXISTS EXP EXPLAIN EXP_AVG EXTERNAL EXTRACT FALSE FETCH FILTER FIRST_VALUE FLOAT FLOOR FOR \
FOREIGN FREE FROM FULL FUNCTION FUSION GET GLOBAL GRANT GROUP GROUPING HAVING HOLD HOUR IDENTITY IGNORE IMPORT IN INDICATOR INITCAP INNER INOUT \
INSENSITIVE INSERT INT INTEGER INTERSECT INTERSECTION INTERVAL INTO IS JOIN LANGUAGE LARGE LAST_VALUE LATERAL LEADING LEFT LIKE LIMIT LN LOCAL \
LOCALTIME LOCALTIMESTAMP LOWER MATCH MAX MEMBER MERGE METHOD MIN MINUTE MOD MODIFIES MODULE MONTH MULTISET NATIONAL NATURAL NCHAR NCLOB NEW NO \
NODE NONE NORMALIZE NOT NTH_VALUE NULL NULLIF NUMERIC OCTET_LENGTH OF OLD ON ONLY OPEN OR ORDER OUT OUTER OVER OVERLAPS OVERLAY PARAMETER \
PARTITION PARTITION_ID PARTITION_KEY PERCENTILE_CONT PERCENTILE_DISC PERCENT_RANK POSITION POWER PRECISION PREPARE PRIMARY PROCEDURE RANGE RANK \
READS REAL RECURSIVE REF REFERENCES REFERENCING REGR_AVGX REGR_AVGY REGR_COUNT REGR_INTERCEPT REGR_R2 REGR_SLOPE REGR_SXX REGR_SXY RELEASE \
RESPECT RESULT RETURN RETURNS REVOKE RIGHT ROLLBACK ROLLUP ROW ROWS ROWTIME ROW_NUMBER SAVEPOINT SCOPE SCROLL SEARCH SECOND SELECT SENSITIVE \
SEQUENCE_NUMBER SESSION_USER SET SHARD_ID SIMILAR SMALLINT SOME SORT SPECIFIC SQL SQLEXCEPTION SQLSTATE SQLWARNING SQRT START STATIC STDDEV \
STDDEV_POP STDDEV_SAMP STOP STREAM SUBMULTISET SUBSTRING SUM SYMMETRIC SYSTEM SYSTEM_USER TABLE TABLESAMPLE THEN TIME TIMESTAMP TIMEZONE_HOUR \
TIMEZONE_MINUTE TINYINT TO TRAILING TRANSLATE TRANSLATION TREAT TRIGGER TRIM TRUE TRUNCATE UESCAPE UNION UNIQUE UNKNOWN UNNEST UPDATE UPPER USER \
USING VALUE VALUES VARBINARY VARCHAR VARYING VAR_POP VAR_SAMP WHEN WHENEVER WHERE WIDTH_BUCKET WINDOW WITH WITHIN WITHOUT YEAR ";

/// The upper-case word is reserved.
pub fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&format!(" {word} "))
}
