//! What is late is not sent again: a follower that catches up over a long, narrow or busy way, or with a slow disk, gets one snapshot; and one that
//! was lost is replaced promptly. In Raft, Multi-Paxos, Omni-Paxos and Zab.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

mod common;

use common::*;
use quorumscope::core::NodeId;
use quorumscope::lab::text;
use quorumscope::universe::{Cluster, Universe};

/// Each with the kind of message that carries a snapshot.
const VARIANTS: &[(&str, &str)] = &[("raft", "InstallSnapshot"), ("multi-paxos", "Snapshot")];

/// When node 3 is back, µs.
const BACK: u64 = 30_000_000;

/// Node 3 is down from 2 s to 30 s, in which the others take many snapshots. `script` has further faults.
fn scenario(variant: &str, disk: &str, script: &str) -> Cluster {
    let timeout = match variant {
        "omni-paxos" => "",
        "zab" => "timeout = \"100ms\"",
        _ => "election_timeout_min = \"100ms\"",
    };
    let document = format!(
        r#"
        variant = "{variant}"
        sites = ["a"]
        rtt_ms = [[2.0]]
        replicas = ["a", "a", "a"]
        duration = "120s"
        disk = "{disk}"
        value_bytes = 1000
        clients = [{{ site = "a", think = "50ms", keys = 64 }}]
        script = [
            {{ at = "2s", do = "crash", node = 3 }},
            {{ at = "30s", do = "restart", node = 3 }},
            {script}
        ]
        [settings]
        heartbeat = "10ms"
        {timeout}
        snapshot_every = 50
        "#
    );
    cluster(&text::from_toml(&document).unwrap_or_else(|problems| panic!("{problems}")).scenario)
}

fn committed(cluster: &Cluster, id: u8) -> u32 {
    cluster.node(NodeId(id)).status.map_or(0, |status| status.log.committed)
}

/// Runs until node 3 has what the others had when it came back, and as long again; tells how long it took, µs.
fn catch_up(cluster: &mut Cluster) -> u64 {
    cluster.run_until(BACK);
    let goal = committed(cluster, 0).max(committed(cluster, 1));
    while committed(cluster, 2) < goal {
        assert!(cluster.time() < 75_000_000, "it never catches up");
        cluster.run_until(cluster.time() + 1_000);
    }
    let took = cluster.time() - BACK;
    cluster.run_until(cluster.time() + took);
    assert_safe(cluster);
    took
}

#[test]
fn late_answer_to_a_snapshot_is_waited_for_whatever_makes_it_late() {
    for (variant, snapshot) in VARIANTS {
        for delay in ["0ms", "20ms", "150ms", "1s"] {
            for bandwidth in ["100MB/s", "200kB/s", "60kB/s"] {
                for disk in ["0ms", "3ms", "100ms"] {
                    let mut cluster = scenario(
                        variant,
                        if disk == "3ms" { disk } else { "0ms" },
                        &format!(
                            r#"
                            {{ at = "29s", do = "slow", from = "all", to = 3, extra = "{delay}" }},
                            {{ at = "29s", do = "slow", from = 3, to = "all", extra = "{delay}" }},
                            {{ at = "29s", do = "limit", from = "all", to = 3, bandwidth = "{bandwidth}" }},
                            {{ at = "29s", do = "slow-disk", node = 3, write = "{disk}" }},
                            "#
                        ),
                    );
                    let case = format!("{variant}, delay {delay}, bandwidth {bandwidth}, disk {disk}");
                    let took = catch_up(&mut cluster);
                    // All snapshots are of one size, so two would be twice the bytes; the bound is 1.5 times.
                    let sent = count(&cluster, snapshot);
                    println!("{case}: {sent} snapshots, {} ms", took / 1_000);
                    assert_eq!(sent, 1, "{case}");
                    assert_eq!(cluster.safety().led(), 1, "{case}");
                }
            }
        }
    }
}

/// In Omni-Paxos the snapshot is in AcceptSync. A narrow link does not only hold that up but also the leader's heartbeats behind it, and who does not
/// hear them in time takes over: so it says which of these are looked at.
#[test]
fn late_answer_to_accept_sync_is_waited_for_and_a_lost_one_is_sent_again_promptly() {
    let slow = |delay: &str, write: &str| {
        format!(
            r#"
            {{ at = "29s", do = "slow", from = "all", to = 3, extra = "{delay}" }},
            {{ at = "29s", do = "slow", from = 3, to = "all", extra = "{delay}" }},
            {{ at = "29s", do = "slow-disk", node = 3, write = "{write}" }},
            "#
        )
    };
    for delay in ["0ms", "150ms", "1s"] {
        for write in ["0ms", "100ms"] {
            let mut cluster = scenario("omni-paxos", "0ms", &slow(delay, write));
            cluster.run_until(BACK - 1);
            let before = count(&cluster, "AcceptSync");
            let took = catch_up(&mut cluster);
            println!("delay {delay}, write {write}: {} ms", took / 1_000);
            assert_eq!(count(&cluster, "AcceptSync") - before, 1, "delay {delay}, write {write}");
            assert_eq!(cluster.safety().led(), 2, "delay {delay}, write {write}");
        }
    }
    let drop = r#"{ at = "29s", do = "drop", from = "leader", to = 3, kind = "AcceptSync" },"#;
    let mut cluster = scenario("omni-paxos", "0ms", drop);
    cluster.run_until(BACK - 1);
    let before = count(&cluster, "AcceptSync");
    let took = catch_up(&mut cluster);
    assert_eq!(count(&cluster, "AcceptSync") - before, 2);
    // Three heartbeat rounds of 10 ms, and three round trips of 2 ms.
    assert!(took <= 60_000, "{took}");
}

/// In Zab the snapshot is in NewLeader, which follows on the follower's CEpoch.
#[test]
fn late_answer_to_new_leader_is_waited_for_and_a_lost_one_is_sent_again_promptly() {
    for delay in ["0ms", "150ms", "1s"] {
        for write in ["0ms", "100ms"] {
            let slow = format!(
                r#"
                {{ at = "29s", do = "slow", from = "all", to = 3, extra = "{delay}" }},
                {{ at = "29s", do = "slow", from = 3, to = "all", extra = "{delay}" }},
                {{ at = "29s", do = "slow-disk", node = 3, write = "{write}" }},
                "#
            );
            let mut cluster = scenario("zab", "0ms", &slow);
            cluster.run_until(BACK - 1);
            let before = count(&cluster, "NewLeader");
            let took = catch_up(&mut cluster);
            println!("delay {delay}, write {write}: {} ms", took / 1_000);
            assert_eq!(count(&cluster, "NewLeader") - before, 1, "delay {delay}, write {write}");
            assert_eq!(cluster.safety().led(), 2, "delay {delay}, write {write}");
        }
    }
    let drop = r#"{ at = "29s", do = "drop", from = "leader", to = 3, kind = "NewLeader" },"#;
    let mut cluster = scenario("zab", "0ms", drop);
    cluster.run_until(BACK - 1);
    let before = count(&cluster, "NewLeader");
    let took = catch_up(&mut cluster);
    assert_eq!(count(&cluster, "NewLeader") - before, 2);
    // Three heartbeats of 10 ms, and three round trips of 2 ms.
    assert!(took <= 60_000, "{took}");
}

#[test]
fn lost_snapshot_is_sent_again_promptly() {
    for (variant, snapshot) in VARIANTS {
        let drop = format!(r#"{{ at = "29s", do = "drop", from = "leader", to = 3, kind = "{snapshot}" }},"#);
        let mut cluster = scenario(variant, "0ms", &drop);
        let took = catch_up(&mut cluster);
        assert_eq!(count(&cluster, snapshot), 2, "{variant}");
        // One heartbeat interval to notice who is back, one to wait, one to ask: 10 ms each, and 2 ms for each round trip.
        assert!(took <= 60_000, "{variant}: {took}");
    }
}

/// Five servers. Node 5 is down while the others take snapshots; when it comes back the leader crashes, and nobody asks for anything any more. So
/// it is the first to try to lead, for its clock runs ahead. Where `crash` is not, the leader stays.
fn lagging_candidate(variant: &str, seed: u64, crash: bool, faults: &str) -> Cluster {
    let crash = if crash {
        r#"{ at = "30s", do = "crash", node = "leader" }, { at = "30102ms", do = "jump", node = 5, by = "150ms" },"#
    } else {
        ""
    };
    let document = format!(
        r#"
        variant = "{variant}"
        sites = ["a"]
        rtt_ms = [[2.0]]
        replicas = ["a", "a", "a", "a", "a"]
        duration = "120s"
        seed = {seed}
        value_bytes = 1000
        clients = [{{ site = "a", think = "50ms", keys = 64, stop = "29s" }}]
        script = [
            {{ at = "2s", do = "crash", node = 5 }},
            {{ at = "30s", do = "restart", node = 5 }},
            {crash}
            {faults}
        ]
        [settings]
        heartbeat = "10ms"
        election_timeout_min = "100ms"
        snapshot_every = 50
        "#
    );
    cluster(&text::from_toml(&document).unwrap_or_else(|problems| panic!("{problems}")).scenario)
}

fn prepares_of_node_5(cluster: &Cluster) -> u64 {
    let kinds = cluster.variant().kinds.iter().zip(cluster.counts().by_kind_from(NodeId(4)));
    kinds.filter(|(kind, _)| kind.name == "Prepare").map(|(_, count)| count).sum()
}

/// Bytes in messages that can hold a snapshot, from node 5's return until some time after it has caught up; and how often it sent Prepare.
fn bytes_of_catching_up(cluster: &mut Cluster) -> (u64, u64) {
    let kinds = cluster.variant().kinds.iter();
    let of_snapshots = |cluster: &Cluster| -> u64 {
        let bytes = cluster.counts().bytes_by_kind().into_iter().zip(kinds.clone());
        bytes.filter(|(_, kind)| ["InstallSnapshot", "Snapshot", "Promise"].contains(&kind.name)).map(|(n, _)| n).sum()
    };
    cluster.run_until(BACK - 1);
    let before = of_snapshots(cluster);
    let prepares = prepares_of_node_5(cluster);
    let goal = (0..4).map(|id| committed(cluster, id)).max().unwrap_or_default();
    while committed(cluster, 4) < goal {
        assert!(cluster.time() < 100_000_000, "it never catches up");
        cluster.run_until(cluster.time() + 10_000);
    }
    cluster.run_until(cluster.time() + 4_000_000);
    assert_safe(cluster);
    (of_snapshots(cluster) - before, prepares_of_node_5(cluster) - prepares)
}

#[test]
fn server_that_lacks_compacted_commands_and_tries_to_lead_is_sent_one_snapshot() {
    let late = [
        "",
        r#"{ at = "29s", do = "slow", from = "all", to = 5, extra = "150ms" }, { at = "29s", do = "slow", from = 5, to = "all", extra = "150ms" },"#,
        r#"{ at = "29s", do = "limit", from = "all", to = 5, bandwidth = "20kB/s" },"#,
        r#"{ at = "29s", do = "slow-disk", node = 5, write = "400ms" },"#,
    ];
    for (variant, _) in VARIANTS {
        let mut tried = 0;
        for faults in late {
            let (snapshot, _) = bytes_of_catching_up(&mut lagging_candidate(variant, 1, false, faults));
            for seed in [1, 3] {
                let mut cluster = lagging_candidate(variant, seed, true, faults);
                let (bytes, prepares) = bytes_of_catching_up(&mut cluster);
                tried += u32::from(prepares > 0);
                println!("{variant}, seed {seed}, {faults}: {bytes} bytes, snapshot {snapshot}");
                assert!(
                    2 * bytes <= 3 * snapshot,
                    "{variant}, seed {seed}, {faults}: {bytes} bytes, snapshot {snapshot}"
                );
            }
        }
        assert!(*variant == "raft" || tried >= 4, "node 5 tried to lead in {tried} runs");
    }
}

/// All disks become slow.
const SLOWER: &str = r#"
    { at = "5s", do = "slow-disk", node = 1, write = "500ms" }, { at = "5s", do = "slow-disk", node = 2, write = "500ms" },
    { at = "5s", do = "slow-disk", node = 3, write = "500ms" }
"#;

/// Writing takes longer than the election timeout, from the start or from 20 s on.
#[test]
fn slow_disks_end_no_leadership_and_no_election_lasts_for_ever() {
    for variant in ["raft", "multi-paxos", "omni-paxos", "zab"] {
        // In Omni-Paxos a heartbeat round is the election timeout.
        let timeouts = match variant {
            "omni-paxos" => r#"heartbeat = "100ms""#,
            "zab" => "heartbeat = \"20ms\"\ntimeout = \"100ms\"",
            _ => "heartbeat = \"20ms\"\nelection_timeout_min = \"100ms\"",
        };
        for (disk, script) in
            [("300ms", ""), ("1s", ""), ("0ms", SLOWER), ("1s", r#"{ at = "30s", do = "crash", node = "leader" }"#)]
        {
            // Omni-Paxos and Zab draw no timeouts.
            for seed in 1..=if ["omni-paxos", "zab"].contains(&variant) { 1 } else { 5 } {
                let document = format!(
                    r#"
                    variant = "{variant}"
                    sites = ["a"]
                    rtt_ms = [[2.0]]
                    replicas = ["a", "a", "a"]
                    duration = "120s"
                    disk = "{disk}"
                    seed = {seed}
                    clients = [{{ site = "a", think = "50ms", keys = 64 }}]
                    script = [{script}]
                    [settings]
                    {timeouts}
                    "#
                );
                let mut cluster =
                    cluster(&text::from_toml(&document).unwrap_or_else(|problems| panic!("{problems}")).scenario);
                cluster.run_until(60_000_000);
                let (led, answered) = (cluster.safety().led(), cluster.counts().answered);
                cluster.run_until(120_000_000);
                let (later, more) = (cluster.safety().led() - led, cluster.counts().answered - answered);
                println!(
                    "{variant}, disk {disk}, {script}, seed {seed}: {led} leaders, {answered} answers; then {later}, {more}"
                );
                assert_safe(&cluster);
                assert!(led <= 10 && later == 0 && more >= 20, "{variant}, disk {disk}, {script}, seed {seed}");
            }
        }
    }
}
