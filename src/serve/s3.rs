//! The REST API of S3, as far as `aws s3 ls`, `cp`, `sync`, `mb`, `rb`, `rm` and SDKs need it to read what was delivered and to put reference data.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HOST, HeaderName, LAST_MODIFIED};
use hyper::http::request::Parts;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::chunked::{Chunked, compare, is_chunked};
use super::queue::Entrance;
use super::wire::{Answer, answer, decoded, encoded, escaped, http_date, pairs, set, value_of};
use super::xml::{NAMESPACE, XML, document, element, elements};
use crate::api::{Call, ErrorCode, Request, Response, ServiceError};
use crate::engine::time::parse_iso;

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
        let unsupported = ["acl", "policy", "tagging", "versioning", "lifecycle"];
        if let Some(name) = unsupported.iter().find(|name| self.query(name).is_some()) {
            return Err(ServiceError::not_simulated(&format!("S3 {} ?{name}", self.parts.method)));
        }
        if ["uploads", "uploadId", "delete"].iter().any(|name| self.query(name).is_some()) {
            return self.upload(body).await;
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
                if let Some(source) = self.header("x-amz-copy-source") {
                    let mut request = self.described();
                    request.insert("CopySource".to_owned(), json!(decoded(source, false)));
                    if let Some(directive) = self.header("x-amz-metadata-directive") {
                        request.insert("MetadataDirective".to_owned(), json!(directive));
                    }
                    let done = self.ask("CopyObject", Value::Object(request)).await?;
                    return Ok(document("CopyObjectResult", &done["CopyObjectResult"]));
                }
                let mut request = self.described();
                request.insert("Body".to_owned(), json!(STANDARD.encode(self.bytes(body)?)));
                let done = self.ask("PutObject", Value::Object(request)).await?;
                Ok(tagged(&done))
            }
            ("DELETE", false, false) => {
                self.ask("DeleteObject", json!({"Bucket": bucket, "Key": key})).await?;
                Ok(answer(204, XML, ""))
            }
            ("HEAD" | "GET", false, false) => self.object().await,
            (method, ..) => Err(ServiceError::not_simulated(&format!("S3 {method} {}", self.parts.uri.path()))),
        }
    }

    /// Bucket, key and what the headers say of an object.
    fn described(&self) -> Map<String, Value> {
        let mut request = Map::from_iter([("Bucket".to_owned(), json!(self.bucket)), ("Key".to_owned(), json!(self.key))]);
        if let Some(kind) = self.header("content-type") {
            request.insert("ContentType".to_owned(), json!(kind));
        }
        let encoding: Vec<&str> = self
            .header("content-encoding")
            .into_iter()
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .filter(|part| *part != "aws-chunked")
            .collect();
        if !encoding.is_empty() {
            request.insert("ContentEncoding".to_owned(), json!(encoding.join(",")));
        }
        let metadata: Map<String, Value> = self
            .parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().strip_prefix("x-amz-meta-")?.to_owned(), json!(value.to_str().ok()?))))
            .collect();
        if !metadata.is_empty() {
            request.insert("Metadata".to_owned(), Value::Object(metadata));
        }
        request
    }

    /// The bytes of an upload, which are those that its checksums say.
    fn bytes(&self, body: &[u8]) -> Result<Vec<u8>, ServiceError> {
        let bytes = if is_chunked(self.parts) { Chunked::read(body)?.whole(self.parts)? } else { body.to_vec() };
        compare(&bytes, self.header("x-amz-checksum-crc32"))?;
        if let Some(sum) = self.header("content-md5") {
            let digest: [u8; 16] = Md5::digest(&bytes).into();
            if STANDARD.encode(digest) != sum {
                return Err(ServiceError::new(ErrorCode::BadDigest, "The Content-MD5 you specified did not match what we received."));
            }
        }
        Ok(bytes)
    }

    /// Uploads in parts, and deleting several objects.
    async fn upload(&self, body: &[u8]) -> Result<Answer, ServiceError> {
        let malformed = || {
            ServiceError::new(ErrorCode::MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema")
        };
        let mut request = Map::from_iter([("Bucket".to_owned(), json!(self.bucket)), ("Key".to_owned(), json!(self.key))]);
        let mut add = |name: &str, value: Value| request.insert(name.to_owned(), value);
        let number = |name: &str| self.query(name).and_then(|text| text.parse::<u32>().ok());
        if let Some(id) = self.query("uploadId") {
            add("UploadId", json!(id));
        }
        match (self.parts.method.as_str(), self.query("uploadId").is_some(), self.query("uploads").is_some()) {
            ("POST", false, true) => {
                let done = self.ask("CreateMultipartUpload", Value::Object(self.described())).await?;
                Ok(document("InitiateMultipartUploadResult", &done))
            }
            ("GET", false, true) => {
                let listed = json!({"Bucket": self.bucket, "Prefix": self.query("prefix").unwrap_or_default()});
                Ok(document("ListMultipartUploadsResult", &self.ask("ListMultipartUploads", listed).await?))
            }
            ("PUT", true, _) => {
                add("PartNumber", json!(number("partNumber").unwrap_or(0)));
                if let Some(source) = self.header("x-amz-copy-source") {
                    add("CopySource", json!(decoded(source, false)));
                    if let Some(range) = self.header("x-amz-copy-source-range") {
                        add("CopySourceRange", json!(range));
                    }
                    let done = self.ask("UploadPartCopy", Value::Object(request)).await?;
                    return Ok(document("CopyPartResult", &done["CopyPartResult"]));
                }
                add("Body", json!(STANDARD.encode(self.bytes(body)?)));
                Ok(tagged(&self.ask("UploadPart", Value::Object(request)).await?))
            }
            ("POST", true, _) => {
                let text = std::str::from_utf8(body).map_err(|_| malformed())?;
                let mut parts = Vec::new();
                for part in elements(text, "Part") {
                    let number: u32 = element(part, "PartNumber").trim().parse().map_err(|_| malformed())?;
                    parts.push(json!({"PartNumber": number, "ETag": element(part, "ETag")}));
                }
                add("MultipartUpload", json!({"Parts": parts}));
                Ok(document("CompleteMultipartUploadResult", &self.ask("CompleteMultipartUpload", Value::Object(request)).await?))
            }
            ("DELETE", true, _) => {
                self.ask("AbortMultipartUpload", Value::Object(request)).await?;
                Ok(answer(204, XML, ""))
            }
            ("GET", true, _) => {
                for (member, name) in [("MaxParts", "max-parts"), ("PartNumberMarker", "part-number-marker")] {
                    if let Some(number) = number(name) {
                        add(member, json!(number));
                    }
                }
                Ok(document("ListPartsResult", &self.ask("ListParts", Value::Object(request)).await?))
            }
            ("POST", false, false) => {
                let bytes = self.bytes(body)?;
                let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
                let objects: Vec<Value> = elements(text, "Object").into_iter().map(|object| json!({"Key": element(object, "Key")})).collect();
                let request = json!({"Bucket": self.bucket, "Delete": {"Objects": objects, "Quiet": element(text, "Quiet") == "true"}});
                Ok(document("DeleteResult", &self.ask("DeleteObjects", request).await?))
            }
            (method, ..) => Err(ServiceError::not_simulated(&format!("S3 {method} {}", self.parts.uri))),
        }
    }

    async fn object(&self) -> Result<Answer, ServiceError> {
        let head = self.parts.method == "HEAD";
        let mut request = json!({"Bucket": self.bucket, "Key": self.key});
        // What is no range of bytes is passed over, as the service does.
        if let Some(range) = self.header("range").filter(|range| range.starts_with("bytes=")) {
            request["Range"] = json!(range);
        }
        let found = self.ask(if head { "HeadObject" } else { "GetObject" }, request).await?;
        let body = STANDARD.decode(found["Body"].as_str().unwrap_or_default()).unwrap_or_default();
        let text = |member: &str| found[member].as_str().unwrap_or_default();
        let mut done = answer(if found["ContentRange"].is_string() { 206 } else { 200 }, text("ContentType"), body);
        let headers = done.headers_mut();
        if head {
            set(headers, hyper::header::CONTENT_LENGTH, &found["ContentLength"].to_string());
        }
        set(headers, CONTENT_RANGE, text("ContentRange"));
        set(headers, ETAG, text("ETag"));
        set(headers, ACCEPT_RANGES, "bytes");
        set(headers, CONTENT_ENCODING, text("ContentEncoding"));
        for (name, value) in found["Metadata"].as_object().into_iter().flatten() {
            if let Ok(name) = HeaderName::try_from(format!("x-amz-meta-{name}")) {
                set(headers, name, value.as_str().unwrap_or_default());
            }
        }
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

/// An answer without a body, with the tag of what was written.
fn tagged(done: &Value) -> Answer {
    let mut written = answer(200, XML, "");
    set(written.headers_mut(), ETAG, done["ETag"].as_str().unwrap_or_default());
    written
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
