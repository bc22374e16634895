//! The comparison of all variants in `docs/variants.md`: what their cards say, and what runs with equal distances and the pinned explorations
//! measure. After a change that is meant to change it: `UPDATE=1 cargo test --test variants`, and look at the difference.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::core::node::Setup;
use quorumscope::core::{Faults, LeaderModel, RuleSet, Settings, Shots, TimingModel};
use quorumscope::lab::compare::{Cell, CompareJob, Figure};
use quorumscope::lab::run::sequence::steady;
use quorumscope::lab::{Scenario, Site};
use quorumscope::universe::{self, End, Variant};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const PAGE: &str = "docs/variants.md";
const SIZES: [u32; 4] = [3, 5, 7, 9];

/// A replica at each of so many sites, 10 ms from each other.
fn even(sites: usize) -> Scenario {
    let names: Vec<String> = (1..=sites).map(|site| format!("s{site}")).collect();
    Scenario {
        variant: "raft".to_owned(),
        sites: names.iter().map(|name| Site::named(name)).collect(),
        rtt_ms: (0..sites).map(|a| (0..sites).map(|b| if a == b { 0.0 } else { 20.0 }).collect()).collect(),
        replicas: names,
        ..Scenario::default()
    }
}

fn measured() -> Vec<Cell> {
    let mut job = CompareJob::new(&even(9), &[], &SIZES).unwrap_or_else(|wrong| panic!("{wrong}"));
    while !job.advance(100_000) {}
    job.cells().to_vec()
}

/// A whole number without decimals, any other with one.
fn number(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

/// Figures for all sizes, or what they have in common.
fn row(figures: [Option<String>; 4]) -> String {
    match &figures {
        all if all.iter().all(Option::is_none) => "–".to_owned(),
        all => all.iter().map(|figure| figure.as_deref().unwrap_or("–")).collect::<Vec<_>>().join(", "),
    }
}

fn faults(faults: Faults) -> &'static str {
    match faults {
        Faults::CrashStop => "crash, for good",
        Faults::CrashRecover => "crash, restart from disk",
        Faults::CrashForget => "crash, restart with nothing",
        Faults::Byzantine => "Byzantine",
    }
}

fn timing(timing: TimingModel) -> &'static str {
    match timing {
        TimingModel::Asynchronous => "asynchronous",
        TimingModel::PartiallySynchronous => "partially synchronous",
        TimingModel::Synchronous => "synchronous",
    }
}

fn agrees_on(agrees_on: Shots) -> &'static str {
    match agrees_on {
        Shots::Single => "one value",
        Shots::Log => "a log",
        Shots::Registers => "registers",
        Shots::Transactions => "transactions",
        Shots::Graph => "a graph",
        Shots::Nothing => "nothing",
    }
}

fn leader(leader: LeaderModel) -> &'static str {
    match leader {
        LeaderModel::None => "none",
        LeaderModel::Elected => "elected",
        LeaderModel::PerObject => "per object",
        LeaderModel::Fixed => "fixed",
        LeaderModel::SelfAppointed => "appoints itself",
    }
}

/// The fewest of n replicas with which it must go on.
fn fewest(variant: &Variant, n: u32) -> Option<String> {
    let setup = Setup {
        replicas: n as u8,
        rtt_max: 20_000,
        settings: Settings::defaults(variant.settings),
        ablated: RuleSet::EMPTY,
    };
    (1..=n).find(|healthy| (variant.live)(&setup, *healthy as u8)).map(|healthy| healthy.to_string())
}

/// Delays between replicas from when the first replica has the command until one that knows the outcome answers: the chart's distances are 10 ms
/// between replicas, and 2 ms between the client and the first.
fn delays(variant: &'static Variant) -> String {
    let Ok(chart) = steady::chart(variant, &variant.inspector) else { return "–".to_owned() };
    let answer =
        chart.messages.iter().find(|message| matches!((message.from, message.to), (End::Node(_), End::Client(_))));
    let Some(answer) = answer else { return "–".to_owned() };
    let asked = chart.messages.iter().find(|message| matches!(message.from, End::Client(_))).expect("it asked");
    number((answer.sent.at - asked.ended.at) as f64 / 10_000.0)
}

/// The most states of an exploration that is pinned in `tests/explore/`, by variant. A line there begins with the variant's key, or with a macro or a
/// constant whose text does.
fn pinned() -> BTreeMap<String, u64> {
    let mut most: BTreeMap<String, u64> = BTreeMap::new();
    for entry in fs::read_dir("tests/explore").expect("a folder").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = fs::read_to_string(path).expect("readable");
        for call in source.split("assert_eq!(safe(").skip(1) {
            let Some((what, rest)) = call.split_once(")), (").or_else(|| call.split_once("), (")) else { continue };
            let first = what.split('"').nth(1).and_then(|text| text.split_whitespace().next()).unwrap_or_default();
            // A name in braces stands for a text above.
            let key = match first.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => {
                    let text = source.split(&format!(" {name} = ")).nth(1);
                    text.and_then(|text| text.split('"').nth(1)).and_then(|text| text.split_whitespace().next())
                }
                None => Some(first),
            };
            let states = rest.split(',').next().unwrap_or_default().replace('_', "").parse::<u64>();
            let (Some(key), Ok(states)) = (key, states) else { continue };
            if universe::variant(key).is_some() {
                let most = most.entry(key.to_owned()).or_default();
                *most = (*most).max(states);
            }
        }
    }
    most
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

const HEAD: &str = "\
<!-- Written by UPDATE=1 cargo test --test variants -->
# All variants, side by side

Made from the variants' cards and from runs: nothing is typed here. What stands beside a variant's name is under its default settings; `quorumscope compare` measures any others.

* **Fewest up:** with how many of 3, 5, 7, 9 replicas up and connected it must go on: the quorum that matters to an operator.
* **Messages:** between replicas for one command in the steady, failure-free case, measured with 3, 5, 7, 9 replicas at equal distances; none that a replica sends itself, no client's, no heartbeats. \"=\" where that is
  the published formula to the message.
* **Delays:** one-way delays between replicas from when the first replica has the command until the answer leaves, measured with three.
* **Election:** messages from the leader's crash to the next leader, and the time, where leaders of a log are elected; with default timeouts.
* **Explored:** the most states of an exploration whose count is pinned in `tests/explore/`: all there are within its bounds.
* **Chunk:** the variant's part of the page's program, compressed; the report on sizes fills it in.
";

fn page() -> String {
    let cells = measured();
    let cell = |key: &str, n: u32| cells.iter().find(|cell| cell.variant == key && u32::from(cell.replicas) == n);
    let of = |key: &str, n: u32| cell(key, n).and_then(|cell| cell.measured.as_ref());
    let explored = pinned();
    let mut variants: Vec<&'static Variant> = universe::variants().iter().collect();
    variants.sort_by_key(|variant| variant.card.family);
    let (mut page, mut family) = (HEAD.to_owned(), None);
    for variant in variants {
        let card = variant.card;
        if family.replace(card.family) != Some(card.family) {
            let _ = write!(
                page,
                "\n## {}\n\n| variant | failures, time | agrees on | leader | fewest up | messages | formula | delays | election | optimises | explored | chunk |\n\
                 | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
                card.family.title()
            );
        }
        let messages = row(SIZES.map(|n| of(card.key, n).map(|measured| number(measured.per_command))));
        let formulas: Vec<_> =
            SIZES.iter().filter_map(|n| of(card.key, *n)?.formula.as_ref()).map(|f| (f.text, f.exact)).collect();
        let formula = match formulas.first() {
            Some((text, _)) if formulas.iter().all(|(_, exact)| *exact) => format!("= {text}"),
            Some((text, _)) => format!("≠ {text}"),
            None => "–".to_owned(),
        };
        let election = row(SIZES.map(|n| match &of(card.key, n)?.election {
            Figure::Measured(election) => Some(election.messages.to_string()),
            _ => None,
        }));
        let _ = writeln!(
            page,
            "| [{}](variants/{}.md) | {}; {} | {} | {} | {} | {messages} | {formula} | {} | {election} | {} | {} | |",
            card.title,
            card.key,
            faults(card.faults),
            timing(card.timing),
            agrees_on(card.agrees_on),
            leader(card.leader),
            row(SIZES.map(|n| fewest(variant, n))),
            delays(variant),
            card.optimises,
            explored.get(card.key).map_or("–".to_owned(), |states| grouped(*states)),
        );
    }
    page
}

#[test]
fn comparison_of_all_variants_is_what_cards_and_runs_say() {
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(PAGE, &page).expect("writable");
    }
    let kept = fs::read_to_string(PAGE).unwrap_or_default();
    for (line, kept) in page.lines().zip(kept.lines()) {
        assert_eq!(line, kept, "UPDATE=1 cargo test --test variants writes it");
    }
    assert_eq!(page, kept);
    for variant in universe::variants() {
        assert_eq!(page.matches(&format!("(variants/{}.md)", variant.card.key)).count(), 1);
    }
}
