//! `application/vnd.amazon.eventstream`: the frames in which SubscribeToShard answers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use flate2::Crc;
use hyper::body::{Body, Bytes, Frame};
use tokio::sync::mpsc;

use super::cbor;
use crate::api::kinesis::SubscribeToShardEvent;

/// A frame: lengths, checksum, headers, payload, checksum; all numbers big-endian.
pub(super) fn frame(kind: &str, content_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":event-type", kind), (":content-type", content_type), (":message-type", "event")] {
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        // Type 7 is text.
        headers.push(7);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let total = 12 + headers.len() + payload.len() + 4;
    let mut frame = Vec::with_capacity(total);
    frame.extend_from_slice(&(total as u32).to_be_bytes());
    frame.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    frame.extend_from_slice(&checksum(&frame).to_be_bytes());
    frame.extend_from_slice(&headers);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&checksum(&frame).to_be_bytes());
    frame
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The body of a subscription: an empty first answer, then its events until they end.
#[derive(Debug)]
pub(super) struct EventBody {
    events: mpsc::Receiver<SubscribeToShardEvent>,
    as_cbor: bool,
    begun: bool,
}

impl EventBody {
    pub(super) fn new(events: mpsc::Receiver<SubscribeToShardEvent>, as_cbor: bool) -> Self {
        Self { events, as_cbor, begun: false }
    }

    fn bytes(&self, kind: &str, payload: &[u8]) -> Bytes {
        if self.as_cbor {
            frame(kind, "application/x-amz-cbor-1.1", &cbor::of_json(payload, cbor::Instants::Millis)).into()
        } else {
            frame(kind, "application/x-amz-json-1.1", payload).into()
        }
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.begun {
            self.begun = true;
            return Poll::Ready(Some(Ok(Frame::data(self.bytes("initial-response", b"{}")))));
        }
        self.events.poll_recv(context).map(|event| {
            let event = event?;
            // Texts, numbers and base64 always become JSON.
            let payload = serde_json::to_vec(&event).unwrap_or_default();
            Some(Ok(Frame::data(self.bytes("SubscribeToShardEvent", &payload))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_lengths_and_checksums() {
        let frame = frame("x", "y", b"{}");
        assert_eq!(u32::from_be_bytes(frame[..4].try_into().expect("four")) as usize, frame.len());
        assert_eq!(u32::from_be_bytes(frame[8..12].try_into().expect("four")), checksum(&frame[..8]));
        let end = frame.len() - 4;
        assert_eq!(u32::from_be_bytes(frame[end..].try_into().expect("four")), checksum(&frame[..end]));
        // The checksum of AWS's own example, an empty message.
        assert_eq!(checksum(&[0, 0, 0, 0x10, 0, 0, 0, 0]), 0x05c2_48eb);
    }
}
