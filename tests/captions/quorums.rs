//! Captions of the scenarios in which not only the size of a quorum matters.

use super::{Claim, Facts, is_up};
use quorumscope::core::NodeId;
use quorumscope::lab::Value;

/// The same run with majorities.
fn majorities(run: &Facts) -> Facts {
    run.with(|scenario| {
        scenario.settings.insert("quorums".to_owned(), Value::Text("sizes".to_owned()));
    })
}

/// How many answers there were while six nodes of nine were gone, and after one of each region was lost.
fn answers(run: &Facts) -> (usize, usize) {
    (run.answers_anywhere(8_500, 14_000).len(), run.answers_anywhere(20_500, 30_000).len())
}

fn up(run: &Facts, ms: u64) -> Vec<u8> {
    let session = run.at(ms);
    (1..=9).filter(|node| is_up(&session, *node)).collect()
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "grid-regions" => &[
            ("Nine replicas in three rows and three columns.", |run| {
                assert_eq!(run.session.checked().blueprint.placement, &[0, 1, 2, 0, 1, 2, 0, 1, 2]);
                assert_eq!(run.scenario.settings["quorums"], Value::Text("grid".to_owned()));
            }),
            (
                "A column is one region and enough to choose a command, so Virginia waits for nobody across the country: half a millisecond.",
                |run| {
                    assert_eq!(run.leader(8_000), 1);
                    // To the leader and back, and from the leader to its column and back.
                    assert_eq!(run.median("us-east-1", 4_000, 8_000), 2 * run.round_trip(0, 0));
                    assert_eq!(2 * run.round_trip(0, 0) / 100, 5);
                    assert!(majorities(run).median("us-east-1", 4_000, 8_000) > 60_000);
                },
            ),
            ("A row has a node of each region and is what a new leader needs.", |run| {
                let alone = run.with(|scenario| {
                    scenario.script.truncate(3);
                    let mut crash = scenario.script[1].clone();
                    (crash.at, crash.place, crash.node) = ("9s".into(), None, Some(1.into()));
                    scenario.script.push(crash);
                });
                // Two nodes of Virginia are left, in two rows.
                assert_eq!(up(&alone, 10_000), [4, 7]);
                assert_eq!((alone.leader(20_000), alone.answers_anywhere(10_000, 30_000).len()), (0, 0));
            }),
            (
                "When Oregon and Ireland are gone, six nodes of nine, commands are chosen as before, and a majority would have stopped.",
                |run| {
                    assert_eq!(up(run, 8_500), [1, 4, 7]);
                    assert!(answers(run).0 >= 20, "{:?}", answers(run));
                    assert_eq!(run.median("us-east-1", 8_500, 14_000), run.median("us-east-1", 4_000, 8_000));
                    assert_eq!(answers(&majorities(run)).0, 0);
                },
            ),
            (
                "When they are back and each region loses one node, three of nine, no column is whole and nothing is chosen any more, where a majority would not have noticed.",
                |run| {
                    assert_eq!((up(run, 19_999).len(), up(run, 20_001)), (9, vec![1, 2, 3, 4, 6, 8]));
                    assert_eq!(answers(run).1, 0);
                    assert!(answers(&majorities(run)).1 >= 20, "{:?}", answers(&majorities(run)));
                },
            ),
        ],
        "linked-to-one" => &[
            ("Raft with PreVote and without CheckQuorum, on five nodes.", |run| {
                assert_eq!(run.scenario.settings["edition"], Value::Text("pre-vote".to_owned()));
                assert_eq!(run.session.universe().nodes(), 5);
            }),
            ("At 5 s node 5 crashes, and node 4, the leader, keeps its link to node 2 only.", |run| {
                assert_eq!((run.leader(4_999), run.leader(29_999)), (4, 4));
                let session = run.at(5_001);
                assert_eq!(session.universe().node(NodeId(3)).cut, [NodeId(0), NodeId(2)].into_iter().collect());
                assert!(!is_up(&session, 5));
            }),
            (
                "It reaches too few to commit anything, but node 2 still hears its heartbeats and would vote for nobody else; nodes 1 and 3 are two of five.",
                |run| {
                    let status = run.at(20_000).universe().node(NodeId(1)).status.expect("it is up");
                    assert_eq!((status.role, status.leader), ("follower", Some(NodeId(3))));
                },
            ),
            ("Nothing is ever committed again.", |run| {
                assert!(run.answers_anywhere(4_000, 5_000).len() > 5);
                assert!(run.answers_anywhere(5_100, 30_000).is_empty());
            }),
            ("With CheckQuorum node 4 steps down, and the three that reach each other go on.", |run| {
                let today = run.with(|scenario| {
                    scenario.settings.insert("edition".to_owned(), Value::Text("check-quorum".to_owned()));
                });
                assert!([1, 2, 3].contains(&today.leader(8_000)));
                assert!(today.answers_anywhere(8_000, 30_000).len() > 50);
            }),
        ],
        _ => return None,
    })
}
