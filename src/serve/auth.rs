//! Signature version 4: whether a request was signed with the secret that belongs to its access key.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};

use super::chunked::Chunked;
use super::wire::{encoded, pairs, value_of as value_in};
use crate::api::{ErrorCode, ServiceError};
use crate::engine::time::{VirtualTime, parse_iso};

/// A signature is good for so long before and after its instant, in seconds.
const SKEW_MAX: u64 = 900;
/// A presigned URL is good for so long at most, in seconds.
const EXPIRES_MAX: u64 = 604_800;

/// Access key and secret.
#[derive(Clone)]
pub struct Credentials {
    access_key: String,
    secret_key: String,
}

impl std::fmt::Debug for Credentials {
    /// The secret is not shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.access_key)
    }
}

fn incomplete(text: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::IncompleteSignatureException, text)
}

impl Credentials {
    /// A key and its secret.
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into() }
    }

    /// Checks a request.
    ///
    /// # Errors
    /// `MissingAuthenticationTokenException`, `IncompleteSignatureException`, `UnrecognizedClientException`, `InvalidSignatureException`.
    #[allow(clippy::disallowed_methods, reason = "signatures carry the client's wall clock")]
    pub(super) fn check(&self, parts: &Parts, body: &[u8]) -> Result<(), ServiceError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.check_at(parts, body, now)
    }

    fn check_at(&self, parts: &Parts, body: &[u8], now: u64) -> Result<(), ServiceError> {
        let given = Given::read(parts)?;
        let (access_key, scope) = given.credential.split_once('/').unwrap_or((&given.credential, ""));
        let fields: Vec<&str> = scope.split('/').collect();
        let [day, region, service, "aws4_request"] = fields[..] else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                given.credential
            )));
        };
        if access_key != self.access_key {
            return Err(ServiceError::new(ErrorCode::UnrecognizedClientException, "The security token included in the request is invalid."));
        }
        let date = &given.date;
        let at = instant(date).ok_or_else(|| incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{date}'.")))?;
        match given.expires {
            // A presigned URL is good from its instant on for so long as it says.
            Some(seconds) if now > at + seconds => return Err(ServiceError::new(ErrorCode::AccessDenied, "Request has expired")),
            Some(_) if at <= now + SKEW_MAX => {}
            None if at.abs_diff(now) <= SKEW_MAX => {}
            _ => {
                return Err(invalid(format!("Signature expired or not yet current: {date} is more than 15 min away from this machine's clock")));
            }
        }
        let announced = parts.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
        let actual = hex(&Sha256::digest(body));
        if announced.is_some_and(|hash| hash.len() == 64 && hash != actual) {
            return Err(invalid("The provided 'x-amz-content-sha256' header does not match what was computed."));
        }
        let payload = match given.expires {
            Some(_) if service == "s3" => announced.unwrap_or("UNSIGNED-PAYLOAD"),
            _ => announced.unwrap_or(&actual),
        };
        let request = canonical(parts, &given.signed, service == "s3", payload);
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(request)));
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for step in [day, region, service, "aws4_request"] {
            key = sign(&key, step);
        }
        if !same(hex(&sign(&key, &to_sign)).as_bytes(), given.signature.as_bytes()) {
            return Err(mismatch());
        }
        if announced.is_some_and(|hash| hash.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")) {
            return check_chunks(&Chunked::read(body)?, &key, &format!("{date}\n{scope}"), &given.signature);
        }
        Ok(())
    }
}

/// What a request says of its signature, in a header or in the query of a presigned URL.
struct Given {
    credential: String,
    signed: String,
    signature: String,
    date: String,
    /// Seconds for which a presigned URL is good.
    expires: Option<u64>,
}

impl Given {
    fn read(parts: &Parts) -> Result<Self, ServiceError> {
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let Some(header) = text(AUTHORIZATION.as_str()) else { return Self::of_query(parts) };
        let rest = header.strip_prefix("AWS4-HMAC-SHA256").ok_or_else(|| incomplete("Authorization header requires 'AWS4-HMAC-SHA256'"))?;
        let part = |name: &str| rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')).filter(|text| !text.is_empty());
        let (credential, signed, signature) = (part("Credential"), part("SignedHeaders"), part("Signature"));
        let date = text("x-amz-date");
        let (Some(credential), Some(signed), Some(signature), Some(date)) = (credential, signed, signature, date) else {
            let mut missing: Vec<String> = [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed)]
                .iter()
                .filter(|(_, value)| value.is_none())
                .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
                .collect();
            if date.is_none() {
                missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned());
            }
            return Err(incomplete(format!("{} Authorization={header}", missing.join(" "))));
        };
        let owned = str::to_owned;
        Ok(Self { credential: owned(credential), signed: owned(signed), signature: owned(signature), date: owned(date), expires: None })
    }

    fn of_query(parts: &Parts) -> Result<Self, ServiceError> {
        let query = pairs(parts.uri.query().unwrap_or_default());
        let text = |name: &str| value_in(&query, name).unwrap_or_default().to_owned();
        if text("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" {
            return Err(ServiceError::new(ErrorCode::MissingAuthenticationTokenException, "Missing Authentication Token"));
        }
        let missing = ["X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date"].into_iter().find(|name| text(name).is_empty());
        let expires = text("X-Amz-Expires").parse::<u64>().ok().filter(|seconds| *seconds <= EXPIRES_MAX);
        match (missing, expires) {
            (None, Some(expires)) => Ok(Self {
                credential: text("X-Amz-Credential"),
                signed: text("X-Amz-SignedHeaders"),
                signature: text("X-Amz-Signature"),
                date: text("X-Amz-Date"),
                expires: Some(expires),
            }),
            (missing, _) => Err(incomplete(format!(
                "AWS query-string parameters must include '{}', from 0 to {EXPIRES_MAX} where it is a number of seconds",
                missing.unwrap_or("X-Amz-Expires")
            ))),
        }
    }
}

/// Each chunk is signed with the signature before it, the first one with that of the request.
fn check_chunks(body: &Chunked<'_>, key: &[u8], place: &str, seed: &str) -> Result<(), ServiceError> {
    let mut before = seed.to_owned();
    let empty = hex(&Sha256::digest(b""));
    for chunk in &body.chunks {
        let to_sign = format!("AWS4-HMAC-SHA256-PAYLOAD\n{place}\n{before}\n{empty}\n{}", hex(&Sha256::digest(chunk.data)));
        let wanted = hex(&sign(key, &to_sign));
        if !same(wanted.as_bytes(), chunk.signature.unwrap_or_default().as_bytes()) {
            return Err(mismatch());
        }
        before = wanted;
    }
    if body.trailers.is_empty() {
        return Ok(());
    }
    let trailers: String = body.trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let to_sign = format!("AWS4-HMAC-SHA256-TRAILER\n{place}\n{before}\n{}", hex(&Sha256::digest(trailers)));
    let wanted = hex(&sign(key, &to_sign));
    if same(wanted.as_bytes(), body.trailer_signature.unwrap_or_default().as_bytes()) { Ok(()) } else { Err(mismatch()) }
}

fn mismatch() -> ServiceError {
    invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    )
}

fn invalid(text: impl Into<String>) -> ServiceError {
    ServiceError::new(ErrorCode::InvalidSignatureException, text)
}

/// Equal, in a time that does not depend on where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    // Keys of any length are taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// `20260102T030405Z` in seconds since 1970.
fn instant(text: &str) -> Option<u64> {
    let part = |range: std::ops::Range<usize>| text.get(range);
    let iso = format!("{}-{}-{}T{}:{}:{}Z", part(0..4)?, part(4..6)?, part(6..8)?, part(9..11)?, part(11..13)?, part(13..15)?);
    (text.len() == 16 && text.as_bytes()[8] == b'T').then(|| parse_iso(&iso).map(VirtualTime::secs))?
}

/// What of a request is signed.
fn canonical(parts: &Parts, signed: &str, s3: bool, payload: &str) -> String {
    // S3 signs the path as it is sent, everybody else encodes it once more.
    let path = if s3 { parts.uri.path().to_owned() } else { encoded(parts.uri.path(), true) };
    let mut query: Vec<(String, String)> = pairs(&parts.uri.query().unwrap_or_default().replace('+', "%2B"))
        .into_iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (encoded(&name, false), encoded(&value, false)))
        .collect();
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers: String = signed.split(';').map(|name| format!("{name}:{}\n", value_of(&parts.headers, name, parts))).collect();
    format!("{}\n{path}\n{}\n{headers}\n{signed}\n{payload}", parts.method, query.join("&"))
}

/// A header's values, blanks run together. HTTP/2 has the host in `:authority`, which some clients sign by that name.
fn value_of(headers: &HeaderMap, name: &str, parts: &Parts) -> String {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    if values.is_empty() && (name == HOST.as_str() || name == ":authority") {
        return parts.uri.authority().map(ToString::to_string).unwrap_or_default();
    }
    values.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn parts(authorization: &str) -> Parts {
        let mut request = Request::builder().method("GET").uri("/").header("host", "example.amazonaws.com").header("x-amz-date", "20150830T123600Z");
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        request.body(()).expect("a request").into_parts().0
    }

    /// The vector `get-vanilla` of AWS's own suite for signature version 4.
    #[test]
    fn the_published_vector_is_accepted_and_nothing_else() {
        let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let good = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, \
                    Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let now = 1_440_938_160;
        let check = |authorization: &str, now: u64| credentials.check_at(&parts(authorization), b"", now).map_err(|error| error.code);
        assert_eq!(check(good, now), Ok(()));
        assert_eq!(check(good, now + 1000), Err(ErrorCode::InvalidSignatureException));
        assert_eq!(check(&good.replace("5fa0", "5fa1"), now), Err(ErrorCode::InvalidSignatureException));
        assert_eq!(check(&good.replace("AKIDEXAMPLE", "AKIDOTHER"), now), Err(ErrorCode::UnrecognizedClientException));
        assert_eq!(check("AWS4-HMAC-SHA256 Credential=x", now), Err(ErrorCode::IncompleteSignatureException));
        assert_eq!(check("Basic x", now), Err(ErrorCode::IncompleteSignatureException));
        assert_eq!(check("", now), Err(ErrorCode::MissingAuthenticationTokenException));
        assert_eq!(credentials.check_at(&parts(good), b"x", now).map_err(|error| error.code), Err(ErrorCode::InvalidSignatureException));
    }

    /// The examples of S3's own documentation: a presigned URL, and an upload in two signed chunks and the last.
    #[test]
    fn presigned_urls_and_signed_chunks_are_accepted_as_published() {
        let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let now = 1_369_353_600;
        let url = |signature: &str| {
            let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
                         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=";
            let request =
                Request::builder().method("GET").uri(format!("/test.txt?{query}{signature}")).header("host", "examplebucket.s3.amazonaws.com");
            request.body(()).expect("a request").into_parts().0
        };
        let good = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        let check = |signature: &str, now: u64| credentials.check_at(&url(signature), b"", now).map_err(|error| error.code);
        assert_eq!(check(good, now + 3600), Ok(()));
        assert_eq!(check(good, now + 86_401), Err(ErrorCode::AccessDenied));
        assert_eq!(check(&good.replace("aeee", "aeef"), now), Err(ErrorCode::InvalidSignatureException));

        let authorization = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
                             SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,\
                             Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
        let upload = Request::builder().method("PUT").uri("/examplebucket/chunkObject.txt").header("host", "s3.amazonaws.com");
        let upload = [
            ("authorization", authorization),
            ("content-encoding", "aws-chunked"),
            ("content-length", "66824"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-decoded-content-length", "66560"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ]
        .into_iter()
        .fold(upload, |request, (name, value)| request.header(name, value));
        let parts = upload.body(()).expect("a request").into_parts().0;
        let body = |fill: char| {
            let chunk = |size: usize, signature: &str| format!("{size:x};chunk-signature={signature}\r\n{}\r\n", fill.to_string().repeat(size));
            chunk(65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648")
                + &chunk(1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497")
                + &chunk(0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9")
        };
        assert_eq!(credentials.check_at(&parts, body('a').as_bytes(), now), Ok(()));
        assert_eq!(credentials.check_at(&parts, body('b').as_bytes(), now).map_err(|error| error.code), Err(ErrorCode::InvalidSignatureException));
    }
}
