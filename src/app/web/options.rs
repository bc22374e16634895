//! Parameters of the address, as in `?embed&theme=dark`. One table reads them, checks them, and writes the help.

use super::browser;
use crate::run::pace::Pace;
use quorumscope::lab::problem::no_such;
use web_sys::UrlSearchParams;

/// One parameter.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Accepted values.
    pub accepts: Accepts,
    /// Default, as shown in the help.
    pub default: &'static str,
    /// What it does.
    pub says: &'static str,
}

/// Values that a parameter accepts.
#[derive(Clone, Copy)]
pub enum Accepts {
    /// Given or not; `false` means not.
    Flag,
    /// One of these.
    One(&'static [&'static str]),
    /// Any of these, with commas between.
    Some(&'static [&'static str]),
    /// A speed such as `1:20`, `5:1` or `max`.
    Speed,
    /// A key that the page looks up.
    Word,
    /// A whole number.
    Number,
}

/// All parameters.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "embed",
        accepts: Accepts::Flag,
        default: "false",
        says: "only the stage and its controls, for a frame in another page",
    },
    Parameter {
        name: "preset",
        accepts: Accepts::Word,
        default: "the first",
        says: "the built-in scenario to begin with",
    },
    Parameter {
        name: "variant",
        accepts: Accepts::Word,
        default: "as in the scenario",
        says: "another protocol for it",
    },
    Parameter {
        name: "seed",
        accepts: Accepts::Number,
        default: "as in the scenario",
        says: "another source of chance",
    },
    Parameter {
        name: "autoplay",
        accepts: Accepts::Flag,
        default: "true",
        says: "whether time goes by from the start",
    },
    Parameter { name: "speed", accepts: Accepts::Speed, default: "1:20", says: "how fast: 1:1000 to 100:1, or max" },
    Parameter {
        name: "controls",
        accepts: Accepts::Flag,
        default: "true",
        says: "whether to show play, step and speed",
    },
    Parameter {
        name: "present",
        accepts: Accepts::Flag,
        default: "false",
        says: "stage, sentence and controls alone, in large letters, as on a projector",
    },
    Parameter {
        name: "panels",
        accepts: Accepts::Some(PANELS),
        default: "all, or none in a frame",
        says: "what to show beside the stage",
    },
    Parameter {
        name: "view",
        accepts: Accepts::One(&["stage", "text"]),
        default: "stage",
        says: "text: begin with the run in words beside the stage, also in a frame",
    },
    Parameter {
        name: "theme",
        accepts: Accepts::One(&["auto", "light", "dark"]),
        default: "auto",
        says: "light or dark",
    },
];

/// Parameters that nothing of the first picture reads.
pub const LATER: &[Parameter] = &[Parameter {
    name: "lesson",
    accepts: Accepts::Word,
    default: "none",
    says: "the lesson to open, or the list of them",
}];

/// The panels beside the stage.
const PANELS: &[&str] = &["latency", "log", "messages", "inspect", "break"];

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
    /// Problems, for a notice.
    pub problems: Vec<String>,
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
        let mut problems = Vec::new();
        let mut read = |name: &str| -> Option<String> {
            let parameter = PARAMETERS.iter().find(|parameter| parameter.name == name)?;
            let value = get(name)?;
            match parameter.accepts.rejects(&value) {
                None => Some(value),
                Some(would_do) => {
                    problems.push(format!("{name}={value} in the address: {would_do}."));
                    None
                }
            }
        };
        let flag = |value: Option<String>| value.map(|value| value != "false");
        let embed = flag(read("embed")).unwrap_or(false);
        let panels = read("panels");
        let panel = |name: &str| panels.as_ref().map_or(!embed, |panels| panels.split(',').any(|panel| panel == name));
        let (latency, log, messages, inspect) = (panel("latency"), panel("log"), panel("messages"), panel("inspect"));
        let begins_in_words = read("view").as_deref() == Some("text");
        Options {
            embed,
            present: flag(read("present")).unwrap_or(false),
            text: begins_in_words || !embed,
            begins_in_words,
            preset: read("preset"),
            variant: read("variant"),
            seed: read("seed").and_then(|seed| seed.parse().ok()),
            autoplay: flag(read("autoplay")),
            pace: read("speed").and_then(|speed| Pace::named(&speed)),
            controls: flag(read("controls")).unwrap_or(true),
            latency,
            log,
            messages,
            inspect,
            break_it: panel("break"),
            dark: match read("theme").as_deref() {
                Some("dark") => Some(true),
                Some("light") => Some(false),
                _ => None,
            },
            problems,
        }
    }
}

/// What is wrong with parameters of the address that there are none of, for a notice: their names, and what would do. This comes in the chunk for actions.
pub fn unknown() -> Option<String> {
    let search = browser::window().location().search().unwrap_or_default();
    let problems = unknown_in(search.trim_start_matches('?'));
    (!problems.is_empty()).then(|| problems.join("\n"))
}

fn unknown_in(search: &str) -> Vec<String> {
    let known = || PARAMETERS.iter().chain(LATER).map(|parameter| parameter.name);
    let given = search.split('&').filter(|part| !part.is_empty());
    let named = given.map(|part| (part.split('=').next().unwrap_or_default(), part));
    named
        .filter(|(name, _)| known().all(|known| known != *name))
        .map(|(name, part)| {
            format!("{part} in the address: there is no such parameter; {}.", no_such(name, "parameters", known()))
        })
        .collect()
}

impl Accepts {
    /// What would be accepted instead of `value`; `None` if it is accepted.
    fn rejects(self, value: &str) -> Option<String> {
        let good = match self {
            Accepts::Flag => matches!(value, "" | "true" | "false" | "1" | "0"),
            Accepts::One(words) => words.contains(&value),
            Accepts::Some(words) => value.is_empty() || value.split(',').all(|word| words.contains(&word)),
            Accepts::Speed => Pace::named(value).is_some(),
            Accepts::Word => !value.is_empty(),
            Accepts::Number => value.parse::<u64>().is_ok(),
        };
        (!good).then(|| self.would_do())
    }

    /// Accepted values, in words.
    pub fn would_do(self) -> String {
        match self {
            Accepts::Flag => "true or false would do".to_owned(),
            Accepts::One(words) => format!("{} would do", words.join(" or ")),
            Accepts::Some(words) => format!("any of {}, with commas between, would do", words.join(", ")),
            Accepts::Speed => "1:20, 5:1 or max, for example, would do".to_owned(),
            Accepts::Word => "a name would do".to_owned(),
            Accepts::Number => "a whole number would do".to_owned(),
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
        assert!(
            !options.embed
                && options.controls
                && options.latency
                && options.log
                && options.messages
                && options.problems.is_empty()
        );
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
    fn parameters_that_do_not_exist_are_told_with_what_would_do() {
        assert_eq!(unknown_in("embed&theme=dark&present="), Vec::<String>::new());
        let [misspelt, other] = &unknown_in("embeded&seed=3&colour=red")[..] else { panic!("two are unknown") };
        assert!(
            misspelt.starts_with("embeded in the address") && misspelt.contains("did you mean \"embed\"?"),
            "{misspelt}"
        );
        assert!(other.starts_with("colour=red in the address") && other.contains("theme"), "{other}");
    }

    #[test]
    fn panels_that_do_not_exist_are_told_with_those_that_do() {
        let all = options("panels=all");
        assert_eq!(
            all.problems,
            [
                "panels=all in the address: any of latency, log, messages, inspect, break, with commas between, would do."
            ]
        );
        assert!(all.latency && all.log && all.messages && all.inspect, "all are shown, as without the parameter");
    }

    #[test]
    fn invalid_parameters_are_reported_and_ignored() {
        let odd = options("theme=pink&speed=fast&panels=latency,all&seed=-1");
        assert_eq!(odd.problems.len(), 4, "{:?}", odd.problems);
        assert!(odd.problems.iter().any(|says| says.contains("theme=pink") && says.contains("auto or light or dark")));
        assert_eq!((odd.dark, odd.seed, odd.pace), (None, None, None));
    }
}
