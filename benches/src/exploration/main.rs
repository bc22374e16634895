//! Benchmark: the model checker and Stateright on two of Stateright's own examples; same models, same state counts, in one run.
//!
//! `cargo run --release --bin exploration -- [ROUNDS] [PART OF A NAME]`

mod paxos;
mod paxos_stateright;
mod two_phase_commit;
mod two_phase_commit_stateright;

use cpu_time::ProcessTime;
use std::time::Instant;

/// One model: its two explorers, and its number of distinct states.
struct Contest {
    name: &'static str,
    states: u64,
    ours: fn() -> u64,
    /// Stateright, with this number of threads.
    theirs: fn(usize) -> u64,
}

const CONTESTS: &[Contest] = &[
    // State counts asserted in Stateright's own tests.
    Contest {
        name: "two-phase commit, 3 resource managers",
        states: 288,
        ours: || two_phase_commit::explore(3),
        theirs: |threads| two_phase_commit_stateright::explore(3, threads),
    },
    Contest {
        name: "two-phase commit, 5 resource managers",
        states: 8_832,
        ours: || two_phase_commit::explore(5),
        theirs: |threads| two_phase_commit_stateright::explore(5, threads),
    },
    Contest {
        name: "paxos, 2 clients, 3 servers",
        states: 16_668,
        ours: || paxos::explore(2),
        theirs: |threads| paxos_stateright::explore(2, threads),
    },
    // Large enough for stable timing.
    Contest {
        name: "two-phase commit, 8 resource managers",
        states: 1_745_408,
        ours: || two_phase_commit::explore(8),
        theirs: |threads| two_phase_commit_stateright::explore(8, threads),
    },
    // Timed in Stateright's `bench.sh`.
    Contest {
        name: "two-phase commit, 9 resource managers",
        states: 10_340_352,
        ours: || two_phase_commit::explore(9),
        theirs: |threads| two_phase_commit_stateright::explore(9, threads),
    },
    Contest {
        name: "paxos, 3 clients, 3 servers",
        states: 1_194_428,
        ours: || paxos::explore(3),
        theirs: |threads| paxos_stateright::explore(3, threads),
    },
];

/// Minimum total number of states of a timing: small models are explored repeatedly, since a single run is too short to time.
const STATES: u64 = 200_000;

/// Explores a model repeatedly; returns the total number of states.
fn explore(states: u64, run: impl Fn() -> u64) -> f64 {
    let times = STATES.div_ceil(states);
    (0..times).for_each(|_| assert_eq!(run(), states));
    (times * states) as f64
}

/// States per second of thread CPU time, which other load on the machine hardly affects.
fn alone(states: u64, run: impl Fn() -> u64) -> f64 {
    let start = ProcessTime::now();
    explore(states, run) / start.elapsed().as_secs_f64()
}

/// States per second of wall-clock time.
fn together(states: u64, run: impl Fn() -> u64) -> f64 {
    let start = Instant::now();
    explore(states, run) / start.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(3, |text| text.parse().expect("the number of rounds"));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{:<40}{:>10}{:>12}{:>14}{:>9}{:>16}",
        "different states a second",
        "states",
        "ours",
        "Stateright",
        "ratio",
        format!("{threads} threads")
    );
    let wanted = std::env::args().nth(2).unwrap_or_default();
    for contest in CONTESTS.iter().filter(|contest| contest.name.contains(&wanted)) {
        let (mut ours, mut theirs, mut parallel) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            ours.push(alone(contest.states, contest.ours));
            theirs.push(alone(contest.states, || (contest.theirs)(1)));
            parallel.push(together(contest.states, || (contest.theirs)(threads)));
        }
        let (ours, theirs, parallel) = (median(ours), median(theirs), median(parallel));
        println!(
            "{:<40}{:>10}{ours:>12.0}{theirs:>14.0}{:>9.1}{parallel:>16.0}",
            contest.name,
            contest.states,
            ours / theirs
        );
    }
    println!(
        "\nOurs beside Stateright, with one thread each (bar for the ratio: 5), in states a second of that thread's time; and Stateright with \
         all threads, by the clock."
    );
}
