//! Reasons: every handler call that applies a rule says in full sentences what it does and why, and what they claim is so in the states.

#![cfg(not(target_arch = "wasm32"))]

use quorumscope::core::settings::EDITION;
use quorumscope::core::{Fact, NodeId, RuleSet, SettingKind, Told};
use quorumscope::lab::fuzz::FuzzRequest;
use quorumscope::lab::{Scenario, Value};
use quorumscope::protocols::{multi_paxos, raft};
use quorumscope::sim::recording::HandlerCall;
use quorumscope::universe::{self, Universe, Variant};
use std::collections::{BTreeMap, BTreeSet};

/// Seeds of each variant, each with the faults that it draws, and most events looked at of each.
const SEEDS: u64 = 30;
const EVENTS: u64 = 1_500;
/// Seeds of each option of a setting.
const OF_AN_OPTION: u64 = 8;

/// Runs a scenario and shows the simulation after every step.
fn each_step(scenario: &Scenario, mut see: impl FnMut(&dyn Universe)) {
    each_step_and_before(scenario, |_| (), |(), now| see(now));
}

/// The same, with what is kept of the simulation before the step.
fn each_step_and_before<T>(
    scenario: &Scenario,
    keep: impl Fn(&dyn Universe) -> T,
    mut see: impl FnMut(T, &dyn Universe),
) {
    let mut checked = scenario.check().unwrap_or_else(|problems| panic!("{problems}"));
    checked.blueprint.record_calls = true;
    checked.blueprint.keep_trace = 512;
    let mut universe = checked.boot().expect("it was checked");
    for _ in 0..EVENTS {
        let before = keep(&*universe);
        if !universe.step_until(checked.duration) {
            break;
        }
        see(before, &*universe);
    }
}

/// The scenario of a seed: places, settings and faults are drawn from it.
fn drawn(variant: &Variant, seed: u64, without: &[&str]) -> Scenario {
    drawn_with(variant, seed, without, BTreeMap::new())
}

/// The same with some settings.
fn drawn_with(variant: &Variant, seed: u64, without: &[&str], settings: BTreeMap<String, Value>) -> Scenario {
    let without = without.iter().map(|rule| (*rule).to_owned()).collect();
    let request = FuzzRequest { variant: variant.card.key.to_owned(), without, settings, ..FuzzRequest::default() };
    request.check().unwrap_or_else(|problems| panic!("{problems}")).run(seed).scenario
}

fn replay(variant: &Variant, seed: u64) -> String {
    format!("quorumscope fuzz {} --seed {seed} --runs 1", variant.card.key)
}

#[test]
fn every_sentence_names_its_facts_and_no_others() {
    let mut wrong = Vec::new();
    for variant in universe::variants() {
        let wording = variant.inspector.wording;
        for sentence in wording.sentences {
            let mut named: Vec<&str> =
                sentence.text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            named.sort_unstable();
            named.dedup();
            let mut declared = sentence.facts.to_vec();
            declared.sort_unstable();
            let first = sentence.text.trim_start_matches(": ").chars().next();
            if named != declared || first.is_none_or(char::is_uppercase) || sentence.text.ends_with('.') {
                wrong.push(format!("{}: {}", variant.card.key, sentence.text));
            }
        }
        for (index, rule) in (0..).zip(wording.rules) {
            if !wording.sentences.iter().any(|sentence| sentence.rule.0 == index) {
                wrong.push(format!("{}: rule {} has no sentence", variant.card.key, rule.key));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_call_that_applies_a_rule_says_so_in_full_sentences() {
    for variant in universe::variants() {
        let wording = variant.inspector.wording;
        let mut told = BTreeSet::new();
        // And some runs with each option of each setting, for few seeds draw it.
        let options = variant.settings.iter().flat_map(|setting| match setting.kind {
            SettingKind::Choice { options, .. } => {
                options.iter().map(|option| (setting.key.to_owned(), Value::Text((*option).to_owned()))).collect()
            }
            _ => Vec::new(),
        });
        let some_each =
            options.flat_map(|option| (0..OF_AN_OPTION).map(move |seed| (seed, BTreeMap::from([option.clone()]))));
        for (seed, settings) in (0..SEEDS).map(|seed| (seed, BTreeMap::new())).chain(some_each) {
            let edition = settings.contains_key(EDITION);
            each_step(&drawn_with(variant, seed, &[], settings), |now| {
                let applied = now.trace().records().rev().find(|(_, record)| record.what.is_handled());
                let handled: &[HandlerCall] = now.calls();
                let reasons: RuleSet = handled.iter().flat_map(|call| &call.told).map(|told| told.rule).fold(
                    RuleSet::EMPTY,
                    |mut rules, rule| {
                        rules.add(rule);
                        rules
                    },
                );
                if let (Some((_, record)), [call]) = (applied, handled)
                    && record.at == now.time()
                    && record.node == call.node
                {
                    assert!(
                        record.rules.minus(reasons).is_empty(),
                        "{}: a rule without a reason",
                        replay(variant, seed)
                    );
                }
                told.extend(handled.iter().flat_map(|call| &call.told).map(|told| told.sentence));
                for why in wording.why(now.reasons()) {
                    // An edition may do without a rule, and then the text begins with that.
                    let begins = why.text.starts_with(&format!("Node {:?} ", why.node))
                        || edition && why.text.starts_with("The rule “");
                    let whole = begins && why.text.ends_with('.');
                    let filled = !why.text.contains(['{', '}']) && !why.text.contains("  ") && !why.text.contains(" .");
                    assert!(whole && filled, "{}: {:?}", replay(variant, seed), why.text);
                }
            });
        }
        let untold: Vec<&str> = (0..)
            .zip(wording.sentences)
            .filter(|(index, _)| !told.contains(index))
            .map(|(_, sentence)| sentence.text)
            .collect();
        println!(
            "{}: {} of {} sentences told; not: {untold:#?}",
            variant.card.key,
            told.len(),
            wording.sentences.len()
        );
        assert!(untold.len() * 8 < wording.sentences.len(), "{}: hardly any sentence is told", variant.card.key);
    }
}

#[test]
fn rule_that_is_taken_away_is_told_as_such() {
    let variant = universe::variant("raft").expect("a variant");
    let mut told = 0;
    for seed in 0..SEEDS {
        each_step(&drawn(variant, seed, &["up-to-date"]), |now| {
            for why in variant.inspector.wording.why(now.reasons()) {
                told += u32::from(why.text.contains("is taken away here; with it, this is what would be done: node"));
                assert!(!why.text.contains("is no older than its own"), "{}: {}", replay(variant, seed), why.text);
            }
        });
    }
    assert!(told > 0, "no vote was given that the rule would have refused");
}

fn numbers(told: &Told) -> Vec<u64> {
    told.facts.iter().filter_map(|fact| if let Fact::Number(number) = fact { Some(*number) } else { None }).collect()
}

fn node(told: &Told) -> NodeId {
    let node = told.facts.iter().find_map(|fact| if let Fact::Node(node) = fact { *node } else { None });
    node.expect("the sentence names a node")
}

/// The last entry of a node's log: slot and term; `None` if it is in a snapshot.
fn last_entry(universe: &dyn Universe, id: NodeId) -> Option<(u64, u64)> {
    let last = universe.node(id).status?.log.last;
    match last {
        0 => Some((0, 0)),
        _ => Some((u64::from(last), u64::from(universe.entry(id, last)?.epoch.number))),
    }
}

/// What a vote, a refusal, an election and a commitment of Raft claim, in the states around them.
#[test]
fn what_raft_says_of_votes_elections_and_commitment_is_so() {
    let variant = universe::variant("raft").expect("a variant");
    let (mut votes, mut refusals, mut elections, mut commits) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        let logs = |universe: &dyn Universe| -> Vec<_> {
            (0..universe.nodes()).map(|id| last_entry(universe, NodeId(id))).collect()
        };
        each_step_and_before(&drawn(variant, seed, &[]), logs, |before, now| {
            for call in now.calls() {
                let HandlerCall { node: me, durable, .. } = call;
                for told in &call.told {
                    let about =
                        || format!("{}: {}", replay(variant, seed), variant.inspector.wording.sentence(*me, told));
                    let is = |sentence: u8| told.sentence == sentence;
                    let facts = numbers(told);
                    if is(raft::VOTES.sentence()) {
                        votes += 1;
                        assert!(durable.0.contains(&format!("vote: Some({:?})", node(told))), "{}", about());
                        assert!(durable.0.contains(&format!("term: {},", facts[0])), "{}", about());
                    } else if is(raft::CANDIDATE_IS_UP_TO_DATE.sentence()) || is(raft::REFUSES_OLDER_LOG.sentence()) {
                        let refused = is(raft::REFUSES_OLDER_LOG.sentence());
                        let (theirs, own) =
                            if refused { (&facts[2..4], &facts[0..2]) } else { (&facts[0..2], &facts[2..4]) };
                        refusals += u32::from(refused);
                        // The term first, then the slot.
                        assert_eq!((own[1], own[0]) > (theirs[1], theirs[0]), refused, "{}", about());
                        if let Some(last) = before[usize::from(me.0)] {
                            assert_eq!((own[0], own[1]), last, "{}", about());
                        }
                    } else if is(raft::LEADS.sentence()) {
                        elections += 1;
                        let status = now.node(*me).status.expect("it is up");
                        assert!(status.leads && u64::from(status.epoch.number) == facts[0], "{}", about());
                    } else if is(raft::COMMITS.sentence()) {
                        commits += 1;
                        let slot = facts[0] as u32;
                        let Some(Fact::Nodes(holders)) = told.facts.last() else { panic!("{}", about()) };
                        assert!(now.node(*me).status.is_none_or(|own| own.log.committed >= slot), "{}", about());
                        let own = now.entry(*me, slot);
                        for holder in holders.iter() {
                            // One that is down, has a snapshot or has been wiped shows no entry.
                            let theirs = now.entry(holder, slot);
                            assert!(
                                theirs.is_none()
                                    || own.is_none()
                                    || theirs.map(|it| it.command) == own.map(|it| it.command),
                                "{}",
                                about()
                            );
                        }
                    }
                }
            }
        });
    }
    let counted = [votes, refusals, elections, commits];
    assert!(counted.iter().all(|count| *count > 0), "votes, refusals, elections, commits: {counted:?}");
}

/// What acceptors of Multi-Paxos say that they promised.
#[test]
fn what_multi_paxos_says_of_promises_is_so() {
    let variant = universe::variant("multi-paxos").expect("a variant");
    let (mut promises, mut refusals, mut acceptances) = (0, 0, 0);
    for seed in 0..SEEDS {
        each_step(&drawn(variant, seed, &[]), |now| {
            for call in now.calls() {
                for told in &call.told {
                    let ballots: Vec<_> = told
                        .facts
                        .iter()
                        .filter_map(|fact| if let Fact::Ballot(it) = fact { Some(*it) } else { None })
                        .collect();
                    let about = || {
                        format!("{}: {}", replay(variant, seed), variant.inspector.wording.sentence(call.node, told))
                    };
                    let promised = |ballot| call.durable.0.contains(&format!("promised: {ballot:?},"));
                    if told.sentence == multi_paxos::PROMISES.sentence() {
                        promises += 1;
                        assert!(promised(ballots[0]) && ballots[0] > ballots[1], "{}", about());
                    } else if told.sentence == multi_paxos::REFUSES_TO_PROMISE.sentence()
                        || told.sentence == multi_paxos::REFUSES_LOWER.sentence()
                    {
                        refusals += 1;
                        assert!(promised(ballots[1]) && ballots[0] < ballots[1], "{}", about());
                    } else if told.sentence == multi_paxos::ACCEPTS.sentence() {
                        acceptances += 1;
                        assert!(promised(ballots[1]) && ballots[0] <= ballots[1], "{}", about());
                    }
                }
            }
        });
    }
    let counted = [promises, refusals, acceptances];
    assert!(counted.iter().all(|count| *count > 0), "promises, refusals, acceptances: {counted:?}");
}
