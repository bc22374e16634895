//! `quorumscope compare`: messages per command, measured beside the formula.

use crate::progress::Progress;
use crate::table::Table;
use crate::{Source, Stop, invalid, source};
use quorumscope::lab::Problems;
use quorumscope::lab::compare::{Cell, CompareJob, csv};
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
    let document = source::document(source)?;
    // The scenario first, so that its problems are reported as its own and not as those of flags.
    document.scenario.check().map_err(|problems| source::about(&source.scenario, problems))?;
    let variants: Vec<&str> = variants.iter().map(String::as_str).collect();
    let flags = |Problems(problems)| {
        invalid(problems.iter().map(|problem| format!("--{problem}")).collect::<Vec<_>>().join("\n  "))
    };
    let mut job = CompareJob::new(&document.scenario, &variants, replicas).map_err(flags)?;
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
            Some(formula) => (formula.text, formula.per_command.to_string(), if formula.exact { "yes" } else { "NO" }),
            None => ("-", "-".to_owned(), "-"),
        };
        table.row([
            cell.title.to_owned(),
            n,
            decimal(measured.per_command),
            formula.to_owned(),
            expected,
            exact.to_owned(),
            format!("{:.1}", measured.heartbeats_per_second),
        ]);
        for kind in &measured.by_kind {
            table.row([format!("  {}", kind.kind), String::new(), decimal(kind.per_command)]);
        }
    }
    table.write(out)?;
    for cell in cells {
        if let Some(says) = &cell.says {
            writeln!(out, "{} with {} replicas: {says}", cell.title, cell.replicas)?;
        }
    }
    Ok(())
}

/// At most three decimals, without trailing zeros.
fn decimal(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
