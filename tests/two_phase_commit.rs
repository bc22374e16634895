//! Two-phase commit in its built-in scenario: who is blocked, until when, and what the sentence says of it.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::core::{NodeId, NodeSet};
use quorumscope::lab::{Session, presets, text};

#[test]
fn participants_that_voted_are_blocked_until_the_coordinator_is_back_and_the_sentence_says_so() {
    let preset = presets::preset("coordinator-crash").expect("built in");
    let scenario = text::from_json(preset.json).expect("built in").scenario;
    let mut session = Session::new(scenario).expect("a good scenario");
    let blocked = |session: &Session, node| {
        session.universe().node(NodeId(node)).status.and_then(|status| status.blocked).map(|blocked| blocked.on)
    };

    session.run_until(4_900_000, 1_000_000);
    assert!(session.sentence().starts_with("Node 1 is the coordinator"), "{}", session.sentence());
    assert_eq!((blocked(&session, 1), blocked(&session, 2)), (None, None));

    // Each has asked the other by now, and heard that it is in doubt as well.
    session.run_until(10_000_000, 1_000_000);
    let coordinator = Some(NodeSet::just(NodeId(0)));
    assert_eq!((blocked(&session, 1), blocked(&session, 2)), (coordinator, coordinator));
    let said = session.sentence();
    assert!(
        said.starts_with(
            "Nobody leads, and nobody takes the leader's place. Nodes 2 and 3 are blocked on transaction "
        ),
        "{said}"
    );
    assert!(
        said.contains(" until node 1 is back: each has voted yes and may not decide alone. Node 1 is down."),
        "{said}"
    );

    session.run_until(20_000_000, 1_000_000);
    assert_eq!((blocked(&session, 1), blocked(&session, 2)), (None, None));
    assert!(session.sentence().starts_with("Node 1 is the coordinator"), "{}", session.sentence());
}
