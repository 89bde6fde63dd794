//! Runs the built program in tests, and never leaves one behind.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub struct Process(Child);

impl Process {
    pub fn start<const N: usize, const M: usize>(arguments: [&str; N], environment: [(&str, &str); M]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenant-operator"));
        command.args(arguments).env_clear().envs(environment).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Sends SIGTERM and waits for the end.
    pub fn end(&mut self, within: Duration) -> ExitStatus {
        let sent = Command::new("kill").arg(self.0.id().to_string()).status().unwrap();
        assert!(sent.success());
        self.wait(within)
    }

    /// Waits for the end, and reads what was written to standard error.
    pub fn outcome(mut self, within: Duration) -> (ExitStatus, String) {
        let status = self.wait(within);
        let mut stderr = self.0.stderr.take().unwrap();
        (status, std::io::read_to_string(&mut stderr).unwrap())
    }

    fn wait(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it still runs after {within:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub async fn until_answered(client: &reqwest::Client, url: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while client.get(url).send().await.is_err() {
        assert!(Instant::now() < deadline, "{url} does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
