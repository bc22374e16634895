//! What is late is not sent again: a follower that catches up over a long, narrow or busy way, or with a slow disk, gets one snapshot; and one that
//! was lost is replaced promptly. In Raft and Multi-Paxos.

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
        election_timeout_min = "100ms"
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
