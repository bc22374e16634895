//! View model: the run at one moment as plain data, built some times a second, from which the page is drawn.

use super::engine::Engine;
use super::last_event::{self, LastEvent};
use super::rate::{PerCommand, Rate};
use quorumscope::core::node::Kind;
use quorumscope::core::{EntryStatus, Log, Micros, NodeId, NodeSet, NodeStatus, Slot, card::Shots};
use quorumscope::judge::LeadershipInterval;
use quorumscope::lab::Session;
use quorumscope::lab::session::Branch;
use quorumscope::sim::Sample;
use quorumscope::sim::world::{DiskState, Flight};
use quorumscope::universe::{Link, Universe, Variant};

/// Slots shown of each log: the latest of the cluster, the same for all replicas.
pub const SLOTS: usize = 8;
/// Latest answers of which the median is taken.
const RECENT: usize = 32;
/// Most answers drawn for each site.
const DRAWN: usize = 240;
/// Time span of the answers drawn, µs.
pub const DRAWN_SINCE: Micros = 15_000_000;

/// The run at one moment.
#[derive(Clone, Debug)]
pub struct ViewModel {
    /// µs since the start.
    pub time: Micros,
    /// Events since the start.
    pub events: u64,
    /// All replicas, crashed and removed ones included.
    pub nodes: Vec<NodeView>,
    /// The leader, if there is one.
    pub leader: Option<NodeId>,
    /// The sites.
    pub sites: Vec<SiteView>,
    /// The narration: the present state in a sentence.
    pub sentence: String,
    /// Messages held back; all messages in flight while a menu is open.
    pub flights: Vec<Flight>,
    /// Links whose messages are delayed, lost, duplicated, reordered or queued.
    pub disturbed_links: Vec<LinkView>,
    /// Kinds of messages.
    pub kinds: &'static [Kind],
    /// Messages so far, by kind.
    pub by_kind: Vec<u64>,
    /// Messages per command, over the latest commands.
    pub per_command: Option<PerCommand>,
    /// Whether a property is violated.
    pub broken: bool,
    /// The last event, while paused.
    pub last: Option<LastEvent>,
    /// Leadership intervals, oldest first.
    pub leadership_intervals: Vec<LeadershipInterval>,
    /// Times of interventions, µs.
    pub interventions: Vec<Micros>,
    /// The latest time reached in any branch, µs.
    pub span: Micros,
    /// The branches, if there are several.
    pub branches: Vec<BranchView>,
}

/// A disturbed link from one replica to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkView {
    /// Sender.
    pub from: NodeId,
    /// Receiver.
    pub to: NodeId,
    /// Its condition.
    pub link: Link,
}

/// One branch of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchView {
    /// Number, counted from 0.
    pub number: usize,
    /// The branch it parted from, and when, µs.
    pub parted: Option<(usize, Micros)>,
    /// The latest time reached, µs.
    pub reached: Micros,
    /// Whether it is on screen.
    pub present: bool,
}

/// One replica at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeView {
    /// Its id.
    pub id: NodeId,
    /// Index of its site.
    pub site: usize,
    /// Its status; `None` while it is down.
    pub status: Option<NodeStatus>,
    /// Whether it leads.
    pub leadership: Leadership,
    /// Replicas that its messages cannot reach, by a cut.
    pub cut: NodeSet,
    /// Whether it is a member of the cluster.
    pub member: bool,
    /// Number of messages waiting for it, while it is paused.
    pub paused: Option<usize>,
    /// Disk faults.
    pub disk: DiskState,
    /// Whether it has been Byzantine.
    pub byzantine: bool,
    /// Whether it runs as two twins.
    pub twin: bool,
    /// Drift of its clock, in millionths: too fast above 0, too slow below.
    pub drift: i32,
    /// The slots shown of its log.
    pub slots: Vec<SlotState>,
}

/// Leadership of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// It does not lead.
    None,
    /// It leads.
    Leader,
    /// It believes it leads, but another leads with a higher term or ballot.
    Stale,
}

/// State of a slot of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// Empty.
    Empty,
    /// Held, not known to be chosen.
    Held,
    /// Known to be chosen.
    Committed,
    /// Executed.
    Applied,
}

impl SlotState {
    /// Its class in the style sheet.
    pub const fn name(self) -> &'static str {
        match self {
            SlotState::Empty => "empty",
            SlotState::Held => "held",
            SlotState::Committed => "committed",
            SlotState::Applied => "applied",
        }
    }
}

/// One site's clients at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SiteView {
    /// Whether it is partitioned from all other sites.
    pub partitioned: bool,
    /// The latest latency, µs.
    pub latest: Option<Micros>,
    /// The median of the latest answers, µs.
    pub median: Option<Micros>,
    /// Time and latency of the latest answers, µs; oldest first.
    pub recent: Vec<(Micros, Micros)>,
}

/// View models are equal only if they are the same: comparing them would cost more than drawing.
impl PartialEq for ViewModel {
    fn eq(&self, other: &ViewModel) -> bool {
        std::ptr::eq(self, other)
    }
}

impl NodeView {
    /// Whether it has a fault condition, besides being down.
    pub fn faulty(&self) -> bool {
        self.paused.is_some() || self.byzantine || self.drift != 0 || self.disk != DiskState::default()
    }
}

impl ViewModel {
    /// Whether any link is cut or disturbed.
    pub fn links_faulty(&self) -> bool {
        !self.disturbed_links.is_empty() || self.nodes.iter().any(|node| !node.cut.is_empty())
    }

    /// Whether the stage shows any fault condition.
    pub fn faulty(&self) -> bool {
        self.links_faulty()
            || self.nodes.iter().any(NodeView::faulty)
            || self.sites.iter().any(|site| site.partitioned)
            || self.flights.iter().any(|flight| flight.held)
    }

    /// Builds the view model of the present moment. `complete`: the deferred chunk is loaded, which describing events takes.
    pub fn of(engine: &Engine, flights: Vec<Flight>, rate: &mut Rate, complete: bool) -> ViewModel {
        let session = engine.session();
        let universe = session.universe();
        let leader = universe.leader();
        let last =
            (0..universe.nodes()).filter_map(|id| universe.node(NodeId(id)).status).map(|status| status.log.last);
        let last = last.chain([universe.last_slot()]).max().unwrap_or(0);
        let branches = if complete { branches(session) } else { Vec::new() };
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
            disturbed_links: disturbed_links(universe),
            kinds: universe.variant().kinds,
            by_kind: universe.counts().by_kind(),
            per_command: rate.update(universe),
            broken: !universe.violations().is_empty(),
            last: if complete && !engine.playing() { last_event::last(session) } else { None },
            leadership_intervals: universe.leadership_intervals(),
            interventions: session.interventions().iter().map(|intervention| intervention.at).collect(),
            span: branches
                .iter()
                .map(|branch| branch.reached)
                .max()
                .unwrap_or(session.reached().at)
                .max(universe.time()),
            branches,
        }
    }
}

fn disturbed_links(universe: &dyn Universe) -> Vec<LinkView> {
    let all = || (0..universe.nodes()).map(NodeId);
    let between = all().flat_map(|from| all().filter(move |to| *to != from).map(move |to| (from, to)));
    let links = between.map(|(from, to)| LinkView { from, to, link: universe.link(from, to) });
    links.filter(|link| link.link != Link::default()).collect()
}

fn branches(session: &Session) -> Vec<BranchView> {
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
    let leadership = match view.status {
        Some(status) if status.leads && leader == Some(id) => Leadership::Leader,
        Some(status) if status.leads => Leadership::Stale,
        _ => Leadership::None,
    };
    let slots = window.iter().map(|&slot| slot_state(view.status.as_ref(), slot, universe.entry(id, slot))).collect();
    NodeView {
        id,
        site: usize::from(view.site),
        status: view.status,
        leadership,
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

fn slot_state(status: Option<&NodeStatus>, slot: Slot, entry: Option<EntryStatus>) -> SlotState {
    let Some(log) = status.map(|status| status.log) else { return SlotState::Empty };
    match entry {
        _ if slot <= log.applied => SlotState::Applied,
        Some(entry) if entry.chosen || slot <= log.committed => SlotState::Committed,
        Some(_) => SlotState::Held,
        None if slot <= log.committed => SlotState::Committed,
        None => SlotState::Empty,
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
