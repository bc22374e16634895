//! Exports of a run: what happened up to a moment, in formats that other tools read.
//!
//! * [`FORMATS`]: the formats; the command's help, the page's menu and `docs/exports.md` are made from this table.
//! * [`write`]: a session's run up to its present moment, in one of them. [`Export`] does it in slices, so that a page stays responsive.
//! * [`recording`]: follows a branch in a copy of the simulation and writes down what all formats but the stage are made of.
//!
//! One file a format. What an export may take is bounded ([`MOST_EVENTS`], [`MOST_BYTES`] and the messages that a record has room for); beyond
//! that it is refused, never cut.

pub mod chrome_trace;
pub mod csv;
pub mod itf;
pub mod jsonl;
mod recording;
mod sequence;
pub mod shiviz;
mod space_time;
mod stage;

use super::Session;
use super::quantity::Quantity;
use super::run::sequence::svg::Theme;
use crate::core::Micros;
use crate::universe::inspect::Inspector;
use recording::{Recording, Wants};
use std::fmt;

/// Most events of a run that is exported.
pub const MOST_EVENTS: u64 = 200_000;
/// Most bytes of an export.
pub const MOST_BYTES: usize = 64 << 20;

/// A format.
#[derive(Debug)]
pub struct Format {
    /// Its key: `chrome-trace`.
    pub key: &'static str,
    /// Ending of a file of this format, without the dot.
    pub ending: &'static str,
    /// Media type.
    pub media: &'static str,
    /// What it is, in a plain sentence without its full stop.
    pub says: &'static str,
    /// Whether it is a picture, which can be light or dark.
    pub is_picture: bool,
    /// Whether it shows a part of the run, which can begin at another time than the start.
    pub has_part: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    JsonLines,
    CsvRequests,
    CsvMessages,
    ChromeTrace,
    ShiViz,
    Itf,
    Stage,
    SpaceTime,
    Sequence,
}

const fn data(key: &'static str, ending: &'static str, media: &'static str, says: &'static str, kind: Kind) -> Format {
    Format { key, ending, media, says, is_picture: false, has_part: false, kind }
}

const fn picture(key: &'static str, says: &'static str, has_part: bool, kind: Kind) -> Format {
    Format { key, ending: "svg", media: "image/svg+xml", says, is_picture: true, has_part, kind }
}

/// All formats, in the order in which they are offered.
pub static FORMATS: &[Format] = &[
    data(
        "jsonl",
        "jsonl",
        "application/x-ndjson",
        "Every event as a line of JSON: message with its fields, reasons, state of the node after it",
        Kind::JsonLines,
    ),
    data(
        "csv-requests",
        "csv",
        "text/csv",
        "A table of the clients' requests: submitted, answered, latency, site, outcome",
        Kind::CsvRequests,
    ),
    data(
        "csv-messages",
        "csv",
        "text/csv",
        "A table of the messages by kind: sent, delivered, lost, bytes, time on the way",
        Kind::CsvMessages,
    ),
    data(
        "chrome-trace",
        "trace.json",
        "application/json",
        "A trace for Perfetto or chrome://tracing: a process a data centre, a thread a node, arrows for messages",
        Kind::ChromeTrace,
    ),
    data(
        "shiviz",
        "shiviz.log",
        "text/plain",
        "A log with vector clocks for ShiViz; branches of the run are executions to compare",
        Kind::ShiViz,
    ),
    data(
        "itf",
        "itf.json",
        "application/json",
        "The states of the run in the Informal Trace Format, for Apalache, Quint and other tools around TLA+",
        Kind::Itf,
    ),
    picture(
        "svg-stage",
        "A picture of the stage at the moment: nodes, roles, messages on their way",
        false,
        Kind::Stage,
    ),
    picture(
        "svg-diagram",
        "A picture of the space-time diagram: a line a node, time to the right, arrows for messages",
        true,
        Kind::SpaceTime,
    ),
    picture(
        "svg-sequence",
        "A picture of the sequence chart: what each node did and said, step by step, time downwards",
        true,
        Kind::Sequence,
    ),
];

/// The format with this key.
pub fn format(key: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.key == key)
}

/// What there is to choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Colours of pictures.
    pub theme: Theme,
    /// Where the part that is shown begins, µs. `None`: as late as a picture that can be read needs it.
    pub from: Option<Micros>,
}

/// Why there is no export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is more than an export may hold: so many of what, by this time, µs.
    TooMuch {
        /// What the bound is, in words: `200000 events`.
        bound: String,
        /// How far it came, µs.
        at: Micros,
    },
    /// The part begins at a time that is not before its end, µs.
    NoPart {
        /// The begin asked for.
        from: Micros,
        /// The moment exported.
        until: Micros,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |micros: Micros| Quantity::from_micros(micros).to_string();
        match self {
            Refusal::TooMuch { bound, at } => {
                write!(
                    f,
                    "too large: {bound} are the most, and there were more by {}: a shorter part would do",
                    time(*at)
                )
            }
            Refusal::NoPart { from, until } => {
                write!(f, "{}: a time before the end, which is {}, would do", time(*from), time(*until))
            }
        }
    }
}

impl std::error::Error for Refusal {}

/// Writes the run of a session up to its present moment.
pub fn write(format: &Format, session: &Session, inspector: &Inspector, options: &Options) -> Result<String, Refusal> {
    let mut export = Export::new(format, session, inspector, options)?;
    while !export.advance(session, MOST_EVENTS)? {}
    export.finish(session)
}

/// An export in the making.
#[derive(Debug)]
pub struct Export {
    kind: Kind,
    inspector: Inspector,
    options: Options,
    until: Micros,
    /// Those of the branches that are done, and the one that is being followed.
    recordings: Vec<Recording>,
    /// Numbers of the branches to come.
    branches: Vec<usize>,
    chart: Option<sequence::Watcher>,
}

impl Export {
    /// Starts one. The session must stay where it is until it is finished.
    pub fn new(
        format: &Format,
        session: &Session,
        inspector: &Inspector,
        options: &Options,
    ) -> Result<Export, Refusal> {
        let kind = format.kind;
        let until = session.universe().time();
        if let Some(from) = options.from.filter(|from| format.has_part && *from >= until) {
            return Err(Refusal::NoPart { from, until });
        }
        // Without following them all.
        if session.universe().events() > MOST_EVENTS && kind != Kind::Stage {
            return Err(Refusal::TooMuch { bound: format!("{MOST_EVENTS} events"), at: until });
        }
        let mut export = Export {
            kind,
            inspector: *inspector,
            options: *options,
            until,
            recordings: Vec::new(),
            branches: Vec::new(),
            chart: None,
        };
        match kind {
            // What the stage shows is there.
            Kind::Stage => {}
            Kind::ShiViz => {
                let others = session.branches().into_iter().map(|branch| branch.number);
                export.branches = others.filter(|number| *number != session.branch().number).collect();
                export.recordings.push(Recording::new(session, session.branch().number, export.wants(), inspector));
            }
            _ => export.recordings.push(Recording::new(session, session.branch().number, export.wants(), inspector)),
        }
        Ok(export)
    }

    fn wants(&self) -> Wants {
        Wants {
            contents: matches!(self.kind, Kind::JsonLines | Kind::Itf),
            reasons: self.kind == Kind::JsonLines,
            logs: self.kind == Kind::Itf,
        }
    }

    /// Goes on for about `events` events. True: it can be finished.
    pub fn advance(&mut self, session: &Session, events: u64) -> Result<bool, Refusal> {
        if let Some(chart) = &mut self.chart {
            return chart.advance(session, events);
        }
        let Some(recording) = self.recordings.last_mut() else { return Ok(true) };
        if !recording.advance(session, &self.inspector, events)? {
            return Ok(false);
        }
        if let Some(next) = self.branches.pop() {
            self.recordings.push(Recording::new(session, next, self.wants(), &self.inspector));
            return Ok(false);
        }
        if self.kind == Kind::Sequence {
            let from =
                self.options.from.unwrap_or_else(|| space_time::usual_part(&self.recordings[0], sequence::USUAL).0);
            self.chart = Some(sequence::Watcher::new(session, &self.inspector, from));
            return Ok(false);
        }
        Ok(true)
    }

    /// Writes it.
    pub fn finish(self, session: &Session) -> Result<String, Refusal> {
        let theme = self.options.theme;
        let mut recordings = self.recordings;
        recordings.sort_by_key(|recording| recording.branch);
        let text = match (self.kind, recordings.first()) {
            (Kind::Stage, _) => stage::svg(session, theme),
            (_, None) => String::new(),
            (Kind::JsonLines, Some(run)) => jsonl::write(run, session, &self.inspector)?,
            (Kind::CsvRequests, Some(run)) => csv::requests(run, session),
            (Kind::CsvMessages, Some(run)) => csv::messages(run, session),
            (Kind::ChromeTrace, Some(run)) => chrome_trace::write(run, session)?,
            (Kind::ShiViz, Some(_)) => shiviz::write(&recordings, session)?,
            (Kind::Itf, Some(run)) => itf::write(run, session)?,
            (Kind::SpaceTime, Some(run)) => space_time::svg(run, session, self.options)?,
            (Kind::Sequence, Some(_)) => match self.chart {
                Some(chart) => chart.svg(theme),
                None => String::new(),
            },
        };
        room_for(&text, self.until)?;
        Ok(text)
    }
}

/// Whether so much text is within [`MOST_BYTES`]; formats ask as they grow.
fn room_for(text: &str, at: Micros) -> Result<(), Refusal> {
    match text.len() <= MOST_BYTES {
        true => Ok(()),
        false => Err(Refusal::TooMuch { bound: format!("{} MB", MOST_BYTES >> 20), at }),
    }
}
