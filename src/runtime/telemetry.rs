//! Logs: one line per event on standard error, as JSON for machines or as text for people.

use clap::{Args, ValueEnum};
use tracing::Subscriber;
use tracing_subscriber::filter::{Directive, EnvFilter, LevelFilter};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

#[derive(Args, Clone, Debug)]
pub struct LogSettings {
    /// How log lines are written.
    #[arg(long, env = "TENANT_OPERATOR_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,

    /// What is logged: a level, or levels by module, for example info,tenant_operator=debug.
    #[arg(long, env = "TENANT_OPERATOR_LOG_FILTER", default_value = "info")]
    pub log_filter: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Lines for people.
    Text,
}

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("cannot read the log filter; write a level, or target=level pairs separated by commas")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("cannot start logging")]
    Start(#[from] TryInitError),
}

/// Starts logging for the rest of the process's life.
pub fn start(settings: &LogSettings) -> Result<(), LogError> {
    subscriber(settings, std::io::stderr)?.try_init()?;
    Ok(())
}

fn subscriber<W>(settings: &LogSettings, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = filter(&settings.log_filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    Ok(match settings.log_format {
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
        LogFormat::Text => Box::new(builder.with_ansi(false).finish()),
    })
}

/// The Kubernetes client logs whole answers that it cannot read, below the level of errors. An answer may be a Secret, so
/// these never come through, whatever the filter says.
fn filter(text: &str) -> Result<EnvFilter, LogError> {
    let no_answers: Directive = "kube_client::client=error".parse()?;
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(text)?;
    Ok(filter.add_directive(no_answers))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str, body: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let settings = LogSettings { log_format: format, log_filter: filter.to_owned() };
        let subscriber = subscriber(&settings, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, body);
        lines.text()
    }

    #[test]
    fn a_json_line_is_one_object_with_its_fields_at_the_top() {
        let text = logged(LogFormat::Json, "info", || tracing::info!(tenant = "customers/acme", "settled"));
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["message"], "settled");
        assert_eq!(line["tenant"], "customers/acme");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn a_text_line_has_no_colours() {
        let text = logged(LogFormat::Text, "info", || tracing::info!("settled"));
        assert!(text.contains("settled") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn answers_of_the_api_server_are_never_logged() {
        let text = logged(LogFormat::Json, "trace,kube_client=trace", || {
            tracing::warn!(target: "kube_client::client", "a whole answer");
            tracing::error!(target: "kube_client::client::builder", "failed with status 503");
        });
        assert!(!text.contains("a whole answer") && text.contains("503"), "{text}");
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_an_error() {
        assert!(matches!(filter("info,=="), Err(LogError::Filter(_))));
    }
}
