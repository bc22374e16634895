//! Set-up dialog: regions and replicas, workload, network, protocol settings and rules of a scenario. What it offers comes from the
//! variant and the lab; nothing here knows a protocol.

mod draft;
mod figure;
mod regions;
mod settings;
mod text;
mod workload;

use super::DialogFrame;
use crate::elements::controls::{button, press};
use crate::page_action::PageAction;
use crate::run::context::RunContext;
use draft::{Draft, Unparsed};
use quorumscope::lab::document::lines::to_lines;
use quorumscope::lab::{Problem, Scenario};
use std::rc::Rc;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// Draws the dialog.
pub type View = fn(Props) -> Html;

/// Where this chunk begins.
#[wasm_split(setup, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(|props| html! { <Setup ..props /> })
}

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run now.
    pub context: Rc<RunContext>,
    /// The scenario of the run: with replicas at the sites to which they have been moved, and with what was done by hand in its script.
    pub scenarios: Rc<(Scenario, Scenario)>,
    /// Takes actions.
    pub on: Callback<PageAction>,
}

#[component]
pub fn Setup(props: &Props) -> Html {
    let Props { context, scenarios, on } = props;
    let draft = use_state(|| scenarios.0.clone());
    let as_text = use_state(|| None::<String>);
    let change = {
        let draft = draft.clone();
        Callback::from(move |scenario: Scenario| draft.set(scenario))
    };
    let unparsed = use_state(Unparsed::default);
    let mut problems: Vec<Problem> = draft::problems(&unparsed).collect();
    problems.extend(draft.check_with(Some(context.variant)).err().into_iter().flat_map(|wrong| wrong.0));
    let fields = Draft { scenario: &draft, change: &change, unparsed: &unparsed, problems: &problems };
    let close = on.reform(|()| PageAction::Open(None));
    let run = {
        let (draft, on) = (draft.clone(), on.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            on.emit(PageAction::Run(Rc::new((*draft).clone())));
        })
    };
    let variant = context.variant;
    if let Some(text) = &*as_text {
        let back = {
            let (as_text, draft) = (as_text.clone(), draft.clone());
            Callback::from(move |scenario: Scenario| {
                draft.set(scenario);
                as_text.set(None);
            })
        };
        let same = move |scenario: Scenario| back.emit(scenario);
        return html! {
            <DialogFrame title="The scenario as text" on_close={close}>
                <form onsubmit={|event: SubmitEvent| event.prevent_default()}>
                    <text::AsText context={context.clone()} text={text.clone()} back={same} on={on.clone()} />
                </form>
            </DialogFrame>
        };
    }
    let write = {
        let (as_text, draft, scenarios) = (as_text.clone(), draft.clone(), scenarios.clone());
        Callback::from(move |()| {
            // What was changed in the form is not lost; otherwise the script has what was done by hand.
            let (unchanged, scripted) = &*scenarios;
            let shown = if *draft == *unchanged { scripted } else { &*draft };
            as_text.set(Some(to_lines(shown)));
        })
    };
    html! {
        <DialogFrame title="Set up" on_close={close.clone()}>
            <form onsubmit={run}>
                <div class="scroll">
                    <p class="card"><strong>{ variant.card.title }</strong>{ ". " }{ variant.card.says }{ " " }<cite>{ variant.card.paper }</cite></p>
                    <figure::Figure key={variant.card.key} {variant} />
                    { regions::regions(&fields) }
                    { workload::workload(&fields) }
                    { workload::network(&fields) }
                    { settings::settings(variant, &fields) }
                    { settings::rules(variant.rules(), &draft, &change) }
                </div>
                <footer>
                    <div class="problems" role="status">
                        if !problems.is_empty() {
                            <ul>{ for problems.iter().take(4).map(|problem| html! { <li>{ in_page_words(problem) }</li> }) }</ul>
                        }
                    </div>
                    { button("As text…", press(&write)) }
                    { button("Cancel", press(&close)) }
                    <button type="submit" class="primary" disabled={!problems.is_empty()}>{ "Run from the start" }</button>
                </footer>
            </form>
        </DialogFrame>
    }
}

/// A problem with the name of its field in this dialog, where there is one.
fn in_page_words(problem: &Problem) -> String {
    let path = draft::without_index(&problem.field);
    let field = workload::text_fields().find(|field| field.path == path).map(|field| field.name.to_owned());
    let name = match path.as_str() {
        "" => return problem.says.clone(),
        "replicas" => "Replicas".to_owned(),
        path => match path.strip_prefix("settings.") {
            Some(key) => settings::plain(key),
            None => field.unwrap_or_else(|| problem.field.clone()),
        },
    };
    format!("{name}: {}", draft::sentence(problem))
}
