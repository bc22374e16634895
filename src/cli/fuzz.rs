//! `quorumscope fuzz`: random scenarios with fault injection, on all processors.

use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::table::{Table, seconds, thousands};
use crate::{INTERRUPTED, Stop, UNDECIDED, flags, invalid, parallel, shrink};
use clap::Args;
use quorumscope::lab::fuzz::{Failure, FuzzRequest, FuzzRun, Fuzzer, Report};
use quorumscope::lab::problem::Problem;
use quorumscope::lab::shrink::BUDGET;
use quorumscope::lab::{Quantity, Scenario, text};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::num::NonZero;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to fuzz.
#[derive(Args)]
pub struct Arguments {
    /// The key of the variant (see `list`)
    #[arg(long, required_unless_present = "merge")]
    variant: Option<String>,
    /// The seeds: from the first, to before the second, such as 0..1000
    #[arg(long, value_name = "A..B", required_unless_present = "merge")]
    seeds: Option<String>,
    /// Take away a rule, by its key (see `list KEY`); several, separated by commas
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    without: Vec<String>,
    /// A setting of all seeds, such as reads=lease; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[arg(long, value_name = "KIND", value_delimiter = ',', help = only())]
    only: Vec<String>,
    /// Also inject faults that the protocol does not promise to tolerate: disks that lose writes or are wiped, Byzantine nodes, clocks beyond
    /// what leases allow for. Violations in such runs are counted apart, and are no failures
    #[arg(long)]
    beyond_model: bool,
    /// How many seeds to run at the same time; as many as there are processors unless said otherwise. The report does not depend on it
    #[arg(long)]
    jobs: Option<NonZero<u16>>,
    /// Stop at the first failing seed; the report is about the seeds up to it
    #[arg(long)]
    stop: bool,
    /// Write the scenario of the failing seed with the fewest events, shrunk, to this file; if no seed fails, that of the first seed
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Save the scenario as generated, without shrinking it
    #[arg(long)]
    as_drawn: bool,
    /// Add up reports of disjoint seeds, made with --json, instead of running any
    #[arg(long, value_name = "REPORT", num_args = 1.., conflicts_with_all = ["variant", "seeds", "without", "set", "only", "beyond_model", "jobs", "stop", "save", "as_drawn"])]
    merge: Vec<PathBuf>,
}

fn only() -> String {
    let names: Vec<&str> = quorumscope::lab::fuzz::fault_kinds().collect();
    format!("Inject these kinds of faults only, separated by commas: {}", names.join(", "))
}

/// Runs all seeds, or merges reports, and prints the report.
pub fn fuzz(arguments: &Arguments, memory: u64, json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
    if !arguments.merge.is_empty() {
        return finish(&merge(&arguments.merge)?, json, out);
    }
    let mut fuzzer = fuzzer(arguments)?;
    let seeds = flags::seeds(arguments.seeds.as_deref().unwrap_or_default())?;
    let jobs = parallel::jobs(arguments.jobs);
    fuzzer.limit_memory(memory / jobs as u64);
    let interrupt = Interrupt::listen();
    let report = run_seeds(&fuzzer, seeds.clone(), jobs, arguments.stop, &interrupt);
    let code = finish(&report, json, out)?;
    if interrupt.asked() {
        eprintln!(
            "interrupted: this is about {} of {} seeds",
            thousands(report.runs),
            thousands(seeds.end - seeds.start)
        );
        return Ok(ExitCode::from(INTERRUPTED));
    }
    // A JSON report, which is for merging, has nothing after it. The failure after the fewest events shrinks best.
    let failed = report.failures.iter().min_by_key(|failure| (failure.event, failure.seed));
    if arguments.save.is_some() || failed.is_some() && !json && !arguments.as_drawn {
        // Shrinking can take minutes, and the report is there.
        out.flush()?;
        let drawn = fuzzer.run(failed.map_or(seeds.start, |failure| failure.seed)).scenario;
        let shrunk = match arguments.as_drawn {
            true => None,
            false => {
                let property = failed.map(|failure| failure.property.as_str());
                shrink::shrunk(&drawn, property, BUDGET, &interrupt).map_err(invalid)?
            }
        };
        let scenario = shrunk.map_or(drawn, |shrunk| shrunk.scenario);
        match &arguments.save {
            Some(file) => save(&scenario, file)?,
            None => write!(out, "\nOne of them, shrunk:\n\n{}", text::to_toml(&scenario))?,
        }
    }
    // While it shrank: that ended early.
    Ok(if interrupt.asked() { ExitCode::from(INTERRUPTED) } else { code })
}

fn finish(report: &Report, json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
    if json {
        crate::json(report, out)?;
    } else {
        print(report, out)?;
    }
    Ok(match (report.is_good(), report.too_large) {
        (true, 0) => ExitCode::SUCCESS,
        (true, _) => ExitCode::from(UNDECIDED),
        (false, _) => ExitCode::FAILURE,
    })
}

fn fuzzer(arguments: &Arguments) -> Result<Fuzzer, Stop> {
    let request = FuzzRequest {
        variant: arguments.variant.clone().unwrap_or_default(),
        without: arguments.without.clone(),
        settings: flags::settings(&arguments.set)?,
        only: arguments.only.clone(),
        beyond_model: arguments.beyond_model,
    };
    request.check().map_err(flags::named)
}

fn save(scenario: &Scenario, file: &Path) -> Result<(), Stop> {
    crate::write_file(file, "--save", &text::to_toml(scenario))
}

/// Runs the seeds on `jobs` threads; with `stop`, up to the first failing seed, and up to an interrupt in any case. The report does not depend on the number of threads.
fn run_seeds(fuzzer: &Fuzzer, seeds: Range<u64>, jobs: usize, stop: bool, interrupt: &Interrupt) -> Report {
    let mut report = fuzzer.report();
    let again = fuzzer.report();
    let mut progress = Progress::new("fuzzing");
    let add = |seed, fuzz_run: FuzzRun| {
        progress.set((seed - seeds.start) * 1_000 / (seeds.end - seeds.start));
        report.add(seed, &fuzz_run);
        if stop && fuzz_run.violation.is_some() || interrupt.asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let _ = parallel::in_order(seeds.clone(), jobs, move |seed| again.again(seed), |seed| fuzzer.run(seed), add);
    progress.done();
    report
}

fn merge(files: &[PathBuf]) -> Result<Report, Stop> {
    let mut merged: Option<Report> = None;
    for file in files {
        let name = file.display();
        let text = fs::read_to_string(file).map_err(|error| invalid(format!("{name}: cannot be read: {error}")))?;
        let problem = |problem: Problem| invalid(format!("{name}: {problem}"));
        let report: Report = quorumscope::lab::read(text::tree_from_json(&text).map_err(problem)?).map_err(problem)?;
        match &mut merged {
            None => merged = Some(report),
            Some(merged) => merged.merge(&report).map_err(problem)?,
        }
    }
    merged.ok_or_else(|| invalid("--merge: name at least one report"))
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let without =
        if report.without.is_empty() { String::new() } else { format!(" without {}", report.without.join(", ")) };
    let seeds: Vec<String> = report.seeds.iter().map(|(from, to)| format!("{from}..{to}")).collect();
    writeln!(out, "{}{without}: {} runs, seeds {}", report.variant, thousands(report.runs), seeds.join(", "))?;
    writeln!(
        out,
        "{} events, {} simulated, {} commands answered, {} leadership intervals; fingerprint {}",
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
    table.row(["Faults", "injected"]);
    report.fault_kinds.iter().for_each(|(name, count)| table.row([name.clone(), thousands(*count)]));
    table.row(["Rules", "runs that reached it"]);
    report.rules.iter().for_each(|(name, count)| table.row([name.clone(), thousands(*count)]));
    table.row(["Properties", "runs that exercised it"]);
    report.exercised.iter().for_each(|(name, count)| table.row([name.clone(), thousands(*count)]));
    writeln!(out)?;
    table.write(out)?;
    if let properties @ [_, ..] = report.unexercised().as_slice() {
        writeln!(out, "\nNever exercised: {}", properties.join(", "))?;
    }
    for (property, runs) in &report.not_promised {
        writeln!(out, "\nNot promised, and not kept in {} runs: {property}", thousands(*runs))?;
    }
    if report.too_large > 0 {
        writeln!(out, "\nToo large, and not judged to their end: {} runs (--memory)", thousands(report.too_large))?;
    }
    if let rules @ [_, ..] = report.unreached().as_slice() {
        writeln!(out, "\nNo run reached these rules: {}", rules.join(", "))?;
    }
    writeln!(out)?;
    if report.beyond_model {
        let beyond = thousands(report.beyond);
        writeln!(out, "{beyond} runs had faults that {} does not promise to tolerate.", report.variant)?;
        print_violations("Violated by these", &report.excused, &report.examples, out)?;
    }
    match report.violations.is_empty() {
        true if report.beyond_model => writeln!(out, "The others violated nothing."),
        true => writeln!(out, "Nothing was violated."),
        false => print_violations("Violated", &report.violations, &report.failures, out),
    }
}

fn print_violations(
    word: &str,
    broken: &BTreeMap<String, u64>,
    seeds: &[Failure],
    out: &mut impl Write,
) -> io::Result<()> {
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
