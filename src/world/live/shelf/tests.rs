use kube::api::DynamicObject;
use serde_json::json;

use super::*;

fn shelf() -> Shelf<DynamicObject> {
    let id = |meta: &ObjectMeta| meta.labels.as_ref().and_then(|labels| labels.get("id")).map(|id| key(&[id]));
    Shelf::new(Form { prune: |_| {}, whose: id, group: |_| None })
}

fn filled(objects: &[DynamicObject]) -> Shelf<DynamicObject> {
    let shelf = shelf();
    shelf.hear(&Event::Init);
    for object in objects {
        shelf.hear(&Event::InitApply(object.clone()));
    }
    shelf.hear(&Event::InitDone);
    shelf
}

fn object(name: &str, version: u32) -> DynamicObject {
    let meta = json!({"name": name, "namespace": "yard", "resourceVersion": version.to_string(), "labels": {"id": "7f"}});
    serde_json::from_value(json!({"metadata": meta, "spec": {"version": version}})).expect("an object")
}

/// The version of what is there.
fn version_of(shelf: &Shelf<DynamicObject>, name: &str) -> Option<Option<i64>> {
    shelf.get("yard", name).map(|found| found.and_then(|found| found.data["spec"]["version"].as_i64()))
}

#[test]
fn what_no_watch_has_filled_cannot_answer() {
    let shelf = shelf();
    assert_eq!(version_of(&shelf, "a"), None);
    assert!(shelf.of(key(&["7f"])).is_none());
    shelf.hear(&Event::Init);
    shelf.hear(&Event::InitApply(object("a", 1)));
    assert_eq!(version_of(&shelf, "a"), None);
    shelf.hear(&Event::InitDone);
    assert_eq!((version_of(&shelf, "a"), version_of(&shelf, "b")), (Some(Some(1)), Some(None)));
}

#[test]
fn an_own_write_is_seen_at_once_and_is_no_news_when_the_watch_tells_of_it() {
    let shelf = filled(&[object("a", 1)]);
    shelf.wrote(&object("a", 5));
    assert!(!shelf.hear(&Event::Apply(object("a", 3))), "older than our write");
    assert!(!shelf.hear(&Event::Apply(object("a", 5))));
    assert_eq!(version_of(&shelf, "a"), Some(Some(5)));
    assert!(shelf.hear(&Event::Apply(object("a", 6))), "somebody else's");
    assert_eq!(version_of(&shelf, "a"), Some(Some(6)));
}

#[test]
fn what_was_deleted_is_gone_until_it_is_made_again() {
    let shelf = filled(&[object("a", 1)]);
    shelf.deleted("yard", "a", true);
    assert_eq!(version_of(&shelf, "a"), Some(None));
    assert!(!shelf.hear(&Event::Delete(object("a", 2))), "we did it ourselves");
    assert!(shelf.hear(&Event::Apply(object("a", 3))));
    assert_eq!(version_of(&shelf, "a"), Some(Some(3)));
    assert!(!shelf.hear(&Event::Delete(object("a", 2))), "that was the one before");
    assert!(shelf.hear(&Event::Delete(object("a", 4))));
    assert_eq!(version_of(&shelf, "a"), Some(None));
}

#[test]
fn a_deletion_that_the_watch_tells_of_before_its_answer_comes_leaves_nothing() {
    for at_once in [true, false] {
        let shelf = filled(&[object("a", 1)]);
        assert!(shelf.hear(&Event::Delete(object("a", 2))));
        shelf.deleted("yard", "a", at_once);
        assert_eq!(version_of(&shelf, "a"), Some(None));
        assert!(shelf.sure("yard", "a").is_none(), "nothing is kept of it");
    }
}

#[test]
fn what_came_of_a_write_is_asked_for_until_it_is_known() {
    let shelf = filled(&[object("a", 4)]);
    for doubt in [
        |shelf: &Shelf<DynamicObject>| shelf.doubt("yard", "a", Keys::default()),
        |shelf: &Shelf<DynamicObject>| shelf.deleted("yard", "a", false),
    ] {
        doubt(&shelf);
        assert_eq!(version_of(&shelf, "a"), None);
        assert!(shelf.of(key(&["7f"])).is_none() && shelf.all().is_none(), "a list would be without it");
        assert!(!shelf.hear(&Event::Apply(object("a", 3))));
        shelf.wrote(&object("a", 4));
        assert_eq!(version_of(&shelf, "a"), Some(Some(4)));
    }
    shelf.doubt("yard", "unheard-of", Keys::default());
    assert_eq!(version_of(&shelf, "unheard-of"), None);
    shelf.hear(&Event::Apply(object("unheard-of", 9)));
    assert_eq!(version_of(&shelf, "unheard-of"), Some(Some(9)));
}

#[test]
fn a_list_that_begins_anew_counts_also_where_its_versions_are_lower() {
    let shelf = filled(&[object("a", 9), object("b", 9)]);
    shelf.deleted("yard", "b", true);
    shelf.hear(&Event::Init);
    shelf.wrote(&object("c", 5));
    for restored in [object("a", 3), object("b", 4), object("c", 2)] {
        shelf.hear(&Event::InitApply(restored));
    }
    shelf.hear(&Event::InitDone);
    assert_eq!((version_of(&shelf, "a"), version_of(&shelf, "b")), (Some(Some(3)), Some(Some(4))));
    assert_eq!(version_of(&shelf, "c"), Some(Some(5)), "written since the list began");
}

#[test]
fn a_list_that_begins_anew_forgets_what_went_meanwhile_and_nothing_else() {
    let shelf = filled(&[object("a", 1), object("b", 1)]);
    shelf.hear(&Event::Init);
    assert!(!shelf.hear(&Event::InitApply(object("a", 1))));
    shelf.wrote(&object("c", 7));
    assert_eq!(version_of(&shelf, "b"), Some(Some(1)), "as long as the list is not whole");
    shelf.hear(&Event::InitDone);
    assert_eq!(
        (version_of(&shelf, "a"), version_of(&shelf, "b"), version_of(&shelf, "c")),
        (Some(Some(1)), Some(None), Some(Some(7)))
    );
    assert_eq!(shelf.of(key(&["7f"])).map(|all| all.len()), Some(2));
}

#[test]
fn a_lost_watch_makes_it_ask_again() {
    let shelf = filled(&[object("a", 1)]);
    shelf.lose();
    assert_eq!(version_of(&shelf, "a"), None);
}

#[test]
fn objects_are_found_by_whose_they_are_also_after_they_changed_hands() {
    let shelf = filled(&[object("a", 1), object("b", 1)]);
    let mut moved = object("a", 2);
    moved.metadata.labels.get_or_insert_default().insert("id".to_owned(), "80".to_owned());
    shelf.hear(&Event::Apply(moved));
    let names = |id: &str| -> Vec<String> {
        shelf.of(key(&[id])).unwrap_or_default().into_iter().filter_map(|object| object.metadata.name).collect()
    };
    assert_eq!((names("7f"), names("80"), names("81")), (vec!["b".to_owned()], vec!["a".to_owned()], vec![]));
}

#[tokio::test]
async fn nobody_waits_for_a_shelf_that_no_watch_fills_or_can_fill() {
    let shelf = shelf();
    shelf.warm().await;
    shelf.feed();
    shelf.lose();
    tokio::time::timeout(Duration::from_secs(5), shelf.warm()).await.expect("at once");
    shelf.hear(&Event::Init);
    shelf.hear(&Event::InitDone);
    shelf.warm().await;
    assert_eq!(version_of(&shelf, "a"), Some(None));
}

#[test]
fn what_cannot_be_read_is_asked_for_and_found_by_whose_it_is() {
    let shelf = filled(&[object("a", 1)]);
    shelf.illegible(&object("b", 2).metadata);
    assert_eq!((version_of(&shelf, "a"), version_of(&shelf, "b")), (Some(Some(1)), None));
    assert!(shelf.of(key(&["7f"])).is_none());
    assert!(shelf.hear(&Event::Apply(object("b", 3))));
    assert_eq!(shelf.of(key(&["7f"])).map(|all| all.len()), Some(2));
}

#[test]
fn what_was_never_heard_of_may_be_somebody_elses() {
    let shelf = filled(&[object("a", 1)]);
    let there = |name: &str| shelf.sure("yard", name).map(|found| found.is_some());
    assert_eq!((there("a"), there("b")), (Some(true), None));
    shelf.deleted("yard", "a", true);
    assert_eq!(there("a"), Some(false));
}

#[tokio::test(start_paused = true)]
async fn one_that_may_have_been_made_is_asked_for_also_by_whose_it_is_until_it_would_be_there() {
    let (shelf, whose) = (filled(&[object("a", 4)]), key(&["7f"]));
    shelf.doubt("yard", "b", Keys { whose: Some(whose), group: None });
    assert!(shelf.of(whose).is_none() && shelf.get("yard", "b").is_none());
    shelf.hear(&Event::Apply(object("b", 6)));
    assert_eq!(shelf.of(whose).map(|found| found.len()), Some(2));

    shelf.doubt("yard", "c", Keys { whose: Some(whose), group: None });
    assert!(shelf.of(whose).is_none());
    tokio::time::advance(Duration::from_secs(130)).await;
    assert_eq!((shelf.of(whose).map(|found| found.len()), version_of(&shelf, "c")), (Some(2), Some(None)));
}

#[test]
fn a_doubt_outlasts_a_list_that_was_under_way() {
    let (shelf, whose) = (filled(&[object("a", 4)]), key(&["7f"]));
    shelf.hear(&Event::Init);
    shelf.doubt("yard", "b", Keys { whose: Some(whose), group: None });
    shelf.hear(&Event::InitApply(object("a", 4)));
    shelf.hear(&Event::InitDone);
    assert!(shelf.of(whose).is_none());
}

#[test]
fn an_answer_that_comes_after_the_objects_end_makes_nothing_of_it() {
    let shelf = filled(&[object("a", 4)]);
    shelf.hear(&Event::Delete(object("a", 8)));
    shelf.wrote(&object("a", 7));
    assert_eq!(version_of(&shelf, "a"), Some(None));
    shelf.wrote(&object("a", 9));
    assert_eq!(version_of(&shelf, "a"), Some(Some(9)), "made again");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_deleted_and_may_have_been_made_again_is_asked_for_until_it_would_be_there() {
    let shelf = filled(&[object("a", 4)]);
    shelf.deleted("yard", "a", true);
    shelf.doubt("yard", "a", Keys::default());
    assert_eq!(version_of(&shelf, "a"), None);
    tokio::time::advance(Duration::from_secs(130)).await;
    assert_eq!(version_of(&shelf, "a"), Some(None));
}

#[test]
fn a_later_one_is_found_by_an_earlier_one_of_the_same_object_only() {
    let shelf = shelf();
    let (earlier, mut later) = (object("a", 4), object("a", 7));
    assert!(shelf.newer(&earlier).is_none());
    shelf.wrote(&later);
    let versions =
        |shelf: &Shelf<DynamicObject>, than: &DynamicObject| shelf.newer(than).map(|found| found.data["spec"]["version"].clone());
    assert_eq!(versions(&shelf, &earlier), Some(json!(7)), "also before a watch has filled the shelf");
    assert_eq!(versions(&shelf, &later), None);
    later = object("a", 8);
    later.metadata.uid = Some("another".to_owned());
    shelf.wrote(&later);
    assert_eq!(versions(&shelf, &earlier), None, "made again under the same name");
}

#[tokio::test(start_paused = true)]
async fn a_group_has_those_that_say_they_are_of_it_as_long_as_they_do() {
    let group = |meta: &ObjectMeta| meta.labels.as_ref().and_then(|labels| labels.get("id")).map(|id| key(&[id]));
    let shelf: Shelf<DynamicObject> = Shelf::new(Form { prune: |_| {}, whose: |_| None, group });
    shelf.hear(&Event::Init);
    shelf.hear(&Event::InitDone);
    let counts = |shelf: &Shelf<DynamicObject>| (shelf.count(key(&["7f"])), shelf.count(key(&["80"])));
    ["a", "b", "c"].iter().for_each(|name| shelf.wrote(&object(name, 1)));
    assert_eq!(counts(&shelf), (Some(3), Some(0)));
    let mut moved = object("a", 2);
    moved.metadata.labels.get_or_insert_default().insert("id".to_owned(), "80".to_owned());
    shelf.hear(&Event::Apply(moved));
    shelf.hear(&Event::Delete(object("b", 2)));
    assert_eq!(counts(&shelf), (Some(1), Some(1)));
    shelf.deleted("yard", "c", true);
    assert_eq!(counts(&shelf), (Some(0), Some(1)));
    shelf.wrote(&object("c", 3));
    shelf.doubt("yard", "c", Keys::default());
    assert_eq!(counts(&shelf), (Some(1), Some(1)), "it was there, and may still be");
    shelf.doubt("yard", "d", Keys { whose: None, group: Some(key(&["80"])) });
    assert_eq!(counts(&shelf), (Some(1), Some(2)), "it may be there");
    shelf.hear(&Event::Delete(object("c", 4)));
    assert_eq!(counts(&shelf), (Some(0), Some(2)));
    tokio::time::advance(Duration::from_secs(130)).await;
    assert_eq!(counts(&shelf), (Some(0), Some(1)), "it never was");
    shelf.hear(&Event::Delete(object("d", 5)));
    assert_eq!(counts(&shelf), (Some(0), Some(1)));
    assert_eq!(shelf.group(key(&["80"]), &mut Extracts::default(), |one| one).map(|all| all.len()), Some(1));
}

#[test]
fn what_is_wanted_of_a_group_is_taken_from_each_object_once_in_a_version() {
    let group = |meta: &ObjectMeta| meta.labels.as_ref().and_then(|labels| labels.get("id")).map(|id| key(&[id]));
    let shelf: Shelf<DynamicObject> = Shelf::new(Form { prune: |_| {}, whose: |_| None, group });
    let list = |objects: &[DynamicObject]| {
        shelf.hear(&Event::Init);
        for object in objects {
            shelf.hear(&Event::InitApply(object.clone()));
        }
        shelf.hear(&Event::InitDone);
    };
    list(&[object("a", 7), object("b", 7)]);
    let (mut seen, opened) = (Extracts::default(), std::cell::Cell::new(0));
    let mut look = || {
        opened.set(0);
        let version = |one: DynamicObject| {
            opened.set(opened.get() + 1);
            one.data["spec"]["version"].as_i64()
        };
        let mut found = shelf.group(key(&["7f"]), &mut seen, version)?;
        found.sort_unstable();
        Some((found, opened.get()))
    };
    assert_eq!(look(), Some((vec![Some(7), Some(7)], 2)));
    assert_eq!(look(), Some((vec![Some(7), Some(7)], 0)));
    shelf.wrote(&object("a", 8));
    assert_eq!(look(), Some((vec![Some(7), Some(8)], 1)));
    shelf.doubt("yard", "a", Keys::default());
    assert_eq!(look(), None, "only the API server can say");
    shelf.deleted("yard", "a", true);
    assert_eq!(look(), Some((vec![Some(7)], 0)));
    let mut restored = object("b", 7);
    restored.data["spec"]["version"] = json!(3);
    list(&[restored]);
    assert_eq!(look(), Some((vec![Some(3)], 1)), "from a backup, where versions come again");
}
