//! The picture of the figures: a bar for each variant, its parts the stages, in the order in which they end.

use crate::results::{Measured, Results};
use crate::stages::{COUNT, STAGES, lengths};
use crate::svg::{self, Bar, Chart, Layer};

/// In the order of the stages; all of them light, for dark letters on a white page, and no two neighbours alike.
const COLOURS: [&str; COUNT] =
    ["#c9ccd1", "#8fb8de", "#f4c27a", "#9fd39b", "#e59aa0", "#c7a6d8", "#e8d77a", "#8ed1cb", "#d0a98a"];

pub fn draw(results: &Results) -> String {
    let layers: Vec<Layer> = STAGES.iter().zip(COLOURS).map(|(stage, colour)| Layer { name: stage.name, colour }).collect();
    let mut notes: Vec<String> = results.crowd.iter().map(|crowd| crowd.words()).collect();
    let average = |load: &serde_json::Value| load["average"].to_string();
    notes.push(format!("Load average before and after: {} {}", average(&results.before), average(&results.after)));
    svg::draw(&Chart {
        title: "From apply to Ready, seconds, medians by stage",
        layers: &layers,
        bars: results.measured.iter().filter_map(bar).collect(),
        mark: "of it inside the bench's own commands",
        notes,
    })
}

fn bar(measured: &Measured) -> Option<Bar> {
    let middle = measured.middle()?;
    Some(Bar { name: measured.variant.name(), parts: lengths(&middle.ends).into(), marked: middle.in_commands })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_has_its_bar_with_its_seconds_and_the_crowd_its_note() {
        let svg = draw(&crate::results::tests::some());
        for words in ["no wizard, installed", "no wizard, template", ">31.0 s<", ">10.0 s<", "2 at once on one bench"] {
            assert!(svg.contains(words), "{words}");
        }
        for stage in &STAGES {
            assert_eq!(svg.matches(&format!("<title>{}: ", stage.name)).count(), 2, "{}", stage.name);
        }
    }

    #[test]
    fn letters_can_be_read_on_every_colour_and_no_colour_is_used_twice() {
        let light = |colour: &str| {
            let parts = [1, 3, 5].map(|at| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("a number")));
            (0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]) / 255.0
        };
        for (at, colour) in COLOURS.iter().enumerate() {
            assert!((0.6..0.9).contains(&light(colour)), "{colour}: {}", light(colour));
            assert!(!COLOURS[..at].contains(colour), "{colour}");
        }
    }
}
