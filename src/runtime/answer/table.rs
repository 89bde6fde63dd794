//! What can be answered. A new answer is a new row here, and a new port.

use axum::http::StatusCode;

/// Where the backend says that it lives.
pub const HEALTH_PORT: u16 = 8081;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This path is closed to the outside.
    Refused,
    /// The site is being made.
    Preparing,
}

/// One row of the table.
pub(super) struct Row {
    pub name: &'static str,
    pub port: u16,
    pub status: StatusCode,
    /// Seconds after which it is worth asking again.
    pub retry_after: Option<u16>,
    /// What Frappe's clients look at to tell one error from another.
    pub exc_type: &'static str,
    pub title: &'static str,
    pub message: &'static str,
}

impl Answer {
    pub const ALL: [Self; 2] = [Self::Refused, Self::Preparing];

    /// The port's name in a Service.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    pub const fn port(self) -> u16 {
        self.row().port
    }

    pub(super) const fn row(self) -> Row {
        match self {
            Self::Refused => Row {
                name: "refused",
                port: 8403,
                status: StatusCode::FORBIDDEN,
                retry_after: None,
                exc_type: "PermissionError",
                title: "Not available here",
                message: "This path is closed: signing in with a password is switched off. Use OAuth or an API token.",
            },
            Self::Preparing => Row {
                name: "preparing",
                port: 8503,
                status: StatusCode::SERVICE_UNAVAILABLE,
                retry_after: Some(5),
                exc_type: "SessionStopped",
                title: "Almost there",
                message: "This site is being prepared. Try again in a few seconds.",
            },
        }
    }
}
