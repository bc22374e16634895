//! The `quorumscope` command: the laboratory without the page.
//!
//! Exit codes: 0 all well; 1 a property was violated; 2 the input makes no sense; 3 undecided within the limits of work or memory;
//! 4 the output cannot be written; 130 interrupted.

mod check;
mod checkpoint;
mod compare;
mod diff;
mod export;
mod flags;
mod fuzz;
mod interrupt;
mod lesson;
mod linearize;
mod list;
mod memory;
mod parallel;
mod progress;
mod run;
mod seeds;
mod sequence;
mod shrink;
mod source;
mod state;
mod table;
mod transcript;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use std::fmt::Display;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A laboratory for distributed consensus: real protocols in a deterministic simulator.
#[derive(Parser)]
#[command(version, about, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The memory that a run, a search or all seeds together may take, such as 512MB or 2GB; half of the machine's unless said otherwise. What
    /// takes more ends with exit code 3, and what was found by then is told
    #[arg(long, value_name = "SIZE", global = true)]
    memory: Option<String>,
}

/// What is undecided within the limits of work or memory.
const UNDECIDED: u8 = 3;
/// The output cannot be written.
const UNWRITABLE: u8 = 4;
/// Interrupted, as shells have it: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

const EXIT_CODES: &str = "\
Exit codes:
    0  all well
    1  a property was violated; for diff: the runs differ
    2  the input makes no sense
    3  undecided: the work or the memory that it may take did not suffice
    4  the output cannot be written
  130  interrupted; fuzz and check print what was found by then";

#[derive(Subcommand)]
enum Command {
    /// List the variants and the built-in scenarios
    List {
        /// Show one variant: its card, its settings, its rules
        variant: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of scenario documents
    Schema {
        /// Of the lines of `export --format jsonl` instead
        #[arg(long)]
        jsonl: bool,
    },
    /// Run a scenario and report commands, messages, latencies, leaders, outages and violations
    ///
    /// Exit codes: 0 all well; 1 a property was violated, with --seeds by any of the seeds; 2 the input makes no sense; 3 cut short: too many
    /// events, too much memory, or time stands still; 4 the report cannot be written.
    Run {
        #[command(flatten)]
        source: Source,
        /// Also write the clients' history, as JSON lines that `linearize` reads
        #[arg(long, value_name = "FILE")]
        history: Option<PathBuf>,
        /// Run the scenario once for each of these seeds, from the first to before the second, such as 0..1000: a line for each, in order
        #[arg(long, value_name = "A..B", conflicts_with_all = ["seed", "history"])]
        seeds: Option<String>,
        /// How many seeds to run at the same time; as many as there are processors unless said otherwise. The output does not depend on it
        #[arg(long, requires = "seeds")]
        jobs: Option<NonZero<u16>>,
        /// As JSON; with --seeds one object a line
        #[arg(long)]
        json: bool,
    },
    /// Explore every run of a small cluster within bounds, and look for violated properties (model checking)
    ///
    /// Any message under way may be the next to arrive, or stay under way for ever; any timer may fire at any time. Exit codes: 0 safe
    /// within the bounds; 1 violated, and the shortest trace is told; 2 the input makes no sense; 3 undecided, the states or the memory did
    /// not suffice; 4 the finding cannot be written; 130 interrupted, and what was found by then is told.
    Check {
        #[command(flatten)]
        arguments: check::Arguments,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Run random scenarios with fault injection, one for each seed, and look for violated properties
    ///
    /// Each seed generates a cluster, its sites, settings, clients and a mix of faults. While faults are injected only safety is checked;
    /// then a healthy core must answer clients and catch up within a stated time. At the end the clients' history must be
    /// linearizable. Exit codes: 0 all well; 1 a property was violated, or with 2000 seeds or more a rule was never reached; 2 the input
    /// makes no sense; 3 some seed took too much memory; 4 the report cannot be written; 130 interrupted, and the report is about the seeds
    /// done by then.
    Fuzz {
        #[command(flatten)]
        arguments: fuzz::Arguments,
        /// As JSON, to be merged
        #[arg(long)]
        json: bool,
    },
    /// Shrink a scenario that violates a property
    ///
    /// Exit codes: 0 done; 2 the input makes no sense, or violates nothing.
    Shrink {
        #[command(flatten)]
        source: Source,
        /// Write the small scenario to this file, as TOML; to standard output unless said otherwise
        #[arg(short, long, value_name = "FILE")]
        output: Option<std::path::PathBuf>,
        /// Keep this property violated, such as Agreement; the first to be violated unless said otherwise
        #[arg(long)]
        property: Option<String>,
        /// Runs it may take
        #[arg(long, value_name = "RUNS", default_value_t = quorumscope::lab::shrink::BUDGET)]
        budget: u64,
    },
    /// Measure messages per command, per read and per election, for several variants and cluster sizes, at the scenario's sites
    ///
    /// A setting such as --set settings.commit=explicit goes to every variant compared that has it; at least one must.
    Compare {
        #[command(flatten)]
        source: Source,
        /// Keys of variants, separated by commas; all of them unless said otherwise
        #[arg(long, value_delimiter = ',')]
        variants: Vec<String>,
        /// Cluster sizes, separated by commas
        #[arg(long, value_delimiter = ',', default_values_t = [3, 5, 7])]
        replicas: Vec<u32>,
        /// As comma-separated values, a line for each kind of message
        #[arg(long, conflicts_with = "json")]
        csv: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a run event by event
    Transcript {
        #[command(flatten)]
        source: Source,
        /// Stop after this time, such as 500ms; at the scenario's end unless said otherwise
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// As JSON lines: a header, a line for each handler call with its stimulus, the state after it and its effects, and the end. The guide
        /// beside the built-in scenarios tells the format
        #[arg(long)]
        json: bool,
    },
    /// Draw a part of a run as a sequence chart: who sent what to whom, what became of it, and what each node did
    ///
    /// Exit codes: 0 drawn; 2 the input makes no sense, or there is more in that part than a chart can show; 3 the run is cut short, and drawn
    /// as far as it came; 4 the chart cannot be written.
    Sequence {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        part: sequence::Part,
    },
    /// Write a run in a format that other tools read: JSON lines, tables, traces, logs with vector clocks, states, pictures
    ///
    /// One run up to one moment. docs/exports.md says of each format what reads it.
    #[command(after_long_help = export::bounds())]
    Export {
        #[command(flatten)]
        source: Source,
        #[command(flatten)]
        form: export::Form,
    },
    /// Describe a run at one moment in words: who leads and why, each replica, faults, messages, clients, properties
    ///
    /// The same as the page's view in words. Exit codes: 0 described; 2 the input makes no sense; 3 the run is cut short before that moment;
    /// 4 the description cannot be written.
    State {
        #[command(flatten)]
        source: Source,
        /// The moment, such as 2.5s; that of the link, or the scenario's end, unless said otherwise
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Find the first event in which two runs differ
    ///
    /// Two scenarios, or one with another value or seed. Exit codes: 0 no difference; 1 they differ, and the place is shown; 2 the input
    /// makes no sense.
    Diff {
        #[command(flatten)]
        arguments: diff::Arguments,
    },
    /// Judge whether a history of operations is linearizable
    ///
    /// A history has an event a line, as JSON: {"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1, "time": 10}.
    /// The type is invoke, ok, fail (never takes effect) or info (takes effect at any later time, or never).
    ///
    /// Exit codes: 0 linearizable, 1 not linearizable, 2 the history makes no sense, 3 undecided within the budget.
    Linearize {
        /// A file of JSON lines, or - for standard input
        #[arg(value_name = "HISTORY")]
        history: String,
        /// What the operations are about; each key is an object of its own
        #[arg(long, value_parser = PossibleValuesParser::new(linearize::models()))]
        model: String,
        /// Give up after so many steps of searching (some ten million a second)
        #[arg(long, value_name = "STEPS", default_value_t = linearize::BUDGET)]
        budget: u64,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Lessons: list them, show one, or try their claims on many seeds
    ///
    /// Exit codes of check: 0 every lesson is as it says; 1 one is not, and what is wrong is told; 2 a file makes no sense; 4 the report cannot
    /// be written.
    Lesson {
        #[command(subcommand)]
        command: lesson::Command,
    },
    /// Print the link that opens a scenario in the page
    Link {
        #[command(flatten)]
        source: Source,
    },
}

/// The scenario, and changes to it.
#[derive(Args, Clone)]
struct Source {
    /// A .toml or .json file, the key of a built-in scenario (see `list`), a link, or - for standard input
    #[arg(value_name = "SCENARIO")]
    scenario: String,
    /// Change a value, such as clients[0].think=50ms; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Take the distances between the sites from a table of your own: CSV with ids in the first row and column, and round trips in ms
    #[arg(long, value_name = "FILE")]
    rtt: Option<PathBuf>,
    /// Take all chance from this number
    #[arg(long)]
    seed: Option<u64>,
}

/// An error that ends the program.
enum Stop {
    /// The input is invalid; the message says why.
    Input(String),
    /// The output cannot be written.
    Output(io::Error),
    /// A file cannot be written; the message names the flag and the file.
    File(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Output(error)
    }
}

/// An error of the input.
fn invalid(why: impl Display) -> Stop {
    Stop::Input(why.to_string())
}

/// Writes a file that a flag names.
fn write_file(file: &Path, flag: &str, text: &str) -> Result<(), Stop> {
    let wrong = |error| Stop::File(format!("{flag}: {}: cannot be written: {error}", file.display()));
    std::fs::write(file, text).map_err(wrong)
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let memory = memory::budget(cli.memory.as_deref());
    let done = memory
        .and_then(|memory| dispatch(cli.command, memory, &mut out))
        .and_then(|code| Ok(out.flush().map(|()| code)?));
    match done {
        Ok(code) => code,
        Err(Stop::Input(why)) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
        // `quorumscope list | head` closes the pipe, which is no error.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Stop::Output(error)) => {
            eprintln!("error: cannot write: {error}");
            ExitCode::from(UNWRITABLE)
        }
        Err(Stop::File(why)) => {
            eprintln!("error: {why}");
            ExitCode::from(UNWRITABLE)
        }
    }
}

fn dispatch(command: Command, memory: u64, out: &mut impl Write) -> Result<ExitCode, Stop> {
    match command {
        Command::List { variant, json } => list::list(variant.as_deref(), json, out),
        Command::Schema { jsonl: true } => json(&quorumscope::lab::export::jsonl::schema(), out),
        Command::Schema { jsonl: false } => json(&quorumscope::lab::text::schema(), out),
        Command::Run { source, seeds: Some(seeds), jobs, json, .. } => {
            seeds::run(&source, &seeds, jobs, memory, json, out)
        }
        Command::Run { source, history, json, .. } => run::run(&source, history.as_deref(), memory, json, out),
        Command::Check { arguments, json } => check::check(&arguments, memory, json, out),
        Command::Fuzz { arguments, json } => fuzz::fuzz(&arguments, memory, json, out),
        Command::Compare { source, variants, replicas, csv, json } => {
            let form = match (csv, json) {
                (true, _) => compare::Form::Csv,
                (_, true) => compare::Form::Json,
                _ => compare::Form::Table,
            };
            compare::compare(&source, &variants, &replicas, form, out)
        }
        Command::Shrink { source, output, property, budget } => {
            shrink::shrink(&source, output.as_deref(), property.as_deref(), budget, out)
        }
        Command::Diff { arguments } => diff::diff(&arguments, out),
        Command::Transcript { source, until, json } => {
            transcript::transcript(&source, until.as_deref(), memory, json, out)
        }
        Command::Sequence { source, part } => sequence::sequence(&source, &part, memory, out),
        Command::Export { source, form } => export::export(&source, &form, memory, out),
        Command::State { source, at, json } => state::state(&source, at.as_deref(), memory, json, out),
        Command::Linearize { history, model, budget, json } => {
            linearize::linearize(&history, &model, budget, json, out)
        }
        Command::Lesson { command } => lesson::lesson(&command, out),
        Command::Link { source } => {
            let document = source::document(&source)?;
            document.scenario.check().map_err(invalid)?;
            writeln!(out, "{}", quorumscope::lab::text::to_link(&document))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints a value as JSON.
fn json(value: &impl serde::Serialize, out: &mut impl Write) -> Result<ExitCode, Stop> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(ExitCode::SUCCESS)
}
