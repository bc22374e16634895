//! Parameters of the address, as in `?embed&theme=dark`. What is not accepted is as if it had not been given;
//! [`parameters`](super::parameters) tell what is wrong with it.

use super::browser;
use crate::run::pace::Pace;
use web_sys::UrlSearchParams;

/// The panels beside the stage.
pub const PANELS: &[&str] = &["latency", "log", "messages", "inspect", "break"];

/// The parameters of the address, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Only the stage and its controls.
    pub embed: bool,
    /// Stage, sentence and controls alone, in large letters.
    pub present: bool,
    /// The key of the scenario to begin with.
    pub preset: Option<String>,
    /// The key of another protocol for it.
    pub variant: Option<String>,
    /// Another seed for it.
    pub seed: Option<u64>,
    /// Whether time goes by from the start, if the address says.
    pub autoplay: Option<bool>,
    /// How fast.
    pub pace: Option<Pace>,
    /// Whether to show the controls.
    pub controls: bool,
    /// Whether to show latencies.
    pub latency: bool,
    /// Whether to show the log.
    pub log: bool,
    /// Whether to show messages.
    pub messages: bool,
    /// Whether to show the inspector.
    pub inspect: bool,
    /// Whether to show rules to take away, with the search for violations.
    pub break_it: bool,
    /// Whether to show the run in words, and whether to begin with that.
    pub text: bool,
    pub begins_in_words: bool,
    /// Light or dark; `None` as the system has it.
    pub dark: Option<bool>,
}

impl Options {
    /// Reads the address of the page.
    pub fn read() -> Options {
        let search = browser::window().location().search().unwrap_or_default();
        let given = UrlSearchParams::new_with_str(&search).ok();
        Options::from(|name| given.as_ref()?.get(name))
    }

    /// Whether it asks for another run than the one to begin with.
    pub fn asks_for_another(&self) -> bool {
        self.preset.is_some() || self.variant.is_some() || self.seed.is_some()
    }

    /// Reads parameters; `get` returns the value of one, if it is given.
    fn from(get: impl Fn(&str) -> Option<String>) -> Options {
        let flag = |name: &str| match get(name)?.as_str() {
            "" | "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        };
        let word = |name: &str| get(name).filter(|word| !word.is_empty());
        let embed = flag("embed").unwrap_or(false);
        let panels = get("panels").filter(|all| all.is_empty() || all.split(',').all(|one| PANELS.contains(&one)));
        let panel = |name: &str| panels.as_ref().map_or(!embed, |panels| panels.split(',').any(|panel| panel == name));
        let (latency, log, messages, inspect) = (panel("latency"), panel("log"), panel("messages"), panel("inspect"));
        let begins_in_words = get("view").as_deref() == Some("text");
        Options {
            embed,
            present: flag("present").unwrap_or(false),
            text: begins_in_words || !embed,
            begins_in_words,
            preset: word("preset"),
            variant: word("variant"),
            seed: get("seed").and_then(|seed| seed.parse().ok()),
            autoplay: flag("autoplay"),
            pace: get("speed").and_then(|speed| Pace::named(&speed)),
            controls: flag("controls").unwrap_or(true),
            latency,
            log,
            messages,
            inspect,
            break_it: panel("break"),
            dark: match get("theme").as_deref() {
                Some("dark") => Some(true),
                Some("light") => Some(false),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(search: &str) -> Options {
        Options::from(|name| {
            search.split('&').find_map(|part| match part.split_once('=') {
                Some((key, value)) => (key == name).then(|| value.to_owned()),
                None => (part == name).then(String::new),
            })
        })
    }

    #[test]
    fn no_parameters_show_everything() {
        let options = options("");
        assert!(!options.embed && options.controls && options.latency && options.log && options.messages);
        assert_eq!((options.autoplay, options.dark, options.pace), (None, None, None));
    }

    #[test]
    fn embedded_page_shows_the_panels_it_asks_for() {
        let frame = options("embed&theme=dark&autoplay=false&speed=1:100&panels=messages");
        assert!(frame.embed && frame.messages && !frame.latency && !frame.log);
        assert_eq!(
            (frame.autoplay, frame.dark, frame.pace.map(Pace::label).as_deref()),
            (Some(false), Some(true), Some("1 : 100"))
        );
        assert!(!options("embed").messages && !options("embed").text);
        let words = options("embed&view=text");
        assert!(words.text && words.begins_in_words && !words.messages);
    }

    #[test]
    fn presentation_is_a_flag() {
        assert!(options("present").present && options("present=true").present);
        assert!(!options("").present && !options("present=false").present);
    }

    #[test]
    fn what_is_not_accepted_is_as_if_it_had_not_been_given() {
        let odd = options("theme=pink&speed=fast&panels=latency,all&seed=-1&embed=maybe&autoplay=&controls=0");
        assert_eq!((odd.dark, odd.seed, odd.pace, odd.embed), (None, None, None, false));
        assert!(odd.latency && odd.log && odd.messages && odd.inspect, "all are shown, as without the parameter");
        assert_eq!((odd.autoplay, odd.controls), (Some(true), false));
    }
}
