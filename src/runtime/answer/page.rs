//! How an answer is written: as JSON for programs, as a small page for people.

use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::table::{Row, row};
use crate::core::manifests::answer::Answer;

/// An answer depends on the state of the tenant, so no cache may keep it.
const FIXED_HEADERS: [(axum::http::HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (VARY, "Accept"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// `message` is somebody's own, in place of ours.
pub fn response(answer: Answer, request: &HeaderMap, message: Option<&str>) -> Response {
    let row = row(answer);
    let message = message.unwrap_or(row.message);
    let (kind, body) = if wants_html(request) {
        ("text/html; charset=utf-8", html(&row, message))
    } else {
        ("application/json", json(&row, message))
    };
    let mut response = (row.status, FIXED_HEADERS, [(CONTENT_TYPE, kind)], body).into_response();
    if let Some(seconds) = row.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn json(row: &Row, message: &str) -> String {
    serde_json::json!({ "message": message, "exc_type": row.exc_type }).to_string()
}

fn html(row: &Row, message: &str) -> String {
    let (title, message) = (row.title, as_text(message));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><h1>{title}</h1><p>{message}</p></body>\n</html>\n"
    )
}

/// So that whatever it is stands on the page as it was written.
fn as_text(message: &str) -> String {
    let letter = |letter: char| match letter {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        other => other.to_string(),
    };
    message.chars().map(letter).collect()
}

/// JSON unless a page is asked for by name and liked better: `*/*` is what programs send.
fn wants_html(request: &HeaderMap) -> bool {
    let accepted = || request.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    let liking = |wanted: &str| accepted().filter_map(|range| quality(range, wanted)).fold(0.0, f32::max);
    liking("text/html") > liking("application/json")
}

/// The quality of one media range, if it names just the wanted type.
fn quality(range: &str, wanted: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(wanted) {
        return None;
    }
    let weight = parts.find_map(|part| part.strip_prefix("q="));
    Some(weight.map_or(1.0, |text| text.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html_for(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        wants_html(&headers)
    }

    #[test]
    fn a_page_is_for_those_who_ask_for_one() {
        assert!(html_for("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(html_for("application/json;q=0.5, text/html"));
        for accept in ["*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0", "text/html;q=x", ""] {
            assert!(!html_for(accept), "{accept}");
        }
        assert!(!wants_html(&HeaderMap::new()));
    }
}
