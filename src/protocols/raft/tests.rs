//! Raft step by step: a test delivers each message and fires each timer itself, as in the figures of the papers.

mod election;
mod membership;
mod replication;
mod settings;

use super::server::Role;
use super::storage::RaftLog;
use super::*;
use crate::core::{
    Answer, ClientId, Command, Effect, Message as _, Node, Op, Order, Out, Outcome, RuleId, RuleSet, Slot,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Servers without a simulator: messages stay in `mail` until a test delivers them.
struct Group {
    servers: BTreeMap<u8, Server>,
    configs: BTreeMap<u8, Config>,
    mail: Vec<(u8, u8, Message)>,
    replies: Vec<(ClientId, Answer)>,
    out: Out<Server>,
}

const S1: u8 = 0;
const S2: u8 = 1;
const S3: u8 = 2;
const S4: u8 = 3;
const S5: u8 = 4;

fn settings(choices: &[(crate::core::SettingId, u64)]) -> Settings {
    let mut settings = Settings::defaults(SETTINGS);
    choices.iter().for_each(|&(id, value)| settings.set(id, value));
    settings
}

fn setup(replicas: u8, choices: &[(crate::core::SettingId, u64)]) -> Setup {
    Setup { replicas, rtt_max: 10_000, settings: settings(choices), ablated: RuleSet::EMPTY }
}

fn without(rules: &[RuleId]) -> RuleSet {
    rules.iter().fold(RuleSet::EMPTY, |set, rule| set.or(RuleSet(1 << rule.0)))
}

fn write(seq: u32) -> Command {
    Command { client: ClientId(1), seq, op: Op::Write { key: 1, value: seq } }
}

/// A disk whose log has entries of these terms.
fn disk(term: u32, terms: &[u32]) -> Disk {
    let mut log = RaftLog::default();
    for (&term, seq) in terms.iter().zip(1..) {
        // Entries of different terms hold different commands.
        log.push(Entry { term, created: 0, payload: Payload::Command(write(term * 100 + seq)) });
    }
    Disk { term, log, ..Disk::default() }
}

fn terms(server: &Server) -> Vec<u32> {
    server.disk.log.iter_from(1).map(|(_, entry)| entry.term).collect()
}

impl Group {
    fn new(disks: Vec<Disk>, choices: &[(crate::core::SettingId, u64)], ablated: &[RuleId]) -> Group {
        let configs = Raft::cluster(&setup(disks.len() as u8, choices)).expect("good settings");
        let mut group = Group {
            servers: BTreeMap::new(),
            configs: (0..).zip(configs).collect(),
            mail: Vec::new(),
            replies: Vec::new(),
            out: Out::new(without(ablated)),
        };
        (0..).zip(disks).for_each(|(id, disk)| group.boot(id, disk));
        group
    }

    fn of(n: u8, ablated: &[RuleId]) -> Group {
        Group::new(vec![Disk::default(); usize::from(n)], &[(SETTING_PRE_VOTE, 0)], ablated)
    }

    fn boot(&mut self, id: u8, disk: Disk) {
        let config = self.configs[&id];
        let server = Server::boot(NodeId(id), &config, disk, &mut self.out);
        self.servers.insert(id, server);
        self.collect(id);
    }

    /// Crashes and restarts a server.
    fn restart(&mut self, id: u8) {
        let disk = self.servers[&id].disk.clone();
        self.boot(id, disk);
    }

    fn collect(&mut self, from: u8) {
        for effect in self.out.drain() {
            match effect {
                Effect::Send(to, message) => self.mail.push((from, to.0, message)),
                Effect::Broadcast(to, message) => {
                    to.iter().for_each(|to| self.mail.push((from, to.0, message.clone())));
                }
                Effect::Reply(reply) => self.replies.push((reply.client, reply.answer)),
                _ => {}
            }
        }
        // Messages to itself arrive before all others.
        while let Some(index) = self.mail.iter().position(|(from, to, _)| from == to) {
            let (_, me, message) = self.mail.remove(index);
            self.hand(me, me, message);
        }
    }

    fn hand(&mut self, from: u8, to: u8, message: Message) {
        let Some(server) = self.servers.get_mut(&to) else { return };
        server.on_message(NodeId(from), &message, &mut self.out);
        self.collect(to);
    }

    fn timer(&mut self, id: u8, timer: Timer) {
        self.servers.get_mut(&id).unwrap().on_timer(timer, &mut self.out);
        self.collect(id);
    }

    /// Fires both parts of a server's election timeout.
    fn time_out(&mut self, id: u8) {
        self.timer(id, Timer::MinimumTimeout);
        self.timer(id, Timer::ElectionTimeout);
    }

    fn request(&mut self, id: u8, command: Command) {
        self.servers.get_mut(&id).unwrap().on_request(command, &mut self.out);
        self.collect(id);
    }

    fn order(&mut self, id: u8, members: &[u8]) {
        let members = members.iter().map(|&id| NodeId(id)).collect();
        self.servers.get_mut(&id).unwrap().on_order(Order::Reconfigure(members), &mut self.out);
        self.collect(id);
    }

    /// Delivers, oldest first, all messages between any two of `among`, and those sent in consequence, until none is left.
    fn deliver(&mut self, among: &[u8]) {
        while let Some(index) = self.mail.iter().position(|(from, to, _)| among.contains(from) && among.contains(to)) {
            let (from, to, message) = self.mail.remove(index);
            self.hand(from, to, message);
        }
    }

    /// Loses all messages.
    fn lose(&mut self) {
        self.mail.clear();
    }

    fn leads(&self, id: u8) -> bool {
        self.servers[&id].leads().is_some()
    }

    /// Lets the minimum election timeout of every server pass: all may vote.
    fn let_minimum_timeouts_pass(&mut self) {
        self.servers.values_mut().for_each(|server| server.hears_leader = false);
    }

    /// `id` is elected by `voters`, itself among them; vote messages to and from others stay undelivered.
    fn elect(&mut self, id: u8, voters: &[u8]) {
        self.let_minimum_timeouts_pass();
        self.timer(id, Timer::ElectionTimeout);
        while let Some(index) = self
            .mail
            .iter()
            .position(|(from, to, message)| voters.contains(from) && voters.contains(to) && message.kind().0 <= 5)
        {
            let (from, to, message) = self.mail.remove(index);
            self.hand(from, to, message);
        }
        assert!(self.leads(id));
    }

    fn commit(&self, id: u8) -> Slot {
        self.servers[&id].commit
    }
}
