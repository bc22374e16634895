//! Captions of the scenarios with EPaxos: no leader to go to, and many commands about one key.

use super::{Claim, Facts, hand_over};

const SITES: [&str; 5] = ["JP", "CA", "OR", "VA", "IRL"];

/// The same clients with Raft, led from Virginia.
fn raft(run: &Facts) -> Facts {
    let raft = run.with(|scenario| {
        scenario.variant = "raft".to_owned();
        scenario.script = vec![hand_over("3s", 4)];
    });
    assert_eq!(raft.leader(20_000), 4);
    raft
}

/// Median latency at each site once it goes its usual way, whole ms.
fn medians(run: &Facts) -> [u64; 5] {
    SITES.map(|site| run.median(site, 8_000, 30_000) / 1_000)
}

fn messages(run: &Facts, kind: &str) -> u64 {
    run.report.messages.by_kind.iter().find(|count| count.kind == kind).map_or(0, |count| count.count)
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "nearest-quorum" => &[
            (
                "The same five regions with EPaxos: one replica and one client in each, and a key for each client.",
                |run| {
                    assert_eq!(run.session.checked().blueprint.placement, &[0, 1, 2, 3, 4]);
                    let keys: Vec<_> = run.scenario.clients.iter().map(|group| (group.keys, group.first_key)).collect();
                    assert_eq!(keys, [0, 1, 2, 3, 4].map(|key| (Some(1), Some(key))));
                },
            ),
            (
                "The replica next to a client leads its commands and waits for the two nearest others, in one round trip: 75 ms in Oregon, 120 ms in Japan.",
                |run| {
                    assert_eq!(messages(run, "Accept"), 0, "nothing takes a second round trip");
                    let second_nearest = |site: usize| {
                        let mut ways: Vec<u64> =
                            (0..5).filter(|&other| other != site).map(|other| run.round_trip(site, other)).collect();
                        ways.sort_unstable();
                        ways[1] / 1_000
                    };
                    assert_eq!(medians(run), [0, 1, 2, 3, 4].map(second_nearest));
                    assert_eq!((medians(run)[2], medians(run)[0]), (75, 120));
                },
            ),
            (
                "Try Raft with the same clients: its leader in Virginia has its answers after 85 ms, but Japan waits 265 ms, because every command goes to Virginia first.",
                |run| {
                    let [japan, _, _, virginia, _] = medians(&raft(run));
                    assert_eq!((virginia, japan), (85, 265));
                },
            ),
        ],
        "one-hot-key" => &[
            ("EPaxos in five regions, and all clients write the same key.", |run| {
                assert!(
                    run.scenario.clients.iter().all(|group| group.keys == Some(1) && group.first_key.unwrap_or(0) == 0)
                );
            }),
            (
                "Replicas that pre-accept a command know others that interfere and add them to its dependencies, so it takes a second round trip, with the union of what they know.",
                |run| {
                    assert!(
                        ["update-attributes", "union", "slow-path"].iter().all(|rule| run.report.rules.contains(rule))
                    );
                    // Two messages to others for each of nearly all commands: a majority of five, its leader among them.
                    assert!(messages(run, "Accept") > run.report.commands.answered, "{:?}", run.report.messages);
                },
            ),
            ("Then it waits until those are committed, too.", |run| {
                let fast = medians(&run.with(|scenario| {
                    for (key, group) in (0..).zip(&mut scenario.clients) {
                        group.first_key = Some(key);
                    }
                }));
                assert!(
                    medians(run).iter().zip(fast).all(|(hot, alone)| *hot > alone + 30),
                    "{:?} {fast:?}",
                    medians(run)
                );
            }),
            (
                "The median wait is 187 ms in Ireland, 240 in Japan and 212 elsewhere; with Raft and its leader in Virginia, 85 to 265 ms.",
                |run| {
                    assert_eq!(medians(run), [240, 212, 212, 212, 187]);
                    let led = medians(&raft(run));
                    assert_eq!((led.iter().min(), led.iter().max()), (Some(&85), Some(&265)));
                },
            ),
            ("Where nearly all commands interfere, a leader orders them with less ado.", |run| {
                let each = |run: &Facts| run.report.messages.per_command.expect("clients are answered");
                assert!(each(&raft(run)) < each(run));
            }),
        ],
        _ => return None,
    })
}
