//! Caption of the scenario with FloodSet: crashes in the middle of what a node sends, and how many rounds that takes.

use super::{Claim, Facts, is_up};
use quorumscope::core::{Command, NodeId};

/// What a node holds in the one slot: its decision, or the smallest value that it knows.
fn value(run: &Facts, ms: u64, node: u8) -> Option<Command> {
    run.at(ms).universe().entry(NodeId(node - 1), 1).and_then(|entry| entry.command)
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "one-round-more" => &[
            (
                "FloodSet: four nodes tell each other all the values they know, in rounds of 50 ms, and any two of them may crash.",
                |run| {
                    let round = |ms| run.at(ms).universe().node(NodeId(3)).status.expect("it is up").epoch.number;
                    assert_eq!([99, 101, 149, 151, 199, 201].map(round), [0, 1, 1, 2, 2, 3]);
                    assert_eq!(run.session.checked().blueprint.placement.len(), 4);
                    let others = run.with(|scenario| {
                        scenario.script.clear();
                    });
                    assert_eq!(others.report.commands.answered, 4);
                },
            ),
            (
                "Node 1 crashes in round 1, when only node 2 has its value; node 2 crashes in round 2, when only node 3 has it.",
                |run| {
                    let first = value(run, 99, 1);
                    assert!(first.is_some() && !is_up(&run.at(101), 1) && is_up(&run.at(149), 2));
                    assert_eq!([2, 3, 4].map(|node| value(run, 149, node) == first), [true, false, false]);
                    assert!(!is_up(&run.at(151), 2));
                    assert_eq!([3, 4].map(|node| value(run, 199, node) == first), [true, false]);
                },
            ),
            ("In round 3 nobody crashes, so nodes 3 and 4 know the same, and both decide that value.", |run| {
                let first = value(run, 99, 1);
                assert!([3, 4].into_iter().all(|node| is_up(&run.at(251), node) && value(run, 251, node) == first));
                assert_eq!(run.at(249).universe().chosen(), 0);
                assert_eq!((run.report.violations.len(), run.report.commands.answered), (0, 2));
            }),
            ("With two rounds node 3 would decide it alone, and node 4 another one.", |run| {
                let two = run.with(|scenario| scenario.without = vec!["one-round-more".to_owned()]);
                assert!(two.violated("Agreement"));
                assert_eq!(value(&two, 201, 3), value(run, 99, 1));
                assert_ne!(value(&two, 201, 4), value(run, 99, 1));
            }),
        ],
        _ => return None,
    })
}
