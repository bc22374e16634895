//! Sequence charts, made from runs: lanes for clients and nodes, messages between them, and what a node did when it handled them.
//!
//! * [`chart`]: the chart as data.
//! * [`recorder`]: makes a chart of what happens while it watches a run.
//! * [`steady`]: the chart of one command in the steady, failure-free case, of any variant.
//! * [`cells`]: a chart's rows and cells, from which it is drawn and told.
//! * [`drawing`]: a chart as shapes; [`svg`] and the page draw these.
//! * [`text`]: a chart in sentences; [`terminal`]: in characters.

pub mod cells;
pub mod chart;
pub mod drawing;
pub mod recorder;
pub mod steady;
#[cfg(feature = "link")]
pub mod svg;
#[cfg(feature = "cli")]
pub mod terminal;
pub mod text;

pub use chart::Chart;
pub use recorder::{Filter, Recorder, TooLarge};

#[cfg(feature = "cli")]
use super::Run;
#[cfg(feature = "cli")]
use crate::core::Micros;
#[cfg(feature = "cli")]
use crate::lab::{Problem, Quantity};

/// Charts what happens in a run from `from` to `until`, µs since the start. The run must not have begun. If it is cut short, so is the chart. Errors
/// name what has to change: `from`, `until` or `nodes`.
#[cfg(feature = "cli")]
pub fn of_run(run: &mut Run, from: Micros, until: Micros, filter: Filter) -> Result<Chart, Problem> {
    let time = |micros: Micros| Quantity::from_micros(micros).to_string();
    let problem =
        |field: &str, value: Micros, says: String| Problem { field: field.to_owned(), value: time(value), says };
    let end = run.end();
    if from >= until {
        return Err(problem("until", until, format!("a time after --from, which is {}, would do", time(from))));
    }
    if from >= end {
        return Err(problem("from", from, format!("the run ends at {}: an earlier time would do", time(end))));
    }
    if until > end {
        return Err(problem(
            "until",
            until,
            format!("the run ends at {}: that or an earlier time would do", time(end)),
        ));
    }
    if let Some(filter) = filter.nodes
        && let Some(node) = filter.iter().find(|node| node.0 >= run.session().universe().nodes())
    {
        let says = format!("there are nodes 1 to {}", run.session().universe().nodes());
        return Err(Problem { field: "nodes".to_owned(), value: format!("{node:?}"), says });
    }
    // What is due at `from` itself belongs to the chart.
    if let Some(before) = from.checked_sub(1) {
        while run.step_until(before)? {}
    }
    let mut recorder = run.sequence(filter);
    while run.step_until(until)? {
        recorder.observe(run.session().universe()).map_err(|error| problem("until", until, error.to_string()))?;
    }
    // A run that was cut short is drawn as far as it came.
    let until = if run.ending().is_cut_short() { run.session().universe().time() } else { until };
    Ok(recorder.finish(run.session().universe(), from, until))
}
