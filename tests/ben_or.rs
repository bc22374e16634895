//! Rounds until Ben-Or's protocol decides, over the number of nodes and over who chooses the order of messages: measured over thousands of seeds, held
//! against arithmetic, and written to `docs/variants/measured/ben-or.md`, which is a part of `docs/variants/ben-or.md`.
//!
//! `UPDATE=1 cargo test --release --test ben_or` measures everything anew and writes it (half a minute), and
//! `UPDATE=1 cargo test --test charts` takes it over. Without that, what is cheap is measured again and must be what is written.
//!
//! Odd nodes begin with 1 and even ones with 0: f+1 and f of them, as divided as an odd number can be. Rounds are counted up to the one in which the first
//! node decides; all others are told then, or decide in the next one.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod common;

use common::*;
use quorumscope::core::node::{Node, Protocol, Setup};
use quorumscope::core::{Effect, NodeId, Out, RuleSet, Settings};
use quorumscope::protocols::ben_or::{self, BenOr, Msg, Server};
use quorumscope::sim::rng::Rng;
use quorumscope::sim::{Action, ClientGroup, Pace};
use quorumscope::universe::{Cluster, Universe};
use std::fmt::Write;
use std::fs;

const SIZES: [u8; 4] = [3, 5, 7, 9];
const SEEDS: u64 = 4_000;
const TEXT: &str = "docs/variants/measured/ben-or.md";
const PICTURE: &str = "docs/variants/measured/ben-or-rounds.svg";

/// Who chooses which messages come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// From those with the own value first.
    Kind,
    /// From all others with equal chances, drawn anew for each node and each half of a round.
    Fair,
    /// The simulator's: all distances are the same, and each message is late by a random time, four times as long in the mean as the distance.
    Random,
    /// Both values first, as long as there are two.
    Unkind,
}

const ORDERS: [Order; 4] = [Order::Kind, Order::Fair, Order::Random, Order::Unkind];

/// Nodes that go through rounds in step: each hears itself and f others of those that have sent, and nothing else of a round ever comes in time.
struct InStep {
    nodes: Vec<Server>,
    out: Out<Server>,
    /// Each node's last echo.
    echoes: Vec<Option<Msg>>,
}

impl InStep {
    fn new(n: u8, seed: u64) -> InStep {
        let mut settings = Settings::defaults(BenOr::SETTINGS);
        settings.set(ben_or::INPUTS, 1);
        let setup = Setup { replicas: n, rtt_max: 1_000, settings, ablated: RuleSet::EMPTY };
        let configs = BenOr::cluster(&setup).expect("settings fit");
        let mut out = Out::new(RuleSet::EMPTY);
        out.draws().seed(seed << 20 | u64::from(n));
        let boot = |(id, config)| Server::boot(NodeId(id), config, Default::default(), &mut out);
        let nodes = (0..).zip(&configs).map(boot).collect();
        let mut cluster = InStep { nodes, out, echoes: vec![None; usize::from(n)] };
        let client = quorumscope::core::Command::elect(NodeId(0));
        (0..n).for_each(|id| cluster.act(id, |node, out| node.on_request(client, out)));
        cluster
    }

    /// Calls a handler, notes what it sends, and lets the node hear itself.
    fn act(&mut self, id: u8, act: impl FnOnce(&mut Server, &mut Out<Server>)) {
        let node = &mut self.nodes[usize::from(id)];
        act(node, &mut self.out);
        while let Some(message) = last_echo(&mut self.out) {
            self.echoes[usize::from(id)] = Some(message);
            node.on_message(NodeId(id), &message, &mut self.out);
        }
    }

    /// Half a round.
    fn half(&mut self, order: Order, rng: &mut Rng) {
        let n = self.nodes.len();
        let echoes: Vec<Msg> = self.echoes.iter().map(|echo| echo.expect("all have sent")).collect();
        let value = |of: usize| match echoes[of] {
            Msg::Echo1 { value, .. } => Some(value),
            Msg::Echo2 { value, .. } => value,
            Msg::Decide { .. } => unreachable!("no echo"),
        };
        for to in 0..n {
            let mut others: Vec<usize> = (0..n).filter(|from| *from != to).collect();
            for at in 0..others.len() {
                let other = rng.between(at as u64, others.len() as u64 - 1) as usize;
                others.swap(at, other);
            }
            match order {
                Order::Kind => others.sort_by_key(|from| value(*from) != value(to)),
                // One of another value is enough, if there is one.
                Order::Unkind => others.sort_by_key(|from| value(*from) == value(to)),
                Order::Fair | Order::Random => {}
            }
            for from in others.into_iter().take((n - 1) / 2) {
                self.act(to as u8, |node, out| node.on_message(NodeId(from as u8), &echoes[from], out));
            }
        }
    }

    /// Goes on until some node decides, in which round?
    fn rounds(mut self, order: Order, rng: &mut Rng) -> u32 {
        loop {
            self.half(order, rng);
            self.half(order, rng);
            if let Some((_, round)) = self.nodes.iter().find_map(Server::decided) {
                return round;
            }
        }
    }
}

/// The last echo among the effects of a handler.
fn last_echo(out: &mut Out<Server>) -> Option<Msg> {
    out.drain().into_iter().rev().find_map(|effect| match effect {
        Effect::Broadcast(_, message @ (Msg::Echo1 { .. } | Msg::Echo2 { .. })) => Some(message),
        _ => None,
    })
}

/// The same in the simulator, with all that is between nodes there.
fn simulated(n: u8, seed: u64) -> u32 {
    let mut topology = even_topology(n, 20_000, 0);
    topology.jitter_permille = 4_000;
    let clients =
        vec![ClientGroup { pace: Pace::Closed { sessions: 1, think: 0 }, limit: 0, ..ClientGroup::default() }];
    let mut blueprint = with(blueprint::<BenOr>(topology, seed), &[(ben_or::INPUTS, 1)]);
    blueprint.clients = clients;
    let mut cluster = Cluster::of::<BenOr>(&blueprint).expect("settings fit");
    cluster.act(Action::Request { site: 0 }).expect("it runs");
    while !cluster.is_chosen(1) {
        assert!(cluster.step_until(u64::MAX), "it goes on until it ends");
    }
    let statuses = (0..n).filter_map(|node| cluster.node(NodeId(node)).status);
    let decided = statuses.filter(|status| status.log.committed > 0).map(|status| status.epoch.number);
    decided.max().expect("one has decided")
}

/// Rounds under each seed.
fn rounds(n: u8, order: Order, seeds: u64) -> Vec<u32> {
    let one = |seed| match order {
        Order::Random => simulated(n, seed),
        _ => InStep::new(n, seed).rounds(order, &mut Rng::stream(seed, "order", u64::from(n))),
    };
    (1..=seeds).map(one).collect()
}

/// Mean, and its standard error.
fn mean(rounds: &[u32]) -> (f64, f64) {
    let count = rounds.len() as f64;
    let mean = rounds.iter().map(|rounds| f64::from(*rounds)).sum::<f64>() / count;
    let squares: f64 = rounds.iter().map(|rounds| (f64::from(*rounds) - mean).powi(2)).sum();
    (mean, (squares / count / (count - 1.0)).sqrt())
}

fn choose(n: u8, k: u8) -> f64 {
    if k > n { 0.0 } else { (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1)) }
}

/// The probability of `k` of `n`, each with probability `p`.
fn binomial(n: u8, k: u8, p: f64) -> f64 {
    choose(n, k) * p.powi(i32::from(k)) * (1.0 - p).powi(i32::from(n - k))
}

/// Rounds to be expected if each node hears itself and f others with equal chances (`Order::Fair`), exactly.
///
/// With k nodes of one value and n−k of the other, a node of the larger side sends echo2 of its value if the f others it hears have it as well:
/// C(k−1, f) of C(n−1, f) choices. If a nodes do, each of these decides if the f others it hears are among them; each other node takes the value over if one
/// of them is among the f it hears, and tosses a coin otherwise.
fn fair(n: u8) -> f64 {
    let f = (n - 1) / 2;
    let all = choose(n - 1, f);
    let step = |larger: u8, expected: &[f64]| -> f64 {
        let sends = choose(larger - 1, f) / all;
        let ends = |a: u8| {
            let nobody = if a == 0 { 1.0 } else { (1.0 - choose(a - 1, f) / all).powi(i32::from(a)) };
            let adopts = 1.0 - choose(n - 1 - a.min(n - 1), f) / all;
            let takes = adopts + (1.0 - adopts) / 2.0;
            let next = (0..=n - a).map(|more| binomial(n - a, more, takes) * expected[usize::from(a + more)]);
            nobody * next.sum::<f64>()
        };
        1.0 + (0..=larger).map(|a| binomial(larger, a, sends) * ends(a)).sum::<f64>()
    };
    // The fixed point, from below.
    let mut expected = vec![0.0; usize::from(n) + 1];
    for _ in 0..5_000 {
        expected = (0..=n).map(|k| step(k.max(n - k), &expected)).collect();
    }
    expected[usize::from(f)]
}

/// What is to be expected, where there is arithmetic for it.
fn expected(n: u8, order: Order) -> Option<f64> {
    match order {
        Order::Kind => Some(1.0),
        Order::Fair => Some(fair(n)),
        Order::Random => None,
        // All n nodes toss until all coins fall alike, with probability 2/2^n in each round, and decide in the next.
        Order::Unkind => Some(2_f64.powi(i32::from(n) - 1) + 1.0),
    }
}

/// A mean so far from the expected one would be rarer than one in 10,000.
fn assert_expected(n: u8, order: Order, rounds: &[u32]) {
    let Some(expected) = expected(n, order) else { return };
    let (mean, error) = mean(rounds);
    assert!((mean - expected).abs() <= 3.9 * error, "{n} nodes, {order:?}: {mean} ± {error}, and {expected} expected");
}

#[test]
fn expected_rounds_of_three_nodes_are_those_counted_by_hand() {
    // Two of three have one value. Each of these hears the other with probability 1/2. Both (1/4): both send echo2 of it; a node that decides must hear the
    // other again, and else the third joins with 1/1, and all agree. One (1/2): nobody decides; the two others adopt or toss: 3/4 each. None (1/4): all toss.
    let (a, b) = (1.0 / 4.0, 1.0 / 2.0);
    // From agreement one round; E = 1 + 1/4 · (1/2)² · 1 + 1/2 · (9/16 · 1 + 7/16 E) + 1/4 · (1/4 · 1 + 3/4 E).
    let constant = 1.0 + a * 0.25 + b * 9.0 / 16.0 + a * 0.25;
    let again = b * 7.0 / 16.0 + a * 0.75;
    assert!((fair(3) - constant / (1.0 - again)).abs() < 1e-9, "{}", fair(3));
}

#[test]
fn rounds_are_those_of_the_arithmetic() {
    for (n, order, seeds) in [
        (3, Order::Kind, 50),
        (9, Order::Kind, 20),
        (3, Order::Fair, 2_000),
        (5, Order::Fair, 1_000),
        (7, Order::Fair, 300),
        (3, Order::Unkind, 1_000),
        (5, Order::Unkind, 500),
        (7, Order::Unkind, 60),
    ] {
        assert_expected(n, order, &rounds(n, order, seeds));
    }
}

/// The share of runs that take more than so many rounds falls by the same factor with each round: it ends with probability 1, and no number is enough.
#[test]
fn unkind_order_of_three_nodes_needs_each_further_round_in_three_of_four_runs() {
    let rounds = rounds(3, Order::Unkind, 3_000);
    let more = |than: u32| rounds.iter().filter(|rounds| **rounds > than).count() as f64;
    for than in 1..6 {
        let share = more(than + 1) / more(than);
        assert!((share - 0.75).abs() < 3.9 * (0.1875 / more(than)).sqrt(), "{than}: {share}");
    }
    assert_eq!(more(0), more(1), "values are divided at first");
}

/// What is measured of one cell.
fn cell(rounds: &[u32]) -> String {
    let mut sorted = rounds.to_vec();
    sorted.sort_unstable();
    let (mean, _) = mean(rounds);
    format!("{mean:.2} ({}, {})", sorted[sorted.len() / 2], sorted[sorted.len() * 99 / 100])
}

fn picture(means: &[(Order, Vec<f64>)]) -> String {
    let x = |n: u8| 60.0 + 80.0 * f64::from((n - 3) / 2);
    let y = |rounds: f64| 240.0 - 25.0 * rounds.log2();
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 480 280\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\" \
         aria-label=\"Rounds until the first decision over the number of nodes, for four orders of messages\">\n\
         <style>text{fill:#222}path{fill:none;stroke-width:2}.grid{stroke:#8886;stroke-width:1}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>\n",
    );
    for power in 0..=8 {
        let (rounds, at) = (1 << power, y(f64::from(1 << power)));
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M60 {at}H300\"/><text x=\"52\" y=\"{}\" text-anchor=\"end\">{rounds}</text>",
            at + 4.0
        );
    }
    for n in SIZES {
        let _ = writeln!(svg, "<text x=\"{}\" y=\"260\" text-anchor=\"middle\">{n}</text>", x(n));
    }
    let _ = writeln!(
        svg,
        "<text x=\"180\" y=\"276\" text-anchor=\"middle\">nodes</text><text x=\"8\" y=\"20\">rounds</text>"
    );
    // Labels that would cover each other move apart.
    let mut free = f64::INFINITY;
    let mut lines: Vec<_> = means.iter().collect();
    lines.sort_by(|(_, a), (_, b)| a[3].total_cmp(&b[3]));
    for (order, means) in lines {
        let (colour, label) = match order {
            Order::Kind => ("#2a9d5c", "kind"),
            Order::Fair => ("#2f6fde", "fair"),
            Order::Random => ("#8a5fd0", "simulator, random delays"),
            Order::Unkind => ("#d0453a", "unkind"),
        };
        let points: Vec<String> =
            SIZES.iter().zip(means).map(|(n, mean)| format!("{:.1} {:.1}", x(*n), y(*mean))).collect();
        let at = y(means[3]).min(free - 14.0);
        free = at;
        let _ = writeln!(
            svg,
            "<path stroke=\"{colour}\" d=\"M{}\"/><text x=\"308\" y=\"{:.1}\">{label}</text>",
            points.join("L"),
            at + 4.0
        );
    }
    svg + "</svg>\n"
}

const ABOUT: &str = "\
## Rounds until a decision, measured

Nobody can say how many rounds it takes; how many are to be expected depends on how the values are divided, and on who chooses which messages
come first. Below, odd nodes begin with 1 and even ones with 0, and rounds are counted up to the first decision.

* **Kind:** each node hears first from those that have its own value.
* **Fair:** each node hears itself and f others, all choices equally likely, anew in each half of a round. The expected number is the solution of a
  Markov chain over how many nodes have which value (`fair` in `tests/ben_or.rs`).
* **Simulator:** all distances are the same (10 ms), and each message is late by an exponential random time, 40 ms in the mean. Faster nodes run
  ahead, so there is no simple arithmetic for it.
* **Unkind:** somebody who knows all values lets each node hear both, as long as there are two. So nobody decides and everybody tosses, until all n coins
  fall alike: 2<sup>n−1</sup> rounds in the mean, and one more to decide.

Each number is the mean, with the median and the 99th percentile behind it.

";

const BELOW: &str = "
![Rounds over nodes, with a logarithmic scale: one for the kind order, a few for the fair one and the simulator's, and doubling with each node for the unkind one](measured/ben-or-rounds.svg)

The published bound holds for every scheduler, one that sees all values and coins and chooses with that knowledge: O(2<sup>2n</sup>) rounds (Aguilera and Toueg, as
*Decentralized Thoughts* of 30 March 2022 gives it, which asks whether O(2<sup>n</sup>) is the truth). The unkind order here is such a scheduler, and stays below that; it need not be
the worst: one that holds nodes back until it has seen the coins of others has more to choose from.

## What is chosen where the source says nothing

* **Bits.** The source agrees on 0 or 1. Clients ask all nodes; a client with an odd number wants 1, one with an even number 0, and a node's input is the bit of the first
  command that it hears of. A node that hears an echo1 before any client takes the value in that, which is somebody's input, so only what somebody wanted can be decided.
  The setting `inputs = \"by-node\"` gives odd nodes 1 and even nodes 0, so that values are divided from the start.
* **What is decided** is the bit, shown as a write of 0 or 1 by nobody, and not a client's command: two nodes may have heard of different commands with the same bit, and the
  protocol cannot tell which. To agree on commands takes a further protocol that asks for bits, such as one for each candidate.
* **Restarts and lost messages.** The source's processes stop for good and its messages arrive. Here a node's echoes are on its disk before they are sent, so that it can go on after a restart, and a node that waits
  for long sends its echoes again and asks for the others'. Neither happens in a run without faults.
* **An even n.** f is ⌊(n−1)/2⌋, and n−f is n/2+1 then.
";

#[test]
fn measured_rounds_in_the_documentation_are_those_of_runs() {
    let update = std::env::var_os("UPDATE").is_some();
    let written = fs::read_to_string(TEXT).unwrap_or_default();
    if !update {
        let picture = fs::read_to_string(PICTURE).expect("there is a picture");
        assert!(
            picture.contains("unkind") && written.starts_with(ABOUT) && written.ends_with(BELOW),
            "UPDATE=1 writes it"
        );
        // Cheap cells, exactly.
        for (n, order) in [(3, Order::Kind), (3, Order::Fair), (3, Order::Unkind)] {
            let row = written.lines().find(|line| line.starts_with(&format!("| {n} |"))).expect("a row");
            let cell = cell(&rounds(n, order, SEEDS));
            assert!(row.contains(&format!("| {cell} |")), "{order:?}: {cell} in {row}");
        }
        // The simulator takes longer: fewer runs, whose mean is as far from the written one as chance allows.
        let row = written.lines().find(|line| line.starts_with("| 3 |")).and_then(|row| row.split(" | ").nth(5));
        let kept: f64 = row.and_then(|cell| cell.split(' ').next()).and_then(|mean| mean.parse().ok()).expect("a mean");
        let (mean, error) = mean(&rounds(3, Order::Random, 400));
        assert!((mean - kept).abs() <= 3.9 * error, "{mean} ± {error}, and {kept} is written");
        return;
    }
    let mut text = format!(
        "{ABOUT}{SEEDS} seeds each:\n\n| n | kind | expected | fair | expected | simulator | unkind | expected: 2<sup>n−1</sup>+1 |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    );
    let mut means: Vec<(Order, Vec<f64>)> = ORDERS.map(|order| (order, Vec::new())).to_vec();
    for n in SIZES {
        let _ = write!(text, "| {n} |");
        for (order, means) in &mut means {
            let rounds = rounds(n, *order, SEEDS);
            assert_expected(n, *order, &rounds);
            means.push(mean(&rounds).0);
            let _ = write!(text, " {} |", cell(&rounds));
            if let Some(expected) = expected(n, *order) {
                let _ = write!(text, " {expected:.2} |");
            }
        }
        text.push('\n');
    }
    fs::create_dir_all("docs/variants/measured").expect("writable");
    fs::write(TEXT, text + BELOW).expect("writable");
    fs::write(PICTURE, picture(&means)).expect("writable");
}
