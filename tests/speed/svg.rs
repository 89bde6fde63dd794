//! Draws horizontal stacked bars as SVG. Knows nothing of what they mean; any text and any number may come.

use std::fmt::Write as _;

/// One layer of every bar: its name and its colour, light enough for dark letters.
pub struct Layer {
    pub name: &'static str,
    pub colour: &'static str,
}

/// One bar: a part for each layer, and how much of the whole the thin line below it marks.
pub struct Bar {
    pub name: String,
    pub parts: Vec<f64>,
    pub marked: f64,
}

pub struct Chart<'a> {
    pub title: &'a str,
    pub layers: &'a [Layer],
    pub bars: Vec<Bar>,
    /// What the thin line stands for.
    pub mark: &'a str,
    /// Lines of text below.
    pub notes: Vec<String>,
}

const WIDTH: f64 = 1120.0;
const MARGIN: f64 = 16.0;
/// Where bars begin, and where the longest ends.
const LEFT: f64 = 290.0;
const RIGHT: f64 = 1040.0;
const TOP: f64 = 84.0;
const ROW: f64 = 38.0;
const THICK: f64 = 22.0;
/// Narrower parts have no number in them.
const ROOM: f64 = 30.0;
const INK: &str = "#1b1f24";

pub fn draw(chart: &Chart<'_>) -> String {
    let bottom = TOP + ROW * chart.bars.len() as f64;
    let height = bottom + 40.0 + 20.0 * chart.notes.len() as f64;
    let scale = scale(&chart.bars);
    let mut out = String::new();
    let size = format!("width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\"");
    let font = "font-family=\"sans-serif\" font-size=\"13\"";
    line(&mut out, format_args!("<svg xmlns=\"http://www.w3.org/2000/svg\" {size} {font} fill=\"{INK}\" role=\"img\">"));
    line(&mut out, format_args!("<title>{}</title>", escaped(chart.title)));
    line(&mut out, format_args!("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"));
    text(&mut out, MARGIN, 28.0, "font-size=\"17\" font-weight=\"bold\"", chart.title);
    legend(&mut out, chart);
    grid(&mut out, bottom, scale);
    for (at, one) in chart.bars.iter().enumerate() {
        bar(&mut out, chart.layers, one, TOP + ROW * at as f64, scale);
    }
    for (at, note) in chart.notes.iter().enumerate() {
        text(&mut out, MARGIN, bottom + 40.0 + 20.0 * at as f64, "", note);
    }
    out + "</svg>\n"
}

fn line(out: &mut String, words: std::fmt::Arguments<'_>) {
    out.write_fmt(words).and_then(|()| out.write_char('\n')).expect("text");
}

fn text(out: &mut String, x: f64, y: f64, more: &str, words: &str) {
    line(out, format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" {more}>{}</text>", escaped(words)));
}

/// What is no length takes no room.
fn length(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

fn whole(bar: &Bar) -> f64 {
    bar.parts.iter().copied().map(length).sum()
}

/// Pixels of one unit.
fn scale(bars: &[Bar]) -> f64 {
    let longest = bars.iter().map(|bar| whole(bar).max(length(bar.marked))).fold(0.0, f64::max);
    if longest > 0.0 { (RIGHT - LEFT) / longest } else { 0.0 }
}

fn legend(out: &mut String, chart: &Chart<'_>) {
    let mut x = MARGIN;
    for Layer { name, colour } in chart.layers {
        line(out, format_args!("<rect x=\"{x:.1}\" y=\"44\" width=\"12\" height=\"12\" fill=\"{colour}\"/>"));
        text(out, x + 17.0, 55.0, "", name);
        x += 35.0 + 7.5 * name.chars().count() as f64;
    }
    line(out, format_args!("<rect x=\"{x:.1}\" y=\"49\" width=\"12\" height=\"3\" fill=\"{INK}\"/>"));
    text(out, x + 17.0, 55.0, "", chart.mark);
}

/// A line and its number at round distances, about eight of them.
fn grid(out: &mut String, bottom: f64, scale: f64) {
    if scale == 0.0 {
        return;
    }
    let step = step((RIGHT - LEFT) / scale / 8.0);
    let mut at = 0.0;
    while LEFT + at * scale <= RIGHT + 0.1 {
        let x = LEFT + at * scale;
        line(out, format_args!("<path d=\"M{x:.1} {:.1}V{bottom:.1}\" stroke=\"#d5d9de\"/>", TOP - 8.0));
        text(out, x, bottom + 16.0, "text-anchor=\"middle\" fill=\"#57606a\"", &format!("{at} s"));
        at += step;
    }
}

/// The next of 1, 2, 5, 10, 20, …
fn step(least: f64) -> f64 {
    let mut unit = 1.0;
    while unit * 10.0 < least {
        unit *= 10.0;
    }
    [1.0, 2.0, 5.0].map(|times| times * unit).into_iter().find(|step| *step >= least).unwrap_or(10.0 * unit)
}

fn bar(out: &mut String, layers: &[Layer], bar: &Bar, y: f64, scale: f64) {
    let middle = y + THICK / 2.0 + 4.5;
    text(out, LEFT - 10.0, middle, "text-anchor=\"end\"", &bar.name);
    let mut x = LEFT;
    for (Layer { name, colour }, value) in layers.iter().zip(bar.parts.iter().copied().map(length)) {
        let width = value * scale;
        let words = escaped(&format!("{name}: {value:.1} s"));
        let place = format!("x=\"{x:.2}\" y=\"{y:.1}\" width=\"{width:.2}\" height=\"{THICK}\"");
        line(out, format_args!("<rect class=\"part\" {place} fill=\"{colour}\"><title>{words}</title></rect>"));
        if width >= ROOM {
            text(out, x + width / 2.0, middle, "text-anchor=\"middle\"", &format!("{value:.1}"));
        }
        x += width;
    }
    text(out, x + 7.0, middle, "font-weight=\"bold\"", &format!("{:.1} s", whole(bar)));
    let (below, marked) = (y + THICK + 2.0, length(bar.marked) * scale);
    line(out, format_args!("<rect x=\"{LEFT}\" y=\"{below:.1}\" width=\"{marked:.2}\" height=\"3\" fill=\"{INK}\"/>"));
}

/// As XML takes it: markup as entities, and none of the characters that XML does not know at all.
fn escaped(words: &str) -> String {
    let mut safe = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\t' | '\n' | '\r' => safe.push(' '),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            letter if letter < ' ' => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
#[path = "svg_tests.rs"]
mod tests;
