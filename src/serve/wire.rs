//! What all protocols of the endpoint share: answers with AWS's headers, percent-encoding, dates.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::engine::time::VirtualTime;

/// The body of an answer.
pub(super) type Body = BoxBody<Bytes, Infallible>;

/// An answer without its connection.
pub(super) type Answer = Response<Body>;

static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// The id of the next answer.
fn request_id() -> String {
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
    format!("6b696e6c-6162-4000-8000-{number:012x}")
}

/// An answer of a status, content type and body, with the headers that every service sends.
pub(super) fn answer(status: u16, content_type: &str, body: impl Into<Bytes>) -> Answer {
    streamed(status, content_type, Full::new(body.into()).boxed())
}

/// As [`answer`], with a body that comes bit by bit.
pub(super) fn streamed(status: u16, content_type: &str, body: Body) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let id = request_id();
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (HeaderName::from_static("x-amzn-requestid"), &id),
        (HeaderName::from_static("x-amz-request-id"), &id),
        (HeaderName::from_static("x-amz-id-2"), "a2lubGFiIGtpbmxhYiBraW5sYWIga2lubGFiIGtpbmxhYiBraW5sYWIga2lubGFi"),
    ] {
        set(headers, name, value);
    }
    response
}

/// Sets a header; a value that no header can have is left out.
pub(super) fn set(headers: &mut hyper::HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value)
        && !value.is_empty()
    {
        headers.insert(name, value);
    }
}

/// `%41+b` to `A b`; `plus` says whether `+` is a blank. What is no UTF-8 is replaced.
pub(super) fn decoded(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex =
            bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) if plus => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The pairs of a query string or form.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name, true), decoded(value, true))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// The value of a pair.
pub(super) fn value_of<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Text in XML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out
}

/// Characters with a meaning in URLs, encoded. `path`: but for slashes.
pub(super) fn encoded(text: &str, path: bool) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (path && byte == b'/');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// `Fri, 02 Jan 2026 03:04:05 GMT`.
pub(super) fn http_date(at: VirtualTime) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_micros(at.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_urls_are_read_and_dates_written() {
        assert_eq!(decoded("a%20b+c%2", false), "a b+c%2");
        assert_eq!(pairs("a=1&b=x+y%26&&c"), [("a", "1"), ("b", "x y&"), ("c", "")].map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(http_date(VirtualTime(1_767_322_245_000_000)), "Fri, 02 Jan 2026 02:50:45 GMT");
        assert_eq!((encoded("a b/ü", true), encoded("a/b", false)), ("a%20b/%C3%BC".to_owned(), "a%2Fb".to_owned()));
        assert_eq!(escaped("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
    }
}
