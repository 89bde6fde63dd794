//! What the README lists is what the program has.

use tenant_operator::api::Condition;

const README: &str = include_str!("../README.md");

#[test]
fn the_readme_explains_every_condition_in_the_words_of_the_program() {
    for condition in Condition::ALL {
        let row = format!("| `{}` | {} |", condition.type_(), condition.help());
        assert!(README.contains(&row), "missing in README.md: {row}");
    }
}

#[test]
fn every_file_that_the_readme_links_to_is_there() {
    let links = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.starts_with("https://")) {
        let there = match link.strip_prefix('#') {
            Some(anchor) => README.lines().any(|line| line.starts_with('#') && anchor_of(line) == anchor),
            None => std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(link).exists(),
        };
        assert!(there, "README.md links to {link}, which is not there");
    }
}

/// As GitHub makes it of a heading.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}
