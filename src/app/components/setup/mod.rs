//! The dialog on which a scenario is put together: protocol settings and rules, regions and replicas, workload and network. All of it is
//! offered as the lab describes it; nothing here knows a protocol.

mod entry;
mod regions;
mod rules;
mod settings;
mod workload;
mod world;

use super::controls::{button, press};
use super::dialog::DialogFrame;
use crate::page_action::PageAction;
use crate::run::RunContext;
use entry::{Draft, Unread};
use quorumscope::lab::Scenario;
use std::rc::Rc;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// What draws the sheet.
pub type View = fn(Props) -> Html;

/// Where this chunk begins.
#[wasm_split(setup, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(|Props { context, scenario, on }| html! { <Setup {context} {scenario} {on} /> })
}

/// A scenario that shall be, made from the one that is.
pub type Change = Callback<Scenario>;

/// Changes a scenario by a value that a control tells.
fn edit<T: 'static>(scenario: &Scenario, change: &Change, apply: impl Fn(&mut Scenario, T) + 'static) -> Callback<T> {
    let (scenario, change) = (scenario.clone(), change.clone());
    Callback::from(move |value: T| {
        let mut scenario = scenario.clone();
        apply(&mut scenario, value);
        change.emit(scenario);
    })
}

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run now.
    pub context: Rc<RunContext>,
    /// The scenario as it is now: replicas where they have been moved to.
    pub scenario: Scenario,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

#[component]
pub fn Setup(props: &Props) -> Html {
    let Props { context, scenario, on } = props;
    let draft = use_state(|| scenario.clone());
    let change = {
        let draft = draft.clone();
        Callback::from(move |scenario: Scenario| draft.set(scenario))
    };
    let unread = use_state(Unread::default);
    let mut problems: Vec<String> = entry::complaints(&unread).collect();
    problems.extend(
        draft
            .check_with(Some(context.variant))
            .err()
            .into_iter()
            .flat_map(|wrong| wrong.0)
            .map(|problem| problem.to_string()),
    );
    let fields = Draft { scenario: &draft, change: &change, unread: &unread };
    let close = on.reform(|()| PageAction::Open(None));
    let run = {
        let (draft, on) = (draft.clone(), on.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            on.emit(PageAction::Run(Box::new((*draft).clone())));
        })
    };
    let variant = context.variant;
    html! {
        <DialogFrame title="Set up" on_close={close.clone()}>
            <form onsubmit={run}>
                <div class="scroll">
                    <p class="card"><strong>{ variant.card.title }</strong>{ ". " }{ variant.card.says }{ " " }<cite>{ variant.card.paper }</cite></p>
                    { regions::regions(&draft, &change) }
                    { workload::workload(&fields) }
                    { world::world(&fields) }
                    { settings::settings(variant.settings, &draft, &change) }
                    { rules::rules(variant.rules(), &draft, &change) }
                </div>
                <footer>
                    <div class="problems" role="status">
                        if !problems.is_empty() {
                            <ul>{ for problems.iter().take(4).map(|problem| html! { <li>{ problem }</li> }) }</ul>
                        }
                    </div>
                    { button("Cancel", press(&close)) }
                    <button type="submit" class="primary" disabled={!problems.is_empty()}>{ "Run from the start" }</button>
                </footer>
            </form>
        </DialogFrame>
    }
}
