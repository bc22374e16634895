//! One rule taken away, for each rule that exploration can show to be needed: the property that breaks, and the run in which it does,
//! kept in `tests/explore/traces/`, a file for each.
//!
//! `REWRITE=1 cargo test --test explore` writes the files anew. Without goals on the way (`via=`) a run is the shortest there is.
//!
//! Not here, because messages and timers take any time at all in an exploration, and these rules are about time: Raft's
//! `leader-stickiness` and `lease-ends`, and the `lock-step` of FloodSet and OM(m). They are for runs in which clocks run: `quorumscope fuzz`.
//! `leader-stickiness` and `lease-ends`. They are for runs in which clocks run: `quorumscope fuzz`. Nor Ben-Or's `coin` and `repeat`, without which nothing
//! wrong is decided, but nothing at all.

use super::request;
use quorumscope::lab::counterexample::reproduce;
use quorumscope::lab::{Document, Run, text};
use quorumscope::universe::search::TraceLine;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Synod, three ballots and five servers: a value is proposed in ballot 1.2 and another one accepted by a quorum in ballot 1.3, then the
/// first one reaches a second server, and somebody has promises for a ballot of round 2.
macro_rules! late_lower_ballot {
    () => {
        concat!(
            "via=held=1@1.2 via=held=1x3@1.3 via=held=1x2@1.2 via=held=1@2 via=held=1x3@2",
            " / timers=0 at=2+3+4 lost=Nack+Chosen symmetry=on"
        )
    };
}
pub(super) use late_lower_ballot;

/// Multi-Paxos: two servers may try to lead, each with a command of its own. Refusals only spare time.
macro_rules! paxos {
    ($bounds:literal) => {
        concat!("/ epoch=2 lost=Nack+HeartbeatReply ", $bounds)
    };
}

/// Raft: the pre-vote and the look for a quorum only spare elections; heartbeats only tell of what else is told.
macro_rules! raft {
    ($n:literal $what:literal / $bounds:literal) => {
        concat!(
            "raft ",
            $n,
            " pre_vote=false check_quorum=false ",
            $what,
            " / lost=RequestVoteRefusal+Heartbeat+HeartbeatReply",
            $bounds
        )
    };
}

/// Two-phase commit: clients ask node 1 alone; the others only send them there.
macro_rules! transactions {
    ($what:literal / $bounds:literal) => {
        concat!("two-phase-commit 3 ", $what, " property=Agreement / ", $bounds)
    };
}

/// Ben-Or's protocol, with divided inputs.
macro_rules! ben_or {
    ($what:literal / $bounds:literal) => {
        concat!("ben-or 3 inputs=\"by-node\" ", $what, " / timers=0 at=1 ", $bounds)
    };
}

/// The file, and the question.
const ABLATIONS: &[(&str, &str)] = &[
    ("notes-literal", "notes 3 / requests=0 timers=any lost=Reject"),
    ("notes-winner-refuses", "notes 3 follower_cannot_win=true / requests=0 timers=any lost=Reject"),
    ("notes-follower-cannot-win", "notes 3 winner_refuses=true / requests=0 timers=any lost=Reject"),
    (
        "notes-promise-is-durable",
        "notes 3 -promise-is-durable winner_refuses=true follower_cannot_win=true property=Agreement / requests=0 timers=any lost=Reject crashes=1 restarts=1",
    ),
    ("synod-adopt-highest-accepted", "synod 3 -adopt-highest-accepted property=Agreement / timers=0"),
    ("synod-accept-unless-promised", "synod 3 -accept-unless-promised property=Agreement / timers=0"),
    (
        "synod-accept-raises-promise",
        concat!("synod 5 -accept-raises-promise property=Agreement ", late_lower_ballot!()),
    ),
    ("synod-unique-ballots", "synod 3 -unique-ballots property=Agreement / timers=0"),
    ("synod-durable-acceptor", "synod 3 -durable-acceptor property=Agreement / timers=0 crashes=1 lost=Nack"),
    (
        "synod-durable-round",
        "synod 3 -durable-round property=Agreement / timers=0 crashes=1 at=1+1 lost=Nack+Chosen own=late",
    ),
    ("synod-quorums-intersect", "synod 3 -quorums-intersect q1=1 q2=2 property=Agreement / timers=0"),
    (
        "synod-quorums-intersect-grid",
        "synod 4 -quorums-intersect quorums=\"grid\" property=Agreement / timers=0 lost=Nack",
    ),
    ("multi-paxos-unique-ballots", concat!("multi-paxos 3 poll=false -unique-ballots ", paxos!("timers=2 at=1+2"))),
    (
        "multi-paxos-adopt-highest-accepted",
        concat!("multi-paxos 3 poll=false -adopt-highest-accepted ", paxos!("timers=2 at=1+2")),
    ),
    (
        "multi-paxos-accept-unless-promised",
        concat!("multi-paxos 3 poll=false -accept-unless-promised ", paxos!("timers=2 at=1+2")),
    ),
    (
        "multi-paxos-durable-acceptor",
        concat!("multi-paxos 3 poll=false -durable-acceptor ", paxos!("timers=2 at=1+2 crashes=1")),
    ),
    (
        "multi-paxos-quorums-intersect",
        concat!("multi-paxos 3 poll=false -quorums-intersect q1=1 q2=2 ", paxos!("timers=2 at=1+2")),
    ),
    (
        "multi-paxos-quorums-intersect-grid",
        concat!("multi-paxos 4 poll=false -quorums-intersect quorums=\"grid\" ", paxos!("timers=2 at=1+2")),
    ),
    (
        "multi-paxos-prepare-all-slots",
        concat!("multi-paxos 3 poll=false -prepare-all-slots ", paxos!("timers=2 at=1+1+2")),
    ),
    (
        "multi-paxos-commit-same-ballot",
        concat!("multi-paxos 3 poll=false -commit-same-ballot ", paxos!("timers=3 at=1+2")),
    ),
    ("caspaxos-unique-ballots", "caspaxos 3 -unique-ballots property=Agreement / timers=0"),
    (
        "caspaxos-durable-counter",
        "caspaxos 3 -durable-counter property=One_state_a_ballot / timers=0 crashes=1 at=1+1 lost=Conflict",
    ),
    (
        "caspaxos-promise-only-higher",
        "caspaxos 3 -promise-only-higher property=Agreement / timers=0 at=1+2+3 lost=Conflict",
    ),
    ("caspaxos-adopt-highest-accepted", "caspaxos 3 -adopt-highest-accepted property=Agreement / timers=0"),
    ("caspaxos-at-most-once", "caspaxos 3 -at-most-once property=Applied_prefix / timers=1"),
    ("caspaxos-accept-unless-promised", "caspaxos 3 -accept-unless-promised property=Agreement / timers=0"),
    ("caspaxos-durable-acceptor", "caspaxos 3 -durable-acceptor property=Agreement / timers=0 crashes=1 lost=Conflict"),
    ("caspaxos-quorums-intersect", "caspaxos 3 -quorums-intersect q1=1 q2=2 property=Agreement / timers=0"),
    (
        "caspaxos-cache-needs-promises",
        "caspaxos 3 -cache-needs-promises one_round=true property=Agreement / timers=0 at=1+1+2 lost=Conflict",
    ),
    ("epaxos-update-attributes", "epaxos 3 -update-attributes / timers=0"),
    ("epaxos-fast-path", "epaxos 3 -fast-path / timers=0"),
    ("epaxos-union", "epaxos 3 -union / timers=0"),
    ("epaxos-promise", "epaxos 3 -promise property=Agreement / timers=1 at=1+2 lost=Nack"),
    ("epaxos-adopt-accepted", "epaxos 3 -adopt-accepted fast_path=false property=Agreement / timers=1 at=1"),
    ("epaxos-may-be-committed", "epaxos 3 -may-be-committed property=Agreement / timers=1 at=1"),
    ("epaxos-wait-for-interfering", "epaxos 3 -wait-for-interfering property=Agreement / timers=1 at=1+3 lost=Nack"),
    ("epaxos-durable", "epaxos 3 -durable property=Agreement / timers=1 crashes=1 at=1"),
    ("mencius-skip", "mencius 3 beta=1 -skip property=Agreement / timers=0"),
    ("mencius-owner-skips", "mencius 3 beta=1 -owner-skips property=Agreement / timers=0"),
    ("mencius-durable", "mencius 3 beta=1 -durable property=Skipped_for_ever / timers=0 crashes=1"),
    ("mencius-adopt", "mencius 3 beta=1 -adopt property=Agreement / timers=1 at=1 lost=Heartbeat+Nack+Skip"),
    ("mencius-promise", "mencius 3 beta=1 -promise property=Agreement / timers=1 at=1 lost=Heartbeat+Nack+Skip"),
    (
        "mencius-no-op-only",
        "mencius 3 beta=1 -no-op-only property=Skipped_for_ever / timers=1 at=1 lost=Heartbeat+Nack+Skip",
    ),
    ("vrr-same-view", "vrr 3 -same-view / timers=1 at=1 lost=Commit"),
    ("vrr-recovery", "vrr 3 -recovery / timers=1 crashes=1 at=1 lost=Commit+GetState"),
    ("vrr-primary-response", "vrr 3 -primary-response / timers=0 crashes=1 at=1+1 lost=Commit"),
    (
        "vrr-latest-normal-view",
        "vrr 3 -latest-normal-view via=leader=2@1 via=chosen=1 / timers=2 at=1+1+2 lost=Commit+GetState",
    ),
    (
        "vrr-quorums-meet",
        "vrr 4 ring=true -quorums-meet via=chosen=1 via=leader=3@2 / timers=2 at=1 lost=Commit+GetState",
    ),
    // Vanlightly's trace of 2022: what is committed in view 0 is dropped by a replica that hears of view 2 and then leads view 4.
    (
        "vrr-state-transfer-keeps-log",
        "vrr 3 -state-transfer-keeps-log via=chosen=1 via=leader=2@1 via=leader=3@2 via=leader=2@4 / timers=5 at=1 lost=StartView+NewState",
    ),
    (
        "omni-paxos-promised-round",
        "omni-paxos 3 -promised-round via=leader=2@1 via=leader=3@1 / timers=1 at=2 lost=Decide",
    ),
    (
        "omni-paxos-sync-index",
        "omni-paxos 3 -sync-index via=leader=2@1 via=held=1 via=leader=3@1 / timers=1 at=2+3 lost=Decide",
    ),
    ("floodset-input-first", "floodset 3 -input-first / at=1"),
    ("floodset-flood", "floodset 3 -flood / crashes=1 partial=1 at=1"),
    ("floodset-one-round-more", "floodset 3 -one-round-more / crashes=1 partial=1 at=1"),
    ("floodset-one-round-more-f-2", "floodset 4 -one-round-more f=2 / crashes=2 partial=2 at=1"),
    ("floodset-one-decision", "floodset 3 -one-decision / "),
    ("oral-messages-three-m-plus-one", "oral-messages 3 -three-m-plus-one / at=1 byzantine=3"),
    ("oral-messages-one-round-more", "oral-messages 4 -one-round-more / at=1 byzantine=1"),
    ("oral-messages-majority", "oral-messages 4 -majority / at=1 byzantine=1"),
    ("stonith-pair-shoot-before-takeover", "stonith-pair 2 -shoot-before-takeover / timers=1 requests=0"),
    ("stonith-pair-return-as-secondary", "stonith-pair 2 -return-as-secondary / timers=1 requests=0"),
    ("manual-failover-off-before-promotion", "manual-failover 2 -off-before-promotion / timers=3 requests=0"),
    (
        "manual-failover-return-as-backup",
        "manual-failover 2 -return-as-backup / timers=0 requests=0 crashes=1 restarts=1",
    ),
    ("gossip-leader-yield-to-lower", "gossip-leader 2 -yield-to-lower / timers=5 requests=0"),
    ("last-writer-wins-last-writer-wins", "last-writer-wins 2 -last-writer-wins / timers=0"),
    ("last-writer-wins-ties-by-node", "last-writer-wins 2 -ties-by-node / timers=0"),
    ("last-writer-wins-stamps-never-repeat", "last-writer-wins 2 -stamps-never-repeat / timers=0 at=1+1"),
    ("raft-one-vote", raft!("3" "-one-vote" / " timers=2 requests=0")),
    ("raft-vote-is-durable", raft!("3" "-vote-is-durable" / " timers=2 requests=0 crashes=1")),
    ("raft-up-to-date", raft!("3" "-up-to-date" / "+AppendEntriesRefusal timers=3 requests=1")),
    ("raft-log-is-durable", raft!("3" "-log-is-durable" / "+AppendEntriesRefusal timers=2 requests=1 crashes=1")),
    (
        "raft-delete-conflicts-only",
        raft!("3" "-delete-conflicts-only via=leader=1" / "+AppendEntriesRefusal timers=1 at=1+1 duplicates=1"),
    ),
    // Figure 8 of the paper, with the shortest batches: an entry of an old term goes alone.
    (
        "raft-commit-own-term",
        raft!("3" "-commit-own-term batch=1 via=leader=1 via=leader=3 via=leader=1@3" / " timers=2 requests=0"),
    ),
    (
        "raft-read-index",
        raft!("3" "-read-index reads=\"read-index\" property=Linearizable via=leader=1 via=chosen=1 via=leader=2" / " timers=2 at=2 reads=1"),
    ),
    (
        "raft-read-after-own-commit",
        raft!("3" "-read-after-own-commit reads=\"read-index\" property=Linearizable via=leader=1 via=chosen=2 via=leader=2" / " timers=2 requests=1 reads=any"),
    ),
    (
        "raft-joint-consensus",
        raft!("3" "-joint-consensus via=leader=1" / "+AppendEntriesRefusal timers=2 requests=0 members=1"),
    ),
    // Ongaro's trace of July 2015: two leaders, each with a change of its own.
    (
        "raft-change-after-own-commit",
        raft!("4" "-change-after-own-commit membership=\"single-server\" via=leader=1 via=leader=2@2 via=chosen=1" / "+AppendEntriesRefusal timers=2 requests=0 members=1.2.3+1.2.4"),
    ),
    // One client, and odd nodes begin with 1 and even ones with 0: what a client wants would only be more of the same.
    ("ben-or-wait-for-n-f", ben_or!("-wait-for-n-f property=Agreement" / "epoch=1")),
    ("ben-or-echo2-if-unanimous", ben_or!("-echo2-if-unanimous" / "epoch=1")),
    ("ben-or-echo2-if-unanimous-agreement", ben_or!("-echo2-if-unanimous property=Agreement" / "epoch=3")),
    ("ben-or-decide-if-unanimous", ben_or!("-decide-if-unanimous property=Agreement" / "epoch=3")),
    ("ben-or-adopt", ben_or!("-adopt property=Agreement" / "epoch=3")),
    ("ben-or-own-round", ben_or!("-own-round" / "epoch=2")),
    ("ben-or-durable", "ben-or 3 -durable property=Agreement / timers=0 crashes=1 at=1+1 epoch=1"),
    ("two-phase-commit-unique-numbers", transactions!("-unique-numbers" / "timers=1 crashes=1 at=1+1")),
    ("two-phase-commit-start-record", transactions!("-start-record presume=\"commit\"" / "timers=3 crashes=1 at=1")),
    ("two-phase-commit-locks", "two-phase-commit 3 -locks property=Same_transactions,_same_data / timers=0 at=1+1"),
    ("two-phase-commit-vote-is-durable", transactions!("-vote-is-durable" / "timers=2 crashes=1 at=1")),
    ("two-phase-commit-all-votes", transactions!("-all-votes" / "timers=1 at=1")),
    ("two-phase-commit-decision-is-logged", transactions!("-decision-is-logged" / "timers=1 crashes=1 at=1")),
    ("two-phase-commit-never-alone", transactions!("-never-alone" / "timers=1 at=1")),
    ("two-phase-commit-decide-once", transactions!("-decide-once" / "timers=1 at=1")),
    ("two-phase-commit-keep-until-acked", transactions!("-keep-until-acked" / "timers=1 at=1")),
];

fn told(number: usize, told: &TraceLine, text: &mut String) {
    let rules = if told.rules.is_empty() { String::new() } else { format!("   [{}]", told.rules.join(", ")) };
    let goal = told.goal.map(|goal| format!("        ★ goal {goal}")).into_iter();
    let lines = told.does.iter().map(|does| format!("          {does}"));
    let changes = told.changes.iter().map(|change| format!("        • {change}"));
    writeln!(text, "{number:>4}  {}{rules}", told.event).expect("text takes it");
    lines.chain(changes).chain(goal).for_each(|line| writeln!(text, "{line}").expect("text takes it"));
}

#[test]
fn each_rule_taken_away_gives_its_kept_trace() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explore/traces");
    let rewrite = std::env::var_os("REWRITE").is_some();
    // Those with this in their names; all by default.
    let only = std::env::var("ONLY").unwrap_or_default();
    let (mut wrong, mut no_runs) = (Vec::new(), String::new());
    for (name, line) in ABLATIONS.iter().filter(|(name, _)| name.contains(&only)) {
        let exploration = request(line);
        let mut search = exploration.start().expect("the settings fit");
        search.advance(u32::MAX);
        let finding = search.finding();
        let Some(broken) = &finding.violation else {
            let (verdict, states, reached) = (finding.verdict, finding.states, finding.reached);
            wrong.push(format!("{line}: {verdict:?} in {states} states, {reached} goals reached\n"));
            continue;
        };
        let nodes: Vec<String> = broken.nodes.iter().map(u32::to_string).collect();
        let mut text =
            format!("{line}\n\n{} by nodes {}, in {} events\n\n", broken.property, nodes.join(", "), finding.depth);
        (1..).zip(&finding.trace).for_each(|(number, event)| told(number, event, &mut text));
        match reproduce(&exploration, &search.trace(), broken) {
            Ok(run) => check_run(name, broken.property, &run.document),
            Err(why) => writeln!(no_runs, "{name}: {why}").expect("text takes it"),
        }
        let file = traces.join(format!("{name}.txt"));
        if rewrite {
            fs::write(&file, &text).expect("the file can be written");
        } else if fs::read_to_string(&file).unwrap_or_default() != text {
            wrong.push(format!("{name}:\n{text}"));
        }
    }
    let file = traces.with_file_name("no-runs.txt");
    if only.is_empty() && rewrite {
        fs::write(&file, &no_runs).expect("the file can be written");
    } else if only.is_empty() && fs::read_to_string(&file).unwrap_or_default() != no_runs {
        wrong.push(format!("no-runs.txt:\n{no_runs}"));
    }
    assert!(wrong.is_empty(), "not what the files say (REWRITE=1 writes them anew):\n{}", wrong.join("\n"));
}

/// The run of a trace, read from its text as `quorumscope run` reads it, violates the same property, at the moment that is given.
fn check_run(name: &str, property: &str, document: &Document) {
    let scenario =
        text::from_toml(&text::to_toml(&document.scenario)).unwrap_or_else(|wrong| panic!("{name}: {wrong}")).scenario;
    assert_eq!(scenario, document.scenario, "{name}");
    let report = Run::to_end(&Document::from(scenario)).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
    assert_eq!(report.refused.len(), 0, "{name}: {:?}", report.refused);
    let violated = report.violations.iter().chain(&report.not_promised).find(|violated| violated.property == property);
    let event = document.moment.as_ref().expect("it opens at the violation").event;
    match violated {
        Some(violated) => assert_eq!(violated.event, event, "{name}"),
        None => assert_eq!((property, report.history), ("Linearizable", Some("not linearizable")), "{name}"),
    }
}

#[test]
fn kept_traces_are_those_of_the_list() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explore/traces");
    let mut files: Vec<String> = fs::read_dir(traces)
        .expect("the traces")
        .map(|entry| entry.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut names: Vec<&str> = ABLATIONS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(files, names);
}
