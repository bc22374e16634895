//! The comparison of all variants in `docs/variants.md`: what their cards say, and what runs with equal distances and the pinned explorations
//! measure. After a change that is meant to change it: `UPDATE=1 cargo test --test variants`, and look at the difference.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::core::node::Setup;
use quorumscope::core::{Faults, LeaderModel, NodeId, RuleSet, Settings, Shots, TimingModel};
use quorumscope::lab::compare::{Cell, CompareJob, Figure, Measured};
use quorumscope::lab::run::sequence::chart::Message;
use quorumscope::lab::run::sequence::steady;
use quorumscope::lab::{Fault, Scenario, Site};
use quorumscope::universe::{self, End, Variant};
use std::collections::{BTreeMap, BTreeSet};
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

/// Messages for one command: those that the formula counts, where it is met.
fn per_command(measured: &Measured) -> String {
    match &measured.formula {
        Some(formula) if formula.exact => formula.per_command.to_string(),
        _ => number(measured.per_command),
    }
}

/// What nodes count before they go on, and up to how many of five: what is told of them from the start to the answer of a command.
fn waits_for(variant: &Variant) -> String {
    let mut scenario = Scenario { variant: variant.card.key.to_owned(), ..even(5) };
    scenario.duration = Some("10s".into());
    scenario.script =
        vec![Fault { at: "8s".into(), action: "request".into(), site: Some("s1".to_owned()), ..Fault::default() }];
    let Ok(checked) = scenario.check() else { return "–".to_owned() };
    let Ok(mut universe) = checked.variant.boot(&checked.blueprint) else { return "–".to_owned() };
    let mut counted: BTreeMap<&str, BTreeSet<u8>> = BTreeMap::new();
    while universe.step_until(10_000_000) {
        for node in 0..5 {
            let tally = universe.node(NodeId(node)).status.and_then(|status| status.tally);
            tally.into_iter().for_each(|tally| _ = counted.entry(tally.of).or_default().insert(tally.need));
        }
    }
    let told = counted.iter().map(|(of, needs)| {
        let needs: Vec<String> = needs.iter().map(u8::to_string).collect();
        format!("{of} {}", needs.join(" or "))
    });
    Some(told.collect::<Vec<_>>().join(", ")).filter(|told| !told.is_empty()).unwrap_or("–".to_owned())
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
    let to_client = |message: &&Message| matches!((message.from, message.to), (End::Node(_), End::Client(_)));
    let answer = chart.messages.iter().filter(to_client).find(|message| message.label.starts_with("answer"));
    let Some(answer) = answer else { return "–".to_owned() };
    let asked = chart.messages.iter().find(|message| matches!(message.from, End::Client(_))).expect("it asked");
    number((answer.sent.at - asked.ended.at) as f64 / 10_000.0)
}

/// The key of the variant that an expression in a source asks to explore: the first word of its text, or of what a name in it stands for.
fn explored_variant(source: &str, expression: &str, depth: u8) -> Option<&'static str> {
    let first = |text: &str| text.split('"').nth(1)?.split_whitespace().next().map(str::to_owned);
    let word = first(expression).unwrap_or_default();
    if let Some(variant) = universe::variant(&word) {
        return Some(variant.card.key);
    }
    let mut names = expression
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|name| depth > 0 && !name.is_empty());
    let defined = |name: &str| {
        let ways = [format!("let {name} = "), format!("const {name}: "), format!("fn {name}(")];
        ways.iter().find_map(|way| source.split(way).nth(1))
    };
    names.find_map(|name| {
        let definition = defined(name)?;
        let end = definition.match_indices('"').nth(1).map_or(definition.len(), |(at, _)| at + 1);
        explored_variant(source, &definition[..end], depth - 1)
    })
}

/// The most states of an exploration that is pinned in `tests/explore/`, by variant, with all rules in force.
fn pinned() -> BTreeMap<&'static str, u64> {
    let mut most: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in fs::read_dir("tests/explore").expect("a folder").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = fs::read_to_string(path).expect("readable");
        for call in source.split("assert_eq!(safe(").skip(1) {
            let line = call.split(";\n").next().unwrap_or_default();
            let Some((what, pin)) = line.rsplit_once(", (") else { continue };
            let states = pin.split(',').next().unwrap_or_default().replace('_', "").parse::<u64>();
            let (Some(key), Ok(states)) = (explored_variant(&source, what, 2), states) else { continue };
            if !what.contains(" -") {
                let most = most.entry(key).or_default();
                *most = (*most).max(states);
            }
        }
    }
    most
}

/// Sizes of chunks by variant, bytes, as the report on sizes has written them down. The variant of the first picture has none of its own.
fn chunks() -> BTreeMap<String, u64> {
    let text = fs::read_to_string("docs/variants/chunks.txt").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(key, bytes)| (key.to_owned(), bytes.parse().expect("bytes")))
        .collect()
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

* **Waits for, of five:** what nodes count before they go on, with five replicas, and how many they need: the quorums.
* **Fewest up:** with how many of 3, 5, 7, 9 replicas up and connected it must go on: what an operator has to keep running.
* **Messages:** between replicas for one command in the steady, failure-free case, measured with 3, 5, 7, 9 replicas at equal distances; none that a replica sends itself, no client's, no heartbeats. \"=\" where that is
  the published formula to the message.
* **Delays:** one-way delays between replicas from when the first replica has the command until the answer leaves, measured with three. Where clients ask all replicas at once, what the far ones lie farther from the client is in it, and so are the random moments at which nodes act by themselves.
* **Election:** messages from the leader's crash to the next leader, where leaders of a log are elected; with default timeouts.
* **Explored:** the most states of an exploration whose count is pinned in `tests/explore/`: all there are within its bounds.
* **Chunk:** the variant's part of the page's program, bytes of brotli, when it was last written down (`node scripts/size-report.mjs --chunks docs/variants/chunks.txt`).
";

fn page() -> String {
    let cells = measured();
    let cell = |key: &str, n: u32| cells.iter().find(|cell| cell.variant == key && u32::from(cell.replicas) == n);
    let of = |key: &str, n: u32| cell(key, n).and_then(|cell| cell.measured.as_ref());
    let (explored, chunks) = (pinned(), chunks());
    let mut variants: Vec<&'static Variant> = universe::variants().iter().collect();
    variants.sort_by_key(|variant| variant.card.family);
    let (mut page, mut family) = (HEAD.to_owned(), None);
    for variant in variants {
        let card = variant.card;
        if family.replace(card.family) != Some(card.family) {
            let _ = write!(
                page,
                "\n## {}\n\n| variant | failures, time | agrees on | leader | waits for, of five | fewest up | messages | formula | delays | election | optimises | explored | chunk |\n\
                 | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
                card.family.title()
            );
        }
        let mut messages = row(SIZES.map(|n| of(card.key, n).map(per_command)));
        let left_out = of(card.key, 3).and_then(|measured| measured.formula.as_ref()).map(|formula| &formula.left_out);
        if let Some(kinds) = left_out.filter(|kinds| !kinds.is_empty()) {
            let _ = write!(messages, "; {} besides", kinds.join(", "));
        }
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
            "| [{}](variants/{}.md) | {}; {} | {} | {} | {} | {} | {messages} | {formula} | {} | {election} | {} | {} | {} |",
            card.title,
            card.key,
            faults(card.faults),
            timing(card.timing),
            agrees_on(card.agrees_on),
            leader(card.leader),
            waits_for(variant),
            row(SIZES.map(|n| fewest(variant, n))),
            delays(variant),
            card.optimises,
            explored.get(card.key).map_or("–".to_owned(), |states| grouped(*states)),
            chunks.get(card.key).map_or("–".to_owned(), |bytes| grouped(*bytes)),
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
