//! A field of the dialog that is written as text: what it is called, how it is read from a scenario, and how it is put there.

use super::Change;
use crate::components::controls;
use quorumscope::lab::Scenario;
use std::collections::BTreeMap;
use yew::prelude::*;

/// What was written into fields and could not even be read, by the field's place in the scenario.
pub type Unread = BTreeMap<&'static str, String>;

/// One field.
pub struct Entry {
    /// What it is called.
    pub name: &'static str,
    /// Its place in the scenario, as complaints name it.
    pub path: &'static str,
    /// What stands there when it is left out.
    pub empty: &'static str,
    /// What it says.
    pub get: fn(&Scenario) -> Option<String>,
    /// Takes over what was written, `None` if nothing; false if it is no such thing at all.
    pub set: fn(&mut Scenario, Option<&str>) -> bool,
}

/// What came of the dialog so far, and how to change it.
pub struct Draft<'a> {
    /// The scenario as far as it could be read.
    pub scenario: &'a Scenario,
    /// Changes it.
    pub change: &'a Change,
    /// The rest.
    pub unread: &'a UseStateHandle<Unread>,
}

impl Entry {
    /// Shows it.
    pub fn show(&'static self, draft: &Draft) -> Html {
        let (scenario, change, unread) = (draft.scenario.clone(), draft.change.clone(), draft.unread.clone());
        let value = unread.get(self.path).cloned().or_else(|| (self.get)(&scenario)).unwrap_or_default();
        let on = Callback::from(move |text: String| {
            let (mut scenario, mut left) = (scenario.clone(), (*unread).clone());
            left.remove(self.path);
            if (self.set)(&mut scenario, Some(text.as_str()).filter(|text| !text.is_empty())) {
                change.emit(scenario);
            } else {
                left.insert(self.path, text);
            }
            unread.set(left);
        });
        html! {
            <label class="field short" key={self.path}>
                <span>{ self.name }</span>
                { controls::field(value, self.empty.into(), AttrValue::default(), on) }
            </label>
        }
    }
}

/// Puts a whole number where it belongs; false if it is none.
pub fn number<T: std::str::FromStr>(text: Option<&str>, put: impl FnOnce(Option<T>)) -> bool {
    match text.map(str::parse) {
        None => put(None),
        Some(Ok(number)) => put(Some(number)),
        Some(Err(_)) => return false,
    }
    true
}

/// What to say about what could not be read.
pub fn complaints(unread: &Unread) -> impl Iterator<Item = String> {
    unread.iter().map(|(path, text)| format!("{path}: \"{text}\": a whole number would do"))
}
