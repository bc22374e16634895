//! What parameters of the address there are, for the help, and what is wrong with those that are given. This comes in chunks: how
//! [`Options`](super::options::Options) are read does without it.

use super::browser;
use super::options::PANELS;
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
    /// The same, or nothing.
    WordOrNone,
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
    Parameter {
        name: "lesson",
        accepts: Accepts::WordOrNone,
        default: "none",
        says: "the lesson to open, or the list of them",
    },
];

/// What is wrong with parameters of the address, for a notice: names that there are none of, values that are not accepted, and what would do.
pub fn complaints() -> Option<String> {
    let search = browser::window().location().search().unwrap_or_default();
    let given = UrlSearchParams::new_with_str(&search).ok();
    let mut all = rejected(|name| given.as_ref()?.get(name));
    all.extend(unknown_in(search.trim_start_matches('?')));
    (!all.is_empty()).then(|| all.join("\n"))
}

/// Values that are not accepted; `get` returns the value of a parameter, if it is given.
fn rejected(get: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let wrong = |parameter: &Parameter| {
        let name = parameter.name;
        let value = get(name)?;
        Some(format!("{name}={value} in the address: {}.", parameter.accepts.rejects(&value)?))
    };
    PARAMETERS.iter().filter_map(wrong).collect()
}

fn unknown_in(search: &str) -> Vec<String> {
    let known = || PARAMETERS.iter().map(|parameter| parameter.name);
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
            Accepts::WordOrNone => true,
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
            Accepts::Word | Accepts::WordOrNone => "a name would do".to_owned(),
            Accepts::Number => "a whole number would do".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejections(search: &str) -> Vec<String> {
        let given: Vec<(&str, &str)> = search.split('&').filter_map(|part| part.split_once('=')).collect();
        rejected(|name| Some(given.iter().find(|(key, _)| *key == name)?.1.to_owned()))
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
        assert_eq!(
            rejections("panels=all"),
            [
                "panels=all in the address: any of latency, log, messages, inspect, break, with commas between, would do."
            ]
        );
    }

    #[test]
    fn values_that_are_not_accepted_are_told_with_those_that_are() {
        let odd = rejections("theme=pink&speed=fast&panels=latency,all&seed=-1&controls=0");
        assert_eq!(odd.len(), 4, "{odd:?}");
        assert!(odd.iter().any(|says| says.contains("theme=pink") && says.contains("auto or light or dark")));
    }
}
