//! Amazon S3 as far as deliveries and clients need it: buckets, objects, listings, uploads in parts, and the faults a lab can switch on.

mod object;
mod upload;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::api::{Call, ErrorCode, ServiceError};

use super::time::VirtualTime;
pub use object::{Described, Object, part};
use upload::Uploads;

/// Why a bucket refuses writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// 503: the service cannot be reached.
    Unavailable,
    /// 403: the role may not write.
    AccessDenied,
}

/// A bucket.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    /// Objects by key.
    pub objects: BTreeMap<String, Object>,
    /// When it was created.
    pub created: VirtualTime,
    /// A fault of the lab.
    pub refuses: Option<Refusal>,
}

/// The service.
#[derive(Debug, Clone, Default)]
pub struct S3 {
    buckets: BTreeMap<String, Bucket>,
    /// (bucket, key) of every object written, in order: what a mirror has to copy.
    written: Arc<Vec<(String, String)>>,
    uploads: Uploads,
}

impl S3 {
    /// A bucket by name.
    pub fn bucket(&self, name: &str) -> Option<&Bucket> {
        self.buckets.get(name)
    }

    /// A bucket by name, for faults.
    pub fn bucket_mut(&mut self, name: &str) -> Option<&mut Bucket> {
        self.buckets.get_mut(name)
    }

    /// All buckets by name.
    pub fn buckets(&self) -> impl Iterator<Item = (&str, &Bucket)> {
        self.buckets.iter().map(|(name, bucket)| (name.as_str(), bucket))
    }

    /// (bucket, key) of every object ever written, in order.
    pub fn written(&self) -> &[(String, String)] {
        &self.written
    }

    /// An object.
    pub fn object(&self, bucket: &str, key: &str) -> Option<&Object> {
        self.buckets.get(bucket)?.objects.get(key)
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// A name that is taken or no bucket name.
    pub fn create(&mut self, now: VirtualTime, name: &str) -> Result<(), ServiceError> {
        let fits = (3..=63).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
            && !name.starts_with(['-', '.'])
            && !name.ends_with(['-', '.']);
        if !fits {
            return Err(ServiceError::validation(format!(
                "The specified bucket is not valid: '{name}' (3 to 63 of a-z, 0-9, '-' and '.', beginning and ending with a letter or digit)."
            )));
        }
        if self.buckets.contains_key(name) {
            let text = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(ServiceError::new(ErrorCode::BucketAlreadyOwnedByYou, text));
        }
        self.buckets.insert(name.to_owned(), Bucket { created: now, ..Bucket::default() });
        Ok(())
    }

    /// Writes an object.
    ///
    /// # Errors
    /// A missing bucket, or the fault that is on.
    pub fn put(&mut self, now: VirtualTime, bucket: &str, key: &str, bytes: Arc<[u8]>, encoding: &'static str) -> Result<(), ServiceError> {
        let Some(found) = self.buckets.get_mut(bucket) else {
            return Err(no_such_bucket());
        };
        match found.refuses {
            Some(Refusal::Unavailable) => return Err(ServiceError::new(ErrorCode::SlowDown, "Please reduce your request rate.")),
            Some(Refusal::AccessDenied) => return Err(ServiceError::new(ErrorCode::AccessDenied, "Access Denied")),
            None => {}
        }
        let described = (!encoding.is_empty()).then(|| Arc::new(Described { encoding: encoding.to_owned(), ..Described::default() }));
        found.objects.insert(key.to_owned(), Object { bytes, at: now, described });
        Arc::make_mut(&mut self.written).push((bucket.to_owned(), key.to_owned()));
        Ok(())
    }

    /// Writes an object with what its writer says of it.
    fn put_described(&mut self, now: VirtualTime, bucket: &str, key: &str, bytes: Arc<[u8]>, described: Described) -> Result<Value, ServiceError> {
        self.put(now, bucket, key, bytes, "")?;
        let Some(object) = self.buckets.get_mut(bucket).and_then(|bucket| bucket.objects.get_mut(key)) else { return Err(no_such_bucket()) };
        object.described = (described != Described::default()).then(|| Arc::new(described));
        Ok(json!({"ETag": object.etag()}))
    }

    /// The object of a copy's source, `bucket/key` with a slash in front or not.
    fn source(&self, text: &str) -> Result<&Object, ServiceError> {
        let text = text.trim_start_matches('/');
        let (bucket, key) = text.split_once('/').unwrap_or((text, ""));
        let found = self.find(bucket)?.objects.get(key.split("?versionId=").next().unwrap_or(key));
        found.ok_or_else(no_such_key)
    }

    fn find(&self, name: &str) -> Result<&Bucket, ServiceError> {
        self.buckets.get(name).ok_or_else(no_such_bucket)
    }

    /// Carries out an operation of `s3api`.
    ///
    /// # Errors
    /// S3's own.
    pub fn call(&mut self, now: VirtualTime, call: &Call) -> Result<Value, ServiceError> {
        let text = |name: &str| call.body.get(name).and_then(Value::as_str).unwrap_or_default();
        let (bucket, key) = (text("Bucket"), text("Key"));
        match call.operation.name {
            "CreateBucket" => {
                self.create(now, bucket)?;
                Ok(json!({"Location": format!("/{bucket}")}))
            }
            "DeleteBucket" => {
                if !self.find(bucket)?.objects.is_empty() {
                    return Err(ServiceError::new(ErrorCode::BucketNotEmpty, "The bucket you tried to delete is not empty"));
                }
                self.buckets.remove(bucket);
                Ok(json!({}))
            }
            "HeadBucket" => self.find(bucket).map(|_| json!({})),
            "ListBuckets" => {
                let buckets: Vec<Value> =
                    self.buckets.iter().map(|(name, bucket)| json!({"Name": name, "CreationDate": bucket.created.to_string()})).collect();
                Ok(json!({"Buckets": buckets}))
            }
            "PutObject" => {
                let body = STANDARD.decode(text("Body")).unwrap_or_default();
                self.put_described(now, bucket, key, body.into(), Described::read(&call.body))
            }
            "CopyObject" => {
                let source = self.source(text("CopySource"))?.clone();
                let described = match text("MetadataDirective") {
                    "REPLACE" => Described::read(&call.body),
                    // The tag of a copy is that of its bytes, however they came.
                    _ => source
                        .described
                        .as_deref()
                        .map_or_else(Described::default, |described| Described { etag: String::new(), ..described.clone() }),
                };
                let done = self.put_described(now, bucket, key, source.bytes, described)?;
                Ok(json!({"CopyObjectResult": {"ETag": done["ETag"], "LastModified": now.to_string()}}))
            }
            "GetObject" | "HeadObject" => {
                let object = self.find(bucket)?.objects.get(key).ok_or_else(no_such_key)?;
                let mut answer = Map::new();
                let whole = &object.bytes;
                let asked = Some(text("Range")).filter(|text| text.starts_with("bytes="));
                let (from, to) = match asked {
                    Some(asked) => part(asked, whole.len())
                        .ok_or_else(|| ServiceError::new(ErrorCode::InvalidRange, "The requested range is not satisfiable"))?,
                    None => (0, whole.len()),
                };
                answer.insert("LastModified".to_owned(), json!(object.at.to_string()));
                answer.insert("ContentLength".to_owned(), json!(to - from));
                answer.insert("ETag".to_owned(), json!(object.etag()));
                if asked.is_some() {
                    answer.insert("ContentRange".to_owned(), json!(format!("bytes {from}-{}/{}", to.saturating_sub(1), whole.len())));
                }
                let described = object.described.as_deref();
                if let Some(encoding) = described.map(|described| &described.encoding).filter(|encoding| !encoding.is_empty()) {
                    answer.insert("ContentEncoding".to_owned(), json!(encoding));
                }
                let kind = described.map(|described| described.content_type.as_str()).filter(|kind| !kind.is_empty());
                answer.insert("ContentType".to_owned(), json!(kind.unwrap_or("application/octet-stream")));
                if let Some(metadata) = described.map(|described| &described.metadata).filter(|metadata| !metadata.is_empty()) {
                    answer.insert("Metadata".to_owned(), json!(metadata));
                }
                if call.operation.name == "GetObject" {
                    // There is no output file here: the body is part of the answer, text as it is, anything else in base64.
                    let bytes = &whole[from..to];
                    let body = std::str::from_utf8(bytes).map_or_else(|_| STANDARD.encode(bytes), str::to_owned);
                    answer.insert("Body".to_owned(), Value::String(body));
                }
                Ok(Value::Object(answer))
            }
            "DeleteObjects" => {
                self.find(bucket)?;
                let objects = call.body["Delete"]["Objects"].as_array().map_or(&[][..], Vec::as_slice);
                let keys: Vec<&str> = objects.iter().filter_map(|object| object["Key"].as_str()).collect();
                if let Some(bucket) = self.buckets.get_mut(bucket) {
                    for key in &keys {
                        bucket.objects.remove(*key);
                    }
                }
                if call.body["Delete"]["Quiet"] == true {
                    return Ok(json!({}));
                }
                Ok(json!({"Deleted": keys.iter().map(|key| json!({"Key": key})).collect::<Vec<_>>()}))
            }
            "DeleteObject" => {
                self.find(bucket)?;
                if let Some(bucket) = self.buckets.get_mut(bucket) {
                    bucket.objects.remove(key);
                }
                Ok(json!({}))
            }
            "ListObjectsV2" => self.list(&call.body),
            "CreateMultipartUpload"
            | "UploadPart"
            | "UploadPartCopy"
            | "CompleteMultipartUpload"
            | "AbortMultipartUpload"
            | "ListParts"
            | "ListMultipartUploads" => self.upload(now, call.operation.name, &call.body),
            other => Err(ServiceError::not_simulated(other)),
        }
    }

    fn list(&self, body: &Value) -> Result<Value, ServiceError> {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let bucket = self.find(text("Bucket").unwrap_or_default())?;
        let prefix = text("Prefix").unwrap_or_default();
        let most = body.get("MaxKeys").and_then(Value::as_u64).unwrap_or(1000) as usize;
        let after = text("ContinuationToken").or(text("StartAfter")).unwrap_or_default();
        let (mut contents, mut common): (Vec<Value>, Vec<String>) = (Vec::new(), Vec::new());
        let mut next = None;
        let mut last = String::new();
        for (key, object) in bucket.objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix)) {
            if key.as_str() <= after {
                continue;
            }
            if contents.len() + common.len() >= most {
                next = Some(last);
                break;
            }
            last.clone_from(key);
            if let Some(delimiter) = text("Delimiter").filter(|delimiter| !delimiter.is_empty())
                && let Some(at) = key[prefix.len()..].find(delimiter)
            {
                let folder = key[..prefix.len() + at + delimiter.len()].to_owned();
                if common.last() != Some(&folder) {
                    common.push(folder);
                }
                continue;
            }
            contents.push(json!({"Key": key, "LastModified": object.at.to_string(), "ETag": object.etag(), "Size": object.bytes.len(), "StorageClass": "STANDARD"}));
        }
        let mut answer = Map::new();
        if !contents.is_empty() {
            answer.insert("Contents".to_owned(), Value::Array(contents));
        }
        if !common.is_empty() {
            answer.insert("CommonPrefixes".to_owned(), common.into_iter().map(|prefix| json!({"Prefix": prefix})).collect());
        }
        if let Some(next) = next {
            answer.insert("NextContinuationToken".to_owned(), Value::String(next));
        }
        Ok(Value::Object(answer))
    }
}

fn no_such_key() -> ServiceError {
    ServiceError::new(ErrorCode::NoSuchKey, "The specified key does not exist.")
}

fn no_such_bucket() -> ServiceError {
    ServiceError::new(ErrorCode::NoSuchBucket, "The specified bucket does not exist")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_have_folders_and_pages() {
        let mut s3 = S3::default();
        let now = VirtualTime(1);
        s3.create(now, "data").expect("free");
        assert_eq!(s3.create(now, "data").expect_err("taken").code, ErrorCode::BucketAlreadyOwnedByYou);
        assert!(s3.create(now, "No").is_err());
        for key in ["a/1", "a/2", "b", "c/d/e"] {
            s3.put(now, "data", key, Arc::from(&b"x"[..]), "").expect("there");
        }
        let list = |body: Value| s3.list(&body).expect("there");
        let folders = list(json!({"Bucket": "data", "Delimiter": "/"}));
        assert_eq!(folders["CommonPrefixes"], json!([{"Prefix": "a/"}, {"Prefix": "c/"}]));
        assert_eq!(folders["Contents"][0]["Key"], "b");
        let page = list(json!({"Bucket": "data", "MaxKeys": 3}));
        assert_eq!(page["NextContinuationToken"], "b");
        let rest = list(json!({"Bucket": "data", "ContinuationToken": "b"}));
        assert_eq!(rest["Contents"].as_array().expect("list").len(), 1);
        assert_eq!(s3.put(now, "none", "k", Arc::from(&b""[..]), "").expect_err("missing").code, ErrorCode::NoSuchBucket);
    }
}
