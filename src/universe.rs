//! Façade of simulator and checkers: any protocol variant behind one object-safe trait, with plain data for display. The lab, the page and
//! the command line use nothing else of the simulator.

pub mod changes;
mod cluster;
mod faults;
pub mod inspect;
pub mod narration;
pub mod reasons;
#[cfg(feature = "search")]
pub mod search;
#[cfg(feature = "cli")]
mod transcript;
pub mod tree;
pub mod words;

use crate::core::node::{Kind, Message, Node, Protocol, SettingError, Setup};
use crate::core::{
    Card, Edition, EntryStatus, Family, Micros, NodeId, NodeSet, NodeStatus, Promises, Rule, RuleSet, Setting, Slot,
    TimerId, TimerKind, TimerName, Told,
};
#[cfg(feature = "search")]
use crate::judge::delivery::Deliveries;
#[cfg(feature = "search")]
use crate::judge::explore::Query;
use crate::judge::linearizability::History;
use crate::judge::orders::OrderOutcome;
use crate::judge::{LeadershipInterval, MakeOrder, PropertyFinding, Violation, order_of};
use crate::protocols::First;
use crate::sim::action::{FlightId, Timed};
use crate::sim::in_flight::InFlight;
#[cfg(feature = "cli")]
use crate::sim::recording::HandlerCall;
use crate::sim::replicas::{FullCode, Replicas, ReplicasOf};
use crate::sim::roles::Resolved;
use crate::sim::world::{DiskState, Flight, MakeReplicas};
use crate::sim::{Action, Blueprint, Counts, DomainId, Refusal, Refused, World, measure::Samples, trace::Trace};

pub use crate::sim::world::{End, Link, PendingTimer, ReplyKind, Sending, Size};
pub use cluster::Cluster;
#[cfg(feature = "cli")]
use inspect::Inspector;
#[cfg(feature = "cli")]
pub use transcript::Transcript;

/// A running cluster of some variant, with its checkers.
pub trait Universe {
    /// The variant it runs.
    fn variant(&self) -> &'static Variant;

    /// The properties that the variant guarantees under the settings of the run.
    fn promises(&self) -> Promises;

    /// Processes the next event if its time is not after `limit`, µs, and returns true; otherwise advances time to `limit`.
    fn step_until(&mut self, limit: Micros) -> bool;

    /// Processes events until `limit`, µs since the start, but at most `most`; returns their number. If it is less than `most`, it is `limit`
    /// now.
    fn run(&mut self, limit: Micros, most: u64) -> u64;

    /// Microseconds since the start.
    fn time(&self) -> Micros;

    /// Events since the start.
    fn events(&self) -> u64;

    /// Number of replicas, crashed and removed ones included.
    fn nodes(&self) -> u8;

    /// The view of one replica.
    fn node(&self, node: NodeId) -> NodeView;

    /// One slot of one replica's log, if held.
    fn entry(&self, node: NodeId, slot: Slot) -> Option<EntryStatus>;

    /// The timer that will make a node act next; see [`World::next_timer`].
    fn next_timer(&self, node: NodeId) -> Option<PendingTimer>;

    /// The partitioned failure domains.
    fn partitioned(&self) -> &[DomainId];

    /// The nodes that requests of clients at a site cannot reach, and those whose replies cannot reach them.
    fn client_cuts(&self, site: u8) -> (NodeSet, NodeSet);

    /// Link conditions from one node to another, in addition to the topology's.
    fn link(&self, from: NodeId, to: NodeId) -> Link;

    /// All messages in flight or held; `flights` is emptied first.
    fn flights(&self, flights: &mut Vec<Flight>);

    /// The node that leads the highest epoch, if any leads.
    fn leader(&self) -> Option<NodeId>;

    /// Message, byte and command counters.
    fn counts(&self) -> &Counts;

    /// Latency samples by site of the client, oldest first.
    fn samples(&self) -> &Samples;

    /// Number of outstanding commands.
    fn waiting(&self) -> usize;

    /// The event trace.
    fn trace(&self) -> &Trace;

    /// The last action applied, by hand or by the script.
    fn intervention(&self) -> Option<Action>;

    /// The last reply that reached a client, and its sender.
    fn reply(&self) -> Option<(NodeId, ReplyKind)>;

    /// Actions of the script that were impossible when due, and had no effect.
    fn refused(&self) -> &[Refused];

    /// Actions of the script with roles that were taken, and who had the roles then.
    fn resolved(&self) -> &[Resolved];

    /// Operators' orders, and how they ended.
    fn orders(&self) -> &[OrderOutcome];

    /// The rules applied at least once.
    fn rules_used(&self) -> RuleSet;

    /// Violations, oldest first; at most 16.
    fn violations(&self) -> &[Violation];

    /// Violations of properties that the protocol does not promise, oldest first; at most 16.
    fn not_promised(&self) -> &[Violation];

    /// Leadership intervals, in the order of their begin.
    fn leadership_intervals(&self) -> Vec<LeadershipInterval>;

    /// Number of leadership intervals.
    fn led(&self) -> u32;

    /// Number of client commands known to be chosen.
    fn chosen(&self) -> u64;

    /// The last slot of the single log in which a command is known to be chosen; 0 if none, or if there is no such log.
    fn last_slot(&self) -> Slot;

    /// Whether any node has ever known a command to be chosen in this slot of the single log.
    fn is_chosen(&self, slot: Slot) -> bool;

    /// Narration: one or two plain sentences about the present state. `places` are the names of the sites.
    fn sentence(&self, places: &[&str]) -> String;

    /// The cluster.
    fn cluster(&self) -> &Cluster;

    /// The cluster, mutably.
    fn cluster_mut(&mut self) -> &mut Cluster;
}

/// Methods for the page's deferred chunk. As methods of the trait they would be linked into the initial chunk.
impl dyn Universe + '_ {
    /// Installs the code for actions and faults in a cluster booted without it.
    pub fn allow_faults(&mut self) {
        let cluster = self.cluster_mut();
        cluster.world.allow_faults(cluster.variant.details().full);
        cluster.fault_sentences = Some(faults::sentences);
        cluster.orders.begin();
    }

    /// Processes all events until `limit`, µs since the start; returns their number.
    pub fn run_until(&mut self, limit: Micros) -> u64 {
        self.cluster_mut().run_until(limit)
    }

    /// Findings for every property: held, violated, never exercised, not applicable, not promised.
    pub fn findings(&self) -> Vec<PropertyFinding> {
        self.cluster().findings()
    }

    /// Applies an action now. Error: the reason why it is impossible; the world is then unchanged.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.cluster_mut().act(action)
    }

    /// An action with the roles in it resolved now. Error: a role that no node has.
    pub fn resolve(&self, timed: Timed) -> Result<Action, Refusal> {
        self.cluster().world.resolve(timed)
    }

    /// An independent copy.
    pub fn fork(&self) -> Box<dyn Universe> {
        self.cluster().fork()
    }

    /// Memory in bytes, by count, not by the allocator.
    pub fn size(&self) -> Size {
        self.cluster().size()
    }

    /// See [`World::sent_since`].
    pub fn sent_since(&self, since: Micros, sent: &mut Vec<Sending>) {
        self.cluster().world.sent_since(since, sent)
    }

    /// All timers that are set at a node, by their numbers, in the order in which they run out.
    pub fn pending_timers(&self, node: NodeId) -> Vec<(TimerId, PendingTimer)> {
        self.cluster().world.pending_timers(node)
    }

    /// The name of a message in flight or held, by which [`Action::Sent`] finds it now.
    pub fn name_in_flight(&self, id: FlightId) -> Option<(InFlight, u16)> {
        self.cluster().world.name_in_flight(id)
    }

    /// Whether all messages and timers are held; see [`Action::HoldAll`].
    pub fn holds_all(&self) -> bool {
        self.cluster().world.holds_all()
    }

    /// Number of events to come that are known by now.
    pub fn under_way(&self) -> usize {
        self.cluster().world.under_way()
    }

    /// Fingerprint: digest of trace, time and node states. Equal for equal runs on every machine.
    pub fn fingerprint(&self) -> u64 {
        self.cluster().fingerprint()
    }

    /// Quiescence: nothing but heartbeats is in flight, and no command is outstanding.
    pub fn is_quiet(&self) -> bool {
        self.cluster().is_quiet()
    }

    /// Resets the counters.
    pub fn clear_counts(&mut self) {
        self.cluster_mut().clear_counts()
    }

    /// Records the client history, for [`Universe::history`]. To be called before the first step.
    pub fn record_history(&mut self) {
        self.cluster_mut().record_history()
    }

    /// The client history. `None`: it was not recorded, or it is empty because the cluster agrees on a single value.
    pub fn history(&self) -> Option<History> {
        self.cluster().history()
    }

    /// Appends an action to the script; see [`World::plan`].
    #[cfg(feature = "search")]
    pub fn plan(&mut self, timed: Timed) -> bool {
        self.cluster_mut().plan(timed)
    }

    /// The first microsecond from `at` on for which [`World::plan`] takes an action.
    #[cfg(feature = "search")]
    pub fn first_free(&self, at: Micros) -> Micros {
        self.cluster().first_free(at)
    }

    /// Queue deliveries of the client history. `None`: it was not recorded, or the clients used another service.
    #[cfg(feature = "search")]
    pub fn deliveries(&self) -> Option<Deliveries> {
        self.cluster().deliveries()
    }

    /// Records the effects of handlers and their reasons, for [`Universe::recorded_effects`] and [`Universe::reasons`].
    pub fn record_effects(&mut self) {
        self.cluster_mut().record_effects()
    }

    /// Reasons that handlers gave in the last step or action. Empty unless effects are recorded.
    pub fn reasons(&self) -> &[(NodeId, Told)] {
        self.cluster().world.reasons()
    }

    /// Effects of the last step or action as text, one line each. Empty unless recorded.
    #[cfg(feature = "cli")]
    pub fn recorded_effects(&self) -> Vec<String> {
        self.cluster().recorded_effects()
    }

    /// Recorded handler calls of the last step or action; at the start those of booting. Empty unless the blueprint has them recorded.
    #[cfg(feature = "cli")]
    pub fn calls(&self) -> &[HandlerCall] {
        self.cluster().calls()
    }
}

/// View of one replica, for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Its id.
    pub id: NodeId,
    /// Index of its site.
    pub site: u8,
    /// Status; `None` while it is down.
    pub status: Option<NodeStatus>,
    /// Receivers that its messages cannot reach, by link cuts or partitions.
    pub cut: NodeSet,
    /// Those of them whose link is cut for replicas only, and not for clients.
    pub cut_replicas_only: NodeSet,
    /// Whether it is a member of the cluster in the leader's view or, without a leader, in its own.
    pub member: bool,
    /// While it is paused: number of messages deferred.
    pub paused: Option<usize>,
    /// Active disk faults.
    pub disk: DiskState,
    /// Whether it was ever Byzantine.
    pub byzantine: bool,
    /// Whether it has a twin.
    pub twin: bool,
    /// Clock drift, parts per million; positive is fast.
    pub drift: i32,
}

/// Registry entry of a variant: description, settings, constructor, model checker.
#[derive(Debug)]
pub struct Variant {
    /// Card.
    pub card: &'static Card,
    /// What the page's first picture does without; `None` in [`first`], where it is that of the first variant.
    details: Option<&'static Details>,
    /// What it takes to inspect it.
    #[cfg(feature = "cli")]
    pub inspector: Inspector,
    /// Settings that a scenario may choose.
    pub settings: &'static [Setting],
    /// Its editions, one for each option of the setting `edition`.
    pub editions: &'static [Edition],
    /// Message kinds.
    pub kinds: &'static [Kind],
    /// Constructor of its replicas.
    pub replicas: MakeReplicas,
    /// What checks the order of execution, where slots are not that order.
    pub order: Option<MakeOrder>,
    /// Starts the model checker on a small cluster. The error names a setting and its valid values.
    #[cfg(feature = "search")]
    pub explore: fn(&Query) -> Result<search::Search, SettingError>,
    /// Liveness condition; see [`Protocol::live`].
    #[cfg(feature = "search")]
    pub live: fn(&Setup, u8) -> bool,
    /// Stability condition; see [`Protocol::stable`].
    pub stable: fn(&Setup) -> bool,
    /// The properties guaranteed; see [`Protocol::promises`].
    pub promises: fn(&Setup) -> Promises,
    /// The fewest replicas; see [`Protocol::least_replicas`].
    pub least_replicas: fn(RuleSet) -> u8,
    /// How many replicas may be Byzantine; see [`Protocol::byzantine`].
    pub byzantine: fn(&Setup) -> u8,
    /// Maximum relative clock drift, parts per million, if safety depends on clocks; see [`Protocol::clocks`].
    #[cfg(feature = "search")]
    pub clocks: fn(&Setup) -> Option<u32>,
    /// Maximum difference of two clocks' readings, µs, if safety depends on it; see [`Protocol::clock_error`].
    #[cfg(feature = "search")]
    pub clock_error: fn(&Setup) -> Micros,
    /// Names of the properties that must hold.
    #[cfg(feature = "search")]
    pub properties: fn() -> Vec<&'static str>,
    /// Rules that random runs do not reach; see [`Protocol::UNPROMISED`].
    #[cfg(feature = "search")]
    pub unpromised: &'static [crate::core::RuleId],
}

/// What chunks need of a variant and the page's first picture does not.
#[derive(Debug)]
struct Details {
    /// Its rules.
    rules: &'static [Rule],
    /// What its settings do, in their order.
    setting_texts: &'static [&'static str],
    /// What faults, copies and records ask of its replicas.
    full: FullCode,
    /// Its kinds of timers.
    timers: &'static [TimerKind],
}

macro_rules! catalogue {
    ($($name:ident: $protocol:path),* $(,)?) => {
        &[$(variant_of::<$protocol>()),*]
    };
}

macro_rules! titles {
    ($($name:ident: $protocol:path),* $(,)?) => {
        &[$((<$protocol as Protocol>::CARD.key, <$protocol as Protocol>::CARD.title, <$protocol as Protocol>::CARD.family)),*]
    };
}

/// All variants, in the order of the registry.
pub fn variants() -> &'static [Variant] {
    static VARIANTS: &[Variant] = crate::variants!(catalogue);
    VARIANTS
}

/// Key, title and family of every variant, in the order of the registry: what the page's initial chunk needs.
pub fn titles() -> &'static [(&'static str, &'static str, Family)] {
    crate::variants!(titles)
}

/// The variant of the page's initial scenario. Its details are linked where they are asked for.
pub fn first() -> &'static Variant {
    const { &Variant { details: None, ..variant_of::<First>() } }
}

/// A variant by its type; in the page for that variant's chunk only.
pub fn of<P: Protocol>() -> &'static Variant {
    const { &variant_of::<P>() }
}

/// The variant with this key, such as `raft`.
pub fn variant(key: &str) -> Option<&'static Variant> {
    variants().iter().find(|variant| variant.card.key == key)
}

impl Variant {
    /// Its rules.
    pub fn rules(&self) -> &'static [Rule] {
        self.details().rules
    }

    /// Its kinds of timers.
    pub fn timers(&self) -> &'static [TimerKind] {
        self.details().timers
    }

    /// Its settings with what each does, in plain words.
    pub fn described_settings(&self) -> impl Iterator<Item = (&'static Setting, &'static str)> {
        self.settings.iter().zip(self.details().setting_texts.iter().copied())
    }

    /// Its details. Whoever asks for them links those of the first variant.
    fn details(&self) -> &'static Details {
        self.details.unwrap_or(const { &details_of::<First>() })
    }

    /// Boots a cluster of it. The error names a setting and its valid values.
    pub fn boot(&'static self, blueprint: &Blueprint) -> Result<Box<dyn Universe>, SettingError> {
        Ok(Box::new(Cluster::new(self, blueprint)?))
    }

    /// The same for a blueprint without script, processing costs and timing model. Nothing can be done to this cluster before
    /// [`allow_faults`](trait.Universe.html#method.allow_faults).
    pub fn boot_without_faults(&'static self, blueprint: &Blueprint) -> Result<Box<dyn Universe>, SettingError> {
        let world = World::without_faults(blueprint, self.replicas)?;
        Ok(Box::new(Cluster::around(self, world, blueprint, None)))
    }
}

const fn details_of<P: Protocol>() -> Details {
    Details {
        rules: P::RULES,
        setting_texts: P::SETTING_TEXTS,
        full: FullCode::of::<P>(),
        timers: <P::Node as Node>::Timer::TIMERS,
    }
}

fn replicas<P: Protocol>(setup: &Setup) -> Result<Box<dyn Replicas>, SettingError> {
    Ok(Box::new(ReplicasOf::<P>::new(setup)?))
}

/// The registry entry of a protocol.
const fn variant_of<P: Protocol>() -> Variant {
    Variant {
        card: &P::CARD,
        details: Some(const { &details_of::<P>() }),
        #[cfg(feature = "cli")]
        inspector: Inspector::of::<P>(),
        settings: P::SETTINGS,
        editions: P::EDITIONS,
        kinds: <P::Node as Node>::Msg::KINDS,
        replicas: replicas::<P>,
        order: order_of(P::CARD.agrees_on),
        #[cfg(feature = "search")]
        explore: search::explore::<P>,
        #[cfg(feature = "search")]
        live: P::live,
        stable: P::stable,
        promises: P::promises,
        least_replicas: P::least_replicas,
        byzantine: P::byzantine,
        #[cfg(feature = "search")]
        clocks: P::clocks,
        #[cfg(feature = "search")]
        clock_error: P::clock_error,
        #[cfg(feature = "search")]
        properties: search::properties::<P>,
        #[cfg(feature = "search")]
        unpromised: P::UNPROMISED,
    }
}
