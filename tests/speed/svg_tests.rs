//! The picture holds what it was given, and any reader of XML can read it.

use super::*;

const LAYERS: [Layer; 3] =
    [Layer { name: "a", colour: "#111111" }, Layer { name: "b", colour: "#222222" }, Layer { name: "c & d", colour: "#333333" }];

fn bar(name: &str, parts: &[f64]) -> Bar {
    Bar { name: name.to_owned(), parts: parts.to_vec(), marked: 1.0 }
}

fn chart(bars: Vec<Bar>) -> String {
    draw(&Chart { title: "Seconds <of> \"all\"", layers: &LAYERS, bars, mark: "marked", notes: vec!["a note & more".to_owned()] })
}

/// Values of an attribute of the parts of bars, in order.
fn parts(svg: &str, attribute: &str) -> Vec<f64> {
    let of_parts = svg.lines().filter(|line| line.starts_with("<rect class=\"part\""));
    let value = |line: &str| line.split(&format!(" {attribute}=\"")).nth(1)?.split('"').next()?.parse().ok();
    of_parts.map(|line| value(line).expect("a number")).collect()
}

/// Every tag is closed in its order, attributes are quoted, and there is no markup within text.
fn assert_is_well_formed(svg: &str) {
    let mut open: Vec<&str> = vec![];
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("an end of the tag");
        assert!(!text.contains('>'), "{text}");
        for rest in text.split('&').skip(1).chain(tag.split('&').skip(1)) {
            assert!(["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|entity| rest.starts_with(entity)), "&{rest}");
        }
        assert!(tag.matches('"').count().is_multiple_of(2), "{tag}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => (),
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
        assert!(!open.is_empty() || text.trim().is_empty(), "text outside: {text}");
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    let known = |letter: char| letter == '\n' || letter >= ' ' && !matches!(letter, '\u{fffe}' | '\u{ffff}');
    assert!(svg.chars().all(known), "a character that XML does not know");
}

#[test]
fn the_parts_of_a_bar_lie_side_by_side_and_the_longest_fills_its_room() {
    let svg = chart(vec![bar("long", &[10.0, 20.0, 30.0]), bar("short", &[5.0, 0.0, 25.0])]);
    let (x, widths) = (parts(&svg, "x"), parts(&svg, "width"));
    assert_eq!(widths.len(), 6);
    assert!((widths[..3].iter().sum::<f64>() - (RIGHT - LEFT)).abs() < 0.1, "{widths:?}");
    assert!((widths[3..].iter().sum::<f64>() - (RIGHT - LEFT) / 2.0).abs() < 0.1, "{widths:?}");
    for row in [0, 3] {
        assert_eq!(x[row], LEFT);
        for at in [row, row + 1] {
            assert!((x[at] + widths[at] - x[at + 1]).abs() < 0.05, "{x:?} {widths:?}");
        }
    }
    assert!(svg.contains(">60.0 s</text>") && svg.contains(">30.0 s</text>"));
    assert_is_well_formed(&svg);
}

#[test]
fn what_is_no_length_takes_no_room() {
    for strange in [-3.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut one = bar("strange", &[strange, 4.0]);
        one.marked = strange;
        let svg = chart(vec![one]);
        assert_eq!(parts(&svg, "width"), [0.0, RIGHT - LEFT]);
        assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("width=\"-"), "{svg}");
        assert_is_well_formed(&svg);
    }
}

#[test]
fn any_text_is_shown_as_it_is_and_is_no_markup() {
    let svg = chart(vec![bar("</text><script>alert(\"1\")</script> & 'x' ü \u{1}\u{ffff}", &[1.0])]);
    assert!(!svg.contains("<script"), "{svg}");
    assert!(
        svg.contains("&lt;/text&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &apos;x&apos; ü \u{fffd}\u{fffd}")
    );
    assert_is_well_formed(&svg);
}

#[test]
fn without_bars_and_with_empty_ones_there_is_still_a_picture() {
    for bars in [vec![], vec![bar("nothing", &[])], vec![Bar { marked: 0.0, ..bar("zero", &[0.0, 0.0]) }]] {
        let svg = chart(bars);
        assert!(parts(&svg, "width").iter().all(|width| *width == 0.0));
        assert_is_well_formed(&svg);
    }
}

#[test]
fn every_layer_is_in_the_legend_and_lines_stand_at_round_numbers() {
    let svg = chart(vec![bar("one", &[10.0, 50.0, 0.0])]);
    for words in [">a</text>", ">b</text>", ">c &amp; d</text>", ">marked</text>", ">a note &amp; more</text>"] {
        assert!(svg.contains(words), "{words}");
    }
    for at in [0, 10, 20, 30, 40, 50, 60] {
        assert!(svg.contains(&format!(">{at} s</text>")), "{at}");
    }
    let steps = [0.2, 1.1, 4.0, 7.5, 11.0, 130.0, 800.0].map(step);
    assert_eq!(steps, [1.0, 2.0, 5.0, 10.0, 20.0, 200.0, 1000.0]);
}
