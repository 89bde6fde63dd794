//! What each answer says. Which answers there are, and on which ports, the manifests of the backend say.

use axum::http::StatusCode;

use crate::core::manifests::answer::{Answer, SUSPENDED};

pub struct Row {
    pub status: StatusCode,
    /// Seconds after which it is worth asking again.
    pub retry_after: Option<u16>,
    /// What Frappe's clients look at to tell one error from another.
    pub exc_type: &'static str,
    pub title: &'static str,
    pub message: &'static str,
}

pub const fn row(answer: Answer) -> Row {
    match answer {
        Answer::Refused => Row {
            status: StatusCode::FORBIDDEN,
            retry_after: None,
            exc_type: "PermissionError",
            title: "Not available here",
            message: "This path is closed: signing in with a password is switched off. Use OAuth or an API token.",
        },
        Answer::Preparing => Row {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: Some(5),
            exc_type: "SessionStopped",
            title: "Almost there",
            message: "This site is being prepared. Try again in a few seconds.",
        },
        Answer::Suspended => Row {
            status: StatusCode::SERVICE_UNAVAILABLE,
            // Nobody knows when.
            retry_after: None,
            exc_type: SUSPENDED,
            title: "Suspended",
            message: "This site is suspended for the time being.",
        },
    }
}
