//! `quorumscope diff`: the first event in which two runs differ.

use crate::table::thousands;
use crate::{Source, Stop, source};
use clap::Args;
use quorumscope::lab::divergence::{Divergence, Side, first_difference};
use std::io::Write;
use std::process::ExitCode;

/// Arguments of `diff`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// The other scenario; the same one unless said otherwise
    #[arg(value_name = "OTHER")]
    other: Option<String>,
    /// Change a value in the other run only, such as network.jitter=1%; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    other_set: Vec<String>,
    /// Take all chance of the other run from this number
    #[arg(long, value_name = "SEED")]
    other_seed: Option<u64>,
    /// Events to show before and after
    #[arg(long, default_value_t = 5)]
    context: usize,
}

/// Runs both up to their first difference, and prints it.
pub fn diff(arguments: &Arguments, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let left = &arguments.source;
    let same = arguments.other.is_none();
    let right = Source {
        scenario: arguments.other.clone().unwrap_or_else(|| left.scenario.clone()),
        rtt: left.rtt.clone().filter(|_| same),
        set: left.set.iter().filter(|_| same).chain(&arguments.other_set).cloned().collect(),
        seed: arguments.other_seed.or(left.seed.filter(|_| same)),
    };
    let (one, other) = (source::document(left)?, source::document(&right)?);
    let found = first_difference(&one, &other, arguments.context).map_err(|error| match error.side {
        Side::Left => source::about(&left.scenario, error.problems),
        Side::Right => source::about(&right.scenario, error.problems),
    })?;
    let Some(Divergence { steps, common, left, right }) = found else {
        writeln!(out, "No difference: every event is the same in both.")?;
        return Ok(ExitCode::SUCCESS);
    };
    let events = if steps == 1 { "event" } else { "events" };
    writeln!(out, "The same for {} {events}, then different.\n", thousands(steps))?;
    common.iter().try_for_each(|step| write!(out, "{step}"))?;
    for (name, steps) in [("one", left), ("other", right)] {
        writeln!(out, "\n── the {name} ──")?;
        if steps.is_empty() {
            writeln!(out, "ends here")?;
        }
        steps.iter().try_for_each(|step| write!(out, "{step}"))?;
    }
    Ok(ExitCode::FAILURE)
}
