//! CBOR bodies to and from their JSON form. Bytes stand for base64 texts, instants are tag 1: over whole milliseconds as the Java SDKs and the KCL
//! speak to Kinesis, over seconds in the newer protocol of CloudWatch.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

/// Nesting of a body at most.
const DEPTH_MAX: usize = 64;

/// Members of answers that hold bytes.
const BYTES: &[&str] = &["Data"];
/// Members of answers that hold instants.
const INSTANTS: &[&str] = &[
    "ApproximateArrivalTimestamp",
    "StreamCreationTimestamp",
    "ConsumerCreationTimestamp",
    "Timestamp",
    "StartedAt",
    "EndedAt",
    "EarliestAllowedEndAt",
    "CreateTimestamp",
    "LastUpdateTimestamp",
    "Timestamps",
];

/// What the number of an instant counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instants {
    /// Kinesis.
    Millis,
    /// As the standard says.
    Seconds,
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    instants: Instants,
}

/// What an item begins with.
enum Head {
    /// Major type and its number.
    Number(u8, u64),
    /// Major type of an item without a length; 7 is its end.
    Open(u8),
}

/// The JSON form of a CBOR body.
///
/// # Errors
/// A sentence: what cannot be read, with its place.
pub(super) fn to_json(bytes: &[u8], instants: Instants) -> Result<Value, String> {
    let mut reader = Reader { bytes, at: 0, instants };
    let value = reader.value(0)?;
    if reader.at < bytes.len() {
        return Err(format!("{} bytes follow the value", bytes.len() - reader.at));
    }
    Ok(value)
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: u64) -> Result<&'b [u8], String> {
        let end = usize::try_from(count).ok().and_then(|count| self.at.checked_add(count)).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("the body ends within an item that begins before byte {}", self.at))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn head(&mut self) -> Result<Head, String> {
        let first = self.take(1)?[0];
        let (major, low) = (first >> 5, first & 31);
        let number = match low {
            0..24 => u64::from(low),
            24..28 => self.take(1 << (low - 24))?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
            31 => return Ok(Head::Open(major)),
            _ => return Err(format!("byte {first:#04x} before byte {} begins no item", self.at)),
        };
        Ok(Head::Number(major, number))
    }

    fn ended(&mut self) -> bool {
        let ended = self.bytes.get(self.at) == Some(&0xff);
        self.at += usize::from(ended);
        ended
    }

    /// The pieces of a text or byte string without a length.
    fn pieces(&mut self, major: u8) -> Result<Vec<u8>, String> {
        let mut whole = Vec::new();
        while !self.ended() {
            match self.head()? {
                Head::Number(piece, length) if piece == major => whole.extend_from_slice(self.take(length)?),
                _ => return Err(format!("a piece of another type before byte {}", self.at)),
            }
        }
        Ok(whole)
    }

    fn text(&self, bytes: Vec<u8>) -> Result<String, String> {
        String::from_utf8(bytes).map_err(|_| format!("a text before byte {} is not UTF-8", self.at))
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEPTH_MAX {
            return Err(format!("items are nested more than {DEPTH_MAX} deep"));
        }
        let start = self.at;
        Ok(match self.head()? {
            Head::Number(0, number) => Value::from(number),
            Head::Number(1, number) => Value::from(-1 - i64::try_from(number).map_err(|_| format!("the number at byte {start} is too small"))?),
            Head::Number(2, length) => Value::String(STANDARD.encode(self.take(length)?)),
            Head::Open(2) => Value::String(STANDARD.encode(self.pieces(2)?)),
            Head::Number(3, length) => {
                let bytes = self.take(length)?.to_vec();
                Value::String(self.text(bytes)?)
            }
            Head::Open(3) => {
                let bytes = self.pieces(3)?;
                Value::String(self.text(bytes)?)
            }
            Head::Number(4, length) => {
                let mut items = Vec::new();
                for _ in 0..length {
                    items.push(self.value(depth + 1)?);
                }
                Value::Array(items)
            }
            Head::Open(4) => {
                let mut items = Vec::new();
                while !self.ended() {
                    items.push(self.value(depth + 1)?);
                }
                Value::Array(items)
            }
            Head::Number(5, length) => {
                let mut members = Map::new();
                for _ in 0..length {
                    self.member(&mut members, depth)?;
                }
                Value::Object(members)
            }
            Head::Open(5) => {
                let mut members = Map::new();
                while !self.ended() {
                    self.member(&mut members, depth)?;
                }
                Value::Object(members)
            }
            Head::Number(6, tag) => {
                let value = self.value(depth + 1)?;
                // JSON has seconds.
                match (tag, value.as_f64()) {
                    (1, Some(millis)) if self.instants == Instants::Millis => Number::from_f64(millis / 1000.0).map_or(Value::Null, Value::Number),
                    _ => value,
                }
            }
            Head::Number(7, 20) => Value::Bool(false),
            Head::Number(7, 21) => Value::Bool(true),
            Head::Number(7, 22 | 23) => Value::Null,
            Head::Number(7, bits) => match self.at - start {
                3 => self.float(f64::from(half(bits as u16)))?,
                5 => self.float(f64::from(f32::from_bits(bits as u32)))?,
                9 => self.float(f64::from_bits(bits))?,
                _ => return Err(format!("byte {start} begins no value")),
            },
            Head::Number(..) | Head::Open(_) => return Err(format!("byte {start} begins no value")),
        })
    }

    fn float(&self, number: f64) -> Result<Value, String> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| format!("the number before byte {} is not finite", self.at))
    }

    fn member(&mut self, members: &mut Map<String, Value>, depth: usize) -> Result<(), String> {
        let Value::String(name) = self.value(depth + 1)? else { return Err(format!("a name before byte {} is no text", self.at)) };
        let value = self.value(depth + 1)?;
        members.insert(name, value);
        Ok(())
    }
}

/// A number of 16 bits.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 => f32::INFINITY,
        exponent => (fraction + 1024.0) * 2f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// The CBOR form of an answer's JSON text; what is no JSON becomes nothing.
pub(super) fn of_json(text: &[u8], instants: Instants) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    if let Ok(value) = serde_json::from_slice(text) {
        write(&value, "", instants, &mut out);
    }
    out
}

fn head(major: u8, number: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match number {
        0..24 => out.push(major + number as u8),
        24..0x100 => out.extend_from_slice(&[major + 24, number as u8]),
        0x100..0x1_0000 => {
            out.push(major + 25);
            out.extend_from_slice(&(number as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major + 26);
            out.extend_from_slice(&(number as u32).to_be_bytes());
        }
        _ => {
            out.push(major + 27);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

fn write(value: &Value, name: &str, instants: Instants, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(value) => out.push(if *value { 0xf5 } else { 0xf4 }),
        Value::Number(number) if INSTANTS.contains(&name) => {
            head(6, 1, out);
            let seconds = number.as_f64().unwrap_or(0.0).max(0.0);
            match instants {
                Instants::Millis => head(0, libm::round(seconds * 1000.0) as u64, out),
                Instants::Seconds => {
                    out.push(0xfb);
                    out.extend_from_slice(&seconds.to_be_bytes());
                }
            }
        }
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => head(0, number, out),
            (_, Some(number)) => head(1, number.unsigned_abs() - 1, out),
            _ => {
                out.push(0xfb);
                out.extend_from_slice(&number.as_f64().unwrap_or(0.0).to_be_bytes());
            }
        },
        Value::String(text) => match STANDARD.decode(text) {
            Ok(bytes) if BYTES.contains(&name) => {
                head(2, bytes.len() as u64, out);
                out.extend_from_slice(&bytes);
            }
            _ => {
                head(3, text.len() as u64, out);
                out.extend_from_slice(text.as_bytes());
            }
        },
        Value::Array(items) => {
            head(4, items.len() as u64, out);
            for item in items {
                write(item, name, instants, out);
            }
        }
        Value::Object(members) => {
            head(5, members.len() as u64, out);
            for (name, value) in members {
                head(3, name.len() as u64, out);
                out.extend_from_slice(name.as_bytes());
                write(value, name, instants, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bodies_go_there_and_back() {
        let json = json!({"StreamName": "x", "Limit": 300, "Small": -7, "Big": 5_000_000_000u64, "Flag": true, "Records": [{"Data": "aGVsbG8=", "PartitionKey": "k"}]});
        let cbor = of_json(json.to_string().as_bytes(), Instants::Millis);
        assert!(cbor.windows(5).any(|window| window == b"hello"));
        assert_eq!(to_json(&cbor, Instants::Millis).expect("good"), json);
        // Instants are milliseconds in CBOR, seconds in JSON.
        let cbor = of_json(br#"{"Timestamp":1546300805.123}"#, Instants::Millis);
        assert!(cbor.ends_with(&[0xc1, 0x1b, 0, 0, 1, 0x68, 0x06, 0x88, 0x2c, 0x83]) || cbor.contains(&0xc1), "{cbor:x?}");
        assert_eq!(to_json(&cbor, Instants::Millis).expect("good"), json!({"Timestamp": 1_546_300_805.123}));
        let seconds = of_json(br#"{"Timestamps":[1546300805.5]}"#, Instants::Seconds);
        assert_eq!(to_json(&seconds, Instants::Seconds).expect("good"), json!({"Timestamps": [1_546_300_805.5]}));
    }

    #[test]
    fn open_items_are_read_and_broken_ones_refused() {
        // {_ "a": (_ "b", "c"), "d": [_ 1, 2], "e": h'0102' in pieces, "f": 1.5}
        let open = b"\xbf\x61a\x7f\x61b\x61c\xff\x61d\x9f\x01\x02\xff\x61e\x5f\x41\x01\x41\x02\xff\x61f\xf9\x3e\x00\xff";
        assert_eq!(to_json(open, Instants::Millis).expect("good"), json!({"a": "bc", "d": [1, 2], "e": "AQI=", "f": 1.5}));
        for end in 0..open.len() {
            assert!(to_json(&open[..end], Instants::Millis).is_err(), "{end}");
        }
        assert!(to_json(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Instants::Millis).is_err(), "a list of 2^64 items");
        assert!(to_json(&[0x81; 200], Instants::Millis).is_err(), "nested without end");
        assert!(to_json(b"\x01\x02", Instants::Millis).is_err());
    }
}
