//! Durations as users write them.

use std::time::Duration;

use proptest::prelude::*;
use tenant_operator::api::duration::{or, parse};

use crate::evidence::is_printable;
use crate::{cases, strange};

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn any_text_is_a_duration_or_a_short_sentence_about_it(text in strange::text()) {
        if let Err(invalid) = parse(&text) {
            let words = invalid.to_string();
            prop_assert!(is_printable(&words) && words.chars().count() <= 400, "{words:?}");
            prop_assert_eq!(or(Some(&text), Duration::from_secs(7)), Duration::from_secs(7));
        }
    }

    #[test]
    fn any_text_in_a_durations_letters_is_read_without_a_panic(text in "[0-9.hms]{0,24}") {
        let _ = parse(&text);
    }

    #[test]
    fn what_is_written_out_in_full_is_read_back(h in 0..100_000u64, m in 0..60u64, s in 0..60u64, ms in 0..1000u64) {
        let whole = Duration::from_millis(((h * 60 + m) * 60 + s) * 1000 + ms);
        prop_assert_eq!(parse(&format!("{h}h{m}m{s}s{ms}ms")), Ok(whole));
        prop_assert_eq!(parse(&format!("{}ms", whole.as_millis())), Ok(whole));
    }
}
