//! Every service on every log variant under faults: client histories conform to the service's model, and ablated variants violate it.

use super::common::{blueprint, closed, even_topology, with, without};
use super::promises_one_log;
use super::simulated::{fault_phase, verdict};
use quorumscope::core::{Micros, Op, Outcome, RuleId};
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

/// Clusters with frequent snapshots, so that service state is transferred by them.
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

/// Leases that never expire; clients neither stall nor die.
const FOR_EVER: Holding = Holding { lease: 1_000_000, work: 20_000, stall_permille: 0, stall: 0, die_permille: 0 };
/// Short leases; clients stall and die.
const SHORT: Holding = Holding { lease: 300, work: 200_000, stall_permille: 300, stall: 2 * SECOND, die_permille: 100 };

/// Checks all log variants over many seeds: properties hold, and histories conform to the model and survive the text format. Returns the
/// number of operations.
fn check_service(service: Service, model: Model) -> usize {
    let mut operations = 0;
    for variant in variants().iter().filter(|variant| promises_one_log(variant)) {
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
                    (operation.invocation, operation.response, model.value(operation.call, &history.values))
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
fn store_service_under_faults_is_linearizable() {
    let service = Service::KeyValue { swap_permille: 400, own_permille: 0 };
    assert!(check_service(service, Model::CasRegister) > 2_000);
}

#[test]
fn queue_service_under_faults_is_linearizable() {
    assert!(check_service(Service::Queue(FOR_EVER), Model::Queue) > 1_000);
}

#[test]
fn configuration_service_under_faults_is_linearizable() {
    assert!(check_service(Service::Config, Model::CasRegister) > 2_000);
}

#[test]
fn fenced_lock_holders_stall_and_die_is_linearizable() {
    assert!(check_service(Service::Lock { holding: SHORT, fenced: true }, Model::FencedLock) > 300);
}

/// The history as one of a plain lock: acquiring finds no holder.
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
fn lock_leases_never_expire_behaves_as_plain_lock() {
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
fn lock_without_fencing_violates_property_and_history() {
    let mut caught = (0, 0);
    for seed in 0..SEEDS {
        let raft = variant("raft").expect("it is there");
        let service = Service::Lock { holding: SHORT, fenced: false };
        let mut universe = raft.boot(&cluster(raft, service, seed)).expect("it boots");
        let history = fault_phase(&mut *universe, seed).expect("a model knows it");
        caught.0 += usize::from(universe.violations().iter().any(|found| found.property == "One holder at a time"));
        let Verdict::Violated(counterexample) = verdict(&history, Model::FencedLock) else { continue };
        caught.1 += 1;
        assert_eq!(counterexample.operations.len(), 2, "seed {seed}: {counterexample:?}");
    }
    assert!(caught.0 >= 4 && caught.1 >= 4, "{caught:?} of {SEEDS}");
}

/// Number of seeds for which Raft without `rule` violates the service's model.
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
fn ablated_raft_violates_service_models() {
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
        cluster.deliveries().expect("queues").first_violation().is_some()
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

/// Completed operations: invocation and response time, client, command and outcome.
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
fn broadcast_delivers_one_order_to_all_clients() {
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
fn barrier_passes_only_after_all_parties_arrived() {
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
        // Arrivals by round: no party may pass before the last one of its round.
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

fn first_violation(recorded: &[HistoryRecord]) -> Option<Micros> {
    Deliveries::of(recorded).expect("queues").first_violation()
}

#[test]
fn queue_short_leases_redeliver_in_order_until_acknowledged() {
    let (mut again, mut done) = (0, 0);
    for seed in 0..SEEDS {
        let (cluster, recorded) = recorded(Service::Queue(SHORT), seed);
        assert_eq!(cluster.violations(), [], "seed {seed}");
        assert_eq!(first_violation(&recorded), None, "seed {seed}");
        assert!(Deliveries::of(&recorded).expect("queues").may_redeliver(), "seed {seed}");
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
fn queue_leases_never_expire_no_redelivery() {
    for seed in 0..SEEDS {
        let seen = Deliveries::of(&recorded(Service::Queue(FOR_EVER), seed).1).expect("queues");
        assert!(!seen.may_redeliver() && seen.first_violation().is_none() && seen.operations() > 50, "seed {seed}");
    }
    assert!(Deliveries::of(&recorded(Service::Config, 0).1).is_none(), "no queue");
}

/// The records with the `nth` outcome selected by `sort` replaced by `what` of it.
fn altered(
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

#[test]
fn delivery_checker_detects_altered_outcomes() {
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
            late += usize::from(first_violation(&altered(&recorded, refused, nth, |_| Outcome::Done)).is_some());
        }
        for nth in 0..told(took) {
            let other = |change: fn(u32, u32) -> (u32, u32)| {
                first_violation(&altered(&recorded, took, nth, |outcome| match outcome {
                    Outcome::Took { ticket, item } => {
                        let (ticket, item) = change(ticket, item);
                        Outcome::Took { ticket, item }
                    }
                    other => other,
                }))
            };
            taken += 1;
            assert_ne!(other(|ticket, _| (ticket, u32::MAX)), None, "seed {seed}: made up");
            // The last deliveries of a run cannot be checked: nothing follows them.
            twice += usize::from(other(|ticket, item| (ticket + 1, item)).is_some());
            out_of_order += usize::from(other(|ticket, item| (ticket + 10_000, item)).is_some());
            lost += usize::from(first_violation(&altered(&recorded, took, nth, |_| Outcome::Value(None))).is_some());
        }
        // As if the leases had been longer.
        let mut longer = recorded.clone();
        for recorded in &mut longer {
            if let HistoryEvent::Asked(Op::Take { lease, .. }) = &mut recorded.event {
                *lease *= 10;
            }
        }
        assert_ne!(first_violation(&longer), None, "seed {seed}: lent again before its time");
    }
    assert!(taken > 200 && late > 50, "{taken} {late}");
    assert!(
        [twice, out_of_order, lost].iter().all(|caught| caught * 10 > taken * 9),
        "{twice} {out_of_order} {lost} of {taken}"
    );
}

#[test]
fn store_nondeterministic_writes_are_detected_on_every_log() {
    for variant in variants().iter().filter(|variant| promises_one_log(variant)) {
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
