//! World: the simulated cluster (replicas, hosts, network, clients, faults), advanced one event at a time.

mod actions;
mod byzantine;
mod clocks;
mod disks;
mod dispatch;
mod failure_domains;
mod faults;
mod intercept;
mod manual;
mod outcome;
mod pause;
mod processors;
mod requests;
mod routes;
mod size;
mod timers;
mod view;

use super::action::{Action, FlightId, Refusal, Refused, Timed};
use super::clients::{ClientGroup, Clients, HistoryRecord};
pub use super::hosts::disk::DiskState;
use super::hosts::disk::Storage;
use super::hosts::timers::TimerState;
use super::measure::{Counts, Samples};
pub use super::network::links::Link;
use super::network::{Cost, Topology};
use super::queue::event::{Arriving, Event, Packed};
use super::queue::wheel::Wheel;
use super::replicas::{FullCode, Replicas, ReplicasOf, WorldReplicas};
use super::rng::Rng;
use super::roles::Resolved;
use super::timing::Timing;
use super::trace::Trace;
use crate::core::node::{Order, Protocol, Reply, SettingError, Setup};
use crate::core::{
    Answer, ClientId, Command, Contact, Epoch, Instance, KindId, Log, MessageStore, Micros, NodeId, NodeSet, Outbox,
    RuleSet, Settings, Slot, Told,
};
use crate::sim::domains::{DomainId, Domains};
use faults::{ActiveFaults, FaultCode};
pub use outcome::StepOutcome;
use routes::Route;
pub use size::Size;
use std::sync::Arc;
pub use timers::PendingTimer;

pub use super::action::MAX_NODES;

/// Constructor of the replicas of a cluster; the error names a setting and its valid values.
pub type MakeReplicas = fn(&Setup) -> Result<Box<dyn Replicas>, SettingError>;

/// Initial configuration of a run. A run is determined by its blueprint and the actions applied by hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blueprint {
    /// Network and machine parameters.
    pub topology: Topology,
    /// The site of each replica; its length is the number of replicas.
    pub placement: Vec<u8>,
    /// Failure domains.
    pub domains: Domains,
    /// Client groups.
    pub clients: Vec<ClientGroup>,
    /// The protocol's settings.
    pub settings: Settings,
    /// Settings of single replicas, in place of `settings`, as in the middle of a rolling upgrade.
    pub overrides: Vec<(NodeId, Settings)>,
    /// The rules ablated in this run.
    pub ablated: RuleSet,
    /// Seed of all random streams.
    pub seed: u64,
    /// Number of trace records to keep.
    pub keep_trace: usize,
    /// Script: actions applied at given times.
    pub script: Vec<Timed>,
    /// Liveness bound after the script's faults, if the scenario states one.
    pub recovery: Option<Recovery>,
    /// Stability bound, if the scenario states one.
    pub stability: Option<Stability>,
    /// Records every handler call with its stimulus, effects and state, boots included; see [`FullReplicas::calls`](super::replicas::FullReplicas::calls).
    #[cfg(feature = "cli")]
    pub record_calls: bool,
    /// Disables the checkers: no violations, no leadership intervals, no count of chosen commands. For benchmarks of the simulator alone.
    pub unjudged: bool,
}

/// Liveness bound: from `from` on, every client is answered and every member catches up within `within`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// When faults are over, µs since the start.
    pub from: Micros,
    /// The bound, µs.
    pub within: Micros,
}

/// Stability bound: from `from` on, no more than `leaders` nodes lead, one after the other or at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stability {
    /// When leadership should have settled, µs since the start.
    pub from: Micros,
    /// The bound.
    pub leaders: u32,
}

/// Message between a client and a replica.
#[derive(Clone, Copy, Debug)]
enum ClientMessage {
    Request(Command),
    Reply(Reply),
}

/// Host: the machine under a node.
#[derive(Clone, Debug)]
struct Host {
    /// Whether its node is up (running or paused).
    up: bool,
    site: u8,
    /// Innermost failure domain, if the world has domains.
    domain: Option<DomainId>,
    /// Number of boots and crashes; identifies stale events of an earlier incarnation.
    incarnation: u16,
    timers: Vec<TimerState>,
    rng: Rng,
    /// End of the service time of messages accepted so far, µs.
    busy_until: Micros,
    /// Its disk.
    storage: Storage,
    /// Receivers that messages of this node cannot reach: by a link cut or a domain partition.
    cut: NodeSet,
    /// Those of them whose link is cut; the others are separated by the partition of a domain.
    cut_links: NodeSet,
    /// Those of them whose cut does not count for clients.
    cut_replicas_only: NodeSet,
}

/// An operator's order, as given to a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenOrder {
    /// When, µs since the start.
    pub at: Micros,
    /// The action that gave it.
    pub action: Action,
    /// The order.
    pub order: Order,
    /// The leader that it went to.
    pub leader: NodeId,
    /// The term or ballot that this node led.
    pub epoch: Epoch,
}

/// A message in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Id for [`Action::Message`].
    pub id: FlightId,
    /// Sender.
    pub from: End,
    /// Receiver.
    pub to: End,
    /// Kind; `None` for client requests and replies.
    pub kind: Option<KindId>,
    /// Kind of reply; `None` for all other messages.
    pub reply: Option<ReplyKind>,
    /// The slot concerned; 0 if none.
    pub slot: Slot,
    /// When it leaves, µs. In the future while it waits for a disk write.
    pub sent: Micros,
    /// When it arrives, µs.
    pub arrives: Micros,
    /// Whether it will be lost.
    pub will_drop: bool,
    /// Whether it is held by an interception; `sent` and `arrives` then move with the current time.
    pub held: bool,
}

/// A message in flight, with what a record of the run keeps of it besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The message.
    pub flight: Flight,
    /// Its size, bytes.
    pub bytes: u64,
    /// The client that it is from or for.
    pub client: Option<ClientId>,
}

/// Kinds of replies to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// The command was executed.
    Answered,
    /// Not executed: the replica does not lead and knows no leader.
    Refused,
    /// Not executed: the replica does not lead, and redirects to the leader that it knows.
    Redirected(NodeId),
}

impl ReplyKind {
    /// The kind of an answer by node `from`.
    pub fn of(answer: Answer, from: NodeId) -> ReplyKind {
        match answer {
            Answer::Redirect(Some(to)) if to != from => ReplyKind::Redirected(to),
            Answer::Redirect(_) => ReplyKind::Refused,
            Answer::Done(_) => ReplyKind::Answered,
        }
    }
}

/// Endpoint of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A replica.
    Node(NodeId),
    /// A client at this site.
    Client(u8),
}

/// Observation for the checkers: progress of a node on an instance in the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It learned that the instance's command is chosen.
    Chosen(NodeId, Instance, Command),
    /// It executed the instance's command.
    Applied(NodeId, Instance, Command),
    /// It installed a snapshot up to the slot.
    Restored(NodeId, Slot),
    /// It booted, and executes again from the start.
    Booted(NodeId),
}

/// Simulated cluster: nodes, hosts, network, clients, faults, event queue, trace and counters.
pub struct World {
    time: Micros,
    events: u64,
    wheel: Wheel<Packed>,
    /// Remaining receivers of a broadcast that arrives in this microsecond: the next events.
    arriving: Arriving,
    client_messages: MessageStore<ClientMessage>,
    /// Node states, and contents of messages between nodes.
    replicas: WorldReplicas,
    hosts: Vec<Host>,
    clients: Clients,
    topology: Topology,
    domains: Arc<Domains>,
    setup: Setup,
    net_rng: Rng,
    seed: u64,
    /// Whether durable state is copied at every save; needed unless every save is durable at once.
    strict_disks: bool,
    /// Number of equal replies from different replicas that complete a command.
    answers_needed: u8,
    /// Which replicas clients contact.
    contact: Contact,
    /// Effects of the current handler, and headers of all messages in flight.
    outbox: Box<Outbox>,
    /// Whether the effects of each step are recorded, for transcripts.
    records_effects: bool,
    /// Reasons given in the last step or action, if recorded.
    reasons: Vec<(NodeId, Told)>,
    /// Observations of the last step, for the safety checker.
    marks: Vec<Mark>,
    /// Whether marks are recorded.
    judged: bool,
    /// Client history, if recorded, for the linearizability checker.
    recorded: Option<Log<HistoryRecord>>,
    counts: Counts,
    samples: Samples,
    trace: Trace,
    script: Vec<Timed>,
    /// Actions of the script that were impossible when due.
    refused: Vec<Refused>,
    /// Results of script actions applied before the nodes booted, by index in the script; until their events.
    before_boot: Vec<(u32, Result<(), Refusal>)>,
    /// Script actions with roles, and their resolutions.
    resolved: Vec<Resolved>,
    /// Operators' orders, oldest first.
    orders: Vec<GivenOrder>,
    /// The last action applied.
    intervention: Option<Action>,
    /// The last reply that reached a client, and its sender.
    reply: Option<(NodeId, ReplyKind)>,
    /// Active faults; `None` while there never was one.
    faults: Option<Box<ActiveFaults>>,
    /// Function table of the fault path; `None` until it is needed.
    fault_code: Option<&'static FaultCode>,
    /// Fast path: a message is handled at its arrival, since there are no active faults, link cuts or processing times.
    fault_free: bool,
    /// Fast path: messages between replicas have fixed delays and are not lost: no jitter, no loss, no link cut.
    deterministic_delivery: bool,
    /// Route table, by sender and receiver.
    routes: Vec<[Route; MAX_NODES]>,
    /// By site of the client: the nodes that requests cannot reach, and those whose replies do not arrive. Empty: all do.
    client_cuts: Vec<(NodeSet, NodeSet)>,
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
            net_rng: self.net_rng,
            seed: self.seed,
            strict_disks: self.strict_disks,
            answers_needed: self.answers_needed,
            contact: self.contact,
            outbox: self.outbox.clone(),
            records_effects: self.records_effects,
            reasons: self.reasons.clone(),
            marks: self.marks.clone(),
            judged: self.judged,
            recorded: self.recorded.clone(),
            counts: self.counts.clone(),
            samples: self.samples.clone(),
            trace: self.trace.clone(),
            script: self.script.clone(),
            refused: self.refused.clone(),
            before_boot: self.before_boot.clone(),
            resolved: self.resolved.clone(),
            orders: self.orders.clone(),
            intervention: self.intervention,
            reply: self.reply,
            faults: self.faults.clone(),
            fault_code: self.fault_code,
            fault_free: self.fault_free,
            deterministic_delivery: self.deterministic_delivery,
            routes: self.routes.clone(),
            client_cuts: self.client_cuts.clone(),
            used: self.used,
        }
    }
}

impl World {
    /// Boots a cluster of `P` at time 0. The error names a setting and its valid values.
    pub fn of<P: Protocol>(blueprint: &Blueprint) -> Result<World, SettingError> {
        World::new(blueprint, |setup| Ok(Box::new(ReplicasOf::<P>::new(setup)?)), FullCode::of::<P>())
    }

    /// Boots a cluster of the replicas that `replicas` constructs, at time 0. The error names a setting and its valid values.
    pub fn new(blueprint: &Blueprint, replicas: MakeReplicas, full: FullCode) -> Result<World, SettingError> {
        World::build(blueprint, replicas, Some((FaultCode::ALL, full)))
    }

    /// The same for a blueprint without script, overrides, disk times, processing costs and timing model. Nothing can be done to this world before
    /// [`World::allow_faults`].
    pub fn without_faults(blueprint: &Blueprint, replicas: MakeReplicas) -> Result<World, SettingError> {
        World::build(blueprint, replicas, None)
    }

    fn build(
        blueprint: &Blueprint,
        replicas: MakeReplicas,
        code: Option<(&'static FaultCode, FullCode)>,
    ) -> Result<World, SettingError> {
        let Blueprint { topology, placement, domains, clients, settings, ablated, seed, keep_trace, script, .. } =
            blueprint.clone();
        let setup = Setup { replicas: placement.len() as u8, rtt_max: topology.round_trip_max(), settings, ablated };
        let mut replicas = WorldReplicas::new(replicas(&setup)?, code.map(|(_, full)| full));
        for (node, settings) in &blueprint.overrides {
            replicas.full_mut().configure(*node, &Setup { settings: settings.clone(), ..setup.clone() })?;
        }
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
            answers_needed: replicas.answers(&setup),
            contact: replicas.contact(&setup),
            strict_disks: topology.disk > 0 || !ablated.is_empty() || (cfg!(debug_assertions) && replicas.allows_all()),
            outbox: Box::new(Outbox::new(ablated)),
            records_effects: false,
            reasons: Vec::new(),
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
            before_boot: Vec::new(),
            client_cuts: Vec::new(),
            resolved: Vec::new(),
            orders: Vec::new(),
            intervention: None,
            reply: None,
            faults: None,
            fault_code: code.map(|(faults, _)| faults),
            fault_free: false,
            deterministic_delivery: false,
            routes: Vec::with_capacity(nodes),
        };
        world.outbox.record_saves(world.strict_disks);
        #[cfg(feature = "cli")]
        if blueprint.record_calls {
            world.record_effects();
            world.replicas.full_mut().record_calls();
        }
        world.outbox.draws.seed(Rng::stream(seed, "draws", 0).draw() | 1);
        if world.topology.timing != Timing::default() || world.topology.cost != Cost::default() {
            (world.fault_code().begin)(&mut world);
        }
        for (id, site) in (0..).map(NodeId).zip(placement) {
            world.place(site, world.domains.of_replica(id));
        }
        // A script that acts at time 0 acts before the first message is sent.
        world.hosts.iter_mut().for_each(|host| host.up = true);
        if world.script.iter().any(|timed| timed.at == 0) {
            (world.fault_code().act_before_boot)(&mut world);
        }
        for id in (0..world.nodes()).map(NodeId) {
            if world.hosts[usize::from(id.0)].up {
                world.boot(id);
            }
        }
        for index in 0..world.script.len() {
            world.schedule(world.script[index].at, Event::Script(index as u32));
        }
        world.start_clients();
        Ok(world)
    }

    /// Adds a host at `site` in `domain` and boots a new replica on it.
    fn install(&mut self, site: u8, domain: Option<DomainId>) -> NodeId {
        let me = self.place(site, domain);
        self.boot(me);
        me
    }

    /// Adds a host at `site` in `domain`, with a replica that is not booted.
    fn place(&mut self, site: u8, domain: Option<DomainId>) -> NodeId {
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
            cut_replicas_only: NodeSet::EMPTY,
        });
        self.rebuild_routes();
        me
    }

    fn boot(&mut self, me: NodeId) {
        self.mark(Mark::Booted(me));
        let host = &mut self.hosts[usize::from(me.0)];
        host.incarnation += 1;
        host.up = true;
        self.replicas.boot(me, &mut self.outbox);
        self.apply_outbox(me);
    }
}
