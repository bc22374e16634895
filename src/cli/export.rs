//! `quorumscope export`: a run in a format that other tools read.

use crate::transcript::time;
use crate::{Source, Stop, UNDECIDED, invalid, source};
use clap::builder::PossibleValue;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use quorumscope::lab::export::{FORMATS, MOST_BYTES, MOST_EVENTS, Options, Refusal, format, write};
use quorumscope::lab::problem::Problems;
use quorumscope::lab::run::MOST_EVENTS as LONGEST;
use quorumscope::lab::run::sequence::svg;
use quorumscope::lab::{Replay, Session};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Events between two looks at the end.
const SLICE: u64 = 10_000;

/// In which format, which part, and where to.
#[derive(Args)]
pub struct Form {
    #[arg(long, value_parser = PossibleValuesParser::new(formats()), help = help())]
    format: String,
    /// The moment up to which the run is exported, such as 2.5s; that of the link, or the scenario's end, unless said otherwise
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Where a diagram or a chart begins, such as 2s; as late as can be read unless said otherwise
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Whether pictures are light, dark, or as their reader has it
    #[arg(long, value_enum, default_value_t = Theme::Auto)]
    theme: Theme,
    /// Write into this file; to standard output unless said otherwise
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Colours of pictures.
#[derive(Clone, Copy, ValueEnum)]
enum Theme {
    /// As its reader has it
    Auto,
    Light,
    Dark,
}

fn formats() -> Vec<PossibleValue> {
    FORMATS.iter().map(|format| PossibleValue::new(format.key)).collect()
}

fn help() -> String {
    let width = FORMATS.iter().map(|format| format.key.len()).max().unwrap_or(0);
    let lines: Vec<String> =
        FORMATS.iter().map(|format| format!("\n  {:width$}  {}", format.key, format.says)).collect();
    format!("What to write:{}\n", lines.concat())
}

/// Writes the run.
pub fn export(source: &Source, form: &Form, memory: u64, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let Some(format) = format(&form.format) else { return Err(invalid(format!("--format: {}", form.format))) };
    let theme = match form.theme {
        Theme::Auto => svg::Theme::Auto,
        Theme::Light => svg::Theme::Light,
        Theme::Dark => svg::Theme::Dark,
    };
    if form.from.is_some() && !format.has_part {
        return Err(invalid(format!("--from: {} is about the whole run: leave --from out", format.key)));
    }
    let from = form.from.as_ref().map(|text| time("--from", text)).transpose()?;
    let until = form.until.as_ref().map(|text| time("--until", text)).transpose()?;
    let session = match session(source, until, memory)? {
        Ok(session) => session,
        Err(why) => return Ok(refused(&why)),
    };
    let inspector = &session.checked().variant.inspector;
    let text = match write(format, &session, inspector, &Options { theme, from }) {
        Ok(text) => text,
        Err(refusal @ Refusal::NoPart { .. }) => return Err(invalid(format!("--from: {refusal}"))),
        Err(refusal) => return Ok(refused(&refusal.to_string())),
    };
    match &form.output {
        Some(file) => crate::write_file(file, "--output", &text)?,
        None => write!(out, "{text}")?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What is too large is undecided.
fn refused(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(UNDECIDED)
}

/// The run at the moment to export; the error inside says why it does not come so far.
fn session(source: &Source, until: Option<u64>, memory: u64) -> Result<Result<Session, String>, Stop> {
    let document = source::document(source)?;
    let wrong = |problems| source::about(&source.scenario, problems);
    let mut replay = Replay::new(&document).map_err(wrong)?;
    replay.limit_memory(memory);
    while !replay.advance(SLICE).map_err(|problem| wrong(Problems::from(problem)))? {}
    let mut session = replay.into_session();
    let end = session.checked().duration;
    let until = until.or(document.moment.is_none().then_some(end));
    if let Some(until) = until.filter(|until| *until < session.universe().time()) {
        session.seek_time(until);
    }
    let until = until.unwrap_or(session.universe().time());
    // An export of more events would be refused.
    let too_long = |session: &Session| session.universe().events() > MOST_EVENTS.min(LONGEST);
    while session.stopped().is_none() && !too_long(&session) && session.run_until(until, SLICE) == SLICE {}
    Ok(match session.stopped() {
        Some(stopped) => Err(stopped.to_string()),
        None => Ok(session),
    })
}

/// The bounds of an export, for the help.
pub fn bounds() -> String {
    format!(
        "Bounds: {MOST_EVENTS} events, 262144 messages and {} MB a file; beyond them nothing is written. Exit codes: 0 written; 2 the input \
         makes no sense; 3 it is beyond the bounds, or the run is cut short; 4 the file cannot be written.",
        MOST_BYTES >> 20
    )
}
