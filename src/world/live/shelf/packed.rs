//! An object as a shelf keeps it: as compressed JSON, a tenth of what it takes in memory otherwise. Ten thousand tenants have a hundred
//! thousand objects, and each is looked at once in some minutes.

use std::cell::RefCell;
use std::sync::Arc;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub struct Packed {
    /// How many bytes the JSON has, and then its bytes, compressed.
    bytes: Box<[u8]>,
    /// What it was packed with.
    primer: Arc<Vec<u8>>,
}

/// What objects of one kind have in common: none of them has to say it again. Learned from those that it says little of.
#[derive(Default)]
pub struct Primer(Arc<Vec<u8>>);

const LENGTH: usize = size_of::<u32>();
/// A primer is no longer than this: each object is packed behind all of it.
const LONGEST: usize = 8192;
/// Of an object that does not become so much smaller there is something to learn.
const SMALLER: usize = 4;

thread_local! {
    // Their tables are large, and made once for each thread.
    static PRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(3), false));
    static DRAW: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

impl Packed {
    /// None for what has no JSON.
    pub fn of(object: &impl Serialize, primer: &mut Primer) -> Option<Self> {
        let json = serde_json::to_vec(object).ok()?;
        let packed = Self::behind(&primer.0, &json)?;
        if packed.bytes.len() * SMALLER <= json.len() || !primer.learn(&json) {
            return Some(packed);
        }
        Self::behind(&primer.0, &json)
    }

    fn behind(primer: &Arc<Vec<u8>>, json: &[u8]) -> Option<Self> {
        let length = u32::try_from(json.len()).ok()?;
        // Deflate adds five bytes to each block of what it cannot make smaller.
        let mut bytes = Vec::with_capacity(json.len() + json.len() / 1000 + 64);
        bytes.extend(length.to_le_bytes());
        let done = PRESS.with_borrow_mut(|press| {
            press.reset();
            if !primer.is_empty() {
                press.set_dictionary(primer)?;
            }
            press.compress_vec(json, &mut bytes, FlushCompress::Finish)
        });
        matches!(done, Ok(Status::StreamEnd)).then(|| Self { bytes: bytes.into(), primer: primer.clone() })
    }

    fn json(&self) -> Option<Vec<u8>> {
        let (length, bytes) = self.bytes.split_first_chunk::<LENGTH>()?;
        let mut json = Vec::with_capacity(usize::try_from(u32::from_le_bytes(*length)).ok()?);
        let opened = DRAW.with_borrow_mut(|draw| {
            draw.reset(false);
            if !self.primer.is_empty() {
                draw.set_dictionary(&self.primer)?;
            }
            draw.decompress_vec(bytes, &mut json, FlushDecompress::Finish)
        });
        opened.ok().map(|_| json)
    }

    /// None where it is no such object.
    pub fn open<K: DeserializeOwned>(&self) -> Option<K> {
        serde_json::from_slice(&self.json()?).ok()
    }
}

/// Of the same object.
impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        match Arc::ptr_eq(&self.primer, &other.primer) {
            // What is packed with the same primer is packed into the same bytes.
            true => self.bytes == other.bytes,
            false => self.json() == other.json(),
        }
    }
}

impl Primer {
    /// False where there is no room for it.
    fn learn(&mut self, json: &[u8]) -> bool {
        let fits = self.0.len() + json.len() <= LONGEST;
        if fits {
            // Those that were packed with it keep it as it was.
            self.0 = Arc::new([&self.0, json].concat());
        }
        fits
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
            let mut primer = Primer::default();
            let packed = Packed::of(&object, &mut primer).expect("packed");
            prop_assert_eq!(packed.open::<Value>(), Some(object.clone()));
            let again = Packed::of(&object, &mut primer).expect("packed");
            prop_assert_eq!(again.open::<Value>(), Some(object));
            prop_assert!(again == packed);
        }
    }

    #[test]
    fn what_kubernetes_repeats_is_kept_once() {
        let labels: serde_json::Map<String, Value> =
            (0..40).map(|number| (format!("tenants.example.com/label-{number}"), json!("acme"))).collect();
        let object = json!({"metadata": {"labels": labels}});
        let packed = Packed::of(&object, &mut Primer::default()).expect("packed");
        let whole = serde_json::to_vec(&object).expect("JSON").len();
        assert!(packed.bytes.len() * 4 < whole, "{} of {whole} bytes", packed.bytes.len());
    }

    fn tenant(number: u32) -> Value {
        let spec = json!({"subdomain": format!("t{number}"), "plan": "starter", "admin": {"email": "admin@example.com"}});
        let conditions =
            ["Ready", "Claimed", "SiteReady"].map(|kind| json!({"type": kind, "status": "True", "reason": "Settled"}));
        json!({"metadata": {"name": format!("t{number}"), "namespace": "customers"}, "spec": spec, "status": {"conditions": conditions}})
    }

    #[test]
    fn what_all_of_a_kind_have_in_common_is_kept_once() {
        let mut primer = Primer::default();
        let sizes: Vec<usize> =
            (0..100).map(|number| Packed::of(&tenant(number), &mut primer).expect("packed").bytes.len()).collect();
        let whole = serde_json::to_vec(&tenant(0)).expect("JSON").len();
        assert!(sizes[1..].iter().all(|size| size * 8 < whole), "{sizes:?} of {whole} bytes");
        assert!(primer.0.len() <= whole * 2, "{}", primer.0.len());
    }

    #[test]
    fn an_object_is_the_same_whatever_was_learned_meanwhile() {
        let mut primer = Primer::default();
        let before = Packed::of(&tenant(1), &mut primer).expect("packed");
        Packed::of(&json!({"other": (0..200).collect::<Vec<u32>>()}), &mut primer).expect("packed");
        let after = Packed::of(&tenant(1), &mut primer).expect("packed");
        assert!(!Arc::ptr_eq(&before.primer, &after.primer), "nothing was learned");
        assert!(before == after);
        assert!(before != Packed::of(&tenant(2), &mut primer).expect("packed"));
        assert_eq!(before.open::<Value>(), Some(tenant(1)));
    }

    #[test]
    fn a_primer_has_its_bounds() {
        let mut primer = Primer::default();
        for number in 0..500_u64 {
            let noise: Vec<u64> = (0..200).map(|at| (number * 200 + at).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
            let packed = Packed::of(&noise, &mut primer).expect("packed");
            assert_eq!(packed.open::<Vec<u64>>(), Some(noise));
        }
        assert!((1..=LONGEST).contains(&primer.0.len()), "{}", primer.0.len());
    }

    #[test]
    fn what_is_no_such_object_does_not_come_out() {
        let packed = Packed::of(&json!({"number": "seven"}), &mut Primer::default()).expect("packed");
        assert_eq!(packed.open::<std::collections::BTreeMap<String, u32>>(), None);
    }
}
