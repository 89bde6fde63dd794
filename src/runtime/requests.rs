//! Counts every request to the API server by what it does to which kind of object.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Method, Request, Response};
use tower::{Layer, Service};

use super::Metrics;

#[derive(Clone)]
pub struct CountRequests(pub Arc<Metrics>);

impl<S> Layer<S> for CountRequests {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Counting<S> {
        Counting { inner, metrics: self.0.clone() }
    }
}

#[derive(Clone)]
pub struct Counting<S> {
    inner: S,
    metrics: Arc<Metrics>,
}

impl<S, A, B> Service<Request<A>> for Counting<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let target = Target::of(request.uri().path());
        let watches = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("watch=")));
        let verb = target.verb(request.method(), watches, content_type(&request));
        let answer = self.inner.call(request);
        let metrics = self.metrics.clone();
        Box::pin(async move {
            let answer = answer.await;
            let code = match &answer {
                Ok(response) => response.status().as_str().to_owned(),
                Err(_) => "none".to_owned(),
            };
            metrics.request(verb, target.resource, code);
            answer
        })
    }
}

fn content_type<A>(request: &Request<A>) -> &str {
    request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// What a path of the API server is about.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    /// `jobs`, or `tenants/status`; empty for discovery.
    resource: String,
    /// One object rather than a list of them.
    named: bool,
}

impl Target {
    fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let rest = match parts.as_slice() {
            ["api", _version, rest @ ..] | ["apis", _, _version, rest @ ..] => rest,
            _ => &[],
        };
        let rest = match rest {
            ["namespaces", _namespace, rest @ ..] if !rest.is_empty() => rest,
            _ => rest,
        };
        match rest {
            [] => Self { resource: String::new(), named: false },
            [kind] => Self { resource: (*kind).to_owned(), named: false },
            [kind, _name] => Self { resource: (*kind).to_owned(), named: true },
            [kind, _name, sub, ..] => Self { resource: format!("{kind}/{sub}"), named: true },
        }
    }

    fn verb(&self, method: &Method, watches: bool, content_type: &str) -> &'static str {
        match *method {
            Method::GET if watches => "watch",
            Method::GET if self.named || self.resource.is_empty() => "get",
            Method::GET => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH if content_type.starts_with("application/apply-patch") => "apply",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_kind_of_object() {
        let cases = [
            ("/api/v1/namespaces/erp/secrets/x", "secrets", true),
            ("/api/v1/namespaces/erp", "namespaces", true),
            ("/api/v1/namespaces", "namespaces", false),
            ("/apis/batch/v1/jobs", "jobs", false),
            ("/apis/tenancy.nexuserp.io/v1alpha1/namespaces/customers/tenants/acme/status", "tenants/status", true),
            ("/apis/tenancy.nexuserp.io/v1alpha1/tenantclaims/host.a", "tenantclaims", true),
            ("/apis/tenancy.nexuserp.io/v1alpha1", "", false),
            ("/version", "", false),
        ];
        for (path, resource, named) in cases {
            assert_eq!(Target::of(path), Target { resource: resource.to_owned(), named }, "{path}");
        }
    }

    #[test]
    fn a_verb_is_named_as_in_a_role() {
        let one = Target::of("/apis/batch/v1/namespaces/erp/jobs/x");
        let many = Target::of("/apis/batch/v1/jobs");
        assert_eq!(one.verb(&Method::GET, false, ""), "get");
        assert_eq!(many.verb(&Method::GET, false, ""), "list");
        assert_eq!(many.verb(&Method::GET, true, ""), "watch");
        assert_eq!(one.verb(&Method::PATCH, false, "application/apply-patch+yaml"), "apply");
        assert_eq!(one.verb(&Method::PATCH, false, "application/merge-patch+json"), "patch");
    }

    #[tokio::test]
    async fn every_answer_is_counted_with_its_code() {
        let metrics = Arc::new(Metrics::new());
        let inner = tower::service_fn(|_: Request<()>| async { Ok::<_, ()>(Response::builder().status(404).body(()).unwrap()) });
        let mut service = CountRequests(metrics.clone()).layer(inner);
        service.call(Request::get("/api/v1/namespaces/erp/pods?watch=true&x=1").body(()).unwrap()).await.unwrap();
        let line = r#"tenant_operator_api_requests_total{verb="watch",resource="pods",code="404"} 1"#;
        assert!(metrics.text().unwrap().contains(line), "{}", metrics.text().unwrap());
    }
}
