//! Caption of the scenario with Viewstamped Replication: no disk on the way of a request, and recovery from the others.

use super::{Claim, Facts, is_up};
use quorumscope::core::{NodeId, NodeStatus};

fn status(run: &Facts, ms: u64, node: u8) -> NodeStatus {
    run.at(ms).universe().node(NodeId(node - 1)).status.expect("it is up")
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "vrr-recovery" => &[
            ("Three replicas of Viewstamped Replication, with disks that take 20 ms for a write.", |run| {
                assert_eq!(run.session.checked().blueprint.placement, &[0, 1, 2]);
                assert_eq!(run.session.checked().blueprint.topology.disk, 20_000);
            }),
            (
                "A client in Iowa waits 33.8 ms all the same: the round trip to the nearest backup, and no disk; with Raft it waits 20 ms more.",
                |run| {
                    let median = run.median("us-central1", 1_000, 9_000);
                    assert_eq!(median, run.round_trip(0, 0) + run.round_trip(0, 1));
                    assert_eq!((median + 50) / 100, 338);
                    let raft = run.with(|scenario| scenario.variant = "raft".to_owned());
                    assert_eq!(raft.median("us-central1", 1_000, 14_000), median + 20_000);
                },
            ),
            ("At 4 s node 3 crashes, and forgets all that it has acknowledged.", |run| {
                assert!(is_up(&run.at(3_999), 3) && !is_up(&run.at(4_001), 3));
                assert!(status(run, 3_999, 3).log.last > 50);
                assert_eq!(status(run, 6_001, 3).log.last, 0);
            }),
            (
                "It starts again at 6 s, takes no part until nodes 1 and 2 have answered it, and within a tenth of a second has everything back.",
                |run| {
                    assert_eq!(status(run, 6_080, 3).role, "recovering");
                    let (now, primary) = (status(run, 6_100, 3), status(run, 6_000, 1));
                    assert_eq!(now.role, "backup");
                    assert!(now.log.committed >= primary.log.committed);
                },
            ),
            (
                "At 9 s node 1, the primary, crashes for good: node 2 begins view 1 with node 3, and nothing that was answered is lost.",
                |run| {
                    assert!(is_up(&run.at(8_999), 1) && !is_up(&run.at(9_001), 1) && !is_up(&run.at(14_000), 1));
                    assert_eq!((run.leader(8_999), run.leader(12_000)), (1, 2));
                    assert_eq!((status(run, 12_000, 2).epoch.number, status(run, 12_000, 3).epoch.number), (1, 1));
                    assert!(!run.answers_anywhere(11_000, 14_000).is_empty());
                    assert_eq!(run.report.history, Some("linearizable"));
                },
            ),
        ],
        _ => return None,
    })
}
