//! The workloads, shared by the native program and the WebAssembly module that Node runs.

pub mod histories;
pub mod travel;
pub mod workloads;

/// Runs one workload by its number; returns the events it took. Node times this from outside.
#[unsafe(no_mangle)]
pub extern "C" fn run(workload: u32, size: u32) -> u32 {
    workloads::run(workload, size) as u32
}

/// Plays a run for so many events, or the page's first scenario for so many seconds of simulated time; returns the events it took.
#[unsafe(no_mangle)]
pub extern "C" fn play(events: u32, seconds: u32) -> u32 {
    match seconds {
        0 => travel::play_events(u64::from(events)) as u32,
        _ => travel::play_time(u64::from(seconds) * 1_000_000) as u32,
    }
}

/// Goes to an event of that run.
#[unsafe(no_mangle)]
pub extern "C" fn go(event: u32) -> u32 {
    travel::go(u64::from(event)) as u32
}
