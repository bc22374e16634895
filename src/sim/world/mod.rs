//! One cluster in one world, moved on event by event.

mod actions;
mod byzantine;
mod clocks;
mod disks;
mod dispatch;
mod failure_domains;
mod faults;
mod intercept;
mod outcome;
mod pause;
mod processors;
mod requests;
mod routes;
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
use super::replicas::{Replicas, ReplicasOf};
use super::rng::Rng;
use super::roles::Resolved;
use super::timing::Timing;
use super::trace::Trace;
use crate::core::node::{Protocol, Reply, SettingError, Setup};
use crate::core::{
    Answer, Command, Contact, Instance, KindId, Log, MessageStore, Micros, NodeId, NodeSet, Outbox, RuleSet, Settings,
    Slot,
};
use crate::sim::domains::{DomainId, Domains};
use faults::{ActiveFaults, FaultCode};
pub use outcome::StepOutcome;
use routes::Route;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use super::action::MAX_NODES;

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
    /// Settings of single replicas, in place of `settings`, as in the middle of a rolling upgrade.
    pub overrides: Vec<(NodeId, Settings)>,
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
    /// Keep every handler call of a step with all its content, those of booting included; see [`Replicas::calls`].
    #[cfg(feature = "cli")]
    pub record_calls: bool,
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

/// What clients and replicas say to each other.
#[derive(Clone, Copy, Debug)]
enum ClientMessage {
    Request(Command),
    Reply(Reply),
}

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
    /// Which kind; `None` for requests of clients and replies to them.
    pub kind: Option<KindId>,
    /// What a reply tells a client; `None` for all other messages.
    pub reply: Option<ReplyKind>,
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

/// What a reply tells a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// The command was executed, and this is its outcome.
    Answered,
    /// Nothing was done: the replica does not lead and knows no leader.
    Refused,
    /// Nothing was done: the replica does not lead, and names the node that does as far as it knows.
    Redirected(NodeId),
}

impl ReplyKind {
    /// The kind of this node's answer.
    pub fn of(answer: Answer, from: NodeId) -> ReplyKind {
        match answer {
            Answer::Redirect(Some(to)) if to != from => ReplyKind::Redirected(to),
            Answer::Redirect(_) => ReplyKind::Refused,
            Answer::Done(_) => ReplyKind::Answered,
        }
    }
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
    /// It knows the instance's command to be chosen.
    Chosen(NodeId, Instance, Command),
    /// It executed the instance's command.
    Applied(NodeId, Instance, Command),
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
    /// How many replicas must tell a client the same before it believes them.
    answers_needed: u8,
    /// Whom clients turn to.
    contact: Contact,
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
    /// What came of the script's actions that were taken before nodes booted, by their place; until their turn comes.
    before_boot: BTreeMap<u32, Result<(), Refusal>>,
    /// Actions of the script with roles, and who had them.
    resolved: Vec<Resolved>,
    /// What was last done to the world.
    intervention: Option<Action>,
    /// What a client was last told, and by whom.
    reply: Option<(NodeId, ReplyKind)>,
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
            net_rng: self.net_rng,
            seed: self.seed,
            strict_disks: self.strict_disks,
            answers_needed: self.answers_needed,
            contact: self.contact,
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
            before_boot: self.before_boot.clone(),
            resolved: self.resolved.clone(),
            intervention: self.intervention,
            reply: self.reply,
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
        let mut replicas = replicas(&setup)?;
        for (node, settings) in &blueprint.overrides {
            replicas.configure(*node, &Setup { settings: settings.clone(), ..setup.clone() })?;
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
            contact: replicas.card().contact,
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
            before_boot: BTreeMap::new(),
            resolved: Vec::new(),
            intervention: None,
            reply: None,
            faults: None,
            fault_code,
            fault_free: false,
            deterministic_delivery: false,
            routes: Vec::with_capacity(nodes),
        };
        world.outbox.tell_saves(world.strict_disks);
        #[cfg(feature = "cli")]
        if blueprint.record_calls {
            world.record_effects();
            world.replicas.record_calls();
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

    /// Puts a new replica on a new machine at `site` and in `domain`, and boots it.
    fn install(&mut self, site: u8, domain: Option<DomainId>) -> NodeId {
        let me = self.place(site, domain);
        self.boot(me);
        me
    }

    /// Puts a new replica on a new machine at `site` and in `domain`.
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
        self.settle(me);
    }
}
