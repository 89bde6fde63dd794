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

    /// The API server's answer is no such object as it should be.
    pub fn is_illegible(&self) -> bool {
        matches!(self, Self::Cluster { source, .. } if matches!(source.as_ref(), kube::Error::SerdeError(_)))
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

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn answered(code: u16) -> Error {
        let status = Status::failure("no such luck", "Reason").with_code(code).boxed();
        Error::cluster("get", "Secret", "acme", kube::Error::Api(status))
    }

    #[test]
    fn what_the_api_server_answers_decides_whether_it_is_tried_again() {
        let cases = [
            (&[401, 403][..], Class::Denied, "ClusterDenied"),
            (&[400, 405, 422], Class::Fatal, "ClusterRefused"),
            (&[404, 409, 410, 429, 500, 502, 503, 504], Class::Transient, "ClusterUnavailable"),
        ];
        for (codes, class, reason) in cases {
            for code in codes {
                let error = answered(*code);
                assert_eq!((error.class(), error.reason()), (class, reason), "{code}");
            }
        }
    }

    #[test]
    fn no_answer_at_all_passes_by_itself() {
        let lost = kube::Error::Service(std::io::Error::other("connection reset").into());
        let error = Error::cluster("get", "Secret", "acme", lost);
        assert_eq!((error.class(), error.reason()), (Class::Transient, "ClusterUnavailable"));
    }

    #[test]
    fn a_refused_token_of_the_master_is_denied_and_an_outage_is_not() {
        let registry = |denied| Error::Registry { verb: "write", name: "acme".to_owned(), problem: "403".to_owned(), denied };
        assert_eq!((registry(true).class(), registry(false).class()), (Class::Denied, Class::Transient));
    }

    #[test]
    fn what_belongs_to_somebody_else_or_never_settles_needs_a_person() {
        let not_ours = Error::SecretNotOurs { name: "harbour/passport".to_owned() };
        let unusable = Error::Unusable { what: "Secret ca".to_owned(), problem: "it is missing".to_owned() };
        for error in [not_ours, unusable, Error::Unconverged { stage: "Claimed" }] {
            assert_eq!(error.class(), Class::Fatal, "{error}");
        }
        assert_eq!(Error::Changed { kind: "Tenant", name: "acme".to_owned() }.class(), Class::Transient);
    }

    #[test]
    fn an_error_says_what_was_tried_and_the_servers_own_words() {
        assert_eq!(answered(403).to_string(), "get Secret acme: no such luck (403)");
    }
}
