//! What can be done to a replica, a site or the links between two sites: the keyboard's and the finger's way to everything that can
//! be dragged or clicked.

use super::controls::click;
use super::{fault_menu, words};
use crate::page_action::{PageAction, Target};
use crate::run::view::{Crown, NodeView};
use crate::run::{RunContext, ViewModel};
use crate::stage::geometry::Point;
use crate::web::browser;
use quorumscope::core::NodeId;
use quorumscope::sim::Action;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// How wide a menu is, as in the style sheet, CSS pixels.
const WIDTH: f64 = 232.5;
/// How far beside what it is about, and above its middle, a menu begins, CSS pixels.
const ASIDE: f64 = 40.0;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What it is about.
    pub target: Target,
    /// Where that is, CSS pixels from the stage's corner.
    pub at: Point,
    /// Size of the stage, CSS pixels.
    pub room: Point,
    /// What is run.
    pub context: Rc<RunContext>,
    /// What it looks like now.
    pub view: Rc<ViewModel>,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

/// One thing that can be done.
pub struct Item {
    label: String,
    page_action: PageAction,
}

/// A few of them under one heading; without a heading, each stands by itself.
pub struct Group {
    pub heading: String,
    pub items: Vec<Item>,
    /// Seen only when more is asked for.
    pub folded: bool,
}

#[component]
pub fn Menu(props: &Props) -> Html {
    let Props { target, at, room, on, .. } = props;
    let list = use_node_ref();
    {
        let (list, target) = (list.clone(), *target);
        use_effect_with(target, move |target| {
            focus_item(&list, |_, _| 0);
            let target = *target;
            move || return_focus(target)
        });
    }
    let onkeydown = {
        let (list, on) = (list.clone(), on.clone());
        Callback::from(move |event: KeyboardEvent| {
            match event.key().as_str() {
                "Escape" | "Tab" => on.emit(PageAction::Menu(None)),
                "ArrowDown" | "ArrowRight" => focus_item(&list, |now, all| (now + 1) % all),
                "ArrowUp" | "ArrowLeft" => focus_item(&list, |now, all| (now + all - 1) % all),
                "Home" => focus_item(&list, |_, _| 0),
                "End" => focus_item(&list, |_, all| all - 1),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let unfolded = use_state(|| false);
    let onmore = {
        let unfolded = unfolded.clone();
        Callback::from(move |_: MouseEvent| unfolded.set(!*unfolded))
    };
    {
        let list = list.clone();
        use_effect_with(*unfolded, move |unfolded| {
            let more = list.cast::<Element>().and_then(|list| list.query_selector(".more").ok()?);
            // What has unfolded below the edge would not be noticed.
            more.filter(|_| *unfolded).into_iter().for_each(|more| more.scroll_into_view());
        });
    }
    let (title, mut groups) = content(props);
    groups.retain(|group| !group.items.is_empty());
    let more = groups.iter().position(|group| group.folded).map(|at| {
        let expanded = if *unfolded { "true" } else { "false" };
        let more = html! {
            <button key="more" role="menuitem" tabindex="0" class="more" aria-expanded={expanded} onclick={onmore}>{ "What else can go wrong" }</button>
        };
        (at, more)
    });
    let mut entries: Vec<Html> = Vec::new();
    for (at, group) in groups.into_iter().enumerate() {
        entries.extend(more.iter().filter(|(before, _)| *before == at).map(|(_, more)| more.clone()));
        if *unfolded || !group.folded {
            entries.push(show(at, group, on));
        }
    }
    // It opens towards the middle of the stage, where there is room; how far down, the style sheet sees to.
    let across = if at.x < room.x / 2.0 { at.x + ASIDE } else { at.x - ASIDE - WIDTH };
    let left = across.clamp(0.0, (room.x - WIDTH).max(0.0));
    html! {
        <>
            <div class="veil" onclick={click(on, PageAction::Menu(None))}></div>
            <div class="berth" style={format!("left: {left:.0}px; --down: {:.0}px", (at.y - ASIDE).max(0.0))}>
                <div class="menu" {onkeydown}>
                    <p id="menu-title">{ title }</p>
                    <div role="menu" aria-labelledby="menu-title" ref={list}>
                        { for entries }
                    </div>
                </div>
            </div>
        </>
    }
}

/// `at` is its place among all groups: what unfolds between two must not make them other elements, and lose the focus.
fn show(at: usize, Group { heading, items, .. }: Group, on: &Callback<PageAction>) -> Html {
    let items = items.into_iter().map(|Item { label, page_action }| {
        html! { <button role="menuitem" tabindex="0" onclick={click(on, page_action)}>{ label }</button> }
    });
    if heading.is_empty() {
        return html! { <key={at}>{ for items }</> };
    }
    html! {
        <div key={at} role="group" aria-label={heading.clone()} class="row">
            <span aria-hidden="true">{ heading }</span>
            { for items }
        </div>
    }
}

fn content(props: &Props) -> (String, Vec<Group>) {
    match props.target {
        Target::Node(id) => match props.view.nodes.get(usize::from(id.0)) {
            Some(node) => (format!("Node {}", words::number(id)), node_items(props, node)),
            None => (String::new(), Vec::new()),
        },
        Target::Site(site) => (props.context.names[site].to_string(), site_items(props, site)),
        Target::SiteLink(a, b) => {
            let names = &props.context.names;
            let pairs = between(&props.view, a, b);
            let mut groups = link_items(&pairs, "Cut every link", "Heal every link");
            let ends = |end: fn(&Pair) -> NodeId| pairs.iter().map(end).collect();
            let (from, to) = (ends(|pair| pair.0), ends(|pair| pair.1));
            groups.extend(fault_menu::on_links(&props.view, from, to));
            groups.push(fault_menu::one_way(&names[a], &names[b], from, to));
            groups.extend(fault_menu::on_messages(&props.view, from, to));
            (format!("{} and {}", names[a], names[b]), groups)
        }
    }
}

/// One thing to do to the world.
pub fn act(label: impl Into<String>, action: Action) -> Item {
    acts(label, vec![action])
}

/// Several things to do at once.
pub fn acts(label: impl Into<String>, actions: Vec<Action>) -> Item {
    Item { label: label.into(), page_action: PageAction::Act(actions) }
}

fn alone(items: Vec<Item>) -> Group {
    group("", items)
}

fn group(heading: &str, items: Vec<Item>) -> Group {
    Group { heading: heading.to_owned(), items, folded: false }
}

fn node_items(props: &Props, node: &NodeView) -> Vec<Group> {
    let id = node.id;
    let up = node.status.is_some();
    let mut first = Vec::new();
    if up && node.crown != Crown::Worn {
        first.push(act("Make it the leader", Action::HandOver(id)));
    }
    if up {
        first.push(act("Crash", Action::Crash(id)));
        first.push(acts("Crash and restart", vec![Action::Crash(id), Action::Restart(id)]));
    } else {
        first.push(act("Restart", Action::Restart(id)));
    }
    let elsewhere = (0..props.context.places.len()).filter(|site| *site != node.site);
    let moves =
        elsewhere.map(|site| act(&*props.context.names[site], Action::Move { node: id, site: site as u8 })).collect();
    let others: Vec<&NodeView> = props.view.nodes.iter().filter(|other| other.id != id && other.member).collect();
    let is_cut = |other: &&&NodeView| node.cut.has(other.id) || other.cut.has(id);
    let name = |other: &&NodeView| format!("{}", words::number(other.id));
    let cuts = others
        .iter()
        .filter(|other| !is_cut(other))
        .map(|other| act(name(other), Action::Cut { from: id, to: other.id, both: true }));
    let mut heals: Vec<Item> =
        others.iter().filter(is_cut).map(|other| act(name(other), Action::Heal(id, other.id))).collect();
    if heals.len() > 1 {
        heals.push(acts("all", others.iter().filter(is_cut).map(|other| Action::Heal(id, other.id)).collect()));
    }
    let mut cuts: Vec<Item> = cuts.collect();
    if cuts.len() > 1 {
        let open = others.iter().filter(|other| !is_cut(other));
        cuts.push(acts("all", open.map(|other| Action::Cut { from: id, to: other.id, both: true }).collect()));
    }
    let mut groups =
        vec![alone(first), group("Move to", moves), group("Cut the link to", cuts), group("Heal the link to", heals)];
    groups.extend(fault_menu::at_node(&props.view, node));
    groups.push(alone(vec![Item { label: "Remove this replica".to_owned(), page_action: PageAction::Remove(id) }]));
    groups
}

fn site_items(props: &Props, site: usize) -> Vec<Group> {
    let here: Vec<&NodeView> = props.view.nodes.iter().filter(|node| node.site == site).collect();
    let up: Vec<Action> = here.iter().filter(|node| node.status.is_some()).map(|node| Action::Crash(node.id)).collect();
    let down: Vec<Action> =
        here.iter().filter(|node| node.status.is_none()).map(|node| Action::Restart(node.id)).collect();
    let mut items = vec![
        Item { label: "Add a replica here".to_owned(), page_action: PageAction::Add(site) },
        act("Send a client's request", Action::Request { site: site as u8 }),
    ];
    if !up.is_empty() {
        items.push(acts("Crash all that is here", up));
    }
    if !down.is_empty() {
        items.push(acts("Restart what is down here", down));
    }
    let others = (0..props.context.places.len()).filter(|other| *other != site);
    let out: Vec<Pair> = others.flat_map(|other| between(&props.view, site, other)).collect();
    let mut groups = vec![alone(items)];
    groups.extend(link_items(&out, "Cut it off from the rest", "Heal its links to the rest"));
    groups.extend(fault_menu::at_site(&props.context, &props.view, site));
    groups
}

/// Two replicas, and whether their link is cut.
type Pair = (NodeId, NodeId, bool);

/// Every link between two sites.
fn between(view: &ViewModel, a: usize, b: usize) -> Vec<Pair> {
    let at = |site: usize| view.nodes.iter().filter(move |node| node.site == site);
    at(a).flat_map(|one| at(b).map(move |two| (one.id, two.id, one.cut.has(two.id) || two.cut.has(one.id)))).collect()
}

fn link_items(pairs: &[Pair], cut: &str, heal: &str) -> Vec<Group> {
    let whole = pairs.iter().filter(|(.., is_cut)| !is_cut);
    let cuts: Vec<Action> = whole.map(|&(from, to, _)| Action::Cut { from, to, both: true }).collect();
    let heals: Vec<Action> = pairs.iter().filter(|(.., is_cut)| *is_cut).map(|&(a, b, _)| Action::Heal(a, b)).collect();
    let item = |label: &str, actions: Vec<Action>| (!actions.is_empty()).then(|| acts(label, actions));
    vec![alone([item(cut, cuts), item(heal, heals)].into_iter().flatten().collect())]
}

/// Moves the focus within the menu: `next` tells which item, from which has it now and how many there are.
fn focus_item(list: &NodeRef, next: impl Fn(usize, usize) -> usize) {
    let Some(items) = list.cast::<Element>().and_then(|list| list.query_selector_all("[role=menuitem]").ok()) else {
        return;
    };
    let items: Vec<HtmlElement> = (0..items.length()).filter_map(|i| items.item(i)?.dyn_into().ok()).collect();
    if items.is_empty() {
        return;
    }
    let active = browser::document().active_element();
    let now = items.iter().position(|item| active.as_ref() == Some(item.as_ref())).unwrap_or(0);
    let _ = items[next(now, items.len())].focus();
}

/// Gives the focus back to what the menu was about.
fn return_focus(target: Target) {
    if let Ok(Some(element)) = browser::document().query_selector(&format!("[data-target={target}]")) {
        let _ = element.unchecked_into::<HtmlElement>().focus();
    }
}
