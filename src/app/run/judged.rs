//! What came of checking each property of a run, and of each order to transfer leadership or to change the members.

use super::context::describe;
use crate::elements::text;
use quorumscope::judge::{Finding, PropertyFinding};
use quorumscope::lab::Session;
use quorumscope::lab::run::report::finding_text;

/// Findings in the order in which they are told.
const ORDER: [Finding; 5] =
    [Finding::Violated, Finding::NotPromised, Finding::Held, Finding::NeverExercised, Finding::NotApplicable];

/// Properties with the same finding: each with what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The finding.
    pub finding: &'static str,
    /// Name and statement of each.
    pub properties: Vec<(&'static str, &'static str)>,
}

/// The findings up to now, and the orders with their outcomes in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// By finding; none that no property has.
    pub found: Vec<Found>,
    /// One text each.
    pub orders: Vec<String>,
}

/// The findings of a session up to now.
pub fn judged(session: &Session) -> Judged {
    let universe = session.universe();
    let all = universe.findings();
    let with = |finding: Finding| {
        let same = |one: &&PropertyFinding| one.finding == finding;
        let properties: Vec<_> = all.iter().filter(same).map(|one| (one.property, one.says)).collect();
        (!properties.is_empty()).then(|| Found { finding: finding_text(finding), properties })
    };
    let orders = universe.orders().iter().map(|order| {
        let what = describe(session.checked(), order.given.action);
        let outcome = match order.ended {
            None => "under way".to_owned(),
            Some((at, ended)) => {
                let why = ended.why(order.given.order).map(|why| format!(", {why}")).unwrap_or_default();
                format!("{} at {}{why}", ended.text(), text::moment_ms(at))
            }
        };
        format!("{}: {what}: {outcome}", text::moment_ms(order.given.at))
    });
    Judged { found: ORDER.into_iter().filter_map(with).collect(), orders: orders.collect() }
}
