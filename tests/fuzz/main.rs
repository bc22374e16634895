//! Fuzzer testing: intact protocols survive what random seeds draw, and with a rule taken away they do not.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod ablations;
mod history;
mod intact;
mod reports;
mod runs;
mod shrinking;

use quorumscope::lab::fuzz::{FuzzRequest, FuzzRun, Fuzzer, Report};
use quorumscope::lab::{Scenario, text};
use std::ops::Range;
use std::path::Path;
use std::thread;

/// The fuzzer of a variant without these rules.
fn fuzzer(variant: &str, without: &[&str]) -> Fuzzer {
    let without = without.iter().map(|rule| (*rule).to_owned()).collect();
    let request = FuzzRequest { variant: variant.to_owned(), without, ..FuzzRequest::default() };
    request.check().unwrap_or_else(|problems| panic!("{problems}"))
}

/// Runs seeds on all processors. The report does not depend on how many there are.
fn run(fuzzer: &Fuzzer, seeds: Range<u64>) -> Report {
    let jobs = thread::available_parallelism().map_or(1, |jobs| jobs.get() as u64);
    let share = |job: u64| {
        let mut report = fuzzer.report();
        for seed in seeds.clone().filter(|seed| seed % jobs == job) {
            // A panic tells of no seed by itself.
            let fuzz_run = std::panic::catch_unwind(|| fuzzer.run(seed));
            let fuzz_run = fuzz_run.unwrap_or_else(|_| panic!("it panicked; again: {}", report.again(seed)));
            report.add(seed, &fuzz_run);
        }
        report
    };
    let mut whole = fuzzer.report();
    thread::scope(|scope| {
        let share = &share;
        let shares: Vec<_> = (0..jobs).map(|job| scope.spawn(move || share(job))).collect();
        for report in shares {
            whole.merge(&report.join().expect("no seed panics")).expect("different seeds of one swarm");
        }
    });
    whole
}

/// The scenario in a file.
fn scenario_file(path: &str) -> Scenario {
    let written = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text::from_toml(&written).unwrap_or_else(|problems| panic!("{path}: {problems}")).scenario
}

/// Fails if anything was broken: writes the first failing seed's scenario down, and says how to see it again.
fn assert_nothing_broken(fuzzer: &Fuzzer, report: &Report) {
    let Some(failure) = report.failures.first() else { return };
    let FuzzRun { scenario, .. } = fuzzer.run(failure.seed);
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{}.toml", report.variant, failure.seed));
    std::fs::write(&file, text::to_toml(&scenario)).expect("writable");
    panic!("{:?}: {failure:#?}\nagain: {}\nor: quorumscope run {}", report.violations, failure.again, file.display());
}
