//! `quorumscope fuzz`: random worlds full of troubles, on all processors.

use crate::progress::Progress;
use crate::table::{Table, seconds, thousands};
use crate::{Stop, bad, flags, shrink};
use clap::Args;
use quorumscope::lab::problem::Problem;
use quorumscope::lab::shrink::BUDGET;
use quorumscope::lab::swarm::{Failure, FuzzRequest, Report, Swarm};
use quorumscope::lab::{Quantity, Scenario, text};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

/// Largest seed: what every reader of JSON can hold exactly.
const LARGEST: u64 = (1 << 53) - 1;

/// What to fuzz.
#[derive(Args)]
pub struct Asked {
    /// The key of the variant (see `list`)
    #[arg(long, required_unless_present = "merge")]
    variant: Option<String>,
    /// The seeds: from the first, to before the second, such as 0..1000
    #[arg(long, value_name = "A..B", required_unless_present = "merge")]
    seeds: Option<String>,
    /// Take away a rule, by its key (see `list KEY`); several, separated by commas
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    without: Vec<String>,
    /// A setting that all seeds are to have, such as reads=lease; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[arg(long, value_name = "TROUBLE", value_delimiter = ',', help = only())]
    only: Vec<String>,
    /// Seeds may also do what the protocol does not promise to survive: disks that forget or are emptied, nodes that lie, clocks that leases
    /// do not allow for. What such runs break is counted apart, and is no failure
    #[arg(long)]
    beyond_model: bool,
    /// How many seeds to run at the same time; as many as there are processors unless said otherwise. The report does not depend on it
    #[arg(long)]
    jobs: Option<NonZero<u16>>,
    /// Stop at the first seed that breaks something; the report is about the seeds up to it
    #[arg(long)]
    stop: bool,
    /// Write the scenario of the seed that breaks something after the fewest events, made as small as possible, to this file; if nothing
    /// is broken, that of the first seed
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Save the scenario as it was drawn, and shrink nothing
    #[arg(long)]
    as_drawn: bool,
    /// Add up reports of disjoint seeds, made with --json, instead of running any
    #[arg(long, value_name = "REPORT", num_args = 1.., conflicts_with_all = ["variant", "seeds", "without", "set", "only", "beyond_model", "jobs", "stop", "save", "as_drawn"])]
    merge: Vec<PathBuf>,
}

fn only() -> String {
    let names: Vec<&str> = quorumscope::lab::swarm::fault_kinds().collect();
    format!("Draw from these sorts of trouble only, separated by commas: {}", names.join(", "))
}

/// Runs all seeds, or adds up what others ran, and tells what came of it.
pub fn fuzz(asked: &Asked, json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
    if !asked.merge.is_empty() {
        return told(&merge(&asked.merge)?, json, out);
    }
    let swarm = swarm(asked)?;
    let seeds = seeds(asked.seeds.as_deref().unwrap_or_default())?;
    let jobs =
        asked.jobs.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), |jobs| jobs.get().into());
    let report = on_all_processors(&swarm, seeds.clone(), jobs, asked.stop);
    let code = told(&report, json, out)?;
    // Shown to whoever looks, written for whoever asks; a report to be merged has nothing after it.
    // What broke early shrinks best.
    let failed = report.failures.iter().min_by_key(|failure| (failure.event, failure.seed));
    if asked.save.is_some() || failed.is_some() && !json && !asked.as_drawn {
        let drawn = swarm.run(failed.map_or(seeds.start, |failure| failure.seed)).scenario;
        let shrunk = match asked.as_drawn {
            true => None,
            false => shrink::shrunk(&drawn, failed.map(|failure| failure.property.as_str()), BUDGET).map_err(bad)?,
        };
        let scenario = shrunk.map_or(drawn, |shrunk| shrunk.scenario);
        match &asked.save {
            Some(file) => save(&scenario, file)?,
            None => write!(out, "\nOne of them, made as small as possible:\n\n{}", text::to_toml(&scenario))?,
        }
    }
    Ok(code)
}

fn told(report: &Report, json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
    if json {
        crate::json(report, out)?;
    } else {
        tell(report, out)?;
    }
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn swarm(asked: &Asked) -> Result<Swarm, Stop> {
    let request = FuzzRequest {
        variant: asked.variant.clone().unwrap_or_default(),
        without: asked.without.clone(),
        settings: flags::settings(&asked.set)?,
        only: asked.only.clone(),
        beyond_model: asked.beyond_model,
    };
    request.check().map_err(flags::named)
}

fn save(scenario: &Scenario, file: &Path) -> Result<(), Stop> {
    let unwritable = |error| bad(format!("--save: {}: cannot be written: {error}", file.display()));
    fs::write(file, text::to_toml(scenario)).map_err(unwritable)
}

fn seeds(text: &str) -> Result<Range<u64>, Stop> {
    let range = text.split_once("..").and_then(|(from, to)| Some(from.trim().parse().ok()?..to.trim().parse().ok()?));
    let good = |seeds: &Range<u64>| seeds.start < seeds.end && seeds.end <= LARGEST + 1;
    range.filter(good).ok_or_else(|| {
        bad(format!(
            "--seeds: {text}: two numbers up to {LARGEST}, the first less than the second, would do, such as 0..1000"
        ))
    })
}

/// Runs the seeds. Who runs which is left to chance; what comes of them is not.
fn on_all_processors(swarm: &Swarm, seeds: Range<u64>, jobs: usize, stop: bool) -> Report {
    let next = AtomicU64::new(seeds.start);
    let end = AtomicU64::new(seeds.end);
    let at_work: Arc<Vec<AtomicU64>> = Arc::new((0..jobs).map(|_| AtomicU64::new(0)).collect());
    tell_seeds_of_panics(swarm, Arc::clone(&at_work));
    let mut report = swarm.report();
    let mut progress = Progress::new("fuzzing");
    thread::scope(|scope| {
        let (sender, done) = mpsc::sync_channel(4 * jobs);
        for worker in 0..jobs {
            let (sender, next, end, at_work) = (sender.clone(), &next, &end, Arc::clone(&at_work));
            let work = move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end.load(Ordering::Relaxed) {
                        break;
                    }
                    at_work[worker].store(seed, Ordering::Relaxed);
                    let fuzz_run = swarm.run(seed);
                    if stop && fuzz_run.violation.is_some() {
                        end.fetch_min(seed + 1, Ordering::Relaxed);
                    }
                    if sender.send((seed, fuzz_run)).is_err() {
                        break;
                    }
                }
            };
            thread::Builder::new()
                .name(format!("worker {worker}"))
                .spawn_scoped(scope, work)
                .expect("a thread can be started");
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        for (seed, fuzz_run) in done {
            progress.set((seed - seeds.start) * 1_000 / (seeds.end - seeds.start));
            // Seeds after the first failing one do not count, although some of them have been run.
            if stop {
                waiting.insert(seed, fuzz_run);
            } else {
                report.add(seed, &fuzz_run);
            }
        }
        let end = end.load(Ordering::Relaxed);
        waiting.range(..end).for_each(|(seed, fuzz_run)| report.add(*seed, fuzz_run));
    });
    progress.done();
    report
}

/// A protocol that panics takes the whole program down; then at least it is told which seed did it.
fn tell_seeds_of_panics(swarm: &Swarm, at_work: Arc<Vec<AtomicU64>>) {
    let report = swarm.report();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        let worker = thread::current().name().and_then(|name| name.strip_prefix("worker ")?.parse::<usize>().ok());
        if let Some(seed) = worker.and_then(|worker| at_work.get(worker)) {
            eprintln!("again: {}", report.again(seed.load(Ordering::Relaxed)));
        }
    }));
}

fn merge(files: &[PathBuf]) -> Result<Report, Stop> {
    let mut merged: Option<Report> = None;
    for file in files {
        let name = file.display();
        let text = fs::read_to_string(file).map_err(|error| bad(format!("{name}: cannot be read: {error}")))?;
        let problem = |problem: Problem| bad(format!("{name}: {problem}"));
        let report: Report = quorumscope::lab::read(text::tree_from_json(&text).map_err(problem)?).map_err(problem)?;
        match &mut merged {
            None => merged = Some(report),
            Some(merged) => merged.merge(&report).map_err(problem)?,
        }
    }
    merged.ok_or_else(|| bad("--merge: name at least one report"))
}

fn tell(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let without =
        if report.without.is_empty() { String::new() } else { format!(" without {}", report.without.join(", ")) };
    let seeds: Vec<String> = report.seeds.iter().map(|(from, to)| format!("{from}..{to}")).collect();
    writeln!(out, "{}{without}: {} runs, seeds {}", report.variant, thousands(report.runs), seeds.join(", "))?;
    writeln!(
        out,
        "{} events, {} simulated, {} commands answered, {} reigns; fingerprint {}",
        thousands(report.events),
        seconds(report.time_us),
        thousands(report.answered),
        thousands(report.leadership_intervals),
        report.fingerprint
    )?;
    let undecided = match report.undecided {
        0 => String::new(),
        undecided => format!(", {} in histories too hard to judge", thousands(undecided)),
    };
    writeln!(out, "{} operations of clients judged to be linearizable{undecided}", thousands(report.judged))?;
    let mut table = Table::default();
    table.row(["Troubles", "struck"]);
    report.fault_kinds.iter().for_each(|(name, count)| table.row([name.clone(), thousands(*count)]));
    table.row(["Rules", "runs that reached it"]);
    report.rules.iter().for_each(|(name, count)| table.row([name.clone(), thousands(*count)]));
    writeln!(out)?;
    table.write(out)?;
    if let rules @ [_, ..] = report.unreached().as_slice() {
        writeln!(out, "\nNo run reached these rules: {}", rules.join(", "))?;
    }
    writeln!(out)?;
    if report.beyond_model {
        let beyond = thousands(report.beyond);
        writeln!(out, "{beyond} runs did what {} does not promise to survive.", report.variant)?;
        tell_broken("Broken by these", &report.excused, &report.examples, out)?;
    }
    match report.violations.is_empty() {
        true if report.beyond_model => writeln!(out, "Nothing was broken by the others."),
        true => writeln!(out, "Nothing was broken."),
        false => tell_broken("Broken", &report.violations, &report.failures, out),
    }
}

fn tell_broken(word: &str, broken: &BTreeMap<String, u64>, seeds: &[Failure], out: &mut impl Write) -> io::Result<()> {
    for (property, count) in broken {
        writeln!(out, "{word}: {property}, by {} runs", thousands(*count))?;
    }
    for Failure { seed, property, nodes, slot, at_us, again, .. } in seeds.iter().take(10) {
        let nodes: Vec<String> = nodes.iter().map(u32::to_string).collect();
        let by = if nodes.is_empty() { String::new() } else { format!(" by nodes {}", nodes.join(", ")) };
        let slot = slot.map(|slot| format!(", slot {slot}")).unwrap_or_default();
        let at = Quantity::from_micros(*at_us);
        writeln!(out, "seed {seed}: {property}{by}{slot}, at {at}\n  {again}")?;
    }
    Ok(())
}
