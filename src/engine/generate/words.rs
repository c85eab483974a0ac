//! Helpers of the Kinesis Data Generator: what people use in templates, with small word lists of our own.

use serde_json::Value;

use crate::engine::random::{Substream, below, unit};
use crate::engine::time::VirtualTime;

use super::error::{GenerateError, near_miss};
use super::make::{pick, thresholds};
use super::number::{TimeFormat, write_int};
use super::value::{Ready, Val};

const FIRST: &[&str] =
    &["Ada", "Ben", "Chen", "Dora", "Elif", "Femi", "Grace", "Hugo", "Ines", "Jamal", "Kira", "Liam", "Mina", "Noor", "Olga", "Pedro"];
const LAST: &[&str] =
    &["Abara", "Bauer", "Castro", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jensen", "Kumar", "Lopez", "Moreau", "Novak"];
const CITIES: &[&str] = &["Seattle", "Dublin", "Osaka", "Cape Town", "Lyon", "Porto", "Austin", "Recife", "Tampere", "Pune", "Perth", "Leeds"];
const COUNTRIES: &[&str] = &["Ireland", "Japan", "Brazil", "France", "Portugal", "Finland", "India", "Australia", "Canada", "Kenya"];
const STATES: &[&str] = &["Washington", "Texas", "Ohio", "Oregon", "Maine", "Nevada", "Utah", "Georgia"];
const STREETS: &[&str] = &["Oak Street", "Harbour Road", "Mill Lane", "Station Square", "Garden Way", "Hill Avenue"];
const COLORS: &[&str] = &["teal", "indigo", "olive", "maroon", "silver", "orange", "lavender", "black", "white", "green"];
const DEPARTMENTS: &[&str] = &["Books", "Beauty", "Garden", "Toys", "Games", "Music", "Sports", "Tools", "Health", "Baby"];
const ADJECTIVES: &[&str] = &["Sleek", "Rustic", "Small", "Generic", "Handmade", "Refined", "Sturdy", "Light"];
const MATERIALS: &[&str] = &["Steel", "Granite", "Cotton", "Wooden", "Rubber", "Paper", "Linen", "Copper"];
const PRODUCTS: &[&str] = &["Chair", "Ball", "Table", "Lamp", "Shirt", "Gloves", "Keyboard", "Bowl", "Hat", "Towel"];
const COMPANIES: &[&str] = &["Northwind", "Bluewater", "Granite Works", "Redwood", "Sunfield", "Oakline", "Starling", "Ironbridge"];
const JOBS: &[&str] = &["Engineer", "Analyst", "Designer", "Operator", "Planner", "Teacher", "Driver", "Nurse"];
const DOMAINS: &[&str] = &["example.com", "example.org", "example.net"];
const WORDS: &[&str] =
    &["stream", "shard", "record", "window", "signal", "river", "batch", "cursor", "ledger", "marble", "timber", "velvet", "harvest", "ember"];
const AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/76.0.3809.132 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:69.0) Gecko/20100101 Firefox/69.0",
];

/// A compiled helper.
#[derive(Debug, Clone)]
pub enum Helper {
    /// One word of a list.
    Word(&'static [&'static str]),
    /// Several words with a blank between.
    Words(&'static [&'static [&'static str]]),
    /// first.last@domain.
    Email,
    /// first.last.
    UserName,
    /// Four numbers with dots.
    Ip,
    /// Six pairs of hexadecimal digits.
    Mac,
    /// An address of a word and a domain.
    Url,
    /// +1-555-…
    Phone,
    /// A whole number between two, inclusive.
    Int { min: i64, span: u64 },
    /// A number with decimals.
    Number { min: f64, span: f64, decimals: u32 },
    /// One of several values.
    Choice { values: Box<[Ready]>, thresholds: Box<[u64]> },
    /// A UUID.
    Uuid,
    /// Letters and digits.
    AlphaNumeric(u64),
    /// true or false.
    Boolean,
    /// The instant.
    Date(TimeFormat),
    /// A sentence of words.
    Sentence(u64),
}

/// Helper names and what they make, without arguments.
const PLAIN: &[(&str, Plain)] = &[
    ("name.firstName", Plain::Word(FIRST)),
    ("name.lastName", Plain::Word(LAST)),
    ("name.findName", Plain::Words(&[FIRST, LAST])),
    ("name.fullName", Plain::Words(&[FIRST, LAST])),
    ("name.jobTitle", Plain::Word(JOBS)),
    ("address.city", Plain::Word(CITIES)),
    ("address.country", Plain::Word(COUNTRIES)),
    ("address.state", Plain::Word(STATES)),
    ("address.streetName", Plain::Word(STREETS)),
    ("commerce.color", Plain::Word(COLORS)),
    ("commerce.department", Plain::Word(DEPARTMENTS)),
    ("commerce.product", Plain::Word(PRODUCTS)),
    ("commerce.productMaterial", Plain::Word(MATERIALS)),
    ("commerce.productAdjective", Plain::Word(ADJECTIVES)),
    ("commerce.productName", Plain::Words(&[ADJECTIVES, MATERIALS, PRODUCTS])),
    ("company.companyName", Plain::Word(COMPANIES)),
    ("hacker.noun", Plain::Word(WORDS)),
    ("lorem.word", Plain::Word(WORDS)),
    ("random.word", Plain::Word(WORDS)),
    ("internet.domainName", Plain::Word(DOMAINS)),
    ("internet.userAgent", Plain::Word(AGENTS)),
];

#[derive(Clone, Copy)]
enum Plain {
    Word(&'static [&'static str]),
    Words(&'static [&'static [&'static str]]),
}

/// Helpers that are not plain lists.
const OTHERS: &[&str] = &[
    "internet.email",
    "internet.userName",
    "internet.ip",
    "internet.mac",
    "internet.url",
    "phone.phoneNumber",
    "random.uuid",
    "random.number",
    "random.float",
    "random.boolean",
    "random.arrayElement",
    "random.weightedArrayElement",
    "random.alphaNumeric",
    "finance.amount",
    "finance.account",
    "address.zipCode",
    "address.latitude",
    "address.longitude",
    "lorem.sentence",
    "date.now",
    "date.utc",
    "date.simTime",
];

fn array(value: &Value) -> Option<Vec<Ready>> {
    value.as_array().filter(|values| !values.is_empty()).map(|values| values.iter().map(Ready::new).collect())
}

/// Compiles a helper with its argument.
pub fn helper(name: &str, argument: Option<&Value>) -> Result<Helper, GenerateError> {
    if let Some((_, plain)) = PLAIN.iter().find(|(known, _)| *known == name) {
        return Ok(match *plain {
            Plain::Word(list) => Helper::Word(list),
            Plain::Words(lists) => Helper::Words(lists),
        });
    }
    let number = |key: &str| argument.and_then(|argument| argument.get(key)).and_then(Value::as_f64);
    let wrong = |expected: &str| GenerateError::new("", format!("{name} expects {expected}"));
    Ok(match name {
        "internet.email" => Helper::Email,
        "internet.userName" => Helper::UserName,
        "internet.ip" => Helper::Ip,
        "internet.mac" => Helper::Mac,
        "internet.url" => Helper::Url,
        "phone.phoneNumber" => Helper::Phone,
        "random.uuid" => Helper::Uuid,
        "random.boolean" => Helper::Boolean,
        "random.alphaNumeric" => Helper::AlphaNumeric(argument.and_then(Value::as_u64).unwrap_or(1).min(1000)),
        "lorem.sentence" => Helper::Sentence(argument.and_then(Value::as_u64).unwrap_or(6).clamp(1, 100)),
        "address.zipCode" => Helper::Int { min: 10_000, span: 90_000 },
        "finance.account" => Helper::Int { min: 10_000_000, span: 90_000_000 },
        "address.latitude" => Helper::Number { min: -90.0, span: 180.0, decimals: 4 },
        "address.longitude" => Helper::Number { min: -180.0, span: 360.0, decimals: 4 },
        "finance.amount" => {
            let (min, max) = (number("min").unwrap_or(0.0), number("max").unwrap_or(1000.0));
            Helper::Number { min, span: (max - min).max(0.0), decimals: 2 }
        }
        "random.number" | "random.float" => {
            let max = argument.and_then(Value::as_f64).or_else(|| number("max")).unwrap_or(99_999.0);
            let min = number("min").unwrap_or(0.0);
            if !(min.is_finite() && max.is_finite()) || min > max || min.abs() > 9e15 || max.abs() > 9e15 {
                return Err(wrong("min and max with min ≤ max"));
            }
            let precision = number("precision").unwrap_or(if name == "random.float" { 0.01 } else { 1.0 });
            if precision >= 1.0 {
                Helper::Int { min: min as i64, span: (max - min) as u64 + 1 }
            } else {
                let decimals = libm::round(-libm::log10(precision.max(1e-9))) as u32;
                Helper::Number { min, span: max - min, decimals }
            }
        }
        "random.arrayElement" => {
            let values = argument.and_then(array).ok_or_else(|| wrong("an array: {{random.arrayElement([\"a\",\"b\"])}}"))?;
            let equal = vec![1.0; values.len()];
            Helper::Choice { thresholds: thresholds(&equal)?, values: values.into() }
        }
        "random.weightedArrayElement" => {
            let form = "{\"weights\":[…],\"data\":[…]} of equal length";
            let values = argument.and_then(|argument| argument.get("data")).and_then(array).ok_or_else(|| wrong(form))?;
            let weights: Vec<f64> = argument
                .and_then(|argument| argument.get("weights"))
                .and_then(Value::as_array)
                .map(|weights| weights.iter().filter_map(Value::as_f64).collect())
                .unwrap_or_default();
            if weights.len() != values.len() {
                return Err(wrong(form));
            }
            Helper::Choice { thresholds: thresholds(&weights)?, values: values.into() }
        }
        "date.now" | "date.utc" => match argument.and_then(Value::as_str) {
            Some(pattern) => Helper::Date(TimeFormat::Moment(pattern.to_owned())),
            None => Helper::Date(TimeFormat::Moment("YYYY-MM-DDTHH:mm:ssZ".to_owned())),
        },
        "date.simTime" => Helper::Date(TimeFormat::IsoMillis),
        _ => {
            let known = PLAIN.iter().map(|(name, _)| *name).chain(OTHERS.iter().copied());
            let hint = near_miss(name, known).map_or_else(String::new, |near| format!("; did you mean {near}?"));
            return Err(GenerateError::new("", format!("no helper is named '{name}'{hint}")));
        }
    })
}

fn word(list: &'static [&'static str], bits: u64) -> &'static str {
    list[below(bits, list.len() as u64) as usize]
}

/// Appends a version-4 UUID.
pub fn write_uuid(stream: Substream, index: u64, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bits = (u128::from(stream.bits_of(index, 1)) << 64) | u128::from(stream.bits_of(index, 2));
    let bits = (bits & !(0xf << 76) & !(0xc << 60)) | (0x4 << 76) | (0x8 << 60);
    for digit in 0..32 {
        if matches!(digit, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(HEX[(bits >> (124 - digit * 4)) as usize & 0xf]);
    }
}

impl Helper {
    /// Appends text to the scratch space and gives nothing, or gives a value that needs none.
    pub fn write<'v>(&'v self, stream: Substream, index: u64, at: VirtualTime, out: &mut Vec<u8>) -> Option<Val<'v>> {
        let bits = |draw: u64| stream.bits_of(index, draw);
        match self {
            Self::Word(list) => return Some(Val::Text(word(list, bits(0)))),
            Self::Int { min, span } => return Some(Val::Int(min + below(bits(0), *span) as i64)),
            Self::Choice { values, thresholds } => return Some(Val::Ready(&values[pick(thresholds, bits(0))])),
            Self::Boolean => return Some(Val::Bool(bits(0) & 1 == 1)),
            Self::Number { min, span, decimals } => super::number::write_decimal(min + span * unit(bits(0)), *decimals, out),
            Self::Words(lists) => {
                for (draw, list) in lists.iter().enumerate() {
                    if draw > 0 {
                        out.push(b' ');
                    }
                    out.extend_from_slice(word(list, bits(draw as u64)).as_bytes());
                }
            }
            Self::Sentence(count) => {
                for draw in 0..*count {
                    if draw > 0 {
                        out.push(b' ');
                    }
                    out.extend_from_slice(word(WORDS, bits(draw)).as_bytes());
                }
                out.push(b'.');
            }
            Self::Email | Self::UserName => {
                out.extend(word(FIRST, bits(0)).bytes().map(|b| b.to_ascii_lowercase()));
                out.push(b'.');
                out.extend(word(LAST, bits(1)).bytes().map(|b| b.to_ascii_lowercase()));
                if matches!(self, Self::Email) {
                    out.push(b'@');
                    out.extend_from_slice(word(DOMAINS, bits(2)).as_bytes());
                }
            }
            Self::Url => {
                out.extend_from_slice(b"https://");
                out.extend_from_slice(word(WORDS, bits(0)).as_bytes());
                out.push(b'.');
                out.extend_from_slice(word(DOMAINS, bits(1)).as_bytes());
            }
            Self::Ip => {
                for part in 0..4 {
                    if part > 0 {
                        out.push(b'.');
                    }
                    write_int(below(bits(part), 254) as i64 + 1, out);
                }
            }
            Self::Mac => {
                for part in 0..6 {
                    if part > 0 {
                        out.push(b':');
                    }
                    out.extend_from_slice(format!("{:02x}", bits(part) & 0xff).as_bytes());
                }
            }
            Self::Phone => {
                out.extend_from_slice(b"+1-555-");
                write_int(below(bits(0), 900) as i64 + 100, out);
                out.push(b'-');
                write_int(below(bits(1), 9000) as i64 + 1000, out);
            }
            Self::Uuid => write_uuid(stream, index, out),
            Self::AlphaNumeric(count) => {
                const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
                out.extend((0..*count).map(|draw| LETTERS[below(bits(draw), 36) as usize]));
            }
            Self::Date(format) => format.write(at, out),
        }
        None
    }
}
