//! Brute-force linearizability: the definition applied to every order. It shares nothing with the checker but the operations.

use quorumscope::judge::linearizability::{Call, Operation, Value};
use std::collections::{BTreeSet, VecDeque};

/// An object's state, written in the plainest way.
#[derive(Clone, PartialEq)]
pub enum Object {
    Register(u32),
    Text(Option<String>),
    Queue(VecDeque<u32>),
    Fence { granted: u32, stored: u32 },
}

/// The states in which a counterexample may begin.
pub fn starts(object: &Object, operations: &[Operation], texts: &[String], from_start: bool) -> Vec<Object> {
    if from_start {
        return vec![object.clone()];
    }
    let mut values = BTreeSet::from([0, 999_999]);
    for operation in operations {
        match operation.call {
            Call::Read(Some(Value(value))) | Call::Write(Value(value)) | Call::Append(Value(value)) => {
                values.insert(value);
            }
            Call::CompareAndSet { expect, value } => values.extend([expect.0, value.0]),
            _ => {}
        }
    }
    match object {
        Object::Register(_) => values.into_iter().map(Object::Register).collect(),
        Object::Text(_) => {
            // Every beginning of every text.
            let mut starts = vec![Object::Text(None), Object::Text(Some("something else".to_owned()))];
            for text in values.iter().filter_map(|value| text_of(*value, texts)) {
                starts.extend((0..=text.len()).map(|end| Object::Text(Some(text[..end].to_owned()))));
            }
            starts
        }
        Object::Fence { .. } => {
            let states = (0..6).flat_map(|granted| (0..=granted).map(move |stored| (granted, stored)));
            states.map(|(granted, stored)| Object::Fence { granted, stored }).collect()
        }
        Object::Queue(_) => panic!("a queue's counterexample begins in the initial state"),
    }
}

fn text_of(value: u32, texts: &[String]) -> Option<String> {
    texts.get(value as usize).filter(|_| value != 0).map(|json| json.trim_matches('"').to_owned())
}

impl Object {
    /// The state after `call`, if it is legal with this result.
    fn after(&self, call: Call, texts: &[String]) -> Option<Object> {
        match (self.clone(), call) {
            (Object::Queue(mut items), Call::Enqueue(Value(item))) => {
                items.push_back(item);
                Some(Object::Queue(items))
            }
            (Object::Queue(mut items), Call::Dequeue(found)) => {
                let item = items.pop_front().unwrap_or(0);
                found.is_none_or(|found| found.0 == item).then_some(Object::Queue(items))
            }
            (Object::Register(held), Call::Read(found)) => {
                found.is_none_or(|found| found.0 == held).then_some(Object::Register(held))
            }
            (Object::Register(_), Call::Write(Value(value))) => Some(Object::Register(value)),
            (Object::Register(held), Call::CompareAndSet { expect, value }) => {
                (held == expect.0).then_some(Object::Register(value.0))
            }
            (Object::Text(held), Call::Read(found)) => {
                found.is_none_or(|found| text_of(found.0, texts) == held).then_some(Object::Text(held))
            }
            (Object::Text(_), Call::Write(Value(value))) => Some(Object::Text(text_of(value, texts))),
            (Object::Text(held), Call::CompareAndSet { expect, value }) => {
                (held == text_of(expect.0, texts)).then_some(Object::Text(text_of(value.0, texts)))
            }
            (Object::Text(held), Call::Append(Value(value))) => {
                Some(Object::Text(Some(held.unwrap_or_default() + &text_of(value, texts).unwrap_or_default())))
            }
            (Object::Fence { granted, stored }, Call::Grant(Some(token))) => {
                (token > granted).then_some(Object::Fence { granted: token, stored })
            }
            (Object::Fence { granted, stored }, Call::Store(token)) => {
                (stored <= token && token <= granted).then_some(Object::Fence { granted, stored: token })
            }
            (Object::Fence { granted, stored }, Call::Release(token)) => {
                (token <= granted).then_some(Object::Fence { granted, stored })
            }
            _ => None,
        }
    }
}

/// Whether `operations` have a linearization from `object`, with any subset of the pending ones.
///
/// Every value is tried for unknown tokens.
pub fn has_linearization(object: &Object, operations: &[Operation], texts: &[String]) -> bool {
    if let Some(unknown) = operations.iter().position(|operation| operation.call == Call::Grant(None)) {
        return (1..6).any(|token| {
            let mut operations = operations.to_vec();
            operations[unknown].call = Call::Grant(Some(token));
            has_linearization(object, &operations, texts)
        });
    }
    has_linearization_of_known(object, operations, texts)
}

fn has_linearization_of_known(object: &Object, operations: &[Operation], texts: &[String]) -> bool {
    if operations.iter().all(|operation| operation.response.is_none()) {
        return true;
    }
    (0..operations.len()).any(|first| {
        let operation = operations[first];
        // Operations that responded before its invocation precede it.
        let is_candidate =
            operations.iter().all(|other| other.response.is_none_or(|answered| answered > operation.invocation));
        let mut others = operations.to_vec();
        others.remove(first);
        is_candidate
            && object
                .after(operation.call, texts)
                .is_some_and(|after| has_linearization_of_known(&after, &others, texts))
    })
}
