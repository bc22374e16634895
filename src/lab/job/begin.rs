//! Begins any job. It takes all variants with their model checkers: a program that loads variants one by one begins its jobs itself.

use super::{Job, Work, fuzz, measuring, search};
use crate::lab::compare::CompareJob;
use crate::lab::link;
use crate::universe;

/// Begins a job. A slice of it may take minutes while a run is made smaller, so this is for a thread that has nothing else to do. The error says why
/// the job makes no sense.
pub fn begin(job: &Job) -> Result<Box<dyn Work>, String> {
    match job {
        Job::Measure { scenario, cells } => measure(scenario, cells),
        Job::Explore { of, replicas, bounds } => search::begin(of, *replicas, bounds),
        Job::Fuzz { of, seeds } => fuzz::begin(of, *seeds),
    }
}

/// Begins to measure these cells on this scenario. Variants that are not known are left out.
fn measure(scenario: &str, cells: &[(String, u8)]) -> Result<Box<dyn Work>, String> {
    let scenario = link::from_json(scenario).map_err(|problems| problems.to_string())?.scenario;
    let checked = scenario.check().map_err(|problems| problems.to_string())?;
    let tasks = cells.iter().filter_map(|(key, replicas)| Some((universe::variant(key)?, *replicas))).collect();
    Ok(measuring(CompareJob::of(&scenario, checked, tasks)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::job::{News, Subject, Verdict};

    /// All that is told of a job.
    fn told(job: &Job) -> Vec<News> {
        let mut told = Vec::new();
        let mut work = begin(job).expect("it makes sense");
        while !told.last().is_some_and(News::is_end) {
            work.advance(&mut |news| told.push(news));
        }
        told
    }

    fn subject(variant: &str, without: &[&str]) -> Subject {
        Subject {
            variant: variant.to_owned(),
            without: without.iter().map(|&rule| rule.to_owned()).collect(),
            ..Subject::default()
        }
    }

    #[test]
    fn an_exploration_of_an_intact_protocol_is_safe_within_bounds_that_it_names() {
        let bounds = vec!["timers=1".to_owned(), "requests=1".to_owned()];
        let told = told(&Job::Explore { of: subject("synod", &[]), replicas: 3, bounds });
        let Some(News::Explored(explored)) = told.iter().rev().nth(1) else { panic!("{told:?}") };
        assert_eq!(explored.verdict, Verdict::Safe, "{explored:?}");
        assert!(explored.bounds.contains(&("timers".to_owned(), "1".to_owned())), "{explored:?}");
    }

    #[test]
    fn an_exploration_without_a_rule_tells_the_shortest_run_that_violates_a_property() {
        let of = subject("synod", &["adopt-highest-accepted"]);
        let told = told(&Job::Explore { of, replicas: 3, bounds: Vec::new() });
        let Some(News::Explored(explored)) = told.iter().rev().nth(1) else { panic!("{told:?}") };
        assert_eq!(explored.verdict, Verdict::Violated);
        assert_eq!(explored.trace.len(), explored.depth as usize);
        assert!(explored.violation.is_some());
        let Some(Ok(run)) = &explored.run else { panic!("{:?}", explored.run) };
        let document = crate::lab::link::from_json(&run.document).expect("it is a document");
        let session = crate::lab::Session::open(&document).expect("it opens");
        assert_eq!((session.moment().at, session.moment().event), (run.at, run.event));
        assert!(session.universe().violations().iter().any(|violated| violated.property == run.property));
    }

    #[test]
    fn fuzzing_without_a_rule_tells_the_run_as_it_was_found_and_then_shrunk() {
        let told = told(&Job::Fuzz { of: subject("synod", &["adopt-highest-accepted"]), seeds: (0, 2_000) });
        let runs: Vec<_> = told
            .iter()
            .filter_map(|news| match news {
                News::Violated(run) => Some(run),
                _ => None,
            })
            .collect();
        let [found, shrunk] = runs[..] else { panic!("{told:?}") };
        assert!(!found.shrunk && shrunk.shrunk);
        assert!(shrunk.faults <= found.faults && shrunk.event <= found.event, "{found:?} {shrunk:?}");
        for run in runs {
            let scenario = crate::lab::link::from_json(&run.document).expect("it is a document").scenario;
            let (violation, _) = crate::lab::fuzz::violation(&scenario, Some(&run.property)).expect("it makes sense");
            let violation = violation.expect("it is violated again");
            assert_eq!((violation.event, violation.at), (run.event, run.at));
        }
    }

    #[test]
    fn fuzzing_an_intact_protocol_tells_how_many_runs_violated_nothing() {
        let told = told(&Job::Fuzz { of: subject("synod", &[]), seeds: (0, 50) });
        let Some(News::Fuzzed(fuzzed)) = told.iter().rev().nth(1) else { panic!("{told:?}") };
        assert_eq!(fuzzed.runs, 50);
        assert!(!told.iter().any(|news| matches!(news, News::Violated(_))));
    }

    #[test]
    fn a_job_that_makes_no_sense_is_refused_with_the_field_and_what_would_do() {
        let why = |job| begin(&job).err().expect("refused");
        let unknown = why(Job::Fuzz { of: subject("paxos", &[]), seeds: (0, 1) });
        assert!(unknown.contains("variant"), "{unknown}");
        let rule = why(Job::Explore { of: subject("synod", &["no-such-rule"]), replicas: 3, bounds: Vec::new() });
        assert!(rule.contains("without[0]"), "{rule}");
        let bound = why(Job::Explore { of: subject("synod", &[]), replicas: 3, bounds: vec!["timers=x".to_owned()] });
        assert!(bound.contains("timers"), "{bound}");
        let seeds = why(Job::Fuzz { of: subject("synod", &[]), seeds: (5, 5) });
        assert!(seeds.contains("seeds"), "{seeds}");
        let scenario = why(Job::Measure { scenario: "{}".to_owned(), cells: Vec::new() });
        assert!(!scenario.is_empty());
    }
}
