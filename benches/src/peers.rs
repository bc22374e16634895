//! Peer benchmarks: raft-rs and OmniPaxos with five replicas on a plain queue, 64 outstanding commands, no simulated network or time.

use omnipaxos::messages::Message as OmniMessage;
use omnipaxos::{ClusterConfig, OmniPaxosConfig, ServerConfig, macros::Entry};
use omnipaxos_storage::memory_storage::MemoryStorage;
use raft::eraftpb::ConfState;
use raft::storage::MemStorage;
use raft::{Config, RawNode};
use std::collections::VecDeque;

const NODES: u64 = 5;
const WINDOW: u64 = 64;

/// Messages that raft-rs handles until `commands` are applied at the leader. `each`: whether a node's output is taken out after every
/// message, as a simulator must, where each message comes at its own time; otherwise once for all that are in the queue, which suits
/// raft-rs best.
pub fn raft_rs(commands: u64, each: bool) -> u64 {
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let voters: Vec<u64> = (1..=NODES).collect();
    let mut nodes: Vec<RawNode<MemStorage>> = voters
        .iter()
        .map(|&id| {
            let storage = MemStorage::new_with_conf_state(ConfState::from((voters.clone(), vec![])));
            let config =
                Config { id, election_tick: 10, heartbeat_tick: 3, max_inflight_msgs: 256, ..Default::default() };
            RawNode::new(&config, storage, &logger).expect("a valid configuration")
        })
        .collect();
    let mut queue = VecDeque::new();
    let (mut handled, mut proposed, mut applied, mut compacted) = (0, 0, 0, 0);
    nodes[0].campaign().expect("it may campaign");
    loop {
        for index in 0..nodes.len() {
            applied += ready(&mut nodes, index, &mut queue);
        }
        if applied >= commands {
            return handled;
        }
        // Compaction, as in the simulator: drop entries that all replicas have.
        if applied > compacted + 10_000 {
            compacted = applied;
            for node in &mut nodes {
                let index = node.raft.raft_log.applied.saturating_sub(1_000).max(1);
                let _ = node.mut_store().wl().compact(index);
            }
        }
        if nodes[0].raft.state == raft::StateRole::Leader {
            while proposed < applied + WINDOW {
                nodes[0].propose(vec![], proposed.to_le_bytes().to_vec()).expect("the leader takes proposals");
                proposed += 1;
                if each {
                    applied += ready(&mut nodes, 0, &mut queue);
                }
            }
        }
        for _ in 0..queue.len() {
            let Some(message) = queue.pop_front() else { break };
            let to = message.to as usize - 1;
            handled += 1;
            nodes[to].step(message).expect("a message of the cluster");
            if each {
                applied += ready(&mut nodes, to, &mut queue);
            }
        }
    }
}

/// Processes a node's `Ready`: sends, saves, applies. Returns the number of commands newly applied by the leader, node 0.
fn ready(nodes: &mut [RawNode<MemStorage>], index: usize, queue: &mut VecDeque<raft::eraftpb::Message>) -> u64 {
    let node = &mut nodes[index];
    if !node.has_ready() {
        return 0;
    }
    let mut ready = node.ready();
    queue.extend(ready.take_messages());
    let mut committed = ready.take_committed_entries();
    if !ready.entries().is_empty() {
        node.mut_store().wl().append(ready.entries()).expect("memory");
    }
    if let Some(state) = ready.hs() {
        node.mut_store().wl().set_hardstate(state.clone());
    }
    queue.extend(ready.take_persisted_messages());
    let mut light = node.advance(ready);
    queue.extend(light.take_messages());
    committed.extend(light.take_committed_entries());
    node.advance_apply();
    let applied = committed.iter().filter(|entry| !entry.data.is_empty()).count() as u64;
    if index == 0 { applied } else { 0 }
}

/// A command of eight bytes.
#[allow(dead_code)] // Payload only.
#[derive(Clone, Debug, Entry)]
pub struct Value {
    /// Which of the commands it is.
    pub number: u64,
}

/// Messages that OmniPaxos handles until `commands` are decided at the leader.
pub fn omnipaxos(commands: u64) -> u64 {
    let ids: Vec<u64> = (1..=NODES).collect();
    let mut nodes: Vec<_> = ids
        .iter()
        .map(|&pid| {
            let cluster_config = ClusterConfig { configuration_id: 1, nodes: ids.clone(), ..Default::default() };
            let server_config = ServerConfig { pid, ..Default::default() };
            let storage: MemoryStorage<Value> = MemoryStorage::default();
            OmniPaxosConfig { cluster_config, server_config }.build(storage).expect("a valid configuration")
        })
        .collect();
    let mut buffer: Vec<OmniMessage<Value>> = Vec::new();
    let mut queue: VecDeque<OmniMessage<Value>> = VecDeque::new();
    let (mut handled, mut proposed) = (0, 0);
    let mut rounds = 0u64;
    loop {
        let leader = nodes[0].get_current_leader().filter(|(_, ready)| *ready).map(|(leader, _)| leader as usize - 1);
        match leader {
            None => {}
            Some(leader) => {
                let decided = nodes[leader].get_decided_idx() as u64;
                if decided >= commands {
                    return handled;
                }
                while proposed < decided + WINDOW {
                    nodes[leader].append(Value { number: proposed }).expect("the leader takes proposals");
                    proposed += 1;
                }
            }
        }
        // Elections and retransmissions go by ticks: one every few rounds until there is a leader, every hundred rounds from then on.
        rounds += 1;
        if rounds.is_multiple_of(if leader.is_some() { 100 } else { 5 }) {
            nodes.iter_mut().for_each(|node| node.tick());
        }
        for node in &mut nodes {
            node.take_outgoing_messages(&mut buffer);
            queue.extend(buffer.drain(..));
        }
        for _ in 0..queue.len() {
            let Some(message) = queue.pop_front() else { break };
            let to = message.get_receiver() as usize - 1;
            handled += 1;
            nodes[to].handle_incoming(message);
        }
    }
}
