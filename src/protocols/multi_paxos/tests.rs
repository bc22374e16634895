//! Multi-Paxos step by step: rare interleavings, message by message. Nodes are numbered from 0.

use super::*;
use crate::core::{Answer, Outcome, RuleId};
use crate::protocols::manual_network::{ManualNetwork, write};

type Run = ManualNetwork<MultiPaxos>;

/// Three servers without a leader, which prepare without asking first.
fn three(without: Option<RuleId>) -> Run {
    Run::new(3, &[(POLL, 0)], without)
}

/// Makes a server prepare, and lead with the promise of one other.
fn elect(run: &mut Run, leader: u8, other: u8) {
    run.time_out(leader, Timer::Election);
    run.round("Prepare", "Promise", leader, &[other]);
    assert!(matches!(server(run, leader).role, Role::Leader(_)));
}

fn server(run: &Run, id: u8) -> &Server {
    run.nodes[usize::from(id)].as_ref().expect("it runs")
}

fn held(run: &Run, id: u8, slot: Slot) -> Option<Command> {
    server(run, id).proposal(slot).map(|proposal| proposal.command)
}

fn accept_of(slot: Slot) -> impl Fn(u8, u8, &Msg) -> bool {
    move |_, to, message| to == 1 && matches!(message, Msg::Accept { slot: its, .. } if *its == slot)
}

#[test]
fn new_leader_fills_a_gap_with_a_no_op() {
    let mut run = three(None);
    elect(&mut run, 0, 1);
    for n in 1..=3 {
        run.ask(0, write(n));
    }
    // Only the second of three commands reaches anybody; then the leader is gone.
    assert_eq!(run.deliver_if(accept_of(2)), 1);
    run.lose_all();
    elect(&mut run, 2, 1);
    run.settle(&[1, 2]);
    assert_eq!(held(&run, 2, 1), Some(Command::NOOP));
    assert_eq!(held(&run, 2, 2), Some(write(2)));
    assert_eq!(server(&run, 2).committed, 2);
    // Client 2 gets its answer from the new leader; the others were never heard of there.
    assert!(run.answers.contains(&(write(2).client, Answer::Done(Outcome::Done))));
}

#[test]
fn slots_chosen_out_of_order_are_executed_in_order() {
    let mut run = three(None);
    elect(&mut run, 0, 1);
    run.ask(0, write(1));
    run.ask(0, write(2));
    run.deliver_if(accept_of(2));
    run.deliver("Accepted", 1, 0);
    assert_eq!((run.chosen.get(&(0, 2)), server(&run, 0).committed), (Some(&write(2)), 0));
    assert!(run.answers.is_empty());
    run.deliver_if(accept_of(1));
    run.deliver("Accepted", 1, 0);
    assert_eq!(server(&run, 0).committed, 2);
    assert_eq!(run.answers.iter().map(|(client, _)| *client).collect::<Vec<_>>(), [write(1).client, write(2).client]);
}

/// Server 0 has accepted its own command in ballot 1.1; server 1 chooses another in that slot, and tells how far it has got.
fn an_old_acceptance_meets_a_new_commit_index(without: Option<RuleId>) -> Run {
    let mut run = three(without);
    elect(&mut run, 0, 1);
    run.ask(0, write(10));
    run.lose_all();
    elect(&mut run, 1, 2);
    run.ask(1, write(20));
    run.round("Accept", "Accepted", 1, &[2]);
    assert_eq!(run.chosen.get(&(1, 1)), Some(&write(20)));
    run.lose_all();
    run.time_out(1, Timer::Heartbeat);
    run.deliver("Heartbeat", 1, 0);
    run
}

#[test]
fn commit_index_does_not_commit_what_was_accepted_in_another_ballot() {
    assert!(an_old_acceptance_meets_a_new_commit_index(Some(COMMIT_SAME_BALLOT)).disagree());
    let mut run = an_old_acceptance_meets_a_new_commit_index(None);
    assert!(!run.disagree());
    // It says so at the second heartbeat, when nothing can be on its way any more, and learns with the third.
    for _ in 0..3 {
        run.settle(&[0, 1]);
        run.time_out(1, Timer::Heartbeat);
    }
    run.settle(&[0, 1]);
    assert_eq!(run.chosen.get(&(0, 1)), Some(&write(20)));
}

/// As above, but server 0 comes back as leader and has to find out what was chosen without it.
fn an_old_leader_comes_back(without: Option<RuleId>) -> Run {
    let mut run = three(without);
    elect(&mut run, 0, 1);
    run.ask(0, write(10));
    run.lose_all();
    elect(&mut run, 1, 2);
    run.ask(1, write(20));
    run.round("Accept", "Accepted", 1, &[2]);
    run.lose_all();
    run.time_out(0, Timer::Heartbeat);
    run.time_out(0, Timer::Election);
    run.lose_all();
    // It resigns at the next look, having heard nobody, and prepares again until its ballot is the highest.
    for _ in 0..3 {
        run.time_out(0, Timer::Election);
        run.settle(&[0, 2]);
    }
    run
}

#[test]
fn new_leader_prepares_every_open_slot() {
    for rule in [PREPARE_ALL_SLOTS, ADOPT_HIGHEST] {
        let mut run = an_old_leader_comes_back(Some(rule));
        run.ask(0, write(30));
        run.settle(&[0, 2]);
        assert!(run.disagree(), "{}", RULES[usize::from(rule.0)].key);
    }
    let run = an_old_leader_comes_back(None);
    assert!(matches!(server(&run, 0).role, Role::Leader(_)));
    assert_eq!(run.chosen.get(&(0, 1)), Some(&write(20)));
    assert!(!run.disagree());
}

#[test]
fn preempted_leader_redirects_its_clients() {
    let mut run = three(None);
    elect(&mut run, 0, 1);
    run.ask(0, write(1));
    run.lose_all();
    elect(&mut run, 1, 2);
    run.ask(0, write(2));
    run.time_out(0, Timer::Resend);
    run.deliver("Accept", 0, 2);
    run.deliver("Nack", 2, 0);
    let sent_on: Vec<_> =
        run.answers.iter().filter(|(_, answer)| *answer == Answer::Redirect(Some(NodeId(1)))).collect();
    assert_eq!(sent_on.len(), 2, "{:?}", run.answers);
}

#[test]
fn repeated_command_is_proposed_once_and_answered_again() {
    let mut run = three(None);
    elect(&mut run, 0, 1);
    run.ask(0, write(1));
    run.ask(0, write(1));
    run.settle(&[0, 1, 2]);
    run.ask(0, write(1));
    assert_eq!(server(&run, 0).committed, 1);
    assert_eq!(run.answers, [(write(1).client, Answer::Done(Outcome::Done)); 2]);
}

#[test]
fn pending_command_that_a_promise_reports_is_not_proposed_again() {
    let mut run = three(None);
    elect(&mut run, 0, 1);
    run.ask(0, write(1));
    assert_eq!(run.deliver_if(accept_of(1)), 1);
    run.lose_all();
    // Its client asks the next leader, while that one does not know yet what it will have to adopt.
    run.time_out(2, Timer::Election);
    run.ask(2, write(1));
    run.ask(2, write(2));
    run.round("Prepare", "Promise", 2, &[1]);
    assert_eq!([held(&run, 2, 1), held(&run, 2, 2), held(&run, 2, 3)], [Some(write(1)), Some(write(2)), None]);
    run.settle(&[1, 2]);
    assert_eq!(run.answers.len(), 2, "{:?}", run.answers);
}

#[test]
fn leader_preempted_without_progress_waits_longer() {
    let mut run = three(None);
    elect(&mut run, 0, 1);
    run.lose_all();
    // Nothing was asked for: nothing came to nothing.
    elect(&mut run, 1, 2);
    run.deliver("Heartbeat", 1, 0);
    assert_eq!(server(&run, 0).preempted, 0);
    run.ask(1, write(1));
    run.lose_all();
    elect(&mut run, 2, 0);
    run.deliver("Heartbeat", 2, 1);
    assert_eq!((server(&run, 1).preempted, server(&run, 2).preempted), (1, 0));
    // The new leader gets on with it.
    run.ask(2, write(2));
    run.settle(&[0, 1, 2]);
    run.time_out(2, Timer::Heartbeat);
    run.settle(&[0, 1, 2]);
    assert_eq!(server(&run, 1).preempted, 0);
}

#[test]
fn restarted_server_keeps_its_commit_index() {
    let mut run = three(None);
    elect(&mut run, 0, 1);
    for n in 1..=4 {
        run.ask(0, write(n));
        run.settle(&[0, 1, 2]);
    }
    // The index that says so came with a later command, and went to the disk with it.
    assert_eq!(server(&run, 1).committed, 3);
    run.restart(1);
    assert_eq!(server(&run, 1).committed, 3);
    assert_eq!(held(&run, 1, 4), Some(write(4)));
}

#[test]
fn install_snapshot_executes_chosen_slots_after_it() {
    let mut run = three(None);
    elect(&mut run, 0, 1);
    run.act(1, |server, out| {
        let ballot = server.disk.promised;
        server.on_message(NodeId(0), &Msg::Commit { ballot, slot: 5, command: write(5) }, out);
        assert_eq!(server.committed, 0);
        let snapshot = Snapshot { slot: 4, ..Snapshot::default() }.into();
        server.on_message(NodeId(0), &Msg::Snapshot { ballot, round: 1, snapshot }, out);
    });
    assert_eq!(server(&run, 1).committed, 5);
    assert_eq!(server(&run, 1).machine.recall(write(5)), Some(Outcome::Done));
}

/// A server that had accepted the chosen command in a higher ballot than the one that tells it keeps that ballot.
#[test]
fn learning_a_chosen_command_keeps_the_higher_accepted_ballot() {
    let mut run = three(None);
    elect(&mut run, 0, 1);
    let (low, high) = (Ballot { round: 1, node: NodeId(0) }, Ballot { round: 7, node: NodeId(2) });
    run.act(1, |server, out| {
        server.accept(1, Proposal { ballot: high, command: write(1) });
        server.learn(1, std::iter::once(Proposal { ballot: low, command: write(1) }), out);
        server.save(out);
    });
    assert_eq!(server(&run, 1).proposal(1).map(|held| held.ballot), Some(high));
}

#[test]
fn acceptances_of_an_earlier_ballot_do_not_count() {
    let mut run = Run::new(5, &[(POLL, 0)], None);
    run.time_out(0, Timer::Election);
    run.round("Prepare", "Promise", 0, &[1, 2]);
    run.ask(0, write(1));
    // Two of the three votes it takes, its own included.
    run.round("Accept", "Accepted", 0, &[1]);
    run.lose_all();
    run.time_out(4, Timer::Election);
    run.round("Prepare", "Promise", 4, &[2, 3]);
    run.deliver("Heartbeat", 4, 0);
    run.lose_all();
    run.time_out(0, Timer::Election);
    run.round("Prepare", "Promise", 0, &[2, 3]);
    run.round("Accept", "Accepted", 0, &[3]);
    assert_eq!(server(&run, 0).committed, 0, "two have accepted it in the new ballot");
    run.round("Accept", "Accepted", 0, &[2]);
    assert_eq!(server(&run, 0).committed, 1);
}

#[test]
fn thrifty_leader_without_progress_sends_to_all() {
    let asked = |run: &Run, slot: Slot| {
        let accepts =
            run.in_flight.iter().filter(|(_, _, m)| matches!(m, Msg::Accept { slot: its, .. } if *its == slot));
        accepts.map(|(_, to, _)| *to).collect::<Vec<_>>()
    };
    let mut run = Run::new(5, &[(SEND_THRIFTY, 1), (POLL, 0)], None);
    run.time_out(0, Timer::Election);
    run.round("Prepare", "Promise", 0, &[3, 1]);
    run.ask(0, write(1));
    assert_eq!(asked(&run, 1), [1, 3], "those that promised");
    run.lose_all();
    run.time_out(0, Timer::Resend);
    assert_eq!(asked(&run, 1), [2, 4], "what the others were sent may be under way");
    // Server 3 answers a heartbeat that was sent later.
    run.time_out(0, Timer::Heartbeat);
    run.round("Heartbeat", "HeartbeatReply", 0, &[3]);
    run.lose_all();
    run.time_out(0, Timer::Resend);
    assert_eq!(asked(&run, 1), [3]);
    run.ask(0, write(2));
    assert_eq!(asked(&run, 2), [1, 2, 3, 4]);
    // Until the next heartbeat shows who is there, and who is near.
    run.lose_all();
    run.time_out(0, Timer::Heartbeat);
    run.round("Heartbeat", "HeartbeatReply", 0, &[4, 2, 1]);
    run.ask(0, write(3));
    assert_eq!(asked(&run, 3), [2, 4]);
}

/// Server 0 leads, server 1 has heard it, and server 2 has not.
fn a_leader_that_one_server_cannot_hear(without: Option<RuleId>) -> Run {
    let mut run = Run::new(3, &[], without);
    run.time_out(0, Timer::Election);
    run.round("Poll", "PollReply", 0, &[1]);
    run.round("Prepare", "Promise", 0, &[1]);
    run.deliver("Heartbeat", 0, 1);
    run.lose_all();
    run
}

#[test]
fn leader_that_a_quorum_hears_is_not_deposed_by_one_that_cannot_hear_it() {
    let mut run = a_leader_that_one_server_cannot_hear(None);
    for _ in 0..3 {
        run.time_out(2, Timer::Election);
        run.settle(&[1, 2]);
    }
    // It has raised no ballot either, with which it could depose the leader once the way is free.
    assert_eq!(server(&run, 2).disk.promised, Ballot::default());
    run.time_out(0, Timer::Heartbeat);
    run.settle(&[0, 1, 2]);
    assert!(matches!(server(&run, 0).role, Role::Leader(_)));

    let mut run = a_leader_that_one_server_cannot_hear(Some(LEADER_STICKINESS));
    run.time_out(2, Timer::Election);
    run.settle(&[1, 2]);
    assert!(matches!(server(&run, 2).role, Role::Leader(_)));
}

#[test]
fn leader_that_is_gone_is_replaced_once_the_shortest_election_timeout_is_over() {
    let mut run = a_leader_that_one_server_cannot_hear(None);
    run.time_out(1, Timer::MinimumTimeout);
    run.time_out(2, Timer::Election);
    run.settle(&[1, 2]);
    assert!(matches!(server(&run, 2).role, Role::Leader(_)));
}

#[test]
fn server_that_hears_the_leader_again_gives_up_its_poll() {
    let mut run = a_leader_that_one_server_cannot_hear(None);
    run.time_out(1, Timer::MinimumTimeout);
    run.time_out(2, Timer::Election);
    run.deliver("Poll", 2, 1);
    run.time_out(0, Timer::Heartbeat);
    run.deliver("Heartbeat", 0, 2);
    run.settle(&[1, 2]);
    assert!(matches!(server(&run, 2).role, Role::Acceptor { leader: Some(NodeId(0)), .. }));
}

#[test]
fn nobody_prepares_who_reaches_too_few_for_phase_2() {
    let mut run = Run::new(4, &[(PHASE_1_QUORUM, 2), (PHASE_2_QUORUM, 3)], None);
    run.time_out(0, Timer::Election);
    run.settle(&[0, 1]);
    assert!(matches!(server(&run, 0).role, Role::Acceptor { .. }));
    run.settle(&[0, 1, 2]);
    assert!(matches!(server(&run, 0).role, Role::Leader(_)));
}

#[test]
fn one_snapshot_is_under_way_to_a_server_at_a_time() {
    let sent =
        |run: &Run| run.in_flight.iter().filter(|(_, to, m)| *to == 2 && matches!(m, Msg::Snapshot { .. })).count();
    let mut run = Run::new(3, &[(POLL, 0), (SNAPSHOT_EVERY, 1)], None);
    elect(&mut run, 0, 1);
    run.lose_all();
    for n in 1..=4 {
        run.ask(0, write(n));
        run.settle(&[0, 1]);
        run.in_flight.clear();
    }
    // It says at its second heartbeat that it lacks commands, and is sent a snapshot with the third.
    for expected in [0, 0, 1] {
        run.time_out(0, Timer::Heartbeat);
        assert_eq!(sent(&run), expected);
        run.deliver_if(|_, to, message| to == 2 && matches!(message, Msg::Heartbeat { .. }));
        run.settle(&[0, 1]);
        run.deliver_if(|from, _, message| from == 2 && matches!(message, Msg::HeartbeatReply { .. }));
    }
    // Heartbeats follow it; while none of them is answered, no time is long enough.
    for _ in 0..100 {
        run.time_out(0, Timer::Heartbeat);
        run.settle(&[0, 1]);
    }
    assert_eq!(sent(&run), 1);
    // It was lost: those that came after it are answered.
    run.in_flight.retain(|(_, _, message)| !matches!(message, Msg::Snapshot { .. }));
    run.settle(&[0, 1, 2]);
    run.time_out(0, Timer::Heartbeat);
    assert_eq!(sent(&run), 1);
    run.settle(&[0, 1, 2]);
    assert_eq!(server(&run, 2).committed, server(&run, 0).disk.snapshot.slot);
}

#[test]
fn server_that_lacks_what_is_compacted_lets_another_lead_and_asks_for_its_state_if_that_one_cannot() {
    let mut run = Run::new(3, &[(POLL, 0), (SNAPSHOT_EVERY, 1)], None);
    elect(&mut run, 0, 1);
    run.lose_all();
    for n in 1..=4 {
        run.ask(0, write(n));
        run.settle(&[0, 1]);
        run.in_flight.clear();
    }
    let snapshots = |run: &Run| {
        let has = |m: &Msg| matches!(m, Msg::Promise { report, .. } if report.snapshot.is_some());
        run.in_flight.iter().filter(|(_, to, message)| *to == 2 && has(message)).count()
    };
    // Server 2 executed nothing. It gives way to the first that promises, and that one's Prepare is lost.
    run.time_out(2, Timer::Election);
    run.deliver("Prepare", 2, 0);
    run.deliver("Prepare", 2, 1);
    assert_eq!(snapshots(&run), 0);
    run.deliver("Promise", 0, 2);
    assert!(matches!(server(&run, 2).role, Role::Acceptor { .. }));
    run.deliver("HandOver", 2, 0);
    assert!(matches!(server(&run, 0).role, Role::Proposer(_)));
    run.lose_all();
    // Its next ballot asks that one, and nobody else, for its state.
    run.time_out(2, Timer::Election);
    run.deliver("Prepare", 2, 0);
    run.deliver("Prepare", 2, 1);
    assert_eq!(snapshots(&run), 1);
    run.deliver("Promise", 1, 2);
    assert!(matches!(server(&run, 2).role, Role::Proposer(_)), "it waits for the state");
    run.deliver("Promise", 0, 2);
    assert!(matches!(server(&run, 2).role, Role::Leader(_)));
    assert_eq!(server(&run, 2).machine.digest(), server(&run, 0).machine.digest());
}

#[test]
fn message_fits_in_48_bytes() {
    assert_eq!(size_of::<Option<Msg>>(), 48, "the world moves one in every event");
    assert_eq!(size_of::<Option<Proposal>>(), 32);
}

#[test]
fn order_to_hand_over_is_pending_for_the_server_that_it_names() {
    use crate::core::Order;
    let mut run = three(None);
    elect(&mut run, 0, 1);
    run.ask(0, write(1));
    run.act(0, |server, out| server.on_order(Order::HandOver(NodeId(1)), out));
    let pending = |to| server(&run, 0).is_pending(Order::HandOver(NodeId(to)));
    assert_eq!((pending(1), pending(2)), (true, false));
}

#[test]
fn size_of_a_promise_grows_with_what_it_reports() {
    use crate::core::node::Message;
    let bytes = |accepted: usize| {
        let report = Report { accepted: vec![None; accepted], ..Report::default() };
        Msg::Promise { ballot: Ballot::default(), report: report.into() }.bytes()
    };
    assert!(bytes(0) > 8);
    assert_eq!(bytes(3) - bytes(0), 3 * (bytes(1) - bytes(0)));
    assert!(bytes(1) > bytes(0));
}

#[test]
fn quorum_reads_of_two_clients_are_answered_both() {
    let quorum_reads = Reads::QuorumReads as u64;
    let mut run = Run::new(3, &[(POLL, 0), (READS, quorum_reads)], None);
    elect(&mut run, 0, 1);
    run.settle(&[0, 1, 2]);
    let read = |client| Command { client: crate::core::ClientId(client), seq: 1, op: crate::core::Op::Read { key: 0 } };
    run.ask(1, read(7));
    run.ask(1, read(8));
    run.settle(&[0, 1, 2]);
    let answered = |client| run.answers.iter().any(|(to, answer)| to.0 == client && matches!(answer, Answer::Done(_)));
    assert_eq!((answered(7), answered(8)), (true, true));
}

#[test]
fn new_leader_answers_no_read_before_it_has_committed_what_it_adopted() {
    let mut run = Run::new(3, &[(POLL, 0), (READS, Reads::LeaderUnchecked as u64)], None);
    elect(&mut run, 0, 1);
    run.ask(0, write(1));
    run.deliver_if(accept_of(1));
    run.lose_all();
    // Node 1 has accepted a write that may be chosen, and leads now.
    elect(&mut run, 1, 2);
    let read = Command { client: crate::core::ClientId(9), seq: 1, op: crate::core::Op::Read { key: 0 } };
    run.ask(1, read);
    assert!(run.answers.iter().all(|(to, _)| to.0 != 9));
    run.settle(&[1, 2]);
    assert!(run.answers.contains(&(read.client, Answer::Done(Outcome::Value(Some(1))))));
}
