//! The REST API of S3, as far as `aws s3 ls`, `cp`, `sync`, `mb`, `rb`, `rm` and SDKs need it to read what was delivered and to put reference data.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HOST, LAST_MODIFIED};
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use super::queue::Entrance;
use super::wire::{Answer, answer, decoded, encoded, escaped, http_date, pairs, set, value_of};
use crate::api::{Call, ErrorCode, Request, Response, ServiceError};
use crate::engine::time::parse_iso;

const XML: &str = "application/xml";
const NAMESPACE: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// A request taken apart.
struct Wanted<'r> {
    parts: &'r Parts,
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
    entrance: &'r Entrance,
    client: &'r str,
}

/// Answers a request.
pub(super) async fn respond(parts: &Parts, body: &[u8], entrance: &Entrance, client: &str) -> Answer {
    let (bucket, key) = place(parts);
    let wanted = Wanted { parts, bucket, key, query: pairs(parts.uri.query().unwrap_or_default()), entrance, client };
    wanted.carry_out(body).await.unwrap_or_else(|error| refusal(&error, parts))
}

/// A refusal, by S3's own names.
pub(super) fn refusal(error: &ServiceError, parts: &Parts) -> Answer {
    let (status, name) = match error.code {
        // What is not there in the service is not implemented here.
        ErrorCode::UnknownOperationException => (501, "NotImplemented"),
        ErrorCode::InvalidSignatureException => (403, "SignatureDoesNotMatch"),
        ErrorCode::UnrecognizedClientException => (403, "InvalidAccessKeyId"),
        ErrorCode::MissingAuthenticationTokenException | ErrorCode::IncompleteSignatureException => (403, "AccessDenied"),
        code => (code.http_status(), code.name()),
    };
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{name}</Code><Message>{}</Message><Resource>{}</Resource><RequestId>kinlab</RequestId></Error>",
        escaped(&error.message),
        escaped(parts.uri.path())
    );
    answer(status, XML, if parts.method == "HEAD" { String::new() } else { xml })
}

/// Bucket and key: of the path, or with the bucket in front of the host.
fn place(parts: &Parts) -> (String, String) {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).or_else(|| parts.uri.host()).unwrap_or_default();
    let path = parts.uri.path().trim_start_matches('/');
    let in_host = host.split(".s3.").next().filter(|name| name.len() < host.len()).or_else(|| {
        let name = host.split(':').next().unwrap_or_default();
        name.strip_suffix(".localhost").filter(|bucket| *bucket != "s3")
    });
    match in_host {
        Some(bucket) => (bucket.to_owned(), decoded(path, false)),
        None => {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (decoded(bucket, false), decoded(key, false))
        }
    }
}

impl Wanted<'_> {
    async fn ask(&self, operation: &str, body: Value) -> Result<Value, ServiceError> {
        let call = Call::of("s3api", operation, &body)?;
        match self.entrance.answer(Request::Other(call), self.client).await? {
            Response::Other(value) => Ok(value),
            Response::Kinesis(_) => Err(ServiceError::internal_failure()),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn query(&self, name: &str) -> Option<&str> {
        value_of(&self.query, name)
    }

    async fn carry_out(&self, body: &[u8]) -> Result<Answer, ServiceError> {
        let (bucket, key) = (json!(self.bucket), json!(self.key));
        let unsupported = ["uploads", "uploadId", "acl", "policy", "tagging", "versioning", "lifecycle", "delete"];
        if let Some(name) = unsupported.iter().find(|name| self.query(name).is_some()) {
            return Err(ServiceError::not_simulated(&format!("S3 {} ?{name}", self.parts.method)));
        }
        match (self.parts.method.as_str(), self.bucket.is_empty(), self.key.is_empty()) {
            ("GET", true, _) => Ok(answer(200, XML, buckets(&self.ask("ListBuckets", json!({})).await?))),
            ("PUT", false, true) => {
                self.ask("CreateBucket", json!({"Bucket": bucket})).await?;
                Ok(answer(200, XML, ""))
            }
            ("DELETE", false, true) => {
                self.ask("DeleteBucket", json!({"Bucket": bucket})).await?;
                Ok(answer(204, XML, ""))
            }
            ("HEAD", false, true) => {
                self.ask("HeadBucket", json!({"Bucket": bucket})).await?;
                Ok(answer(200, XML, ""))
            }
            ("GET", false, true) if self.query("location").is_some() => {
                self.ask("HeadBucket", json!({"Bucket": bucket})).await?;
                Ok(answer(200, XML, format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint {NAMESPACE}/>")))
            }
            ("GET", false, true) => self.list().await,
            ("PUT", false, false) => {
                if self.header("x-amz-copy-source").is_some() {
                    return Err(ServiceError::not_simulated("S3 CopyObject"));
                }
                let chunked = self.header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
                let body = if chunked { unchunked(body)? } else { body.to_vec() };
                let done = self.ask("PutObject", json!({"Bucket": bucket, "Key": key, "Body": STANDARD.encode(body)})).await?;
                let mut written = answer(200, XML, "");
                set(written.headers_mut(), ETAG, done["ETag"].as_str().unwrap_or_default());
                Ok(written)
            }
            ("DELETE", false, false) => {
                self.ask("DeleteObject", json!({"Bucket": bucket, "Key": key})).await?;
                Ok(answer(204, XML, ""))
            }
            ("HEAD" | "GET", false, false) => self.object().await,
            (method, ..) => Err(ServiceError::not_simulated(&format!("S3 {method} {}", self.parts.uri.path()))),
        }
    }

    async fn object(&self) -> Result<Answer, ServiceError> {
        let head = self.parts.method == "HEAD";
        let found = self.ask(if head { "HeadObject" } else { "GetObject" }, json!({"Bucket": self.bucket, "Key": self.key})).await?;
        let whole = STANDARD.decode(found["Body"].as_str().unwrap_or_default()).unwrap_or_default();
        let length = found["ContentLength"].as_u64().unwrap_or(0) as usize;
        let range = self.header("range").and_then(|range| part(range, length));
        let content_type = found["ContentType"].as_str().unwrap_or("application/octet-stream");
        let mut done = match range {
            Some((from, to)) if !head => {
                let mut done = answer(206, content_type, whole.get(from..to).unwrap_or_default().to_vec());
                set(done.headers_mut(), CONTENT_RANGE, &format!("bytes {from}-{}/{length}", to.saturating_sub(1)));
                done
            }
            _ => answer(200, content_type, whole),
        };
        let headers = done.headers_mut();
        if head {
            set(headers, hyper::header::CONTENT_LENGTH, &length.to_string());
        }
        set(headers, ETAG, found["ETag"].as_str().unwrap_or_default());
        set(headers, ACCEPT_RANGES, "bytes");
        set(headers, CONTENT_ENCODING, found["ContentEncoding"].as_str().unwrap_or_default());
        if let Some(at) = found["LastModified"].as_str().and_then(parse_iso) {
            set(headers, LAST_MODIFIED, &http_date(at));
        }
        Ok(done)
    }

    async fn list(&self) -> Result<Answer, ServiceError> {
        let second = self.query("list-type") == Some("2");
        let mut body = Map::from_iter([("Bucket".to_owned(), json!(self.bucket))]);
        let marker = if second { "continuation-token" } else { "marker" };
        for (member, name) in [("Prefix", "prefix"), ("Delimiter", "delimiter"), ("ContinuationToken", marker), ("StartAfter", "start-after")] {
            if let Some(value) = self.query(name).filter(|value| !value.is_empty()) {
                body.insert(member.to_owned(), json!(value));
            }
        }
        let most = self.query("max-keys").and_then(|text| text.parse::<u64>().ok()).unwrap_or(1000).min(1000);
        body.insert("MaxKeys".to_owned(), json!(most));
        let found = self.ask("ListObjectsV2", Value::Object(body)).await?;
        let as_url = self.query("encoding-type") == Some("url");
        let name = |text: &str| escaped(&if as_url { encoded(text, true) } else { text.to_owned() });
        let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult {NAMESPACE}><Name>{}</Name>", escaped(&self.bucket));
        for (element, parameter) in [("Prefix", "prefix"), ("Delimiter", "delimiter")] {
            let _ = write!(xml, "<{element}>{}</{element}>", name(self.query(parameter).unwrap_or_default()));
        }
        if as_url {
            xml.push_str("<EncodingType>url</EncodingType>");
        }
        let (contents, common) = (found["Contents"].as_array(), found["CommonPrefixes"].as_array());
        let next = found["NextContinuationToken"].as_str();
        let count = contents.map_or(0, Vec::len) + common.map_or(0, Vec::len);
        let _ = write!(xml, "<MaxKeys>{most}</MaxKeys><KeyCount>{count}</KeyCount><IsTruncated>{}</IsTruncated>", next.is_some());
        if let Some(next) = next {
            let element = if second { "NextContinuationToken" } else { "NextMarker" };
            let _ = write!(xml, "<{element}>{}</{element}>", escaped(next));
        }
        for object in contents.into_iter().flatten() {
            let text = |member: &str| escaped(object[member].as_str().unwrap_or_default());
            let _ = write!(
                xml,
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                name(object["Key"].as_str().unwrap_or_default()),
                text("LastModified"),
                text("ETag"),
                object["Size"]
            );
        }
        for folder in common.into_iter().flatten() {
            let _ = write!(xml, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", name(folder["Prefix"].as_str().unwrap_or_default()));
        }
        xml.push_str("</ListBucketResult>");
        Ok(answer(200, XML, xml))
    }
}

fn buckets(found: &Value) -> String {
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListAllMyBucketsResult {NAMESPACE}><Owner><ID>kinlab</ID></Owner><Buckets>");
    for bucket in found["Buckets"].as_array().into_iter().flatten() {
        let text = |member: &str| escaped(bucket[member].as_str().unwrap_or_default());
        let _ = write!(xml, "<Bucket><Name>{}</Name><CreationDate>{}</CreationDate></Bucket>", text("Name"), text("CreationDate"));
    }
    xml.push_str("</Buckets></ListAllMyBucketsResult>");
    xml
}

/// `bytes=0-99`, `bytes=100-`, `bytes=-10`: first byte and the one behind the last.
fn part(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to.saturating_add(1).min(length)),
        (Ok(from), Err(_)) => (from, length),
        (Err(_), Ok(last)) => (length.saturating_sub(last), length),
        _ => return None,
    };
    (from < to).then_some((from, to))
}

/// The body of an upload in signed chunks: `SIZE[;chunk-signature=…]`, the bytes, and so on until a chunk of no bytes; trailers follow it.
fn unchunked(mut body: &[u8]) -> Result<Vec<u8>, ServiceError> {
    let broken = || ServiceError::validation("The body of the upload is not divided into chunks as its headers say.");
    let mut whole = Vec::with_capacity(body.len());
    loop {
        let end = body.windows(2).position(|pair| pair == b"\r\n").ok_or_else(broken)?;
        let line = std::str::from_utf8(&body[..end]).map_err(|_| broken())?;
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16).map_err(|_| broken())?;
        if size == 0 {
            return Ok(whole);
        }
        let rest = &body[end + 2..];
        whole.extend_from_slice(rest.get(..size).ok_or_else(broken)?);
        body = rest.get(size + 2..).ok_or_else(broken)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_ranges_and_names() {
        let body = b"5;chunk-signature=ab\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        assert_eq!(unchunked(body).expect("good"), b"hello!");
        for end in 0..body.len() - 30 {
            let cut = unchunked(&body[..end]);
            assert!(cut.is_err() || cut.is_ok_and(|whole| whole == b"hello!"), "{end}");
        }
        assert!(unchunked(b"ffffffffffffffff\r\nx\r\n").is_err());
        assert_eq!(part("bytes=0-1", 10), Some((0, 2)));
        assert_eq!(part("bytes=8-", 10), Some((8, 10)));
        assert_eq!(part("bytes=-3", 10), Some((7, 10)));
        assert_eq!((part("bytes=10-", 10), part("x", 10)), (None, None));
    }
}
