//! The branches of a run, one line each: when it parted, how far it got, and which one is on screen. Choosing one goes over to it.

use super::controls::click;
use super::words;
use crate::page_action::PageAction;
use crate::run::ViewModel;
use quorumscope::core::Micros;
use yew::prelude::*;

/// Shows them, if there are several; on the same scale as the line of time.
pub fn branches(view: &ViewModel, on: &Callback<PageAction>) -> Html {
    let all = view.span.max(1);
    let percent = |at: Micros| words::hundredths(at * 10_000 / all);
    let lines = view.branches.iter().map(|branch| {
        let name = format!("Branch {}", branch.number + 1);
        let label = match branch.parted {
            Some((from, at)) => {
                format!("{name}, parted from branch {} at {}, up to {}", from + 1, words::moment_ms(at), words::moment_ms(branch.reached))
            }
            None => format!("{name}, up to {}", words::moment_ms(branch.reached)),
        };
        let begin = branch.parted.map_or(0, |(_, at)| at);
        let at = format!("margin-left: {}%", percent(begin));
        let style = format!("{at}; width: {}%", percent(branch.reached.saturating_sub(begin)));
        let pressed = if branch.present { "true" } else { "false" };
        html! {
            <button type="button" aria-pressed={pressed} aria-label={label.clone()} title={label} onclick={click(on, PageAction::Branch(branch.number))}>
                <b style={at}>{ branch.number + 1 }</b><span {style}></span>
            </button>
        }
    });
    html! { <div class="branches" role="group" aria-label="Branches of this run">{ for lines }</div> }
}
