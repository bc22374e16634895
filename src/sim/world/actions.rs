//! Actions: validation and application of interventions, by hand or by the script.

use super::intercept::Interceptor;
use super::{GivenOrder, MAX_NODES, StepOutcome, World};
use crate::core::node::Order;
use crate::core::{Micros, NodeId, NodeSet, RuleSet};
use crate::sim::action::{ALL, Action, Behaviour, DiskFault, Refusal, Refused, Timed, Which};
use crate::sim::clients::{ClientGroup, Pace};
use crate::sim::network::Cost;
use crate::sim::queue::event::Event;
use crate::sim::roles::{Resolved, Role, Roles};
use crate::sim::timing::Timing;
use crate::sim::trace::What;

pub(super) fn refuse<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

impl World {
    /// Applies an action now. Error: the reason why it is impossible; the world is then unchanged.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.marks.clear();
        if self.records_effects {
            self.clear_recorded();
        }
        self.apply_action(action)
    }

    /// Appends an action to the script. `false`, without any change, if its time is not in the future or another event is due at that very
    /// microsecond: a script that held the action from the start would have put it first.
    pub fn plan(&mut self, timed: Timed) -> bool {
        let free = |(at, event): (Micros, Event)| at != timed.at || matches!(event, Event::Script(_));
        let possible = timed.at > self.time && self.pending_events().all(free);
        if possible {
            self.schedule(timed.at, Event::Script(self.script.len() as u32));
            self.script.push(timed);
        }
        possible
    }

    /// The first microsecond from `at` on for which [`World::plan`] takes an action.
    pub fn first_free(&self, at: Micros) -> Micros {
        let first = at.max(self.time + 1);
        let taken = |(at, event): (Micros, Event)| (at >= first && !matches!(event, Event::Script(_))).then_some(at);
        let mut taken: Vec<Micros> = self.pending_events().filter_map(taken).collect();
        taken.sort_unstable();
        taken.dedup();
        let busy = (first..).zip(taken).take_while(|(free, taken)| free == taken).count();
        first + busy as Micros
    }

    pub(super) fn apply_action(&mut self, action: Action) -> Result<(), Refusal> {
        self.check_action(action)?;
        self.record_action(action);
        self.change(action)
    }

    /// Records an applied action.
    pub(super) fn record_action(&mut self, action: Action) {
        self.record(What::Acted, NodeId(0), NodeId(0), 0, 0, 0, RuleSet::EMPTY);
        self.intervention = Some(action);
    }

    /// Takes the script's actions at time 0 that can hold before nodes boot. They are recorded when their turn in the script comes.
    pub(super) fn act_before_boot(&mut self) {
        for (index, timed) in (0..).zip(self.script.clone()) {
            if timed.at == 0 && timed.roles.is_empty() && timed.action.holds_from_start() {
                let outcome = self.check_action(timed.action).and_then(|()| self.change(timed.action));
                self.before_boot.push((index, outcome));
            }
        }
    }

    /// Takes an action of the script whose time has come.
    pub(super) fn scripted(&mut self, index: u32) -> StepOutcome {
        let timed = self.script[index as usize];
        let done = match self.before_boot.iter().position(|(taken, _)| *taken == index) {
            Some(place) => self.before_boot.swap_remove(place).1.map(|()| self.record_action(timed.action)),
            None => self.resolve(timed).and_then(|action| {
                self.apply_action(action)?;
                if !timed.roles.is_empty() {
                    self.resolved.push(Resolved { index, timed: Timed { action, ..timed } });
                }
                Ok(())
            }),
        };
        match done {
            Ok(()) => StepOutcome::handled(What::Acted, NodeId(0), Some(1)),
            Err(why) => {
                self.record(What::Refused, NodeId(0), NodeId(0), 0, 0, 0, RuleSet::EMPTY);
                self.refused.push(Refused { index, timed, why });
                StepOutcome::passed(What::Refused, NodeId(0))
            }
        }
    }

    /// Resolves the roles of an action now. Error: a role that no node has.
    pub fn resolve(&self, timed: Timed) -> Result<Action, Refusal> {
        if timed.roles.is_empty() {
            return Ok(timed.action);
        }
        let Some(leader) = self.leader() else { return refuse("nobody leads now, so there are no roles") };
        let others = self.members_of(leader).without(leader);
        let mut order: Vec<NodeId> = others.iter().collect();
        order.sort_by_key(|node| (!self.hosts[usize::from(node.0)].up, *node));
        let half = usize::from(others.len() + 1) / 2;
        let majority: NodeSet = order.iter().copied().take(half).collect::<NodeSet>().with(leader);
        let set = |role: Role| {
            let set = match role {
                Role::Leader => NodeSet::just(leader),
                Role::Follower => {
                    let running = order.first().filter(|node| self.hosts[usize::from(node.0)].up);
                    running.map_or(NodeSet::EMPTY, |node| NodeSet::just(*node))
                }
                Role::Majority => majority,
                Role::Minority => others.minus(majority),
            };
            if set.is_empty() { refuse(format!("there is no {} now", role.name())) } else { Ok(set) }
        };
        let Roles { node, from, to } = timed.roles;
        let node = node.map(set).transpose()?.and_then(NodeSet::lowest);
        Ok(timed.action.aimed(node, from.map(set).transpose()?, to.map(set).transpose()?))
    }

    fn change(&mut self, action: Action) -> Result<(), Refusal> {
        match action {
            Action::Crash(node) => self.crash(node),
            Action::CrashAfter { node, sends } => drop(self.faults().crash_after.insert(node, sends)),
            Action::Restart(node) => self.boot(node),
            Action::Pause { node, clock_stops } => self.pause(node, clock_stops),
            Action::Continue(node) => self.end_pause(node),
            Action::Domain { domain, fault } => self.inject_domain_fault(domain, fault),
            Action::Cut { from, to, both, replicas_only } => {
                self.cut_links(NodeSet::just(from), NodeSet::just(to), both, replicas_only);
            }
            Action::Heal(a, b) => self.heal_links(NodeSet::just(a), NodeSet::just(b)),
            Action::Split { from, to, both, replicas_only } => self.cut_links(from, to, both, replicas_only),
            Action::Join(a, b) => self.heal_links(a, b),
            Action::Disturb { from, to, both, how } => {
                let links = &mut self.faults().links;
                links.disturb(from, to, how);
                if both && from != to {
                    links.disturb(to, from, how);
                }
                self.empty_lifted_queues();
            }
            Action::Uplink { node, bytes_per_s } => {
                self.faults().links.limit_uplink(node, bytes_per_s);
                self.empty_lifted_queues();
            }
            Action::ClearLinkFaults => {
                self.faults().links.clear_link_faults();
                self.empty_lifted_queues();
            }
            Action::Message { flight, intercept } => self.intercept(flight, intercept),
            Action::Catch { which, nth, intercept } => {
                self.faults().interceptors.push(Interceptor { which, skip: nth - 1, intercept })
            }
            Action::Release(which) => self.release(which),
            Action::Sent { which, nth, intercept } => {
                if let Some(flight) = self.find_in_flight(which, nth) {
                    self.intercept(flight, intercept);
                }
            }
            Action::Fire { node, timer } => self.fire(node, timer),
            Action::HoldAll => self.faults().manual.get_or_insert_default().clear(),
            Action::ReleaseAll => self.release_all(),
            Action::HealAll => {
                self.reconnect_all();
            }
            Action::Move { node, site } => {
                let host = &mut self.hosts[usize::from(node.0)];
                (host.site, host.domain) = (site, self.domains.of_site(site));
                self.rebuild_partitions();
            }
            Action::HandOver(to) => self.order(action, Order::HandOver(to)),
            Action::Add { site } => self.add(site)?,
            Action::Remove(node) => self.order(action, Order::Reconfigure(self.members().without(node))),
            Action::Request { site } => self.submit_manual_request(site),
            Action::Loss { permille } => {
                self.topology.loss_permille = permille;
                self.rebuild_routes();
            }
            Action::Quiesce => self.quiesce(true),
            Action::Resume => self.quiesce(false),
            Action::Disk { node, fault } => self.inject_disk_fault(node, fault),
            Action::Drift { node, ppm } => self.set_drift(node, ppm),
            Action::Jump { node, by } => self.jump(node, by),
            Action::Throttle { node, percent } => {
                if let Some(processors) = &mut self.faults().processors {
                    processors.throttle(node, percent.into());
                }
            }
            Action::Behaviour { node, how } => self.set_behaviour(node, how),
            Action::Stabilise => self.stabilise(),
        }
        Ok(())
    }

    /// Checks whether the action is possible now.
    fn check_action(&self, action: Action) -> Result<(), Refusal> {
        if let Some(node) = action.nodes().iter().find(|node| usize::from(node.0) >= self.hosts.len()) {
            return refuse(format!("there is no node {}; the nodes are 1 to {}", node.0 + 1, self.hosts.len()));
        }
        if action.delays_or_loses() && self.topology.timing.is_bounded(self.time) {
            return refuse(match self.topology.timing {
                Timing::Synchronous { .. } => {
                    "the network is synchronous: nothing is lost, and nothing later than its bound"
                }
                _ => "the network has become synchronous: nothing is lost any more, and nothing later than its bound",
            });
        }
        if let Some(why) = action.amount_out_of_range() {
            return refuse(why);
        }
        let up = |node: NodeId| self.hosts[usize::from(node.0)].up;
        let name = |node: NodeId| node.0 + 1;
        match action {
            Action::Crash(node) if !up(node) => refuse(format!("node {} is down already", name(node))),
            Action::CrashAfter { node, .. } if !up(node) => refuse(format!("node {} is down", name(node))),
            Action::Restart(node) if self.is_paused(node) => {
                refuse(format!("node {} is running, but paused; let it continue", name(node)))
            }
            Action::Restart(node) if up(node) => refuse(format!("node {} is running already", name(node))),
            Action::Restart(node) if self.disk_state(node).rotten => refuse(format!(
                "node {} finds a corrupted record on its disk and does not start; it can start anew with an empty one",
                name(node)
            )),
            Action::Pause { node, .. } if !up(node) => refuse(format!("node {} is down", name(node))),
            Action::Pause { node, .. } if self.is_paused(node) => {
                refuse(format!("node {} is paused already", name(node)))
            }
            Action::Continue(node) if !self.is_paused(node) => refuse(format!("node {} is not paused", name(node))),
            Action::Domain { domain, fault } => self.can_inject_domain_fault(domain, fault),
            Action::Behaviour { node, .. } if !up(node) => {
                refuse(format!("node {} is down and says nothing", name(node)))
            }
            Action::Behaviour { node, how: Behaviour::Twin(_) | Behaviour::Deny(_) } if self.has_twin(node) => {
                refuse(format!("there are two of node {} already", name(node)))
            }
            Action::Behaviour { node, how: Behaviour::Twin(_) | Behaviour::Deny(_) } if self.is_paused(node) => {
                refuse(format!("node {} is paused; let it continue first", name(node)))
            }
            Action::Behaviour {
                node,
                how: Behaviour::Twin(to) | Behaviour::Deny(to) | Behaviour::Silent(to) | Behaviour::Tamper(to),
            } if to.without(node).is_empty() => refuse("there is nobody to lie to; name at least one other node"),
            Action::Behaviour { node, how: Behaviour::Twin(to) | Behaviour::Deny(to) } if to.has(node) => {
                refuse(format!("node {} cannot lie to itself", name(node)))
            }
            Action::Behaviour { node, how: Behaviour::Honest } if !self.is_byzantine(node) => {
                refuse(format!("node {} has not lied", name(node)))
            }
            Action::Pause { node, .. } if self.has_twin(node) => {
                refuse(format!("there are two of node {}; they cannot be paused", name(node)))
            }
            Action::Drift { node, .. } | Action::Jump { node, .. } if !up(node) => {
                refuse(format!("node {} is down, and its timers with it", name(node)))
            }
            Action::Drift { node, .. } | Action::Jump { node, .. } if self.is_paused(node) => {
                refuse(format!("node {} is paused; let it continue first", name(node)))
            }
            Action::Throttle { .. } if self.topology.cost == Cost::default() => {
                refuse("messages cost processors nothing here; give the scenario a cost")
            }
            Action::Disk { .. } if !self.replicas.is_durable() => {
                refuse(format!("{} writes nothing to any disk", self.replicas.card().title))
            }
            Action::Disk { node, fault: DiskFault::Wipe } if up(node) => {
                refuse(format!("node {} is running; its disk can be emptied while it is down", name(node)))
            }
            Action::Heal(a, b) if self.is_partitioned(a, b) => {
                refuse("a whole place is cut off between the two; reconnect that")
            }
            Action::Cut { from, to, .. } | Action::Heal(from, to) if from == to => {
                refuse("a node has no link to itself; name two nodes")
            }
            Action::Split { from, to, .. } | Action::Join(from, to) | Action::Disturb { from, to, .. }
                if from.is_empty() || to.is_empty() =>
            {
                refuse("there is nobody on one side; name at least one node on each")
            }
            Action::Split { from, to, .. } | Action::Join(from, to) if !from.and(to).is_empty() => {
                refuse(format!("{:?} would be on both sides", from.and(to)))
            }
            Action::Disturb { from, to, .. } if from != ALL && to != ALL && !from.and(to).is_empty() => {
                refuse(format!("{:?} would be on both sides", from.and(to)))
            }
            Action::Join(a, b) if a.iter().any(|a| b.iter().any(|b| self.is_partitioned(a, b))) => {
                refuse("a whole place is cut off between some of them; reconnect that")
            }
            Action::Message { flight, intercept } => self.can_intercept(flight, intercept),
            Action::Sent { which, nth, intercept } => match self.find_in_flight(which, nth) {
                Some(flight) => self.can_intercept(flight, intercept),
                None => refuse(self.not_in_flight(which, nth)),
            },
            Action::Fire { node, timer } => self.can_fire(node, timer),
            Action::HoldAll if self.holds_all() => refuse("all is held already"),
            Action::ReleaseAll if !self.holds_all() => refuse("messages and timers are not held"),
            Action::Catch { which, .. } if usize::from(which.kind.0) >= self.replicas.kinds().len() => {
                refuse(format!("{} has no such kind of message", self.replicas.card().title))
            }
            Action::Catch { which: Which { from, to, .. }, .. } if from == to => {
                refuse("a node has no link to itself; name two nodes")
            }
            Action::Release(which) if !self.holds_matching(which) => refuse("nothing like that is held"),
            Action::Move { site, .. } | Action::Add { site } | Action::Request { site }
                if site >= self.topology.sites =>
            {
                refuse(format!("there is no site {}; the sites are 1 to {}", site + 1, self.topology.sites))
            }
            Action::HandOver(_) if !self.replicas.card().transfer => {
                refuse(format!("{} has no way to hand over leadership", self.replicas.card().title))
            }
            Action::HandOver(to) if !up(to) => refuse(format!("node {} is down and cannot lead", name(to))),
            Action::HandOver(_) | Action::Add { .. } | Action::Remove(_)
                if self.leader().is_some_and(|leader| self.is_paused(leader)) =>
            {
                refuse("the leader is paused and hears nothing")
            }
            Action::HandOver(to) => match self.leader() {
                None => refuse("there is no leader now that could hand over"),
                Some(leader) if leader == to => refuse(format!("node {} leads already", name(to))),
                Some(leader) if !self.members_of(leader).has(to) => {
                    refuse(format!("node {} is not a member of the cluster", name(to)))
                }
                Some(_) => Ok(()),
            },
            Action::Add { .. } | Action::Remove(_) if !self.replicas.card().membership => {
                refuse(format!("{} cannot change its members while it runs", self.replicas.card().title))
            }
            Action::Add { .. } if self.hosts.len() >= MAX_NODES => refuse(format!("{MAX_NODES} nodes are the most")),
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

    /// Ends everything that delays or loses messages: cuts, partitions, loss, link conditions, held messages, interceptors, pauses.
    fn stabilise(&mut self) {
        self.topology.loss_permille = 0;
        self.reconnect_all();
        self.release_all();
        let faults = self.faults();
        faults.links.clear_link_faults();
        faults.interceptors.clear();
        self.empty_lifted_queues();
        for node in (0..self.hosts.len() as u8).map(NodeId) {
            self.end_pause(node);
        }
    }

    fn members_of(&self, node: NodeId) -> NodeSet {
        self.replicas.status(node).map_or(NodeSet::EMPTY, |status| status.members)
    }

    /// Members in the leader's view.
    fn members(&self) -> NodeSet {
        self.leader().map_or(NodeSet::EMPTY, |leader| self.members_of(leader))
    }

    fn order(&mut self, action: Action, order: Order) {
        let Some(leader) = self.leader() else { return };
        let epoch = self.replicas.leads(leader).unwrap_or_default();
        self.orders.push(GivenOrder { at: self.time, action, order, leader, epoch });
        self.replicas.full_mut().order(leader, order, &mut self.outbox);
        self.apply_outbox(leader);
    }

    pub(super) fn crash(&mut self, node: NodeId) {
        if let Some(faults) = &mut self.faults {
            faults.crash_after.remove(&node);
        }
        self.discard_pause(node);
        self.clear_processor(node);
        self.end_twin(node);
        if let Some(faults) = &mut self.faults {
            faults.links.clear_queues(node);
        }
        self.replicas.full_mut().stop(node, !self.strict_disks);
        self.crash_disk(node);
        let host = &mut self.hosts[usize::from(node.0)];
        host.up = false;
        host.timers.clear();
        host.incarnation += 1;
        host.busy_until = 0;
        // Messages that waited for a disk write are never sent.
        let now = self.time;
        self.wheel.for_each_mut(|arrives, packed| {
            let unsent = |flight: u32| arrives - Micros::from(flight) > now;
            match packed.unpack() {
                Event::Deliver { from, flight, message_id, .. } if from == node && unsent(flight) => {
                    self.outbox.messages.release(message_id);
                    *packed = Event::Cancelled.pack();
                }
                Event::DeliverEach { from, to, flight, message_id } if from == node && unsent(flight) => {
                    to.iter().for_each(|_| self.outbox.messages.release(message_id));
                    *packed = Event::Cancelled.pack();
                }
                Event::Reply { from, flight, client_message } if from == node && unsent(flight) => {
                    self.client_messages.take(client_message);
                    *packed = Event::Cancelled.pack();
                }
                _ => {}
            }
        });
    }

    /// Fencing: a node has another turned off through a power switch, whose own network delays like a message and loses nothing.
    pub(super) fn send_fence(&mut self, by: NodeId, target: NodeId) {
        if usize::from(target.0) < self.hosts.len() {
            let delay = self.topology.one_way(self.site_of(by), self.site_of(target), by > target);
            self.schedule(self.saved_at(by) + delay, Event::Fence { by, target });
        }
    }

    pub(super) fn apply_fence(&mut self, by: NodeId, target: NodeId) -> StepOutcome {
        if self.is_up(target) {
            self.crash(target);
        }
        self.record(What::Fenced, target, by, 0, 0, 0, RuleSet::EMPTY);
        StepOutcome::handled(What::Fenced, target, Some(1))
    }

    fn add(&mut self, site: u8) -> Result<(), Refusal> {
        let me = NodeId(self.hosts.len() as u8);
        if !self.replicas.full_mut().add(&self.setup) {
            return refuse(format!("{} cannot take in another replica", self.replicas.card().title));
        }
        let members = self.members().with(me);
        self.counts.add_sender();
        self.install(site, self.domains.of_site(site));
        self.rebuild_partitions();
        self.order(Action::Add { site }, Order::Reconfigure(members));
        Ok(())
    }

    fn submit_manual_request(&mut self, site: u8) {
        let group = match self.clients.groups.iter().position(|group| group.site == site) {
            Some(group) => group as u16,
            None => {
                // A group without sessions: it uses the service of the first group and issues nothing by itself.
                let service = self.clients.groups.first().map(|group| group.service).unwrap_or_default();
                let pace = Pace::Closed { sessions: 0, think: 0 };
                let retry = 4 * self.setup.rtt_max;
                self.clients.add(ClientGroup { site, pace, service, limit: 0, retry, ..ClientGroup::default() })
            }
        };
        let client = match self.clients.idle(group) {
            Some(client) => client,
            None => self.clients.open(group, self.nearest(site)),
        };
        self.clients.interrupt(client);
        self.begin(client);
    }
}
