//! Symmetry of servers, for the explorer: Raft's servers differ in nothing but their names, because terms have no owner and names are compared
//! for equality only.

use super::server::{Role, Server};
use super::storage::Disk;
use crate::core::{Exchange, Names, NodeSet};

/// How the names of servers are exchanged, in a cluster whose members are all servers there are: configurations stay the same under any names.
pub const EXCHANGE: Exchange<Server> = Exchange {
    alike: |setup, _| NodeSet::first(setup.replicas),
    node,
    disk,
    // No message names a server.
    message: |_, _| {},
};

fn disk(disk: &mut Disk, names: &Names) {
    if let Some(vote) = &mut disk.vote {
        names.node(vote);
    }
}

fn node(server: &mut Server, names: &Names) {
    names.node(&mut server.me);
    disk(&mut server.disk, names);
    if let Some(leader) = &mut server.leader {
        names.node(leader);
    }
    match &mut server.role {
        Role::Follower => {}
        Role::PreCandidate { votes, ahead } => [votes, ahead].into_iter().for_each(|set| names.set(set)),
        Role::Candidate { votes } => names.set(votes),
        Role::Leader(lead) => lead.exchange(names),
    }
}
