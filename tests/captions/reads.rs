//! Captions of the scenarios about reads that do not go through the log.

use super::{Claim, Facts, is_up};
use quorumscope::core::NodeId;
use quorumscope::lab::{Scenario, Value};

fn reading(way: &str) -> impl FnOnce(&mut Scenario) {
    move |scenario| {
        scenario.settings.insert("reads".to_owned(), Value::Text(way.to_owned()));
    }
}

fn history(run: &Facts) -> &'static str {
    run.report.history.expect("clients read and write")
}

/// Commands that node `node` has executed at a time, ms.
fn executed(run: &Facts, node: u8, ms: u64) -> u32 {
    run.at(ms).universe().node(NodeId(node - 1)).status.expect("up").log.applied
}

/// The longest time that an answer at a site took between two times, µs.
fn longest(run: &Facts, site: &str, from: u64, until: u64) -> u64 {
    run.answers(site, from, until).iter().map(|sample| sample.latency).max().expect("answers")
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "reading-without-asking" => &[
            (
                "Every replica answers reads from its own state, so a read takes less than a millisecond in each region, wherever the leader is.",
                |run| {
                    assert!(longest(run, "eu-west-1", 0, 15_000) < 1_000);
                    assert!(run.answers("us-east-1", 2_000, 15_000).iter().any(|sample| sample.latency < 1_000));
                },
            ),
            ("From 5 s on the replica in Ireland is cut off from the others.", |run| {
                assert_eq!(format!("{:?}", run.at(6_000).universe().node(NodeId(2)).cut), "{1, 2}");
            }),
            (
                "The client beside it still reads at once, but for five seconds it reads what was written before the cut, while Virginia goes on writing.",
                |run| {
                    assert!(run.answers("eu-west-1", 5_000, 10_000).len() > 40);
                    assert!(executed(run, 1, 9_900) > executed(run, 1, 5_100) + 5);
                    assert!(executed(run, 3, 9_900) <= executed(run, 1, 5_100));
                },
            ),
            ("That is not linearizable, and with this setting Raft does not promise it.", |run| {
                assert_eq!(history(run), "not linearizable");
                assert!(run.report.violations.is_empty());
                assert!(run.report.not_promised.iter().any(|violation| violation.property == "Linearizability"));
            }),
            (
                "With ReadIndex the same run is linearizable: a read in Ireland takes a round trip to the leader and one from there to a majority, and so it does during the cut, because the client reaches the leader.",
                |run| {
                    let asked = run.with(reading("read-index"));
                    assert_eq!(history(&asked), "linearizable");
                    let leader = usize::from(asked.leader(4_000)) - 1;
                    let nearest = (0..3).filter(|site| *site != leader).map(|site| asked.round_trip(leader, site));
                    let expected = asked.round_trip(2, leader) + nearest.min().expect("two");
                    // Some wait for a round under way besides.
                    let answers = asked.answers("eu-west-1", 3_000, 4_900);
                    assert_eq!(answers.iter().map(|sample| sample.latency).min(), Some(expected));
                    assert!(asked.answers("eu-west-1", 5_500, 9_900).len() > 10);
                },
            ),
            ("With LeaseGuard it is linearizable, too, and the leader asks nobody: its log is the lease.", |run| {
                let leased = run.with(reading("leaseguard"));
                assert_eq!(history(&leased), "linearizable");
                let leader = usize::from(leased.leader(4_000)) - 1;
                assert_eq!(leased.median("eu-west-1", 3_000, 4_900), leased.round_trip(2, leader));
            }),
        ],
        "quorum-leases" => &[
            ("Five regions with Multi-Paxos, which is led from California.", |run| {
                assert_eq!((run.leader(3_500), run.leader(19_000)), (1, 1));
            }),
            (
                "The replicas in California, Virginia and Ireland hold quorum leases, so clients there read at once, without a message.",
                |run| {
                    for site in ["VA", "IRL"] {
                        assert!(longest(run, site, 3_500, 7_900) < 1_000, "{site}");
                    }
                    assert!(run.answers("CA", 3_500, 7_900).iter().any(|sample| sample.latency < 1_000));
                },
            ),
            ("Oregon holds none: a read there takes the round trip to the leader, who holds a lease itself.", |run| {
                let to_leader = run.round_trip(3, 0);
                assert_eq!(run.median("OR", 3_500, 7_900), to_leader);
            }),
            ("Each write waits until all three holders have it, Ireland among them.", |run| {
                let writes: Vec<u64> = run
                    .answers("CA", 3_500, 7_900)
                    .iter()
                    .map(|sample| sample.latency)
                    .filter(|time| *time > 1_000)
                    .collect();
                assert!(!writes.is_empty() && writes.iter().all(|time| *time >= run.round_trip(0, 2)), "{writes:?}");
            }),
            (
                "At 8 s Ireland crashes, and writes wait until its leases are over; from then on a write takes the nearest majority.",
                |run| {
                    assert!(is_up(&run.at(7_999), 3) && !is_up(&run.at(8_001), 3));
                    let lease = 8 * run.session.checked().blueprint.topology.round_trip_max();
                    assert!(longest(run, "CA", 8_001, 15_000) > lease / 2);
                    assert!(longest(run, "CA", 15_000, 19_900) < run.round_trip(0, 2));
                },
            ),
            ("Holders never return an old value: the run is linearizable.", |run| {
                assert_eq!(history(run), "linearizable");
            }),
            (
                "With reads in the log, a read in Ireland takes its way to California and a round trip from there to a majority.",
                |run| {
                    let logged = run.with(reading("log"));
                    let mut others: Vec<u64> = (1..5).map(|site| logged.round_trip(0, site)).collect();
                    others.sort_unstable();
                    assert_eq!(logged.median("IRL", 3_500, 7_900), logged.round_trip(2, 0) + others[1]);
                },
            ),
        ],
        _ => return None,
    })
}
