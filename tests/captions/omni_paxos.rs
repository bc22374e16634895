//! Caption of the scenario with Omni-Paxos: one server that reaches a majority is enough, though its log is behind.

use super::{Claim, Facts, hand_over};
use quorumscope::core::{NodeId, NodeSet};

/// The end of each server's log.
fn ends(run: &Facts, ms: u64) -> Vec<u32> {
    let session = run.at(ms);
    (0..5).map(|id| session.universe().node(NodeId(id)).status.expect("it is up").log.last).collect()
}

/// Whom a server's messages do not reach.
fn cut(run: &Facts, ms: u64, node: u8) -> NodeSet {
    run.at(ms).universe().node(NodeId(node - 1)).cut
}

fn nodes(numbers: &[u8]) -> NodeSet {
    numbers.iter().map(|number| NodeId(number - 1)).collect()
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "one-reaches-a-majority" => &[
            ("Omni-Paxos, on five servers; node 1 leads.", |run| {
                assert_eq!((run.session.universe().nodes(), run.leader(4_999)), (5, 1));
            }),
            (
                "At 5 s node 2 loses its link to node 1, and 20 ms later node 1 is cut off, and nodes 3, 4 and 5 lose their links to each other.",
                |run| {
                    assert_eq!((cut(run, 4_999, 2), cut(run, 5_001, 2)), (nodes(&[]), nodes(&[1])));
                    assert_eq!((cut(run, 5_021, 1), cut(run, 5_021, 4)), (nodes(&[2, 3, 4, 5]), nodes(&[1, 3, 5])));
                },
            ),
            ("Now only node 2 reaches a majority, and its log is behind.", |run| {
                assert_eq!(cut(run, 5_021, 2), nodes(&[1]));
                let ends = ends(run, 5_030);
                assert!(ends[1] < ends[2].min(ends[3]).min(ends[4]), "{ends:?}");
            }),
            ("Within 0.1 s it leads all the same: the promises of the others have brought what it lacked.", |run| {
                assert_eq!((run.leader(5_021), run.leader(5_120)), (1, 2));
                let (before, after) = (ends(run, 5_030), ends(run, 5_120));
                assert!(after[1] >= before[2], "{before:?} {after:?}");
                assert!(run.answers_anywhere(6_000, 15_000).len() > 500);
            }),
            (
                "In Raft nobody votes for it, and in Viewstamped Replication too few hear that the view is to change: with either nothing is decided any more.",
                |run| {
                    let raft = run.with(|scenario| {
                        scenario.variant = "raft".to_owned();
                        scenario.settings.clear();
                        scenario.script.insert(0, hand_over("2s", 1));
                    });
                    let vrr = run.with(|scenario| {
                        scenario.variant = "vrr".to_owned();
                        scenario.settings.clear();
                    });
                    for other in [raft, vrr] {
                        assert_eq!(other.leader(4_999), 1);
                        assert!(other.answers_anywhere(4_000, 5_000).len() > 50);
                        assert!(other.answers_anywhere(5_200, 15_000).is_empty());
                    }
                },
            ),
        ],
        _ => return None,
    })
}
