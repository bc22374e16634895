//! `quorumscope run --seeds A..B`: one run for each seed, one line for each run.

use crate::progress::Progress;
use crate::table::{ms, thousands};
use crate::{Source, Stop, UNDECIDED, flags, parallel, source};
use quorumscope::lab::run::report::LatencySummary;
use quorumscope::lab::run::seeds::{SeedReport, Seeds};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::process::ExitCode;

/// Widths of the columns after the first; a table that is printed while it grows cannot measure them.
const WIDTHS: [usize; 9] = [10, 10, 10, 10, 10, 10, 9, 8, 18];

/// Runs all seeds. Each is printed as soon as those before it are; only the counts below the table are kept.
pub fn run(
    source: &Source,
    seeds: &str,
    jobs: Option<NonZero<u16>>,
    memory: u64,
    json: bool,
    out: &mut impl Write,
) -> Result<ExitCode, Stop> {
    let range = flags::seeds(seeds)?;
    let wrong = |problems| source::about(&source.scenario, problems);
    let mut runs = Seeds::new(&source::document(source)?).map_err(wrong)?;
    let jobs = parallel::jobs(jobs);
    runs.limit_memory(memory / jobs as u64);
    if !json {
        line(
            "seed",
            ["answered", "waiting", "mean ms", "p50 ms", "p99 ms", "max ms", "leaders", "outages", "violations"],
            out,
        )?;
    }
    let mut progress = Progress::new("running");
    let mut command = format!("quorumscope run '{}'", source.scenario);
    command.extend(source.rtt.iter().map(|file| format!(" --rtt '{}'", file.display())));
    command.extend(source.set.iter().map(|assignment| format!(" --set '{assignment}'")));
    let again = move |seed| format!("{command} --seed {seed}");
    let (mut failed, mut refused) = (0, 0);
    let mut cut_short: BTreeMap<&str, u64> = BTreeMap::new();
    let print = |seed, report: Result<SeedReport, _>| {
        progress.set((seed - range.start) * 1_000 / (range.end - range.start));
        let printed = report.map_err(wrong).and_then(|report| {
            failed += u64::from(!report.violations.is_empty());
            refused += u64::from(report.refused > 0);
            if report.ended.is_cut_short() {
                *cut_short.entry(report.ended.text()).or_default() += 1;
            }
            if json { json_line(&report, out) } else { row(&report, out) }.map_err(Stop::from)
        });
        printed.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    };
    let done = parallel::in_order(range.clone(), jobs, again, |seed| runs.run(seed), print);
    progress.done();
    if let ControlFlow::Break(error) = done {
        return Err(error);
    }
    if !json {
        let seeds = range.end - range.start;
        writeln!(out, "\n{} runs; {} violated a property", thousands(seeds), thousands(failed))?;
        if refused > 0 {
            writeln!(out, "In {} some action of the script was refused as impossible at its time", thousands(refused))?;
        }
        for (why, seeds) in &cut_short {
            writeln!(out, "{} were cut short: {why}", thousands(*seeds))?;
        }
    }
    Ok(match (failed, cut_short.is_empty()) {
        (0, true) => ExitCode::SUCCESS,
        (0, false) => ExitCode::from(UNDECIDED),
        _ => ExitCode::FAILURE,
    })
}

fn json_line(report: &SeedReport, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, report)?;
    writeln!(out)
}

fn row(report: &SeedReport, out: &mut impl Write) -> io::Result<()> {
    let latency =
        |of: fn(&LatencySummary) -> u64| report.latency_us.as_ref().map_or("-".to_owned(), |summary| ms(of(summary)));
    let mut violated: Vec<&str> = report.violations.iter().map(|violation| violation.property).collect();
    violated.dedup();
    let violated = if violated.is_empty() { "none".to_owned() } else { violated.join(", ") };
    let cells = [
        thousands(report.answered),
        thousands(report.waiting),
        latency(|summary| summary.mean),
        latency(|summary| summary.p50),
        latency(|summary| summary.p99),
        latency(|summary| summary.max),
        thousands(report.leaders.len() as u64),
        thousands(report.outages),
        violated,
    ];
    line(&report.seed.to_string(), cells.each_ref().map(String::as_str), out)
}

fn line(first: &str, cells: [&str; 9], out: &mut impl Write) -> io::Result<()> {
    write!(out, "{first:>10}")?;
    for (cell, width) in cells.into_iter().zip(WIDTHS) {
        write!(out, " {cell:>width$}")?;
    }
    writeln!(out)
}
