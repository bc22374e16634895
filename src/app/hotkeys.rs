//! Single keys that do something wherever the focus is: declared here, once. `pages/keyboard.rs` does what they say, and the help lists them.

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hotkey {
    Play,
    Chapter(bool),
    Step,
    Back,
    Restart,
    Pace(bool),
    Request,
    RestartLeader,
    Text,
    Inspect,
    Moments,
    Diagram,
    Present,
    Leave,
    Undo,
    Redo,
    Help,
}

/// The keys: what each does, its names as the browser has them, its name in the help, and what the help says.
pub const HOTKEYS: &[(Hotkey, &[&str], &str, &str)] = &[
    (Hotkey::Play, &[" "], "Space", "play and pause"),
    (
        Hotkey::Chapter(true),
        &["."],
        ".",
        "to the next moment that matters: a fault, a new leader, a violation, the first answer after an outage",
    ),
    (Hotkey::Chapter(false), &[","], ",", "to the one before"),
    (Hotkey::Moments, &["m", "M"], "M", "into the moments that matter; arrow keys go along, Enter goes there"),
    (
        Hotkey::Diagram,
        &["d", "D"],
        "D",
        "into the space-time diagram: the time line, pulled up; its own keys work while the focus is in it",
    ),
    (Hotkey::Step, &["s", "S", "ArrowRight"], "S or →", "one event on"),
    (Hotkey::Back, &["ArrowLeft"], "←", "one event back"),
    (Hotkey::Restart, &["Home"], "Home", "back to where the scenario opened; once more: to its start"),
    (Hotkey::Pace(true), &["+", "="], "+", "faster"),
    (Hotkey::Pace(false), &["-"], "−", "slower"),
    (Hotkey::Request, &["c", "C"], "C", "a client asks once more"),
    (Hotkey::RestartLeader, &["r", "R"], "R", "crash the leader and start it again"),
    (Hotkey::Text, &["t", "T"], "T", "into the view that tells all of it in words"),
    (
        Hotkey::Inspect,
        &["i", "I"],
        "I",
        "into the inspector: the last event or what is selected, its rules, the messages in flight",
    ),
    (
        Hotkey::Present,
        &["p", "P"],
        "P",
        "present: stage, sentence and controls alone, in large letters, as on a projector",
    ),
    (Hotkey::Leave, &["Escape"], "Esc", "stop what takes long: the run is where it was before; leave a presentation"),
    (Hotkey::Undo, &["Ctrl+z"], "Ctrl+Z", "take back what was done by hand last, with what came of it"),
    (Hotkey::Redo, &["Ctrl+Z", "Ctrl+y"], "Ctrl+Shift+Z", "do it again"),
    (Hotkey::Help, &["?"], "?", "this help"),
];

/// What a key does while the focus is in the space-time diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiagramKey {
    Zoom(bool),
    Pan(bool),
    Focus,
    Message(bool),
    Lane(bool),
    Select,
    Pin,
    From,
    Until,
    Leave,
}

/// The same for these: they go before those above.
pub const DIAGRAM_KEYS: &[(DiagramKey, &[&str], &str, &str)] = &[
    (DiagramKey::Zoom(true), &["w", "W"], "W", "closer"),
    (DiagramKey::Zoom(false), &["s", "S"], "S", "farther away"),
    (DiagramKey::Pan(false), &["a", "A"], "A", "earlier"),
    (DiagramKey::Pan(true), &["d", "D"], "D", "later"),
    (
        DiagramKey::Focus,
        &["f", "F"],
        "F",
        "what is selected fills the window; with nothing selected, to the moment on screen",
    ),
    (DiagramKey::Message(true), &["ArrowRight"], "→", "the next message of the lane, told in words"),
    (DiagramKey::Message(false), &["ArrowLeft"], "←", "the one before"),
    (DiagramKey::Lane(true), &["ArrowDown"], "↓", "the next lane"),
    (DiagramKey::Lane(false), &["ArrowUp"], "↑", "the lane before; above the first, all lanes"),
    (DiagramKey::Select, &["Enter"], "Enter", "select the message or the lane, and go to its moment"),
    (DiagramKey::Pin, &["x", "X"], "X", "pin the lane to the top, or let it go"),
    (DiagramKey::From, &["["], "[", "totals from the message, or from the moment on screen"),
    (DiagramKey::Until, &["]"], "]", "totals up to there"),
    (DiagramKey::Leave, &["Escape"], "Esc", "no totals of a part; once more: the time line as it was"),
];

/// What the key of this name does in the space-time diagram.
pub fn diagram_key(key: &str) -> Option<DiagramKey> {
    DIAGRAM_KEYS.iter().find(|(_, keys, ..)| keys.contains(&key)).map(|(does, ..)| *does)
}

/// What the key of this name does; with Ctrl, or Command, its name begins with `Ctrl+`.
pub fn hotkey(key: &str) -> Option<Hotkey> {
    HOTKEYS.iter().find(|(_, keys, ..)| keys.contains(&key)).map(|(hotkey, ..)| *hotkey)
}

#[cfg(test)]
mod tests {
    use super::{DIAGRAM_KEYS, HOTKEYS};

    #[test]
    fn no_key_does_two_things() {
        let everywhere = HOTKEYS.iter().flat_map(|(_, keys, ..)| keys.iter().copied()).collect();
        let in_the_diagram = DIAGRAM_KEYS.iter().flat_map(|(_, keys, ..)| keys.iter().copied()).collect();
        for mut keys in [everywhere, in_the_diagram] as [Vec<&str>; 2] {
            let all = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), all);
        }
    }
}
