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
fn everything_that_the_readme_links_to_is_there() {
    let headings: Vec<String> = README.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    let links = README.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.starts_with("https://")) {
        if let Some(heading) = link.strip_prefix('#') {
            assert!(headings.iter().any(|other| other == heading), "README.md has no heading {heading}");
            continue;
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(link);
        assert!(path.exists(), "README.md links to {link}, which is not there");
    }
}

/// As a heading is linked to: lower case, hyphens for spaces, and no other marks.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    words.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect()
}
