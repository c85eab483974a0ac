//! Scalar functions: which arguments they take, what type they give, what they do.

use super::cast::{self, cut};
use super::datetime::DAY;
use super::interval::Unit;
use super::matching::{java_regex, similar_source};
use super::pattern::{DatePattern, midnight};
use super::types::{Family, LENGTH_MAX, SqlType};
use super::value::{Outcome, RowError, Value};

/// A function, by its name in the dialect.
#[allow(missing_docs, reason = "the names are the dialect's")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Abs,
    Ceil,
    Floor,
    Exp,
    Ln,
    Log10,
    Sqrt,
    Mod,
    Power,
    StepNumber,
    StepTime,
    StepMonths,
    CharLength,
    InitCap,
    Lower,
    Upper,
    Overlay,
    Position,
    Substring,
    SubstringComma,
    SubstringRegex,
    SubstringSimilar,
    SubstringBytes,
    Trim,
    RegexReplace,
    Concat,
    TsDiff,
    ToTimestamp,
    UnixTimestamp,
    CharToTimestamp,
    CharToDate,
    CharToTime,
    TimestampToChar,
    Coalesce,
    NullIf,
    Monotonic,
    QueryTimestamp,
    QueryDate,
    QueryTime,
    RowTimestamp,
    UserName,
}

/// Names that may be called, for near misses.
pub const NAMES: [&str; 44] = [
    "ABS",
    "CEIL",
    "FLOOR",
    "EXP",
    "LN",
    "LOG10",
    "SQRT",
    "MOD",
    "POWER",
    "STEP",
    "CHAR_LENGTH",
    "INITCAP",
    "LOWER",
    "UPPER",
    "OVERLAY",
    "POSITION",
    "SUBSTRING",
    "TRIM",
    "REGEX_REPLACE",
    "TSDIFF",
    "TO_TIMESTAMP",
    "UNIX_TIMESTAMP",
    "CHAR_TO_TIMESTAMP",
    "CHAR_TO_DATE",
    "CHAR_TO_TIME",
    "TIMESTAMP_TO_CHAR",
    "DATE_TO_CHAR",
    "TIME_TO_CHAR",
    "COALESCE",
    "NULLIF",
    "MONOTONIC",
    "COUNT",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "FIRST_VALUE",
    "LAST_VALUE",
    "LAG",
    "NTH_VALUE",
    "STDDEV_SAMP",
    "VAR_POP",
    "EXP_AVG",
    "REGEX_LOG_PARSE",
];

/// Functions that people know from other dialects, and what stands for them here.
const ELSEWHERE: [(&str, &str); 22] = [
    ("CONCAT", "a || b"),
    ("CONVERT", "CAST(x AS type)"),
    ("DATE_FORMAT", "TIMESTAMP_TO_CHAR('yyyy-MM-dd', t)"),
    ("DATE_TRUNC", "FLOOR(t TO MINUTE)"),
    ("DATEADD", "t + INTERVAL '1' MINUTE"),
    ("DATEDIFF", "TSDIFF(a, b), or (b - a) SECOND"),
    ("FROM_UNIXTIME", "TO_TIMESTAMP(milliseconds)"),
    ("GETDATE", "CURRENT_ROW_TIMESTAMP"),
    ("IF", "CASE WHEN … THEN … ELSE … END"),
    ("IFNULL", "COALESCE(a, b)"),
    ("INSTR", "POSITION(a IN b)"),
    ("ISNULL", "COALESCE(a, b), or a IS NULL"),
    ("LEN", "CHAR_LENGTH(s)"),
    ("LENGTH", "CHAR_LENGTH(s)"),
    ("LOG", "LN(x) or LOG10(x)"),
    ("NOW", "CURRENT_ROW_TIMESTAMP"),
    ("NVL", "COALESCE(a, b)"),
    ("POW", "POWER(b, e)"),
    ("REPLACE", "REGEX_REPLACE(s, pattern, text, 1, 0)"),
    ("ROUND", "CAST(x AS DECIMAL(p, s))"),
    ("SUBSTR", "SUBSTRING(s FROM p FOR n)"),
    ("TO_CHAR", "TIMESTAMP_TO_CHAR('yyyy-MM-dd', t), or CAST(x AS VARCHAR(n))"),
];

/// Finds a function for argument types.
///
/// # Errors
/// What arguments it takes; `None` when no function has the name.
pub fn resolve(name: &str, args: &[SqlType]) -> Result<Option<(Function, SqlType)>, String> {
    use Function as F;
    let family = |at: usize| args.get(at).map_or(Family::Null, SqlType::family);
    let number = |at: usize| matches!(family(at), Family::Number | Family::Null);
    let text = |at: usize| matches!(family(at), Family::Text | Family::Null);
    let timestamp = |at: usize| matches!(family(at), Family::Timestamp | Family::Null);
    let wants = |what: &str| Err(format!("{} takes {what}", name.split(' ').next().unwrap_or(name)));
    let count = args.len();
    let first = || args.first().cloned().unwrap_or(SqlType::Null);
    let varchar = || SqlType::Varchar(args.iter().filter_map(SqlType::length).max().unwrap_or(1).clamp(1, LENGTH_MAX));
    let found = match name {
        "ABS" if count == 1 && (number(0) || matches!(family(0), Family::DayTime | Family::YearMonth)) => (F::Abs, first()),
        "ABS" => return wants("one number or interval"),
        "CEIL" | "CEILING" | "FLOOR" => {
            if count != 1 || !number(0) {
                return wants("one number, or a date, time or interval with TO and a unit");
            }
            let ty = match first() {
                SqlType::Decimal(p, s) => SqlType::Decimal((p - s + 1).clamp(1, 18), 0),
                other => other,
            };
            (if name == "FLOOR" { F::Floor } else { F::Ceil }, ty)
        }
        "EXP" | "LN" | "LOG10" | "SQRT" => {
            if count != 1 || !number(0) {
                return wants("one number");
            }
            let function = match name {
                "EXP" => F::Exp,
                "LN" => F::Ln,
                "LOG10" => F::Log10,
                _ => F::Sqrt,
            };
            (function, SqlType::Double)
        }
        "MOD" | "%" => {
            let whole = |at: usize| args.get(at).is_some_and(|ty| ty.is_integer() || *ty == SqlType::Null || matches!(ty, SqlType::Decimal(_, 0)));
            if count != 2 || !whole(0) || !whole(1) {
                return Err("MOD takes two whole numbers".to_owned());
            }
            (F::Mod, args[1].clone())
        }
        "POWER" if count == 2 && number(0) && number(1) => (F::Power, SqlType::Double),
        "POWER" => return wants("two numbers"),
        "STEP" => match (family(0), family(1)) {
            _ if count != 2 => return wants("a value and BY a step"),
            (Family::Number | Family::Null, Family::Number) => (F::StepNumber, first()),
            (Family::Timestamp | Family::Date | Family::Time | Family::DayTime | Family::Null, Family::DayTime) => (F::StepTime, first()),
            (Family::Timestamp | Family::Date | Family::Null, Family::YearMonth) => (F::StepMonths, first()),
            _ => return wants("a number BY a number, or a time BY an interval"),
        },
        "CHAR_LENGTH" | "CHARACTER_LENGTH" if count == 1 && text(0) => (F::CharLength, SqlType::Integer),
        "CHAR_LENGTH" | "CHARACTER_LENGTH" => return wants("one text"),
        "INITCAP" | "LOWER" | "UPPER" => {
            if count != 1 || !text(0) {
                return wants("one text");
            }
            let function = match name {
                "INITCAP" => F::InitCap,
                "LOWER" => F::Lower,
                _ => F::Upper,
            };
            (function, varchar())
        }
        "OVERLAY" if (3..=4).contains(&count) && text(0) && text(1) && number(2) && number(3) => (F::Overlay, varchar()),
        "OVERLAY" => return wants("(text PLACING text FROM number [FOR number])"),
        "POSITION" if text(0) && text(1) => (F::Position, SqlType::Integer),
        "POSITION" => return wants("(text IN text)"),
        "SUBSTRING" if family(0) == Family::Bytes && number(1) && number(2) => (F::SubstringBytes, first()),
        "SUBSTRING" if text(0) && number(1) && number(2) && family(1) != Family::Null => (F::Substring, varchar()),
        "SUBSTRING" if count == 2 && text(0) && text(1) => (F::SubstringRegex, varchar()),
        "SUBSTRING ," if text(0) && number(1) && number(2) => (F::SubstringComma, varchar()),
        "SUBSTRING SIMILAR" if text(0) && text(1) && text(2) => (F::SubstringSimilar, varchar()),
        "SUBSTRING" | "SUBSTRING ," | "SUBSTRING SIMILAR" => return wants("(text FROM number [FOR number]) or (text FROM pattern)"),
        "TRIM" if text(1) && text(2) => (F::Trim, varchar()),
        "TRIM" => return wants("([BOTH | LEADING | TRAILING] [character FROM] text)"),
        "REGEX_REPLACE" => {
            if count != 5 || !text(0) || !text(1) || !text(2) || !number(3) || !number(4) {
                return wants("a text, a pattern, a replacement, a start and an occurrence");
            }
            (F::RegexReplace, SqlType::Varchar(LENGTH_MAX))
        }
        "TSDIFF" if count == 2 && ((timestamp(0) && timestamp(1)) || (number(0) && number(1))) => (F::TsDiff, SqlType::BigInt),
        "TSDIFF" => return wants("two timestamps"),
        "TO_TIMESTAMP" if count == 1 && number(0) => (F::ToTimestamp, SqlType::Timestamp),
        "TO_TIMESTAMP" => return wants("one number of milliseconds; for text there is CHAR_TO_TIMESTAMP('pattern', text)"),
        "UNIX_TIMESTAMP" if count == 1 && timestamp(0) => (F::UnixTimestamp, SqlType::BigInt),
        "UNIX_TIMESTAMP" => return wants("one timestamp"),
        "CHAR_TO_TIMESTAMP" | "CHAR_TO_DATE" | "CHAR_TO_TIME" => {
            if count != 2 || !text(0) || !text(1) {
                return wants("a pattern and a text");
            }
            match name {
                "CHAR_TO_TIMESTAMP" => (F::CharToTimestamp, SqlType::Timestamp),
                "CHAR_TO_DATE" => (F::CharToDate, SqlType::Date),
                _ => (F::CharToTime, SqlType::Time),
            }
        }
        "TIMESTAMP_TO_CHAR" | "DATE_TO_CHAR" | "TIME_TO_CHAR" => {
            if count != 2 || !text(0) || !(args[1].is_datetime() || args[1] == SqlType::Null) {
                return wants("a pattern and a time");
            }
            (F::TimestampToChar, SqlType::Varchar(1024))
        }
        "COALESCE" => {
            let mut ty = SqlType::Null;
            for arg in args {
                ty = ty.unify(arg).ok_or_else(|| format!("COALESCE: {ty} and {arg} are of different families"))?;
            }
            if count == 0 {
                return wants("at least one value");
            }
            (F::Coalesce, ty)
        }
        "NULLIF" => {
            if count != 2 {
                return wants("two values");
            }
            if args[0].unify(&args[1]).is_none() {
                return Err(format!("NULLIF: {} and {} cannot be compared", args[0], args[1]));
            }
            (F::NullIf, first())
        }
        "MONOTONIC" if count == 1 => (F::Monotonic, first()),
        "MONOTONIC" => return wants("one value"),
        "CURRENT_TIMESTAMP" | "LOCALTIMESTAMP" if count == 0 => (F::QueryTimestamp, SqlType::Timestamp),
        "CURRENT_DATE" if count == 0 => (F::QueryDate, SqlType::Date),
        "CURRENT_TIME" | "LOCALTIME" if count == 0 => (F::QueryTime, SqlType::Time),
        "CURRENT_ROW_TIMESTAMP" if count == 0 => (F::RowTimestamp, SqlType::Timestamp),
        "SYSTEM_USER" | "CURRENT_USER" | "SESSION_USER" | "CURRENT_PATH" => (F::UserName, SqlType::Varchar(32)),
        _ => {
            return match ELSEWHERE.iter().find(|(known, _)| *known == name) {
                Some((_, instead)) => Err(format!("{name} is no function of the dialect; write {instead}")),
                None => Ok(None),
            };
        }
    };
    Ok(Some(found))
}

/// The clock as expressions see it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// When the query started.
    pub start: i64,
    /// Now.
    pub now: i64,
}

fn text(args: &[Value], at: usize) -> &str {
    match args.get(at) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

fn int(args: &[Value], at: usize) -> i64 {
    match args.get(at) {
        Some(Value::Int(value)) => *value,
        Some(value) => value.number().map_or(0, |number| libm::trunc(number) as i64),
        None => 0,
    }
}

fn substring(text: &str, from: i64, length: Option<i64>) -> Result<String, RowError> {
    if length.is_some_and(|length| length < 0) {
        return Err(RowError::new("SubstringError", "SUBSTRING: the length is negative"));
    }
    let end = length.map_or(i64::MAX, |length| from.saturating_add(length));
    let start = from.max(1);
    Ok(text.chars().skip((start - 1) as usize).take((end - start).max(0) as usize).collect())
}

/// Calls a function. NULL arguments give NULL unless the function says otherwise.
///
/// # Errors
/// Row errors.
#[allow(clippy::too_many_lines)]
pub fn call(function: Function, args: &[Value], ty: &SqlType, clock: Clock) -> Outcome {
    use Function as F;
    match function {
        F::Coalesce => return Ok(args.iter().find(|value| !value.is_null()).cloned().unwrap_or(Value::Null)),
        F::NullIf => {
            let equal = args[0].compare(&args[1]) == Some(std::cmp::Ordering::Equal);
            return Ok(if equal { Value::Null } else { args[0].clone() });
        }
        F::TimestampToChar if args[1].is_null() && !args[0].is_null() => return Ok(Value::text("null")),
        F::QueryTimestamp => return Ok(Value::Ms(clock.start)),
        F::QueryDate => return Ok(Value::Ms(midnight(clock.start))),
        F::QueryTime => return Ok(Value::Ms(clock.start.rem_euclid(DAY))),
        F::RowTimestamp => return Ok(Value::Ms(clock.now)),
        F::UserName => return Ok(Value::text("kinesis-analytics")),
        _ => {}
    }
    if args.iter().any(Value::is_null) {
        return Ok(Value::Null);
    }
    let number = |at: usize| args[at].number().unwrap_or(0.0);
    let finite =
        |value: f64, what: &str| if value.is_finite() { Ok(Value::Num(value)) } else { Err(RowError::new("NumericOverflow", what.to_owned())) };
    Ok(match function {
        F::Monotonic => args[0].clone(),
        F::Abs => match &args[0] {
            Value::Int(value) => cast::to_number(&Value::Dec(value.saturating_abs(), 0), ty)?,
            Value::Dec(digits, scale) => Value::Dec(digits.saturating_abs(), *scale),
            Value::Num(value) => Value::Num(value.abs()),
            Value::Ms(value) => Value::Ms(value.saturating_abs()),
            other => other.clone(),
        },
        F::Ceil | F::Floor => match &args[0] {
            Value::Dec(digits, scale) => {
                let unit = super::value::POWERS[usize::from(*scale)] as i64;
                let floor = digits.div_euclid(unit);
                let whole = if function == F::Floor || floor * unit == *digits { floor } else { floor + 1 };
                Value::Dec(whole, 0)
            }
            Value::Num(value) => Value::Num(if function == F::Floor { libm::floor(*value) } else { libm::ceil(*value) }),
            other => other.clone(),
        },
        F::Exp => finite(libm::exp(number(0)), "EXP: the result is too large")?,
        F::Ln | F::Log10 => {
            let x = number(0);
            if x <= 0.0 {
                return Err(RowError::new("InvalidArgument", format!("the logarithm of {x} does not exist")));
            }
            Value::Num(if function == F::Ln { libm::log(x) } else { libm::log10(x) })
        }
        F::Sqrt => {
            let x = number(0);
            if x < 0.0 {
                return Err(RowError::new("InvalidArgument", format!("the square root of {x} does not exist")));
            }
            Value::Num(libm::sqrt(x))
        }
        F::Mod => {
            let (a, b) = (int(args, 0), int(args, 1));
            if b == 0 {
                return Err(RowError::new("DivideByZero", "MOD by zero"));
            }
            cast::to_number(&Value::Int(a.wrapping_rem(b)), ty)?
        }
        F::Power => {
            let (base, exponent) = (number(0), number(1));
            if (base == 0.0 && exponent < 0.0) || (base < 0.0 && libm::trunc(exponent) != exponent) {
                return Err(RowError::new("InvalidArgument", format!("POWER({base}, {exponent}) does not exist")));
            }
            finite(libm::pow(base, exponent), "POWER: the result is too large")?
        }
        F::StepNumber => {
            if number(1) == 0.0 {
                return Err(RowError::new("DivideByZero", "STEP by zero"));
            }
            match (&args[0], &args[1]) {
                (Value::Int(value), Value::Int(step)) => Value::Int(value.div_euclid(step.abs()) * step.abs()),
                _ => cast::to_number(&Value::Num(libm::floor(number(0) / number(1)) * number(1)), ty)?,
            }
        }
        F::StepTime | F::StepMonths => {
            let (Value::Ms(at), Value::Ms(step)) = (&args[0], &args[1]) else { return Ok(Value::Null) };
            if *step <= 0 {
                return Err(RowError::new("InvalidArgument", "STEP needs a positive interval"));
            }
            if function == F::StepTime {
                let stepped = at.div_euclid(*step) * step;
                Value::Ms(if *ty == SqlType::Date { midnight(stepped) } else { stepped })
            } else {
                let (year, month, _) = super::datetime::civil_of(at.div_euclid(DAY));
                let months = ((year - 1970) * 12 + month - 1).div_euclid(*step) * step;
                Value::Ms(super::datetime::add_months(0, months))
            }
        }
        F::CharLength => Value::Int(text(args, 0).chars().count() as i64),
        F::Lower => Value::text(text(args, 0).to_lowercase()),
        F::Upper => Value::text(text(args, 0).to_uppercase()),
        F::InitCap => {
            let mut out = String::new();
            let mut begins = true;
            for c in text(args, 0).chars() {
                if begins {
                    out.extend(c.to_uppercase());
                } else {
                    out.extend(c.to_lowercase());
                }
                begins = c.is_whitespace();
            }
            Value::text(out)
        }
        F::Overlay => {
            let (whole, part, from) = (text(args, 0), text(args, 1), int(args, 2));
            let length = if args.len() > 3 { int(args, 3) } else { part.chars().count() as i64 };
            if length < 0 {
                return Err(RowError::new("SubstringError", "OVERLAY: the length is negative"));
            }
            let head: String = whole.chars().take((from - 1).max(0) as usize).collect();
            let tail: String = whole.chars().skip((from - 1 + length).max(0) as usize).collect();
            Value::text(format!("{head}{part}{tail}"))
        }
        F::Position => {
            let (part, whole) = (text(args, 0), text(args, 1));
            Value::Int(whole.find(part).map_or(0, |at| whole[..at].chars().count() as i64 + 1))
        }
        F::Substring => Value::text(substring(text(args, 0), int(args, 1), (args.len() > 2).then(|| int(args, 2)))?),
        F::SubstringComma => {
            let (whole, from) = (text(args, 0), int(args, 1));
            let part = substring(whole, from, (args.len() > 2).then(|| int(args, 2)))?;
            if from > whole.chars().count() as i64 { Value::Null } else { Value::text(part) }
        }
        F::SubstringBytes => {
            let Value::Bytes(bytes) = &args[0] else { return Ok(Value::Null) };
            let (from, length) = (int(args, 1), if args.len() > 2 { int(args, 2) } else { i64::MAX - 1 });
            let (start, end) = (from.max(1), from.saturating_add(length));
            Value::Bytes(bytes.iter().skip((start - 1) as usize).take((end - start).max(0) as usize).copied().collect())
        }
        F::SubstringRegex => {
            let regex = java_regex(text(args, 1)).map_err(|why| RowError::new("InvalidPattern", why))?;
            regex.find(text(args, 0)).map_or(Value::Null, |found| Value::text(found.as_str()))
        }
        F::SubstringSimilar => {
            let (whole, pattern) = (text(args, 0), text(args, 1));
            let Some(escape) = text(args, 2).chars().next() else { return Err(RowError::new("InvalidPattern", "ESCAPE is empty")) };
            let mark = format!("{escape}\"");
            let parts: Vec<&str> = pattern.split(&mark).collect();
            let [before, middle, after] = parts[..] else {
                return Err(RowError::new("InvalidPattern", format!("'{pattern}' is not divided in three by {mark}")));
            };
            let source = |part: &str| similar_source(part, Some(escape)).map_err(|why| RowError::new("InvalidPattern", why));
            let regex = java_regex(&format!("(?s){}({}){}", source(before)?, source(middle)?, source(after)?))
                .map_err(|why| RowError::new("InvalidPattern", why))?;
            regex.captures(whole).and_then(|groups| groups.get(1)).map_or(Value::Null, |found| Value::text(found.as_str()))
        }
        F::Trim => {
            let (side, what, whole) = (text(args, 0), text(args, 1), text(args, 2));
            let mut chars = what.chars();
            let (Some(c), None) = (chars.next(), chars.next()) else {
                return Err(RowError::new("InvalidArgument", format!("TRIM removes exactly one character, not '{what}'")));
            };
            let mut trimmed = whole;
            if side != "TRAILING" {
                trimmed = trimmed.trim_start_matches(c);
            }
            if side != "LEADING" {
                trimmed = trimmed.trim_end_matches(c);
            }
            Value::text(trimmed)
        }
        F::RegexReplace => regex_replace(args)?,
        F::Concat => match (&args[0], &args[1]) {
            (Value::Text(a), Value::Text(b)) => Value::text([&**a, &**b].concat()),
            (Value::Bytes(a), Value::Bytes(b)) => Value::Bytes([&**a, &**b].concat().into()),
            _ => Value::Null,
        },
        F::TsDiff => match (&args[0], &args[1]) {
            (Value::Ms(a), Value::Ms(b)) | (Value::Int(a), Value::Int(b)) => Value::Int(b.saturating_sub(*a)),
            _ => Value::Int((number(1) - number(0)) as i64),
        },
        F::ToTimestamp => Value::Ms(int(args, 0)),
        F::UnixTimestamp => Value::Int(match &args[0] {
            Value::Ms(ms) => *ms,
            _ => 0,
        }),
        F::CharToTimestamp | F::CharToDate | F::CharToTime => {
            let pattern = DatePattern::new(text(args, 0)).map_err(|why| RowError::new("InvalidDateString", why))?;
            let read = pattern.parse(text(args, 1), clock.now.max(clock.start));
            let at = read
                .ok_or_else(|| RowError::new("InvalidDateString", format!("'{}' does not match the pattern '{}'", text(args, 1), text(args, 0))))?;
            Value::Ms(match function {
                F::CharToDate => midnight(at),
                F::CharToTime => at.rem_euclid(DAY),
                _ => at,
            })
        }
        F::TimestampToChar => {
            let pattern = DatePattern::new(text(args, 0)).map_err(|why| RowError::new("InvalidDateString", why))?;
            match &args[1] {
                Value::Ms(ms) => Value::text(cut(&pattern.format(*ms), 1024)),
                _ => Value::Null,
            }
        }
        F::Coalesce | F::NullIf | F::QueryTimestamp | F::QueryDate | F::QueryTime | F::RowTimestamp | F::UserName => Value::Null,
    })
}

fn regex_replace(args: &[Value]) -> Outcome {
    let (whole, pattern, replacement, start, occurrence) = (text(args, 0), text(args, 1), text(args, 2), int(args, 3), int(args, 4));
    if start < 1 || occurrence < 0 {
        return Err(RowError::new("InvalidArgument", "REGEX_REPLACE: the start is at least 1 and the occurrence at least 0"));
    }
    let Some((from, _)) = whole.char_indices().nth((start - 1) as usize) else { return Ok(args[0].clone()) };
    let regex = java_regex(pattern).map_err(|why| RowError::new("InvalidPattern", why))?;
    // Java writes $1, this engine would read $1x as a name.
    let mut template = String::new();
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' if chars.peek().is_some_and(char::is_ascii_digit) => {
                let digit = chars.next().unwrap_or('0');
                template.push_str(&format!("${{{digit}}}"));
            }
            '$' => template.push_str("$$"),
            '\\' => {
                if let Some(next) = chars.next() {
                    template.push_str(if next == '$' { "$$" } else { "" });
                    if next != '$' {
                        template.push(next);
                    }
                }
            }
            c => template.push(c),
        }
    }
    let mut out = whole[..from].to_owned();
    let mut last = from;
    for (at, groups) in regex.captures_iter(&whole[from..]).enumerate() {
        let Some(found) = groups.get(0) else { continue };
        if occurrence == 0 || at as i64 + 1 == occurrence {
            out.push_str(&whole[last..from + found.start()]);
            groups.expand(&template, &mut out);
            last = from + found.end();
        }
    }
    out.push_str(&whole[last..]);
    Ok(Value::text(out))
}

/// A field of a date, time or interval.
pub fn extract(value: &Value, ty: &SqlType, unit: Unit) -> Value {
    let Value::Ms(ms) = value else { return Value::Null };
    let field = match ty {
        SqlType::Interval(qualifier) if qualifier.is_year_month() => match unit {
            Unit::Year => ms / 12,
            _ => ms % 12,
        },
        SqlType::Interval(_) => match unit {
            Unit::Day => ms / DAY,
            Unit::Hour => ms % DAY / 3_600_000,
            Unit::Minute => ms % 3_600_000 / 60_000,
            _ => ms % 60_000,
        },
        _ => super::datetime::field(*ms, unit),
    };
    if unit == Unit::Second { Value::Dec(field, 3) } else { Value::Int(field) }
}

/// FLOOR and CEIL to a unit.
pub fn to_unit(up: bool, value: &Value, ty: &SqlType, unit: Unit) -> Value {
    let Value::Ms(ms) = value else { return Value::Null };
    if ty.is_interval() {
        let size = unit.size();
        let floor = ms.div_euclid(size) * size;
        return Value::Ms(if up && floor != *ms { floor + size } else { floor });
    }
    Value::Ms(if up { super::datetime::ceil_to(*ms, unit) } else { super::datetime::floor_to(*ms, unit) })
}
