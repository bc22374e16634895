//! Thousands of small random histories, decided by the checker and by brute force.

use super::brute_force::{Object, has_linearization, starts};
use quorumscope::judge::linearizability::{
    Call, Counterexample, History, Limits, Model, Operation, Recorder, Value, Verdict, judge,
};
use quorumscope::sim::rng::Rng;
use std::collections::VecDeque;

/// Kinds of random histories.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Registers to which no value is written twice, decided by zones.
    UniqueWrites,
    Register,
    Text,
    Lock,
    FencedLock,
    Queue,
    /// Queues into which no item is put twice, decided by queue patterns.
    UniqueItems,
}

fn object(kind: Kind) -> Object {
    match kind {
        Kind::Text => Object::Text(None),
        Kind::Queue | Kind::UniqueItems => Object::Queue(VecDeque::new()),
        Kind::FencedLock => Object::Fence { granted: 0, stored: 0 },
        _ => Object::Register(0),
    }
}

fn pick(rng: &mut Rng, most: u64) -> u32 {
    rng.between(0, most) as u32
}

/// A random history with random results, drawn from few values so that both verdicts are common.
fn generate(kind: Kind, rng: &mut Rng) -> History {
    let mut recorder = Recorder::default();
    let values: Vec<Value> = match kind {
        Kind::Text => ["\"a\"", "\"b\"", "\"ab\"", "\"aa\""].iter().map(|text| recorder.value(text)).collect(),
        _ => (1..=6).map(|number| recorder.value(&number.to_string())).collect(),
    };
    let key = recorder.key("0");
    let size = rng.between(2, 7);
    let mut written = 0;
    let unique = matches!(kind, Kind::UniqueWrites | Kind::UniqueItems);
    let mut open: Vec<(u32, Call)> = Vec::new();
    let mut begun = 0;
    while begun < size || !open.is_empty() {
        if begun < size && (open.is_empty() || open.len() < 4 && rng.chance(450)) {
            // A process that is free.
            let process = (0..8).find(|process| open.iter().all(|(other, _)| other != process)).expect("one of eight");
            let some = |rng: &mut Rng| values[pick(rng, if kind == Kind::Text { 3 } else { 2 }) as usize];
            let call = match (kind, pick(rng, 5)) {
                (Kind::UniqueWrites, 0..=2) => {
                    written += 1;
                    Call::Write(values[(written - 1) % values.len()])
                }
                (Kind::UniqueWrites, _) => Call::Read(None),
                (Kind::Register | Kind::Text, 0..=1) => Call::Read(None),
                (Kind::Register, 2..=3) => Call::Write(some(rng)),
                (Kind::Text, 2) => Call::Write(some(rng)),
                (Kind::Text, 3..=4) => Call::Append(values[pick(rng, 1) as usize]),
                (Kind::Register | Kind::Text, _) => Call::CompareAndSet { expect: some(rng), value: some(rng) },
                (Kind::Lock, 0..=3) => Call::CompareAndSet { expect: Value::NOTHING, value: Value(process + 1) },
                (Kind::Lock, _) => Call::CompareAndSet { expect: Value(process + 1), value: Value::NOTHING },
                (Kind::FencedLock, 0..=2) => Call::Grant(None),
                (Kind::FencedLock, 3..=4) => Call::Store(pick(rng, 2) + 1),
                (Kind::FencedLock, _) => Call::Release(pick(rng, 2) + 1),
                (Kind::Queue, 0..=2) => Call::Enqueue(values[(pick(rng, 3)) as usize]),
                (Kind::UniqueItems, 0..=2) => {
                    written += 1;
                    Call::Enqueue(values[(written - 1) % values.len()])
                }
                (Kind::Queue | Kind::UniqueItems, _) => Call::Dequeue(None),
            };
            recorder.invoke(process, key, call, None).expect("it is free");
            open.push((process, call));
            begun += 1;
        } else {
            let (process, call) = open.swap_remove(pick(rng, open.len() as u64 - 1) as usize);
            let seen = match pick(rng, 6) {
                0 => Value::NOTHING,
                _ => values[pick(rng, if unique { (written as u64).min(5) } else { 3 }) as usize],
            };
            let outcome = match call {
                Call::Read(_) => Call::Read(Some(seen)),
                Call::Dequeue(_) => Call::Dequeue(Some(seen)),
                Call::Grant(_) => Call::Grant(Some(pick(rng, 2) + 1)),
                other => other,
            };
            match pick(rng, 9) {
                0..=1 => recorder.info(process, None),
                2 => recorder.fail(process, None),
                _ => recorder.ok(process, outcome, None),
            }
            .expect("it waits");
        }
    }
    recorder.finish()
}

fn model(kind: Kind) -> Model {
    match kind {
        Kind::UniqueWrites => Model::Register,
        Kind::Register => Model::CasRegister,
        Kind::Text => Model::KeyValue,
        Kind::Lock => Model::Lock,
        Kind::FencedLock => Model::FencedLock,
        Kind::Queue | Kind::UniqueItems => Model::Queue,
    }
}

/// Checks that both verdicts agree; returns whether the history is linearizable.
fn compare(kind: Kind, history: &History, name: &str) -> bool {
    let texts = history.values.texts();
    let truth = has_linearization(&object(kind), &history.operations, texts);
    let judgement = judge(history, model(kind), Limits::default());
    match judgement.verdict {
        Verdict::Linearizable => assert!(truth, "{name}: there is no linearization\n{:#?}", history.operations),
        Verdict::Undecided { .. } => panic!("{name}: undecided"),
        Verdict::Violated(counterexample) => {
            assert!(!truth, "{name}: there is a linearization\n{:#?}", history.operations);
            check_counterexample(kind, &counterexample, texts, name);
            assert!(counterexample.minimal || kind == Kind::Text);
        }
    }
    truth
}

/// Checks that a counterexample has no linearization from any state it may begin in, and that every operation marked as needed is.
fn check_counterexample(kind: Kind, counterexample: &Counterexample, texts: &[String], name: &str) {
    let possible = |operations: &[Operation]| {
        let starts = starts(&object(kind), operations, texts, counterexample.from_start);
        starts.iter().any(|start| has_linearization(start, operations, texts))
    };
    let mut operations: Vec<Operation> = counterexample.operations.iter().map(|shown| shown.operation).collect();
    assert!(!possible(&operations), "{name}: the counterexample has a linearization\n{operations:#?}");
    for (operation, shown) in operations.iter_mut().zip(&counterexample.operations) {
        if !shown.needed {
            operation.response = None;
        }
    }
    assert!(!possible(&operations), "{name}: something is needed after all\n{operations:#?}");
    for at in (0..operations.len()).filter(|at| counterexample.minimal && counterexample.operations[*at].needed) {
        let mut weaker = operations.to_vec();
        if weaker[at].call.is_read_only() {
            weaker.remove(at);
        } else {
            weaker[at].response = None;
        }
        assert!(possible(&weaker), "{name}: operation {at} of the counterexample is not needed\n{operations:#?}");
    }
}

fn check_random(kind: Kind, count: u64) {
    let mut linearizable = 0;
    for seed in 0..count {
        let history = generate(kind, &mut Rng::stream(seed, "history", kind as u64));
        linearizable += u64::from(compare(kind, &history, &format!("{kind:?} {seed}")));
    }
    // Both verdicts must be common, or the test would show nothing.
    assert!(
        (count / 20..count - count / 20).contains(&linearizable),
        "{kind:?}: {linearizable} of {count} are linearizable"
    );
}

#[test]
fn zones_random_registers_agree_with_brute_force() {
    check_random(Kind::UniqueWrites, 20_000);
}

#[test]
fn search_random_registers_agree_with_brute_force() {
    check_random(Kind::Register, 20_000);
}

#[test]
fn search_random_texts_agree_with_brute_force() {
    check_random(Kind::Text, 8_000);
}

#[test]
fn search_random_locks_agree_with_brute_force() {
    check_random(Kind::Lock, 8_000);
}

#[test]
fn search_random_fenced_locks_agree_with_brute_force() {
    check_random(Kind::FencedLock, 12_000);
}

#[test]
fn search_random_queues_agree_with_brute_force() {
    check_random(Kind::Queue, 12_000);
}

#[test]
fn queue_patterns_random_queues_agree_with_brute_force() {
    check_random(Kind::UniqueItems, 30_000);
}
