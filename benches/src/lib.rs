//! Benchmark workloads, shared by the native binary and the WebAssembly module for Node.js.

pub mod histories;
pub mod travel;
pub mod workloads;

/// Runs one workload by number; returns the number of events. Timed by the caller.
#[unsafe(no_mangle)]
pub extern "C" fn run(workload: u32, size: u32) -> u32 {
    workloads::run(workload, size) as u32
}

/// Plays a run of `events` events or, with `seconds` > 0, the page's first scenario for `seconds` of simulated time; returns the number of
/// events.
#[unsafe(no_mangle)]
pub extern "C" fn play(events: u32, seconds: u32) -> u32 {
    match seconds {
        0 => travel::play_events(u64::from(events)) as u32,
        _ => travel::play_time(u64::from(seconds) * 1_000_000) as u32,
    }
}

/// Seeks to an event of that run.
#[unsafe(no_mangle)]
pub extern "C" fn go(event: u32) -> u32 {
    travel::go(u64::from(event)) as u32
}
