//! `quorumscope sequence`: a part of a run as a sequence chart.

use crate::transcript::time;
use crate::{Source, Stop, UNDECIDED, invalid, source};
use clap::{Args, ValueEnum};
use quorumscope::core::{NodeId, NodeSet};
use quorumscope::lab::REPLICAS;
use quorumscope::lab::problem::Problems;
use quorumscope::lab::run::Run;
use quorumscope::lab::run::sequence::{Filter, drawing, of_run, svg, terminal, text};
use std::io::Write;
use std::process::ExitCode;

/// What to draw, and how.
#[derive(Args)]
pub struct Part {
    /// The first moment, such as 1s
    #[arg(long, value_name = "TIME", default_value = "0s")]
    from: String,
    /// The last moment, such as 1.2s; at most 400 messages are drawn
    #[arg(long, value_name = "TIME")]
    until: String,
    /// These nodes only, separated by commas
    #[arg(long, value_name = "NODES", value_delimiter = ',')]
    nodes: Vec<String>,
    /// Leave heartbeats out
    #[arg(long)]
    no_heartbeats: bool,
    /// In characters, as an SVG picture, or in sentences
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Forms of a chart.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// In characters, for a terminal
    Text,
    /// A picture, light or dark as its reader has it
    Svg,
    /// A sentence for each step
    Sentences,
}

/// Draws a part of a run.
pub fn sequence(source: &Source, part: &Part, memory: u64, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let document = source::document(source)?;
    let wrong = |problems| source::about(&source.scenario, problems);
    let (from, until) = (time("--from", &part.from)?, time("--until", &part.until)?);
    let filter = Filter { nodes: nodes(&part.nodes)?, heartbeats: !part.no_heartbeats };
    let mut run = Run::new(&document).map_err(wrong)?;
    run.limit_memory(memory);
    let chart = of_run(&mut run, from, until, filter).map_err(|problem| match problem.field.as_str() {
        "from" | "until" | "nodes" => invalid(format!("--{problem}")),
        _ => wrong(Problems::from(problem)),
    })?;
    match part.format {
        Format::Text => terminal::lines(&chart).iter().try_for_each(|line| writeln!(out, "{line}"))?,
        Format::Sentences => text::sentences(&chart).iter().try_for_each(|line| writeln!(out, "{line}"))?,
        Format::Svg => write!(out, "{}", svg::document(&drawing::draw(&chart), svg::Theme::Auto))?,
    }
    Ok(if run.ending().is_cut_short() { ExitCode::from(UNDECIDED) } else { ExitCode::SUCCESS })
}

/// The nodes that the flag names, counted from 1; `None` if it is not given.
fn nodes(names: &[String]) -> Result<Option<NodeSet>, Stop> {
    let mut nodes = NodeSet::EMPTY;
    for name in names {
        match name.trim().parse::<u8>() {
            Ok(number) if (1..=REPLICAS).contains(&usize::from(number)) => {
                nodes.add(NodeId(number - 1));
            }
            _ => return Err(invalid(format!("--nodes: {name}: numbers from 1 to {REPLICAS} would do, such as 1,3"))),
        }
    }
    Ok((!names.is_empty()).then_some(nodes))
}
