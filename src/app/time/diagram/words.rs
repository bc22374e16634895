//! The diagram in words: a message in a sentence, the messages of a window as a list, and what a span of time amounts to.

use super::scene::sign;
use crate::elements::controls::click;
use crate::elements::text;
use crate::page_action::PageAction;
use crate::web::browser;
use quorumscope::core::{Kind, Micros};
use quorumscope::lab::run::diagram::{Fate, History, Lane, Message, MessageKind, Totals};
use quorumscope::universe::ReplyKind;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;
use yew::prelude::*;

/// Most messages in the list.
pub const LISTED: usize = 200;

/// What messages and lanes are called.
pub struct Names<'a> {
    pub kinds: &'a [Kind],
    pub places: &'a [AttrValue],
}

impl Names<'_> {
    /// A lane in words.
    pub fn lane(&self, lane: Lane) -> String {
        match lane {
            Lane::Node(node) => format!("node {}", text::number(node)),
            Lane::Clients(site) => match self.places.get(usize::from(site)) {
                Some(place) => format!("a client in {place}"),
                None => "a client".to_owned(),
            },
        }
    }

    /// A kind in words.
    pub fn kind(&self, kind: MessageKind) -> String {
        match kind {
            MessageKind::Protocol(kind) => {
                self.kinds.get(usize::from(kind.0)).map_or("message", |kind| kind.name).to_owned()
            }
            MessageKind::Request => "Request".to_owned(),
            MessageKind::Reply(ReplyKind::Answered) => "Answer".to_owned(),
            MessageKind::Reply(ReplyKind::Refused) => "Refusal".to_owned(),
            MessageKind::Reply(ReplyKind::Redirected(to)) => format!("Redirection to node {}", text::number(to)),
        }
    }

    /// The sign of a kind, as on the stage.
    fn dot(&self, kind: MessageKind) -> Html {
        match kind {
            MessageKind::Protocol(kind) => self.kinds.get(usize::from(kind.0)).map_or_else(Html::default, |kind| {
                html! { <i class={format!("dot on-{}", text::phase(kind.phase))} aria-hidden="true">{ kind.letter }</i> }
            }),
            client => html! { <i class="dot square" aria-hidden="true">{ sign(client) }</i> },
        }
    }

    /// A message in a sentence.
    pub fn sentence(&self, message: &Message) -> String {
        let slot = if message.slot > 0 { format!(", slot {}", message.slot) } else { String::new() };
        let (kind, from, to) = (self.kind(message.kind), self.lane(message.from), self.lane(message.to));
        let size = text::count(message.bytes as usize, "byte");
        let way = text::latency(message.arrives - message.sent);
        let became = match message.fate {
            Fate::Delivered => format!("arrived after {way}"),
            Fate::Lost => "got lost".to_owned(),
            Fate::Held => "is held".to_owned(),
            Fate::UnderWay => format!("takes {way}"),
            Fate::Unsent => "never left".to_owned(),
        };
        format!("{kind} from {from} to {to}{slot}: left at {}, {became}; {size}", text::moment(message.sent))
    }

    /// The messages of a window as a list of buttons; each selects its message. One stop of the Tab key, arrow keys go along.
    pub fn list(
        &self,
        history: &History,
        (from, until): (Micros, Micros),
        selected: Option<usize>,
        lane: Option<Lane>,
        choose: &Callback<usize>,
    ) -> Html {
        let of_lane = |message: &Message| lane.is_none_or(|lane| message.from == lane || message.to == lane);
        let mut all: Vec<(usize, &Message)> =
            history.window(from, until).filter(|(_, message)| message.sent >= from && of_lane(message)).collect();
        all.sort_by_key(|(_, message)| message.sent);
        let count = all.len();
        let first = all.first().map(|(number, _)| *number);
        let stop =
            all.iter().map(|(number, _)| *number).take(LISTED).find(|number| Some(*number) == selected).or(first);
        let rows = all.into_iter().take(LISTED).map(|(number, message)| {
            let tabindex = if Some(number) == stop { "0" } else { "-1" };
            let pressed = if Some(number) == selected { "true" } else { "false" };
            let onclick = choose.reform(move |_: MouseEvent| number);
            html! {
                <li key={number}><button type="button" {tabindex} aria-pressed={pressed} {onclick}>{ self.dot(message.kind) }<span>{ self.sentence(message) }</span></button></li>
            }
        });
        let told = match count {
            0 => "No message was sent in this window.".to_owned(),
            _ if count > LISTED => format!(
                "{count} messages were sent in this window. Here are the first {LISTED}; zoom in for the others."
            ),
            _ => format!("{} sent in this window, in order.", text::count(count, "message")),
        };
        html! {
            <div class="list">
                <p class="note">{ told }</p>
                <ol aria-label="Messages in the window" onkeydown={along}>{ for rows }</ol>
            </div>
        }
    }

    /// What a span of time amounts to: one line, then each kind.
    pub fn totals(&self, totals: &Totals, (from, until): (Micros, Micros), of_part: bool) -> Html {
        let what = if of_part { "Marked" } else { "In sight" };
        let kinds = totals.kinds.iter().map(|of| {
            let way = of.way.map(|way| format!(" · {}", text::latency(way))).unwrap_or_default();
            let lost = if of.lost > 0 { format!(" · {} lost", of.lost) } else { String::new() };
            let name = match of.kind {
                MessageKind::Reply(_) => "Reply".to_owned(),
                kind => self.kind(kind),
            };
            html! { <li>{ self.dot(of.kind) }<b>{ name }</b>{ format!(" {} · {}{way}{lost}", of.messages, bytes(of.bytes)) }</li> }
        });
        html! {
            <div class="totals">
                <p>{ format!("{what}: ") }{ totals_text(totals, from, until) }</p>
                <ul aria-label="By kind: messages, bytes, median of the times on the way">{ for kinds }</ul>
            </div>
        }
    }
}

/// What a span of time amounts to, in one line.
pub fn totals_text(totals: &Totals, from: Micros, until: Micros) -> String {
    let mut text = format!(
        "{} · {} · {}",
        text::latency(until.saturating_sub(from)),
        text::count(totals.messages() as usize, "message"),
        bytes(totals.bytes())
    );
    if totals.lost() > 0 {
        text += &format!(" · {} lost", totals.lost());
    }
    if totals.decisions > 0 {
        text += &format!(" · {}", text::count(totals.decisions as usize, "decision"));
    }
    if let Some((median, longest)) = totals.latency {
        let (answered, median, longest) = (totals.answered, text::latency(median), text::latency(longest));
        text += &format!(" · {answered} answered, median {median}, longest {longest}");
    }
    text
}

/// A size: `120 B`, `3.4 kB`, `1.2 MB`.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// Arrow keys, Home and End move the focus along the list.
fn along(event: KeyboardEvent) {
    let Ok(all) = browser::document().query_selector_all(".diagram .list button") else { return };
    let all: Vec<HtmlElement> = (0..all.length()).filter_map(|i| all.get(i)?.dyn_into().ok()).collect();
    let focus = browser::document().active_element();
    let at = all.iter().position(|one| focus.as_ref() == Some(one)).unwrap_or(0);
    let last = all.len().saturating_sub(1);
    let to = match event.key().as_str() {
        "ArrowRight" | "ArrowDown" => (at + 1).min(last),
        "ArrowLeft" | "ArrowUp" => at.saturating_sub(1),
        "Home" => 0,
        "End" => last,
        _ => return,
    };
    event.prevent_default();
    event.stop_propagation();
    if let Some(next) = all.get(to) {
        let _ = next.focus();
    }
}

/// A button of the diagram's own row.
pub fn button(word: &'static str, title: &'static str, pressed: Option<bool>, onclick: Callback<MouseEvent>) -> Html {
    let pressed = pressed.map(|pressed| if pressed { "true" } else { "false" });
    html! { <button type="button" {title} aria-pressed={pressed} {onclick}>{ word }</button> }
}

/// The button that lets the diagram down.
pub fn close(on: &Callback<PageAction>) -> Html {
    button("Close", "The time line as it was (Escape)", None, click(on, PageAction::Diagram(false)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorumscope::core::{KindId, NodeId};
    use quorumscope::sim::action::FlightId;
    use quorumscope::universe;

    #[test]
    fn message_is_told_with_all_that_its_line_shows() {
        let message = Message {
            id: FlightId::ClientMessage(0),
            from: Lane::Node(NodeId(0)),
            to: Lane::Clients(1),
            kind: MessageKind::Protocol(KindId(0)),
            fate: Fate::Lost,
            client: None,
            slot: 7,
            bytes: 1,
            sent: 9_326_118,
            arrives: 9_389_118,
            sent_in: 1,
            ended_in: 2,
        };
        let kinds = universe::variant("raft").unwrap().kinds;
        let names = Names { kinds, places: &["Virginia".into(), "Oregon".into()] };
        let told = names.sentence(&message);
        assert!(
            told.ends_with("from node 1 to a client in Oregon, slot 7: left at 9.326 118 s, got lost; 1 byte"),
            "{told}"
        );
        let arrived = names.sentence(&Message { fate: Fate::Delivered, ..message });
        assert!(arrived.contains("arrived after 63 ms"), "{arrived}");
    }

    #[test]
    fn sizes_have_three_digits_or_so() {
        assert_eq!([0, 999, 1_000, 12_345, 1_234_567].map(bytes), ["0 B", "999 B", "1.0 kB", "12.3 kB", "1.2 MB"]);
    }
}
