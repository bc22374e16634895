//! How the subject of the inspector is shown: heading, sentences, rules, state before and after, what was sent, messages in flight.

use super::subject::{Step, Subject};
use super::tree;
use crate::elements::controls::click;
use crate::elements::text;
use crate::page_action::{PageAction, Selected, Target};
use crate::run::context::RunContext;
use crate::run::view_model::ViewModel;
use quorumscope::core::{NodeId, Rule};
use quorumscope::sim::world::Flight;
use quorumscope::universe::inspect::{Field, Inspector, StateText};
use quorumscope::universe::{End, ReplyKind};
use yew::prelude::*;

/// Draws it.
pub fn subject(
    context: &RunContext,
    view: &ViewModel,
    subject: &Subject,
    selected: Option<Selected>,
    inspector: &Inspector,
    on: &Callback<PageAction>,
) -> Html {
    let what = match (&subject.flight, subject.node) {
        (Some((flight, content)), _) => message(context, view, flight, content, on),
        (None, Some(node)) => node_heading(context, view, node, on),
        (None, None) => html! {
            <p class="note">{ "The last event. Select a node or a message, on the map or below, to see its own." }</p>
        },
    };
    let step = subject.step.as_ref().map(|step| self::step(view, step, subject, inspector, on));
    let idle = (subject.step.is_none() && subject.node.is_some())
        .then(|| html! { <p class="note">{ "It has done nothing of late." }</p> });
    let nobody = selected.is_some().then(|| {
        html! { <button type="button" class="small" onclick={click(on, PageAction::Select(None))}>{ "Show the last event" }</button> }
    });
    html! { <>{ what }{ for step }{ for idle }{ state(subject) }{ flights(context, view, subject, selected, on) }{ for nobody }</> }
}

/// A node: what it is now, and then what can be done with it.
fn node_heading(context: &RunContext, view: &ViewModel, id: NodeId, on: &Callback<PageAction>) -> Html {
    let number = text::number(id);
    let node = view.nodes.get(usize::from(id.0));
    let place = node.and_then(|node| context.names.get(node.site)).cloned().unwrap_or_default();
    let now = match node.and_then(|node| node.status) {
        None => "down".to_owned(),
        Some(status) => {
            let log = match status.log.last {
                0 => String::new(),
                last => format!(", log up to {last}, committed up to {}", status.log.committed),
            };
            format!("{}, {}{log}", status.role, text::epoch(context.variant.card.epoch, status.epoch))
        }
    };
    html! {
        <header>
            <h2>{ format!("Node {number}") }<small>{ place }</small></h2>
            <p>{ now }</p>
            <button type="button" class="small" onclick={click(on, PageAction::Menu(Some(Target::Node(id))))}>{ format!("Act on node {number}…") }</button>
        </header>
    }
}

/// A message on its way: what it is, from whom to whom, when it arrives, what it carries.
fn message(
    context: &RunContext,
    view: &ViewModel,
    flight: &Flight,
    content: &[Field],
    on: &Callback<PageAction>,
) -> Html {
    let says = flight.kind.and_then(|kind| view.kinds.get(usize::from(kind.0))).map(|kind| {
        let alias = if kind.alias.is_empty() { String::new() } else { format!(" ({})", kind.alias) };
        format!("{}{alias}: the sender {}.", kind.name, kind.says)
    });
    let when = match flight {
        Flight { held: true, .. } => "It is held back.".to_owned(),
        Flight { sent, .. } if *sent > view.time => {
            format!("It leaves in {}, when it is on the disk.", text::latency(sent - view.time))
        }
        Flight { sent, arrives, will_drop, .. } => {
            let way = format!("Sent {} ago", text::latency(view.time - sent));
            let rest = text::latency(arrives.saturating_sub(view.time));
            if *will_drop { format!("{way}. It gets lost.") } else { format!("{way}, arrives in {rest}.") }
        }
    };
    let receiver = match flight.to {
        End::Node(node) => Some(html! {
            <button type="button" class="small" onclick={click(on, PageAction::Select(Some(Selected::Node(node))))}>{ format!("Inspect node {}", text::number(node)) }</button>
        }),
        End::Client(_) => None,
    };
    html! {
        <header>
            <h2>{ name(view, flight) }<small>{ route(context, flight) }</small></h2>
            if let Some(says) = says { <p>{ says }</p> }
            <p>{ when }</p>
            if !content.is_empty() {
                <table class="state"><caption>{ "What it carries" }</caption><tbody>{ for content.iter().map(|field| row(field, None)) }</tbody></table>
            }
            { for receiver }
        </header>
    }
}

/// The explained step: what happened and why, the rules, what changed, what was sent.
fn step(view: &ViewModel, step: &Step, subject: &Subject, inspector: &Inspector, on: &Callback<PageAction>) -> Html {
    let Step { replayed, what } = step;
    let heading = match (&subject.flight, subject.node) {
        (Some(_), _) => "Why it was sent",
        (None, Some(_)) => "What it did last",
        (None, None) => "What happened",
    };
    let moment = format!("{}, event {}", text::moment_ms(replayed.at), replayed.event);
    let there = (replayed.event != view.events).then(|| {
        html! { <button type="button" class="small" onclick={click(on, PageAction::GoTo(replayed.event))}>{ "Go there" }</button> }
    });
    // What happens while the run plays comes too fast to be read aloud.
    let live = if view.last.is_some() { "polite" } else { "off" };
    let why = replayed.why.iter().map(|why| html! { <p class="reason">{ &why.text }</p> });
    let rules = inspector.wording.rules;
    let rules = replayed.rules.iter().filter_map(|rule| rules.get(usize::from(rule.0))).map(rule);
    let changed = replayed.states.iter().map(|(node, before, after)| changes(*node, before, after));
    let own = |node: &NodeId| subject.node.is_none_or(|shown| shown == *node);
    let sent: Vec<Html> =
        replayed.effects.iter().filter(|(node, _)| own(node)).map(|(_, line)| html! { <li>{ line }</li> }).collect();
    html! {
        <>
            <h3>{ heading }<small>{ moment }</small></h3>
            <div class="because" aria-live={live}><p>{ what }</p>{ for why }</div>
            { for there }
            <ul class="applied">{ for rules }</ul>
            { for changed }
            if !sent.is_empty() { <h3>{ "Sent and set" }</h3><ul class="effects">{ for sent }</ul> }
        </>
    }
}

/// A rule: what it says, where it is from, and what breaks without it.
fn rule(rule: &'static Rule) -> Html {
    html! {
        <li>
            <b>{ rule.title }</b>
            <span>{ rule.says }</span>
            <cite>{ rule.source }{ rule.without.map(|breaks| format!(" · without it: {breaks}")).unwrap_or_default() }</cite>
        </li>
    }
}

/// The state of a node before and after a step, what changed first.
fn changes(node: NodeId, before: &StateText, after: &StateText) -> Html {
    let number = text::number(node);
    let (old, new) = (before.fields(), after.fields());
    let before_of = |field: &Field| old.iter().find(|it| it.name == field.name);
    let changed = |field: &Field| before_of(field).is_none_or(|it| it.value != field.value);
    let title = match (&before.whole, &after.whole) {
        (Some(_), None) => format!("Node {number} stops; this is on its disk"),
        (None, Some(_)) => format!("Node {number} starts"),
        _ => format!("Node {number}, before and after"),
    };
    let (moved, same): (Vec<&Field>, Vec<&Field>) = new.iter().partition(|field| changed(field));
    let nothing = moved.is_empty().then(|| html! { <tr><td colspan="2">{ "Nothing changed." }</td></tr> });
    let value = |field: &Field| before_of(field).map_or_else(|| "none".to_owned(), |it| it.value.clone());
    html! {
        <>
            <table class="state">
                <caption>{ title }</caption>
                <tbody>
                    { for nothing }
                    { for moved.iter().map(|field| row(field, Some(value(field)))) }
                </tbody>
            </table>
            <details>
                <summary>{ text::count(same.len(), "field") }{ " unchanged" }</summary>
                <table class="state"><tbody>{ for same.iter().map(|field| row(field, None)) }</tbody></table>
            </details>
        </>
    }
}

/// The whole present state of the selected node.
fn state(subject: &Subject) -> Html {
    if subject.state.is_empty() {
        return html! {};
    }
    html! {
        <table class="state">
            <caption>{ "All of its state now" }</caption>
            <tbody>{ for subject.state.iter().map(|field| row(field, None)) }</tbody>
        </table>
    }
}

/// A field; with a value before, it has changed.
fn row(Field { name, value, durable }: &Field, before: Option<String>) -> Html {
    let disk = durable.then(|| html! { <small title="On the disk: it survives a crash">{ "disk" }</small> });
    let class = before.is_some().then_some("changed");
    html! { <tr {class}><th scope="row">{ name }{ for disk }</th><td>{ tree::value(value, before.as_deref()) }</td></tr> }
}

/// The messages in flight as a list, for keyboard and screen reader.
fn flights(
    context: &RunContext,
    view: &ViewModel,
    subject: &Subject,
    selected: Option<Selected>,
    on: &Callback<PageAction>,
) -> Html {
    let (soonest, all) = &subject.in_flight;
    let more = all - soonest.len();
    let item = |flight: &Flight| {
        let select = Selected::Message { id: flight.id, from: flight.from };
        let pressed = if selected == Some(select) { "true" } else { "false" };
        let when = text::latency(flight.arrives.saturating_sub(view.time));
        let key = format!("{:?}", flight.id);
        html! {
            <li {key}><button type="button" aria-pressed={pressed} onclick={click(on, PageAction::Select(Some(select)))}>
                { name(view, flight) }<small>{ format!("{}, in {when}", route(context, flight)) }</small>
            </button></li>
        }
    };
    html! {
        <section aria-label="Messages in flight">
            <h3>{ "In flight" }<small>{ text::count(*all, "message") }</small></h3>
            <ul class="flights">{ for soonest.iter().map(item) }</ul>
            if more > 0 { <p class="note">{ format!("and {more} more that arrive later") }</p> }
        </section>
    }
}

pub(super) fn name(view: &ViewModel, flight: &Flight) -> String {
    match (flight.kind, flight.reply) {
        (Some(kind), _) => view.kinds.get(usize::from(kind.0)).map_or("message", |kind| kind.name).to_owned(),
        (None, None) => "Request".to_owned(),
        (None, Some(ReplyKind::Answered)) => "Answer".to_owned(),
        (None, Some(ReplyKind::Refused)) => "Refusal".to_owned(),
        (None, Some(ReplyKind::Redirected(to))) => format!("Redirect to node {}", text::number(to)),
    }
}

pub(super) fn route(context: &RunContext, flight: &Flight) -> String {
    let end = |end: End| match end {
        End::Node(node) => format!("node {}", text::number(node)),
        End::Client(site) => {
            format!("a client in {}", context.names.get(usize::from(site)).cloned().unwrap_or_default())
        }
    };
    format!("{} to {}", end(flight.from), end(flight.to))
}
