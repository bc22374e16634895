//! `quorumscope transcript`: a run, told event by event.

use crate::{Source, Stop, bad, source};
use quorumscope::lab::consistency::LINEARIZABILITY;
use quorumscope::lab::problem::Problems;
use quorumscope::lab::run::Run;
use quorumscope::lab::{Quantity, check};
use std::io::Write;
use std::process::ExitCode;

/// Tells the run until `until`, or to its end.
pub fn transcript(source: &Source, until: Option<&str>, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let document = source::document(source)?;
    let wrong = |problems| source::about(&source.scenario, problems);
    let until = until.map(|text| match Quantity::from(text).micros() {
        Ok(time) if time <= check::LONGEST => Ok(time),
        Ok(_) => Err(bad(format!("--until: {text}: at most {} would do", Quantity::from_micros(check::LONGEST)))),
        Err(says) => Err(bad(format!("--until: {text}: {says}"))),
    });
    let until = until.transpose()?.unwrap_or(check::LONGEST);
    let mut run = Run::new(&document).map_err(wrong)?;
    let mut transcript = run.tell();
    loop {
        let ended = run.step().map_err(|problem| wrong(Problems::from(problem)))?;
        let universe = run.session().universe();
        if ended || universe.time() > until {
            break;
        }
        write!(out, "{}", transcript.tell(universe))?;
    }
    let report = run.report();
    // This one is seen only at the end, when there is nothing more to tell.
    if let Some(violation) = report.violations.iter().find(|violation| violation.property == LINEARIZABILITY) {
        writeln!(out, "               ✗ {} is broken: {}", violation.property, violation.says)?;
    }
    Ok(if !report.violations.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
