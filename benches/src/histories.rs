//! Generator of key-value histories like those of Jepsen's etcd tests: concurrent processes read, write and compare-and-set few values of few
//! keys, and some operations time out with an indeterminate outcome.

use quorumscope::judge::linearizability::{Call, History, Recorder, Value};
use quorumscope::sim::rng::Rng;
use std::collections::VecDeque;

/// Parameters of a history.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Number of operations.
    pub operations: u32,
    /// Number of concurrent processes.
    pub processes: u32,
    /// Number of keys.
    pub keys: u32,
    /// Number of different values.
    pub values: u32,
    /// Operations that time out, thousandths.
    pub unanswered: u16,
    /// Position, thousandths of the history, of one stale read (the value forty changes before); `None`: no such read.
    pub stale: Option<u32>,
    /// Position, thousandths of the history, from which every other process works on its own copy (split brain); `None`: never.
    pub split: Option<u32>,
}

#[derive(Clone, Copy)]
struct Waiting {
    name: u32,
    key: usize,
    call: Call,
    /// Outcome: `Some(None)` is a failure.
    outcome: Option<Option<Call>>,
}

/// State of a key, and its earlier values.
#[derive(Clone)]
struct Key {
    held: Value,
    before: VecDeque<Value>,
}

impl Key {
    fn apply(&mut self, call: Call) -> Option<Call> {
        let value = match call {
            Call::Read(_) => return Some(Call::Read(Some(self.held))),
            Call::CompareAndSet { expect, .. } if expect != self.held => return None,
            Call::CompareAndSet { value, .. } | Call::Write(value) => value,
            other => return Some(other),
        };
        if value != self.held {
            self.before.push_back(self.held);
            if self.before.len() > 40 {
                self.before.pop_front();
            }
            self.held = value;
        }
        Some(call)
    }
}

/// Generates a history.
pub fn record(shape: Shape, seed: u64) -> History {
    let mut rng = Rng::stream(seed, "history", 0);
    let mut recorder = Recorder::default();
    let values: Vec<Value> = (0..shape.values).map(|value| recorder.value(&value.to_string())).collect();
    let keys: Vec<u32> = (0..shape.keys).map(|key| recorder.key(&key.to_string())).collect();
    let mut copy: Option<Vec<Key>> = None;
    let mut real: Vec<Key> = keys.iter().map(|_| Key { held: Value::NOTHING, before: VecDeque::new() }).collect();
    let mut waiting: Vec<Option<Waiting>> = vec![None; shape.processes as usize];
    // Timed-out operations that may still take effect.
    let mut late: Vec<Waiting> = Vec::new();
    let (mut asked, mut names) = (0, 0);
    let mut stale = shape.stale.map(|at| u64::from(at) * u64::from(shape.operations) / 1_000);
    let pick = |rng: &mut Rng, most: u32| rng.between(0, u64::from(most) - 1) as usize;
    let split = shape.split.map(|at| u64::from(at) * u64::from(shape.operations) / 1_000);
    while asked < shape.operations || waiting.iter().any(Option::is_some) {
        if !late.is_empty() && rng.chance(5) {
            let Waiting { key, call, .. } = late.swap_remove(pick(&mut rng, late.len() as u32));
            real[key].apply(call);
        }
        let process = pick(&mut rng, shape.processes);
        match waiting[process] {
            None if asked < shape.operations => {
                let key = pick(&mut rng, shape.keys);
                let some = |rng: &mut Rng| values[pick(rng, shape.values)];
                let call = match rng.between(0, 2) {
                    0 => Call::Read(None),
                    1 => Call::Write(some(&mut rng)),
                    _ => Call::CompareAndSet { expect: some(&mut rng), value: some(&mut rng) },
                };
                let name = recorder.process(&names.to_string());
                names += 1;
                recorder.invoke(name, keys[key], call, None).expect("a new process waits for nothing");
                waiting[process] = Some(Waiting { name, key, call, outcome: None });
                asked += 1;
            }
            None => {}
            Some(one) if one.outcome.is_none() => {
                if rng.chance(shape.unanswered / 2) {
                    recorder.info(one.name, None).expect("it waits");
                    late.push(one);
                    waiting[process] = None;
                    continue;
                }
                if copy.is_none() && split.is_some_and(|at| u64::from(asked) >= at) {
                    copy = Some(real.clone());
                }
                let store = copy.as_mut().filter(|_| process % 2 == 1).unwrap_or(&mut real);
                let mut outcome = store[one.key].apply(one.call);
                if let (Some(at), Call::Read(_)) = (stale, one.call)
                    && u64::from(asked) >= at
                {
                    outcome = Some(Call::Read(real[one.key].before.front().copied()));
                    stale = None;
                }
                waiting[process] = Some(Waiting { outcome: Some(outcome), ..one });
            }
            Some(Waiting { name, outcome, .. }) => {
                waiting[process] = None;
                match outcome.flatten() {
                    _ if rng.chance(shape.unanswered / 2) => recorder.info(name, None),
                    None => recorder.fail(name, None),
                    Some(call) => recorder.ok(name, call, None),
                }
                .expect("it waits");
            }
        }
    }
    recorder.finish()
}
