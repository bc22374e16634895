//! Reading what names a single message or a timer.

use super::Reader;
use crate::core::{KindId, TimerId};
use crate::sim::action::{FlightId, Intercept, Which};
use crate::sim::{Action, InFlight};

impl Reader<'_, '_> {
    /// An interception of one message: one in flight, by its id, or one still to be sent, by its kind.
    pub(super) fn intercept(&mut self, intercept: Intercept) -> Option<Action> {
        let fault = self.fault;
        if fault.site.is_some() && !fault.in_flight {
            self.problem(
                "site",
                "",
                "is the place of a client whose request or reply is in flight; say in_flight = true",
            );
            return None;
        }
        match (fault.message_id, fault.client_message) {
            (None, None) => {
                let sent = if fault.in_flight { Some(self.sent()) } else { None };
                let which = if fault.in_flight { None } else { self.which() };
                let nth = fault.nth.unwrap_or(1);
                if !(1..=u32::from(u16::MAX)).contains(&nth) {
                    self.problem("nth", nth, format!("1 to {} would do", u16::MAX));
                    return None;
                }
                let nth = nth as u16;
                Some(match sent {
                    Some(sent) => Action::Sent { which: sent?, nth, intercept },
                    None => Action::Catch { which: which?, nth, intercept },
                })
            }
            (message_id, client_message) => {
                if fault.from.is_some()
                    || fault.kind.is_some()
                    || fault.nth.is_some()
                    || fault.in_flight
                    || message_id.is_some() == client_message.is_some()
                {
                    let says = "name a message by \"message_id\" and \"to\", by \"client_message\", or by \"from\", \"to\" and \"kind\"";
                    self.problem(if message_id.is_some() { "message_id" } else { "client_message" }, "", says);
                    return None;
                }
                let flight = match (message_id, client_message) {
                    (Some(message_id), _) => FlightId::Message { message_id, to: self.single("to", &fault.to)? },
                    (_, client_message) => FlightId::ClientMessage(client_message?),
                };
                Some(Action::Message { flight, intercept })
            }
        }
    }

    /// Ends and kind of a message in flight.
    fn sent(&mut self) -> Option<InFlight> {
        let fault = self.fault;
        if fault.site.is_none() {
            return self.which().map(InFlight::Message);
        }
        if fault.kind.is_some() || fault.from.is_some() == fault.to.is_some() {
            let says = "a client's request is named by \"site\" and \"to\", the reply to one by \"from\" and \"site\"";
            self.problem("site", "", says);
            return None;
        }
        let site = self.site();
        Some(match &fault.to {
            Some(_) => {
                let to = self.single("to", &fault.to);
                InFlight::Request { site: site?, to: to? }
            }
            None => {
                let from = self.single("from", &fault.from);
                InFlight::Reply { from: from?, site: site? }
            }
        })
    }

    /// A timer by its name and, if there are several of that name, its number.
    pub(super) fn timer(&mut self) -> Option<TimerId> {
        let all = self.names.timers.iter().map(|kind| kind.name).collect();
        let index = self.index("timer", self.fault.timer.as_deref(), ("a timer", "timers"), all);
        index.map(|index| index as TimerId | TimerId::from(self.fault.number.unwrap_or(0)) << 8)
    }

    pub(super) fn which(&mut self) -> Option<Which> {
        let (from, to) = (self.single("from", &self.fault.from), self.single("to", &self.fault.to));
        let kind = self.kind();
        let (from, to) = (from?, to?);
        let by_number = self.roles.from.is_none() && self.roles.to.is_none();
        if from == to && by_number {
            self.problem("to", to.0 + 1, "a node has no link to itself; name two nodes");
            return None;
        }
        Some(Which { from, to, kind: kind? })
    }

    fn kind(&mut self) -> Option<KindId> {
        let all = self.names.kinds.iter().map(|kind| kind.name).collect();
        let index = self.index("kind", self.fault.kind.as_deref(), ("a kind of message", "kinds of messages"), all);
        index.map(|index| KindId(index as u8))
    }

    /// The place of a name among those of the variant; `one` and `many` are what they are names of.
    fn index(
        &mut self,
        field: &str,
        name: Option<&str>,
        (one, many): (&str, &str),
        all: Vec<&'static str>,
    ) -> Option<usize> {
        let Some(name) = name else {
            self.problem(field, "", format!("{} needs {one}: {}", self.fault.action, all.join(", ")));
            return None;
        };
        let index = all.iter().position(|known| *known == name);
        // Without a variant there are none, and that is told already.
        if index.is_none() && !all.is_empty() {
            self.problems.unknown(format!("{}.{field}", self.path), name, many, all);
        }
        index
    }
}
