//! What is wrong with parameters of the address, for a notice, and what all of them are, for the help. This comes in chunks: how
//! [`Options`](super::options::Options) are read does without it.

use super::browser;
use super::kinds::Kind;
use super::options::{PARAMETERS, Parameter};
use quorumscope::lab::problem::no_such;
use web_sys::UrlSearchParams;

/// A parameter, whatever its values are.
pub trait Declared: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// What holds without it, in words.
    fn default(&self) -> &'static str;
    /// What it does.
    fn says(&self) -> &'static str;
    /// Accepted values, in words.
    fn would_do(&self) -> String;
    /// Whether it accepts a value.
    fn accepts(&self, value: &str) -> bool;
}

impl<K: Kind + Sync> Declared for Parameter<K> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn default(&self) -> &'static str {
        self.default
    }

    fn says(&self) -> &'static str {
        self.says
    }

    fn would_do(&self) -> String {
        self.kind.would_do()
    }

    fn accepts(&self, value: &str) -> bool {
        self.kind.read(value).is_some()
    }
}

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
    let wrong = |parameter: &&dyn Declared| {
        let name = parameter.name();
        let value = get(name).filter(|value| !parameter.accepts(value))?;
        Some(format!("{name}={value} in the address: {}.", parameter.would_do()))
    };
    PARAMETERS.iter().filter_map(wrong).collect()
}

fn unknown_in(search: &str) -> Vec<String> {
    let known = || PARAMETERS.iter().map(|parameter| parameter.name());
    let given = search.split('&').filter(|part| !part.is_empty());
    let named = given.map(|part| (part.split('=').next().unwrap_or_default(), part));
    named
        .filter(|(name, _)| known().all(|known| known != *name))
        .map(|(name, part)| {
            format!("{part} in the address: there is no such parameter; {}.", no_such(name, "parameters", known()))
        })
        .collect()
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
