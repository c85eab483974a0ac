//! Parameters to the body of a request: blobs become base64, instants become seconds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::super::shape::{Kind, Member, Shape};
use super::globals::BinaryFormat;
use super::param::Param;
use super::{CliError, check};

/// Decodes every blob given as text, in place.
///
/// # Errors
/// Text that is not base64 under [`BinaryFormat::Base64`].
pub(super) fn decode_blobs(members: &[Member], params: &mut Param, format: BinaryFormat) -> Result<(), CliError> {
    let Param::Map(entries) = params else { return Ok(()) };
    for (key, value) in entries {
        if let Some(member) = members.iter().find(|member| member.name == key) {
            decode_blob(member.shape, value, format)?;
        }
    }
    Ok(())
}

fn decode_blob(shape: &Shape, value: &mut Param, format: BinaryFormat) -> Result<(), CliError> {
    match (shape.kind, &mut *value) {
        (Kind::Structure(members), _) => decode_blobs(members, value, format),
        (Kind::List(item), Param::List(items)) => items.iter_mut().try_for_each(|value| decode_blob(item, value, format)),
        (Kind::Map(_, item), Param::Map(entries)) => entries.iter_mut().try_for_each(|(_, value)| decode_blob(item, value, format)),
        (Kind::Blob, Param::Text(text)) => {
            let bytes = match format {
                BinaryFormat::RawInBase64Out => std::mem::take(text).into_bytes(),
                BinaryFormat::Base64 => lax_base64(text)?,
            };
            *value = Param::Bytes(bytes);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Decodes base64 as the CLI does: characters outside the alphabet are skipped, what follows the padding is ignored, and only a wrong
/// number of characters is an error.
fn lax_base64(text: &str) -> Result<Vec<u8>, CliError> {
    if !text.is_ascii() {
        return Err(CliError::general("string argument should contain only ASCII characters"));
    }
    let (mut out, mut quad, mut left, mut pads) = (Vec::with_capacity(text.len() / 4 * 3), 0u8, 0u8, 0u8);
    for byte in text.bytes() {
        let bits = match byte {
            b'=' => {
                if quad >= 2 {
                    pads += 1;
                    if quad + pads >= 4 {
                        return Ok(out);
                    }
                }
                continue;
            }
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        pads = 0;
        match quad {
            0 => left = bits,
            1 => {
                out.push(left << 2 | bits >> 4);
                left = bits & 0xf;
            }
            2 => {
                out.push(left << 4 | bits >> 2);
                left = bits & 0x3;
            }
            _ => out.push(left << 6 | bits),
        }
        quad = (quad + 1) % 4;
    }
    if quad == 0 { Ok(out) } else { Err(CliError::general(&format!("Invalid base64: \"{text}\""))) }
}

/// The JSON body of checked parameters.
pub(super) fn body(members: &[Member], params: &Param) -> Value {
    let mut body = Map::new();
    for member in members {
        if let Some(value) = params.get(member.name) {
            body.insert(member.name.to_owned(), value_of(Some(member.shape), value));
        }
    }
    Value::Object(body)
}

fn value_of(shape: Option<&Shape>, value: &Param) -> Value {
    match (shape.map(|shape| shape.kind), value) {
        (Some(Kind::Structure(members)), Param::Map(_)) => body(members, value),
        (Some(Kind::Timestamp), _) => check::instant_of(value).and_then(|instant| serde_json::to_value(instant).ok()).unwrap_or(Value::Null),
        (Some(Kind::List(item)), Param::List(items)) => items.iter().map(|value| value_of(Some(item), value)).collect(),
        (Some(Kind::Map(_, item)), Param::Map(entries)) => {
            Value::Object(entries.iter().map(|(key, value)| (key.clone(), value_of(Some(item), value))).collect())
        }
        (_, Param::None) => Value::Null,
        (Some(Kind::Integer), Param::Bool(flag)) => Value::from(i32::from(*flag)),
        (_, Param::Bool(flag)) => Value::Bool(*flag),
        (_, Param::Int(int)) => {
            Value::Number(i64::try_from(*int).map_or_else(|_| Number::from(if *int < 0 { i64::MIN } else { i64::MAX }), Number::from))
        }
        (_, Param::Float(float)) => Number::from_f64(*float).map_or(Value::Null, Value::Number),
        (_, Param::Text(text)) => Value::String(text.clone()),
        (_, Param::Bytes(bytes)) => Value::String(STANDARD.encode(bytes)),
        (_, Param::List(items)) => items.iter().map(|value| value_of(None, value)).collect(),
        (_, Param::Map(entries)) => Value::Object(entries.iter().map(|(key, value)| (key.clone(), value_of(None, value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_the_cli_reads_it() {
        let read = |text: &str| lax_base64(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| error.text);
        for (text, wanted) in [
            ("aGVsbG8=", Ok("hello")),
            ("YWJj ZGVm", Ok("abcdef")),
            ("YQ==YQ==", Ok("a")),
            ("!!!", Ok("")),
            ("", Ok("")),
            ("hello", Err("\nInvalid base64: \"hello\"")),
            ("YQ", Err("\nInvalid base64: \"YQ\"")),
            ("Y", Err("\nInvalid base64: \"Y\"")),
            ("a;b,c", Err("\nInvalid base64: \"a;b,c\"")),
            ("h\u{e9}", Err("\nstring argument should contain only ASCII characters")),
        ] {
            assert_eq!(read(text), wanted.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }
}
