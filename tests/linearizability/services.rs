//! Every service on every log, under faults: what its clients see is what its model allows, and what is broken on purpose is caught.

use super::common::{blueprint, closed, even_topology, with, without};
use super::recorded::{fault_phase, verdict};
use quorumscope::core::{Micros, Op, Outcome, RuleId, Shots};
use quorumscope::judge::delivery::Deliveries;
use quorumscope::judge::linearizability::{Call, History, Model, Recorder, Value, Verdict};
use quorumscope::lab::history;
use quorumscope::protocols::raft::{self, Raft};
use quorumscope::sim::clients::{HistoryEvent, HistoryRecord};
use quorumscope::sim::{Blueprint, ClientGroup, Holding, Pace, Service, Skew};
use quorumscope::universe::{Cluster, Universe, Variant, variant, variants};
use std::collections::BTreeMap;

const SECOND: Micros = 1_000_000;
const SEEDS: u64 = 6;

/// Two groups at each of five sites: some write, some read.
fn clients(service: Service) -> Vec<ClientGroup> {
    let group = |(site, read_percent)| ClientGroup {
        service,
        keys: 2,
        read_percent,
        retry: SECOND / 4,
        pace: Pace::Closed { sessions: 1, think: 20_000 },
        skew: Skew::Zipf { hundredths: 99 },
        ..closed(site, 1)
    };
    (0..5).flat_map(|site| [(site, 20), (site, 80)]).map(group).collect()
}

/// Clusters that take a snapshot all the time, so that state passes through them.
fn cluster(variant: &Variant, service: Service, seed: u64) -> Blueprint {
    let settings = quorumscope::core::Settings::defaults(variant.settings);
    let mut blueprint = Blueprint { settings, ..blueprint::<Raft>(even_topology(5, 20_000, 200), seed) };
    if let Some(every) = variant.settings.iter().position(|setting| setting.key == "snapshot_every") {
        blueprint.settings.set(quorumscope::core::SettingId(every as u8), 20);
    }
    blueprint.clients = clients(service);
    blueprint.topology.jitter_permille = 300;
    blueprint
}

/// A lease that nobody outlasts, and nobody stalls or dies.
const FOR_EVER: Holding = Holding { lease: 1_000_000, work: 20_000, stall_permille: 0, stall: 0, die_permille: 0 };
/// A short one, and trouble.
const SHORT: Holding = Holding { lease: 300, work: 200_000, stall_permille: 300, stall: 2 * SECOND, die_permille: 100 };

/// Every log, many seeds: all properties hold, and the history is as the model allows. Tells how many operations there were.
fn all_well(service: Service, model: Model) -> usize {
    let mut operations = 0;
    for variant in variants().iter().filter(|variant| variant.card.shots == Shots::Log) {
        for seed in 0..SEEDS {
            let mut universe = variant.boot(&cluster(variant, service, seed)).expect("it boots");
            let history = fault_phase(&mut *universe, seed).expect("a model knows it");
            let name = format!("{} seed {seed}", variant.card.key);
            assert_eq!(universe.violations(), [], "{name}");
            assert_eq!(verdict(&history, model), Verdict::Linearizable, "{name}");
            let written = history::write(&history, model);
            let read = history::read(&written, model).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            let known = |history: &History| {
                let text = |operation: &quorumscope::judge::linearizability::Operation| {
                    (operation.invoked, operation.answered, model.value(operation.call, &history.values))
                };
                history.operations.iter().map(text).collect::<Vec<_>>()
            };
            assert_eq!(known(&read), known(&history), "{name}: what is written reads back");
            operations += history.operations.len();
        }
    }
    operations
}

#[test]
fn stores() {
    let service = Service::KeyValue { swap_permille: 400, own_permille: 0 };
    assert!(all_well(service, Model::CasRegister) > 2_000);
}

#[test]
fn queues() {
    assert!(all_well(Service::Queue(FOR_EVER), Model::Queue) > 1_000);
}

#[test]
fn configurations() {
    assert!(all_well(Service::Config, Model::CasRegister) > 2_000);
}

#[test]
fn locks_whose_holders_stall_and_die() {
    assert!(all_well(Service::Lock { holding: SHORT, fenced: true }, Model::FencedLock) > 300);
}

/// The same as a plain lock: who acquires it finds nobody there.
fn as_plain_lock(history: &History) -> History {
    let mut recorder = Recorder::default();
    let mut plain = history.clone();
    plain.operations.retain(|operation| !matches!(operation.call, Call::Store(_)));
    for operation in &mut plain.operations {
        let holder = recorder.value(&format!("\"{}\"", operation.process));
        operation.call = match operation.call {
            Call::Grant(_) => Call::CompareAndSet { expect: Value::NOTHING, value: holder },
            _ => Call::CompareAndSet { expect: holder, value: Value::NOTHING },
        };
    }
    plain.values = recorder.finish().values;
    plain
}

#[test]
fn locks_without_end_are_plain_locks() {
    let mut granted = 0;
    for seed in 0..SEEDS {
        let raft = variant("raft").expect("it is there");
        let service = Service::Lock { holding: FOR_EVER, fenced: true };
        let mut universe = raft.boot(&cluster(raft, service, seed)).expect("it boots");
        let history = fault_phase(&mut *universe, seed).expect("a model knows it");
        assert_eq!(verdict(&as_plain_lock(&history), Model::Lock), Verdict::Linearizable, "seed {seed}");
        granted += history.operations.iter().filter(|operation| matches!(operation.call, Call::Grant(_))).count();
    }
    assert!(granted > 200, "{granted}");
}

#[test]
fn without_fencing_two_holders_are_caught_twice() {
    let mut caught = (0, 0);
    for seed in 0..SEEDS {
        let raft = variant("raft").expect("it is there");
        let service = Service::Lock { holding: SHORT, fenced: false };
        let mut universe = raft.boot(&cluster(raft, service, seed)).expect("it boots");
        let history = fault_phase(&mut *universe, seed).expect("a model knows it");
        caught.0 += usize::from(universe.violations().iter().any(|found| found.property == "One holder at a time"));
        let Verdict::Violated(window) = verdict(&history, Model::FencedLock) else { continue };
        caught.1 += 1;
        assert_eq!(window.operations.len(), 2, "seed {seed}: {window:?}");
    }
    assert!(caught.0 >= 4 && caught.1 >= 4, "{caught:?} of {SEEDS}");
}

/// How many of some seeds show that Raft without this rule breaks the service.
fn broken(service: Service, model: Model, rule: &str, settings: &[(quorumscope::core::SettingId, u64)]) -> u64 {
    let raft = variant("raft").expect("it is there");
    let place = raft.rules().iter().position(|known| known.key == rule).expect("a rule of Raft");
    let caught = |seed: &u64| {
        let blueprint = without(with(cluster(raft, service, *seed), settings), RuleId(place as u8));
        let mut universe = raft.boot(&blueprint).expect("settings fit");
        let history = fault_phase(&mut *universe, *seed).expect("a model knows it");
        matches!(verdict(&history, model), Verdict::Violated(_))
    };
    (0..3 * SEEDS).filter(caught).count() as u64
}

#[test]
fn broken_logs_are_caught_by_their_services() {
    let stale = [(raft::SETTING_READS, 1), (raft::SETTING_CHECK_QUORUM, 0)];
    assert!(broken(Service::Config, Model::CasRegister, "read-index", &stale) >= 2, "stale configuration");
    let forgotten = [(raft::SETTING_SNAPSHOT_EVERY, 0), (raft::SETTING_CHECK_QUORUM, 0)];
    assert!(broken(Service::Queue(FOR_EVER), Model::Queue, "up-to-date", &forgotten) >= 2, "lost items");
    let again = (0..3 * SEEDS).filter(|seed| {
        let raft = variant("raft").expect("it is there");
        let place = raft.rules().iter().position(|known| known.key == "up-to-date").expect("a rule of Raft");
        let blueprint = with(cluster(raft, Service::Queue(SHORT), *seed), &forgotten);
        let mut cluster = Cluster::of::<Raft>(&without(blueprint, RuleId(place as u8))).expect("it boots");
        fault_phase(&mut cluster, *seed);
        cluster.deliveries().expect("queues").flaw().is_some()
    });
    assert!(again.count() >= 2, "lost items of a queue where items come again");
    let holding = Service::Lock { holding: SHORT, fenced: true };
    assert!(broken(holding, Model::FencedLock, "up-to-date", &forgotten) >= 2, "tokens given twice");
}

fn recorded(service: Service, seed: u64) -> (Cluster, Vec<HistoryRecord>) {
    let raft = variant("raft").expect("it is there");
    let mut cluster = Cluster::of::<Raft>(&cluster(raft, service, seed)).expect("it boots");
    fault_phase(&mut cluster, seed);
    let recorded = cluster.world().recorded().copied().collect();
    (cluster, recorded)
}

/// What clients asked for along with what they were told, and when.
fn exchanges(recorded: &[HistoryRecord]) -> Vec<(Micros, Micros, quorumscope::core::ClientId, Op, Outcome)> {
    let mut asked = BTreeMap::new();
    let mut exchanges = Vec::new();
    for HistoryRecord { at, client, event } in recorded {
        match event {
            HistoryEvent::Asked(op) => drop(asked.insert(client, (*at, *op))),
            HistoryEvent::Told(outcome) => {
                let (since, op) = asked.remove(client).expect("nobody is told what was not asked");
                exchanges.push((since, *at, *client, op, *outcome));
            }
        }
    }
    exchanges
}

#[test]
fn broadcasts_are_delivered_in_the_same_order_everywhere() {
    let mut delivered = 0;
    for seed in 0..SEEDS {
        let (cluster, recorded) = recorded(Service::Broadcast, seed);
        assert_eq!(cluster.violations(), [], "seed {seed}");
        let mut order: BTreeMap<(u16, u32), u32> = BTreeMap::new();
        for (.., client, op, outcome) in exchanges(&recorded) {
            let (place, message) = match (op, outcome) {
                (Op::Publish { topic, message }, Outcome::Placed { position }) => ((topic, position), message),
                (Op::Deliver { topic, after }, Outcome::Value(Some(message))) => {
                    delivered += 1;
                    ((topic, after + 1), message)
                }
                _ => continue,
            };
            assert_eq!(*order.entry(place).or_insert(message), message, "seed {seed}: {client:?} at {place:?}");
        }
    }
    assert!(delivered > 500, "{delivered}");
}

#[test]
fn nobody_passes_a_barrier_before_all_have_come() {
    let mut passed = 0;
    for seed in 0..SEEDS {
        let parties = 10;
        let service = Service::Barrier { parties, work: 50_000 };
        let raft = variant("raft").expect("it is there");
        let mut blueprint = cluster(raft, service, seed);
        blueprint.clients.iter_mut().for_each(|group| group.keys = 1);
        let mut cluster = Cluster::of::<Raft>(&blueprint).expect("it boots");
        fault_phase(&mut cluster, seed);
        assert_eq!(cluster.violations(), [], "seed {seed}");
        // When each round's parties asked to come in: nobody may pass before the last of them.
        let mut came: BTreeMap<u32, Vec<Micros>> = BTreeMap::new();
        let mut asked = BTreeMap::new();
        let mut known: BTreeMap<_, u32> = BTreeMap::new();
        for HistoryRecord { at, client, event } in cluster.world().recorded() {
            match event {
                HistoryEvent::Asked(op) => {
                    if let Op::Arrive { .. } = op {
                        // It comes to the round after the one it passed last.
                        let round = known.get(client).map_or(0, |last| last + 1);
                        came.entry(round).or_default().push(*at);
                    }
                    asked.insert(client, *op);
                }
                HistoryEvent::Told(outcome) => match (asked[client], outcome) {
                    (Op::Arrive { .. }, Outcome::Arrived { generation }) => {
                        assert_eq!(*generation, known.get(client).map_or(0, |last| last + 1), "seed {seed}");
                        known.insert(client, *generation);
                    }
                    (Op::Passed { generation, .. }, Outcome::Done) => {
                        passed += 1;
                        assert_eq!(came[&generation].len(), usize::from(parties), "seed {seed}: round {generation}");
                    }
                    _ => {}
                },
            }
        }
    }
    assert!(passed > 200, "{passed}");
}

fn flaw(recorded: &[HistoryRecord]) -> Option<Micros> {
    Deliveries::of(recorded).expect("queues").flaw()
}

/// At least once, in order, and done with once only.
#[test]
fn no_item_is_lost_or_done_with_twice() {
    let (mut again, mut done) = (0, 0);
    for seed in 0..SEEDS {
        let (cluster, recorded) = recorded(Service::Queue(SHORT), seed);
        assert_eq!(cluster.violations(), [], "seed {seed}");
        assert_eq!(flaw(&recorded), None, "seed {seed}");
        assert!(Deliveries::of(&recorded).expect("queues").may_repeat(), "seed {seed}");
        let mut taken: BTreeMap<u32, u32> = BTreeMap::new();
        for (.., op, outcome) in exchanges(&recorded) {
            match (op, outcome) {
                (Op::Take { .. }, Outcome::Took { item, .. }) => *taken.entry(item).or_default() += 1,
                (Op::Ack { .. }, Outcome::Done) => done += 1,
                _ => {}
            }
        }
        again += taken.values().filter(|times| **times > 1).count();
    }
    assert!(again > 20 && done > 100, "{again} came again, {done} done with");
}

#[test]
fn where_no_lease_ends_nothing_comes_again() {
    for seed in 0..SEEDS {
        let seen = Deliveries::of(&recorded(Service::Queue(FOR_EVER), seed).1).expect("queues");
        assert!(!seen.may_repeat() && seen.flaw().is_none() && seen.operations() > 50, "seed {seed}");
    }
    assert!(Deliveries::of(&recorded(Service::Config, 0).1).is_none(), "no queue");
}

/// What was heard, but for one answer of some sort: the nth is another one.
fn instead(
    recorded: &[HistoryRecord],
    sort: fn(Outcome) -> bool,
    nth: usize,
    what: impl Fn(Outcome) -> Outcome,
) -> Vec<HistoryRecord> {
    let mut changed = recorded.to_vec();
    let mut answers = changed.iter_mut().filter_map(|recorded| match &mut recorded.event {
        HistoryEvent::Told(outcome) if sort(*outcome) => Some(outcome),
        _ => None,
    });
    let answer = answers.nth(nth).expect("as many");
    *answer = what(*answer);
    changed
}

/// What queues that are broken in one way each would have told.
#[test]
fn whatever_a_queue_tells_that_cannot_be_is_caught() {
    let took = |outcome| matches!(outcome, Outcome::Took { .. });
    let refused = |outcome| outcome == Outcome::Refused;
    let (mut taken, mut late, mut twice, mut out_of_order, mut lost) = (0, 0, 0, 0, 0);
    for seed in 0..SEEDS {
        let (_, recorded) = recorded(Service::Queue(SHORT), seed);
        let told = |sort: fn(Outcome) -> bool| {
            recorded
                .iter()
                .filter(|recorded| matches!(recorded.event, HistoryEvent::Told(outcome) if sort(outcome)))
                .count()
        };
        for nth in 0..told(refused) {
            late += usize::from(flaw(&instead(&recorded, refused, nth, |_| Outcome::Done)).is_some());
        }
        for nth in 0..told(took) {
            let other = |change: fn(u32, u32) -> (u32, u32)| {
                flaw(&instead(&recorded, took, nth, |outcome| match outcome {
                    Outcome::Took { ticket, item } => {
                        let (ticket, item) = change(ticket, item);
                        Outcome::Took { ticket, item }
                    }
                    other => other,
                }))
            };
            taken += 1;
            assert_ne!(other(|ticket, _| (ticket, u32::MAX)), None, "seed {seed}: made up");
            // Of the last ones nobody can tell: nothing came after them.
            twice += usize::from(other(|ticket, item| (ticket + 1, item)).is_some());
            out_of_order += usize::from(other(|ticket, item| (ticket + 10_000, item)).is_some());
            lost += usize::from(flaw(&instead(&recorded, took, nth, |_| Outcome::Value(None))).is_some());
        }
        // Promised for longer than it was.
        let mut longer = recorded.clone();
        for recorded in &mut longer {
            if let HistoryEvent::Asked(Op::Take { lease, .. }) = &mut recorded.event {
                *lease *= 10;
            }
        }
        assert_ne!(flaw(&longer), None, "seed {seed}: lent again before its time");
    }
    assert!(taken > 200 && late > 50, "{taken} {late}");
    assert!(
        [twice, out_of_order, lost].iter().all(|caught| caught * 10 > taken * 9),
        "{twice} {out_of_order} {lost} of {taken}"
    );
}

#[test]
fn made_up_values_are_caught_on_every_log() {
    for variant in variants().iter().filter(|variant| variant.card.shots == Shots::Log) {
        for seed in 0..SEEDS {
            let service = Service::KeyValue { swap_permille: 0, own_permille: 50 };
            let mut universe = variant.boot(&cluster(variant, service, seed)).expect("it boots");
            fault_phase(&mut *universe, seed);
            let caught = |node: &quorumscope::judge::Violation| node.property == "Same prefix, same state";
            assert!(universe.violations().iter().all(caught), "{} seed {seed}", variant.card.key);
            assert!(!universe.violations().is_empty(), "{} seed {seed}", variant.card.key);
        }
    }
}
