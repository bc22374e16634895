//! A run is its scenario and the interventions done by hand: going back, going on and opening a link elsewhere give the same run again.

#![cfg(not(target_arch = "wasm32"))]

use quorumscope::core::NodeId;
use quorumscope::lab::session::Goal;
use quorumscope::lab::{Clients, Document, Moment, Replay, Scenario, Session, Site, presets};
use quorumscope::sim::Action;

fn scenario() -> Scenario {
    Scenario {
        variant: "notes".into(),
        matrix: Some("pql".into()),
        sites: ["VA", "OR", "IRL"].map(Site::named).to_vec(),
        replicas: ["VA", "OR", "IRL", "VA", "OR"].map(str::to_owned).to_vec(),
        clients: vec![Clients { site: "IRL".into(), rate: Some("50/s".into()), ..Clients::default() }],
        network: quorumscope::lab::Network { jitter: Some("10%".into()), ..Default::default() },
        ..Scenario::default()
    }
}

/// A run of some hundred events with three interventions in it.
fn played() -> Session {
    let mut session = Session::new(scenario()).expect("a good scenario");
    session.run_until(30_000, u64::MAX);
    session.act(Action::Crash(NodeId(1))).expect("it runs");
    session.act(Action::Request { site: 2 }).expect("there is such a site");
    session.run_until(u64::MAX, 300);
    session.act(Action::Restart(NodeId(1))).expect("it is down");
    session.run_until(60_000_000, 900);
    session
}

#[test]
fn replay_of_document_gives_the_same_run() {
    let session = played();
    let opened = Session::open(&session.document()).expect("our own document");
    assert_eq!(opened.moment(), session.moment());
    assert_eq!(opened.universe().fingerprint(), session.universe().fingerprint());
    assert_eq!(opened.interventions(), session.interventions());
    assert_eq!(opened.document(), session.document());
}

#[test]
fn seek_to_any_event_equals_replay_of_its_document() {
    let mut session = played();
    let end = session.moment();
    let mut fingerprints = Vec::new();
    session.seek(0);
    loop {
        fingerprints.push((session.moment(), session.universe().fingerprint()));
        if session.moment() == end || !session.step() {
            break;
        }
    }
    assert!(fingerprints.len() as u64 > end.event, "interventions are steps too");
    for (moment, fingerprint) in fingerprints.iter().rev() {
        let now = session.moment();
        assert_eq!((now.event, now.interventions), (moment.event, moment.interventions));
        // Going back from an intervention leads to the time right before it, not to the event before it.
        if now.at == moment.at {
            assert_eq!(session.universe().fingerprint(), *fingerprint);
        }
        if moment.event % 50 < 3 {
            let opened = Session::open(&session.document()).expect("our own document");
            assert_eq!(opened.moment(), now);
            assert_eq!(opened.universe().fingerprint(), session.universe().fingerprint());
            assert_eq!(opened.interventions().len(), 3, "what is still to come comes along");
        }
        session.back();
    }
    assert_eq!(session.moment(), Moment::default());
}

#[test]
fn seek_time_stops_before_later_events() {
    let mut session = played();
    let end = session.moment().at;
    for time in [end, end / 2, 30_000, 29_999, 0, end / 3, end] {
        session.seek_time(time);
        assert_eq!(session.moment().at, time);
        let opened = Session::open(&session.document()).expect("our own document");
        assert_eq!(opened.universe().fingerprint(), session.universe().fingerprint(), "at {time}");
    }
}

#[test]
fn intervention_in_the_past_drops_later_interventions() {
    let mut session = played();
    session.seek(10);
    let refused = session.act(Action::Restart(NodeId(0)));
    assert!(refused.is_err(), "it is running");
    assert_eq!(session.interventions().len(), 3, "what is refused changes nothing");
    session.act(Action::Crash(NodeId(0))).expect("it runs");
    let events: Vec<u64> = session.interventions().iter().map(|intervention| intervention.event).collect();
    assert_eq!(events, [7, 7, 10], "the first two came before");
    assert_eq!(session.reached(), session.moment());
    // Copies of the run that was left must not be gone back to.
    session.run_until(u64::MAX, 800);
    let (end, there) = (session.moment(), session.universe().fingerprint());
    for out_of_order in [700, 300, 11] {
        session.seek(out_of_order);
        session.seek(end.event);
        assert_eq!((session.moment(), session.universe().fingerprint()), (end, there));
    }
    session.restart();
    assert_eq!((session.interventions().len(), session.moment()), (0, Moment::default()));
}

#[test]
fn intervention_between_simultaneous_events_replays_between_them() {
    // Nothing varies, so many things happen at the same time.
    let even = Scenario { network: Default::default(), replicas: vec!["VA".into(); 5], ..scenario() };
    let mut session = Session::new(even).expect("a good scenario");
    let mut before = session.moment();
    while session.step() && (session.moment().at != before.at || before.event < 10) {
        before = session.moment();
    }
    session.seek(before.event);
    session.act(Action::Crash(NodeId(4))).expect("it runs");
    session.run_until(u64::MAX, 50);
    let opened = Session::open(&session.document()).expect("our own document");
    assert_eq!(opened.universe().fingerprint(), session.universe().fingerprint());
    let there = session.universe().fingerprint();
    session.seek(5);
    session.seek(opened.moment().event);
    assert_eq!(session.universe().fingerprint(), there);
}

#[test]
fn checkpoints_stay_bounded_in_long_runs() {
    let mut session = Session::new(scenario()).expect("a good scenario");
    session.run_until(u64::MAX, 40_000);
    let there = session.universe().fingerprint();
    session.seek(12_345);
    let out_of_order = session.universe().fingerprint();
    session.seek(40_000);
    assert_eq!(session.universe().fingerprint(), there);
    session.seek(12_345);
    assert_eq!(session.universe().fingerprint(), out_of_order);
}

#[test]
fn document_that_does_not_fit_its_run_is_refused() {
    let good = played().document();
    let wrong = |change: &dyn Fn(&mut Document)| {
        let mut document = good.clone();
        change(&mut document);
        Session::open(&document).expect_err("it does not fit").to_string()
    };
    let far = wrong(&|document| document.moment.as_mut().expect("one").event = u64::MAX);
    assert_eq!(far, "moment.event: 18446744073709551615: is too far to go to; 0 to 50000000 would do");
    let never = wrong(&|document| document.moment.as_mut().expect("one").at = "1us".into());
    assert_eq!(
        never,
        "moment: event 1207 at 1us: the run never is at this moment; was the link made by another version?"
    );
    let crashed = wrong(&|document| document.interventions[1].what = document.interventions[0].what.clone());
    assert_eq!(crashed, "interventions[1]: node 2 is down already");
    let elsewhere = wrong(&|document| document.interventions[0].event = 5);
    assert!(elsewhere.starts_with("interventions[0]: "), "{elsewhere}");
    let nobody = wrong(&|document| document.interventions[0].what.node = Some(33.into()));
    assert_eq!(nobody, "interventions[0].what.node: 33: the nodes are 1 to 32");
    let disorder = wrong(&|document| document.interventions.swap(0, 2));
    assert!(disorder.contains("order them by time"), "{disorder}");
}

#[test]
fn replay_in_slices_reaches_the_same_moment() {
    let session = played();
    let mut replay = Replay::new(&session.document()).expect("our own document");
    let mut slices = 0;
    while !replay.advance(100).expect("it fits") {
        slices += 1;
        assert!(replay.permille() <= 1_000);
    }
    assert!(slices > 5);
    assert_eq!(replay.into_session().universe().fingerprint(), session.universe().fingerprint());
}

#[test]
fn intervention_in_the_past_begins_a_branch_and_keeps_the_old_one() {
    let mut session = played();
    let (end, there) = (session.moment(), session.universe().fingerprint());
    session.seek(200);
    session.act(Action::Crash(NodeId(2))).expect("it runs");
    session.run_until(u64::MAX, 500);
    let (new_end, new_there) = (session.moment(), session.universe().fingerprint());
    assert_ne!(new_there, there);
    let numbers = |session: &Session| session.branches().iter().map(|branch| branch.number).collect::<Vec<_>>();
    assert_eq!((numbers(&session), session.branch().number), (vec![0, 1], 1));
    let (from, parted) = session.branch().parted.expect("it began in the past");
    assert_eq!((from, parted.event), (0, 200));

    // There and back again: each is as it was left, and can be gone through.
    for _ in 0..2 {
        assert!(session.switch(0));
        assert_eq!(session.branch().number, 0);
        session.seek(end.event);
        while session.moment() != end && session.step() {}
        assert_eq!((session.moment(), session.universe().fingerprint()), (end, there));
        assert!(session.switch(1));
        session.seek(new_end.event);
        while session.moment() != new_end && session.step() {}
        assert_eq!((session.moment(), session.universe().fingerprint()), (new_end, new_there));
    }
    assert!(!session.switch(7), "there is no such branch");
    session.restart();
    assert_eq!(numbers(&session), [0]);
}

#[test]
fn first_difference_of_branches_is_at_their_fork() {
    let mut session = played();
    session.seek(200);
    session.act(Action::Crash(NodeId(2))).expect("it runs");
    session.run_until(u64::MAX, 500);
    let found = session.first_difference(0).expect("a node less makes a difference");
    assert!(found.event >= 200 && found.here != found.there, "{found:?}");
    // Held against every event of both: up to there the same, from there on not.
    let mut records = |number: usize, event: u64| {
        assert!(session.switch(number));
        session.seek(event);
        let before = session.universe().trace().total();
        while session.moment().event == event && session.step() {}
        let memo = session.universe().trace().records().filter(|(number, _)| *number >= before);
        memo.map(|(_, record)| record).find(|record| record.what != quorumscope::sim::What::Acted)
    };
    for event in [200, found.event - 1] {
        assert_eq!(records(0, event), records(1, event), "event {event}");
    }
    assert_eq!((records(1, found.event), records(0, found.event)), (found.here, found.there));
    assert_eq!(session.first_difference(9), None);
}

#[test]
fn branches_are_bounded() {
    let mut session = played();
    let end = session.moment().event;
    for event in 1..=20 {
        session.seek(end.min(100 + event));
        session.act(Action::Request { site: 2 }).expect("there is such a site");
        session.run_until(u64::MAX, 100);
    }
    assert_eq!(session.branches().len(), quorumscope::lab::session::BRANCHES);
    assert_eq!(session.branch().number, 20);
}

/// Two servers that shoot each other and both miss, or both hit.
#[test]
fn sentence_tells_of_two_leaders_at_once_and_of_nobody_up() {
    let sentence = |seed: u64| {
        let preset = quorumscope::lab::presets::preset("heartbeat-pair").expect("built in");
        let document = quorumscope::lab::text::from_json(preset.json).expect("built in");
        let mut session = Session::new(Scenario { seed: Some(seed), ..document.scenario }).expect("a good scenario");
        session.run_until(8_000_000, u64::MAX);
        session.sentence()
    };
    assert_eq!(sentence(5), "Nodes 1 and 2 both take themselves for the primary.");
    assert_eq!(sentence(6), "Nobody is up.");
    assert!(sentence(7).starts_with("Node 1 leads takeover 2 from "), "{}", sentence(7));
}

#[test]
fn run_begun_without_the_code_for_faults_goes_on_as_one_begun_with_it() {
    let mut early = Session::first();
    let mut late = Session::new(presets::first()).expect("the first scenario makes sense");
    for session in [&mut early, &mut late] {
        session.run_until(2_000_000, u64::MAX);
    }
    early.complete();
    for session in [&mut early, &mut late] {
        let leader = session.universe().leader().expect("somebody leads after 2 s");
        session.act(Action::Crash(leader)).expect("a node that runs can crash");
        session.run_until(6_000_000, u64::MAX);
        session.act(Action::Restart(leader)).expect("a crashed node can restart");
        session.run_until(9_000_000, u64::MAX);
        session.seek(session.moment().event / 2);
    }
    assert_eq!(early.universe().fingerprint(), late.universe().fingerprint());
    assert_eq!(early.moment(), late.moment());
}

#[test]
fn going_somewhere_in_slices_is_going_there_at_once() {
    let mut at_once = played();
    let mut in_slices = played();
    let end = at_once.moment();
    for goal in [
        Goal::Event(17),
        Goal::Time(end.at + 40_000),
        Goal::Time(9_000),
        Goal::Event(end.event + 700),
        Goal::Moment(end),
        at_once.before(),
    ] {
        match goal {
            Goal::Event(event) => at_once.seek(event),
            Goal::Time(time) => at_once.seek_time(time),
            Goal::Moment(moment) => {
                at_once.seek(moment.event);
                while at_once.moment().interventions < moment.interventions && at_once.step() {}
                at_once.run_until(moment.at, 0);
            }
        }
        in_slices.set_out(goal);
        let mut slices = 1;
        while !in_slices.approach(goal, 10) {
            slices += 1;
        }
        assert_eq!(in_slices.universe().fingerprint(), at_once.universe().fingerprint(), "{goal:?}");
        assert!(slices < 200, "{goal:?} takes {slices} slices");
    }
}

#[test]
fn return_to_a_bookmark_is_to_be_where_it_was_also_on_another_branch() {
    let mut session = played();
    let (end, fingerprint) = (session.moment(), session.universe().fingerprint());
    let bookmark = session.bookmark();
    session.set_out(Goal::Event(3));
    session.approach(Goal::Event(3), 2);
    assert_ne!(session.moment(), end);
    session.return_to(bookmark);
    assert_eq!((session.moment(), session.universe().fingerprint()), (end, fingerprint));

    let bookmark = session.bookmark();
    session.seek(40);
    session.act(Action::Crash(NodeId(2))).expect("it runs");
    let branch = session.branch().number;
    assert!(session.run_until(u64::MAX, 50) > 0);
    session.return_to(bookmark);
    assert_eq!((session.moment(), session.universe().fingerprint()), (end, fingerprint));
    assert_ne!(session.branch().number, branch);
    // It goes on from there as if it had never been away.
    let mut never_away = played();
    assert_eq!(session.run_until(u64::MAX, 500), never_away.run_until(u64::MAX, 500));
    assert_eq!(session.universe().fingerprint(), never_away.universe().fingerprint());
}

#[test]
fn undo_goes_back_before_the_act_and_redo_does_the_same_again() {
    let mut session = Session::new(scenario()).expect("a good scenario");
    session.run_until(2_000_000, u64::MAX);
    let before = session.universe().fingerprint();
    session.act(Action::Crash(NodeId(1))).expect("it runs");
    session.run_until(3_000_000, u64::MAX);
    session.act(Action::Loss { permille: 100 }).expect("messages can be lost");
    session.run_until(4_000_000, u64::MAX);
    let (moment, after) = (session.moment(), session.universe().fingerprint());
    assert_eq!(session.undoes(), Some(Action::Loss { permille: 100 }));
    assert_eq!(session.undo(), Some(Action::Loss { permille: 100 }));
    assert_eq!(session.moment().at, 3_000_000);
    assert_eq!((session.undo(), session.undo()), (Some(Action::Crash(NodeId(1))), None));
    assert_eq!((session.moment().at, session.universe().fingerprint()), (2_000_000, before));
    assert_eq!((session.interventions(), session.branches().len()), (&[][..], 1));
    // Without the act the run goes on as if it had never been done.
    session.run_until(4_000_000, u64::MAX);
    assert!(session.universe().node(NodeId(1)).status.is_some());
    assert_eq!(session.redo(), Some(Action::Crash(NodeId(1))));
    assert_eq!(session.redoes(), Some(Action::Loss { permille: 100 }));
    assert_eq!((session.redo(), session.redo()), (Some(Action::Loss { permille: 100 }), None));
    session.run_until(4_000_000, u64::MAX);
    assert_eq!((session.moment(), session.universe().fingerprint()), (moment, after));
}

#[test]
fn what_was_undone_stays_in_a_branch_when_something_else_is_done() {
    let mut session = Session::new(scenario()).expect("a good scenario");
    session.run_until(2_000_000, u64::MAX);
    session.act(Action::Crash(NodeId(1))).expect("it runs");
    session.run_until(3_000_000, u64::MAX);
    let after = session.universe().fingerprint();
    session.undo();
    session.act(Action::Crash(NodeId(2))).expect("it runs");
    assert_eq!((session.redo(), session.branches().len()), (None, 2));
    assert!(session.switch(0));
    session.seek_time(3_000_000);
    assert_eq!(session.universe().fingerprint(), after);
}
