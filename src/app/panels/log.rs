//! Log panel: a row for each replica, a column for each slot; command, key and term or ballot of every entry, and how far it has come.

use crate::elements::{html, svg, text};
use crate::run::context::RunContext;
use crate::run::details::Details;
use crate::run::view_model::{Agreement, NodeView, SlotState, SlotView, ViewModel, has_log};
use quorumscope::core::{Command, Op, Slot};
use yew::prelude::*;

/// Most slots shown, the latest ones, and the slot of a violation.
const COLUMNS: usize = 5;

/// The panel; nothing for protocols without a log.
pub fn log(context: &RunContext, view: &ViewModel, details: Option<Details>) -> Html {
    if !has_log(context.variant.card) {
        return html! {};
    }
    let columns = columns(view);
    let epoch = context.variant.card.epoch;
    let violated = view.violation.as_ref().and_then(|violation| violation.slot);
    let slot_head = |(_, slot): &(usize, Slot)| {
        let class = if violated == Some(*slot) { "violated" } else { "" };
        html::head("col", class, vec![html::text(slot.to_string())])
    };
    let mut heads = vec![html::head("col", "", vec![html::text("Slot")])];
    heads.extend(columns.iter().map(slot_head));
    let shown = view.nodes.iter().filter(|node| node.member || node.status.is_some());
    let table = vec![
        html::tag("thead", "", vec![html::tag("tr", "", heads)]),
        html::tag("tbody", "", shown.map(|node| row(node, &columns, epoch, details)).collect()),
    ];
    let state = |state: SlotState| {
        let content = vec![html::tag("i", state.name(), vec![]), html::text(state.name())];
        svg::element("span", &["title"], vec![state_name(state).into()], content)
    };
    let mut key: Vec<Html> = [SlotState::Held, SlotState::Committed, SlotState::Applied].map(state).into();
    if view.nodes.iter().any(|node| node.slots.iter().any(|slot| slot.agreement != Agreement::Same)) {
        key.push(html::words("span", "", "≠ replicas disagree"));
    }
    let example = format!("c1#5 k3 {}2: fifth command of client 1, on key 3, of {epoch} 2", initial(epoch));
    key.push(html::words("span", "", example));
    let scroll = svg::element(
        "div",
        &["class", "tabindex", "role", "aria-label"],
        ["scroll", "0", "region", "Log"].map(AttrValue::from).into(),
        vec![html::tag("table", "", table)],
    );
    html::tag(
        "section",
        "panel logs",
        vec![html::heading("Log", "slot by slot"), scroll, html::tag("p", "note key", key)],
    )
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

fn row(node: &NodeView, columns: &[(usize, Slot)], epoch: &str, details: Option<Details>) -> Html {
    let whole = |content: String| {
        let values = vec!["whole".into(), columns.len().to_string().into()];
        svg::element("td", &["class", "colspan"], values, vec![html::text(content)])
    };
    let number = vec![html::words("span", "unseen", "Node "), html::words("b", "", text::number(node.id).to_string())];
    let mut cells = vec![html::head("row", "", number)];
    match (node.status, node.behind) {
        (None, _) => cells.push(whole("down".to_owned())),
        (Some(_), Some(last)) => cells.push(whole(format!("…{last}"))),
        _ => cells.extend(columns.iter().map(|(index, _)| cell(&node.slots[*index], epoch, details))),
    }
    html::tag("tr", "", cells)
}

fn cell(slot: &SlotView, epoch_word: &str, details: Option<Details>) -> Html {
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
            // In full once the chunk that can say it is there.
            let in_full = |command| details.map_or_else(|| self::value(command), |details| (details.command)(command));
            let full = command.map_or("a change of the members".to_owned(), in_full);
            let title =
                format!("Slot {}: {full}, {}, {}", slot.slot, text::epoch(epoch_word, epoch), state_name(slot.state));
            (value, format!("{what}{}{epoch}", initial(epoch_word)), title)
        }
        None if slot.state == SlotState::Empty => return html::tag("td", "empty", vec![]),
        None => ("·".to_owned(), String::new(), format!("Slot {}: in a snapshot", slot.slot)),
    };
    let disagreement = match slot.agreement {
        Agreement::Same => "",
        Agreement::Differs => ". Another replica holds something else, which is not committed on both",
        Agreement::Conflict => ". Another replica has committed something else",
    };
    let class = match mark {
        Some(mark) => format!("{} {mark}", slot.state.name()).into(),
        None => AttrValue::from(slot.state.name()),
    };
    let value = if mark.is_some() { format!("≠ {value}") } else { value };
    let content = vec![html::words("b", "", value), html::words("small", "", detail)];
    svg::element("td", &["class", "title"], vec![class, format!("{title}{disagreement}").into()], content)
}

fn state_name(state: SlotState) -> &'static str {
    match state {
        SlotState::Empty => "empty",
        SlotState::Held => "held, not known to be committed",
        SlotState::Committed => "committed",
        SlotState::Applied => "applied",
        SlotState::Aborted => "aborted",
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
