//! Caption of the scenario with Zab: what an old leader left open comes before all that a later one proposes, or never.

use super::{Claim, Facts};
use quorumscope::core::NodeId;

/// The end of each server's history, and its epoch.
fn ends(run: &Facts, ms: u64) -> Vec<(u32, u32)> {
    let session = run.at(ms);
    let status = |id| session.universe().node(NodeId(id)).status.expect("it is up");
    (0..3).map(|id| (status(id).log.last, status(id).epoch.number)).collect()
}

pub(super) fn claims(key: &str) -> Option<&'static [Claim]> {
    Some(match key {
        "primary-order" => &[
            ("Zab, on three servers; node 3 leads.", |run| {
                assert_eq!((run.session.universe().nodes(), run.leader(4_999)), (3, 3));
            }),
            ("At 5 s it is cut off, and has three commands in its history that nobody else has.", |run| {
                let ends = ends(run, 5_040);
                assert_eq!((ends[0], ends[2]), (ends[1], (ends[1].0 + 3, 1)));
            }),
            (
                "Within 0.1 s node 2 leads in epoch 2, and the history of node 1 is the same as its own before it proposes anything.",
                |run| {
                    assert_eq!((run.leader(5_040), run.leader(5_100)), (3, 2));
                    let ends = ends(run, 5_084);
                    assert_eq!((ends[0], ends[1].1), (ends[1], 2));
                },
            ),
            (
                "At 8 s node 3 is back, drops the three, and takes over what it missed: what an old leader left open comes before all that a later one proposes, or never.",
                |run| {
                    let (cut, old, back) = (ends(run, 5_084), ends(run, 7_990), ends(run, 8_100));
                    assert_eq!(old[2], (cut[1].0 + 3, 1));
                    assert!(
                        old[1].0 > old[2].0 + 100 && back[2].1 == 2 && back[2].0 + 6 > back[1].0,
                        "{old:?} {back:?}"
                    );
                    assert_eq!(run.leader(8_100), 2);
                    assert!(run.answers_anywhere(8_100, 12_000).len() > 300);
                },
            ),
        ],
        _ => return None,
    })
}
