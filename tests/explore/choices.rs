//! What a state and an event leave open: how coins fall, and whether a node crashes in the middle of sending. A protocol of a dozen lines shows both.

use super::{explore, request, safe};
use quorumscope::core::node::{Kind, Phase, Step};
use quorumscope::core::{
    Breach, Card, ClientId, Command, Contact, EntryStatus, Family, Faults, Invariant, KindId, LeaderModel, Message,
    Node, NodeId, NodeSet, NodeStatus, Op, Out, Promises, Protocol, Rule, RuleSet, Sentence, Setting, SettingError,
    Settings, Setup, Shots, Slot, TimingModel,
};
use quorumscope::judge::explore::{Bounds, Explorer, Query, SafetyHistory, Times, Verdict};

/// When the announcer saves that it has announced: before it sends, or after.
const SAVES_FIRST: u8 = 0;
const SAVES_LAST: u8 = 1;
/// It announces how many of up to so many coins show heads before the first tails.
const FOUR_COINS: u8 = 2;
const MANY_COINS: u8 = 3;
/// It draws two coins when it boots.
const BOOT_COINS: u8 = 4;
/// It saves last, and promises nothing.
const NO_PROMISE: u8 = 5;

/// Node 1 announces a value to all others once: how often it has booted. Whoever hears of a value takes it for chosen.
#[derive(Clone, Copy, Debug, Default)]
struct Announcement<const MODE: u8>;

quorumscope::timers! {
    /// The announcer's timer.
    enum Announce {
        /// It is time.
        Now = { name: "announce", says: "announces its value", acts: true };
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Value(u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Announcer<const MODE: u8> {
    me: NodeId,
    replicas: u8,
    coins: u32,
    heard: Option<u32>,
    disk: Disk,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Disk {
    boots: u32,
    announced: bool,
}

impl<const MODE: u8> Node for Announcer<MODE> {
    type Config = u8;
    type Msg = Value;
    type Timer = Announce;
    type Disk = Disk;

    fn boot(me: NodeId, &replicas: &u8, mut disk: Disk, out: &mut Out<Self>) -> Self {
        disk.boots += 1;
        out.save();
        if me == NodeId(0) && !disk.announced {
            out.set_timer(Announce::Now, 1, 1);
        }
        let draws = MODE == BOOT_COINS && me == NodeId(0);
        let coins = if draws { u32::from(out.coin()) + 2 * u32::from(out.coin()) } else { 0 };
        Announcer { me, replicas, coins, heard: None, disk }
    }

    fn on_message(&mut self, _: NodeId, message: &Value, out: &mut Out<Self>) {
        self.heard = Some(message.0);
        let op = Op::Write { key: 0, value: message.0 };
        out.chosen(1, Command { client: ClientId(0), seq: 1, op });
    }

    fn on_timer(&mut self, _: Announce, out: &mut Out<Self>) {
        self.disk.announced = true;
        if MODE == SAVES_FIRST {
            out.save();
        }
        let most = match MODE {
            FOUR_COINS => 4,
            MANY_COINS => 20,
            _ => 0,
        };
        while self.coins < most && out.coin() {
            self.coins += 1;
        }
        out.broadcast(NodeSet::first(self.replicas).without(self.me), Value(self.disk.boots));
        if MODE != SAVES_FIRST {
            out.save();
        }
    }

    fn on_request(&mut self, _: Command, _: &mut Out<Self>) {}

    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn status(&self) -> NodeStatus {
        NodeStatus::default()
    }

    fn entry(&self, _: Slot) -> Option<EntryStatus> {
        None
    }
}

impl Message for Value {
    const KINDS: &'static [Kind] =
        &[Kind { name: "Value", alias: "", letter: 'V', phase: Phase::Commit, says: "announces" }];

    fn kind(&self) -> KindId {
        KindId(0)
    }

    fn bytes(&self) -> u32 {
        4
    }
}

impl<const MODE: u8> Protocol for Announcement<MODE> {
    const CARD: Card = Card {
        key: "announcement",
        title: "Announcement",
        says: "One node announces a value.",
        paper: "none",
        family: Family::Foil,
        epoch: "none",
        optimises: "nothing",
        min_replicas: 1,
        faults: Faults::CrashRecover,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Single,
        leader: LeaderModel::None,
        contact: Contact::Nearest,
        promises: if MODE == NO_PROMISE { Promises::NOTHING } else { Promises::AGREEMENT },
        transfer: false,
        membership: false,
        formulas: &[],
    };
    const RULES: &'static [Rule] = &[];
    const SENTENCES: &'static [Sentence] = &[];
    const SETTINGS: &'static [Setting] = &[];
    const SETTING_TEXTS: &'static [&'static str] = &[];
    type Node = Announcer<MODE>;

    fn cluster(setup: &Setup) -> Result<Vec<u8>, SettingError> {
        Ok(vec![setup.replicas; usize::from(setup.replicas)])
    }

    fn invariants() -> &'static [Invariant<Announcer<MODE>>] {
        &[Invariant {
            name: "Never two heads",
            says: "The coins do not show heads exactly twice.",
            holds: |nodes, _: Step| match nodes.iter().flatten().any(|node| node.coins == 2) {
                true => Err(Breach::default()),
                false => Ok(()),
            },
        }]
    }
}

fn explored<const MODE: u8>(replicas: u8, property: impl Into<Option<&'static str>>, bounds: Bounds) -> Explorer {
    let setup = Setup { replicas, rtt_max: 1, settings: Settings::default(), ablated: RuleSet::EMPTY };
    let query = Query { setup, bounds, property: property.into().map(str::to_owned), via: Vec::new() };
    let mut explorer = Explorer::new::<Announcement<MODE>, SafetyHistory>(&query).expect("it has no settings");
    explorer.advance(u32::MAX);
    explorer
}

/// One timer, one crash, any number of restarts, and so many crashes in the middle of sending.
fn crashing(partial: u8) -> Bounds {
    let (crashes, partial) = (Times::Most(1), Times::Most(partial));
    Bounds { timers: Times::Any, crashes, partial, restarts: Times::Any, ..Bounds::default() }
}

#[test]
fn partial_crash_before_a_late_save_sends_two_values() {
    let mut explorer = explored::<SAVES_LAST>(3, "Agreement", crashing(1));
    let Some(Verdict::Violated(violation)) = explorer.verdict().copied() else { panic!("{:?}", explorer.verdict()) };
    // Node 2 hears both.
    assert_eq!((violation.property, violation.nodes), ("Agreement", NodeSet::just(NodeId(1))));
    let trace = explorer.trace();
    assert_eq!(trace.len(), 5, "{trace:#?}");
    let crash = trace.iter().find(|step| !step.crashed_sending.is_empty()).expect("it crashes while it sends");
    assert_eq!((crash.node, crash.crashed_sending.as_slice()), (NodeId(0), &[NodeId(1)][..]));
    // What it asked for after that did not take place, so it is not told.
    assert_eq!(crash.effects.len(), 1, "{:?}", crash.effects);
    assert_eq!((crash.before.is_some(), crash.after.is_some()), (true, false));
}

#[test]
fn partial_crash_after_an_early_save_is_safe() {
    for partial in [0, 1] {
        assert_eq!(explored::<SAVES_FIRST>(3, "Agreement", crashing(partial)).verdict(), Some(&Verdict::Safe));
    }
    // A whole handler is one event, so without partial crashes the late save shows nowhere; that is told.
    let explorer = explored::<SAVES_LAST>(3, "Agreement", crashing(0));
    assert_eq!(explorer.verdict(), Some(&Verdict::Safe));
    assert!(explorer.cuts().names().any(|cut| cut == "partial"));
}

#[test]
fn partial_crashes_stop_after_each_message_but_the_last() {
    // The start; the announcement; a crash of each node; and the announcement with a crash after 1, …, n−2 messages.
    let states = |replicas, partial| {
        let bounds = Bounds { depth: 1, ..crashing(partial) };
        explored::<SAVES_FIRST>(replicas, "Agreement", bounds).states()
    };
    assert_eq!([2, 3, 4, 5].map(|replicas| states(replicas, 0)), [4, 5, 6, 7]);
    assert_eq!([2, 3, 4, 5].map(|replicas| states(replicas, 1)), [4, 6, 8, 10]);
}

#[test]
fn partial_crash_is_one_of_the_crashes() {
    let explorer = explored::<SAVES_FIRST>(4, "Agreement", Bounds { restarts: Times::Most(0), ..crashing(3) });
    let down = |state| explorer.nodes::<Announcer<SAVES_FIRST>>(state).iter().filter(|node| node.is_none()).count();
    assert_eq!((0..explorer.states()).map(down).max(), Some(1));
    let refused = quorumscope::lab::explore::ExploreRequest {
        variant: "raft".to_owned(),
        replicas: 3,
        bounds: vec!["partial=1".to_owned()],
        ..Default::default()
    };
    let problems = refused.check().expect_err("there are no crashes").to_string();
    assert!(problems.contains("crashes=1 or more would do"), "{problems}");
}

#[test]
fn partial_crashes_leave_real_protocols_safe() {
    let raft = "raft 3 pre_vote=false check_quorum=false / timers=1 requests=0 crashes=1 restarts=1 lost=Heartbeat";
    let (without, _) = safe(raft);
    assert!(safe(&format!("{raft} partial=1")).0 > without);
    safe("synod 3 / timers=0 crashes=1 partial=1 lost=Nack+Chosen");
}

#[test]
fn partial_crash_of_a_proposer_makes_a_shorter_trace() {
    let notes = "notes 3 -promise-is-durable winner_refuses=true follower_cannot_win=true property=Agreement";
    let bounds = "requests=0 timers=any lost=Reject crashes=1 restarts=1";
    let whole = explore(&format!("{notes} / {bounds}"));
    let partial = explore(&format!("{notes} / {bounds} partial=1"));
    // Proposing and crashing is one event instead of two.
    assert_eq!((whole.depth, partial.depth), (8, 7));
    let told = |event: &str| event.ends_with("; 2 crashes after sending to 1");
    assert!(partial.trace.iter().any(|step| told(&step.event)), "{:#?}", partial.trace);
    assert_eq!(request("raft 3 / crashes=1 partial=1").query.bounds.partial, Times::Most(1));
}

#[test]
fn coins_branch_as_often_as_they_are_drawn() {
    let bounds = Bounds { timers: Times::Any, ..Bounds::default() };
    let values = |explorer: &Explorer, node: fn(&Explorer, u32) -> Option<u32>| {
        let mut all: Vec<u32> = (0..explorer.states()).filter_map(|state| node(explorer, state)).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let depth = Bounds { depth: 1, ..bounds.clone() };
    let explorer = explored::<FOUR_COINS>(3, "Agreement", depth.clone());
    // The start, and tails after 0, 1, 2 and 3 heads, and four heads.
    assert_eq!((explorer.states(), explorer.verdict()), (6, Some(&Verdict::Safe)));
    let coins =
        |explorer: &Explorer, state| explorer.nodes::<Announcer<FOUR_COINS>>(state)[0].map(|announcer| announcer.coins);
    assert_eq!(values(&explorer, coins), [0, 1, 2, 3, 4]);
    assert!(!explorer.cuts().names().any(|cut| cut == "coins"));
    // Each of them with all its deliveries.
    assert_eq!(explored::<FOUR_COINS>(3, "Agreement", bounds.clone()).states(), 1 + 5 * 4);
    // No more than eight coins an event are explored; that is told.
    let explorer = explored::<MANY_COINS>(3, "Agreement", depth);
    assert_eq!(explorer.states(), 1 + 9);
    assert!(explorer.cuts().names().any(|cut| cut == "coins"));
    // Two coins at boot: four states to begin with.
    let explorer = explored::<BOOT_COINS>(1, "Agreement", Bounds { timers: Times::Most(0), ..bounds });
    let coins =
        |explorer: &Explorer, state| explorer.nodes::<Announcer<BOOT_COINS>>(state)[0].map(|announcer| announcer.coins);
    assert_eq!(values(&explorer, coins), [0, 1, 2, 3]);
}

#[test]
fn property_that_is_not_promised_is_looked_for_only_by_name() {
    assert_eq!(explored::<NO_PROMISE>(3, None, crashing(1)).verdict(), Some(&Verdict::Safe));
    for explorer in [explored::<NO_PROMISE>(3, "Agreement", crashing(1)), explored::<SAVES_LAST>(3, None, crashing(1))]
    {
        assert!(matches!(explorer.verdict(), Some(Verdict::Violated(violation)) if violation.property == "Agreement"));
    }
}

#[test]
fn coins_are_told_in_a_trace() {
    let bounds = Bounds { timers: Times::Any, ..Bounds::default() };
    let mut explorer = explored::<FOUR_COINS>(3, "Never two heads", bounds);
    assert!(matches!(explorer.verdict(), Some(Verdict::Violated(_))));
    let trace = explorer.trace();
    assert_eq!(trace.len(), 1);
    assert_eq!(trace[0].coins, [true, true, false]);
    assert_eq!(trace[0].effects.len(), 2);
}
