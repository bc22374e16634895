//! The workloads, shared by the native program and the WebAssembly module that Node runs.

pub mod histories;
pub mod seek;
pub mod workloads;

/// Runs one workload by its number; returns the events it took. Node times this from outside.
#[unsafe(no_mangle)]
pub extern "C" fn run(workload: u32, size: u32) -> u32 {
    workloads::run(workload, size) as u32
}

thread_local! {
    static RIDE: std::cell::RefCell<Option<seek::Ride>> = const { std::cell::RefCell::new(None) };
}

/// Runs so many events, to go back and forth in with [`seek`].
#[unsafe(no_mangle)]
pub extern "C" fn ride(events: u32) {
    RIDE.set(Some(seek::Ride::new(u64::from(events))));
}

/// Goes to a random event; tells which.
#[unsafe(no_mangle)]
pub extern "C" fn seek() -> u32 {
    RIDE.with_borrow_mut(|ride| ride.as_mut().expect("a ride").go() as u32)
}
