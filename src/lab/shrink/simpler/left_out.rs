//! Without anything that a document may leave out: costs, a timing model, skew, leases, regions, settings, details of faults. It is looked
//! for in the document as it is written, so that whatever scenarios learn to say can be left out as well.

use crate::lab::scenario::Scenario;
use serde_json::Value;

/// What is not for leaving out: without it there is more to a scenario, not less, or it is about something else. Lists are shortened elsewhere.
const KEPT: &[&str] = &[
    "title", "about", "without", "script", "clients", "rtt_ms", "recovery", "seed", "duration", "commands", "stop",
    "one_way", "from", "to", "in",
];

/// What a bound on recovery is derived from, or what makes the time after the faults one without faults.
const PROMISED: &[&str] = &["timing", "script", "retry", "think", "lease", "work", "stall"];

/// Without anything that makes sense to leave out.
pub(super) fn anything(scenario: &Scenario) -> Vec<Scenario> {
    without(scenario, &|name| !KEPT.contains(&name))
}

/// The same, but for what [recovery](crate::lab::Recovery) stands on.
pub(super) fn whatever_recovery_does_not_stand_on(scenario: &Scenario) -> Vec<Scenario> {
    without(scenario, &|name| !KEPT.contains(&name) && !PROMISED.contains(&name))
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

/// Shows the document without each field in turn: first without all of a table, then without each part of it.
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
