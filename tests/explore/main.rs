//! Exhaustive exploration: counts of states known from elsewhere, violations that must be found, and protocols that must be safe.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod ablations;
mod ben_or;
mod caspaxos;
mod choices;
mod epaxos;
mod fast_paxos;
mod floodset;
mod foils;
mod logs;
mod mencius;
mod notes;
mod omni_paxos;
mod oral_messages;
mod published;
mod symmetry;
mod synod;
mod transactions;
mod vrr;
mod zab;

use quorumscope::lab::explore::{Exploration, ExploreRequest};
use quorumscope::universe::search::{Finding, FindingVerdict};

/// What `quorumscope check` would be asked, in a line of its own flags: `synod 3 -adopt-highest-accepted q1=2 / timers=0`.
///
/// The variant, the replicas, the rules to take away (with a minus), settings, goals on the way (`via=leader=1`), and after the
/// slash the bounds.
fn request(line: &str) -> Exploration {
    let (what, bounds) = line.split_once(" / ").unwrap_or((line, ""));
    let mut request =
        ExploreRequest { bounds: bounds.split_whitespace().map(str::to_owned).collect(), ..ExploreRequest::default() };
    for (place, word) in what.split_whitespace().enumerate() {
        match (place, word.strip_prefix('-'), word.split_once('=')) {
            (0, ..) => request.variant = word.to_owned(),
            (1, ..) => request.replicas = word.parse().expect("a number of replicas"),
            (_, Some(rule), _) => request.without.push(rule.to_owned()),
            (_, _, Some(("property", name))) => request.property = Some(name.replace('_', " ")),
            (_, _, Some(("via", goal))) => request.via.push(goal.replace('_', " ")),
            (_, _, Some((key, value))) => {
                let value = serde_json::from_str(value).expect("a value");
                request.settings.insert(key.to_owned(), serde_json::from_value(value).expect("a setting"));
            }
            _ => panic!("{word} in {line}"),
        }
    }
    request.check().unwrap_or_else(|problems| panic!("{line}: {problems}"))
}

fn explore(line: &str) -> Finding {
    let mut search = request(line).start().expect("the settings fit");
    search.advance(u32::MAX);
    search.finding()
}

/// States and depth of an exploration that must find nothing.
fn safe(line: &str) -> (u32, u32) {
    let finding = explore(line);
    assert_eq!(finding.verdict, FindingVerdict::Safe, "{line}: {:?} {:#?}", finding.violation, finding.trace);
    (finding.states, finding.depth)
}

/// The violated property and the fewest events that violate it.
fn violated(line: &str) -> (&'static str, u32) {
    let finding = explore(line);
    let wrong =
        finding.violation.unwrap_or_else(|| panic!("{line}: {:?} in {} states", finding.verdict, finding.states));
    assert_eq!(finding.trace.len() as u32, finding.depth);
    (wrong.property, finding.depth)
}

#[test]
fn states_beyond_the_bound_make_it_undecided() {
    let finding = explore("synod 3 / timers=0 states=1000");
    assert_eq!((finding.verdict, finding.violation), (FindingVerdict::Undecided, None));
}

#[test]
fn cut_names_the_bounds_that_were_reached() {
    let cut = |line| explore(line).cut;
    assert_eq!(cut("synod 3 / timers=0 depth=5"), ["depth", "timers", "duplicates", "crashes", "own"]);
    assert_eq!(cut("synod 3 / timers=any duplicates=any own=late depth=3"), ["depth", "crashes"]);
    // One worker alone, who proposes to nobody and wins nothing: the whole truth.
    assert_eq!(cut("notes 1 / requests=0 timers=any crashes=any restarts=any"), [""; 0]);
}

#[test]
fn losses_add_states_but_no_violation() {
    // Losses as events of their own add states, and no violation.
    let (few, _) = safe("synod 2 / timers=0");
    let (many, _) = safe("synod 2 / timers=0 losses=1");
    assert!(many > few);
    assert_eq!(violated("synod 3 -adopt-highest-accepted / timers=0 losses=1").1, 7);
}

#[test]
fn node_that_is_fenced_is_down_without_a_crash_of_the_bounds() {
    let reached = |line: &str| explore(line).reached;
    assert_eq!(reached("stonith-pair 2 via=crashed=1 / timers=1 requests=0"), 1);
    assert_eq!(reached("stonith-pair 2 via=crashed=1 kill_arrives=0 / timers=2 requests=0"), 0);
    assert_eq!(safe("stonith-pair 2 / timers=2 requests=0 restarts=1"), (445, 8));
}

#[test]
fn goal_held_needs_entries_of_one_epoch() {
    // Two leaders, each with an entry of its own term in slot 1, which reaches nobody.
    let lost = "lost=RequestVoteRefusal+AppendEntries+Heartbeat+HeartbeatReply";
    let raft = "raft 3 pre_vote=false check_quorum=false via=leader=1 via=held=1@2";
    let reached = |line: &str| explore(line).reached;
    assert_eq!(reached(&format!("{raft} / timers=1 requests=0 {lost}")), 2);
    assert_eq!(reached(&format!("{raft} via=held=1x2 / timers=1 requests=0 {lost}")), 2);
    assert_eq!(reached(&format!("{raft} via=held=1x2 / timers=1 requests=0")), 3);
}
