//! The façade: any variant behind one object-safe trait, and plain data to show. The lab, the page and the command line know
//! nothing else of the simulator.

mod faults;
pub mod narration;
#[cfg(feature = "cli")]
pub mod search;
#[cfg(feature = "cli")]
mod transcript;
mod variant;

use crate::core::node::{Protocol, SettingError};
use crate::core::{EntryStatus, Micros, NodeId, NodeSet, NodeStatus, RuleSet, Shots, Slot};
#[cfg(feature = "cli")]
use crate::judge::delivery::Deliveries;
use crate::judge::linearizability::History;
use crate::judge::liveness::LivenessChecker;
use crate::judge::{LeadershipInterval, PropertyFinding, SafetyChecker, Violation};
#[cfg(feature = "cli")]
use crate::sim::action::Timed;
#[cfg(feature = "cli")]
use crate::sim::recording::HandlerCall;
use crate::sim::roles::Resolved;
use crate::sim::world::{DiskState, Flight};
use crate::sim::{Action, Blueprint, Counts, DomainId, Refusal, Refused, World, measure::Samples, trace::Trace};

pub use crate::sim::world::{End, Link, ReplyKind};
#[cfg(feature = "cli")]
pub use transcript::Transcript;
use variant::variant_of;
pub use variant::{Variant, first, of, titles, variant, variants};

/// A running cluster of some variant, watched by the judges.
pub trait Universe {
    /// The variant it runs.
    fn variant(&self) -> &'static Variant;

    /// Does the next thing, if it happens until `limit`, µs; otherwise only time moves on to `limit`. Tells whether something happened.
    fn step_until(&mut self, limit: Micros) -> bool;

    /// Runs until `limit`, µs since the start; tells how many events that took.
    fn run_until(&mut self, limit: Micros) -> u64;

    /// Microseconds since the start.
    fn time(&self) -> Micros;

    /// Events since the start.
    fn events(&self) -> u64;

    /// How many replicas there are, crashed and removed ones included.
    fn nodes(&self) -> u8;

    /// What can be seen of one replica.
    fn node(&self, node: NodeId) -> NodeView;

    /// One slot of one replica's log, if held.
    fn entry(&self, node: NodeId, slot: Slot) -> Option<EntryStatus>;

    /// The failure domains that are cut off.
    fn partitioned(&self) -> &[DomainId];

    /// How messages from one node to another fare, besides what the topology says.
    fn link(&self, from: NodeId, to: NodeId) -> Link;

    /// All messages under way; `flights` is emptied first.
    fn flights(&self, flights: &mut Vec<Flight>);

    /// The leader with the highest epoch, if any node takes itself for one.
    fn leader(&self) -> Option<NodeId>;

    /// Messages and bytes.
    fn counts(&self) -> &Counts;

    /// Answered commands of the clients at each site, oldest first.
    fn samples(&self) -> &Samples;

    /// Commands waiting for their answers.
    fn waiting(&self) -> usize;

    /// The latest records.
    fn trace(&self) -> &Trace;

    /// What was last done to the world, by hand or by the script.
    fn intervention(&self) -> Option<Action>;

    /// What a client was last told, and by whom.
    fn reply(&self) -> Option<(NodeId, ReplyKind)>;

    /// Actions of the script that made no sense when their time came, so that nothing was done.
    fn refused(&self) -> &[Refused];

    /// Actions of the script with roles that were taken, and who had the roles then.
    fn resolved(&self) -> &[Resolved];

    /// The rules applied at least once.
    fn rules_used(&self) -> RuleSet;

    /// What went wrong, first things first.
    fn violations(&self) -> &[Violation];

    /// What happened that the protocol does not promise never to happen, first things first.
    fn not_promised(&self) -> &[Violation];

    /// Every property, and what came of looking at it: held, violated, never exercised, not applicable, not promised.
    fn findings(&self) -> Vec<PropertyFinding>;

    /// Leadership intervals, in the order of their begin.
    fn leadership_intervals(&self) -> Vec<LeadershipInterval>;

    /// How often somebody began to lead.
    fn led(&self) -> u32;

    /// Client commands known to be chosen.
    fn chosen(&self) -> u64;

    /// The last slot of the one log in which something is known to be chosen; 0 if none, or if there is no such log.
    fn last_slot(&self) -> Slot;

    /// One plain sentence or two about what happens now. `places` are the names of the sites.
    fn sentence(&self, places: &[&str]) -> String;

    /// The cluster itself.
    fn cluster(&self) -> &Cluster;

    /// The cluster itself, to change it.
    fn cluster_mut(&mut self) -> &mut Cluster;
}

/// What only the chunk for actions calls. Were these methods of the trait, the page's first picture would have to load them.
impl dyn Universe + '_ {
    /// Has a cluster that was booted without it do what [`Universe::act`](#method.act) asks.
    pub fn allow_faults(&mut self) {
        let cluster = self.cluster_mut();
        cluster.world.allow_faults();
        cluster.fault_sentences = Some(faults::sentences);
    }

    /// Does something to the world now. An error says why not; then nothing has changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.cluster_mut().act(action)
    }

    /// A copy that goes its own way from here.
    pub fn fork(&self) -> Box<dyn Universe> {
        self.cluster().fork()
    }

    /// One number for all that happened and all that is. Equal for equal runs on every machine.
    pub fn fingerprint(&self) -> u64 {
        self.cluster().fingerprint()
    }

    /// Whether nothing is under way but heartbeats.
    pub fn is_quiet(&self) -> bool {
        self.cluster().is_quiet()
    }

    /// Starts counting from zero.
    pub fn clear_counts(&mut self) {
        self.cluster_mut().clear_counts()
    }

    /// Has the world keep what clients ask and are told, for [`Universe::history`]. To be called before anything happens.
    pub fn record_history(&mut self) {
        self.cluster_mut().record_history()
    }

    /// What clients asked and were told, if they were recorded. `None`: nobody listened, or the clients had the cluster agree on one value,
    /// which is no history of reads and writes.
    pub fn history(&self) -> Option<History> {
        self.cluster().history()
    }

    /// Puts one more action into the script, as [`World::plan`] does.
    #[cfg(feature = "cli")]
    pub fn plan(&mut self, timed: Timed) -> bool {
        self.cluster_mut().plan(timed)
    }

    /// What clients of queues saw, if they were recorded. `None`: nobody listened, or the clients used something else.
    #[cfg(feature = "cli")]
    pub fn deliveries(&self) -> Option<Deliveries> {
        self.cluster().deliveries()
    }

    /// Has the world keep what nodes ask for, for [`Universe::said`].
    #[cfg(feature = "cli")]
    pub fn listen(&mut self) {
        self.cluster_mut().listen()
    }

    /// What nodes asked for in the last step or action, in words; a line each. Empty unless listened to.
    #[cfg(feature = "cli")]
    pub fn said(&self) -> Vec<String> {
        self.cluster().said()
    }

    /// Every handler call of the last step or action, with all its content; at the start those of booting. Empty unless the blueprint asks
    /// for it.
    #[cfg(feature = "cli")]
    pub fn calls(&self) -> &[HandlerCall] {
        self.cluster().calls()
    }
}

/// One replica, as anybody can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Which.
    pub id: NodeId,
    /// Index of its site.
    pub site: u8,
    /// What can be seen of it; `None` while it is down.
    pub status: Option<NodeStatus>,
    /// Whom its messages cannot reach, by a cut.
    pub cut: NodeSet,
    /// Whether the leader (or, without one, the node itself) counts it as a member.
    pub member: bool,
    /// While it is paused, how many messages wait for it.
    pub paused: Option<usize>,
    /// What is wrong with its disk.
    pub disk: DiskState,
    /// Whether it has ever lied.
    pub byzantine: bool,
    /// Whether there are two of it.
    pub twin: bool,
    /// By how many millionths its clock runs too fast; too slow below 0.
    pub drift: i32,
}

/// A world and its judges: the only implementation of [`Universe`].
#[derive(Clone)]
pub struct Cluster {
    variant: &'static Variant,
    world: World,
    safety: SafetyChecker,
    liveness: Option<LivenessChecker>,
    judged: bool,
    /// What tells of faults; `None` where there can be none yet.
    fault_sentences: Option<FaultSentences>,
}

/// Tells what is out of order, of a cluster, its replicas and the names of its sites.
type FaultSentences = fn(&dyn Universe, &[NodeView], &[&str]) -> String;

impl Cluster {
    /// Boots a cluster of `P`. The error names a setting and what would do.
    pub fn of<P: Protocol>(blueprint: &Blueprint) -> Result<Cluster, SettingError> {
        Cluster::new(const { &variant_of::<P>() }, blueprint)
    }

    /// Boots a cluster of a variant. The error names a setting and what would do.
    pub fn new(variant: &'static Variant, blueprint: &Blueprint) -> Result<Cluster, SettingError> {
        let world = World::new(blueprint, variant.replicas)?;
        Ok(Cluster::around(variant, world, blueprint, Some(faults::sentences)))
    }

    /// A cluster of a variant around a world that has just been made.
    fn around(
        variant: &'static Variant,
        world: World,
        blueprint: &Blueprint,
        fault_sentences: Option<FaultSentences>,
    ) -> Cluster {
        let mut safety = SafetyChecker::default();
        safety.observe(&world, None);
        let liveness = blueprint.recovery.map(LivenessChecker::new);
        Cluster { variant, world, safety, liveness, judged: !blueprint.unjudged, fault_sentences }
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world, to have it listen or to clear its counts.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// The judges.
    pub fn safety(&self) -> &SafetyChecker {
        &self.safety
    }
}

impl Cluster {
    /// Does something to the world now. An error says why not; then nothing has changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.world.act(action)?;
        self.safety.observe(&self.world, None);
        Ok(())
    }

    /// A copy that goes its own way from here.
    pub fn fork(&self) -> Box<dyn Universe> {
        Box::new(self.clone())
    }

    /// One number for all that happened and all that is. Equal for equal runs on every machine.
    pub fn fingerprint(&self) -> u64 {
        self.world.fingerprint()
    }

    /// Whether nothing is under way but heartbeats.
    pub fn is_quiet(&self) -> bool {
        self.world.is_quiet()
    }

    /// Starts counting from zero.
    pub fn clear_counts(&mut self) {
        self.world.clear_counts();
    }

    /// Puts one more action into the script, as [`World::plan`] does.
    #[cfg(feature = "cli")]
    pub fn plan(&mut self, timed: Timed) -> bool {
        self.world.plan(timed)
    }

    /// Has the world keep what clients ask and are told, for [`Universe::history`]. To be called before anything happens.
    pub fn record_history(&mut self) {
        self.world.record_history();
    }

    /// What clients asked and were told, if they were recorded. `None`: nobody listened, or the clients had the cluster agree on one value,
    /// which is no history of reads and writes.
    pub fn history(&self) -> Option<History> {
        History::of_clients(self.world.recorded()).filter(|history| !history.operations.is_empty())
    }

    /// What clients of queues saw, if they were recorded. `None`: nobody listened, or the clients used something else.
    #[cfg(feature = "cli")]
    pub fn deliveries(&self) -> Option<Deliveries> {
        Deliveries::of(self.world.recorded())
    }

    /// Has the world keep what nodes ask for, for [`Universe::said`].
    #[cfg(feature = "cli")]
    pub fn listen(&mut self) {
        self.world.record_effects();
    }

    /// What nodes asked for in the last step or action, in words; a line each. Empty unless listened to.
    #[cfg(feature = "cli")]
    pub fn said(&self) -> Vec<String> {
        self.world.replicas().recorded().iter().map(|(node, effect)| transcript::in_words(*node, effect)).collect()
    }

    /// Every handler call of the last step or action, with all its content; at the start those of booting. Empty unless the blueprint asks
    /// for it.
    #[cfg(feature = "cli")]
    pub fn calls(&self) -> &[HandlerCall] {
        self.world.replicas().calls()
    }
}

impl Universe for Cluster {
    fn variant(&self) -> &'static Variant {
        self.variant
    }

    fn step_until(&mut self, limit: Micros) -> bool {
        let outcome = self.world.step_until(limit);
        if outcome.is_some() && self.judged {
            self.safety.observe(&self.world, outcome);
        }
        if let Some(liveness) = &mut self.liveness {
            liveness.observe(&self.world, &mut self.safety);
        }
        outcome.is_some()
    }

    fn run_until(&mut self, limit: Micros) -> u64 {
        if !self.judged && self.liveness.is_none() {
            return self.world.run_until(limit);
        }
        let before = self.world.events();
        while self.step_until(limit) {}
        self.world.events() - before
    }

    fn time(&self) -> Micros {
        self.world.time()
    }

    fn events(&self) -> u64 {
        self.world.events()
    }

    fn nodes(&self) -> u8 {
        self.world.nodes()
    }

    fn node(&self, id: NodeId) -> NodeView {
        let status = |id: NodeId| self.world.replicas().status(id);
        let own = status(id);
        let judge = self.world.leader().and_then(status).or(own);
        NodeView {
            id,
            site: self.world.site_of(id),
            status: own,
            cut: self.world.cut_from(id),
            member: judge.is_none_or(|status| status.members.has(id)),
            byzantine: self.world.is_byzantine(id),
            twin: self.world.has_twin(id),
            drift: self.world.drift_ppm(id),
            disk: self.world.disk_state(id),
            paused: self.world.is_paused(id).then(|| self.world.waiting_at(id)),
        }
    }

    fn entry(&self, node: NodeId, slot: Slot) -> Option<EntryStatus> {
        self.world.replicas().entry(node, slot)
    }

    fn partitioned(&self) -> &[DomainId] {
        self.world.partitioned()
    }

    fn link(&self, from: NodeId, to: NodeId) -> Link {
        self.world.link(from, to)
    }

    fn flights(&self, flights: &mut Vec<Flight>) {
        self.world.flights(flights);
    }

    fn leader(&self) -> Option<NodeId> {
        self.world.leader()
    }

    fn counts(&self) -> &Counts {
        self.world.counts()
    }

    fn samples(&self) -> &Samples {
        self.world.samples()
    }

    fn waiting(&self) -> usize {
        self.world.waiting()
    }

    fn trace(&self) -> &Trace {
        self.world.trace()
    }

    fn intervention(&self) -> Option<Action> {
        self.world.intervention()
    }

    fn reply(&self) -> Option<(NodeId, ReplyKind)> {
        self.world.reply()
    }

    fn refused(&self) -> &[Refused] {
        self.world.refused()
    }

    fn resolved(&self) -> &[Resolved] {
        self.world.resolved()
    }

    fn rules_used(&self) -> RuleSet {
        self.world.rules_used()
    }

    fn violations(&self) -> &[Violation] {
        self.safety.violations()
    }

    fn not_promised(&self) -> &[Violation] {
        self.safety.not_promised()
    }

    fn findings(&self) -> Vec<PropertyFinding> {
        let replicas = self.world.replicas();
        let mut findings = self.safety.findings(replicas.card(), &replicas.invariants());
        if let Some(liveness) = &self.liveness {
            findings.extend(liveness.findings(self.safety.violations()));
        }
        findings
    }

    fn leadership_intervals(&self) -> Vec<LeadershipInterval> {
        self.safety.leadership_intervals().copied().collect()
    }

    fn led(&self) -> u32 {
        self.safety.led()
    }

    fn chosen(&self) -> u64 {
        self.safety.chosen()
    }

    fn last_slot(&self) -> Slot {
        match self.variant.card.shots {
            Shots::Single | Shots::Log => self.safety.last_slot(),
            _ => 0,
        }
    }

    fn sentence(&self, places: &[&str]) -> String {
        narration::sentence(self, self.fault_sentences, places)
    }

    fn cluster(&self) -> &Cluster {
        self
    }

    fn cluster_mut(&mut self) -> &mut Cluster {
        self
    }
}
