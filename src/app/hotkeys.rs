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
    Present,
    Leave,
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
    (Hotkey::Help, &["?"], "?", "this help"),
];

/// What the key of this name does.
pub fn hotkey(key: &str) -> Option<Hotkey> {
    HOTKEYS.iter().find(|(_, keys, ..)| keys.contains(&key)).map(|(hotkey, ..)| *hotkey)
}

#[cfg(test)]
mod tests {
    use super::HOTKEYS;

    #[test]
    fn no_key_does_two_things() {
        let mut keys: Vec<&str> = HOTKEYS.iter().flat_map(|(_, keys, ..)| keys.iter().copied()).collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
