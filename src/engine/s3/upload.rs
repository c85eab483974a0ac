//! Uploads in parts: begun, filled in any order, completed to an object or given up.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::api::{ErrorCode, ServiceError};
use crate::engine::time::VirtualTime;

use super::S3;
use super::object::{Described, hex, part, tag_of};

/// Bytes of every part but the last.
const PART_MIN: usize = 5 << 20;

/// Uploads under way, by their ids.
#[derive(Debug, Clone, Default)]
pub(super) struct Uploads {
    begun: u64,
    open: BTreeMap<String, Upload>,
}

#[derive(Debug, Clone)]
struct Upload {
    bucket: String,
    key: String,
    at: VirtualTime,
    described: Described,
    parts: BTreeMap<u64, (Arc<[u8]>, VirtualTime)>,
}

fn no_such_upload() -> ServiceError {
    let text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    ServiceError::new(ErrorCode::NoSuchUpload, text)
}

impl S3 {
    /// Carries out an operation on uploads.
    pub(super) fn upload(&mut self, now: VirtualTime, operation: &str, body: &Value) -> Result<Value, ServiceError> {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let (bucket, key, id) = (text("Bucket"), text("Key"), text("UploadId"));
        self.find(bucket)?;
        if operation == "CreateMultipartUpload" {
            self.uploads.begun += 1;
            let id = format!("kinlab.{:016x}", self.uploads.begun);
            let upload = Upload { bucket: bucket.to_owned(), key: key.to_owned(), at: now, described: Described::read(body), parts: BTreeMap::new() };
            self.uploads.open.insert(id.clone(), upload);
            return Ok(json!({"Bucket": bucket, "Key": key, "UploadId": id}));
        }
        if operation == "ListMultipartUploads" {
            let open = self.uploads.open.iter().filter(|(_, upload)| upload.bucket == bucket && upload.key.starts_with(text("Prefix")));
            let shown: Vec<Value> = open.map(|(id, upload)| json!({"Key": upload.key, "UploadId": id, "Initiated": upload.at.to_string()})).collect();
            return Ok(json!({"Bucket": bucket, "Uploads": shown}));
        }
        let number = body["PartNumber"].as_u64().unwrap_or(0);
        let bytes: Option<Arc<[u8]>> = match operation {
            "UploadPart" => Some(STANDARD.decode(text("Body")).unwrap_or_default().into()),
            "UploadPartCopy" => {
                let whole = &self.source(text("CopySource"))?.bytes;
                Some(match body["CopySourceRange"].as_str() {
                    None => whole.clone(),
                    Some(range) => {
                        let wrong = || ServiceError::new(ErrorCode::InvalidRange, "The requested range is not satisfiable");
                        let (from, to) = part(range, whole.len()).ok_or_else(wrong)?;
                        whole[from..to].into()
                    }
                })
            }
            _ => None,
        };
        let found = self.uploads.open.get_mut(id).filter(|upload| upload.bucket == bucket && upload.key == key);
        let upload = found.ok_or_else(no_such_upload)?;
        match (operation, bytes) {
            (_, Some(bytes)) => {
                let tag = tag_of(&bytes);
                upload.parts.insert(number, (bytes, now));
                Ok(match operation {
                    "UploadPart" => json!({"ETag": tag}),
                    _ => json!({"CopyPartResult": {"ETag": tag, "LastModified": now.to_string()}}),
                })
            }
            ("AbortMultipartUpload", _) => {
                self.uploads.open.remove(id);
                Ok(json!({}))
            }
            ("ListParts", _) => {
                let after = body["PartNumberMarker"].as_u64().unwrap_or(0);
                let most = body["MaxParts"].as_u64().unwrap_or(1000).min(1000) as usize;
                let mut parts = upload.parts.range(after + 1..);
                let one = |(number, (bytes, at)): (&u64, &(Arc<[u8]>, VirtualTime))| json!({"PartNumber": number, "LastModified": at.to_string(), "ETag": tag_of(bytes), "Size": bytes.len()});
                let shown: Vec<Value> = parts.by_ref().take(most).map(one).collect();
                let mut answer = json!({"Bucket": bucket, "Key": key, "UploadId": id, "IsTruncated": parts.next().is_some()});
                if let Some(last) = shown.last().filter(|_| answer["IsTruncated"] == true) {
                    answer["NextPartNumberMarker"] = last["PartNumber"].clone();
                }
                if !shown.is_empty() {
                    answer["Parts"] = Value::Array(shown);
                }
                Ok(answer)
            }
            _ => self.complete(now, id, body),
        }
    }

    fn complete(&mut self, now: VirtualTime, id: &str, body: &Value) -> Result<Value, ServiceError> {
        let upload = self.uploads.open.get(id).ok_or_else(no_such_upload)?;
        let wanted = body["MultipartUpload"]["Parts"].as_array().map_or(&[][..], Vec::as_slice);
        let number = |part: &Value| part["PartNumber"].as_u64().unwrap_or(0);
        if wanted.is_empty() {
            let text = "The XML you provided was not well-formed or did not validate against our published schema";
            return Err(ServiceError::new(ErrorCode::MalformedXML, text));
        }
        if wanted.windows(2).any(|pair| number(&pair[0]) >= number(&pair[1])) {
            let text = "The list of parts was not in ascending order. Parts must be ordered by part number.";
            return Err(ServiceError::new(ErrorCode::InvalidPartOrder, text));
        }
        let (mut whole, mut digests) = (Vec::new(), Vec::new());
        for (at, given) in wanted.iter().enumerate() {
            let tag = given["ETag"].as_str().unwrap_or_default().trim_matches('"');
            let found = upload.parts.get(&number(given)).filter(|(bytes, _)| tag_of(bytes).trim_matches('"') == tag);
            let Some((bytes, _)) = found else {
                let text = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
                return Err(ServiceError::new(ErrorCode::InvalidPart, text));
            };
            if bytes.len() < PART_MIN && at + 1 < wanted.len() {
                let text = "Your proposed upload is smaller than the minimum allowed size";
                return Err(ServiceError::new(ErrorCode::EntityTooSmall, text));
            }
            let digest: [u8; 16] = Md5::digest(bytes).into();
            digests.extend_from_slice(&digest);
            whole.extend_from_slice(bytes);
        }
        let digest: [u8; 16] = Md5::digest(&digests).into();
        let described = Described { etag: format!("\"{}-{}\"", hex(&digest), wanted.len()), ..upload.described.clone() };
        let (bucket, key) = (upload.bucket.clone(), upload.key.clone());
        let done = self.put_described(now, &bucket, &key, whole.into(), described)?;
        self.uploads.open.remove(id);
        Ok(json!({"Location": format!("/{bucket}/{key}"), "Bucket": bucket, "Key": key, "ETag": done["ETag"]}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Call;

    #[test]
    fn parts_become_an_object() {
        let mut s3 = S3::default();
        let now = VirtualTime(5);
        s3.create(now, "data").expect("free");
        let mut call = |operation: &str, body: Value| s3.call(now, &Call::of("s3api", operation, &body).expect("good"));
        let place = json!({"Bucket": "data", "Key": "big"});
        let with = |more: Value| {
            let mut body = place.clone();
            body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            body
        };
        let id = call("CreateMultipartUpload", with(json!({"ContentType": "text/csv"}))).expect("begun")["UploadId"].clone();
        let mut put = |number: u64, size: usize| {
            let body = STANDARD.encode(vec![b'a' + number as u8; size]);
            let done = call("UploadPart", with(json!({"UploadId": id, "PartNumber": number, "Body": body}))).expect("there");
            json!({"PartNumber": number, "ETag": done["ETag"]})
        };
        let (second, first) = (put(2, 10), put(1, PART_MIN));
        let complete = |parts: Value| with(json!({"UploadId": id, "MultipartUpload": {"Parts": parts}}));
        let code = |result: Result<Value, ServiceError>| result.expect_err("refused").code;
        assert_eq!(code(call("CompleteMultipartUpload", complete(json!([second, first])))), ErrorCode::InvalidPartOrder);
        let wrong = json!([{"PartNumber": 1, "ETag": "x"}]);
        assert_eq!(code(call("CompleteMultipartUpload", complete(wrong))), ErrorCode::InvalidPart);
        assert_eq!(call("ListParts", with(json!({"UploadId": id}))).expect("there")["Parts"][1]["Size"], 10);
        let done = call("CompleteMultipartUpload", complete(json!([first, second]))).expect("good");
        assert!(done["ETag"].as_str().is_some_and(|tag| tag.ends_with("-2\"")), "{done}");
        assert_eq!(code(call("AbortMultipartUpload", with(json!({"UploadId": id})))), ErrorCode::NoSuchUpload);
        let end = call("GetObject", with(json!({"Range": "bytes=-3"}))).expect("there");
        assert_eq!((end["Body"].clone(), end["ContentLength"].clone(), end["ContentType"].clone()), (json!("ccc"), json!(3), json!("text/csv")));
        assert_eq!(end["ContentRange"], format!("bytes {}-{}/{}", PART_MIN + 7, PART_MIN + 9, PART_MIN + 10));
        let copy = json!({"Bucket": "data", "Key": "copy", "CopySource": "data/big"});
        assert!(call("CopyObject", copy).expect("there")["CopyObjectResult"]["ETag"].is_string());
        assert_eq!(code(call("GetObject", with(json!({"Range": "bytes=99999999-"})))), ErrorCode::InvalidRange);
    }
}
