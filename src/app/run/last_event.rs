//! What happened last, in words, and the rules of the paper that were applied: for those who go step by step.

use quorumscope::core::{NodeId, Rule, RuleSet};
use quorumscope::lab::{Checked, Session};
use quorumscope::sim::{Action, Record, What};
use quorumscope::universe::Universe;

/// The last thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct LastEvent {
    /// In a sentence.
    pub text: String,
    /// The rules that were applied.
    pub rules: Vec<&'static Rule>,
}

/// Looks up what happened last, if anything did.
// Not inlined: the first picture does without it.
#[inline(never)]
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
                    format!("By hand or by the script: {}.", told(session.checked(), intervention))
                });
                return Some(LastEvent {
                    text: text.unwrap_or_else(|| sentence(universe, &record, &consequences)),
                    rules: rules(universe, record.rules),
                });
            }
        }
    }
    None
}

/// What was done, with the names of places.
fn told(checked: &Checked, intervention: Action) -> String {
    let Action::Domain { domain, fault } = intervention else { return intervention.to_string() };
    let Some(id) = checked.domains.get(usize::from(domain.0)) else { return intervention.to_string() };
    let name = checked.places.iter().find(|place| place.id == *id).map_or(id, |place| &place.name);
    format!("{fault} {name}")
}

fn rules(universe: &dyn Universe, set: RuleSet) -> Vec<&'static Rule> {
    let all = universe.variant().rules();
    set.iter().filter_map(|rule| all.get(usize::from(rule.0))).collect()
}

/// One thing that happened, and what was learned by it, in a sentence.
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
        What::Request => format!("Node {node} received a client's request"),
        What::Answered => "A client got its answer".to_owned(),
        What::Client => "A client began a command, or asked again".to_owned(),
        What::Refused => "The script asked for something that made no sense; nothing was done".to_owned(),
        What::Fenced => format!("Node {node} was turned off by order of node {peer}"),
        What::Stopped if record.detail == 1 => format!("Node {node} crashed in the middle of what it sent"),
        What::Stopped => format!("Node {node} could not save what it had to, and stopped"),
        _ => "Something was done by hand or by the script".to_owned(),
    };
    let mut known = consequences.iter().filter(|record| record.what == What::Chosen).map(|record| record.slot);
    match (known.next(), known.next_back()) {
        (Some(slot), None) => text += &format!(", and learned that slot {slot} is chosen"),
        (Some(first), Some(last)) => text += &format!(", and learned that slots {first} to {last} are chosen"),
        _ => {}
    }
    text + "."
}
