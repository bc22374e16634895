//! Messages per command, measured, are those of the papers, to the message.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::lab::compare::{COMMANDS, Cell, CompareJob, Figure};
use quorumscope::lab::{Scenario, Value, presets, text};
use quorumscope::universe;

fn three_regions() -> Scenario {
    let preset = presets::preset("three-regions").expect("built in");
    text::from_json(preset.json).expect("built in").scenario
}

/// `changes` are made as by `--set`.
fn changed(changes: &[&str]) -> Scenario {
    let mut tree = serde_json::to_value(three_regions()).expect("a tree");
    for change in changes {
        text::set(&mut tree, change).expect("a good change");
    }
    text::document(tree).expect("a good scenario").scenario
}

fn measured(scenario: &Scenario, variants: &[&str], replicas: &[u32]) -> Vec<Cell> {
    let mut job = CompareJob::new(scenario, variants, replicas).unwrap_or_else(|wrong| panic!("{wrong}"));
    while !job.advance(100_000) {}
    job.cells().to_vec()
}

/// Measures one variant, and expects exactly these counts for n = 3, 5, 7, 9.
fn counts(variant: &str, changes: &[&str], expected: [u64; 4]) {
    counts_of(&[3, 5, 7, 9], variant, changes, &expected);
}

/// Measures one variant, and expects exactly these counts for so many replicas.
fn counts_of(replicas: &[u32], variant: &str, changes: &[&str], expected: &[u64]) {
    let own = format!("variant={variant}");
    let scenario = changed(&[&[own.as_str()], changes].concat());
    let cells = measured(&scenario, &[variant], replicas);
    let found = cells.iter().map(|cell| {
        let measured = cell.measured.as_ref().unwrap_or_else(|| panic!("{variant} {changes:?}: {:?}", cell.says));
        let formula = measured.formula.as_ref().unwrap_or_else(|| panic!("{variant} {changes:?}: no formula"));
        assert!(formula.exact, "{variant} {changes:?}, n = {}: {measured:#?}", cell.replicas);
        let counted = measured.by_kind.iter().filter(|kind| !formula.left_out.contains(&kind.kind));
        let messages: u64 = counted.map(|kind| kind.messages).sum();
        assert_eq!(messages % u64::from(measured.commands), 0);
        messages / u64::from(measured.commands)
    });
    assert_eq!(found.collect::<Vec<_>>(), expected, "{variant} {changes:?}");
}

#[test]
fn caspaxos_sends_4n_minus_4_or_half_of_it_for_a_proposer_that_goes_on() {
    counts("caspaxos", &[], [8, 16, 24, 32]);
    // Whether one site asks or several: each has a register of its own.
    counts("caspaxos", &["settings.one_round=true", "clients=[]"], [4, 8, 12, 16]);
    counts("caspaxos", &["settings.one_round=true"], [4, 8, 12, 16]);
}

/// The fast-path quorum is 2, 3, 5, 6.
#[test]
fn epaxos_sends_3n_minus_3_or_fewer_to_ask_and_an_accept_to_half_of_the_others_on_the_slow_path() {
    counts("epaxos", &[], [6, 12, 18, 24]);
    counts("epaxos", &["settings.thrifty=true"], [4, 8, 14, 18]);
    counts("epaxos", &["settings.fast_path=false"], [8, 16, 24, 32]);
    counts("epaxos", &["settings.thrifty=true", "settings.fast_path=false"], [6, 12, 20, 26]);
}

/// Skips alone, which tell idle servers, are left out.
#[test]
fn mencius_sends_3n_minus_3_or_n_squared_minus_1_if_everybody_hears_acceptances() {
    counts("mencius", &[], [6, 12, 18, 24]);
    counts("mencius", &["clients=[]"], [6, 12, 18, 24]);
    counts("mencius", &["settings.accepts=everybody"], [8, 24, 48, 80]);
    let alone = measured(&changed(&["variant=mencius", "clients=[]", "settings.heartbeat=10s"]), &["mencius"], &[5]);
    let formula = alone[0].measured.as_ref().expect("it can be").formula.as_ref().expect("there is one");
    assert_eq!((formula.exact, formula.left_out.as_slice()), (true, &["Skip"][..]));
}

#[test]
fn raft_sends_2n_minus_2() {
    counts("raft", &[], [4, 8, 12, 16]);
}

#[test]
fn multi_paxos_sends_2n_minus_2_or_a_third_message_to_tell_or_fewer_to_ask() {
    counts("multi-paxos", &[], [4, 8, 12, 16]);
    counts("multi-paxos", &["settings.commit=explicit"], [6, 12, 18, 24]);
    counts("multi-paxos", &["settings.thrifty=true"], [2, 4, 6, 8]);
    counts("multi-paxos", &["settings.thrifty=true", "settings.commit=explicit"], [4, 8, 12, 16]);
}

/// Thrifty, 2(q2−1) for a command, where q2 is a column; a row and a column; or majorities of a majority of groups. The grids are 2×2, 2×3, 2×4, 3×3, 3×4.
#[test]
fn quorums_of_a_grid_or_of_groups_cost_two_messages_for_each_other_member() {
    const SIZES: [u32; 5] = [4, 6, 8, 9, 12];
    // The scenario itself has to fit as well.
    const FOUR: &str = r#"replicas=["us-east-1", "us-east-1", "us-west-2", "eu-west-1"]"#;
    for (shape, q1, q2) in [
        ("grid", [2, 3, 4, 3, 4], [2, 2, 2, 3, 3]),
        ("row-and-column", [3, 4, 5, 5, 6], [3, 4, 5, 5, 6]),
        ("hierarchical", [4, 4, 6, 4, 6], [4, 4, 6, 4, 6]),
    ] {
        let shape = format!("settings.quorums={shape}");
        let thrifty = [FOUR, shape.as_str(), "settings.thrifty=true"];
        counts_of(&SIZES, "multi-paxos", &thrifty, &q2.map(|q2| 2 * (q2 - 1)));
        counts_of(&SIZES, "multi-paxos", &thrifty[..2], &SIZES.map(|n| 2 * (u64::from(n) - 1)));
        let all: Vec<u64> = (0..5).map(|i| 2 * (q1[i] + q2[i] - 2) + u64::from(SIZES[i]) - 1).collect();
        counts_of(&SIZES, "synod", &thrifty, &all);
    }
    let grid = [FOUR, "settings.quorums=grid", "settings.rows=2", "settings.thrifty=true"];
    counts_of(&[6, 8], "multi-paxos", &grid, &[2, 2]);
    let changes = [&["variant=multi-paxos"], &grid[..2]].concat();
    let five = measured(&changed(&changes), &["multi-paxos"], &[5]);
    let says = five[0].says.as_deref().unwrap_or_default();
    assert!(says.contains("quorums") && says.contains("4, 6, 8, 9"), "{says}");
}

/// Lamport counts 9, 20, 35 for 3, 5, 7 acceptors: with the client's proposals to a quorum of two thirds, which are no messages here.
#[test]
fn fast_paxos_sends_a_vote_to_everybody_else_for_each_acceptor_that_votes() {
    counts("fast-paxos", &[], [6, 20, 42, 72]);
    counts("fast-paxos", &["settings.thrifty=true"], [6, 16, 36, 56]);
    counts("fast-paxos", &["settings.thrifty=true", "settings.quorums=two-thirds"], [6, 16, 30, 56]);
    counts("fast-paxos", &["settings.recovery=uncoordinated"], [6, 20, 42, 72]);
}

/// Two echoes of everybody to everybody, and the decision. With divided inputs there is no one count, and without the gadget there is no end.
#[test]
fn ben_or_sends_two_echoes_to_everybody_and_the_decision() {
    counts("ben-or", &[], [18, 60, 126, 216]);
    for cell in measured(&changed(&["variant=ben-or"]), &["ben-or"], &[3, 5, 7, 9]) {
        let each = u64::from(cell.replicas) * u64::from(cell.replicas - 1);
        let by_kind = cell.measured.expect("it can be").by_kind;
        let by_kind: Vec<_> = by_kind.iter().map(|kind| (kind.kind, kind.messages)).collect();
        assert_eq!(by_kind, [("Echo1", each), ("Echo2", each), ("Decide", each)]);
    }
}

/// The acknowledgement is off the critical path, and is not there where commit is presumed.
#[test]
fn two_phase_commit_sends_3n_minus_3_and_acknowledgements() {
    counts("two-phase-commit", &[], [8, 16, 24, 32]);
    counts("two-phase-commit", &["settings.presume=nothing"], [8, 16, 24, 32]);
    counts("two-phase-commit", &["settings.presume=commit"], [6, 12, 18, 24]);
}

/// Whoever has crashed or not: each round has everybody send to everybody else.
#[test]
fn floodset_sends_n_squared_minus_n_in_each_of_f_plus_1_rounds() {
    counts("floodset", &[], [12, 40, 84, 144]);
    counts("floodset", &["settings.f=2"], [18, 60, 126, 216]);
}

/// Each message of a round is passed on to all that it has not been through.
#[test]
fn oral_messages_are_n_minus_1_times_n_minus_2_and_so_on_in_each_of_m_plus_1_rounds() {
    const FOUR: &str = r#"replicas=["us-east-1", "us-east-1", "us-west-2", "eu-west-1"]"#;
    counts_of(&[4, 5, 7, 10], "oral-messages", &[FOUR], &[9, 16, 36, 81]);
    counts_of(&[4, 7], "oral-messages", &[FOUR, "settings.m=0"], &[3, 6]);
    const SEVEN: &str =
        r#"replicas=["us-east-1", "us-east-1", "us-east-1", "us-west-2", "us-west-2", "eu-west-1", "eu-west-1"]"#;
    counts_of(&[7, 10], "oral-messages", &[SEVEN, "settings.m=2"], &[6 + 30 + 120, 9 + 72 + 504]);
}

/// Gossip, heartbeats and anti-entropy are not of a command.
#[test]
fn ways_that_do_not_work_send_a_write_to_each_copy_and_wait_for_it_or_not() {
    counts("manual-failover", &[], [4, 8, 12, 16]);
    counts("manual-failover", &["settings.copies=asynchronous"], [2, 4, 6, 8]);
    counts("gossip-leader", &[], [4, 8, 12, 16]);
    counts("last-writer-wins", &[], [2, 4, 6, 8]);
    assert_eq!(reads("manual-failover", &[]), [0.0; 4]);
    assert_eq!(reads("gossip-leader", &[]), [0.0; 4]);
    assert_eq!(reads("last-writer-wins", &[]), [0.0; 4]);
}

#[test]
fn clients_faults_and_jitter_do_not_change_the_measurement() {
    counts("raft", &["clients[0].rate=500/s", "network.loss=20%", "network.jitter=50%", "clients=[]"], [4, 8, 12, 16]);
    counts("raft", &["disk=5ms", "network.processing=100us"], [4, 8, 12, 16]);
    counts("raft", &["script=[{\"at\":\"0s\",\"do\":\"crash\",\"node\":1}]"], [4, 8, 12, 16]);
}

#[test]
fn catching_up_outside_of_a_thrifty_quorum_is_measured_and_left_out_by_the_formula() {
    let thrifty = changed(&["variant=multi-paxos", "settings.thrifty=true"]);
    for cell in measured(&thrifty, &["multi-paxos"], &[5, 7]) {
        let measured = cell.measured.expect("it can be");
        let formula = measured.formula.expect("there is one");
        assert_eq!((formula.exact, formula.left_out.as_slice()), (true, &["CatchUp"][..]));
        assert!(measured.per_command > f64::from(formula.per_command), "{}", measured.per_command);
    }
    let plain = measured(&changed(&["variant=multi-paxos"]), &["multi-paxos"], &[5]);
    let formula = plain[0].measured.as_ref().expect("it can be").formula.as_ref().expect("there is one");
    assert_eq!(formula.left_out, [""; 0]);
}

#[test]
fn every_variant_meets_its_published_formula() {
    for cell in measured(&three_regions(), &[], &[2, 3, 4, 5, 6, 7, 8, 9]) {
        let Some(measured) = cell.measured else { continue };
        if let Some(formula) = &measured.formula {
            assert!(formula.exact, "{} with {} replicas: {measured:#?}", cell.title, cell.replicas);
        }
        let sum: u64 = measured.by_kind.iter().map(|kind| kind.messages).sum();
        assert_eq!(sum, measured.messages);
    }
}

#[test]
fn measurement_does_not_depend_on_slices() {
    let all = measured(&three_regions(), &[], &[3, 5]);
    assert_eq!(all.len(), 2 * universe::variants().len());
    let mut job = CompareJob::new(&three_regions(), &[], &[3, 5]).expect("good");
    let mut slices = 0;
    while !job.advance(7) {
        slices += 1;
    }
    assert_eq!(job.cells(), all);
    assert!(slices > 100);
}

#[test]
fn heartbeats_are_not_counted_per_command() {
    let cells = measured(&three_regions(), &["raft"], &[5]);
    let measured = cells[0].measured.as_ref().expect("it can be");
    assert_eq!(measured.commands, COMMANDS);
    assert!(measured.by_kind.iter().all(|kind| !kind.kind.starts_with("Heartbeat")), "{measured:?}");
    assert!(measured.heartbeats_per_second > 1.0);
}

#[test]
fn unmeasurable_cell_says_why() {
    let hasty = ["settings.heartbeat=500us", "settings.election_timeout_min=1ms", "settings.election_timeout_max=1ms"];
    let broken = changed(&hasty);
    // Two of five are near enough to answer in time, however often the timeout doubles, and two are no majority.
    let cells = measured(&broken, &["raft"], &[5]);
    assert!(cells[0].measured.is_none() && cells[0].says.is_some(), "{cells:?}");
}

/// Messages per read of one variant for n = 3, 5, 7, 9.
fn reads(variant: &str, changes: &[&str]) -> Vec<f64> {
    let own = format!("variant={variant}");
    let cells = measured(&changed(&[&[own.as_str()], changes].concat()), &[variant], &[3, 5, 7, 9]);
    let per_read = |cell: &Cell| match &cell.measured.as_ref().expect("it can be").reads {
        Figure::Measured(reads) => reads.per_read,
        other => panic!("{variant}: {other:?}"),
    };
    cells.iter().map(per_read).collect()
}

#[test]
fn reads_cost_a_command_a_round_of_heartbeats_or_nothing() {
    assert_eq!(reads("raft", &[]), [4.0, 8.0, 12.0, 16.0]);
    assert_eq!(reads("multi-paxos", &[]), [4.0, 8.0, 12.0, 16.0]);
    // ReadIndex asks the followers whether the leader is still one (Ongaro's thesis, §6.4).
    assert_eq!(reads("raft", &["settings.reads=read-index"]), [4.0, 8.0, 12.0, 16.0]);
    assert_eq!(reads("raft", &["settings.reads=lease"]), [0.0; 4]);
}

#[test]
fn reads_without_asking_cost_nothing_whether_they_are_safe_or_not() {
    for variant in ["raft", "multi-paxos"] {
        for way in ["any-replica", "leader-unchecked"] {
            assert_eq!(reads(variant, &[&format!("settings.reads={way}")]), [0.0; 4], "{variant} {way}");
        }
    }
    assert_eq!(reads("multi-paxos", &["settings.reads=quorum-leases"]), [0.0; 4]);
    // The log is the lease, for as long as its newest entry is young; then a read has another committed.
    let long = ["settings.reads=leaseguard", "settings.lease_duration=1h"];
    assert_eq!(reads("raft", &long), [0.0; 4]);
    assert_eq!(reads("raft", &["settings.reads=leaseguard"]), [4.0, 8.0, 12.0, 16.0]);
}

/// A replica reads for the client, and counts itself.
#[test]
fn quorum_reads_cost_2q_minus_2() {
    assert_eq!(reads("multi-paxos", &["settings.reads=quorum-reads"]), [2.0, 4.0, 6.0, 8.0]);
    // A quorum of phase 1, which shares a server with every quorum of phase 2.
    let flexible = ["variant=multi-paxos", "settings.reads=quorum-reads", "settings.q1=4", "settings.q2=2"];
    let cells = measured(&changed(&flexible), &["multi-paxos"], &[5]);
    let Figure::Measured(read) = &cells[0].measured.as_ref().expect("it can be").reads else { panic!("{cells:?}") };
    assert_eq!(read.per_read, 6.0);
}

#[test]
fn ways_of_reading_do_not_change_what_a_write_costs() {
    for way in ["any-replica", "quorum-leases", "quorum-reads"] {
        counts("multi-paxos", &[&format!("settings.reads={way}")], [4, 8, 12, 16]);
    }
    for way in ["any-replica", "leaseguard"] {
        counts("raft", &[&format!("settings.reads={way}")], [4, 8, 12, 16]);
    }
}

/// The old primary is dead: (n−1)² StartViewChanges, n−2 DoViewChanges to the new primary, n−1 StartViews. Its disk plays no part.
#[test]
fn viewstamped_replication_sends_2n_minus_2_and_n_squared_minus_2_for_a_view_change() {
    for disk in ["0s", "20ms"] {
        let disk = format!("disk={disk}");
        counts("vrr", &[&disk], [4, 8, 12, 16]);
        for cell in measured(&changed(&["variant=vrr", &disk]), &["vrr"], &[3, 5, 7, 9]) {
            let n = u64::from(cell.replicas);
            let Figure::Measured(change) = &cell.measured.expect("it can be").election else { panic!("{n}") };
            assert_eq!(change.messages, n * n - 2, "{n}");
        }
    }
}

/// Prepare from one to the next, and an acknowledgement of each. With the old primary dead, a DoViewChange goes to all: (n−1)(2n−1).
#[test]
fn viewstamped_replication_with_ring_sends_2n_minus_2_and_n_minus_1_times_2n_minus_1_for_a_view_change() {
    counts("vrr", &["settings.ring=true"], [4, 8, 12, 16]);
    for cell in measured(&changed(&["variant=vrr", "settings.ring=true"]), &["vrr"], &[3, 5, 7, 9]) {
        let n = u64::from(cell.replicas);
        let Figure::Measured(change) = &cell.measured.expect("it can be").election else { panic!("{n}") };
        assert_eq!(change.messages, (n - 1) * (2 * n - 1), "{n}");
    }
}

/// The old leader is dead: Prepare to all others, and a Promise and an AcceptSync between the new leader and each that lives. The Accepted that
/// follows, for 4n−7 in all, counts among acceptances.
#[test]
fn omni_paxos_sends_2n_minus_2_and_3n_minus_5_to_change_the_leader() {
    counts("omni-paxos", &[], [4, 8, 12, 16]);
    for cell in measured(&changed(&["variant=omni-paxos"]), &["omni-paxos"], &[3, 5, 7, 9]) {
        let n = u64::from(cell.replicas);
        let Figure::Measured(change) = &cell.measured.expect("it can be").election else { panic!("{n}") };
        assert_eq!(change.messages, 3 * n - 5, "{n}");
    }
}

/// Six messages a follower to begin an epoch, elections aside, are counted in src/protocols/zab/tests.rs.
#[test]
fn zab_sends_3n_minus_3() {
    counts("zab", &[], [6, 12, 18, 24]);
}

#[test]
fn election_counts_requests_and_votes_after_a_crash_of_the_leader() {
    for (changes, rounds) in [(&[][..], 2), (&["settings.pre_vote=false"][..], 1)] {
        for cell in measured(&changed(changes), &["raft"], &[3, 5, 7]) {
            let Figure::Measured(election) = &cell.measured.expect("it can be").election else { panic!("{changes:?}") };
            // All but the candidate are asked, and all but the crashed leader answer.
            let n = u64::from(cell.replicas);
            let attempt = rounds * ((n - 1) + (n - 2));
            // With seven, two of them become candidates at nearly the same time.
            assert!(
                if n < 7 { election.messages == attempt } else { election.messages >= attempt },
                "{n}: {election:?}"
            );
            assert!(election.time_us > 100_000, "{election:?}");
        }
    }
}

#[test]
fn figures_without_meaning_are_not_applicable() {
    for cell in measured(&three_regions(), &["synod", "notes"], &[3]) {
        let measured = cell.measured.expect("it can be");
        assert_eq!((&measured.reads, &measured.election), (&Figure::NotApplicable, &Figure::NotApplicable));
        assert_eq!(serde_json::to_value(&measured).expect("JSON")["reads"], "not applicable");
    }
    let alone = &measured(&three_regions(), &["raft"], &[1])[0];
    assert_eq!(alone.measured.as_ref().expect("it can be").election, Figure::NotApplicable);
    // With one of two down, nobody can be elected.
    let two = &measured(&three_regions(), &["raft"], &[2])[0];
    assert!(matches!(&two.measured.as_ref().expect("it can be").election, Figure::Unmeasured { .. }), "{two:?}");
}

#[test]
fn settings_go_to_every_variant_that_has_them() {
    let settings = |key: &str, value: &str| [(key.to_owned(), Value::Text(value.to_owned()))].into();
    let variants = ["raft", "multi-paxos"];
    let job = |settings| CompareJob::with_settings(&three_regions(), &variants, &[3], settings);
    let mut explicit = job(settings("commit", "explicit")).expect("Multi-Paxos has it");
    while !explicit.advance(100_000) {}
    let per_command: Vec<f64> =
        explicit.cells().iter().map(|cell| cell.measured.as_ref().expect("it can be").per_command).collect();
    assert_eq!(per_command, [4.0, 6.0]);
    let unknown = job(settings("comit", "explicit")).expect_err("nobody has it").to_string();
    assert!(unknown.contains("did you mean \"commit\"? The settings of the variants compared are"), "{unknown}");
    let refused = job(settings("commit", "explict")).expect_err("no such choice").to_string();
    assert!(refused.contains("settings.commit: \"explict\": did you mean \"explicit\"?"), "{refused}");
}
