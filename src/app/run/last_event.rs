//! The last event in a sentence, with the rules of the paper that were applied.

use super::context::describe;
use quorumscope::core::{NodeId, Rule, RuleSet, Shots};
use quorumscope::lab::Session;
use quorumscope::sim::world::Flight;
use quorumscope::sim::{Record, What};
use quorumscope::universe::{End, ReplyKind, Universe};

/// The last event.
#[derive(Clone, Debug, PartialEq)]
pub struct LastEvent {
    /// The replica it happened at; `None` for an intervention.
    pub node: Option<NodeId>,
    /// A sentence.
    pub text: String,
    /// The rules that were applied.
    pub rules: Vec<&'static Rule>,
}

/// The last event of the trace, if there is one.
pub fn last(session: &Session) -> Option<LastEvent> {
    let universe = session.universe();
    let mut consequences = Vec::new();
    for (_, record) in universe.trace().records().rev() {
        match record.what {
            What::Chosen | What::Applied => consequences.push(record),
            _ => {
                consequences.reverse();
                let intervention = universe.intervention().filter(|_| record.what == What::Acted);
                let text = intervention.map(|intervention| {
                    format!("By hand or by the script: {}.", describe(session.checked(), intervention))
                });
                return Some(LastEvent {
                    node: (record.what != What::Acted).then_some(record.node),
                    text: text.unwrap_or_else(|| sentence(universe, &record, &consequences)),
                    rules: rules(universe, record.rules),
                });
            }
        }
    }
    None
}

fn rules(universe: &dyn Universe, set: RuleSet) -> Vec<&'static Rule> {
    let all = universe.variant().rules();
    set.iter().filter_map(|rule| all.get(usize::from(rule.0))).collect()
}

/// What a node did with the request it just received, if it did not take it on.
fn outcome_of_request(universe: &dyn Universe, record: &Record) -> String {
    let mut flights = Vec::new();
    universe.flights(&mut flights);
    let own = |flight: &&Flight| flight.from == End::Node(record.node) && flight.sent >= record.at;
    match flights.iter().filter(own).find_map(|flight| flight.reply) {
        Some(ReplyKind::Redirected(to)) => format!(" and sends the client on to node {}", to.0 + 1),
        Some(ReplyKind::Refused) => " and refuses it: it does not lead and knows no leader".to_owned(),
        _ => String::new(),
    }
}

/// An event in a sentence, and the slots that became known as chosen by it.
pub fn sentence(universe: &dyn Universe, record: &Record, consequences: &[Record]) -> String {
    let number = |id: NodeId| id.0 + 1;
    let (node, peer) = (number(record.node), number(record.peer));
    let kind = universe.variant().kinds.get(usize::from(record.kind)).map_or("message", |kind| kind.name);
    let mut text = match record.what {
        What::Delivered if record.node == record.peer => format!("Node {node} handled its own {kind}"),
        What::Delivered => format!("Node {node} received {kind} from node {peer}"),
        What::Lost if record.node == record.peer => format!("A message between a client and node {node} got lost"),
        What::Lost => format!("{kind} from node {peer} to node {node} got lost"),
        What::Timer => format!("A timer of node {node} ran out"),
        What::Request => format!("Node {node} received a client's request{}", outcome_of_request(universe, record)),
        What::Answered => match universe.reply() {
            Some((_, ReplyKind::Redirected(to))) => {
                format!("A client learned from node {node} that node {} leads, and asks there", number(to))
            }
            Some((_, ReplyKind::Refused)) => {
                format!("A client was refused by node {node}, which knows no leader, and will ask again")
            }
            _ => format!("A client got its answer from node {node}"),
        },
        What::Client => "A client began a command, or asked again".to_owned(),
        What::Refused => "The script asked for something that made no sense; nothing was done".to_owned(),
        What::Fenced => format!("Node {node} was turned off by order of node {peer}"),
        What::Stopped if record.detail == 1 => format!("Node {node} crashed in the middle of what it sent"),
        What::Stopped => format!("Node {node} could not save what it had to, and stopped"),
        _ => "Something was done by hand or by the script".to_owned(),
    };
    let mut known = consequences.iter().filter(|record| record.what == What::Chosen);
    text += &match (known.next(), known.next_back(), universe.variant().card.agrees_on) {
        (None, ..) => String::new(),
        (Some(Record { slot, .. }), None, Shots::Transactions) => {
            format!(", and learned that transaction {slot} is aborted")
        }
        (Some(_), Some(_), Shots::Transactions) => ", and learned that several transactions are aborted".to_owned(),
        (Some(Record { slot, detail, .. }), _, Shots::Registers) => {
            format!(", and learned that version {slot} of register {detail} is chosen")
        }
        (Some(Record { slot, .. }), None, _) => format!(", and learned that slot {slot} is chosen"),
        (Some(first), Some(last), _) => {
            format!(", and learned that slots {} to {} are chosen", first.slot, last.slot)
        }
    };
    text + "."
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorumscope::lab::presets;

    #[test]
    fn replies_are_told_apart_answered_redirected_and_refused() {
        let mut session = Session::new(presets::first()).unwrap();
        let mut seen = [false; 5];
        let phrases = [
            "was refused by node",
            "learned from node",
            "got its answer from node",
            "refuses it",
            "sends the client on to",
        ];
        while session.universe().time() < 3_000_000 && session.step() {
            let text = last(&session).map(|last| last.text).unwrap_or_default();
            for (seen, phrase) in seen.iter_mut().zip(phrases) {
                *seen |= text.contains(phrase);
            }
            let refused = text.contains("was refused by") || text.contains("refuses it");
            assert!(!refused || !text.contains("leads,"), "who refuses names no leader: {text}");
        }
        // Clients ask before there is a leader, then at replicas that do not lead, then at the leader.
        assert_eq!(seen, [true; 5], "{phrases:?}");
    }
}
