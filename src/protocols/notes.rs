//! The algorithm of the reader's notes (lines 20 to 25), exactly as written there, with switches that repair it.
//!
//! The notes sum up Paxos like this: every worker has a unique number and may propose it; a worker that receives a proposal for a
//! number higher than its own promises to follow that worker and rejects all other proposals; followers of followers count;
//! the first worker with promises from a majority wins.
//!
//! It is not Paxos, and it is not safe. With three workers: 1 promises 2, and 2 has won. Then 3's proposal reaches 2, which has
//! promised nobody: 2 promises 3 and brings its follower along, and 3 has won as well. Four messages, no fault.
//!
//! Two further rules make it safe, and only both together do: a winner refuses from then on ([`WINNER_REFUSES`]), and a worker that
//! follows somebody cannot win any more ([`FOLLOWER_CANNOT_WIN`]). Then known followers are always part of a tree that never
//! loses a member, a winner stays the root of a tree with a majority in it, and two such trees do not fit. Even then one crash can
//! block it for ever: promises made to a dead worker are never given again.

use crate::core::node::{Breach, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Card, ClientId, Command, Contact, EntryStatus, Epoch, Family, Faults, LeaderModel, LogStatus, Micros,
    NodeId, NodeSet, NodeStatus, Op, Out, Outcome, Promises, Shots, Slot, Tally, TimingModel, majority,
};
use crate::facts;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notes;

crate::rules! {
    /// L20.
    NUMBERS_ARE_UNIQUE = {
        key: "numbers-are-unique",
        title: "unique number",
        source: "notes, L20",
        says: "Each worker has one fixed number of its own.",
        without: None,
    } tells {
        PROPOSES(me, asked) = "proposes its number, which is {me} and nobody else's, to {asked}";
    };
    /// L22, first half.
    PROMISE_UPWARDS = {
        key: "promise-upwards",
        title: "promise to a higher number",
        source: "notes, L22",
        says: "A worker promises to follow only a worker whose number is higher than its own.",
        without: Some("workers can follow each other in a circle"),
    } tells {
        PROMISES(proposer) = "promises to follow {proposer}, for ever: its number is higher than its own";
        REFUSES_LOWER(proposer) = "rejects {proposer}: its number is lower than its own";
    };
    /// L22, second half, and L25.
    PROMISE_ONCE = {
        key: "promise-once",
        title: "reject all other proposals",
        source: "notes, L22 and L25",
        says: "A worker promises once, for ever, and rejects everybody else.",
        without: Some("a follower counts for two workers, and both can win"),
    } tells {
        REFUSES_SECOND(proposer, follows) = "rejects {proposer}: it has promised to follow {follows}";
        PROMISES_AGAIN(proposer) = "answers {proposer} as before: it follows it already";
    };
    /// L23.
    FOLLOWERS_OF_FOLLOWERS = {
        key: "followers-of-followers",
        title: "recursive following",
        source: "notes, L23",
        says: "Who follows my follower follows me.",
        without: None,
    } tells {
        TELLS_OF_FOLLOWERS(follows, followers) = "tells {follows}, whom it follows, that {followers} are behind it: they follow that one, too";
    };
    /// L24.
    MAJORITY_WINS = {
        key: "majority-wins",
        title: "majority",
        source: "notes, L24",
        says: "A worker with more than half of all workers behind it, itself included, wins.",
        without: None,
    } tells {
        WINS(followers, workers) = "wins: {followers} are behind it, itself included, and that is more than half of {workers} workers";
        LACKS_FOLLOWERS(followers, need) = "has {followers} behind it, itself included; it takes {need} of them to win";
    };
    /// First repair; not in the notes.
    WINNER_REFUSES = {
        key: "winner-refuses",
        title: "lock",
        source: "first repair (not in the notes)",
        says: "A worker that has won promises nobody.",
        without: Some("a winner can join somebody else, who then wins too"),
    } tells {
        REFUSES_AS_WINNER(proposer) = "rejects {proposer}: it has won itself";
    };
    /// Second repair; not in the notes.
    FOLLOWER_CANNOT_WIN = {
        key: "follower-cannot-win",
        title: "root",
        source: "second repair (not in the notes)",
        says: "A worker that has promised to follow somebody cannot win any more.",
        without: Some("the same followers count for a worker and for the one it follows"),
    } tells {
        CANNOT_WIN(follows, followers) = "does not win, though {followers} are behind it: it follows {follows}";
    };
    /// What "promise" must mean once workers can restart.
    PROMISE_IS_DURABLE = {
        key: "promise-is-durable",
        title: "memory",
        source: "SRE book ch. 23, on journals; not in the notes",
        says: "A worker saves its promise, and that it won, before it tells anybody.",
        without: Some("a worker that restarts can promise twice"),
    } tells {
        SAVES_PROMISE() = "saves its promise before it tells anybody";
        SAVES_VICTORY() = "saves that it has won before it tells anybody";
    };
}

crate::settings! {
    /// First repair.
    SETTING_WINNER_REFUSES = {
        key: "winner_refuses",
        says: "Repair 1: a worker that has won promises nobody",
        kind: crate::core::SettingKind::Flag { default: false },
    };
    /// Second repair.
    SETTING_FOLLOWER_CANNOT_WIN = {
        key: "follower_cannot_win",
        says: "Repair 2: a worker that follows somebody cannot win",
        kind: crate::core::SettingKind::Flag { default: false },
    };
    /// Whether L23 is in force.
    SETTING_DIRECT_ONLY = {
        key: "direct_followers_only",
        says: "Count direct followers only, not followers of followers",
        kind: crate::core::SettingKind::Flag { default: false },
    };
    /// Who proposes.
    SETTING_PROPOSERS = {
        key: "proposers",
        says: "Who proposes: every worker by itself, or only those a client asks",
        kind: crate::core::SettingKind::Choice { options: &["all", "asked"], default: 0 },
    };
    /// How far apart first proposals are.
    SETTING_SPREAD = {
        key: "spread",
        says: "Workers propose at a random moment within this time; 0 for all at once",
        kind: crate::core::SettingKind::Duration { min: 0, max: 3_600_000_000 },
    };
    /// How soon proposals are sent again.
    SETTING_REPEAT = {
        key: "repeat",
        says: "A proposal without an answer is sent again after this time",
        kind: crate::core::SettingKind::Duration { min: 1, max: 3_600_000_000 },
    };
}

/// Settings of a worker. Times are in µs.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    workers: u8,
    winner_refuses: bool,
    follower_cannot_win: bool,
    direct_only: bool,
    proposes: bool,
    spread: Micros,
    repeat: Micros,
}

crate::messages! {
    /// What workers send each other. A worker's number is its id, so the sender is the number proposed.
    #[derive(Copy)]
    pub enum Msg {
        /// "Follow me."
        Propose = { letter: 'P', phase: Elect, says: "proposes its own number", bytes: 2 };
        /// "I follow you for ever, and so do these."
        Promise(followers: NodeSet) = { letter: 'F', phase: Vote, says: "promises to follow, for ever", bytes: 10 };
        /// "I do not follow you."
        Reject = { letter: 'R', phase: Refuse, says: "rejects the proposal", bytes: 2 };
        /// "These follow me now, and through me you."
        Followers(followers: NodeSet) = { letter: 'M', phase: Transfer, says: "tells of more followers", bytes: 10 };
    }
}

crate::timers! {
    /// A worker's timers.
    pub enum Timer {
        /// The time until the first proposal, and between two proposals.
        Propose = { name: "proposal", says: "proposes its number to all that have not answered", acts: true };
    }
}

/// Durable state: what a worker keeps when it restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Durable {
    follows: Option<NodeId>,
    won: bool,
}

/// One worker.
#[derive(Clone, Debug)]
pub struct Worker {
    me: NodeId,
    config: Config,
    durable: Durable,
    /// Those known to follow it, through others too; itself not included.
    followers: NodeSet,
    /// Those that answered its proposal.
    answered: NodeSet,
    /// Whether it has proposed its number.
    proposing: bool,
    /// Clients that wait for the winner's name.
    clients: Vec<(ClientId, u32)>,
}

impl PartialEq for Worker {
    fn eq(&self, other: &Worker) -> bool {
        self.identity() == other.identity()
    }
}
impl Eq for Worker {}
impl std::hash::Hash for Worker {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl Worker {
    /// All that tells two states apart; the configuration never changes.
    fn identity(&self) -> (NodeId, Durable, NodeSet, NodeSet, bool, &[(ClientId, u32)]) {
        (self.me, self.durable, self.followers, self.answered, self.proposing, &self.clients)
    }

    /// The tree of which this worker is the root, as far as it knows: itself and its followers.
    pub fn tree(&self) -> NodeSet {
        self.followers.with(self.me)
    }

    fn propose(&mut self, out: &mut Out<Worker>) {
        self.proposing = true;
        let others = NodeSet::first(self.config.workers).without(self.me).minus(self.answered);
        if !others.is_empty() {
            out.because(PROPOSES, facts![u32::from(self.me.0) + 1, others]);
            out.broadcast(others, Msg::Propose);
            out.set_timer(Timer::Propose, self.config.repeat, self.config.repeat);
        }
    }

    /// Whether to promise `proposer`, whom this worker does not follow yet.
    fn willing(&self, proposer: NodeId, out: &mut Out<Worker>) -> bool {
        if proposer < self.me && out.rule(REFUSES_LOWER, facts![proposer]) {
            return false;
        }
        if self.durable.follows.is_some() && out.rule(REFUSES_SECOND, facts![proposer, self.durable.follows]) {
            return false;
        }
        !(self.durable.won && self.config.winner_refuses && out.rule(REFUSES_AS_WINNER, facts![proposer]))
    }

    fn on_propose(&mut self, proposer: NodeId, out: &mut Out<Worker>) {
        // A proposal that comes again gets the same answer: the first promise may have been lost.
        let again = self.durable.follows == Some(proposer);
        if !again && !self.willing(proposer, out) {
            return out.send(proposer, Msg::Reject);
        }
        if again {
            out.tell(PROMISES_AGAIN, facts![proposer]);
        } else {
            out.because(PROMISES, facts![proposer]);
            self.durable.follows = Some(proposer);
            if out.rule(SAVES_PROMISE, facts![]) {
                out.save();
            }
        }
        let tree = if self.config.direct_only { NodeSet::just(self.me) } else { self.tree() };
        out.send(proposer, Msg::Promise(tree));
        self.answer_clients(out);
    }

    /// Adds followers, reports them to the worker it follows itself (L23), and counts (L24).
    fn add_followers(&mut self, new: NodeSet, out: &mut Out<Worker>) {
        let all = self.followers.or(new).without(self.me);
        if all == self.followers {
            return;
        }
        self.followers = all;
        if let Some(followed) = self.durable.follows
            && !self.config.direct_only
        {
            out.because(TELLS_OF_FOLLOWERS, facts![followed, self.tree()]);
            out.send(followed, Msg::Followers(self.tree()));
        }
        self.count(out);
    }

    fn count(&mut self, out: &mut Out<Worker>) {
        let need = majority(self.config.workers);
        if self.durable.won || self.tree().len() < need {
            if !self.durable.won {
                out.tell(LACKS_FOLLOWERS, facts![self.tree(), need]);
            }
            return;
        }
        if self.durable.follows.is_some()
            && self.config.follower_cannot_win
            && out.rule(CANNOT_WIN, facts![self.durable.follows, self.tree()])
        {
            return;
        }
        out.because(WINS, facts![self.tree(), self.config.workers]);
        self.durable.won = true;
        if out.rule(SAVES_VICTORY, facts![]) {
            out.save();
        }
        out.applied(1, Command::elect(self.me));
        self.answer_clients(out);
    }

    /// Answers waiting clients: a winner with its name, a follower with a redirect to the worker it follows.
    fn answer_clients(&mut self, out: &mut Out<Worker>) {
        let answer = match self.durable {
            Durable { won: true, .. } => Answer::Done(Outcome::Chosen(Op::Elect(self.me))),
            Durable { follows: Some(leader), .. } => Answer::Redirect(Some(leader)),
            _ => return,
        };
        for (client, seq) in self.clients.drain(..) {
            out.reply(client, seq, answer);
        }
    }
}

impl Node for Worker {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Durable;

    fn boot(me: NodeId, config: &Config, disk: Durable, out: &mut Out<Worker>) -> Worker {
        if config.proposes {
            out.set_timer(Timer::Propose, 0, config.spread);
        }
        if disk.won {
            out.applied(1, Command::elect(me));
        }
        Worker {
            me,
            config: *config,
            durable: disk,
            followers: NodeSet::EMPTY,
            answered: NodeSet::EMPTY,
            proposing: false,
            clients: Vec::new(),
        }
    }

    fn on_message(&mut self, from: NodeId, message: &Msg, out: &mut Out<Worker>) {
        match *message {
            Msg::Propose => self.on_propose(from, out),
            Msg::Promise(followers) => {
                self.answered.add(from);
                self.add_followers(followers, out);
            }
            Msg::Reject => {
                self.answered.add(from);
            }
            Msg::Followers(followers) => self.add_followers(followers, out),
        }
    }

    fn on_timer(&mut self, Timer::Propose: Timer, out: &mut Out<Worker>) {
        self.propose(out);
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Worker>) {
        let asked = (command.client, command.seq);
        if !self.clients.contains(&asked) {
            self.clients.push(asked);
        }
        self.answer_clients(out);
        if !self.clients.is_empty() && !self.proposing {
            self.propose(out);
        }
    }

    fn disk(&self) -> &Durable {
        &self.durable
    }

    fn status(&self) -> NodeStatus {
        let won = Slot::from(self.durable.won);
        NodeStatus {
            role: match self.durable {
                Durable { won: true, .. } => "winner",
                Durable { follows: Some(_), .. } => "follower",
                _ if self.proposing => "proposer",
                _ => "worker",
            },
            leads: self.durable.won,
            epoch: Epoch { number: u32::from(self.me.0) + 1, owner: None },
            leader: self.durable.follows,
            tally: (self.proposing && !self.durable.won).then_some(Tally {
                of: "followers",
                slot: 0,
                from: self.tree(),
                need: majority(self.config.workers),
            }),
            blocked: None,
            log: LogStatus { first: 1, last: won, committed: won, applied: won },
            members: NodeSet::first(self.config.workers),
        }
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        (slot == 1 && self.durable.won).then_some(EntryStatus {
            epoch: Epoch { number: u32::from(self.me.0) + 1, owner: None },
            command: Some(Command::elect(self.me)),
            chosen: true,
        })
    }
}

impl Protocol for Notes {
    const CARD: Card = Card {
        key: "notes",
        title: "The notes' algorithm",
        says: "Follow the worker with the higher number; the first with a majority behind it wins. It looks like Paxos and is not safe.",
        paper: "A reader's notes on chapter 23 of Site Reliability Engineering (O'Reilly, 2016)",
        epoch: "number",
        family: Family::Leaderless,
        optimises: "nothing: it is here to be broken",
        min_replicas: 1,
        faults: Faults::CrashStop,
        timing: TimingModel::Asynchronous,
        agrees_on: Shots::Single,
        leader: LeaderModel::None,
        contact: Contact::Leader,
        promises: Promises::CONSENSUS,
        transfer: false,
        membership: false,
        formulas: &[],
    };
    const RULES: &'static [crate::core::Rule] = RULES;
    const SENTENCES: &'static [crate::core::Sentence] = SENTENCES;
    const SETTINGS: &'static [crate::core::Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Worker;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        let settings = &setup.settings;
        let config = Config {
            workers: setup.replicas,
            winner_refuses: settings.flag(SETTING_WINNER_REFUSES),
            follower_cannot_win: settings.flag(SETTING_FOLLOWER_CANNOT_WIN),
            direct_only: settings.flag(SETTING_DIRECT_ONLY),
            proposes: settings.choice(SETTING_PROPOSERS) == 0,
            spread: settings.duration(SETTING_SPREAD, setup.rtt_max),
            repeat: settings.duration(SETTING_REPEAT, 4 * setup.rtt_max),
        };
        Ok(vec![config; usize::from(setup.replicas)])
    }

    /// Never: a promise made to a worker that cannot win any more is not given again, so no worker may ever win.
    fn live(_setup: &Setup, _healthy: u8) -> bool {
        false
    }

    fn invariants() -> &'static [Invariant<Worker>] {
        &[Invariant {
            name: "Known followers follow",
            says: "A worker counts as followers only workers that have made a promise.",
            holds: followers_follow,
        }]
    }
}

fn followers_follow(nodes: &[Option<Worker>], step: Step) -> Result<(), Breach> {
    let Some(Some(worker)) = nodes.get(usize::from(step.changed.0)) else { return Ok(()) };
    for follower in worker.followers.iter() {
        if let Some(Some(other)) = nodes.get(usize::from(follower.0))
            && other.durable.follows.is_none()
        {
            return Err(Breach { other: Some(follower), slot: None });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{RuleSet, Settings};

    fn workers(n: u8, repaired: bool) -> (Vec<Worker>, Out<Worker>) {
        let mut settings = Settings::defaults(SETTINGS);
        settings.set(SETTING_WINNER_REFUSES, u64::from(repaired));
        settings.set(SETTING_FOLLOWER_CANNOT_WIN, u64::from(repaired));
        let configs = Notes::cluster(&Setup { replicas: n, rtt_max: 100, settings, ablated: RuleSet::EMPTY })
            .expect("settings are fine");
        let mut out = Out::new(RuleSet::EMPTY);
        let boot = |(id, config)| Worker::boot(NodeId(id), config, Durable::default(), &mut out);
        ((0..).zip(&configs).map(boot).collect(), out)
    }

    /// The four message events of the module's introduction.
    fn four_events(repaired: bool) -> (bool, bool) {
        let (mut workers, mut out) = workers(3, repaired);
        let two = NodeId(1);
        workers[0].on_message(two, &Msg::Propose, &mut out);
        workers[1].on_message(NodeId(0), &Msg::Promise(NodeSet::just(NodeId(0))), &mut out);
        workers[1].on_message(NodeId(2), &Msg::Propose, &mut out);
        if workers[1].durable.follows == Some(NodeId(2)) {
            let tree = workers[1].tree();
            workers[2].on_message(two, &Msg::Promise(tree), &mut out);
        }
        (workers[1].durable.won, workers[2].durable.won)
    }

    #[test]
    fn notes_as_written_have_two_winners_after_four_messages() {
        assert_eq!(four_events(false), (true, true));
    }

    #[test]
    fn notes_repaired_have_one_winner_after_the_same_messages() {
        assert_eq!(four_events(true), (true, false));
    }

    #[test]
    fn entry_is_shown_by_who_has_won_and_in_slot_1_only() {
        let (mut workers, _) = workers(3, true);
        assert_eq!(workers[0].entry(1), None);
        workers[0].durable.won = true;
        assert!(workers[0].entry(1).is_some_and(|entry| entry.command == Some(Command::elect(NodeId(0)))));
        assert_eq!(workers[0].entry(2), None);
    }

    #[test]
    fn repeated_proposal_gets_the_same_promise_again() {
        let (mut workers, mut out) = workers(3, true);
        for _ in 0..2 {
            workers[0].on_message(NodeId(1), &Msg::Propose, &mut out);
            let effects = out.drain();
            let promise = crate::core::Effect::Send(NodeId(1), Msg::Promise(NodeSet::just(NodeId(0))));
            assert!(effects.contains(&promise), "{effects:?}");
        }
    }
}
