//! Captions of the scenarios with ways that do not work: an operator, gossip, timestamps.

use super::{Claim, Facts, is_up};
use quorumscope::core::{NodeId, Op, Slot};
use quorumscope::lab::Scenario;

/// The same scenario with Raft in place of its variant.
fn raft(scenario: &mut Scenario) {
    scenario.variant = "raft".to_owned();
    scenario.settings.clear();
}

fn history(run: &Facts) -> &'static str {
    run.report.history.expect("clients read and write")
}

/// Nodes that lead at a time, ms, counted from 1.
fn leading(run: &Facts, ms: u64) -> Vec<u8> {
    let session = run.at(ms);
    let leads = |node: &u8| session.universe().node(NodeId(*node)).status.is_some_and(|status| status.leads);
    (0..session.universe().nodes()).filter(leads).map(|node| node + 1).collect()
}

/// What each replica holds in its first registers at a time, ms.
fn registers(run: &Facts, ms: u64) -> Vec<Vec<Option<Op>>> {
    let session = run.at(ms);
    let held = |node: u8, slot: Slot| Some(session.universe().entry(NodeId(node), slot)?.command?.op);
    (0..3).map(|node| (1..=4).map(|slot| held(node, slot)).collect()).collect()
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "failover-by-hand" => &[
            (
                "A primary in Virginia, with copies in Oregon and Ireland; a write is answered once all three have it.",
                |run| {
                    assert_eq!(leading(run, 4_000), [1]);
                    let farthest = run.round_trip(0, 1).max(run.round_trip(0, 2));
                    let slowest = run.answers("us-east-1", 1_000, 4_900).iter().map(|sample| sample.latency).max();
                    assert!(slowest >= Some(farthest), "{slowest:?}");
                },
            ),
            ("At 5 s the primary crashes, and the operator is paged.", |run| {
                assert!(is_up(&run.at(4_999), 1) && !is_up(&run.at(5_001), 1));
            }),
            (
                "Somewhat more than ten seconds later the operator appoints node 2, and nobody is served meanwhile.",
                |run| {
                    assert_eq!((leading(run, 15_000), leading(run, 17_000)), (vec![], vec![2]));
                    assert!(run.answers_anywhere(5_200, 15_500).is_empty());
                    assert!(run.answers_anywhere(17_000, 19_000).len() > 10);
                },
            ),
            ("Nothing that was answered is lost.", |run| {
                assert!(run.report.violations.is_empty());
                assert_eq!(history(run), "linearizable");
            }),
            ("Raft with the same crash serves again in less than two seconds.", |run| {
                let raft = run.with(|scenario| {
                    raft(scenario);
                    scenario.script[0].at = "5s".into();
                });
                assert!(raft.answers_anywhere(7_000, 9_000).len() > 10);
            }),
        ],
        "asynchronous-copies" => &[
            (
                "The same servers with asynchronous copies: a write is answered at once, in Virginia in less than a millisecond.",
                |run| {
                    assert!(run.answers("us-east-1", 0, 5_000).iter().all(|sample| sample.latency < 1_000));
                },
            ),
            ("At 5 s Virginia is cut off, and its primary goes on answering the client beside it.", |run| {
                assert!(run.answers("us-east-1", 5_100, 9_000).len() > 30);
                assert!(run.answers("us-west-2", 5_200, 9_000).is_empty());
            }),
            ("Four seconds after the page the operator has it turned off and appoints node 2.", |run| {
                assert!(is_up(&run.at(9_500), 1) && !is_up(&run.at(10_427), 1));
                assert_eq!((leading(run, 9_500), leading(run, 10_500)), (vec![1], vec![2]));
            }),
            (
                "What was answered in Virginia during the cut is lost, though no two nodes ever execute different writes.",
                |run| {
                    assert_eq!(history(run), "not linearizable");
                    assert!(run.report.violations.is_empty());
                    assert!(run.report.not_promised.iter().all(|violation| violation.property == "Linearizability"));
                },
            ),
            ("With synchronous copies the same run loses nothing: during the cut no write is answered.", |run| {
                let synchronous = run.with(|scenario| {
                    scenario.settings.remove("copies");
                });
                assert_eq!(history(&synchronous), "linearizable");
                let committed = |ms| synchronous.at(ms).universe().node(NodeId(0)).status.expect("up").log.committed;
                assert_eq!(committed(5_200), committed(9_500));
            }),
        ],
        "two-sides-two-leaders" => &[
            ("Five nodes gossip about who is alive, and the lowest one alive leads.", |run| {
                assert_eq!(leading(run, 4_000), [1]);
            }),
            ("From 5 s on nodes 1 and 2 in Virginia and nodes 3, 4 and 5 in Ireland cannot hear each other.", |run| {
                assert_eq!(format!("{:?}", run.at(6_000).universe().node(NodeId(0)).cut), "{3, 4, 5}");
            }),
            ("Each side takes the other for dead, has a leader, and answers writes.", |run| {
                assert_eq!(leading(run, 8_000), [1, 3]);
                for (site, node) in [("us-east-1", 0), ("eu-west-1", 2)] {
                    let answers = run.answers(site, 7_000, 11_900);
                    assert!(answers.len() > 20 && answers.iter().all(|sample| sample.node.0 == node), "{site}");
                }
            }),
            (
                "At 12 s the cut heals, node 1 leads all of them, and its data replace those of the others: what Ireland has answered is lost.",
                |run| {
                    assert_eq!(leading(run, 14_000), [1]);
                    let entries = |ms: u64, node: u8| -> Vec<_> {
                        let session = run.at(ms);
                        (1..60).map(|slot| session.universe().entry(NodeId(node), slot)).collect()
                    };
                    let command =
                        |entry: &Option<quorumscope::core::EntryStatus>| entry.and_then(|entry| entry.command);
                    let of = |ms, node| entries(ms, node).iter().filter_map(command).collect::<Vec<_>>();
                    let (before, after) = (of(11_900, 2), of(17_000, 2));
                    assert!(before.iter().any(|command| !after.contains(command)));
                    assert_eq!(after, of(17_000, 0));
                    assert_eq!(history(run), "not linearizable");
                },
            ),
            ("Raft with the same cut lets the side with two nodes wait, and loses nothing.", |run| {
                let raft = run.with(raft);
                assert!(raft.answers("us-east-1", 7_000, 11_900).is_empty());
                assert!(raft.answers("eu-west-1", 7_000, 11_900).len() > 20);
                assert_eq!(history(&raft), "linearizable");
            }),
        ],
        "last-writer-wins" => &[
            (
                "Every replica answers at once: reads and writes take less than a millisecond everywhere, and go on while Ireland is cut off from 3 s to 6 s.",
                |run| {
                    for site in ["us-east-1", "eu-west-1"] {
                        assert!(run.answers(site, 0, 10_000).iter().all(|sample| sample.latency < 1_000), "{site}");
                        assert!(run.answers(site, 3_100, 6_000).len() > 10, "{site}");
                    }
                },
            ),
            (
                "Both sides write the same registers meanwhile; when the cut heals, all replicas hold the same again within two seconds.",
                |run| {
                    let differ = |ms| {
                        let held = registers(run, ms);
                        held.iter().any(|other| *other != held[0])
                    };
                    assert!(differ(5_900));
                    assert!((7_000..8_000).step_by(20).any(|ms| !differ(ms)));
                },
            ),
            (
                "Of every two writes to a register only the one with the later timestamp is left, though both were answered.",
                |run| {
                    assert_eq!(history(run), "not linearizable");
                    assert!(run.report.violations.is_empty());
                },
            ),
            (
                "From 8 s on the clock of node 3 is two seconds behind: its client's writes are answered, and lose against older ones.",
                |run| {
                    assert!(run.answers("eu-west-1", 8_000, 10_000).len() > 5);
                    let right = run.with(|scenario| scenario.script.retain(|fault| fault.action != "jump"));
                    // With the right time every register that Ireland writes has a write of Ireland for a while.
                    let of_ireland = |run: &Facts| {
                        let held = (8_500..9_900).step_by(20).map(|ms| registers(run, ms).remove(0));
                        held.flatten()
                            .flatten()
                            .filter(|op| matches!(op, Op::Write { value, .. } if value >> 20 == 1))
                            .count()
                    };
                    assert!(of_ireland(run) < of_ireland(&right), "{} {}", of_ireland(run), of_ireland(&right));
                },
            ),
            ("Raft with the same cut does not answer Ireland, and loses nothing.", |run| {
                let raft = run.with(raft);
                assert!(raft.answers("eu-west-1", 3_300, 6_000).is_empty());
                assert_eq!(history(&raft), "linearizable");
            }),
        ],
        _ => return None,
    })
}
