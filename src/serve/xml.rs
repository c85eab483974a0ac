//! The XML of S3: what is read of a body, and what answers are made of.

use std::fmt::Write as _;

use serde_json::Value;

use super::wire::{Answer, answer, escaped};

/// The content type of documents.
pub(super) const XML: &str = "application/xml";
/// The namespace of documents.
pub(super) const NAMESPACE: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// The texts of the elements of a name, in order. Our clients write no attributes and no comments there.
pub(super) fn elements<'x>(xml: &'x str, name: &str) -> Vec<&'x str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some((inner, behind)) = rest.split_once(&open).and_then(|(_, behind)| behind.split_once(&close)) {
        found.push(inner);
        rest = behind;
    }
    found
}

/// The text of the first element of a name, empty when there is none.
pub(super) fn element(xml: &str, name: &str) -> String {
    let text = elements(xml, name).first().copied().unwrap_or_default();
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&apos;", "'")
        .replace("&#13;", "\r")
        .replace("&amp;", "&")
}

/// Members of an answer as XML elements; a list is its items under one name.
pub(super) fn members(value: &Value, xml: &mut String) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let items = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
        // `Parts` of an answer are `Part` elements, `Uploads` are `Upload`; `Deleted` stays.
        let name = if value.is_array() { name.strip_suffix('s').unwrap_or(name) } else { name };
        for item in items {
            let _ = write!(xml, "<{name}>");
            match item {
                Value::Object(_) => members(item, xml),
                Value::String(text) => xml.push_str(&escaped(text)),
                other => xml.push_str(&other.to_string()),
            }
            let _ = write!(xml, "</{name}>");
        }
    }
}

/// An answer of an element with members.
pub(super) fn document(root: &str, value: &Value) -> Answer {
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} {NAMESPACE}>");
    members(value, &mut xml);
    let _ = write!(xml, "</{root}>");
    answer(200, XML, xml)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_read_and_written() {
        let xml = "<CompleteMultipartUpload><Part><ETag>&quot;a&amp;b&quot;</ETag><PartNumber>1</PartNumber></Part><Part><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>";
        let parts = elements(xml, "Part");
        assert_eq!((parts.len(), element(parts[0], "ETag"), element(parts[1], "PartNumber")), (2, "\"a&b\"".to_owned(), "2".to_owned()));
        assert!(elements("<Part><Part", "Part").is_empty());
        let mut xml = String::new();
        members(&json!({"Parts": [{"Size": 1}, {"Size": 2}], "Deleted": [{"Key": "a<"}], "IsTruncated": false}), &mut xml);
        assert_eq!(xml, "<Part><Size>1</Size></Part><Part><Size>2</Size></Part><Deleted><Key>a&lt;</Key></Deleted><IsTruncated>false</IsTruncated>");
    }
}
