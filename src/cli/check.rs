//! `quorumscope check`: exhaustive exploration of a small cluster.

use crate::checkpoint::Checkpoints;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::table::thousands;
use crate::{INTERRUPTED, Stop, UNDECIDED, flags};
use clap::Args;
use quorumscope::lab::Problems;
use quorumscope::lab::counterexample::reproduce;
use quorumscope::lab::explore::{BOUNDS, Bound, Exploration, ExploreRequest, GOALS};
use quorumscope::lab::text;
use quorumscope::universe::search::{Finding, FindingVerdict, Search, TraceLine};
use serde_json::Value;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// States between two updates of the progress bar.
const SLICE: u32 = 2_000;

/// Arguments of `check`.
#[derive(Args)]
pub struct Arguments {
    /// The key of the variant (see `list`)
    #[arg(long)]
    variant: String,
    /// Take away a rule, by its key (see `list KEY`); several, separated by commas
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    without: Vec<String>,
    /// Replicas
    #[arg(long, default_value_t = 3)]
    replicas: usize,
    /// A setting of the variant, such as q1=2; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', help = bounds())]
    bounds: Vec<String>,
    /// Look for violations of this property only, such as Agreement
    #[arg(long)]
    property: Option<String>,
    #[arg(long, value_name = "GOAL", value_delimiter = ',', help = goals())]
    via: Vec<String>,
    /// Write the exploration into this file every five minutes, and when it ends early (interrupted, or at the limit of states or memory); if the
    /// file is there already, go on from it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Write the run that violates a property into this file, as a scenario whose script lets one event happen after the other (see `run`)
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

fn bounds() -> String {
    let lines: Vec<String> = BOUNDS.iter().map(|(key, says)| format!("\n  {key}: {says}")).collect();
    format!("How far to look, separated by commas:{}", lines.concat())
}

fn goals() -> String {
    let lines: Vec<String> = GOALS.iter().map(|(key, says)| format!("\n  {key}: {says}")).collect();
    format!(
        "First reach these goals, one after the other, and search on from there; bounds hold for each stage anew:{}",
        lines.concat()
    )
}

/// Explores, and prints the finding.
pub fn check(arguments: &Arguments, memory: u64, json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let request = ExploreRequest {
        variant: arguments.variant.clone(),
        replicas: arguments.replicas,
        without: arguments.without.clone(),
        settings: flags::settings(&arguments.set)?,
        bounds: arguments.bounds.clone(),
        property: arguments.property.clone(),
        via: arguments.via.clone(),
    };
    let exploration = request.check().map_err(flags::named)?;
    let mut search = exploration.start().map_err(|problem| flags::named(Problems::from(problem)))?;
    let line = || search_line(&exploration, &request);
    let mut checkpoints =
        arguments.checkpoint.as_ref().map(|file| Checkpoints::begin(file, line(), &mut search)).transpose()?;
    let mut progress = Progress::new("exploring");
    let most = u64::from(exploration.query.bounds.states);
    let interrupt = Interrupt::listen();
    let mut early = None;
    while early.is_none() && !search.advance(SLICE) {
        progress.set(u64::from(search.states()) * 1_000 / most);
        early = match search.bytes() > memory / 8 * 7 {
            _ if interrupt.asked() => Some(Early::Interrupted),
            true => Some(Early::TooLarge(memory)),
            false => None,
        };
        checkpoints.as_mut().map_or(Ok(()), |checkpoints| checkpoints.tick(&search))?;
    }
    progress.done();
    checkpoints.as_mut().map_or(Ok(()), |checkpoints| checkpoints.write(&search))?;
    let finding = search.finding();
    let saved = match &arguments.save {
        Some(file) => Some(save(&exploration, &mut search, &finding, file)?),
        None => None,
    };
    if json {
        let mut value = serde_json::to_value(&finding).map_err(io::Error::from)?;
        value["variant"] = Value::from(exploration.variant.card.key);
        value["replicas"] = Value::from(arguments.replicas);
        value["settings"] = serde_json::to_value(&request.settings).map_err(io::Error::from)?;
        value["property"] = serde_json::to_value(&request.property).map_err(io::Error::from)?;
        value["via"] = Value::from(exploration.via.clone());
        value["without"] = Value::from(arguments.without.clone());
        if let Some(Err(why)) = &saved {
            value["not_saved"] = Value::from(why.clone());
        }
        if let Some(early) = &early {
            value["cut_short"] = Value::from(early.to_string());
        }
        value["bounds"] = exploration.bounds.iter().map(|bound| (bound.key, bound.value.clone())).collect();
        crate::json(&value, out)?;
    } else {
        print(&exploration, arguments, &finding, early.as_ref(), out)?;
        match (&saved, &arguments.save) {
            (Some(Ok(())), Some(file)) => {
                let file = file.display();
                writeln!(
                    out,
                    "As a scenario: quorumscope run {file}, quorumscope transcript {file}, or the link of quorumscope link {file}"
                )?;
            }
            (Some(Err(why)), _) => writeln!(out, "No scenario was written: {why}.")?,
            _ => {}
        }
    }
    if let Some(Early::Interrupted) = early {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    Ok(match finding.verdict {
        FindingVerdict::Safe => ExitCode::SUCCESS,
        FindingVerdict::Violated => ExitCode::FAILURE,
        FindingVerdict::Undecided => ExitCode::from(UNDECIDED),
    })
}

/// Writes the violation as a scenario; the error inside says why there is none.
fn save(
    exploration: &Exploration,
    search: &mut Search,
    finding: &Finding,
    file: &Path,
) -> Result<Result<(), String>, Stop> {
    let Some(violation) = &finding.violation else { return Ok(Err("nothing is violated".to_owned())) };
    Ok(match reproduce(exploration, &search.trace(), violation) {
        Ok(run) => {
            crate::write_file(file, "--save", &text::to_toml(&run.document.scenario))?;
            Ok(())
        }
        Err(why) => Err(why),
    })
}

/// All that makes a difference to what is explored, in one line: not how many states.
fn search_line(exploration: &Exploration, request: &ExploreRequest) -> String {
    let ExploreRequest { replicas, without, settings, property, .. } = request;
    let bounds = exploration.bounds.iter().filter(|bound| bound.key != "states");
    let bounds: Vec<String> = bounds.map(|Bound { key, value }| format!("{key}={value}")).collect();
    let lists = [("without", without), ("bounds", &bounds), ("via", &exploration.via)];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let lists: Vec<String> = lists.map(|(flag, list)| format!(" --{flag} {}", list.join(","))).collect();
    let settings: Vec<String> = settings.iter().map(|(key, value)| format!(" --set {key}={value}")).collect();
    let property = property.iter().map(|name| format!(" --property '{name}'")).collect::<String>();
    let key = exploration.variant.card.key;
    format!("--variant {key} --replicas {replicas}{}{}{property}", settings.concat(), lists.concat())
}

/// Why a search ended before its bounds did.
enum Early {
    Interrupted,
    /// It takes more than so many bytes.
    TooLarge(u64),
}

impl fmt::Display for Early {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Early::Interrupted => f.write_str("interrupted"),
            Early::TooLarge(bytes) => write!(f, "too large: {} MB of memory did not suffice", bytes / 1_000_000),
        }
    }
}

fn print(
    exploration: &Exploration,
    arguments: &Arguments,
    finding: &Finding,
    early: Option<&Early>,
    out: &mut impl Write,
) -> io::Result<()> {
    let without = match arguments.without.as_slice() {
        [] => String::new(),
        rules => format!(", without {}", rules.join(", ")),
    };
    let bounds: Vec<String> = exploration.bounds.iter().map(|Bound { key, value }| format!("{key}={value}")).collect();
    writeln!(out, "{}, {} replicas{without}", exploration.variant.card.title, arguments.replicas)?;
    writeln!(out, "Bounds: {}", bounds.join(", "))?;
    if !exploration.via.is_empty() {
        writeln!(out, "By way of: {}", exploration.via.join(", "))?;
    }
    let states = thousands(u64::from(finding.states));
    verdict(exploration, finding, early, &states, out)?;
    writeln!(out, "Properties:")?;
    for came_of in
        ["held", "violated", "undecided", "never exercised", "not applicable", "not promised", "not looked for"]
    {
        let of = finding.properties.iter().filter(|(_, other)| *other == came_of).map(|(name, _)| *name);
        if let names @ [_, ..] = of.collect::<Vec<_>>().as_slice() {
            writeln!(out, "  {came_of}: {}", names.join(", "))?;
        }
    }
    Ok(())
}

fn verdict(
    exploration: &Exploration,
    finding: &Finding,
    early: Option<&Early>,
    states: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    match (finding.verdict, &finding.violation) {
        (FindingVerdict::Violated, Some(wrong)) => {
            let nodes: Vec<String> = wrong.nodes.iter().map(u32::to_string).collect();
            let slot = wrong.slot.map(|slot| format!(", slot {slot}")).unwrap_or_default();
            let events = finding.depth;
            writeln!(out, "Violated: {} by nodes {}{slot}. {}", wrong.property, nodes.join(", "), wrong.says)?;
            let way = if exploration.via.is_empty() { "The shortest way there takes" } else { "This way there takes" };
            writeln!(out, "{states} states until then. {way} {events} events:\n")?;
            finding.trace.iter().zip(1..).try_for_each(|(told, number)| event(number, told, &exploration.via, out))
        }
        (FindingVerdict::Undecided, _) if early.is_none() && (finding.reached as usize) < exploration.via.len() => {
            let goal = &exploration.via[finding.reached as usize];
            writeln!(out, "Undecided: the goal {goal} was not reached in {states} states. Raise the bounds.")
        }
        (FindingVerdict::Safe, _) => {
            writeln!(out, "Safe: {states} states, all there are within the bounds, {} events deep.", finding.depth)?;
            match finding.cut.as_slice() {
                [] => writeln!(out, "No bound was reached: this is all that can ever happen."),
                cut => writeln!(out, "Bounds that were reached: {}.", cut.join(", ")),
            }
        }
        _ if let Some(early) = early => writeln!(
            out,
            "Undecided, {early}: nothing wrong in {states} states, {} events deep, and there are more.",
            finding.depth
        ),
        _ => writeln!(
            out,
            "Undecided: nothing wrong in {states} states, {} events deep, and there are more. Raise states, or lower other bounds.",
            finding.depth
        ),
    }
}

fn event(number: u32, told: &TraceLine, via: &[String], out: &mut impl Write) -> io::Result<()> {
    let rules = if told.rules.is_empty() { String::new() } else { format!("   [{}]", told.rules.join(", ")) };
    writeln!(out, "{number:>4}  {}{rules}", told.event)?;
    told.does.iter().try_for_each(|does| writeln!(out, "          {does}"))?;
    told.changes.iter().try_for_each(|change| writeln!(out, "        • {change}"))?;
    match told.goal.and_then(|goal| via.get(goal as usize - 1)) {
        Some(goal) => writeln!(out, "        ★ {goal}: reached"),
        None => Ok(()),
    }
}
