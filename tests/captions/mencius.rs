//! Captions of the scenarios with Mencius: all servers share the load, and all wait for all.

use super::{Claim, Facts, is_up};

const SITES: [&str; 5] = ["JP", "CA", "OR", "VA", "IRL"];

/// Answered commands a second.
fn rate(run: &Facts) -> u64 {
    run.report.commands.answered / ((run.report.time_us - run.report.measured_from_us) / 1_000_000)
}

fn multi_paxos(run: &Facts) -> Facts {
    run.with(|scenario| scenario.variant = "multi-paxos".to_owned())
}

/// Median latency at a site before the crash, whole ms.
fn median(run: &Facts, site: &str) -> u64 {
    run.median(site, 5_000, 15_000) / 1_000
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "all-sites-write" => &[
            (
                "Mencius in five regions, with 25 busy clients in each and servers that take 1 ms for a message.",
                |run| {
                    assert_eq!(run.session.checked().blueprint.placement, &[0, 1, 2, 3, 4]);
                    assert!(
                        run.scenario.clients.iter().all(|group| group.sessions == Some(25) && group.think.is_none())
                    );
                },
            ),
            (
                "The log's instances belong to the servers in turn, so each suggests the commands of its own clients, and all send as many messages.",
                |run| {
                    let sent = &run.report.messages.by_sender;
                    let (least, most) = (sent.iter().min().expect("five"), sent.iter().max().expect("five"));
                    assert!(most - least < most / 100, "{sent:?}");
                    let mut answers: Vec<usize> =
                        SITES.iter().map(|site| run.answers(site, 5_000, 20_000).len()).collect();
                    answers.sort_unstable();
                    assert!(answers[4] - answers[0] < answers[4] / 100, "{answers:?}");
                },
            ),
            ("Together they answer 410 commands a second.", |run| assert_eq!(rate(run), 410)),
            (
                "Try Multi-Paxos with the same clients: its leader sends half of all messages, and as it cannot do more, there are 242 answers a second.",
                |run| {
                    let led = multi_paxos(run);
                    let leader = usize::from(led.leader(20_000) - 1);
                    let sent = &led.report.messages.by_sender;
                    assert!((2 * sent[leader]).abs_diff(led.report.messages.total) < sent[leader] / 100, "{sent:?}");
                    assert_eq!(rate(&led), 242);
                },
            ),
        ],
        "wait-for-all" => &[
            ("Mencius in five regions, with a client in four of them.", |run| {
                assert_eq!(run.scenario.clients.len(), 4);
                assert!(run.answers("IRL", 0, 30_000).is_empty());
            }),
            (
                "Commands are executed in the order of their instances, so each waits for the servers that own earlier ones, far ones too: the median wait in California is 150 ms, a round trip to Ireland; with EPaxos it is 85.",
                |run| {
                    assert_eq!((median(run, "CA"), run.round_trip(1, 4) / 1_000), (150, 150));
                    assert_eq!(median(&run.with(|scenario| scenario.variant = "epaxos".to_owned()), "CA"), 85);
                },
            ),
            (
                "When Ireland crashes after 15 seconds, nobody is answered for about a second, until it is suspected and what it owns is revoked.",
                |run| {
                    assert!(!is_up(&run.at(15_500), 5));
                    let mut times: Vec<u64> =
                        run.answers_anywhere(14_000, 20_000).iter().map(|sample| sample.at).collect();
                    times.sort_unstable();
                    let longest = times.windows(2).max_by_key(|pair| pair[1] - pair[0]).expect("many");
                    let (from, to) = (longest[0] / 1_000, longest[1] / 1_000);
                    assert!((14_900..15_400).contains(&from) && (800..1_300).contains(&(to - from)), "{from} to {to}");
                    let revoked = |ms: u64| {
                        let sent = run.at(ms).universe().counts().by_kind().to_vec();
                        let kinds = run.session.universe().variant().kinds;
                        sent[kinds.iter().position(|kind| kind.name == "LearnRange").expect("a kind")]
                    };
                    assert!(revoked(from + 500) == 0 && revoked(to) > 0);
                },
            ),
            ("Then the others go on without it: now 120 ms, to Japan and back, is the longest way.", |run| {
                assert_eq!(
                    SITES[..4].iter().map(|site| run.median(site, 18_000, 25_000) / 1_000).collect::<Vec<_>>(),
                    [120; 4]
                );
                assert_eq!(run.round_trip(0, 1) / 1_000, 120);
            }),
        ],
        _ => return None,
    })
}
