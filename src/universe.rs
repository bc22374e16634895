//! The façade: any variant behind one object-safe trait, and plain data to show. The lab, the page and the command line know
//! nothing else of the simulator.

mod cluster;
mod faults;
pub mod narration;
#[cfg(feature = "cli")]
pub mod search;
#[cfg(feature = "cli")]
mod transcript;

use crate::core::node::{Kind, Message, Node, Protocol, SettingError, Setup};
use crate::core::{Card, EntryStatus, Micros, NodeId, NodeSet, NodeStatus, Rule, RuleSet, Setting, Slot};
#[cfg(feature = "cli")]
use crate::judge::delivery::Deliveries;
#[cfg(feature = "cli")]
use crate::judge::explore::Query;
use crate::judge::linearizability::History;
use crate::judge::{LeadershipInterval, PropertyFinding, Violation};
#[cfg(feature = "cli")]
use crate::sim::action::Timed;
#[cfg(feature = "cli")]
use crate::sim::recording::HandlerCall;
use crate::sim::replicas::{Replicas, ReplicasOf};
use crate::sim::roles::Resolved;
use crate::sim::world::{DiskState, Flight, MakeReplicas};
use crate::sim::{Action, Blueprint, Counts, DomainId, Refusal, Refused, World, measure::Samples, trace::Trace};

pub use crate::sim::world::{End, Link, ReplyKind};
pub use cluster::Cluster;
#[cfg(feature = "cli")]
pub use transcript::Transcript;

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

/// What one needs to know of a variant before running it.
#[derive(Debug)]
pub struct Variant {
    /// Title, paper, formula.
    pub card: &'static Card,
    /// See [`rules`](Variant::rules). A function, so that the page's first picture can do without all that text.
    rules: fn() -> &'static [Rule],
    /// What a scenario may choose.
    pub settings: &'static [Setting],
    /// What its replicas send each other.
    pub kinds: &'static [Kind],
    /// Makes the replicas of a cluster of it.
    pub replicas: MakeReplicas,
    /// Sets out to look at all that a small cluster of it can do. The error names a setting and what would do.
    #[cfg(feature = "cli")]
    pub explore: fn(&Query) -> Result<search::Search, SettingError>,
    /// Whether it must make progress while so many replicas are healthy.
    #[cfg(feature = "cli")]
    pub live: fn(&Setup, u8) -> bool,
    /// If its safety counts on clocks: how much faster one may run than another, in millionths.
    #[cfg(feature = "cli")]
    pub clocks: fn(&Setup) -> Option<u32>,
    /// The names of the properties that must hold.
    #[cfg(feature = "cli")]
    pub properties: fn() -> Vec<&'static str>,
}

macro_rules! catalogue {
    ($($name:ident: $protocol:path),* $(,)?) => {
        &[$(variant_of::<$protocol>()),*]
    };
}

macro_rules! titles {
    ($($name:ident: $protocol:path),* $(,)?) => {
        &[$((<$protocol as Protocol>::CARD.key, <$protocol as Protocol>::CARD.title)),*]
    };
}

/// Every variant there is, in the order of the registry.
pub fn variants() -> &'static [Variant] {
    static VARIANTS: &[Variant] = crate::variants!(catalogue);
    VARIANTS
}

/// Key and title of every variant, in the order of the registry: all that the page's first picture shows of most of them.
pub fn titles() -> &'static [(&'static str, &'static str)] {
    crate::variants!(titles)
}

/// The variant of the scenario that the page begins with.
pub fn first() -> &'static Variant {
    const { &variant_of::<crate::protocols::First>() }
}

/// A variant by its type. In the page only the chunk of that variant may ask for it.
pub fn of<P: Protocol>() -> &'static Variant {
    const { &variant_of::<P>() }
}

/// The variant with this key, such as `raft`.
pub fn variant(key: &str) -> Option<&'static Variant> {
    variants().iter().find(|variant| variant.card.key == key)
}

impl Variant {
    /// What it demands.
    pub fn rules(&self) -> &'static [Rule] {
        (self.rules)()
    }

    /// Boots a cluster of it. The error names a setting and what would do.
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

fn rules<P: Protocol>() -> &'static [Rule] {
    P::RULES
}

fn replicas<P: Protocol>(setup: &Setup) -> Result<Box<dyn Replicas>, SettingError> {
    Ok(Box::new(ReplicasOf::<P>::new(setup)?))
}

/// The variant that a protocol is.
const fn variant_of<P: Protocol>() -> Variant {
    Variant {
        card: &P::CARD,
        rules: rules::<P>,
        settings: P::SETTINGS,
        kinds: <P::Node as Node>::Msg::KINDS,
        replicas: replicas::<P>,
        #[cfg(feature = "cli")]
        explore: search::explore::<P>,
        #[cfg(feature = "cli")]
        live: P::live,
        #[cfg(feature = "cli")]
        clocks: P::clocks,
        #[cfg(feature = "cli")]
        properties: search::properties::<P>,
    }
}
