//! The past and the future of a message, or of a moment of a node: what can have caused it, and what it can have caused, by Lamport's
//! happens-before ("Time, Clocks, and the Ordering of Events in a Distributed System", CACM 21(7), 1978): the order of events at each node and each
//! client, and sending before receiving. What a node has on its disk it knows after a crash, so its lane stays one.

use super::history::{Fate, History, Lane, Message};
use crate::core::{ClientId, Micros, NodeId};
use std::collections::BTreeMap;

/// Whose past and future it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The message with this number.
    Message(usize),
    /// A node after so many events, which is at this time, µs.
    Node(NodeId, u64, Micros),
}

/// Who acts one thing after another: a node, or one client, for the clients of a site know nothing of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Process {
    Node(NodeId),
    Client(ClientId),
}

/// An edge of the cone on one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    event: u64,
    at: Micros,
}

/// The past and the future of something.
#[derive(Clone, Debug, Default)]
pub struct Cone {
    /// Of each process, the last event that can have mattered.
    past: BTreeMap<Process, Edge>,
    /// Of each process, the first event that it can have mattered for.
    future: BTreeMap<Process, Edge>,
    subject: Option<usize>,
    /// The messages that led to the subject directly: each was handled in the event in which the one before it in this list was sent.
    chain: Vec<usize>,
}

fn process(lane: Lane, message: &Message) -> Option<Process> {
    match lane {
        Lane::Node(node) => Some(Process::Node(node)),
        Lane::Clients(_) => message.client.map(Process::Client),
    }
}

impl Cone {
    /// That of a subject, as far as it is in the history.
    pub fn of(history: &History, subject: Subject) -> Cone {
        let mut cone = Cone::default();
        match subject {
            Subject::Message(number) => {
                let Some(message) = history.message(number) else { return cone };
                cone.subject = Some(number);
                let sending = Edge { event: message.sent_in, at: message.sent };
                cone.past.extend(process(message.from, message).map(|from| (from, sending)));
                if message.fate == Fate::Delivered {
                    let handling = Edge { event: message.ended_in, at: message.arrives };
                    cone.future.extend(process(message.to, message).map(|to| (to, handling)));
                }
            }
            Subject::Node(node, event, at) => {
                cone.past.insert(Process::Node(node), Edge { event, at });
                // What it does next comes after this.
                cone.future.insert(Process::Node(node), Edge { event: event + 1, at });
            }
        }
        cone.look_back(history);
        cone.look_ahead(history);
        cone.chain = cone.trace_back(history);
        cone
    }

    /// Messages in the order in which they were handled, from the last on. Of each that was handled in the past, its sending is in the past.
    fn look_back(&mut self, history: &History) {
        let mut handled: Vec<&Message> =
            history.messages().map(|(_, message)| message).filter(|message| message.fate == Fate::Delivered).collect();
        handled.sort_by_key(|message| message.ended_in);
        for message in handled.into_iter().rev() {
            let (Some(from), Some(to)) = (process(message.from, message), process(message.to, message)) else {
                continue;
            };
            if self.past.get(&to).is_some_and(|edge| message.ended_in <= edge.event) {
                let sending = Edge { event: message.sent_in, at: message.sent };
                let edge = self.past.entry(from).or_insert(sending);
                if sending.event > edge.event {
                    *edge = sending;
                }
            }
        }
    }

    /// Messages in the order in which they were sent. Of each that was sent in the future, its handling is in the future.
    fn look_ahead(&mut self, history: &History) {
        for (_, message) in history.messages().filter(|(_, message)| message.fate == Fate::Delivered) {
            let (Some(from), Some(to)) = (process(message.from, message), process(message.to, message)) else {
                continue;
            };
            if self.future.get(&from).is_some_and(|edge| message.sent_in >= edge.event) {
                let handling = Edge { event: message.ended_in, at: message.arrives };
                let edge = self.future.entry(to).or_insert(handling);
                if handling.event < edge.event {
                    *edge = handling;
                }
            }
        }
    }

    /// From the subject back: the message in whose handling it was sent, and so on.
    fn trace_back(&self, history: &History) -> Vec<usize> {
        let mut chain = Vec::new();
        let Some(mut message) = self.subject.and_then(|number| history.message(number)) else { return chain };
        let before = self.subject.unwrap_or(0);
        for (number, earlier) in history.messages().rev().skip_while(|(number, _)| *number >= before) {
            if earlier.fate == Fate::Delivered && earlier.ended_in == message.sent_in && earlier.to == message.from {
                chain.push(number);
                message = earlier;
            }
        }
        chain
    }

    /// Whether the message was handled in the past, and can have mattered.
    pub fn is_past(&self, message: &Message) -> bool {
        let edge = process(message.to, message).and_then(|to| self.past.get(&to));
        message.fate == Fate::Delivered && edge.is_some_and(|edge| message.ended_in <= edge.event)
    }

    /// Whether the message was sent in the future, and can be a consequence.
    pub fn is_future(&self, message: &Message) -> bool {
        let edge = process(message.from, message).and_then(|from| self.future.get(&from));
        edge.is_some_and(|edge| message.sent_in >= edge.event)
    }

    /// The message that it is of, if it is of one.
    pub fn subject(&self) -> Option<usize> {
        self.subject
    }

    /// The messages that led to the subject directly, the last first.
    pub fn chain(&self) -> &[usize] {
        &self.chain
    }

    /// Up to when a node's lane is in the past, and from when on it is in the future, µs.
    pub fn edges(&self, node: NodeId) -> (Option<Micros>, Option<Micros>) {
        let of = |edges: &BTreeMap<Process, Edge>| edges.get(&Process::Node(node)).map(|edge| edge.at);
        (of(&self.past), of(&self.future))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Recorder;
    use super::*;
    use crate::lab::{Session, presets};

    /// Whether one message happens before another by the definition: a search through all of them.
    fn happens_before(history: &History, one: usize, other: usize) -> bool {
        let mut known = vec![one];
        let mut next = 0;
        while let Some(number) = known.get(next).copied() {
            next += 1;
            if number == other {
                return true;
            }
            let Some(message) = history.message(number).filter(|message| message.fate == Fate::Delivered) else {
                continue;
            };
            let receiver = process(message.to, message);
            let after = history
                .messages()
                .filter(|(_, later)| process(later.from, later) == receiver && later.sent_in >= message.ended_in);
            let new: Vec<usize> = after.map(|(number, _)| number).filter(|number| !known.contains(number)).collect();
            known.extend(new);
        }
        false
    }

    fn recorded(until: Micros) -> Recorder {
        let mut session = Session::new(presets::first()).expect("it is valid");
        session.seek_time(until);
        let mut recorder = Recorder::latest(&session);
        while !recorder.advance(&session, 1_000) {}
        recorder
    }

    #[test]
    fn cone_of_a_message_is_what_the_definition_of_happens_before_says() {
        let recorder = recorded(1_400_000);
        let history = recorder.history();
        let all: Vec<usize> = history.messages().map(|(number, _)| number).collect();
        assert!(all.len() > 60, "{}", all.len());
        let (mut before, mut after, mut beside) = (0, 0, 0);
        for subject in all.iter().copied().step_by(7) {
            let cone = Cone::of(history, Subject::Message(subject));
            for number in all.iter().copied().filter(|number| *number != subject).step_by(3) {
                let message = history.message(number).expect("it is kept");
                let (past, future) = (cone.is_past(message), cone.is_future(message));
                assert_eq!(past, happens_before(history, number, subject), "{number} before {subject}");
                assert_eq!(future, happens_before(history, subject, number), "{subject} before {number}");
                assert!(!(past && future));
                before += u32::from(past);
                after += u32::from(future);
                beside += u32::from(!past && !future);
            }
        }
        assert!(before > 20 && after > 20 && beside > 20, "{before} {after} {beside}");
    }

    #[test]
    fn chain_leads_from_an_answer_back_to_the_request_that_it_answers() {
        let recorder = recorded(3_000_000);
        let history = recorder.history();
        let mut answers = history.messages().filter(|(_, message)| message.clients_lane() == Some(message.to));
        let (answer, _) = answers.next_back().expect("somebody was answered");
        let cone = Cone::of(history, Subject::Message(answer));
        let chain: Vec<&Message> = cone.chain().iter().filter_map(|number| history.message(*number)).collect();
        assert!(chain.len() >= 3, "request, proposal, acceptance: {chain:?}");
        let mut later = history.message(answer).expect("it is kept");
        for message in chain {
            assert_eq!((message.to, message.ended_in), (later.from, later.sent_in));
            assert!(cone.is_past(message));
            later = message;
        }
    }

    #[test]
    fn past_of_a_node_at_a_moment_is_what_it_had_received_and_what_led_to_that() {
        let recorder = recorded(2_000_000);
        let history = recorder.history();
        let (node, events) = (NodeId(3), history.events());
        let cone = Cone::of(history, Subject::Node(node, events, history.until()));
        for (_, message) in history.messages() {
            if message.to == Lane::Node(node) && message.fate == Fate::Delivered {
                assert!(cone.is_past(message), "{message:?}");
            }
            assert!(!cone.is_future(message), "nothing is known of what comes later");
        }
        assert!(history.messages().any(|(_, message)| !cone.is_past(message)), "what is on its way has not arrived");
    }
}
