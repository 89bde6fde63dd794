//! HTTP as the world asks: through Envoy over TLS with certificates verified, or straight at a Service of the bench.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method};
use serde_json::Value;

use crate::lab::Lab;

pub struct Answer {
    pub status: u16,
    pub text: String,
    pub retry_after: Option<String>,
}

impl Answer {
    /// Envoy's own words, not the bench's.
    fn is_reset(&self) -> bool {
        self.status == 503 && self.text.starts_with("upstream connect error or disconnect/reset before headers")
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }
}

pub struct Door {
    client: Client,
    /// What every address begins with.
    base: String,
    headers: Vec<(&'static str, String)>,
}

impl Door {
    /// A public host, which only the lab's own authority vouches for.
    pub async fn public(lab: &Lab, host: &str) -> Self {
        let envoy = lab.service("projectcontour", "envoy", 443).await;
        let authority = lab.secret("erp", "lab-ca").await.expect("the lab's authority");
        let authority = Certificate::from_pem(authority["ca.crt"].as_bytes()).expect("a certificate");
        let client = builder().tls_certs_only([authority]).resolve(host, envoy).build().expect("a client");
        Self { client, base: format!("https://{host}"), headers: vec![] }
    }

    /// gunicorn itself, with a site chosen by header, as only those inside may.
    pub async fn inside(lab: &Lab, namespace: &str, site: &str) -> Self {
        let web = lab.service(namespace, "erpnext-gunicorn", 8000).await;
        Self::at(web).with("X-Frappe-Site-Name", site)
    }

    pub fn at(address: SocketAddr) -> Self {
        Self { client: builder().build().expect("a client"), base: format!("http://{address}"), headers: vec![] }
    }

    #[must_use]
    pub fn with(&self, name: &'static str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name, value.to_owned()));
        Self { client: self.client.clone(), base: self.base.clone(), headers }
    }

    #[must_use]
    pub fn with_key(&self, key: &str, secret: &str) -> Self {
        self.with("Authorization", &format!("token {key}:{secret}"))
    }

    /// Where the connection that the edge kept open to the bench was closed just then, it says so, and whoever reads asks again.
    pub async fn get(&self, path: &str) -> Answer {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = self.ask(Method::GET, path, None).await;
            if !answer.is_reset() || Instant::now() > end {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }

    /// The first answer of this status: an edge does not tell when it has taken in a change.
    pub async fn until(&self, path: &str, status: u16) -> Answer {
        self.within(path, status, Duration::from_secs(20)).await
    }

    /// The same, for what takes its time.
    pub async fn within(&self, path: &str, status: u16, limit: Duration) -> Answer {
        let end = Instant::now() + limit;
        loop {
            match self.send(Method::GET, path, None).await {
                Ok(answer) if answer.status == status => return answer,
                other if Instant::now() > end => {
                    panic!("{}{path}: {:?} instead of {status}", self.base, other.map(|answer| answer.status))
                }
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.send(method, path, body).await.unwrap_or_else(|error| panic!("{}{path} does not answer: {error:?}", self.base))
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("Retry-After").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Answer { status, text: answer.text().await?, retry_after })
    }
}

fn builder() -> reqwest::ClientBuilder {
    Client::builder().no_proxy().redirect(Policy::none()).timeout(Duration::from_secs(20))
}

/// As Frappe wants it in an address: a DocType's name has a space.
pub fn encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}
