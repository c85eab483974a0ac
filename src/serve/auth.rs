//! Signature version 4: whether a request was signed with the secret that belongs to its access key.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};

use super::wire::{encoded, pairs};
use crate::api::{ErrorCode, ServiceError};
use crate::engine::time::{VirtualTime, parse_iso};

/// A signature is good for so long before and after its instant, in seconds.
const SKEW_MAX: u64 = 900;

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
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let Some(header) = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return Err(ServiceError::new(ErrorCode::MissingAuthenticationTokenException, "Missing Authentication Token"));
        };
        let rest = header.strip_prefix("AWS4-HMAC-SHA256").ok_or_else(|| incomplete("Authorization header requires 'AWS4-HMAC-SHA256'"))?;
        let part = |name: &str| rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let (credential, signed, signature) = (part("Credential"), part("SignedHeaders"), part("Signature"));
        let date = text("x-amz-date");
        let mut missing: Vec<String> = [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed)]
            .iter()
            .filter(|(_, value)| value.is_none_or(str::is_empty))
            .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
            .collect();
        if date.is_none() {
            missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned());
        }
        let (Some(credential), Some(signed), Some(signature), Some(date), true) = (credential, signed, signature, date, missing.is_empty()) else {
            return Err(incomplete(format!("{} Authorization={header}", missing.join(" "))));
        };
        let mut scope = credential.splitn(2, '/');
        let (access_key, scope) = (scope.next().unwrap_or_default(), scope.next().unwrap_or_default());
        let fields: Vec<&str> = scope.split('/').collect();
        let [day, region, service, "aws4_request"] = fields[..] else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
            )));
        };
        if access_key != self.access_key {
            return Err(ServiceError::new(ErrorCode::UnrecognizedClientException, "The security token included in the request is invalid."));
        }
        let at = instant(date).ok_or_else(|| incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{date}'.")))?;
        if at.abs_diff(now) > SKEW_MAX {
            return Err(invalid(format!("Signature expired or not yet current: {date} is more than 15 min away from this machine's clock")));
        }
        let announced = text("x-amz-content-sha256");
        let actual = hex(&Sha256::digest(body));
        if announced.is_some_and(|hash| hash.len() == 64 && hash != actual) {
            return Err(invalid("The provided 'x-amz-content-sha256' header does not match what was computed."));
        }
        let request = canonical(parts, signed, service == "s3", announced.unwrap_or(&actual));
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(request)));
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for step in [day, region, service, "aws4_request"] {
            key = sign(&key, step);
        }
        if !same(hex(&sign(&key, &to_sign)).as_bytes(), signature.as_bytes()) {
            return Err(invalid(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
            ));
        }
        Ok(())
    }
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
}
