//! Transcript: a run as text, event by event, with the rules applied, the reasons given, effects and state changes.

use super::Universe;
use super::changes::Looks;
use super::inspect::micros_as_ms;
use super::words;
use crate::judge::orders::OrderOutcome;
use crate::sim::{Record, What};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Writer of the transcript of one run. Keeps the last status of each node, to report changes.
#[derive(Debug)]
pub struct Transcript {
    seen: Looks,
    told: u64,
    violations: usize,
    /// Orders whose end was told, by index.
    orders: BTreeSet<usize>,
}

impl Transcript {
    /// Starts a transcript, and the recording of effects.
    pub fn of(universe: &mut dyn Universe) -> Transcript {
        universe.record_effects();
        Transcript {
            seen: Looks::of(universe),
            told: universe.trace().total(),
            violations: 0,
            orders: (0..).zip(universe.orders()).filter(|(_, order)| order.ended.is_some()).map(|(i, _)| i).collect(),
        }
    }

    /// The lines of the last step or action; to be called after each.
    pub fn tell(&mut self, universe: &dyn Universe) -> String {
        let mut text = String::new();
        let new: Vec<Record> =
            universe.trace().records().filter(|(number, _)| *number >= self.told).map(|(_, record)| record).collect();
        self.told = universe.trace().total();
        for record in new {
            let rules: Vec<&str> =
                record.rules.iter().map(|rule| universe.variant().rules()[usize::from(rule.0)].key).collect();
            if let Some(what) = self.headline(universe, &record) {
                let because = if rules.is_empty() { String::new() } else { format!("   [{}]", rules.join(", ")) };
                let _ = writeln!(text, "{:>9}.{:03}  {what}{because}", record.at / 1000, record.at % 1000);
            }
        }
        for why in universe.variant().inspector.wording.why(universe.reasons()) {
            let _ = writeln!(text, "               ◦ {}", why.text);
        }
        for line in universe.recorded_effects() {
            let _ = writeln!(text, "                 {line}");
        }
        let word = universe.variant().card.epoch;
        for change in self.seen.changes(universe) {
            let _ = writeln!(text, "               • {}", change.line(word));
        }
        for (index, OrderOutcome { given, ended }) in universe.orders().iter().enumerate() {
            let Some((_, ended)) = ended.filter(|_| self.orders.insert(index)) else { continue };
            let why = ended.why(given.order).map(|why| format!(": {why}")).unwrap_or_default();
            let at = micros_as_ms(given.at);
            let _ = writeln!(text, "               • the order of {at} to {} is {}{why}", given.action, ended.text());
        }
        for violation in &universe.violations()[self.violations..] {
            let slot = violation.place(universe.variant().card.agrees_on).map(|place| format!(", {place}"));
            let slot = slot.unwrap_or_default();
            let by = if violation.nodes.is_empty() { String::new() } else { format!(": nodes {:?}", violation.nodes) };
            let _ = writeln!(text, "               ✗ {} is broken{by}{slot}", violation.property);
        }
        self.violations = universe.violations().len();
        text
    }

    fn headline(&self, universe: &dyn Universe, record: &Record) -> Option<String> {
        let (node, peer) = (record.node, record.peer);
        let kind = || universe.variant().kinds[usize::from(record.kind)].name;
        let client = crate::core::ClientId(record.detail as u16);
        Some(match record.what {
            What::Delivered if node == peer => format!("{node:?} hears itself: {}", kind()),
            What::Delivered => format!("{node:?} ← {peer:?}  {}", kind()),
            What::Lost if node == peer => format!("a request to {node:?} is lost"),
            What::Lost => format!("{} from {peer:?} to {node:?} is lost", kind()),
            What::Timer => format!("{node:?}: a timer is due"),
            What::Request => format!("{node:?} ← {client:?}  asks"),
            What::Answered => format!("{client:?} ← {node:?}  hears"),
            What::Client => format!("{client:?} asks {node:?}"),
            What::Acted => match universe.intervention() {
                Some(action) => match universe.resolved().last().map(|resolved| resolved.timed) {
                    Some(timed) if (timed.at, timed.action) == (record.at, action) => {
                        format!("somebody steps in: {} ({})", words::action(universe.variant(), action), timed.roles)
                    }
                    _ => format!("somebody steps in: {}", words::action(universe.variant(), action)),
                },
                None => "somebody steps in".to_owned(),
            },
            What::Refused => match universe.refused().last() {
                Some(refused) => format!("somebody would {}: {}", refused.timed, refused.why),
                None => return None,
            },
            What::Fenced => format!("{node:?} is turned off by {peer:?}"),
            What::Stopped if record.detail == 1 => format!("{node:?} crashes in the middle of what it sends"),
            What::Stopped => format!("{node:?} cannot save: its disk is full"),
            What::Chosen | What::Applied => return None,
        })
    }
}
