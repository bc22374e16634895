//! A pair of file servers with heartbeats and STONITH ("shoot the other node in the head"): the first case study of the SRE book's chapter 23.
//!
//! Each of two servers sends the other heartbeats. One is the primary and mirrors every write to the other. A server that hears nothing for the
//! timeout orders the other to be turned off and takes over as primary. A timeout cannot tell a server that is down from one that is slow or
//! cut off, so where the network fails both shoot, and orders cross on their way. If each of them arrives with chance p, both servers are down with
//! chance p², both are primaries with (1−p)², and one survives with 2p(1−p): for p = 0.9 that is 81 %, 1 % and 18 %.
//!
//! Exact where both time out at the same moment: both have the same fixed timeout and heard each other for the last time together, as they do
//! when both started together and delays are the same both ways.

use crate::core::node::{Breach, Invariant, Node, Protocol, SettingError, Setup, Step};
use crate::core::{
    Answer, Card, ClientId, Command, Contact, EntryStatus, Epoch, Family, Faults, Formula, LeaderModel, Log, LogStatus,
    Micros, NodeId, NodeSet, NodeStatus, Out, Outcome, Promises, SettingKind, Shots, Slot, Tally, TimingModel,
};
use crate::facts;
use crate::services::Machine;

/// The variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct StonithPair;

crate::rules! {
    /// What a server goes by.
    HEARTBEAT_TIMEOUT = {
        key: "heartbeat-timeout",
        title: "heartbeats",
        source: "SRE book ch. 23, case study 1",
        says: "A server that hears nothing of its partner for the timeout takes it for dead. It cannot know: the partner may be slow, or cut off.",
        without: None,
    } tells {
        TAKES_OVER(partner, timeout) = "takes over as primary: it has heard of no primary for {timeout}, and takes {partner} for dead";
        GOES_ON_ALONE(partner, timeout) = "goes on as the only primary: it has heard nothing of {partner} for {timeout}, and takes it for dead";
    };
    /// STONITH.
    SHOOT_FIRST = {
        key: "shoot-before-takeover",
        title: "STONITH",
        source: "SRE book ch. 23, case study 1",
        says: "A server orders its partner to be turned off before it takes over.",
        without: Some("two servers are primaries, and nobody even tried to prevent it"),
    } tells {
        SHOOTS(partner) = "orders {partner} to be turned off before it serves anybody";
    };
    /// What STONITH asks of who comes back.
    RETURN_AS_SECONDARY = {
        key: "return-as-secondary",
        title: "secondary after a restart",
        source: "implied in SRE book ch. 23, case study 1",
        says: "A server that was turned off comes back as secondary, and waits for a primary to be heard.",
        without: Some("a server that was shot comes back as a second primary, without a shot"),
    } tells {
        RETURNS_AS_SECONDARY() = "comes back as secondary and waits for a primary to be heard: its disk says that it was up before";
    };
    /// Mirroring.
    MIRROR = {
        key: "mirror-before-answer",
        title: "mirrored writes",
        source: "synchronous mirroring, as in DRBD's protocol C; the book says only that the servers are a pair",
        says: "While its partner keeps up, a primary answers a write only once the partner has it too.",
        without: None,
    } tells {
        TAKES_WRITE(slot) = "takes write {slot} over from the primary";
        WAITS_FOR_COPY(command, slot, partner) = "keeps {command} as write {slot}, and answers once {partner} has it too";
    };
}

crate::settings! {
    /// Time between heartbeats.
    SETTING_HEARTBEAT = {
        key: "heartbeat",
        says: "Time between two heartbeats; two of the longest round trips if left out",
        kind: SettingKind::Duration { min: 1, max: 3_600_000_000 },
    };
    /// The timeout.
    SETTING_TIMEOUT = {
        key: "timeout",
        says: "Silence after which a server shoots the other and takes over; four heartbeats if left out",
        kind: SettingKind::Duration { min: 1, max: 3_600_000_000 },
    };
    /// The chance of a hit.
    SETTING_KILL_ARRIVES = {
        key: "kill_arrives",
        says: "How many of 1,000 orders to turn the other server off arrive",
        kind: SettingKind::Count { min: 0, max: 1_000, default: 900 },
    };
}

/// Settings of a server. Times are in µs.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    heartbeat: Micros,
    timeout: Micros,
    kill_arrives: u16,
}

/// A write and the takeover it was written in.
type Entry = (u32, Command);

/// Most writes in one [`Msg::Copy`].
const COPY: Slot = 256;

crate::messages! {
    /// What the servers send each other.
    pub enum Msg {
        /// "I am alive."
        Heartbeat {
            /// The sender's number of takeovers.
            takeover: u32,
            /// Whether the sender is a primary.
            primary: bool,
            /// How many writes it has.
            has: Slot,
        } = { letter: 'H', phase: Heartbeat, says: "is alive", bytes: 9 };
        /// A write, to be done by the partner as well.
        Mirror {
            /// The primary's number of takeovers.
            takeover: u32,
            /// Its place among all writes.
            slot: Slot,
            /// The write.
            command: Command,
        } = { letter: 'M', phase: Propose, says: "mirrors a write", bytes: 8, command: command, slot: *slot };
        /// "I have all writes up to this one."
        Ack {
            /// How many.
            has: Slot,
        } = { letter: 'A', phase: Accept, says: "has the write, too", bytes: 4, slot: *has };
        /// Writes that the partner lacks.
        Copy {
            /// The place of the first.
            first: Slot,
            /// The writes.
            entries: Vec<Entry>,
        } = {
            letter: 'C', phase: Transfer, says: "brings the partner's copy up to date", bytes: 4 + 4 * entries.len() as u32,
            commands: entries.len() as u32, values: |see| entries.iter().for_each(|(_, command)| see(command.value())),
            slot: *first,
        };
    }
}

crate::timers! {
    /// A server's timers.
    pub enum Timer {
        /// The time until the next heartbeat.
        Heartbeat = { name: "heartbeat", says: "sends a heartbeat", acts: true };
        /// The partner has been silent for too long.
        Silence = { name: "timeout", says: "shoots the other server and takes over as primary", acts: true };
    }
}

/// Durable state: the files, as the writes that made them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Durable {
    /// The highest number of takeovers it knows of; 0 before it first boots.
    takeover: u32,
    writes: Log<Entry>,
}

/// One server.
#[derive(Clone, Debug)]
pub struct Server {
    me: NodeId,
    config: Config,
    durable: Durable,
    /// The files.
    machine: Machine,
    primary: bool,
    /// Primary from the very first, and still.
    appointed: bool,
    /// It has shot since it booted.
    shot: bool,
    /// The partner was a primary when it was last heard.
    partner_is_primary: bool,
    /// A primary that answers writes without waiting for its partner: this is silent, behind, or a primary as well.
    alone: bool,
    /// How many writes the partner had when it was last heard.
    partner_has: Slot,
    /// How many writes it had itself when it last heard a heartbeat of the secondary.
    had: Slot,
    /// Writes that wait for the partner.
    waiting: Vec<(Slot, ClientId, u32, Outcome)>,
}

impl PartialEq for Server {
    fn eq(&self, other: &Server) -> bool {
        self.identity() == other.identity() && self.waiting == other.waiting && self.machine == other.machine
    }
}
impl Eq for Server {}
impl std::hash::Hash for Server {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
        self.waiting.hash(state);
        self.machine.hash(state);
    }
}

impl Server {
    /// All that tells two states apart but the files and what waits; the configuration never changes.
    fn identity(&self) -> (NodeId, &Durable, [bool; 5], [Slot; 2]) {
        let flags = [self.primary, self.appointed, self.shot, self.partner_is_primary, self.alone];
        (self.me, &self.durable, flags, [self.partner_has, self.had])
    }

    fn partner(&self) -> NodeId {
        NodeId(1 - self.me.0)
    }

    /// How many writes it has.
    fn has(&self) -> Slot {
        self.durable.writes.last()
    }

    /// Starts to wait for the partner's next heartbeat.
    fn listen(&self, out: &mut Out<Server>) {
        out.set_timer(Timer::Silence, self.config.timeout, self.config.timeout);
    }

    fn send_heartbeat(&self, out: &mut Out<Server>) {
        let (takeover, primary, has) = (self.durable.takeover, self.primary, self.has());
        out.send(self.partner(), Msg::Heartbeat { takeover, primary, has });
        out.set_timer(Timer::Heartbeat, self.config.heartbeat, self.config.heartbeat);
    }

    /// The partner has been silent for the timeout: it gets shot, whatever the reason, and this server is the primary.
    fn take_over(&mut self, out: &mut Out<Server>) {
        let (reason, partner) = (if self.primary { GOES_ON_ALONE } else { TAKES_OVER }, self.partner());
        out.because(reason, facts![partner, self.config.timeout]);
        if out.rule(SHOOTS, facts![partner]) {
            self.shot = true;
            if out.chance(self.config.kill_arrives) {
                out.fence(self.partner());
            }
        }
        self.durable.takeover += 1;
        out.save();
        self.primary = true;
        self.partner_is_primary = false;
        self.go_on_alone(out);
    }

    /// Answers what waits for the partner, and waits for it no more.
    fn go_on_alone(&mut self, out: &mut Out<Server>) {
        self.alone = true;
        for (_, client, seq, outcome) in self.waiting.drain(..) {
            out.reply(client, seq, Answer::Done(outcome));
        }
    }

    /// Executes a write and keeps it.
    fn write(&mut self, entry: Entry, out: &mut Out<Server>) -> (Slot, Outcome) {
        let outcome = self.machine.apply(entry.1, self.me);
        let slot = self.durable.writes.push(entry);
        out.save_entries(slot);
        out.applied(slot, entry.1);
        (slot, outcome)
    }

    /// The partner, a secondary, has so many writes.
    fn partner_keeps_up(&mut self, has: Slot, out: &mut Out<Server>) {
        self.partner_has = has;
        let (had, waiting) = self.waiting.iter().partition(|(slot, ..)| *slot <= has);
        self.waiting = waiting;
        for (_, client, seq, outcome) in had {
            out.reply(client, seq, Answer::Done(outcome));
        }
        if has >= self.has() {
            self.alone = false;
        }
    }

    /// Sends the partner writes that it lacks.
    fn copy(&self, out: &mut Out<Server>) {
        let first = self.partner_has + 1;
        let entries =
            (first..=self.has().min(self.partner_has + COPY)).filter_map(|slot| self.durable.writes.get(slot));
        out.send(self.partner(), Msg::Copy { first, entries: entries.copied().collect() });
    }

    fn on_heartbeat(&mut self, takeover: u32, primary: bool, has: Slot, out: &mut Out<Server>) {
        // A secondary waits for a primary. That its partner is alive is not enough: somebody must serve.
        if primary || self.primary {
            self.listen(out);
        }
        self.partner_is_primary = primary;
        if takeover > self.durable.takeover {
            self.durable.takeover = takeover;
            out.save();
        }
        match (self.primary, primary) {
            (true, true) => self.go_on_alone(out),
            (true, false) => {
                // What this server had at the last heartbeat has had the time to get there: it got lost.
                let lost = has < self.had;
                self.had = self.has();
                self.partner_keeps_up(has, out);
                if lost {
                    self.copy(out);
                }
            }
            (false, _) => {}
        }
    }

    /// Takes in writes from the primary that this server lacks. What it has, it keeps, even if the primary has something else in that place.
    fn on_writes(&mut self, first: Slot, entries: &[Entry], out: &mut Out<Server>) {
        if self.primary {
            return;
        }
        for (slot, entry) in (first..).zip(entries) {
            if slot == self.has() + 1 {
                out.because(TAKES_WRITE, facts![slot]);
                self.write(*entry, out);
            }
        }
        out.send(self.partner(), Msg::Ack { has: self.has() });
    }
}

impl Node for Server {
    type Config = Config;
    type Msg = Msg;
    type Timer = Timer;
    type Disk = Durable;

    fn boot(me: NodeId, config: &Config, disk: Durable, out: &mut Out<Server>) -> Server {
        let appointed = me == NodeId(0) && disk.takeover == 0;
        let mut server = Server {
            me,
            config: *config,
            durable: disk,
            machine: Machine::default(),
            primary: appointed || me == NodeId(0) && !out.rule(RETURNS_AS_SECONDARY, facts![]),
            appointed,
            shot: false,
            partner_is_primary: false,
            alone: false,
            partner_has: 0,
            had: 0,
            waiting: Vec::new(),
        };
        for (_, (_, command)) in server.durable.writes.iter() {
            server.machine.apply(*command, me);
        }
        if server.has() > 0 {
            out.restored(server.has());
        }
        if server.durable.takeover == 0 {
            server.durable.takeover = 1;
            out.save();
        }
        server.listen(out);
        server.send_heartbeat(out);
        server
    }

    fn on_message(&mut self, _from: NodeId, message: &Msg, out: &mut Out<Server>) {
        match message {
            Msg::Heartbeat { takeover, primary, has } => self.on_heartbeat(*takeover, *primary, *has, out),
            Msg::Mirror { takeover, slot, command } => self.on_writes(*slot, &[(*takeover, *command)], out),
            Msg::Copy { first, entries } => self.on_writes(*first, entries, out),
            Msg::Ack { has } if self.primary => {
                self.partner_keeps_up(*has, out);
                if self.alone {
                    self.copy(out);
                }
            }
            Msg::Ack { .. } => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, out: &mut Out<Server>) {
        match timer {
            Timer::Heartbeat => self.send_heartbeat(out),
            Timer::Silence => self.take_over(out),
        }
    }

    fn on_request(&mut self, command: Command, out: &mut Out<Server>) {
        let Command { client, seq, op } = command;
        if !self.primary {
            let primary = self.partner_is_primary.then(|| self.partner());
            return out.reply(client, seq, Answer::Redirect(primary));
        }
        if self.waiting.iter().any(|(_, other, number, _)| (*other, *number) == (client, seq)) {
            return;
        }
        if let Some(outcome) = self.machine.recall(command) {
            return out.reply(client, seq, Answer::Done(outcome));
        }
        if op.is_read() {
            return out.reply(client, seq, Answer::Done(self.machine.look(op)));
        }
        let takeover = self.durable.takeover;
        let (slot, outcome) = self.write((takeover, command), out);
        if self.alone {
            return out.reply(client, seq, Answer::Done(outcome));
        }
        out.because(WAITS_FOR_COPY, facts![command, slot, self.partner()]);
        self.waiting.push((slot, client, seq, outcome));
        out.send(self.partner(), Msg::Mirror { takeover, slot, command });
    }

    fn disk(&self) -> &Durable {
        &self.durable
    }

    fn status(&self) -> NodeStatus {
        let has = self.has();
        let leader = match (self.primary, self.partner_is_primary) {
            (true, _) => Some(self.me),
            (false, true) => Some(self.partner()),
            (false, false) => None,
        };
        NodeStatus {
            role: if self.primary { "primary" } else { "secondary" },
            leads: self.primary,
            epoch: Epoch { number: self.durable.takeover, owner: None },
            leader,
            tally: self.waiting.first().map(|(slot, ..)| Tally {
                of: "copies",
                slot: *slot,
                from: NodeSet::just(self.me),
                need: 2,
            }),
            blocked: None,
            log: LogStatus {
                first: 1,
                last: has,
                committed: self.waiting.first().map_or(has, |(slot, ..)| slot - 1),
                applied: has,
            },
            members: NodeSet::first(2),
        }
    }

    fn leads(&self) -> Option<Epoch> {
        self.primary.then_some(Epoch { number: self.durable.takeover, owner: None })
    }

    fn entry(&self, slot: Slot) -> Option<EntryStatus> {
        let (takeover, command) = *self.durable.writes.get(slot)?;
        let chosen = self.waiting.first().is_none_or(|(open, ..)| slot < *open);
        Some(EntryStatus { epoch: Epoch { number: takeover, owner: None }, command: Some(command), chosen })
    }

    fn machine_digest(&self) -> Option<u64> {
        Some(self.machine.digest())
    }
}

impl Protocol for StonithPair {
    const CARD: Card = Card {
        key: "stonith-pair",
        title: "Heartbeat pair (STONITH)",
        says: "Two servers with heartbeats; the one that hears nothing shoots the other and takes over. Both may shoot, and both may miss.",
        paper: "Site Reliability Engineering (Beyer, Jones, Petoff, Murphy), O'Reilly, 2016, ch. 23: Case Study 1, The Split-Brain Problem",
        epoch: "takeover",
        family: Family::Foil,
        optimises: "nothing: it is here to fail",
        min_replicas: 2,
        faults: Faults::CrashRecover,
        timing: TimingModel::Synchronous,
        agrees_on: Shots::Log,
        leader: LeaderModel::SelfAppointed,
        contact: Contact::Leader,
        promises: Promises::NOTHING,
        transfer: false,
        membership: false,
        formulas: &[Formula {
            text: "2(n−1)",
            count: |n, _| Some(2 * (n - 1)),
            source: "a mirrored write and its acknowledgement; the book gives no count",
        }],
    };
    const RULES: &'static [crate::core::Rule] = RULES;
    const SENTENCES: &'static [crate::core::Sentence] = SENTENCES;
    const SETTINGS: &'static [crate::core::Setting] = SETTINGS;
    const SETTING_TEXTS: &'static [&'static str] = SETTING_TEXTS;
    type Node = Server;

    fn cluster(setup: &Setup) -> Result<Vec<Config>, SettingError> {
        if setup.replicas != 2 {
            return Err(("replicas", "exactly 2 would do, for each server shoots the other one"));
        }
        let heartbeat = setup.settings.duration(SETTING_HEARTBEAT, (2 * setup.rtt_max).max(1_000));
        let timeout = setup.settings.duration(SETTING_TIMEOUT, 4 * heartbeat);
        if timeout <= heartbeat {
            return Err(("timeout", "more than the time between two heartbeats would do"));
        }
        let kill_arrives = setup.settings.count(SETTING_KILL_ARRIVES) as u16;
        Ok(vec![Config { heartbeat, timeout, kill_arrives }; 2])
    }

    /// Never: two servers that reach each other again may both be off, or both be primaries.
    fn live(_setup: &Setup, _healthy: u8) -> bool {
        false
    }

    fn invariants() -> &'static [Invariant<Server>] {
        &[Invariant {
            name: "Shoot first",
            says: "A server is primary only if it has been from the start or has ordered the other to be turned off.",
            holds: has_shot,
        }]
    }
}

fn has_shot(nodes: &[Option<Server>], step: Step) -> Result<(), Breach> {
    match nodes.get(usize::from(step.changed.0)) {
        Some(Some(server)) if server.primary && !server.appointed && !server.shot => Err(Breach::default()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Effect, RuleSet, Settings};
    use crate::protocols::manual_network::{ManualNetwork, write};

    const ONE: u8 = 0;
    const TWO: u8 = 1;

    /// A pair whose orders to turn the other off always arrive, or never.
    fn pair(kill_arrives: u64) -> ManualNetwork<StonithPair> {
        let mut pair = ManualNetwork::new(2, &[(SETTING_KILL_ARRIVES, kill_arrives)], None);
        pair.settle(&[ONE, TWO]);
        pair
    }

    fn primaries(pair: &ManualNetwork<StonithPair>) -> Vec<bool> {
        pair.nodes.iter().flatten().map(|server| server.primary).collect()
    }

    #[test]
    fn write_is_answered_when_the_secondary_has_it() {
        let mut pair = pair(1_000);
        pair.act(TWO, |two, out| two.on_timer(Timer::Heartbeat, out));
        pair.settle(&[ONE, TWO]);
        pair.ask(ONE, write(7));
        assert!(pair.answers.is_empty());
        pair.deliver("Mirror", ONE, TWO);
        assert!(pair.answers.is_empty());
        pair.deliver("Ack", TWO, ONE);
        assert_eq!(pair.answers, [(ClientId(7), Answer::Done(Outcome::Done))]);
        assert_eq!(pair.chosen[&(TWO, 1)], write(7));
    }

    #[test]
    fn silent_secondary_is_shot_and_the_write_answered() {
        let mut pair = pair(1_000);
        pair.ask(ONE, write(7));
        pair.lose_all();
        pair.time_out(ONE, Timer::Silence);
        assert_eq!(pair.answers, [(ClientId(7), Answer::Done(Outcome::Done))]);
    }

    #[test]
    fn secondary_that_hears_nothing_shoots_before_it_takes_over() {
        let mut out = Out::new(RuleSet::EMPTY);
        let config = Config { heartbeat: 1, timeout: 4, kill_arrives: 1_000 };
        let mut two = Server::boot(NodeId(TWO), &config, Durable::default(), &mut out);
        out.drain();
        two.on_timer(Timer::Silence, &mut out);
        assert_eq!(out.drain()[0], Effect::Fence(NodeId(ONE)));
        assert!(two.primary && two.durable.takeover == 2);
    }

    #[test]
    fn servers_that_both_missed_stay_primaries_and_differ() {
        let mut pair = pair(0);
        pair.time_out(ONE, Timer::Silence);
        pair.time_out(TWO, Timer::Silence);
        pair.ask(ONE, write(7));
        pair.ask(TWO, write(8));
        pair.act(ONE, |one, out| one.on_timer(Timer::Heartbeat, out));
        pair.settle(&[ONE, TWO]);
        assert_eq!(primaries(&pair), [true, true]);
        assert_ne!(pair.chosen[&(ONE, 1)], pair.chosen[&(TWO, 1)]);
    }

    #[test]
    fn lost_write_is_copied_after_two_heartbeats_without_it() {
        let mut pair = pair(1_000);
        pair.ask(ONE, write(7));
        pair.lose_all();
        for _ in 0..2 {
            pair.act(TWO, |two, out| two.on_timer(Timer::Heartbeat, out));
            pair.settle(&[ONE, TWO]);
        }
        assert_eq!(pair.chosen[&(TWO, 1)], write(7));
        assert_eq!(pair.answers, [(ClientId(7), Answer::Done(Outcome::Done))]);
    }

    #[test]
    fn restarted_server_is_secondary_and_gets_what_it_missed() {
        let mut pair = pair(1_000);
        pair.time_out(TWO, Timer::Silence);
        (1..=3).for_each(|n| pair.ask(TWO, write(n)));
        pair.restart(ONE);
        assert_eq!(primaries(&pair), [false, true]);
        for _ in 0..2 {
            pair.act(ONE, |one, out| one.on_timer(Timer::Heartbeat, out));
            pair.settle(&[ONE, TWO]);
        }
        assert_eq!(pair.chosen[&(ONE, 3)], write(3));
    }

    #[test]
    fn any_number_of_servers_but_two_is_refused() {
        for replicas in [1, 3, 5] {
            let settings = Settings::defaults(SETTINGS);
            let setup = Setup { replicas, rtt_max: 100, settings, ablated: RuleSet::EMPTY };
            assert_eq!(StonithPair::cluster(&setup).map(|_| ()).map_err(|(key, _)| key), Err("replicas"));
        }
    }
}
