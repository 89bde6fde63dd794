//! The command line of tenant-operator.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tenant_operator::api;
use tenant_operator::runtime::answer::{self, AnswerSettings};
use tenant_operator::runtime::telemetry::{self, LogSettings};
use tenant_operator::runtime::{self, Settings};

/// Gives back what a crowd of tenants needed for a moment: glibc's keeps twice as much. Without huge pages, of which most would be empty.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs many ERPNext tenants on Kubernetes, each declared by one Tenant object.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator.
    Run {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        log: LogSettings,
    },
    /// Print the four CustomResourceDefinitions, ready for kubectl apply -f -.
    Crds,
    /// Answer in place of a site that must not, or cannot yet, be reached. The operator runs this beside each bench.
    Answer {
        #[command(flatten)]
        settings: AnswerSettings,
        #[command(flatten)]
        log: LogSettings,
    },
}

fn main() -> ExitCode {
    match execute(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tenant-operator: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Run { settings, log } => {
            telemetry::start(&log)?;
            block_on(runtime::run(settings))
        }
        Command::Crds => Ok(std::io::stdout().write_all(api::crds_yaml().as_bytes())?),
        Command::Answer { settings, log } => {
            telemetry::start(&log)?;
            block_on(answer::run(settings))
        }
    }
}

/// Ends as soon as the future does: what is still running after a lost lease must not go on.
fn block_on<E: Error + 'static>(future: impl Future<Output = Result<(), E>>) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(future);
    runtime.shutdown_background();
    Ok(ended?)
}

/// The error and everything that caused it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
