//! Work on a range of seeds with several threads, with the results in the order of seeds.
//!
//! Seed `s` is run by thread `s mod jobs`. Each thread has a bounded queue of results, so memory does not depend on the number of seeds, and
//! the results do not depend on the number of threads.

use std::num::NonZero;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

/// Results that a thread may be ahead of the others.
const AHEAD: usize = 64;

/// The number of threads to use: as asked for, or that of processors.
pub fn jobs(asked: Option<NonZero<u16>>) -> usize {
    asked.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), |jobs| jobs.get().into())
}

/// Calls `work` for each seed on `jobs` threads and passes the results to `consume` in the order of seeds, until it breaks. If `work` panics, the
/// command that `again` gives for its seed is printed.
pub fn in_order<T: Send, B>(
    seeds: Range<u64>,
    jobs: usize,
    again: impl Fn(u64) -> String + Send + Sync + 'static,
    work: impl Fn(u64) -> T + Sync,
    mut consume: impl FnMut(u64, T) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let jobs = jobs.clamp(1, usize::try_from(seeds.end - seeds.start).unwrap_or(usize::MAX).max(1));
    let running: Arc<Vec<AtomicU64>> = Arc::new((0..jobs).map(|_| AtomicU64::new(0)).collect());
    report_seed_on_panic(Arc::clone(&running), again);
    thread::scope(|scope| {
        let mut queues = Vec::new();
        for worker in 0..jobs {
            let (sender, results) = mpsc::sync_channel(AHEAD);
            queues.push(results);
            let (seeds, work, running) = (seeds.clone(), &work, Arc::clone(&running));
            let run = move || {
                for seed in seeds.skip(worker).step_by(jobs) {
                    running[worker].store(seed, Ordering::Relaxed);
                    // Nobody receives any more once `consume` has broken off.
                    if sender.send(work(seed)).is_err() {
                        break;
                    }
                }
            };
            thread::Builder::new()
                .name(format!("worker {worker}"))
                .spawn_scoped(scope, run)
                .expect("a thread can start");
        }
        for (seed, worker) in seeds.zip((0..jobs).cycle()) {
            // A thread ends early only by a panic, which the scope passes on.
            let Ok(result) = queues[worker].recv() else { break };
            consume(seed, result)?;
        }
        ControlFlow::Continue(())
    })
}

/// Has a panic in a worker print the command that runs its seed.
fn report_seed_on_panic(running: Arc<Vec<AtomicU64>>, again: impl Fn(u64) -> String + Send + Sync + 'static) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        let worker = thread::current().name().and_then(|name| name.strip_prefix("worker ")?.parse::<usize>().ok());
        if let Some(seed) = worker.and_then(|worker| running.get(worker)) {
            eprintln!("again: {}", again(seed.load(Ordering::Relaxed)));
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_seeds_for_any_number_of_threads() {
        for jobs in [1, 2, 3, 8, 500] {
            let mut seen = Vec::new();
            let done = in_order(
                5..205,
                jobs,
                |seed| seed.to_string(),
                |seed| seed * seed,
                |seed, square| {
                    seen.push((seed, square));
                    ControlFlow::<()>::Continue(())
                },
            );
            assert!(done.is_continue());
            assert_eq!(seen, (5..205).map(|seed| (seed, seed * seed)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn breaking_off_ends_all_threads() {
        let done = in_order(
            0..u64::MAX,
            3,
            |seed| seed.to_string(),
            |seed| seed,
            |seed, _| if seed == 10 { ControlFlow::Break(seed) } else { ControlFlow::Continue(()) },
        );
        assert_eq!(done, ControlFlow::Break(10));
    }
}
