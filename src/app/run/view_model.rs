//! View model: the run at one moment as plain data, built some times a second, from which the page is drawn.

use super::details::Details;
use super::engine::Engine;
use super::judged::Judged;
use super::last_event::LastEvent;
use super::moments::Moment;
use super::pace::Pace;
use super::rate::{PerCommand, Rate};
use quorumscope::core::card::{Card, Promises, Shots};
use quorumscope::core::node::Kind;
use quorumscope::core::{Command, EntryStatus, Epoch, Log, Micros, NodeId, NodeSet, NodeStatus, Slot, TimerKind};
use quorumscope::judge::{LeadershipInterval, Violation};
use quorumscope::lab::Session;
use quorumscope::lab::session::Branch;
use quorumscope::sim::Sample;
use quorumscope::sim::world::{DiskState, Flight};
use quorumscope::universe::{Link, Universe, Variant, narration};
use std::rc::Rc;

/// Slots shown of each log: the latest of the cluster, the same for all replicas; the first of them is the slot of a violation, if it is
/// not among them.
pub const SLOTS: usize = 8;
/// Latest answers of which the median is taken.
pub const RECENT: usize = 32;
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
    /// What came of checking, once the chunk for actions is loaded.
    pub judged: Option<Judged>,
    /// The first violation of a property.
    pub violation: Option<ViolationView>,
    /// The last event, while paused.
    pub last: Option<LastEvent>,
    /// Leadership intervals, oldest first.
    pub leadership_intervals: Vec<LeadershipInterval>,
    /// The moments that matter, in order, as far as they are known.
    pub moments: Rc<[Moment]>,
    /// The speed at this moment, and whether it is one for moments that matter.
    pub pace: (Pace, bool),
    /// Whether the run slows down around these.
    pub slows_down: bool,
    /// Times of interventions, µs.
    pub interventions: Vec<Micros>,
    /// The latest time reached in any branch, µs.
    pub span: Micros,
    /// The branches, if there are several.
    pub branches: Vec<BranchView>,
}

/// A violation of a property: what, where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViolationView {
    /// What was violated, in a sentence.
    pub text: String,
    /// The nodes it takes to see it.
    pub nodes: NodeSet,
    /// The slot, if it is about one.
    pub slot: Option<Slot>,
    /// Number of the event after which it was seen.
    pub event: u64,
    /// When, µs.
    pub at: Micros,
}

impl ViolationView {
    fn of(violation: &Violation, card: &Card) -> ViolationView {
        let Violation { nodes, slot, event, at, .. } = *violation;
        ViolationView { text: narration::violation(violation, card), nodes, slot, event, at }
    }
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
    /// Those of them to which the link is cut for replicas only.
    pub cut_replicas_only: NodeSet,
    /// While the run is paused: the timer that will make it act next, and when, µs from now.
    pub timer: Option<(&'static TimerKind, Micros)>,
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
    pub slots: Vec<SlotView>,
    /// The last slot of its log, if that is before the latest slots of the cluster.
    pub behind: Option<Slot>,
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

/// A slot of a replica's log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotView {
    /// Its number.
    pub slot: Slot,
    /// How far it has come.
    pub state: SlotState,
    /// What it holds, if the replica still holds it: in which term or ballot it was written, and the command; `None` for an entry of the
    /// protocol's own, such as a membership change.
    pub entry: Option<(Epoch, Option<Command>)>,
    /// Whether other replicas hold the same.
    pub agreement: Agreement,
}

/// Whether replicas hold the same in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// All that hold anything hold the same.
    Same,
    /// Another holds something else, as may happen before a decision.
    Differs,
    /// Another has committed something else: agreement is violated.
    Conflict,
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
    /// An aborted transaction.
    Aborted,
}

impl SlotState {
    /// Its class in the style sheet.
    pub const fn name(self) -> &'static str {
        match self {
            SlotState::Empty => "empty",
            SlotState::Held => "held",
            SlotState::Committed => "committed",
            SlotState::Applied => "applied",
            SlotState::Aborted => "aborted",
        }
    }
}

/// One site's clients at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SiteView {
    /// Whether it is partitioned from all other sites.
    pub partitioned: bool,
    /// The replicas that clients there cannot reach, or whose replies do not reach them.
    pub cut_off: NodeSet,
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

    /// Builds the view model of the present moment. The last event and the branches are described once the chunk for actions is loaded.
    pub fn of(engine: &Engine, flights: Vec<Flight>, rate: &mut Rate, details: Option<Details>) -> ViewModel {
        let session = engine.session();
        let universe = session.universe();
        let leader = universe.leader();
        let last =
            (0..universe.nodes()).filter_map(|id| universe.node(NodeId(id)).status).map(|status| status.log.last);
        let last = last.chain([universe.last_slot()]).max().unwrap_or(0);
        let branches = details.map_or_else(Vec::new, |details| (details.branches)(session));
        let violated = universe.violations().first().and_then(|violation| violation.slot);
        let (window, first) = window(universe.variant(), last, violated);
        let mut nodes: Vec<NodeView> =
            (0..universe.nodes()).map(|id| node(universe, NodeId(id), leader, &window, first)).collect();
        if has_log(universe.variant().card) && universe.variant().card.promises.has(Promises::AGREEMENT) {
            (0..window.len()).for_each(|column| mark_agreement(&mut nodes, column));
        }
        for node in nodes.iter_mut().filter(|_| !engine.playing()) {
            let next = universe.next_timer(node.id);
            node.timer = next.map(|timer| (timer.kind, timer.due.saturating_sub(universe.time())));
        }
        let domains = &session.checked().blueprint.domains;
        let is_partitioned =
            |site: u8| domains.of_site(site).is_some_and(|domain| universe.partitioned().contains(&domain));
        let sites = (0..).zip(universe.samples());
        ViewModel {
            time: universe.time(),
            events: universe.events(),
            nodes,
            sites: sites.map(|(id, samples)| site(samples, universe, id, is_partitioned(id))).collect(),
            sentence: session.sentence(),
            flights,
            disturbed_links: disturbed_links(universe),
            kinds: universe.variant().kinds,
            by_kind: universe.counts().by_kind(),
            per_command: rate.update(universe),
            judged: details.map(|details| (details.judged)(session)),
            violation: universe.violations().first().map(|first| ViolationView::of(first, universe.variant().card)),
            last: details.filter(|_| !engine.playing()).and_then(|details| (details.last_event)(session)),
            leadership_intervals: universe.leadership_intervals(),
            moments: engine.moments.clone(),
            pace: (engine.present_pace(), engine.present_pace() != engine.pace()),
            slows_down: engine.slows_down,
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

/// The slots to show when `last` is the highest slot in use, and there is a violation in `violated`; and the first of the latest ones.
fn window(variant: &Variant, last: Slot, violated: Option<Slot>) -> (Vec<Slot>, Slot) {
    match variant.card.agrees_on {
        Shots::Single => (vec![1], 1),
        _ => {
            let first = last.saturating_sub(SLOTS as Slot - 1).max(1);
            let mut slots: Vec<Slot> = (first..first + SLOTS as Slot).collect();
            if let Some(violated) = violated.filter(|violated| *violated < first) {
                slots[0] = violated;
            }
            (slots, first)
        }
    }
}

fn node(universe: &dyn Universe, id: NodeId, leader: Option<NodeId>, window: &[Slot], first: Slot) -> NodeView {
    let view = universe.node(id);
    let leadership = match view.status {
        Some(status) if status.leads && leader == Some(id) => Leadership::Leader,
        Some(status) if status.leads => Leadership::Stale,
        _ => Leadership::None,
    };
    let transactions = universe.variant().card.agrees_on == Shots::Transactions;
    let slot_view = |slot: Slot| {
        let entry = universe.entry(id, slot);
        let state = slot_state(transactions, view.status.as_ref(), slot, entry);
        let entry = entry.map(|entry| (entry.epoch, entry.command));
        SlotView { slot, state, entry, agreement: Agreement::Same }
    };
    let slots = window.iter().map(|&slot| slot_view(slot)).collect();
    NodeView {
        id,
        site: usize::from(view.site),
        status: view.status,
        leadership,
        cut: view.cut,
        cut_replicas_only: view.cut_replicas_only,
        timer: None,
        member: view.member,
        paused: view.paused,
        disk: view.disk,
        byzantine: view.byzantine,
        twin: view.twin,
        drift: view.drift,
        slots,
        behind: view.status.map(|status| status.log.last).filter(|last| *last < first && first > 1),
    }
}

/// Whether replicas of a protocol agree on a log, or on one value, so that their slots can be compared.
pub fn has_log(card: &Card) -> bool {
    matches!(card.agrees_on, Shots::Single | Shots::Log)
}

/// Compares what replicas hold in a column of slots. The Byzantine are left out: nothing is promised of them.
fn mark_agreement(nodes: &mut [NodeView], column: usize) {
    let committed = |slot: &SlotView| matches!(slot.state, SlotState::Committed | SlotState::Applied);
    let held: Vec<(usize, Option<Command>, bool)> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| !node.byzantine)
        .filter_map(|(index, node)| Some((index, node.slots[column].entry?.1, committed(&node.slots[column]))))
        .collect();
    for &(index, command, is_committed) in &held {
        let others = held.iter().filter(|(_, other, _)| *other != command);
        let agreement = others.map(|(.., other_committed)| match is_committed && *other_committed {
            true => Agreement::Conflict,
            false => Agreement::Differs,
        });
        nodes[index].slots[column].agreement = agreement.max().unwrap_or(Agreement::Same);
    }
}

fn slot_state(transactions: bool, status: Option<&NodeStatus>, slot: Slot, entry: Option<EntryStatus>) -> SlotState {
    let Some(log) = status.map(|status| status.log) else { return SlotState::Empty };
    match entry {
        Some(EntryStatus { command: None, chosen: true, .. }) if transactions => SlotState::Aborted,
        _ if slot <= log.applied => SlotState::Applied,
        Some(entry) if entry.chosen || slot <= log.committed => SlotState::Committed,
        Some(_) => SlotState::Held,
        None if slot <= log.committed => SlotState::Committed,
        None => SlotState::Empty,
    }
}

fn site(samples: &Log<Sample>, universe: &dyn Universe, id: u8, partitioned: bool) -> SiteView {
    let now = universe.time();
    let (requests, replies) = universe.client_cuts(id);
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
        cut_off: requests.or(replies),
        latest: latest().next().map(|sample| sample.latency),
        median: latencies.get(latencies.len() / 2).copied(),
        recent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::engine::Engine;
    use quorumscope::lab::{Scenario, presets};
    use quorumscope::sim::Action;

    fn view(session: Session) -> ViewModel {
        ViewModel::of(&Engine::new(session.into()), Vec::new(), &mut Rate::default(), Some(Details::ALL))
    }

    #[test]
    fn laggard_shows_its_last_slot_instead_of_empty_ones() {
        let mut session = Session::new(presets::first()).unwrap();
        session.seek_time(2_000_000);
        let last = session.universe().node(NodeId(4)).status.unwrap().log.last;
        session.act(Action::Pause { node: NodeId(4), clock_stops: false }).unwrap();
        session.seek_time(5_000_000);
        let view = view(session);
        assert!(view.nodes[0].status.unwrap().log.last > last + SLOTS as Slot);
        assert_eq!(view.nodes[4].behind, Some(last));
        assert_eq!(view.nodes[0].behind, None);
    }

    #[test]
    fn entries_carry_commands_and_terms() {
        let mut session = Session::new(presets::first()).unwrap();
        session.seek_time(3_000_000);
        let view = view(session);
        let leader = view.nodes.iter().find(|node| node.leadership == Leadership::Leader).unwrap();
        let (epoch, command) = leader.slots.last().unwrap().entry.unwrap();
        assert_eq!(epoch, leader.status.unwrap().epoch);
        assert!(command.is_some());
    }

    #[test]
    fn violation_names_nodes_slot_and_moment_and_conflicting_slots_are_marked_on_both_sides() {
        let preset = presets::preset("two-winners").unwrap();
        let scenario: Scenario = serde_json::from_str(preset.json).unwrap();
        let mut session = Session::new(scenario).unwrap();
        while session.universe().violations().is_empty() && session.step() {}
        let (event, time) = (session.universe().events(), session.universe().time());
        // The run goes on, and the violation stays told, with the moment to go back to.
        session.seek_time(2_000_000);
        let view = view(session);
        let violation = view.violation.clone().unwrap();
        assert_eq!((violation.event, violation.at, violation.slot), (event, time, Some(1)));
        assert!(violation.text.starts_with("Agreement is violated on slot 1, by nodes"), "{}", violation.text);
        assert!(!view.sentence.contains("violated"), "the narration goes on: {}", view.sentence);
        let conflicting: NodeSet = view
            .nodes
            .iter()
            .filter(|node| node.slots[0].agreement == Agreement::Conflict)
            .map(|node| node.id)
            .collect();
        assert!(violation.nodes.iter().all(|node| conflicting.has(node)), "{conflicting:?}");
        assert!(conflicting.len() >= 2);
    }
}
