//! What AWS says about text that is not base64.

/// The reason why `text` is not padded base64 of the standard alphabet in AWS's words, or `None` when it is.
pub(super) fn fault(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return Some(format!("Base64 encoded length is expected a multiple of 4 bytes but found: {}", bytes.len()));
    }
    let unpadded = bytes.iter().rposition(|b| *b != b'=').map_or(0, |at| at + 1);
    let pads = bytes.len() - unpadded;
    for (at, c) in text.char_indices() {
        let padding = c == '=' && at >= unpadded;
        let known = c.is_ascii() && value(c as u8).is_some();
        if !padding && !known {
            return Some(format!("Invalid Base64 character: '{c}'"));
        }
    }
    // AWS's own spelling of "detected".
    let last = "Invalid last non-pad Base64 character dectected".to_owned();
    match (pads, unpadded.checked_sub(1).and_then(|at| value(bytes[at]))) {
        (0, _) => None,
        (1, Some(bits)) => (bits & 0b11 != 0).then_some(last),
        (2, Some(bits)) => (bits & 0b1111 != 0).then_some(last),
        _ => Some(last),
    }
}

/// How many bytes the base64 `text` stands for, when [`fault`] has nothing to say about it.
pub(super) fn decoded_len(text: &str) -> usize {
    let pads = text.bytes().rev().take(2).filter(|b| *b == b'=').count();
    (text.len() / 4 * 3).saturating_sub(pads)
}

const fn value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Blob;
    use proptest::prelude::*;

    #[test]
    fn the_texts() {
        assert_eq!(fault("23456").as_deref(), Some("Base64 encoded length is expected a multiple of 4 bytes but found: 5"));
        assert_eq!(fault("=+/=").as_deref(), Some("Invalid Base64 character: '='"));
        assert_eq!(fault("+/+=").as_deref(), Some("Invalid last non-pad Base64 character dectected"));
        assert_eq!(fault("ab_d").as_deref(), Some("Invalid Base64 character: '_'"));
        assert_eq!(fault("===="), Some("Invalid last non-pad Base64 character dectected".to_owned()));
        assert_eq!(fault(""), None);
        assert_eq!(decoded_len("SGVsbG8="), 5);
    }

    proptest! {
        #[test]
        fn agrees_with_the_decoder(text in "[ABC/+=9é]{0,9}") {
            let decoded = Blob::from_base64(&text);
            prop_assert_eq!(fault(&text).is_none(), decoded.is_some(), "{}", &text);
            if let Some(blob) = decoded {
                prop_assert_eq!(decoded_len(&text), blob.len());
            }
        }
    }
}
