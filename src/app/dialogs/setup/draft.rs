//! The scenario under construction in the set-up dialog, and its text fields: name, path in the scenario, reading and writing.

use crate::elements::controls::{self, Field};
use quorumscope::lab::{Problem, Scenario};
use std::collections::BTreeMap;
use yew::prelude::*;

/// Takes the changed scenario.
pub type Change = Callback<Scenario>;

/// A callback that changes the scenario by the value of a control.
pub fn edit<T: 'static>(
    scenario: &Scenario,
    change: &Change,
    apply: impl Fn(&mut Scenario, T) + 'static,
) -> Callback<T> {
    let (scenario, change) = (scenario.clone(), change.clone());
    Callback::from(move |value: T| {
        let mut scenario = scenario.clone();
        apply(&mut scenario, value);
        change.emit(scenario);
    })
}

/// Texts of fields that could not be parsed, by the path of the field in the scenario.
pub type Unparsed = BTreeMap<&'static str, String>;

/// A text field.
pub struct TextField {
    /// Name.
    pub name: &'static str,
    /// Path in the scenario, as in its problems.
    pub path: &'static str,
    /// What holds when it is left empty.
    pub empty: &'static str,
    /// Its text, from a scenario.
    pub get: fn(&Scenario) -> Option<String>,
    /// Puts the text into a scenario, `None` if it is empty; false if it cannot be parsed.
    pub set: fn(&mut Scenario, Option<&str>) -> bool,
}

/// The state of the dialog.
pub struct Draft<'a> {
    /// The scenario, as far as it could be parsed.
    pub scenario: &'a Scenario,
    /// Changes it.
    pub change: &'a Change,
    /// Texts that could not be parsed.
    pub unparsed: &'a UseStateHandle<Unparsed>,
    /// What is wrong with the scenario and these texts.
    pub problems: &'a [Problem],
}

impl TextField {
    /// Draws it.
    pub fn show(&'static self, draft: &Draft) -> Html {
        let (scenario, change, unparsed) = (draft.scenario.clone(), draft.change.clone(), draft.unparsed.clone());
        let value = unparsed.get(self.path).cloned().or_else(|| (self.get)(&scenario)).unwrap_or_default();
        let on = Callback::from(move |text: String| {
            let (mut scenario, mut left) = (scenario.clone(), (*unparsed).clone());
            left.remove(self.path);
            if (self.set)(&mut scenario, Some(text.as_str()).filter(|text| !text.is_empty())) {
                change.emit(scenario);
            } else {
                left.insert(self.path, text);
            }
            unparsed.set(left);
        });
        let problem = problem_at(self.path, draft.problems);
        let shown = Field {
            label: self.name.into(),
            value,
            placeholder: self.empty.into(),
            title: AttrValue::default(),
            invalid: problem.is_some(),
        };
        let message = message(problem);
        html! {
            <label class="field short" key={self.path}>
                <span>{ self.name }</span>
                { controls::field(shown, on) }
                { message }
            </label>
        }
    }
}

/// Parses a whole number and puts it; false if it is none.
pub fn number<T: std::str::FromStr>(text: Option<&str>, put: impl FnOnce(Option<T>)) -> bool {
    match text.map(str::parse) {
        None => put(None),
        Some(Ok(number)) => put(Some(number)),
        Some(Err(_)) => return false,
    }
    true
}

/// A problem for each text that could not be parsed.
pub fn problems(unparsed: &Unparsed) -> impl Iterator<Item = Problem> {
    unparsed.iter().map(|(path, text)| Problem {
        field: (*path).to_owned(),
        value: format!("\"{text}\""),
        says: "a whole number would do".to_owned(),
    })
}

/// The problem of the field at a path, if it has one.
pub fn problem_at<'a>(path: &str, problems: &'a [Problem]) -> Option<&'a Problem> {
    problems.iter().find(|problem| without_index(&problem.field) == path)
}

/// The message beside a field that has a problem.
pub fn message(problem: Option<&Problem>) -> Html {
    problem.map_or_else(Html::default, |problem| html! { <small class="wrong-here">{ sentence(problem) }</small> })
}

/// A problem as a sentence: what was written, and what would be accepted.
pub fn sentence(problem: &Problem) -> String {
    if problem.value.is_empty() { problem.says.clone() } else { format!("{}: {}", problem.value, problem.says) }
}

/// A path without indices of lists: `clients.rate` for `clients[0].rate`.
pub fn without_index(path: &str) -> String {
    path.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect()
}
