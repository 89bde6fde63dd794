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
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(link);
        assert!(path.exists(), "README.md links to {link}, which is not there");
    }
}
