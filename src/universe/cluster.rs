//! A world with its checkers: the only implementation of [`Universe`].

#[cfg(feature = "cli")]
use super::inspect::effect_text;
use super::{NodeView, Universe, Variant, faults, narration, variant_of};
use crate::core::node::{Protocol, SettingError};
use crate::core::{EntryStatus, Micros, NodeId, NodeSet, Promises, RuleSet, Shots, Slot};
#[cfg(feature = "search")]
use crate::judge::delivery::Deliveries;
use crate::judge::linearizability::History;
use crate::judge::liveness::LivenessChecker;
use crate::judge::orders::{OrderOutcome, Orders};
use crate::judge::{LeadershipInterval, PropertyFinding, SafetyChecker, Violation};
#[cfg(feature = "search")]
use crate::sim::action::Timed;
#[cfg(feature = "cli")]
use crate::sim::recording::HandlerCall;
use crate::sim::roles::Resolved;
use crate::sim::world::{Flight, Link, PendingTimer, ReplyKind, Size};
use crate::sim::{Action, Blueprint, Counts, DomainId, Refusal, Refused, World, measure::Samples, trace::Trace};

/// A world and its judges: the only implementation of [`Universe`].
#[derive(Clone)]
pub struct Cluster {
    pub(super) variant: &'static Variant,
    pub(super) world: World,
    safety: SafetyChecker,
    liveness: Option<LivenessChecker>,
    pub(super) orders: Orders,
    judged: bool,
    /// What tells of faults; `None` where there can be none yet.
    pub(super) fault_sentences: Option<FaultSentences>,
}

/// Tells what is out of order, of a cluster, its replicas and the names of its sites.
pub(super) type FaultSentences = fn(&dyn Universe, &[NodeView], &[&str]) -> String;

impl Cluster {
    /// Boots a cluster of `P`. The error names a setting and what would do.
    pub fn of<P: Protocol>(blueprint: &Blueprint) -> Result<Cluster, SettingError> {
        Cluster::new(const { &variant_of::<P>() }, blueprint)
    }

    /// Boots a cluster of a variant. The error names a setting and what would do.
    pub fn new(variant: &'static Variant, blueprint: &Blueprint) -> Result<Cluster, SettingError> {
        let world = World::new(blueprint, variant.replicas, variant.details().full)?;
        let mut cluster = Cluster::around(variant, world, blueprint, Some(faults::sentences));
        cluster.orders.begin();
        cluster.orders.observe(&cluster.world);
        Ok(cluster)
    }

    /// A cluster of a variant around a world that has just been made.
    pub(super) fn around(
        variant: &'static Variant,
        world: World,
        blueprint: &Blueprint,
        fault_sentences: Option<FaultSentences>,
    ) -> Cluster {
        let mut safety = SafetyChecker::new(variant.order);
        safety.observe(&world, None);
        let bounded = blueprint.recovery.is_some() || blueprint.stability.is_some();
        let liveness = bounded.then(|| LivenessChecker::new(blueprint.recovery, blueprint.stability));
        let orders = Orders::default();
        Cluster { variant, world, safety, liveness, orders, judged: !blueprint.unjudged, fault_sentences }
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
    /// Processes all events until `limit`, µs since the start; returns their number.
    pub fn run_until(&mut self, limit: Micros) -> u64 {
        self.run(limit, u64::MAX)
    }

    /// Findings for every property.
    pub fn findings(&self) -> Vec<PropertyFinding> {
        let replicas = self.world.replicas();
        let mut findings = self.safety.findings(replicas.card(), &replicas.invariants());
        if let Some(liveness) = &self.liveness {
            findings.extend(liveness.findings(self.safety.violations()));
        }
        findings
    }

    /// Does something to the world now. An error says why not; then nothing has changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.world.act(action)?;
        self.safety.observe(&self.world, None);
        self.orders.observe(&self.world);
        Ok(())
    }

    /// A copy that goes its own way from here.
    pub fn fork(&self) -> Box<dyn Universe> {
        Box::new(self.clone())
    }

    /// Its memory, by count.
    pub fn size(&self) -> Size {
        self.world.size() + self.safety.size()
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
    #[cfg(feature = "search")]
    pub fn plan(&mut self, timed: Timed) -> bool {
        self.world.plan(timed)
    }

    /// The first microsecond from `at` on for which there is a place in the script, as [`World::first_free`] has it.
    #[cfg(feature = "search")]
    pub fn first_free(&self, at: Micros) -> Micros {
        self.world.first_free(at)
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
    #[cfg(feature = "search")]
    pub fn deliveries(&self) -> Option<Deliveries> {
        Deliveries::of(self.world.recorded())
    }

    /// Has the world keep what nodes ask for, and their reasons.
    pub fn record_effects(&mut self) {
        self.world.record_effects();
    }

    /// What nodes asked for in the last step or action, in words; a line each. Empty unless listened to.
    #[cfg(feature = "cli")]
    pub fn recorded_effects(&self) -> Vec<String> {
        let agrees_on = self.variant.card.agrees_on;
        let effects = (self.variant.inspector.as_text.effects)(self.world.replicas());
        effects.iter().map(|(node, effect)| effect_text(agrees_on, *node, effect)).collect()
    }

    /// Every handler call of the last step or action, with all its content; at the start those of booting. Empty unless the blueprint asks
    /// for it.
    #[cfg(feature = "cli")]
    pub fn calls(&self) -> &[HandlerCall] {
        self.world.full_replicas().calls()
    }
}

impl Universe for Cluster {
    fn variant(&self) -> &'static Variant {
        self.variant
    }

    fn promises(&self) -> Promises {
        (self.variant.promises)(self.world.setup())
    }

    fn step_until(&mut self, limit: Micros) -> bool {
        let outcome = self.world.step_until(limit);
        if outcome.is_some() && self.judged {
            self.safety.observe(&self.world, outcome);
        }
        self.orders.observe(&self.world);
        if let Some(liveness) = &mut self.liveness {
            liveness.observe(&self.world, &mut self.safety);
        }
        outcome.is_some()
    }

    fn run(&mut self, limit: Micros, most: u64) -> u64 {
        if !self.judged && self.liveness.is_none() {
            return self.world.run(limit, most);
        }
        let before = self.world.events();
        let end = before.saturating_add(most);
        while self.world.events() < end && self.step_until(limit) {}
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
            cut_replicas_only: self.world.cut_replicas_only(id),
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

    fn next_timer(&self, node: NodeId) -> Option<PendingTimer> {
        self.world.next_timer(node)
    }

    fn client_cuts(&self, site: u8) -> (NodeSet, NodeSet) {
        (self.world.requests_cut(site), self.world.replies_cut(site))
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

    fn orders(&self) -> &[OrderOutcome] {
        self.orders.outcomes()
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
        match self.variant.card.agrees_on {
            Shots::Single | Shots::Log => self.safety.last_slot(),
            _ => 0,
        }
    }

    fn is_chosen(&self, slot: Slot) -> bool {
        self.safety.is_chosen(slot)
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
