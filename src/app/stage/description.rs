//! A replica in words, for those who do not see its picture. It comes in the chunk for [`faults`](super::faults).

use super::condition;
use crate::elements::text;
use crate::run::view_model::{Agreement, Leadership, NodeView, SlotState};

/// Accessible description of a replica: all that its picture shows. `epoch_word` is the protocol's word for its epochs, `place` the name of its site.
pub fn describe(node: &NodeView, epoch_word: &str, place: &str) -> String {
    let mut description = text::node_in(node.id, place);
    let faults = if node.faulty() { condition::clauses(&condition::of_node(node)) } else { String::new() };
    let Some(status) = node.status else { return description + ", down" + &faults };
    description += &faults;
    description += &format!(", {}, {}", status.role, text::epoch(epoch_word, status.epoch));
    if node.leadership == Leadership::Stale {
        description += ", believes it leads, but another node leads by now";
    }
    if !node.member {
        description += ", not a member of the cluster";
    }
    if status.log.last > 0 {
        let log = status.log;
        description +=
            &format!(", log up to {}, committed up to {}, applied up to {}", log.last, log.committed, log.applied);
    }
    let disagreeing =
        node.slots.iter().filter(|slot| slot.agreement == Agreement::Conflict && slot.state != SlotState::Empty);
    for slot in disagreeing {
        description += &format!(", slot {} committed with another value than elsewhere", slot.slot);
    }
    if let Some(tally) = status.tally {
        description += &format!(", has {} of the {} {} it needs", tally.from.len(), tally.need, tally.of);
    }
    if let Some((timer, left)) = node.timer {
        description += &format!(", {} in {}, then it {}", timer.name, text::latency(left), timer.says);
    }
    if !node.cut.is_empty() {
        let others: Vec<String> = node.cut.iter().map(|id| text::number(id).to_string()).collect();
        description += &format!(", cannot reach node {}", others.join(", "));
    }
    description
}
