//! What a suspended tenant's owner wants visitors to read: one file for each host, read as it is asked for.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::header::HOST;
use axum::http::{HeaderMap, Uri};

/// 512 characters of four bytes.
const LONGEST: u64 = 2048;

/// The folder with the files; none where there are no messages.
#[derive(Clone, Debug, Default)]
pub struct Messages(Option<Arc<PathBuf>>);

impl Messages {
    pub fn from(folder: Option<PathBuf>) -> Self {
        Self(folder.map(Arc::new))
    }

    /// The message for the host that is asked, if there is one that can be read.
    pub async fn find(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let path = self.0.as_ref()?.join(host(uri, headers)?);
        tokio::task::spawn_blocking(move || read(&path)).await.ok()?
    }
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST + 1).read_to_string(&mut text).ok()?;
    let text = text.trim();
    (!text.is_empty() && text.len() as u64 <= LONGEST).then(|| text.to_owned())
}

/// The host's name, as a file's name that leads out of no folder: whoever asks may write there what he likes.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let asked = headers.get(HOST).and_then(|value| value.to_str().ok()).or_else(|| uri.authority().map(|all| all.as_str()))?;
    let name = asked.split_once(':').map_or(asked, |(name, _)| name).trim_end_matches('.').to_ascii_lowercase();
    let label = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (name.len() <= 253 && name.split('.').all(label)).then_some(name)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(value).unwrap());
        host(&Uri::from_static("/"), &headers)
    }

    #[test]
    fn a_host_is_found_however_it_is_written() {
        for value in ["Acme.Example.com", "acme.example.com:8443", "acme.example.com."] {
            assert_eq!(asked(value).as_deref(), Some("acme.example.com"), "{value}");
        }
        let absolute = Uri::from_static("http://acme.example.com/login");
        assert_eq!(host(&absolute, &HeaderMap::new()).as_deref(), Some("acme.example.com"));
    }

    #[test]
    fn nothing_but_a_host_is_looked_for() {
        let long = "a".repeat(254);
        for value in ["", ".", "..", "../etc/passwd", "..data", "a..b", "/etc/passwd", "a/b", "a\\b", "[::1]", "a_b", &long] {
            assert_eq!(asked(value), None, "{value}");
        }
        assert_eq!(host(&Uri::from_static("/"), &HeaderMap::new()), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 1000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn whatever_is_asked_names_a_file_of_the_folder_itself_or_none(value in proptest::prop_oneof!["[a-zA-Z.:/\\\\-]{0,20}", "\\PC{0,40}"]) {
            let Ok(header) = HeaderValue::from_bytes(value.as_bytes()) else { return Ok(()) };
            let headers = HeaderMap::from_iter([(HOST, header)]);
            if let Some(name) = host(&Uri::from_static("/"), &headers) {
                let path = Path::new("/messages").join(&name);
                proptest::prop_assert_eq!(path.parent(), Some(Path::new("/messages")));
                proptest::prop_assert_eq!(path.file_name().and_then(|file| file.to_str()), Some(name.as_str()));
            }
        }
    }
}
