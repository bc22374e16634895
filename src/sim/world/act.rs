//! Actions: what a person or a script does to the running world.

use super::{Event, MAX_NODES, N, NEVER, World};
use crate::core::node::{Node, Order, Protocol};
use crate::core::{Micros, NodeId, NodeSet, RuleSet};
use crate::sim::action::{Action, Refusal, Timed};
use crate::sim::clients::{ClientGroup, Pace};
use crate::sim::trace::What;

fn refuse<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

impl<P: Protocol> World<P> {
    /// Does something to the world now. An error says why not; then nothing has changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.marks.clear();
        if let Some(said) = &mut self.said {
            said.clear();
        }
        self.carry_out_action(action)
    }

    /// Puts one more action into the script. `false`, and nothing is changed, if that is not ahead, or if something else is due at that very
    /// microsecond: a script that had held the action from the start would have had it first.
    pub fn schedule(&mut self, timed: Timed) -> bool {
        let free = |(at, event): (Micros, &Event)| at != timed.at || matches!(event, Event::Script(_));
        let possible = timed.at > self.time && self.wheel.iter().all(free);
        if possible {
            self.wheel.push(timed.at, Event::Script(self.script.len() as u32));
            self.script.push(timed);
        }
        possible
    }

    pub(super) fn carry_out_action(&mut self, action: Action) -> Result<(), Refusal> {
        self.possible(action)?;
        self.record(What::Acted, NodeId(0), NodeId(0), 0, 0, 0, RuleSet::EMPTY);
        match action {
            Action::Crash(node) => self.crash(node),
            Action::Restart(node) => self.boot(node),
            Action::Cut { from, to, both } => {
                self.hosts[usize::from(from.0)].cut.add(to);
                if both {
                    self.hosts[usize::from(to.0)].cut.add(from);
                }
            }
            Action::Heal(a, b) => {
                self.hosts[usize::from(a.0)].cut.remove(b);
                self.hosts[usize::from(b.0)].cut.remove(a);
            }
            Action::HealAll => self.hosts.iter_mut().for_each(|host| host.cut = NodeSet::EMPTY),
            Action::Move { node, site } => self.hosts[usize::from(node.0)].site = site,
            Action::HandOver(to) => self.order(Order::HandOver(to)),
            Action::Add { site } => self.add(site)?,
            Action::Remove(node) => self.order(Order::Reconfigure(self.members().without(node))),
            Action::Request { site } => self.request_by_hand(site),
            Action::Loss { permille } => self.terrain.loss_permille = permille,
            Action::Quiesce => self.hush(true),
            Action::Resume => self.hush(false),
        }
        Ok(())
    }

    /// Whether the action makes sense now.
    fn possible(&self, action: Action) -> Result<(), Refusal> {
        let named = match action {
            Action::Crash(n) | Action::Restart(n) | Action::HandOver(n) | Action::Remove(n) => vec![n],
            Action::Cut { from, to, .. } | Action::Heal(from, to) => vec![from, to],
            Action::Move { node, .. } => vec![node],
            _ => vec![],
        };
        if let Some(node) = named.iter().find(|node| usize::from(node.0) >= self.nodes.len()) {
            return refuse(format!("there is no node {}; the nodes are 1 to {}", node.0 + 1, self.nodes.len()));
        }
        let up = |node: NodeId| self.nodes[usize::from(node.0)].is_some();
        let name = |node: NodeId| node.0 + 1;
        match action {
            Action::Crash(node) if !up(node) => refuse(format!("node {} is down already", name(node))),
            Action::Restart(node) if up(node) => refuse(format!("node {} is running already", name(node))),
            Action::Cut { from, to, .. } | Action::Heal(from, to) if from == to => {
                refuse("a node has no link to itself; name two nodes")
            }
            Action::Move { site, .. } | Action::Add { site } | Action::Request { site }
                if site >= self.terrain.sites =>
            {
                refuse(format!("there is no site {}; the sites are 1 to {}", site + 1, self.terrain.sites))
            }
            Action::Loss { permille } if permille > 1000 => {
                refuse(format!("{permille} in a thousand messages cannot get lost; 0 to 1000 would do"))
            }
            Action::HandOver(_) if !P::CARD.transfer => {
                refuse(format!("{} has no way to hand over leadership", P::CARD.title))
            }
            Action::HandOver(to) if !up(to) => refuse(format!("node {} is down and cannot lead", name(to))),
            Action::HandOver(to) => match self.leader() {
                None => refuse("there is no leader now that could hand over"),
                Some(leader) if leader == to => refuse(format!("node {} leads already", name(to))),
                Some(leader) if !self.members_of(leader).has(to) => {
                    refuse(format!("node {} is not a member of the cluster", name(to)))
                }
                Some(_) => Ok(()),
            },
            Action::Add { .. } | Action::Remove(_) if !P::CARD.membership => {
                refuse(format!("{} cannot change its members while it runs", P::CARD.title))
            }
            Action::Add { .. } if self.nodes.len() >= MAX_NODES => refuse(format!("{MAX_NODES} nodes are the most")),
            Action::Add { .. } | Action::Remove(_) if self.leader().is_none() => {
                refuse("there is no leader now that could change the members")
            }
            Action::Remove(node) if !self.members().has(node) => {
                refuse(format!("node {} is not a member of the cluster", name(node)))
            }
            Action::Remove(_) if self.members().len() == 1 => refuse("the last member cannot leave"),
            _ => Ok(()),
        }
    }

    fn members_of(&self, node: NodeId) -> NodeSet {
        self.nodes[usize::from(node.0)].as_ref().map_or(NodeSet::EMPTY, |node| node.glance().members)
    }

    /// The members as the leader sees them.
    fn members(&self) -> NodeSet {
        self.leader().map_or(NodeSet::EMPTY, |leader| self.members_of(leader))
    }

    fn order(&mut self, order: Order) {
        let Some(leader) = self.leader() else { return };
        if let Some(node) = &mut self.nodes[usize::from(leader.0)] {
            N::<P>::on_order(node, order, &mut self.out);
        }
        self.carry_out(leader);
    }

    fn crash(&mut self, node: NodeId) {
        let lost = self.nodes[usize::from(node.0)].take();
        let host = &mut self.hosts[usize::from(node.0)];
        host.settle(self.time);
        host.writes.clear();
        if !self.strict_disks
            && let Some(lost) = lost
        {
            host.disk = lost.disk().clone();
        }
        host.timers.clear();
        host.life += 1;
        host.busy_until = 0;
        host.disk_until = 0;
        // What still waited for the disk never left.
        for (arrives, event) in self.wheel.iter_mut() {
            match *event {
                Event::Deliver { from, flight, parcel, .. }
                    if from == node && arrives - Micros::from(flight) > self.time =>
                {
                    self.out.parcels.take(parcel);
                    *event = Event::Void;
                }
                Event::Reply { from, flight, letter } if from == node && arrives - Micros::from(flight) > self.time => {
                    self.letters.take(letter);
                    *event = Event::Void;
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, site: u8) -> Result<(), Refusal> {
        let me = NodeId(self.nodes.len() as u8);
        let Some(config) = P::newcomer(&self.setup, me) else {
            return refuse(format!("{} cannot take in another replica", P::CARD.title));
        };
        let members = self.members().with(me);
        self.counts.by_sender.push(0);
        self.counts.bytes_by_sender.push(0);
        self.install(config, site);
        self.order(Order::Reconfigure(members));
        Ok(())
    }

    fn request_by_hand(&mut self, site: u8) {
        let group = match self.clients.groups.iter().position(|group| group.site == site) {
            Some(group) => group as u16,
            None => {
                self.clients.groups.push(ClientGroup {
                    site,
                    pace: Pace::Closed { sessions: 0, think: 0 },
                    read_percent: 0,
                    keys: 1,
                    start: 0,
                    stop: NEVER,
                    limit: 0,
                    retry: 4 * self.setup.rtt_max,
                });
                let index = self.clients.groups.len() as u16 - 1;
                self.clients.begun.push(0);
                self.clients.rng.push(crate::sim::rng::Rng::stream(self.seed, "clients", u64::from(index)));
                index
            }
        };
        let client = match self.clients.idle(group) {
            Some(client) => client,
            None => self.clients.open(group, self.nearest(site)),
        };
        self.begin(client);
    }
}
