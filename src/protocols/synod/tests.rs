//! Runs brought about by hand, message by message: the orders of events that chance hardly finds.

use super::*;
use crate::core::{Effect, Op, RuleId, RuleSet, Settings};

/// Nodes whose messages are delivered by hand.
struct ByHand {
    nodes: Vec<Server>,
    config: Config,
    out: Out<Server>,
    /// Under way: from, to, what.
    flying: Vec<(u8, u8, Msg)>,
    learned: Vec<(u8, Command)>,
}

fn value(n: u32) -> Command {
    Command { client: ClientId(n as u16), seq: 1, op: Op::Write { key: 0, value: n } }
}

impl ByHand {
    fn new(n: u8, without: Option<RuleId>) -> ByHand {
        let ablated = without.map_or(RuleSet::EMPTY, |rule| RuleSet(1 << rule.0));
        let settings = Settings::defaults(SETTINGS);
        let configs = Synod::cluster(&Setup { replicas: n, rtt_max: 100, settings, ablated }).expect("defaults fit");
        let mut out = Out::new(ablated);
        let nodes = (0..n).map(|id| Server::boot(NodeId(id), &configs[0], Disk::default(), &mut out)).collect();
        ByHand { nodes, config: configs[0], out, flying: Vec::new(), learned: Vec::new() }
    }

    fn collect(&mut self, from: u8) {
        for effect in self.out.drain() {
            match effect {
                Effect::Send(to, message) => self.flying.push((from, to.0, message)),
                Effect::Broadcast(to, message) => {
                    self.flying.extend(to.iter().map(|to| (from, to.0, message)));
                }
                Effect::Applied(_, value) => self.learned.push((from, value)),
                _ => {}
            }
        }
    }

    fn ask(&mut self, node: u8, wish: u32) {
        self.nodes[usize::from(node)].on_request(value(wish), &mut self.out);
        self.collect(node);
    }

    fn restart(&mut self, node: u8) {
        let disk = *self.nodes[usize::from(node)].disk();
        self.nodes[usize::from(node)] = Server::boot(NodeId(node), &self.config, disk, &mut self.out);
        self.collect(node);
    }

    /// Delivers all that is under way from `from` to `to` and is called `name`.
    fn deliver(&mut self, name: &str, from: u8, to: u8) {
        let wanted = |m: &(u8, u8, Msg)| (m.0, m.1) == (from, to) && Msg::KINDS[usize::from(m.2.kind().0)].name == name;
        let arriving: Vec<(u8, u8, Msg)> = self.flying.extract_if(.., |m| wanted(m)).collect();
        for (from, to, message) in arriving {
            self.nodes[usize::from(to)].on_message(NodeId(from), message, &mut self.out);
            self.collect(to);
        }
    }

    /// A whole phase between a proposer and these acceptors.
    fn phase(&mut self, ask: &str, answer: &str, proposer: u8, acceptors: &[u8]) {
        for &acceptor in acceptors {
            self.deliver(ask, proposer, acceptor);
            self.deliver(answer, acceptor, proposer);
        }
    }

    fn disagree(&self) -> bool {
        self.learned.iter().any(|(_, value)| *value != self.learned[0].1)
    }
}

/// Node 1 proposes 10 and restarts before it hears; node 2 and node 3 have accepted it in ballot 1.1, one of them after it promised that
/// ballot for the second time.
fn a_proposer_that_restarts(without: Option<RuleId>) -> bool {
    let mut run = ByHand::new(3, without);
    run.ask(0, 10);
    run.phase("Prepare", "Promise", 0, &[1, 2]);
    run.deliver("Accept", 0, 2);
    run.restart(0);
    run.ask(0, 20);
    run.phase("Prepare", "Promise", 0, &[0, 1]);
    run.deliver("Accept", 0, 1);
    run.deliver("Accepted", 1, 0);
    run.deliver("Accepted", 2, 0);
    // Whoever asks now finds out what was chosen.
    run.ask(2, 30);
    run.phase("Prepare", "Promise", 2, &[2, 1]);
    run.phase("Accept", "Accepted", 2, &[2, 1]);
    run.disagree()
}

#[test]
fn a_ballot_used_twice_chooses_twice() {
    assert!(a_proposer_that_restarts(Some(DURABLE_ROUND)));
    assert!(!a_proposer_that_restarts(None));
}

/// Ballots 1.1, 1.2 and 1.3 at five nodes: the acceptors that accept 1.3 have not promised it, and hear of 1.2 only later.
fn a_late_lower_ballot(without: Option<RuleId>) -> bool {
    let mut run = ByHand::new(5, without);
    // Ballot 1.2 asks first, and gets promises from 1, 2 and 4 that nothing was accepted.
    run.ask(1, 20);
    run.phase("Prepare", "Promise", 1, &[0, 1, 3]);
    // Ballot 1.3 gets promises from 3, 4 and 5, and is accepted by 1, 2 and 3: chosen.
    run.ask(2, 30);
    run.phase("Prepare", "Promise", 2, &[2, 3, 4]);
    run.phase("Accept", "Accepted", 2, &[0, 1, 2]);
    // Only now does 1.2 reach its acceptors.
    run.phase("Accept", "Accepted", 1, &[0, 1]);
    // Ballot 2.5 hears from 1, 2 and 5 only: 1.2 is the highest there is.
    run.ask(4, 50);
    run.phase("Prepare", "Promise", 4, &[0, 1, 4]);
    run.phase("Accept", "Accepted", 4, &[0, 1, 4]);
    run.disagree()
}

#[test]
fn accepting_must_be_promising() {
    assert!(a_late_lower_ballot(Some(ACCEPT_RAISES_PROMISE)));
    assert!(!a_late_lower_ballot(None));
}

#[test]
fn messages_are_small() {
    assert!(size_of::<Msg>() <= 48);
}
