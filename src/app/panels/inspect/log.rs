//! Log panel: a row for each replica, a column for each slot; command, key and term or ballot of every entry, and how far it has come.

use crate::elements::text;
use crate::run::context::RunContext;
use crate::run::view_model::{Agreement, NodeView, SlotState, SlotView, ViewModel, has_log};
use quorumscope::core::{Command, Op, Slot};
use yew::prelude::*;

/// Most slots shown, the latest ones, and the slot of a violation.
const COLUMNS: usize = 5;

/// The panel; nothing for protocols without a log.
pub fn log(context: &RunContext, view: &ViewModel) -> Html {
    if !has_log(context.variant.card) {
        return html! {};
    }
    let columns = columns(view);
    let epoch = context.variant.card.epoch;
    let violated = view.violation.as_ref().and_then(|violation| violation.slot);
    html! {
        <section class="panel logs">
            <h2>{ "Log" }<small>{ "slot by slot" }</small></h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Log">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{ "Slot" }</th>
                            { for columns.iter().map(|(_, slot)| html! {
                                <th scope="col" class={(violated == Some(*slot)).then_some("violated")}>{ *slot }</th>
                            }) }
                        </tr>
                    </thead>
                    <tbody>{ for view.nodes.iter().filter(|node| node.member || node.status.is_some()).map(|node| row(node, &columns, epoch)) }</tbody>
                </table>
            </div>
            <p class="note key">
                { for [SlotState::Held, SlotState::Committed, SlotState::Applied].map(|state| html! { <span title={state_name(state)}><i class={state.name()}></i>{ state.name() }</span> }) }
                if view.nodes.iter().any(|node| node.slots.iter().any(|slot| slot.agreement != Agreement::Same)) {
                    <span>{ "≠ replicas disagree" }</span>
                }
                <span>{ format!("c1#5 k3 {}2: fifth command of client 1, on key 3, of {epoch} 2", initial(epoch)) }</span>
            </p>
        </section>
    }
}

/// Index among the slots of the view model, and number, of each slot shown.
fn columns(view: &ViewModel) -> Vec<(usize, Slot)> {
    let Some(node) = view.nodes.first() else { return Vec::new() };
    let all: Vec<(usize, Slot)> = node.slots.iter().map(|slot| slot.slot).enumerate().collect();
    let latest = &all[all.len().saturating_sub(COLUMNS)..];
    let violated = view.violation.as_ref().and_then(|violation| violation.slot);
    match all.iter().find(|(_, slot)| Some(*slot) == violated) {
        Some(column) if !latest.contains(column) => {
            std::iter::once(*column).chain(latest[1..].iter().copied()).collect()
        }
        _ => latest.to_vec(),
    }
}

fn row(node: &NodeView, columns: &[(usize, Slot)], epoch: &str) -> Html {
    let whole = |content: String| html! { <td class="whole" colspan={columns.len().to_string()}>{ content }</td> };
    let cells = match (node.status, node.behind) {
        (None, _) => whole("down".to_owned()),
        (Some(_), Some(last)) => whole(format!("…{last}")),
        _ => columns.iter().map(|(index, _)| cell(&node.slots[*index], epoch)).collect(),
    };
    let number = text::number(node.id);
    html! { <tr><th scope="row"><span class="unseen">{ "Node " }</span><b>{ number }</b></th>{ cells }</tr> }
}

fn cell(slot: &SlotView, epoch_word: &str) -> Html {
    let mark = match slot.agreement {
        Agreement::Same => None,
        Agreement::Differs => Some("differs"),
        Agreement::Conflict => Some("conflict"),
    };
    let (value, detail, title) = match slot.entry {
        Some((epoch, command)) => {
            let (value, what) = match command {
                Some(command) => (value(command), what(command)),
                None => ("members".to_owned(), String::new()),
            };
            let full = command.map_or("a change of the members".to_owned(), |command| format!("{command:?}"));
            let title =
                format!("Slot {}: {full}, {}, {}", slot.slot, text::epoch(epoch_word, epoch), state_name(slot.state));
            (value, format!("{what}{}{epoch}", initial(epoch_word)), title)
        }
        None if slot.state == SlotState::Empty => return html! { <td class="empty"></td> },
        None => ("·".to_owned(), String::new(), format!("Slot {}: in a snapshot", slot.slot)),
    };
    let disagreement = match slot.agreement {
        Agreement::Same => "",
        Agreement::Differs => ". Another replica holds something else, which is not committed on both",
        Agreement::Conflict => ". Another replica has committed something else",
    };
    html! {
        <td class={classes!(slot.state.name(), mark)} title={format!("{title}{disagreement}")}>
            <b>{ if mark.is_some() { "≠ " } else { "" } }{ value }</b><small>{ detail }</small>
        </td>
    }
}

fn state_name(state: SlotState) -> &'static str {
    match state {
        SlotState::Empty => "empty",
        SlotState::Held => "held, not known to be committed",
        SlotState::Committed => "committed",
        SlotState::Applied => "applied",
    }
}

/// First letter of the protocol's word for its epochs: `t` of term, `b` of ballot.
fn initial(epoch: &str) -> &str {
    epoch.get(..1).unwrap_or_default()
}

/// The name of a command, which is the value agreed on: its client and number, `c2#5`.
fn value(command: Command) -> String {
    match command.op {
        Op::Noop => "no-op".to_owned(),
        Op::Elect(node) => format!("node {}", text::number(node)),
        // A tampered command keeps its name, but not what it writes.
        Op::Write { value, .. } | Op::CompareAndSet { value, .. } if value != command.value() => format!("={value}"),
        _ => format!("{:?}#{}", command.client, command.seq),
    }
}

/// What a command works on, in a few letters, such as `k3 `.
fn what(command: Command) -> String {
    match command.op {
        Op::Noop | Op::Elect(_) => String::new(),
        Op::Read { key } => format!("read k{key} "),
        Op::Write { key, .. } | Op::CompareAndSet { key, .. } | Op::WriteOwn { key } => format!("k{key} "),
        Op::Acquire { lock, .. } | Op::Renew { lock, .. } | Op::Release { lock, .. } | Op::Guarded { lock, .. } => {
            format!("l{lock} ")
        }
        Op::Enqueue { queue, .. } | Op::Take { queue, .. } | Op::Ack { queue, .. } => format!("q{queue} "),
        Op::Arrive { barrier, .. } | Op::Passed { barrier, .. } => format!("b{barrier} "),
        Op::Watch { key, .. } | Op::Update { key, .. } => format!("k{key} "),
        Op::Publish { topic, .. } | Op::Deliver { topic, .. } => format!("t{topic} "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorumscope::core::ClientId;

    #[test]
    fn value_of_write_is_the_commands_name_and_of_tampered_write_what_it_writes() {
        let client = ClientId(1);
        let written = Command::value_of(client, 5);
        let command = Command { client, seq: 5, op: Op::Write { key: 3, value: written } };
        assert_eq!((value(command), what(command)), ("c2#5".to_owned(), "k3 ".to_owned()));
        assert_eq!(value(command.tampered()), format!("={}", !written));
        assert_eq!(value(Command::NOOP), "no-op");
    }
}
