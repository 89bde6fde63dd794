//! An object as a shelf keeps it: as compressed JSON, a fifth of what it takes in memory otherwise. Ten thousand tenants have a hundred
//! thousand objects, and each is looked at once in some minutes.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The same object is packed into the same bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Packed {
    /// How many bytes the JSON has, and then its bytes, compressed.
    bytes: Box<[u8]>,
}

const LENGTH: usize = size_of::<u32>();

thread_local! {
    // Their tables are large, and made once for each thread.
    static PRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
    static DRAW: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

impl Packed {
    /// None for what has no JSON.
    pub fn of(object: &impl Serialize) -> Option<Self> {
        let json = serde_json::to_vec(object).ok()?;
        let length = u32::try_from(json.len()).ok()?;
        // Deflate adds five bytes to each block of what it cannot make smaller.
        let mut bytes = Vec::with_capacity(json.len() + json.len() / 1000 + 64);
        bytes.extend(length.to_le_bytes());
        let done = PRESS.with_borrow_mut(|press| {
            press.reset();
            press.compress_vec(&json, &mut bytes, FlushCompress::Finish)
        });
        matches!(done, Ok(Status::StreamEnd)).then(|| Self { bytes: bytes.into() })
    }

    /// None where it is no such object.
    pub fn open<K: DeserializeOwned>(&self) -> Option<K> {
        let (length, bytes) = self.bytes.split_first_chunk::<LENGTH>()?;
        let mut json = Vec::with_capacity(usize::try_from(u32::from_le_bytes(*length)).ok()?);
        let opened = DRAW.with_borrow_mut(|draw| {
            draw.reset(false);
            draw.decompress_vec(bytes, &mut json, FlushDecompress::Finish)
        });
        opened.ok()?;
        serde_json::from_slice(&json).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_packed_comes_out_again(text in ".{0,3000}", bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let object = json!({"text": text, "bytes": bytes});
            let packed = Packed::of(&object).expect("packed");
            prop_assert_eq!(packed.open::<Value>(), Some(object.clone()));
            prop_assert_eq!(Packed::of(&object), Some(packed));
        }
    }

    #[test]
    fn what_kubernetes_repeats_is_kept_once() {
        let labels: serde_json::Map<String, Value> =
            (0..40).map(|number| (format!("tenants.example.com/label-{number}"), json!("acme"))).collect();
        let object = json!({"metadata": {"labels": labels}});
        let packed = Packed::of(&object).expect("packed");
        let whole = serde_json::to_vec(&object).expect("JSON").len();
        assert!(packed.bytes.len() * 4 < whole, "{} of {whole} bytes", packed.bytes.len());
    }

    #[test]
    fn what_is_no_such_object_does_not_come_out() {
        let packed = Packed::of(&json!({"number": "seven"})).expect("packed");
        assert_eq!(packed.open::<std::collections::BTreeMap<String, u32>>(), None);
    }
}
