//! What the operator costs, at sizes that no lab has: the real API server, the operator's own binary, and a bench that answers at once.
//! Run by `tests/scale/run`, which says what can be chosen.

mod audit;
mod cluster;
mod cores;
mod crowd;
mod figures;
mod floor;
mod hands;
mod load;
mod objects;
mod operator;
mod report;
mod sections;
mod site;
mod tls;

use std::process::ExitCode;

use cluster::Cluster;
use figures::Figures;
use operator::Operator;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    // `cargo test --benches` and the like start it as well; without its script there is no cluster.
    let Ok(dir) = std::env::var("BENCH_DIR") else {
        println!("skipped: it needs the cluster that tests/scale/run starts");
        return ExitCode::SUCCESS;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(run(dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("the benchmark broke off: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(dir: String) -> Result<(), Failure> {
    let mut figures = Figures::new();
    let cluster = Cluster::start(dir.into()).await?;
    let mut operator = Operator::start(&cluster.dir).await?;
    cluster.benches_are_ready().await?;
    let done = sections::all(&cluster, &mut operator, &mut figures).await;
    // What was measured until then is worth something too.
    figures.end();
    report::write(&figures)?;
    done
}

/// A number that the environment may change, for a quick try.
pub fn number(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
