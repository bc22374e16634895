//! The record behind the space-time diagram says what the simulator counted, in every built-in scenario, and follows a session wherever it goes.

#![cfg(not(target_arch = "wasm32"))]

use quorumscope::core::NodeId;
use quorumscope::lab::presets;
use quorumscope::lab::run::diagram::{Cone, Fate, Lane, MessageKind, Recorder, Span, State, Subject, Totals};
use quorumscope::lab::{Scenario, Session};
use quorumscope::sim::Action;

fn preset(key: &str) -> Session {
    let preset = presets::preset(key).expect("it is built in");
    let scenario: Scenario = serde_json::from_str(preset.json).expect("it is valid");
    Session::new(scenario).expect("it is valid")
}

fn recorded(session: &Session) -> Recorder {
    let mut recorder = Recorder::latest(session);
    while !recorder.advance(session, 1_000) {}
    recorder
}

#[test]
fn record_has_the_messages_bytes_losses_and_answers_that_the_simulator_counted() {
    for preset in presets::PRESETS {
        let mut session = self::preset(preset.key);
        session.seek_time(session.checked().duration.min(10_000_000));
        let recorder = recorded(&session);
        let (history, counts) = (recorder.history(), session.universe().counts());
        assert_eq!(history.events(), session.universe().events(), "{}", preset.key);
        let totals = Totals::of(history, 0, u64::MAX);
        let of = |kind: u8| {
            let of = totals.kinds.iter().find(|of| matches!(of.kind, MessageKind::Protocol(own) if own.0 == kind));
            of.map_or(0, |of| of.messages)
        };
        let all = history.messages().map(|(_, message)| message).filter(|message| message.clients_lane().is_none());
        let all: Vec<_> = all.collect();
        let unsent = all.iter().filter(|message| message.fate == Fate::Unsent).count() as u64;
        let by_kind: Vec<u64> = (0..counts.by_kind().len() as u8).map(of).collect();
        let sum = |kinds: &[u64]| kinds.iter().sum::<u64>();
        // What is sent with an interceptor waiting for it and dropped at once was never on its way.
        assert_eq!(
            sum(&by_kind) + unsent,
            sum(&counts.by_kind()),
            "{}: {by_kind:?} {:?}",
            preset.key,
            counts.by_kind()
        );
        if unsent == 0 {
            assert_eq!(by_kind, counts.by_kind(), "{}", preset.key);
            let bytes: u64 = all.iter().map(|message| u64::from(message.bytes)).sum();
            assert_eq!(bytes, counts.bytes(), "{}", preset.key);
        }
        let lost = all.iter().filter(|message| message.fate == Fate::Lost).count() as u64;
        assert_eq!(lost, counts.lost, "{}", preset.key);
        assert_eq!(totals.answered, counts.answered, "{}", preset.key);
        assert!(totals.decisions >= session.universe().chosen(), "{}: {totals:?}", preset.key);
        let mut flights = Vec::new();
        session.universe().flights(&mut flights);
        let under_way = history.messages().filter(|(_, it)| matches!(it.fate, Fate::UnderWay | Fate::Held));
        let under_way: Vec<_> = under_way.map(|(_, message)| (message.id, message.from.end())).collect();
        for flight in &flights {
            assert!(under_way.contains(&(flight.id, flight.from)), "{}: {flight:?}", preset.key);
        }
    }
}

#[test]
fn record_of_a_branch_begun_earlier_is_that_of_the_branch_and_not_of_the_one_left() {
    let mut session = preset(presets::PRESETS[0].key);
    session.seek_time(4_000_000);
    let mut recorder = recorded(&session);
    let (events, messages) = (recorder.history().events(), recorder.history().len());
    // Going back changes nothing of what is known, and going on adds to it.
    session.seek_time(2_000_000);
    assert!(recorder.is_of(&session));
    session.seek_time(5_000_000);
    while !recorder.advance(&session, 100) {}
    assert!(recorder.is_of(&session) && recorder.history().events() > events && recorder.history().len() > messages);
    session.seek_time(3_000_000);
    session.act(Action::Crash(NodeId(4))).expect("it is up");
    assert!(!recorder.is_of(&session), "another branch");
    session.seek_time(3_500_000);
    session.act(Action::Restart(NodeId(4))).expect("it is down");
    session.seek_time(6_000_000);
    let recorder = recorded(&session);
    assert!(recorder.is_of(&session));
    assert_eq!(recorder.acts().len(), 2);
    let down = Span { node: NodeId(4), state: State::Down, from: 3_000_000, until: Some(3_500_000) };
    assert_eq!(recorder.history().spans(), [down]);
    let heard =
        recorder.history().messages().filter(|(_, it)| it.to == Lane::Node(NodeId(4)) && it.fate == Fate::Delivered);
    let meanwhile = heard.filter(|(_, it)| it.arrives > 3_000_000 && it.arrives < 3_500_000).count();
    assert_eq!(meanwhile, 0, "who is down hears nothing");
}

#[test]
fn record_that_begins_at_a_checkpoint_agrees_with_one_from_the_start() {
    let mut session = preset("leader-crash");
    session.seek_time(14_000_000);
    let whole = recorded(&session);
    let mut part = Recorder::from(&session, 9_000_000);
    while !part.advance(&session, 1_000) {}
    assert!(part.history().since() > 0 && part.history().since() < 9_000_000);
    let of = |recorder: &Recorder| -> Vec<_> {
        let window = recorder.history().window(9_000_000, 12_000_000).filter(|(_, it)| it.sent >= 9_000_000);
        window.map(|(_, it)| (it.sent, it.arrives, it.from, it.to, it.fate, it.sent_in, it.ended_in)).collect()
    };
    assert!(of(&part).len() > 100);
    assert_eq!(of(&part), of(&whole));
    assert_eq!(Totals::of(part.history(), 9_500_000, 12_000_000), Totals::of(whole.history(), 9_500_000, 12_000_000));
}

#[test]
fn held_message_is_on_its_way_until_it_is_let_go() {
    let mut session = preset(presets::PRESETS[0].key);
    session.seek_time(3_000_000);
    let mut flights = Vec::new();
    while flights
        .iter()
        .all(|it: &quorumscope::sim::world::Flight| it.kind.is_none() || it.sent > session.universe().time())
    {
        session.step();
        session.universe().flights(&mut flights);
    }
    let (now, flight) = (
        session.universe().time(),
        *flights.iter().find(|it| it.kind.is_some() && it.sent <= session.universe().time()).expect("found"),
    );
    use quorumscope::sim::action::Intercept;
    session.act(Action::Message { flight: flight.id, intercept: Intercept::Hold }).expect("it is on its way");
    session.seek_time(4_000_000);
    let mut recorder = recorded(&session);
    let number = recorder.find(flight.id, flight.from, session.universe().events()).expect("it is known");
    assert_eq!(recorder.history().message(number).map(|it| it.fate), Some(Fate::Held));
    session.act(Action::Message { flight: flight.id, intercept: Intercept::Deliver }).expect("it is held");
    session.seek_time(4_100_000);
    while !recorder.advance(&session, 100) {}
    let message = *recorder.history().message(number).expect("it is known");
    assert_eq!((message.fate, message.sent, message.arrives), (Fate::Delivered, flight.sent, 4_000_000), "{now}");
    let cone = Cone::of(recorder.history(), Subject::Message(number));
    assert!(recorder.history().messages().any(|(_, it)| it.sent >= 4_000_000 && cone.is_future(it)));
}
