//! `quorumscope transcript`: a run, event by event.

use crate::{Source, Stop, invalid, source};
use quorumscope::lab::Quantity;
use quorumscope::lab::consistency::LINEARIZABILITY;
use quorumscope::lab::document::read::LONGEST;
use quorumscope::lab::problem::Problems;
use quorumscope::lab::run::Run;
use std::io::Write;
use std::process::ExitCode;

/// Prints the run until `until`, or to its end.
pub fn transcript(source: &Source, until: Option<&str>, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let document = source::document(source)?;
    let wrong = |problems| source::about(&source.scenario, problems);
    let until = until.map(|text| match Quantity::from(text).micros() {
        Ok(time) if time <= LONGEST => Ok(time),
        Ok(_) => Err(invalid(format!("--until: {text}: at most {} would do", Quantity::from_micros(LONGEST)))),
        Err(says) => Err(invalid(format!("--until: {text}: {says}"))),
    });
    let until = until.transpose()?.unwrap_or(LONGEST);
    let mut run = Run::new(&document).map_err(wrong)?;
    let mut transcript = run.transcript();
    loop {
        let ended = run.step().map_err(|problem| wrong(Problems::from(problem)))?;
        let universe = run.session().universe();
        if ended || universe.time() > until {
            break;
        }
        write!(out, "{}", transcript.tell(universe))?;
    }
    let report = run.report();
    // Linearizability is judged at the end, after the last event.
    if let Some(violation) = report.violations.iter().find(|violation| violation.property == LINEARIZABILITY) {
        writeln!(out, "               ✗ {} is broken: {}", violation.property, violation.says)?;
    }
    Ok(if !report.violations.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
