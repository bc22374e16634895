//! Deterministic state machines, replicated by executing an agreed log.
//!
//! [`Machine`] is the state machine of every replica: a key-value store together with the usual services on top of consensus (locks, queues,
//! barriers, configuration, atomic broadcast). Which of them a run uses depends on its clients' commands alone.

mod barrier;
mod broadcast;
mod config;
mod lock;
mod machine;
mod queue;

pub use machine::Machine;

/// The element with index `key` of a list that grows as needed.
fn at<T: Default + Clone>(list: &mut Vec<T>, key: u16) -> &mut T {
    let key = usize::from(key);
    if list.len() <= key {
        list.resize(key + 1, T::default());
    }
    &mut list[key]
}
