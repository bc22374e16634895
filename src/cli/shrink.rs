//! `quorumscope shrink`: the smallest scenario that still violates the same property.

use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::table::thousands;
use crate::{INTERRUPTED, Source, Stop, invalid, source};
use quorumscope::lab::shrink::{self, Shrunk};
use quorumscope::lab::{Quantity, Scenario, text};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Shrinks a scenario, and writes the result.
pub fn shrink(
    source: &Source,
    output: Option<&Path>,
    property: Option<&str>,
    budget: u64,
    out: &mut impl Write,
) -> Result<ExitCode, Stop> {
    let document = source::document(source)?;
    if !document.interventions.is_empty() || document.moment.is_some() {
        return Err(invalid("interventions: these cannot be shrunk; put them into the scenario's script"));
    }
    let wrong = |problems| source::about(&source.scenario, problems);
    let interrupt = Interrupt::listen();
    let shrunk = shrunk(&document.scenario, property, budget, &interrupt).map_err(wrong)?;
    let Some(shrunk) = shrunk else {
        let what = property.map_or("no property".to_owned(), |property| format!("not \"{property}\""));
        return Err(invalid(format!("{}: its run violates {what}, so there is nothing to shrink", source.scenario)));
    };
    write(&shrunk, output, out)?;
    Ok(if interrupt.asked() { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

/// Shrinks, with a progress bar.
pub fn shrunk(
    scenario: &Scenario,
    property: Option<&str>,
    budget: u64,
    interrupt: &Interrupt,
) -> Result<Option<Shrunk>, quorumscope::lab::Problems> {
    let mut progress = Progress::new("shrinking");
    let shrunk = shrink::shrink(scenario, property, budget, &mut |runs| {
        progress.set(runs * 1_000 / budget.max(1));
        !interrupt.asked()
    });
    progress.done();
    shrunk
}

/// Writes the shrunk scenario to a file and prints a summary, or prints the scenario.
pub fn write(shrunk: &Shrunk, output: Option<&Path>, out: &mut impl Write) -> Result<(), Stop> {
    let text = text::to_toml(&shrunk.scenario);
    let Some(file) = output else { return Ok(out.write_all(text.as_bytes())?) };
    crate::write_file(file, "--output", &text)?;
    let Shrunk { scenario, violation, runs, cut_short } = shrunk;
    let at = Quantity::from_micros(violation.at);
    let cut = if *cut_short { "; more of them might make it smaller" } else { "" };
    writeln!(
        out,
        "{}: {} replicas, {} groups of clients, {} faults; {} is violated at {at}. {} runs{cut}.",
        file.display(),
        scenario.replicas.len(),
        scenario.clients.len(),
        scenario.script.len(),
        violation.property,
        thousands(*runs),
    )?;
    writeln!(
        out,
        "See it: quorumscope run {0}, quorumscope transcript {0}, or the link of quorumscope link {0}",
        file.display()
    )?;
    Ok(())
}
