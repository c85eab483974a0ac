//! Shard iterators: opaque tokens that carry the stream's incarnation, the shard, the position and the time they were made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api::{ErrorCode, ServiceError};
use crate::engine::time::VirtualTime;

/// Life of an iterator, milliseconds.
pub const LIFE_MILLIS: u64 = 300_000;

/// A position in a shard, as handed to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIterator {
    /// Stream name.
    pub stream: String,
    /// Incarnation of the stream.
    pub incarnation: u64,
    /// Shard number.
    pub shard: u32,
    /// Counter of the next record to read.
    pub next: u64,
    /// When the iterator was made.
    pub created: VirtualTime,
}

/// FNV-1a, to tell a damaged token from a whole one.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

impl ShardIterator {
    /// The token.
    pub fn encode(&self) -> String {
        let mut bytes = vec![0, 0, 0, 0, 0, 0, 0, 1];
        bytes.extend_from_slice(&self.incarnation.to_be_bytes());
        bytes.extend_from_slice(&self.shard.to_be_bytes());
        bytes.extend_from_slice(&self.next.to_be_bytes());
        bytes.extend_from_slice(&self.created.0.to_be_bytes());
        bytes.extend_from_slice(self.stream.as_bytes());
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum.to_be_bytes());
        STANDARD.encode(bytes)
    }

    /// Reads a token whatever its age; `None` when it was not made by [`Self::encode`].
    pub fn peek(token: &str) -> Option<Self> {
        Self::decode(token, VirtualTime(0)).ok()
    }

    /// Reads a token.
    ///
    /// # Errors
    /// `InvalidArgumentException` when it was not made by [`Self::encode`]; `ExpiredIteratorException` more than 300,000 ms after that.
    pub fn decode(token: &str, now: VirtualTime) -> Result<Self, ServiceError> {
        let invalid = || ServiceError::invalid_argument("Invalid ShardIterator.");
        let bytes = STANDARD.decode(token).map_err(|_| invalid())?;
        let (body, sum) = bytes.split_last_chunk::<8>().ok_or_else(invalid)?;
        if u64::from_be_bytes(*sum) != checksum(body) {
            return Err(invalid());
        }
        let body = body.strip_prefix(&[0, 0, 0, 0, 0, 0, 0, 1]).ok_or_else(invalid)?;
        let (incarnation, body) = body.split_first_chunk::<8>().ok_or_else(invalid)?;
        let (shard, body) = body.split_first_chunk::<4>().ok_or_else(invalid)?;
        let (next, body) = body.split_first_chunk::<8>().ok_or_else(invalid)?;
        let (created, name) = body.split_first_chunk::<8>().ok_or_else(invalid)?;
        let created = VirtualTime(u64::from_be_bytes(*created));
        if now.millis().saturating_sub(created.millis()) > LIFE_MILLIS {
            return Err(ServiceError::new(
                ErrorCode::ExpiredIteratorException,
                format!(
                    "Iterator expired. The iterator was created at time {} while right now it is {} which is further in the future than the \
                     tolerated delay of {LIFE_MILLIS} milliseconds.",
                    java_date(created),
                    java_date(now)
                ),
            ));
        }
        Ok(Self {
            stream: String::from_utf8(name.to_vec()).map_err(|_| invalid())?,
            incarnation: u64::from_be_bytes(*incarnation),
            shard: u32::from_be_bytes(*shard),
            next: u64::from_be_bytes(*next),
            created,
        })
    }
}

/// `Thu Jan 22 01:22:02 UTC 2015`.
fn java_date(at: VirtualTime) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let c = at.civil();
    format!("{} {} {:02} {:02}:{:02}:{:02} UTC {}", DAYS[c.weekday as usize], MONTHS[c.month as usize - 1], c.day, c.hour, c.minute, c.second, c.year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::VirtualDuration;

    fn sample() -> ShardIterator {
        ShardIterator { stream: "taxi".into(), incarnation: 7, shard: 3, next: 99, created: VirtualTime::from_secs(1_421_889_722) }
    }

    #[test]
    fn it_lives_300_seconds() {
        let token = sample().encode();
        assert!(token.len() <= 512);
        let at = |ms| sample().created + VirtualDuration::from_millis(ms);
        assert_eq!(ShardIterator::decode(&token, at(299_999)), Ok(sample()));
        assert_eq!(ShardIterator::decode(&token, at(300_000)), Ok(sample()));
        let error = ShardIterator::decode(&token, at(300_001)).expect_err("expired");
        assert_eq!(error.code, ErrorCode::ExpiredIteratorException);
        assert!(
            error.message.starts_with("Iterator expired. The iterator was created at time Thu Jan 22 01:22:02 UTC 2015 while right now"),
            "{error}"
        );
    }

    #[test]
    fn damaged_tokens_are_invalid() {
        let token = sample().encode();
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(bytes).expect("ASCII");
            let error = ShardIterator::decode(&text, sample().created).expect_err("damaged");
            assert_eq!(error.message, "Invalid ShardIterator.");
        }
        assert!(ShardIterator::decode("", VirtualTime(0)).is_err());
        assert!(ShardIterator::decode("ä", VirtualTime(0)).is_err());
    }
}
