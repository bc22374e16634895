//! Exhaustive exploration: counts of states that are known from elsewhere, and violations that must be found.

#![cfg(not(target_arch = "wasm32"))]

use quorumscope::core::node::Setup;
use quorumscope::core::{Protocol, RuleSet, SettingId, Settings};
use quorumscope::judge::explore::{Bounds, Explorer, Question, Times};
use quorumscope::protocols::notes::{self, Notes};
use std::collections::BTreeSet;

fn question<P: Protocol>(replicas: u8, settings: &[(SettingId, u64)], ablated: RuleSet, bounds: Bounds) -> Question {
    let mut chosen = Settings::defaults(P::SETTINGS);
    for &(id, value) in settings {
        chosen.set(id, value);
    }
    let setup = Setup { replicas, rtt_max: 1_000, settings: chosen, ablated };
    Question { setup, bounds, property: None }
}

fn explore<P: Protocol>(question: &Question) -> Explorer<P> {
    let mut explorer = Explorer::<P>::new(question).expect("the settings fit");
    explorer.advance(u32::MAX);
    explorer
}

#[test]
fn scratch() {
    for n in 3..=std::env::var("N").map_or(3, |n| n.parse().unwrap()) {
        for rep in [0, 1] {
            for (name, bounds) in [
                (
                    "sticky",
                    Bounds {
                        timers: Times::Any,
                        duplicates: Times::Any,
                        lost_kinds: std::env::var("LOST").map_or(0, |n| n.parse().unwrap()),
                        states: 20_000_000,
                        messages: 999,
                        ..Bounds::default()
                    },
                ),
                ("once", Bounds { timers: Times::Most(n), states: 20_000_000, ..Bounds::default() }),
            ] {
                let mut q = question::<Notes>(
                    n,
                    &[(notes::SETTING_WINNER_REFUSES, rep), (notes::SETTING_FOLLOWER_CANNOT_WIN, rep)],
                    RuleSet::EMPTY,
                    bounds,
                );
                if rep == 0 && std::env::var("ALL").is_ok() {
                    q.property = Some("none".into());
                }
                let t = std::time::Instant::now();
                let mut e = explore::<Notes>(&q);
                let mut seen = BTreeSet::new();
                for s in 0..e.states() {
                    seen.insert(
                        e.nodes(s)
                            .iter()
                            .map(|w| {
                                let w = w.unwrap();
                                (quorumscope::core::Node::glance(w).leader, w.party().0)
                            })
                            .collect::<Vec<_>>(),
                    );
                }
                println!(
                    "{n} {rep} {name} {:?} states {} explored {} depth {} hosts {} projected {} {:?} cuts {:?}",
                    e.verdict(),
                    e.states(),
                    e.explored(),
                    e.depth(),
                    e.node_states(),
                    seen.len(),
                    t.elapsed(),
                    e.cuts().names().collect::<Vec<_>>()
                );
                let _ = e.trace();
            }
        }
    }
}
