//! The sheet on which a scenario is put together: protocol settings and rules, regions and replicas, workload and network. All of it is
//! offered as the lab describes it; nothing here knows a protocol.

mod regions;
mod rules;
mod settings;
mod world;

use super::sheet::SheetFrame;
use crate::intent::Intent;
use crate::run::Ground;
use quorumscope::lab::Scenario;
use regions::Regions;
use rules::Rules;
use settings::Settings;
use std::rc::Rc;
use world::World;
use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run now.
    pub ground: Rc<Ground>,
    /// The scenario as it is now: replicas where they have been moved to.
    pub scenario: Scenario,
    /// What is wanted.
    pub on: Callback<Intent>,
}

#[component]
pub fn Setup(props: &Props) -> Html {
    let Props { ground, scenario, on } = props;
    let draft = use_state(|| scenario.clone());
    let change = {
        let draft = draft.clone();
        Callback::from(move |scenario: Scenario| draft.set(scenario))
    };
    let problems = draft.check().err();
    let close = on.reform(|()| Intent::Open(None));
    let run = {
        let (draft, on) = (draft.clone(), on.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            on.emit(Intent::Run(Box::new((*draft).clone())));
        })
    };
    let variant = ground.variant;
    html! {
        <SheetFrame title="Set up" on_close={close.clone()}>
            <form onsubmit={run}>
                <div class="scroll">
                    <p class="card"><strong>{ variant.card.title }</strong>{ ". " }{ variant.card.says }{ " " }<cite>{ variant.card.paper }</cite></p>
                    <Regions scenario={(*draft).clone()} change={change.clone()} />
                    <World scenario={(*draft).clone()} change={change.clone()} />
                    if !variant.settings.is_empty() {
                        <Settings settings={variant.settings} scenario={(*draft).clone()} change={change.clone()} />
                    }
                    if variant.rules.iter().any(|rule| rule.without.is_some()) {
                        <Rules rules={variant.rules} scenario={(*draft).clone()} {change} />
                    }
                </div>
                <footer>
                    <div class="problems" role="status">
                        if let Some(problems) = &problems {
                            <ul>{ for problems.0.iter().take(4).map(|problem| html! { <li>{ problem.to_string() }</li> }) }</ul>
                        }
                    </div>
                    <button type="button" onclick={close.reform(|_: MouseEvent| ())}>{ "Cancel" }</button>
                    <button type="submit" class="primary" disabled={problems.is_some()}>{ "Run from the start" }</button>
                </footer>
            </form>
        </SheetFrame>
    }
}
