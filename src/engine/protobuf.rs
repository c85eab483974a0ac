//! As much of the protobuf wire format as KPL aggregates and ORC files need.

/// The bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'d> {
    /// Varint.
    Uint(u64),
    /// Length-delimited.
    Bytes(&'d [u8]),
    /// A fixed-width field, skipped.
    Fixed,
}

/// Reads the fields of a message.
#[derive(Debug)]
pub struct Reader<'d> {
    rest: &'d [u8],
}

impl<'d> Reader<'d> {
    /// Over a message.
    pub const fn new(message: &'d [u8]) -> Self {
        Self { rest: message }
    }

    fn uint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(Malformed)?;
            self.rest = rest;
            if shift < 64 {
                value |= u64::from(byte & 0x7f) << shift;
            }
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, count: u64) -> Result<&'d [u8], Malformed> {
        let count = usize::try_from(count).map_err(|_| Malformed)?;
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// The next field with its number; `None` at the end.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot say that the message is malformed")]
    pub fn next(&mut self) -> Result<Option<(u32, Field<'d>)>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.uint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Malformed)?;
        let field = match tag & 7 {
            0 => Field::Uint(self.uint()?),
            1 => self.take(8).map(|_| Field::Fixed)?,
            2 => {
                let length = self.uint()?;
                Field::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Field::Fixed)?,
            _ => return Err(Malformed),
        };
        if number == 0 { Err(Malformed) } else { Ok(Some((number, field))) }
    }
}

/// Bytes of a varint.
pub const fn uint_len(value: u64) -> u64 {
    let bits = 64 - (value | 1).leading_zeros() as u64;
    bits.div_ceil(7)
}

/// Appends a varint.
pub fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a varint field.
pub fn put_uint(number: u32, value: u64, out: &mut Vec<u8>) {
    put_varint(u64::from(number) << 3, out);
    put_varint(value, out);
}

/// Appends a length-delimited field.
pub fn put_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    put_varint(u64::from(number) << 3 | 2, out);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}
