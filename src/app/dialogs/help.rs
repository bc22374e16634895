//! Help dialog: gestures, keys, and parameters of the address.

use super::DialogFrame;
use crate::elements::controls::checkbox;
use crate::hotkeys::{DIAGRAM_KEYS, HOTKEYS};
use crate::web::options::PARAMETERS;
use crate::web::parameters::Declared;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use yew::prelude::*;

/// What draws the sheet: whether keys are on, what is told when that shall change, and when the sheet is closed.
pub type View = fn(bool, Callback<bool>, Callback<()>) -> Html;

/// Where this chunk begins.
#[wasm_split(help, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(help)
}

/// Keys that only do something where the focus is.
const FOCUSED_KEYS: &[(&str, &str)] = &[
    ("Tab, Enter", "choose a replica, a site or a link, and see what can be done to it; Escape closes"),
    ("Arrow keys", "go along tabs, menus and moments; on the time line, through time"),
];

const GESTURES: &[(&str, &str)] = &[
    (
        "Drag the crown to another replica or place",
        "the leader hands its leadership over, by the protocol's own means; what each place would wait then is told before you let go",
    ),
    ("Drag a replica to another site", "it moves there; its messages take the new distances"),
    (
        "Drag in the space-time diagram",
        "totals of that time; with a finger it moves, and two fingers zoom, as the wheel does with Ctrl; with Shift the mouse moves it; a click on a message selects it, one beside goes to that moment",
    ),
    ("Drag the time line", "back to any moment; what you do there begins a branch of the run, and the old one stays"),
    (
        "Click or tap a replica, a place's name, or a round trip",
        "crash, pause, cut, heal, add, remove; and all else that can go wrong with disks, clocks, links and messages",
    ),
];

/// The dialog. `keys`: whether single keys work wherever the focus is.
pub fn help(keys: bool, on_keys: Callback<bool>, on_close: Callback<()>) -> Html {
    let rows = |rows: &[(&'static str, &'static str)]| {
        rows.iter().map(|(what, says)| row((*what).into(), (*says).into())).collect::<Html>()
    };
    let parameter = |parameter: &&dyn Declared| {
        row(
            html! { <code>{ parameter.name() }</code> },
            format!("{}; otherwise {}", parameter.says(), parameter.default()).into(),
        )
    };
    html! {
        <DialogFrame title="Help" {on_close}>
            <p>{ "Real protocols run here in a simulated network. Dots are messages; each takes as long as its distance says, slowed down so that you can follow. Under each replica is its log: dark is executed, grey is committed, blue is only written down, a red frame marks slots in which replicas decided differently, and …74 is the last slot of a log that is far behind. The ring around a replica fills as it gathers answers." }</p>
            <h3>{ "Mouse and finger" }</h3>
            <dl>{ rows(GESTURES) }</dl>
            <h3>{ "Keys" }</h3>
            <dl>{ for HOTKEYS.iter().map(|(_, _, name, says)| row((*name).into(), (*says).into())) }{ rows(FOCUSED_KEYS) }</dl>
            <h3>{ "Keys in the space-time diagram" }</h3>
            <dl>{ for DIAGRAM_KEYS.iter().map(|(_, _, name, says)| row((*name).into(), (*says).into())) }</dl>
            <p><label>{ checkbox(None, keys, on_keys) }{ " Single keys do this wherever the focus is" }</label></p>
            <h3>{ "In the address" }</h3>
            <p>{ "The address always describes what is on screen: copy it, and whoever opens it sees the same moment of the same run. For a frame in your own page, add parameters, as in " }<code>{ "?embed&theme=dark" }</code>{ ":" }</p>
            <dl>{ for PARAMETERS.iter().map(parameter) }</dl>
        </DialogFrame>
    }
}

fn row(what: Html, says: Html) -> Html {
    html! { <><dt>{ what }</dt><dd>{ says }</dd></> }
}
