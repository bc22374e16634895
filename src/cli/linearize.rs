//! `quorumscope linearize`: linearizability of an operation history, with a minimal witness if it is not.

use crate::table::thousands;
use crate::{Stop, UNDECIDED, invalid};
use quorumscope::judge::linearizability::{
    Counterexample, CounterexampleOperation, History, Judgement, Limit, Limits, Model, Verdict, counterexample, judge,
};
use quorumscope::lab::Problem;
use quorumscope::lab::history::{LONGEST, Reader};
use serde::Serialize;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;

/// The models' names.
pub fn models() -> [&'static str; Model::ALL.len()] {
    Model::ALL.map(Model::key)
}

/// Steps of searching unless told otherwise.
pub const BUDGET: u64 = Limits::DEFAULT.steps;

/// Reads and judges a history.
pub fn linearize(name: &str, model: &str, budget: u64, json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let unknown = || invalid(format!("--model: {model}: one of {} would do", models().join(", ")));
    let model = Model::ALL.into_iter().find(|known| known.key() == model).ok_or_else(unknown)?;
    let history = match name {
        "-" => read(io::stdin().lock(), "standard input", model)?,
        _ => {
            let unreadable = |error: io::Error| match error.kind() {
                io::ErrorKind::NotFound => invalid(format!("there is no file \"{name}\"")),
                _ => invalid(format!("{name}: cannot be read: {error}")),
            };
            read(BufReader::new(File::open(name).map_err(unreadable)?), name, model)?
        }
    };
    let judgement = judge(&history, model, Limits { steps: budget, ..Limits::default() });
    let report = Report::new(&history, model, &judgement);
    if json {
        crate::json(&report, out)?;
    } else {
        report.print(out)?;
    }
    Ok(match judgement.verdict {
        Verdict::Linearizable => ExitCode::SUCCESS,
        Verdict::Violated(_) => ExitCode::FAILURE,
        Verdict::Undecided { .. } => ExitCode::from(UNDECIDED),
    })
}

fn read(mut source: impl BufRead, name: &str, model: Model) -> Result<History, Stop> {
    let wrong = |problem: Problem| invalid(format!("{name}: {problem}"));
    let mut reader = Reader::new(model);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = source.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut line);
        if read.map_err(|error| invalid(format!("{name}: cannot be read: {error}")))? == 0 {
            break;
        }
        if line.len() > LONGEST {
            return Err(invalid(format!("{name}: line {number}: is longer than {LONGEST} bytes")));
        }
        let text =
            std::str::from_utf8(&line).map_err(|_| invalid(format!("{name}: line {number}: is not text in UTF-8")))?;
        reader.line(text).map_err(wrong)?;
    }
    reader.finish().map_err(wrong)
}

/// The report of a judgement.
#[derive(Serialize)]
struct Report {
    verdict: &'static str,
    model: &'static str,
    operations: usize,
    keys: usize,
    /// Keys judged without searching, because no value was written to them or put into them twice.
    keys_by_zones: usize,
    steps: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<WindowReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undecided: Option<UndecidedReport>,
}

#[derive(Serialize)]
struct WindowReport {
    key: Value,
    /// The first state matters; otherwise there is no order whatever was there before.
    from_start: bool,
    /// Surely none of the operations can be left out.
    minimal: bool,
    operations: Vec<OperationReport>,
    picture: String,
}

#[derive(Serialize)]
struct OperationReport {
    process: Value,
    f: &'static str,
    value: Value,
    /// Lines of the history.
    invoked_line: u32,
    answered_line: Option<u32>,
    invoked: u64,
    answered: Option<u64>,
    /// `false`: there is no order even if it is unknown whether this took effect.
    needed: bool,
}

#[derive(Serialize)]
struct UndecidedReport {
    keys: Vec<Value>,
    why: &'static str,
}

/// A name of the history, which is JSON.
fn named(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

impl Report {
    fn new(history: &History, model: Model, judgement: &Judgement) -> Report {
        let (verdict, window, undecided) = match &judgement.verdict {
            Verdict::Linearizable => ("linearizable", None, None),
            Verdict::Violated(counterexample) => {
                ("not linearizable", Some(WindowReport::new(history, model, counterexample)), None)
            }
            Verdict::Undecided { keys, why } => {
                let keys = keys.iter().map(|key| named(history.keys.text(*key))).collect();
                let why = match why {
                    Limit::Steps => "the budget of steps is used up",
                    Limit::Bytes => "there is not enough memory",
                };
                ("undecided", None, Some(UndecidedReport { keys, why }))
            }
        };
        Report {
            verdict,
            model: model.key(),
            operations: history.operations.len(),
            keys: judgement.keys,
            keys_by_zones: judgement.without_search,
            steps: judgement.steps,
            window,
            undecided,
        }
    }

    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let count = |number: usize, one: &str| {
            format!("{} {one}{}", thousands(number as u64), if number == 1 { "" } else { "s" })
        };
        writeln!(
            out,
            "{}: {} on {}, as {}; {} steps of searching",
            self.verdict,
            count(self.operations, "operation"),
            count(self.keys, "key"),
            self.model,
            thousands(self.steps)
        )?;
        if let Some(UndecidedReport { keys, why }) = &self.undecided {
            let some: Vec<String> = keys.iter().take(5).map(Value::to_string).collect();
            let more = if keys.len() > 5 { ", …" } else { "" };
            writeln!(out, "Not decided: {} ({}{more}), because {why}.", count(keys.len(), "key"), some.join(", "))?;
        }
        let Some(window) = &self.window else { return Ok(()) };
        let key = if window.key.is_null() { String::new() } else { format!(" on key {}", window.key) };
        let before = if window.from_start { "from the start" } else { "whatever was there before" };
        writeln!(out, "\nNo order of these operations{key} explains their answers, {before}:\n")?;
        writeln!(out, "{}", window.picture)?;
        for operation in &window.operations {
            let OperationReport { process, f, value, invoked_line, answered_line, invoked, answered, needed } =
                operation;
            let value = if value.is_null() && *f != "read" { String::new() } else { format!(" {value}") };
            let answer = match (answered_line, answered) {
                (Some(line), Some(time)) => format!("answered at {time} (line {line})"),
                _ => "nobody knows whether it was done".to_owned(),
            };
            let matters = if *needed || answered.is_none() { "" } else { "; that does not even matter" };
            writeln!(
                out,
                "process {process}: {f}{value}, asked at {invoked} (line {invoked_line}), {answer}{matters}"
            )?;
        }
        if !window.minimal {
            writeln!(out, "It is not sure that all of them are needed.")?;
        }
        Ok(())
    }
}

impl WindowReport {
    fn new(history: &History, model: Model, counterexample: &Counterexample) -> WindowReport {
        let operations =
            counterexample.operations.iter().map(|CounterexampleOperation { operation, needed }| OperationReport {
                process: named(history.processes.text(operation.process)),
                f: model.function(operation.call),
                value: model.value(operation.call, &history.values).map_or(Value::Null, |value| named(&value)),
                invoked_line: operation.invocation.position,
                answered_line: operation.response.map(|moment| moment.position),
                invoked: operation.invocation.time,
                answered: operation.response.map(|moment| moment.time),
                needed: *needed,
            });
        WindowReport {
            key: named(history.keys.text(counterexample.key)),
            from_start: counterexample.from_start,
            minimal: counterexample.minimal,
            operations: operations.collect(),
            picture: counterexample::diagram(history, model, counterexample),
        }
    }
}
