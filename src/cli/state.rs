//! `quorumscope state`: a run at one moment, in words.

use crate::transcript::time;
use crate::{Source, Stop, UNDECIDED, source};
use quorumscope::lab::problem::Problems;
use quorumscope::lab::run::MOST_EVENTS;
use quorumscope::lab::run::description::{Part, WhyItLeads, description};
use quorumscope::lab::{Replay, Session};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// Events between two looks at the end.
const SLICE: u64 = 200_000;

/// Describes the run at `at`, at the moment of its link, or at its end.
pub fn state(
    source: &Source,
    at: Option<&str>,
    memory: u64,
    json: bool,
    out: &mut impl Write,
) -> Result<ExitCode, Stop> {
    let document = source::document(source)?;
    let wrong = |problems| source::about(&source.scenario, problems);
    let at = at.map(|text| time("--at", text)).transpose()?;
    let mut replay = Replay::new(&document).map_err(wrong)?;
    replay.limit_memory(memory);
    while !replay.advance(SLICE).map_err(|problem| wrong(Problems::from(problem)))? {}
    let mut session = replay.into_session();
    let end = session.checked().duration;
    let at = at.or(document.moment.is_none().then_some(end));
    if let Some(at) = at.filter(|at| *at < session.universe().time()) {
        session.seek_time(at);
    }
    let until = at.unwrap_or(session.universe().time());
    let there = |session: &Session| session.stopped().is_some() || session.universe().events() >= MOST_EVENTS;
    while !there(&session) && session.run_until(until, SLICE) == SLICE {}
    let described = description(&session, &session.checked().variant.inspector, &mut WhyItLeads::default());
    if json {
        let lines = |part: &Part| part.lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
        let part = |part: &Part| json!({ "title": part.title, "lines": lines(part) });
        let parts: Vec<Value> = described.parts.iter().map(part).collect();
        crate::json(&json!({ "time_us": session.universe().time(), "parts": parts }), out)?;
    } else {
        for (index, part) in described.parts.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{}", part.title)?;
            part.lines.iter().try_for_each(|line| writeln!(out, "  {}", line.text))?;
        }
    }
    Ok(if there(&session) { ExitCode::from(UNDECIDED) } else { ExitCode::SUCCESS })
}
