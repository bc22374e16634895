//! Removal of optional fields. They are found in the serialised document, so fields that scenarios gain later are covered.

use crate::lab::document::scenario::Scenario;
use serde_json::Value;

/// Fields that are not removed: without them there is more to a scenario, or they are reduced elsewhere.
const KEPT: &[&str] = &[
    "title",
    "about",
    "without",
    "script",
    "clients",
    "rtt_ms",
    "recovery",
    "stability",
    "seed",
    "duration",
    "commands",
    "stop",
    "one_way",
    "from",
    "to",
    "in",
];

/// Fields that a liveness bound is derived from, or that end the faults.
const RECOVERY_BASIS: &[&str] = &["timing", "script", "retry", "think", "lease", "work", "stall"];

/// Without one of the optional fields.
pub(super) fn any_field(scenario: &Scenario) -> Vec<Scenario> {
    without(scenario, &|name| !KEPT.contains(&name))
}

/// The same, except fields that [recovery](crate::lab::Recovery) depends on.
pub(super) fn anything_but_recovery_basis(scenario: &Scenario) -> Vec<Scenario> {
    without(scenario, &|name| !KEPT.contains(&name) && !RECOVERY_BASIS.contains(&name))
}

fn without(scenario: &Scenario, may_go: &dyn Fn(&str) -> bool) -> Vec<Scenario> {
    let Ok(mut document) = serde_json::to_value(scenario) else { return Vec::new() };
    let mut plainer = Vec::new();
    each_left_out(&mut document, &mut Vec::new(), may_go, &mut |document| {
        plainer.extend(serde_json::from_value::<Scenario>(document.clone()).ok());
    });
    plainer
}

/// One step on the way to a part of a document.
#[derive(Clone)]
enum Step {
    Field(String),
    Element(usize),
}

fn at<'a>(document: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(document, |value, step| match step {
        Step::Field(name) => &mut value[name.as_str()],
        Step::Element(index) => &mut value[*index],
    })
}

/// Calls `show` with the document without each field in turn: first without a whole table, then without each of its fields.
fn each_left_out(
    document: &mut Value,
    path: &mut Vec<Step>,
    may_go: &dyn Fn(&str) -> bool,
    show: &mut dyn FnMut(&Value),
) {
    let steps: Vec<Step> = match at(document, path) {
        Value::Object(fields) => fields.keys().cloned().map(Step::Field).collect(),
        Value::Array(elements) => (0..elements.len()).map(Step::Element).collect(),
        _ => return,
    };
    for step in steps {
        if let (Step::Field(name), Value::Object(fields)) = (&step, at(document, path))
            && may_go(name)
            && let Some(field) = fields.remove(name)
        {
            show(document);
            if let Value::Object(fields) = at(document, path) {
                fields.insert(name.clone(), field);
            }
        }
        path.push(step);
        each_left_out(document, path, may_go, show);
        path.pop();
    }
}
