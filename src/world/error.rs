//! What can go wrong outside: one variant a port, with verb and object. Waiting is never an error.

/// How the loop goes on after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Passes by itself: time-outs, 409, 429, 5xx.
    Transient,
    /// Credentials or permissions: passes when a person has put them right.
    Denied,
    /// Does not pass by itself.
    Fatal,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{verb} {kind} {name}: {}", brief(source))]
    Cluster { verb: &'static str, kind: &'static str, name: String, source: Box<kube::Error> },
    #[error("{verb} {what}: {problem}")]
    Http { verb: &'static str, what: String, problem: String },
    #[error("{verb} the row of {name} in the Master: {problem}")]
    Registry { verb: &'static str, name: String, problem: String, denied: bool },
    #[error("the Secret {name} is not ours: it does not carry this tenant's id; rename it or choose another name in the spec")]
    SecretNotOurs { name: String },
    #[error("{kind} {name} changed under us")]
    Changed { kind: &'static str, name: String },
    #[error("{what} is not usable: {problem}")]
    Unusable { what: String, problem: String },
    #[error("{stage} does not settle: it asks for the same again and again")]
    Unconverged { stage: &'static str },
}

impl Error {
    pub fn cluster(verb: &'static str, kind: &'static str, name: impl Into<String>, source: kube::Error) -> Self {
        Self::Cluster { verb, kind, name: name.into(), source: Box::new(source) }
    }

    pub fn class(&self) -> Class {
        match self {
            Self::Cluster { source, .. } => match source.as_ref() {
                kube::Error::Api(status) if matches!(status.code, 401 | 403) => Class::Denied,
                kube::Error::Api(status) if matches!(status.code, 400 | 405 | 422) => Class::Fatal,
                _ => Class::Transient,
            },
            Self::Registry { denied: true, .. } => Class::Denied,
            Self::Http { .. } | Self::Registry { .. } | Self::Changed { .. } => Class::Transient,
            Self::SecretNotOurs { .. } | Self::Unusable { .. } | Self::Unconverged { .. } => Class::Fatal,
        }
    }

    /// The condition's reason, the event's and the metric's label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Cluster { source, .. } => match source.as_ref() {
                kube::Error::Api(status) if matches!(status.code, 401 | 403) => "ClusterDenied",
                kube::Error::Api(status) if matches!(status.code, 400 | 405 | 422) => "ClusterRefused",
                _ => "ClusterUnavailable",
            },
            Self::Http { .. } => "BenchUnreachable",
            Self::Registry { .. } => "RegistryUnreachable",
            Self::SecretNotOurs { .. } => "SecretNotOurs",
            Self::Changed { .. } => "Changed",
            Self::Unusable { .. } => "Unusable",
            Self::Unconverged { .. } => "Unconverged",
        }
    }
}

/// The API server's message alone: the whole error would print the request's answer at length.
fn brief(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} ({})", status.message, status.code),
        other => other.to_string(),
    }
}
