//! What the run looks like at one moment: plain data, taken now and then, that Yew can compare and show.

use super::Engine;
use super::last_event::LastEvent;
use super::rate::{PerCommand, Rate};
use crate::chunks::Parts;
use crate::components::faults::Faults;
use quorumscope::core::node::Kind;
use quorumscope::core::{EntryStatus, Log, Micros, NodeId, NodeSet, NodeStatus, Slot, card::Shots};
use quorumscope::judge::LeadershipInterval;
use quorumscope::lab::Session;
use quorumscope::lab::session::Branch;
use quorumscope::sim::Sample;
use quorumscope::sim::world::{DiskState, Flight};
use quorumscope::universe::{Link, Universe, Variant};

/// Slots shown of each log: the latest of the cluster, the same for all replicas, so that one that lags is seen to.
pub const SLOTS: usize = 8;
/// Answers that a median is taken of.
const RECENT: usize = 32;
/// Most answers drawn for each site.
const DRAWN: usize = 240;
/// How far back answers are drawn, µs.
pub const DRAWN_SINCE: Micros = 15_000_000;

/// The run at one moment.
#[derive(Clone, Debug)]
pub struct ViewModel {
    /// µs since the start.
    pub time: Micros,
    /// Events since the start.
    pub events: u64,
    /// Every replica there ever was.
    pub nodes: Vec<NodeView>,
    /// Who leads.
    pub leader: Option<NodeId>,
    /// One for each site.
    pub sites: Vec<SiteView>,
    /// What happens now.
    pub sentence: String,
    /// Messages in somebody's hand; all that are under way, while a menu might offer something to do with them.
    pub flights: Vec<Flight>,
    /// The ways on which messages do not fare as usual.
    pub ways: Vec<WayView>,
    /// Kinds of messages.
    pub kinds: &'static [Kind],
    /// Messages so far, by kind.
    pub by_kind: Vec<u64>,
    /// Messages for one command, lately.
    pub per_command: Option<PerCommand>,
    /// Whether some property is broken.
    pub broken: bool,
    /// What happened last, while time stands still.
    pub last: Option<LastEvent>,
    /// Every time somebody began to lead, oldest first.
    pub leadership_intervals: Vec<LeadershipInterval>,
    /// When things were done by hand, µs.
    pub interventions: Vec<Micros>,
    /// The farthest this run has been in any branch, µs.
    pub span: Micros,
    /// Its branches, if there are several.
    pub branches: Vec<BranchView>,
    /// What draws the signs of what is out of order, once it is there.
    pub faults: Option<&'static Faults>,
}

/// How messages from one replica to another fare, where that is not as usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayView {
    /// Sender.
    pub from: NodeId,
    /// Receiver.
    pub to: NodeId,
    /// How they fare.
    pub link: Link,
}

/// One branch of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchView {
    /// Which, counted from 0.
    pub number: usize,
    /// The branch that it parted from, and when, µs.
    pub parted: Option<(usize, Micros)>,
    /// How far it got, µs.
    pub reached: Micros,
    /// Whether this is the one on screen.
    pub present: bool,
}

/// One replica at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeView {
    /// Which.
    pub id: NodeId,
    /// Index of its site.
    pub site: usize,
    /// What can be seen of it; `None` while it is down.
    pub status: Option<NodeStatus>,
    /// Whether it wears the crown.
    pub crown: Crown,
    /// Whom its messages cannot reach.
    pub cut: NodeSet,
    /// Whether it is a member of the cluster.
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
    /// The latest slots of its log.
    pub slots: Vec<SlotLook>,
}

/// Leadership as the page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crown {
    /// It does not lead.
    None,
    /// It leads.
    Worn,
    /// It takes itself for the leader, but another leads with a higher term or ballot.
    Stale,
}

/// One slot of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotLook {
    /// Nothing there.
    Empty,
    /// Held, not known to be chosen.
    Held,
    /// Known to be chosen.
    Committed,
    /// Executed.
    Applied,
}

impl SlotLook {
    /// Its name in the style sheet.
    pub const fn name(self) -> &'static str {
        match self {
            SlotLook::Empty => "empty",
            SlotLook::Held => "held",
            SlotLook::Committed => "committed",
            SlotLook::Applied => "applied",
        }
    }
}

/// One site's clients at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SiteView {
    /// Whether nothing gets in or out.
    pub partitioned: bool,
    /// The latest latency, µs.
    pub latest: Option<Micros>,
    /// The median of the latest answers, µs.
    pub median: Option<Micros>,
    /// When the latest answers came and how long they took, µs; oldest first.
    pub recent: Vec<(Micros, Micros)>,
}

/// One look is the same as another only if it is that other one: comparing all of it would cost more than showing it.
impl PartialEq for ViewModel {
    fn eq(&self, other: &ViewModel) -> bool {
        std::ptr::eq(self, other)
    }
}

impl NodeView {
    /// Whether anything is out of order with it, besides being down.
    pub fn faulty(&self) -> bool {
        self.paused.is_some() || self.byzantine || self.drift != 0 || self.disk != DiskState::default()
    }
}

impl ViewModel {
    /// Whether any link is cut or disturbed.
    pub fn links_faulty(&self) -> bool {
        !self.ways.is_empty() || self.nodes.iter().any(|node| !node.cut.is_empty())
    }

    /// Whether anything on the stage has a sign that needs explaining.
    pub fn faulty(&self) -> bool {
        self.links_faulty()
            || self.nodes.iter().any(NodeView::faulty)
            || self.sites.iter().any(|site| site.partitioned)
            || self.flights.iter().any(|flight| flight.held)
    }

    /// Looks at the run. What happened last, and its branches, are told once the chunk for that is there.
    pub fn of(engine: &Engine, flights: Vec<Flight>, rate: &mut Rate, parts: &Parts) -> ViewModel {
        let session = engine.session();
        let universe = session.universe();
        let leader = universe.leader();
        let last =
            (0..universe.nodes()).filter_map(|id| universe.node(NodeId(id)).status).map(|status| status.log.last);
        let last = last.chain([universe.last_slot()]).max().unwrap_or(0);
        let branches = parts.actions.map_or_else(Vec::new, |actions| (actions.branches)(session));
        let window = window(universe.variant(), last);
        let nodes = (0..universe.nodes()).map(|id| node(universe, NodeId(id), leader, &window)).collect();
        let domains = &session.checked().blueprint.domains;
        let is_partitioned =
            |site: u8| domains.of_site(site).is_some_and(|domain| universe.partitioned().contains(&domain));
        let sites = (0..).zip(universe.samples());
        ViewModel {
            time: universe.time(),
            events: universe.events(),
            nodes,
            leader,
            sites: sites.map(|(id, samples)| site(samples, universe.time(), is_partitioned(id))).collect(),
            sentence: session.sentence(),
            flights,
            ways: ways(universe),
            kinds: universe.variant().kinds,
            by_kind: universe.counts().by_kind(),
            per_command: rate.look(universe),
            broken: !universe.violations().is_empty(),
            last: parts.actions.filter(|_| !engine.playing()).and_then(|actions| (actions.last)(session)),
            leadership_intervals: universe.leadership_intervals(),
            interventions: session.interventions().iter().map(|intervention| intervention.at).collect(),
            span: branches
                .iter()
                .map(|branch| branch.reached)
                .max()
                .unwrap_or(session.reached().at)
                .max(universe.time()),
            branches,
            faults: parts.faults,
        }
    }
}

fn ways(universe: &dyn Universe) -> Vec<WayView> {
    let all = || (0..universe.nodes()).map(NodeId);
    let between = all().flat_map(|from| all().filter(move |to| *to != from).map(move |to| (from, to)));
    let view = between.map(|(from, to)| WayView { from, to, link: universe.link(from, to) });
    view.filter(|way| way.link != Link::default()).collect()
}

/// The branches of a run, if there are several.
pub fn branches(session: &Session) -> Vec<BranchView> {
    let all = session.branches();
    if all.len() < 2 {
        return Vec::new();
    }
    let view = |branch: &&Branch| BranchView {
        number: branch.number,
        parted: branch.parted.map(|(from, moment)| (from, moment.at)),
        reached: branch.reached.at,
        present: branch.number == session.branch().number,
    };
    all.iter().map(view).collect()
}

/// The slots to show when `last` is the highest slot in use.
fn window(variant: &Variant, last: Slot) -> Vec<Slot> {
    match variant.card.shots {
        Shots::Single => vec![1],
        Shots::Log => {
            let first = last.saturating_sub(SLOTS as Slot - 1).max(1);
            (first..first + SLOTS as Slot).collect()
        }
    }
}

fn node(universe: &dyn Universe, id: NodeId, leader: Option<NodeId>, window: &[Slot]) -> NodeView {
    let view = universe.node(id);
    let crown = match view.status {
        Some(status) if status.leads && leader == Some(id) => Crown::Worn,
        Some(status) if status.leads => Crown::Stale,
        _ => Crown::None,
    };
    let slots = window.iter().map(|&slot| look(view.status.as_ref(), slot, universe.entry(id, slot))).collect();
    NodeView {
        id,
        site: usize::from(view.site),
        status: view.status,
        crown,
        cut: view.cut,
        member: view.member,
        paused: view.paused,
        disk: view.disk,
        byzantine: view.byzantine,
        twin: view.twin,
        drift: view.drift,
        slots,
    }
}

fn look(status: Option<&NodeStatus>, slot: Slot, entry: Option<EntryStatus>) -> SlotLook {
    let Some(log) = status.map(|status| status.log) else { return SlotLook::Empty };
    match entry {
        _ if slot <= log.applied => SlotLook::Applied,
        Some(entry) if entry.chosen || slot <= log.committed => SlotLook::Committed,
        Some(_) => SlotLook::Held,
        None if slot <= log.committed => SlotLook::Committed,
        None => SlotLook::Empty,
    }
}

fn site(samples: &Log<Sample>, now: Micros, partitioned: bool) -> SiteView {
    let latest = || samples.iter().rev().map(|(_, sample)| sample);
    let mut latencies: Vec<Micros> = latest().take(RECENT).map(|sample| sample.latency).collect();
    latencies.sort_unstable();
    let mut recent: Vec<(Micros, Micros)> = latest()
        .take(DRAWN)
        .take_while(|sample| sample.at + DRAWN_SINCE > now)
        .map(|sample| (sample.at, sample.latency))
        .collect();
    recent.reverse();
    SiteView {
        partitioned,
        latest: latest().next().map(|sample| sample.latency),
        median: latencies.get(latencies.len() / 2).copied(),
        recent,
    }
}
