//! Caption of the scenario with Ben-Or's protocol: coins in place of a clock.

use super::{Claim, Facts, is_up};
use quorumscope::core::{NodeId, NodeStatus};
use quorumscope::lab::run::Run;

fn status(run: &Facts, ms: u64, node: u8) -> NodeStatus {
    run.at(ms).universe().node(NodeId(node - 1)).status.expect("it is up")
}

/// Bits of the four that are up, as they are shown.
fn values(run: &Facts, ms: u64) -> [u32; 4] {
    let session = run.at(ms);
    [0, 1, 2, 3].map(|node| {
        let entry = session.universe().entry(NodeId(node), 1).expect("it has a value");
        entry.command.expect("a bit").value() & 1
    })
}

/// With what each node begins.
fn inputs(run: &Facts) -> [Option<u32>; 5] {
    let (mut session, mut inputs) = (run.at(999), [None; 5]);
    for ms in 1_000..1_200 {
        session.run_until(ms * 1_000, u64::MAX);
        for (node, input) in (0..).zip(&mut inputs) {
            let entry = session.universe().entry(NodeId(node), 1);
            let entry = entry.filter(|entry| input.is_none() && entry.epoch.number == 1);
            *input = input.or(entry.and_then(|entry| entry.command).map(|command| command.value() & 1));
        }
    }
    inputs
}

fn messages(run: &Facts, kind: &str) -> u64 {
    let universe = run.session.universe();
    let at = universe.variant().kinds.iter().position(|known| known.name == kind).expect("a kind");
    universe.counts().by_kind()[at]
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "coins" => &[
            (
                "Five nodes agree on 0 or 1 by Ben-Or's protocol, without a leader: nodes 1, 3 and 5 begin with 1, and nodes 2 and 4 with 0.",
                |run| {
                    assert_eq!(run.scenario.variant, "ben-or");
                    assert_eq!(run.session.checked().blueprint.placement.len(), 5);
                    let all = run.with(|scenario| scenario.script.clear());
                    assert_eq!(inputs(&all), [1, 0, 1, 0, 1].map(Some));
                },
            ),
            (
                "Node 5 crashes before the client asks, so it is two against two, and each node waits for three echoes, which it cannot get from one side alone.",
                |run| {
                    assert!(!is_up(&run.at(999), 5) && !is_up(&run.at(6_000), 5));
                    assert_eq!(status(run, 1_001, 1).tally.expect("it waits").need, 3);
                    assert_eq!(status(run, 999, 1).role, "without input");
                },
            ),
            ("In rounds 1 to 5 nobody decides: each of the four hears both values and tosses a coin.", |run| {
                let mut told = Run::new(&run.scenario.clone().into()).expect("it runs");
                let mut transcript = told.transcript();
                let mut lines = String::new();
                while !told.step().expect("no interventions") {
                    lines.push_str(&transcript.tell(told.session().universe()));
                }
                assert_eq!(lines.matches(" tosses a coin").count(), 5 * 4);
                assert_eq!(lines.matches("into the next round").count(), 5 * 4, "each by the coin");
                assert!((1..=4).all(|node| status(run, 6_000, node).epoch.number == 6));
            }),
            (
                "In round 6 their coins have fallen well, and the client is answered 0.63 s after it asked; no timer ran out until then.",
                |run| {
                    let answers = run.answers("us-central1", 0, 6_000);
                    assert_eq!(answers.len(), 1);
                    assert_eq!((answers[0].latency + 5_000) / 10_000, 63);
                    // Four nodes, six rounds, four others each, and nothing sent again.
                    assert_eq!([messages(run, "Echo1"), messages(run, "Echo2")], [96; 2]);
                },
            ),
            (
                "Without the coins they would repeat the same round for ever, as any protocol without coins or timeouts may (Fischer, Lynch, Paterson 1985): take away the rule \"coin\" to see it.",
                |run| {
                    let without = run.with(|scenario| scenario.without = vec!["coin".to_owned()]);
                    assert!(without.answers_anywhere(0, 6_000).is_empty());
                    assert!(status(&without, 6_000, 1).epoch.number > 40);
                    assert_eq!(values(&without, 6_000), [1, 0, 1, 0]);
                },
            ),
        ],
        _ => return None,
    })
}
