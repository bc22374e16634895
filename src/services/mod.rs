//! What runs on top of an agreed log: deterministic state machines.
//!
//! [`Machine`] is what a replica executes. It is a key-value store, and everything else that one builds on consensus besides: locks, queues,
//! barriers, configuration, broadcast. Which of them a run uses is up to what its clients ask for.

mod barrier;
mod broadcast;
mod config;
mod lock;
mod machine;
mod queue;

pub use machine::Machine;

/// Number `key` of a list that grows as needed.
fn at<T: Default + Clone>(list: &mut Vec<T>, key: u16) -> &mut T {
    let key = usize::from(key);
    if list.len() <= key {
        list.resize(key + 1, T::default());
    }
    &mut list[key]
}
