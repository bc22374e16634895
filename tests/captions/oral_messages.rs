//! Caption of the scenario with OM(1): one byzantine among four generals, and among three.

use super::{Claim, Facts};
use quorumscope::core::{Command, NodeId};

/// What a general acts on, or so far the order as it was told to it.
fn order(run: &Facts, ms: u64, node: u8) -> Option<Command> {
    run.at(ms).universe().entry(NodeId(node - 1), 1).and_then(|entry| entry.command)
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "one-byzantine-of-four" => &[
            ("OM(1), the Byzantine generals.", |run| {
                assert_eq!(run.session.checked().blueprint.placement.len(), 4);
                let round = |ms| run.at(ms).universe().node(NodeId(3)).status.expect("it is up").epoch.number;
                assert_eq!([99, 101, 149, 151, 199].map(round), [0, 1, 1, 2, 2]);
            }),
            ("Node 1, the commander, lies: it tells nodes 2 and 3 one order and node 4 another.", |run| {
                let told = [2, 3, 4].map(|node| order(run, 149, node));
                assert!(told[0].is_some() && told[0] == told[1] && told[2].is_some() && told[2] != told[0]);
                assert_eq!(run.at(149).universe().node(NodeId(0)).status.expect("it is up").role, "commander");
            }),
            (
                "In round 2 each lieutenant tells the others what it was told, so all three see two against one and act on the same order.",
                |run| {
                    let told = order(run, 149, 2);
                    assert_eq!([2, 3, 4].map(|node| order(run, 201, node)), [told; 3]);
                    assert!(run.report.violations.is_empty());
                },
            ),
            (
                "With three generals that would not do: if node 3 says that the commander said something else, node 2 cannot tell which of them lies, and does not act on the order of a loyal commander.",
                |run| {
                    let three = run.with(|scenario| {
                        scenario.replicas.truncate(3);
                        scenario.without = vec!["three-m-plus-one".to_owned()];
                        scenario.script[0].node = Some(3.into());
                        scenario.script[0].to = Some(quorumscope::lab::fault::Nodes::One(2));
                        scenario.trials.clear();
                    });
                    assert!(three.violated("A loyal commander is obeyed (IC2)"));
                    assert_ne!(order(&three, 201, 2), order(&three, 201, 1));
                },
            ),
        ],
        _ => return None,
    })
}
