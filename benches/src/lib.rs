//! The workloads, shared by the native program and the WebAssembly module that Node runs.

pub mod histories;
pub mod workloads;

/// Runs one workload by its number; returns the events it took. Node times this from outside.
#[unsafe(no_mangle)]
pub extern "C" fn run(workload: u32, size: u32) -> u32 {
    workloads::run(workload, size) as u32
}
