//! `quorumscope transcript`: a run, event by event.

use crate::run::exit_code;
use crate::{Source, Stop, invalid, source};
use quorumscope::core::Micros;
use quorumscope::lab::Quantity;
use quorumscope::lab::consistency::LINEARIZABILITY;
use quorumscope::lab::document::read::LONGEST;
use quorumscope::lab::problem::Problems;
use quorumscope::lab::run::Run;
use quorumscope::lab::run::event_log::EventLog;
use std::io::{self, Write};
use std::process::ExitCode;

/// The time that a flag gives, µs since the start.
pub fn time(flag: &str, text: &str) -> Result<Micros, Stop> {
    match Quantity::from(text).micros() {
        Ok(time) if time <= LONGEST => Ok(time),
        Ok(_) => Err(invalid(format!("{flag}: {text}: at most {} would do", Quantity::from_micros(LONGEST)))),
        Err(says) => Err(invalid(format!("{flag}: {text}: {says}"))),
    }
}

/// Prints the run until `until`, or to its end.
pub fn transcript(
    source: &Source,
    until: Option<&str>,
    memory: u64,
    json: bool,
    out: &mut impl Write,
) -> Result<ExitCode, Stop> {
    let document = source::document(source)?;
    let wrong = |problems| source::about(&source.scenario, problems);
    let until = until.map(|text| time("--until", text)).transpose()?.unwrap_or(LONGEST);
    if json {
        let mut log = EventLog::new(&document, until).map_err(wrong)?;
        log.limit_memory(memory);
        while let Some(line) = log.line().map_err(|problem| wrong(Problems::from(problem)))? {
            serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        return Ok(exit_code(&log.run().report()));
    }
    let mut run = Run::new(&document).map_err(wrong)?;
    run.limit_memory(memory);
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
    if !report.cut_short.is_empty() {
        writeln!(out, "               The run was cut short, {}.", report.cut_short)?;
    }
    // Linearizability is judged at the end, after the last event.
    if let Some(violation) = report.violations.iter().find(|violation| violation.property == LINEARIZABILITY) {
        writeln!(out, "               ✗ {} is broken: {}", violation.property, violation.says)?;
    }
    Ok(exit_code(&report))
}
