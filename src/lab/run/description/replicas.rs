//! One replica in words: role and epoch, log, what it counts and waits for, what is wrong with it.

use super::{Describe, Line};
use crate::core::{NodeId, NodeStatus, Shots};
use crate::universe::NodeView;
use crate::universe::words::{count, epoch, latency, nodes};

impl Describe<'_> {
    pub(super) fn replica(&self, id: NodeId) -> Line {
        let view = self.universe.node(id);
        let mut text = format!("Node {id:?}, in {}", self.place(view.site));
        if !view.member {
            text.push_str(", which is no member of the cluster");
        }
        match view.status {
            None => text.push_str(": down."),
            Some(status) => text.push_str(&self.up(&view, &status)),
        }
        if let Some(waiting) = view.paused {
            text.push_str(&format!(" It is paused; {} for it.", waits(waiting)));
        }
        Line { text, about: Some(id) }
    }

    /// What a replica that is up is about.
    fn up(&self, view: &NodeView, status: &NodeStatus) -> String {
        let mut text = format!(": {}, {}", status.role, epoch(self.word(), status.epoch));
        let log = status.log;
        match self.universe.variant().card.agrees_on {
            Shots::Log if log.last > 0 => {
                let snapshot =
                    if log.first > 1 { format!(", the first {} in a snapshot", log.first - 1) } else { String::new() };
                text.push_str(&format!(
                    ", log up to entry {}, committed up to {}, executed up to {}{snapshot}",
                    log.last, log.committed, log.applied
                ));
            }
            Shots::Log => text.push_str(", log empty"),
            Shots::Single if log.committed > 0 => text.push_str(", knows the chosen value"),
            _ => {}
        }
        text.push('.');
        if let Some(tally) = status.tally {
            let about = if tally.slot > 0 { format!(" for entry {}", tally.slot) } else { String::new() };
            let from =
                if tally.from.is_empty() { String::new() } else { format!(", from {}", nodes(tally.from.iter())) };
            text.push_str(&format!(
                " It has {} of the {} {} it needs{about}{from}.",
                tally.from.len(),
                tally.need,
                tally.of
            ));
        }
        if let Some(blocked) = status.blocked {
            text.push_str(&format!(
                " It is blocked on {}, by {}: it {}.",
                blocked.at,
                nodes(blocked.on.iter()),
                blocked.because
            ));
        }
        if !status.leads
            && let Some(leader) = status.leader
        {
            text.push_str(&format!(" It takes node {leader:?} for the leader."));
        }
        if !view.cut.is_empty() {
            text.push_str(&format!(" Its messages do not reach {}.", nodes(view.cut.iter())));
        }
        if let Some(timer) = self.universe.next_timer(view.id) {
            let (left, kind) = (timer.due.saturating_sub(self.universe.time()), timer.kind);
            text.push_str(&format!(
                " It waits for its {}, which is over in {}: then it {}.",
                kind.name,
                latency(left),
                kind.says
            ));
        }
        text
    }
}

fn waits(messages: usize) -> String {
    match messages {
        1 => "1 message waits".to_owned(),
        more => format!("{} wait", count(more, "message")),
    }
}
