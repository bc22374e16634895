//! `quorumscope compare`: messages per command, measured beside the formula.

use crate::progress::Progress;
use crate::table::{Table, ms};
use crate::{Source, Stop, flags, source};
use quorumscope::lab::compare::{Cell, CompareJob, Figure, csv};
use std::io::{self, Write};
use std::process::ExitCode;

/// Events between two updates of the progress bar.
const SLICE: u64 = 100_000;

/// Output format.
pub enum Form {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

/// Measures and prints.
pub fn compare(
    source: &Source,
    variants: &[String],
    replicas: &[u32],
    form: Form,
    out: &mut impl Write,
) -> Result<ExitCode, Stop> {
    // Settings are those of the variants compared; everything else that is set is the scenario's.
    let of_variants = |assignment: &&String| assignment.starts_with("settings.");
    let settings: Vec<String> =
        source.set.iter().filter(of_variants).map(|assignment| assignment["settings.".len()..].to_owned()).collect();
    let set = source.set.iter().filter(|assignment| !of_variants(assignment)).cloned().collect();
    let document = source::document(&Source { set, ..source.clone() })?;
    // The scenario first, so that its problems are reported as its own and not as those of flags.
    document.scenario.check().map_err(|problems| source::about(&source.scenario, problems))?;
    let variants: Vec<&str> = variants.iter().map(String::as_str).collect();
    let settings = flags::settings(&settings)?;
    let job = CompareJob::with_settings(&document.scenario, &variants, replicas, settings);
    let mut job = job.map_err(flags::named)?;
    let mut progress = Progress::new("measuring");
    while !job.advance(SLICE) {
        progress.set(job.cells().len() as u64 * 1_000 / job.len() as u64);
    }
    progress.done();
    match form {
        Form::Table => table(job.cells(), out)?,
        Form::Csv => write!(out, "{}", csv(job.cells()))?,
        Form::Json => return crate::json(&job.cells(), out),
    }
    Ok(ExitCode::SUCCESS)
}

fn table(cells: &[Cell], out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::default();
    table.row(["Messages for one command", "replicas", "measured", "formula", "expected", "exact", "heartbeats/s"]);
    for cell in cells {
        let n = cell.replicas.to_string();
        let Some(measured) = &cell.measured else {
            table.row([cell.title.to_owned(), n, "-".to_owned()]);
            continue;
        };
        let (formula, expected, exact) = match &measured.formula {
            Some(formula) => {
                let exact = match (formula.exact, formula.left_out.as_slice()) {
                    (true, []) => "yes".to_owned(),
                    (true, kinds) => format!("but for {}", kinds.join(", ")),
                    (false, _) => "NO".to_owned(),
                };
                (formula.text, formula.per_command.to_string(), exact)
            }
            None => ("-", "-".to_owned(), "-".to_owned()),
        };
        table.row([
            cell.title.to_owned(),
            n,
            decimal(measured.per_command),
            formula.to_owned(),
            expected,
            exact,
            format!("{:.1}", measured.heartbeats_per_second),
        ]);
        for kind in &measured.by_kind {
            table.row([format!("  {}", kind.kind), String::new(), decimal(kind.per_command)]);
        }
        let reads = figure(&measured.reads, |reads| decimal(reads.per_read));
        table.row(["  messages per read".to_owned(), String::new(), reads]);
        let election = figure(&measured.election, |election| election.messages.to_string());
        table.row(["  messages per election".to_owned(), String::new(), election]);
        if let Figure::Measured(election) = &measured.election {
            table.row(["  new leader after, ms".to_owned(), String::new(), ms(election.time_us)]);
        }
    }
    table.write(out)?;
    for cell in cells {
        if let Some(says) = &cell.says {
            writeln!(out, "{} with {} replicas: {says}", cell.title, cell.replicas)?;
        }
        let Some(measured) = &cell.measured else { continue };
        if let Figure::Unmeasured { says } = &measured.reads {
            writeln!(out, "{} with {} replicas, reads: {says}", cell.title, cell.replicas)?;
        }
        if let Figure::Unmeasured { says } = &measured.election {
            writeln!(out, "{} with {} replicas, election: {says}", cell.title, cell.replicas)?;
        }
    }
    Ok(())
}

/// A figure, "n/a" where it does not apply, or "-" where it could not be measured.
fn figure<T>(figure: &Figure<T>, text: impl Fn(&T) -> String) -> String {
    match figure {
        Figure::Measured(measured) => text(measured),
        Figure::Unmeasured { .. } => "-".to_owned(),
        Figure::NotApplicable => "n/a".to_owned(),
    }
}

/// At most three decimals, without trailing zeros.
fn decimal(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
