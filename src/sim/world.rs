//! One cluster in one world, moved on event by event.

mod act;
mod byzantine;
mod clock;
mod cpu;
mod disk;
mod event;
mod faults;
mod intercept;
mod links;
mod outcome;
mod partitioned;
mod pause;
mod post;
mod serve;
mod timers;
mod view;

use super::action::{Action, FlightId, Refused, Timed};
use super::clients::{ClientGroup, Clients, HistoryRecord};
use super::domains::{DomainId, Domains};
use super::measure::{Counts, Samples};
use super::network::{Cost, Topology};
use super::replicas::{Replicas, ReplicasOf};
use super::rng::Rng;
use super::timing::Timing;
use super::trace::{Record, Trace, Way, What};
use super::wheel::Wheel;
use crate::core::node::{Protocol, Reply, SettingError, Setup};
use crate::core::{
    Command, Effect, Header, KindId, Log, MessageStore, Micros, NodeId, NodeSet, Outbox, RuleSet, Settings, Slot,
};
pub use disk::DiskState;
use disk::Storage;
use event::{Event, Packed};
use faults::{ActiveFaults, FaultCode};
pub use links::Link;
pub use outcome::StepOutcome;
use post::Route;
use std::sync::Arc;
use timers::TimerState;

/// Most replicas a world holds, those that joined later included.
pub const MAX_NODES: usize = 32;

/// Makes the replicas of a cluster; the error names a setting and what would do.
pub type MakeReplicas = fn(&Setup) -> Result<Box<dyn Replicas>, SettingError>;

/// Everything a run is made of, apart from what is done to it by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blueprint {
    /// Sites, delays, loss, disks.
    pub topology: Topology,
    /// The site of each replica; its length is the number of replicas.
    pub placement: Vec<u8>,
    /// What fails together.
    pub domains: Domains,
    /// Who asks.
    pub clients: Vec<ClientGroup>,
    /// The protocol's settings.
    pub settings: Settings,
    /// The rules taken away.
    pub ablated: RuleSet,
    /// Source of all chance.
    pub seed: u64,
    /// How many trace records to keep.
    pub keep_trace: usize,
    /// What happens by itself at given times.
    pub script: Vec<Timed>,
    /// What must come true once the script's faults are over, if anything must.
    pub recovery: Option<Recovery>,
    /// Leave the judges out: no violations, no leadership intervals, no count of what is chosen. For benchmarks of the simulator alone.
    pub unjudged: bool,
}

/// A promise about a time without faults: whoever waits for an answer gets it within a bound, and who fell behind catches up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// From when on, µs since the start.
    pub from: Micros,
    /// Within how long, µs.
    pub within: Micros,
}

/// A message that has arrived at several replicas; each gets it in an event of its own.
#[derive(Clone, Copy, Debug, Default)]
struct Arriving {
    from: NodeId,
    to: NodeSet,
    flight: u32,
    message_id: u32,
}

/// What clients and replicas say to each other.
#[derive(Clone, Copy, Debug)]
enum ClientMessage {
    Request(Command),
    Reply(Reply),
}

const NEVER: Micros = Micros::MAX;

/// The machine a node runs on.
#[derive(Clone, Debug)]
struct Host {
    /// Whether its node runs (it may be paused).
    up: bool,
    site: u8,
    /// The innermost failure domain it is in, if there are any.
    domain: Option<DomainId>,
    /// Counts boots, so that a timer of an earlier life is recognised.
    incarnation: u16,
    timers: Vec<TimerState>,
    rng: Rng,
    /// Handling messages until then.
    busy_until: Micros,
    /// Its disk.
    storage: Storage,
    /// Receivers that cannot hear this node.
    cut: NodeSet,
    /// Those of them whose very link is cut; the others are on the other side of a domain that is cut off.
    cut_links: NodeSet,
}

/// A message under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// By what to name it in an action.
    pub id: FlightId,
    /// Where from.
    pub from: End,
    /// Where to.
    pub to: End,
    /// Which kind; `None` for requests and answers of clients.
    pub kind: Option<KindId>,
    /// The slot it is about; 0 if none.
    pub slot: Slot,
    /// When it left, µs. May still lie ahead: it waits for the disk.
    pub sent: Micros,
    /// When it arrives, µs.
    pub arrives: Micros,
    /// It will get lost.
    pub will_drop: bool,
    /// It is held where it is: for it, time stands still.
    pub held: bool,
}

/// An end of a message's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A replica.
    Node(NodeId),
    /// A client at this site.
    Client(u8),
}

/// What a node just learned or did about a slot; the judges read these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It knows the slot's command to be chosen.
    Chosen(NodeId, Slot, Command),
    /// It executed the slot's command.
    Applied(NodeId, Slot, Command),
    /// Its state machine jumped to a snapshot up to the slot.
    Restored(NodeId, Slot),
    /// It booted: what it executed before, it executes again.
    Booted(NodeId),
}

/// A cluster, and all around it.
pub struct World {
    time: Micros,
    events: u64,
    wheel: Wheel<Packed>,
    /// What is left of a message that arrives at several replicas in this microsecond: the next events.
    arriving: Arriving,
    client_messages: MessageStore<ClientMessage>,
    /// The nodes themselves, and the contents of messages between them.
    replicas: Box<dyn Replicas>,
    hosts: Vec<Host>,
    clients: Clients,
    topology: Topology,
    domains: Arc<Domains>,
    setup: Setup,
    net_rng: Rng,
    seed: u64,
    /// Copy the disk at every save: needed once it can matter that something was not saved.
    strict_disks: bool,
    /// What handlers ask for, and the headers of all messages in flight.
    outbox: Box<Outbox>,
    /// Whether the effects of each step are kept, for transcripts.
    records_effects: bool,
    /// For judges of states: what nodes learned and did in the last step.
    marks: Vec<Mark>,
    /// Whether anybody reads them.
    judged: bool,
    /// For judges of histories: what clients asked and were told.
    recorded: Option<Log<HistoryRecord>>,
    counts: Counts,
    samples: Samples,
    trace: Trace,
    script: Vec<Timed>,
    /// Actions of the script that made no sense when their time came.
    refused: Vec<Refused>,
    /// What was last done to the world.
    intervention: Option<Action>,
    /// All that is out of the ordinary.
    faults: Option<Box<ActiveFaults>>,
    /// What deals with that; `None` until it is needed.
    fault_code: Option<&'static FaultCode>,
    /// Whether nothing can come between the arrival of a message and its handling: no trouble, no link cut, no processing time. Mostly
    /// nothing can.
    fault_free: bool,
    /// Whether all messages between replicas take as long as expected, and arrive: no jitter, no loss, no link cut.
    deterministic_delivery: bool,
    /// The ways between replicas, by sender and receiver.
    routes: Vec<[Route; MAX_NODES]>,
    used: RuleSet,
}

impl Clone for World {
    fn clone(&self) -> World {
        World {
            time: self.time,
            events: self.events,
            wheel: self.wheel.clone(),
            arriving: self.arriving,
            client_messages: self.client_messages.clone(),
            replicas: self.replicas.fork(),
            hosts: self.hosts.clone(),
            clients: self.clients.clone(),
            topology: self.topology.clone(),
            domains: self.domains.clone(),
            setup: self.setup.clone(),
            net_rng: self.net_rng.clone(),
            seed: self.seed,
            strict_disks: self.strict_disks,
            outbox: self.outbox.clone(),
            records_effects: self.records_effects,
            marks: self.marks.clone(),
            judged: self.judged,
            recorded: self.recorded.clone(),
            counts: self.counts.clone(),
            samples: self.samples.clone(),
            trace: self.trace.clone(),
            script: self.script.clone(),
            refused: self.refused.clone(),
            intervention: self.intervention,
            faults: self.faults.clone(),
            fault_code: self.fault_code,
            fault_free: self.fault_free,
            deterministic_delivery: self.deterministic_delivery,
            routes: self.routes.clone(),
            used: self.used,
        }
    }
}

impl World {
    /// Boots a cluster of `P` at time 0. The error names a setting and what would do.
    pub fn of<P: Protocol>(blueprint: &Blueprint) -> Result<World, SettingError> {
        World::new(blueprint, |setup| Ok(Box::new(ReplicasOf::<P>::new(setup)?)))
    }

    /// Boots a cluster of the replicas that `replicas` makes, at time 0. The error names a setting and what would do.
    pub fn new(blueprint: &Blueprint, replicas: MakeReplicas) -> Result<World, SettingError> {
        World::build(blueprint, replicas, Some(FaultCode::ALL))
    }

    /// The same for a blueprint without script, processing costs and timing model. Nothing can be done to this world before
    /// [`World::allow_faults`].
    pub fn without_faults(blueprint: &Blueprint, replicas: MakeReplicas) -> Result<World, SettingError> {
        World::build(blueprint, replicas, None)
    }

    fn build(
        blueprint: &Blueprint,
        replicas: MakeReplicas,
        fault_code: Option<&'static FaultCode>,
    ) -> Result<World, SettingError> {
        let Blueprint { topology, placement, domains, clients, settings, ablated, seed, keep_trace, script, .. } =
            blueprint.clone();
        let setup = Setup { replicas: placement.len() as u8, rtt_max: topology.round_trip_max(), settings, ablated };
        let replicas = replicas(&setup)?;
        let nodes = placement.len();
        let sites = usize::from(topology.sites);
        let mut world = World {
            time: 0,
            events: 0,
            wheel: Wheel::default(),
            arriving: Arriving::default(),
            client_messages: MessageStore::default(),
            hosts: Vec::with_capacity(nodes),
            clients: Clients::new(clients, seed),
            net_rng: Rng::stream(seed, "network", 0),
            strict_disks: topology.disk > 0 || !ablated.is_empty() || cfg!(debug_assertions),
            outbox: Box::new(Outbox::new(ablated)),
            records_effects: false,
            marks: Vec::new(),
            judged: !blueprint.unjudged,
            recorded: None,
            counts: Counts::new(replicas.kinds().len(), nodes, sites),
            samples: vec![Log::default(); sites],
            trace: Trace::keeping(keep_trace),
            used: RuleSet::EMPTY,
            replicas,
            seed,
            topology,
            domains: Arc::new(domains),
            setup,
            script,
            refused: Vec::new(),
            intervention: None,
            faults: None,
            fault_code,
            fault_free: false,
            deterministic_delivery: false,
            routes: Vec::with_capacity(nodes),
        };
        world.outbox.tell_saves(world.strict_disks);
        if world.topology.timing != Timing::default() || world.topology.cost != Cost::default() {
            (world.fault_code().begin)(&mut world);
        }
        for (id, site) in (0..).map(NodeId).zip(placement) {
            world.install(site, world.domains.of_replica(id));
        }
        for index in 0..world.script.len() {
            world.schedule(world.script[index].at, Event::Script(index as u32));
        }
        world.start_clients();
        Ok(world)
    }

    /// Puts a new replica on a new machine at `site` and in `domain`, and boots it.
    fn install(&mut self, site: u8, domain: Option<DomainId>) -> NodeId {
        let me = NodeId(self.hosts.len() as u8);
        self.hosts.push(Host {
            up: false,
            site,
            domain,
            incarnation: 0,
            timers: Vec::new(),
            rng: Rng::stream(self.seed, "node", u64::from(me.0)),
            busy_until: 0,
            storage: Storage::default(),
            cut: NodeSet::EMPTY,
            cut_links: NodeSet::EMPTY,
        });
        self.rebuild_routes();
        self.boot(me);
        me
    }

    fn boot(&mut self, me: NodeId) {
        self.mark(Mark::Booted(me));
        let host = &mut self.hosts[usize::from(me.0)];
        host.incarnation += 1;
        host.up = true;
        self.replicas.boot(me, &mut self.outbox);
        self.apply_effects_and_rules(me);
    }

    /// Does the next thing, if it happens until `limit`; otherwise only time moves on to `limit`.
    pub fn step_until(&mut self, limit: Micros) -> Option<StepOutcome> {
        self.next(limit)
    }

    /// Runs until `limit`, µs since the start; tells how many events that took.
    pub fn run_until(&mut self, limit: Micros) -> u64 {
        let before = self.events;
        while self.next(limit).is_some() {}
        self.events - before
    }

    #[inline(always)]
    fn next(&mut self, limit: Micros) -> Option<StepOutcome> {
        self.marks.clear();
        if self.records_effects {
            self.replicas.clear_recorded();
        }
        let (way, message_id) = loop {
            if self.time <= limit
                && let Some(to) = self.arriving.to.lowest()
            {
                let Arriving { from, flight, message_id, .. } = self.arriving;
                if self.fault_free {
                    self.arriving.to.remove(to);
                    break (Way::new(from, to, flight), message_id);
                }
                if let Some(outcome) = self.arrive() {
                    self.events += 1;
                    return Some(outcome);
                }
            }
            let Some((time, event)) = self.wheel.pop_until(limit) else {
                self.time = self.time.max(if limit == NEVER { self.time } else { limit });
                return None;
            };
            self.time = time;
            // Where nothing can come between the arrival of a message and its handling, the handling is done in place: nine of ten events.
            if self.fault_free {
                if let Some(arrival) = event.arrival() {
                    break arrival;
                }
                if let Some(arriving) = event.arrivals() {
                    self.arriving = arriving;
                    continue;
                }
            }
            if let Some(outcome) = self.handle_event(event) {
                self.events += 1;
                return Some(outcome);
            }
        };
        self.events += 1;
        Some(self.handle_here(way, message_id))
    }

    /// Carries out one event. `None`: it was not one after all (a timer set again, a session already answered).
    #[inline(always)]
    fn handle_event(&mut self, event: Packed) -> Option<StepOutcome> {
        // Unpacked on either way, so that it comes apart at once into what each event is made of.
        match self.faults {
            Some(_) => (self.fault_code().handle_event)(self, event.unpack()),
            None => self.dispatch(event.unpack()),
        }
    }

    #[inline(always)]
    fn dispatch(&mut self, event: Event) -> Option<StepOutcome> {
        match event {
            Event::Deliver { from, to, will_drop, flight, message_id } => {
                Some(self.deliver(from, to, will_drop, flight, message_id))
            }
            Event::DeliverEach { from, to, flight, message_id } => {
                self.arriving = Arriving { from, to, flight, message_id };
                self.arrive()
            }
            Event::Handle { from, to, incarnation, flight, message_id } => {
                if self.hosts[usize::from(to.0)].incarnation != incarnation {
                    self.outbox.messages.release(message_id);
                    return None;
                }
                Some(self.handle(from, to, flight, message_id))
            }
            Event::Timer { node, incarnation, index } => self.timer_due(node, incarnation, index),
            Event::Request { to, will_drop, flight, client_message } => {
                self.requested(to, will_drop, flight, client_message)
            }
            Event::Reply { from, client_message, .. } => self.answered(from, client_message),
            Event::Wake(client) => self.wake(client),
            Event::Impatient(client) => self.impatient(client),
            Event::Again { client, seq, attempt } => self.again(client, seq, attempt),
            Event::Arrival(group) => self.arrival(group),
            Event::Script(index) => {
                let timed = self.script[index as usize];
                Some(match (self.fault_code().apply_action)(self, timed.action) {
                    Ok(()) => StepOutcome::handled(What::Acted, NodeId(0), Some(1)),
                    Err(why) => {
                        self.record(What::Refused, NodeId(0), NodeId(0), 0, 0, 0, RuleSet::EMPTY);
                        self.refused.push(Refused { index, timed, why });
                        StepOutcome::passed(What::Refused, NodeId(0))
                    }
                })
            }
            Event::Turn { .. } | Event::Void => None,
        }
    }

    /// The next of several replicas gets the message that has arrived at all of them.
    #[inline(never)]
    fn arrive(&mut self) -> Option<StepOutcome> {
        let Arriving { from, to, flight, message_id } = self.arriving;
        let next = to.lowest()?;
        self.arriving.to = to.without(next);
        match self.faults {
            Some(_) => (self.fault_code().arrive)(self, from, next, flight, message_id),
            None => Some(self.deliver(from, next, false, flight, message_id)),
        }
    }

    #[inline(never)]
    fn deliver(&mut self, from: NodeId, to: NodeId, will_drop: bool, flight: u32, message_id: u32) -> StepOutcome {
        if will_drop || self.hosts[usize::from(from.0)].cut.has(to) || !self.hosts[usize::from(to.0)].up {
            return self.miss(from, to, flight, message_id);
        }
        if self.topology.processing > 0 && from != to {
            let host = &mut self.hosts[usize::from(to.0)];
            host.busy_until = host.busy_until.max(self.time) + self.topology.processing;
            let (incarnation, turn) = (host.incarnation, host.busy_until);
            self.schedule(turn, Event::Handle { from, to, incarnation, flight, message_id });
            return StepOutcome::passed(What::Delivered, to);
        }
        self.handle(from, to, flight, message_id)
    }

    /// A message gets lost.
    #[cold]
    fn miss(&mut self, from: NodeId, to: NodeId, flight: u32, message_id: u32) -> StepOutcome {
        self.counts.lost += u64::from(from != to);
        let Header { kind, slot, .. } = self.outbox.messages.header(message_id);
        self.outbox.messages.release(message_id);
        self.record(What::Lost, to, from, kind.0, slot, flight, RuleSet::EMPTY);
        StepOutcome::passed(What::Lost, to)
    }

    #[inline(never)]
    fn handle(&mut self, from: NodeId, to: NodeId, flight: u32, message_id: u32) -> StepOutcome {
        self.handle_here(Way::new(from, to, flight), message_id)
    }

    /// A node handles a message, if it is up.
    #[inline(always)]
    fn handle_here(&mut self, way: Way, message_id: u32) -> StepOutcome {
        let (from, to) = (way.from(), way.to());
        let Some(Header { kind, slot, .. }) = self.replicas.deliver(from, to, message_id, &mut self.outbox) else {
            return self.miss(from, to, way.flight(), message_id);
        };
        let (rules, log_from) = self.outbox.settle();
        self.used = self.used.or(rules);
        self.trace.delivered(self.time, way, kind.0, slot, rules);
        self.apply_effects_inline(to);
        StepOutcome::handled(What::Delivered, to, log_from)
    }

    /// Takes the effects out of the outbox and carries them out.
    fn apply_effects_and_rules(&mut self, me: NodeId) {
        let (rules, _) = self.outbox.settle();
        self.used = self.used.or(rules);
        self.apply_effects(me);
    }

    /// Carries out the effects in the outbox.
    #[inline(never)]
    fn apply_effects(&mut self, me: NodeId) {
        self.apply_effects_inline(me);
    }

    /// The same, in place: for messages, of which there are most.
    #[inline(always)]
    fn apply_effects_inline(&mut self, me: NodeId) {
        if self.records_effects {
            self.replicas.record(me, &self.outbox);
        }
        let mut saved = false;
        let mut next = 0;
        while let Some(effect) = self.outbox.effects().get(next) {
            next += 1;
            match *effect {
                Effect::Send(to, message_id) => self.send(me, to, message_id),
                Effect::Broadcast(to, message_id) => self.broadcast(me, to, message_id),
                Effect::SetTimer(timer, lo, hi) => self.set_timer(me, timer, lo, hi),
                Effect::Cancel(timer) => self.cancel(me, timer),
                Effect::Save => {
                    saved = true;
                    if !self.save(me) {
                        self.stop_at_full_disk(me, next);
                        break;
                    }
                }
                Effect::Reply(reply) => self.send_reply(me, reply),
                // These two are told in place, not by `mark`: so the command is copied only if somebody judges it.
                Effect::Chosen(slot, ref command) => {
                    if self.judged {
                        self.marks.push(Mark::Chosen(me, slot, *command));
                    }
                    self.record(What::Chosen, me, me, 0, slot, 0, RuleSet::EMPTY);
                }
                Effect::Applied(slot, ref command) => {
                    if self.judged {
                        self.marks.push(Mark::Applied(me, slot, *command));
                    }
                    self.record(What::Applied, me, me, 0, slot, 0, RuleSet::EMPTY);
                }
                Effect::Restored(slot) => self.mark(Mark::Restored(me, slot)),
            }
        }
        self.outbox.clear();
        if cfg!(debug_assertions) && !saved {
            self.assert_saved(me);
        }
    }

    /// Tells the judges, if there are any.
    #[inline(always)]
    fn mark(&mut self, mark: Mark) {
        if self.judged {
            self.marks.push(mark);
        }
    }

    /// Lets something happen at `time`; what should have happened already happens now.
    #[inline(always)]
    fn schedule(&mut self, time: Micros, event: Event) {
        self.wheel.push(time, event.pack());
    }

    #[inline]
    #[allow(clippy::too_many_arguments)]
    fn record(&mut self, what: What, node: NodeId, peer: NodeId, kind: u8, slot: Slot, detail: u32, rules: RuleSet) {
        self.used = self.used.or(rules);
        self.trace.push(Record { at: self.time, rules, slot, detail, what, node, peer, kind });
    }
}
