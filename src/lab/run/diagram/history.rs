//! What was recorded of a run, within bounds of memory, to be asked by windows of time.

use crate::core::{ClientId, KindId, Micros, NodeId, Slot};
use crate::sim::action::FlightId;
use crate::universe::{End, ReplyKind};
use std::collections::VecDeque;

/// Messages in a block. What lies outside of a window is passed over block by block.
const BLOCK: usize = 256;
/// Most messages that are kept, unless said otherwise: 24 MB of them.
pub const MOST: usize = 1 << 18;
/// Most marks, answers and spans that are kept, each.
const MOST_MARKS: usize = 1 << 18;

/// A lane of the diagram: a node, or the clients of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// A replica.
    Node(NodeId),
    /// The clients at this site.
    Clients(u8),
}

impl From<End> for Lane {
    fn from(end: End) -> Lane {
        match end {
            End::Node(node) => Lane::Node(node),
            End::Client(site) => Lane::Clients(site),
        }
    }
}

impl Lane {
    /// The end of a message that it is.
    pub fn end(self) -> End {
        match self {
            Lane::Node(node) => End::Node(node),
            Lane::Clients(site) => End::Client(site),
        }
    }
}

/// Kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// The protocol's own.
    Protocol(KindId),
    /// A client's request.
    Request,
    /// A reply to a client.
    Reply(ReplyKind),
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way, waits for the sender's disk, or waits at the receiver to be handled.
    UnderWay,
    /// It is held by hand.
    Held,
    /// It was handled by its receiver.
    Delivered,
    /// It was lost.
    Lost,
    /// It never left: its sender crashed first.
    Unsent,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id, which is used again.
    pub id: FlightId,
    /// Sender.
    pub from: Lane,
    /// Receiver.
    pub to: Lane,
    /// Kind.
    pub kind: MessageKind,
    /// What became of it.
    pub fate: Fate,
    /// The client that it is from or for.
    pub client: Option<ClientId>,
    /// The slot concerned; 0 if none.
    pub slot: Slot,
    /// Its size, bytes.
    pub bytes: u32,
    /// When it left or will leave, µs.
    pub sent: Micros,
    /// When it arrived, was lost, or will arrive, µs.
    pub arrives: Micros,
    /// After how many events it had been sent.
    pub sent_in: u64,
    /// After how many events it had been handled or lost; as long as it is neither, `u64::MAX`.
    pub ended_in: u64,
}

impl Message {
    /// The lane of its client, if it is one of a client's.
    pub fn clients_lane(&self) -> Option<Lane> {
        [self.from, self.to].into_iter().find(|lane| matches!(lane, Lane::Clients(_)))
    }
}

/// A point on the lane of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When, µs.
    pub at: Micros,
    /// The node that learned that a slot is decided.
    pub node: NodeId,
    /// The instance's lane, such as a register, and its slot.
    pub instance: (u32, Slot),
    /// Whether no node had known it before.
    pub first: bool,
}

/// An answered command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When the answer arrived, µs.
    pub at: Micros,
    /// From the first request to the answer, µs.
    pub latency: Micros,
    /// The client's site.
    pub site: u8,
}

/// What keeps a node from acting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is down.
    Down,
    /// It is paused.
    Paused,
}

/// A time during which a node was down or paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The node.
    pub node: NodeId,
    /// Which.
    pub state: State,
    /// Begin, µs.
    pub from: Micros,
    /// End, µs; `None` as long as it lasts.
    pub until: Option<Micros>,
}

/// Messages that were sent one after another, and the time that they cover.
#[derive(Clone, Debug, Default)]
struct Block {
    messages: Vec<Message>,
    /// When the first of them left, and when the last of them arrives, µs.
    from: Micros,
    until: Micros,
}

/// What was recorded, from one moment to another without a gap.
#[derive(Clone, Debug, Default)]
pub struct History {
    blocks: VecDeque<Block>,
    /// Number of the first message that is kept; they count from 0.
    first: usize,
    marks: VecDeque<Mark>,
    answers: VecDeque<Answer>,
    spans: Vec<Span>,
    /// When what is kept begins, µs.
    since: Micros,
    /// Up to when it goes, µs, and after how many events that is.
    until: (Micros, u64),
    most: usize,
}

impl History {
    /// An empty one that begins at a moment.
    pub(super) fn new(since: Micros, event: u64, most: usize) -> History {
        History { since, until: (since, event), most: most.max(BLOCK), ..History::default() }
    }

    /// When what is kept begins, µs. At 0 it is the start of the run.
    pub fn since(&self) -> Micros {
        self.since
    }

    /// Up to when it goes, µs.
    pub fn until(&self) -> Micros {
        self.until.0
    }

    /// How many events had happened by then.
    pub fn events(&self) -> u64 {
        self.until.1
    }

    /// Number of messages kept.
    pub fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.messages.len()).sum()
    }

    /// Whether no message is kept.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Whether one more message would make the oldest go.
    pub(super) fn is_full(&self) -> bool {
        self.blocks.len() * BLOCK >= self.most && self.blocks.back().is_some_and(|last| last.messages.len() == BLOCK)
    }

    /// The message with this number.
    pub fn message(&self, number: usize) -> Option<&Message> {
        let index = number.checked_sub(self.first)?;
        self.blocks.get(index / BLOCK)?.messages.get(index % BLOCK)
    }

    /// All messages with their numbers, in the order in which they were sent.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = (usize, &Message)> {
        self.blocks.iter().enumerate().flat_map(|(block, Block { messages, .. })| self.numbered(block, messages))
    }

    /// The messages that are on their way at some time from `from` to `until`, µs, with their numbers, in the order in which they were sent.
    pub fn window(&self, from: Micros, until: Micros) -> impl Iterator<Item = (usize, &Message)> {
        let seen = move |block: &(usize, &Block)| block.1.from <= until && block.1.until >= from;
        let blocks = self.blocks.iter().enumerate().filter(seen);
        let all = blocks.flat_map(|(block, Block { messages, .. })| self.numbered(block, messages));
        all.filter(move |(_, message)| message.sent <= until && message.arrives >= from && message.fate != Fate::Unsent)
    }

    fn numbered<'a>(
        &self,
        block: usize,
        messages: &'a [Message],
    ) -> impl DoubleEndedIterator<Item = (usize, &'a Message)> + use<'a> {
        let first = self.first + block * BLOCK;
        messages.iter().enumerate().map(move |(index, message)| (first + index, message))
    }

    /// What nodes learned to be decided from `from` to `until`, µs.
    pub fn marks(&self, from: Micros, until: Micros) -> impl Iterator<Item = &Mark> {
        let (first, end) = range(&self.marks, |mark| mark.at, from, until);
        self.marks.range(first..end)
    }

    /// The commands answered from `from` to `until`, µs.
    pub fn answers(&self, from: Micros, until: Micros) -> impl Iterator<Item = &Answer> {
        let (first, end) = range(&self.answers, |answer| answer.at, from, until);
        self.answers.range(first..end)
    }

    /// The times during which nodes were down or paused, in the order of their begin.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The messages that came or went in the event after which there had been so many, at this node.
    pub(super) fn progress(&mut self, at: Micros, events: u64) {
        self.until = (at, events);
    }

    /// Adds a message, and returns its number. The oldest ones go if there are too many.
    pub(super) fn push(&mut self, message: Message) -> usize {
        if self.is_full() {
            self.forget();
        }
        if self.blocks.back().is_none_or(|last| last.messages.len() == BLOCK) {
            let messages = Vec::with_capacity(BLOCK);
            self.blocks.push_back(Block { messages, from: Micros::MAX, until: 0 });
        }
        let blocks = self.blocks.len();
        if let Some(last) = self.blocks.back_mut() {
            last.messages.push(message);
            last.from = last.from.min(message.sent);
            last.until = last.until.max(message.arrives);
            return self.first + (blocks - 1) * BLOCK + last.messages.len() - 1;
        }
        self.first
    }

    /// Has the oldest block go, and all else that is as old.
    fn forget(&mut self) {
        let Some(oldest) = self.blocks.pop_front() else { return };
        self.first += BLOCK;
        self.since = self.since.max(oldest.messages.last().map_or(0, |last| last.sent));
        let since = self.since;
        let old = self.marks.partition_point(|mark| mark.at < since);
        self.marks.drain(..old);
        let old = self.answers.partition_point(|answer| answer.at < since);
        self.answers.drain(..old);
    }

    /// Changes a message.
    pub(super) fn change(&mut self, number: usize, change: impl FnOnce(&mut Message)) {
        let Some(index) = number.checked_sub(self.first) else { return };
        let Some(block) = self.blocks.get_mut(index / BLOCK) else { return };
        if let Some(message) = block.messages.get_mut(index % BLOCK) {
            change(message);
            block.from = block.from.min(message.sent);
            block.until = block.until.max(message.arrives);
        }
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        if self.marks.len() == MOST_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(mark);
    }

    pub(super) fn answered(&mut self, answer: Answer) {
        if self.answers.len() == MOST_MARKS {
            self.answers.pop_front();
        }
        self.answers.push_back(answer);
    }

    /// What keeps a node from acting now, if anything does.
    pub(super) fn set_state(&mut self, node: NodeId, state: Option<State>, at: Micros) {
        let open = self.spans.iter_mut().rev().find(|span| span.node == node && span.until.is_none());
        let now = open.as_ref().map(|span| span.state);
        if now == state {
            return;
        }
        if let Some(span) = open {
            span.until = Some(at);
        }
        if let Some(state) = state.filter(|_| self.spans.len() < MOST_MARKS) {
            self.spans.push(Span { node, state, from: at, until: None });
        }
    }
}

/// Where in a list in the order of time a window begins and ends.
fn range<T>(list: &VecDeque<T>, at: impl Fn(&T) -> Micros, from: Micros, until: Micros) -> (usize, usize) {
    let first = list.partition_point(|one| at(one) < from);
    (first, list.partition_point(|one| at(one) <= until).max(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sent: Micros, arrives: Micros) -> Message {
        Message {
            id: FlightId::ClientMessage(0),
            from: Lane::Clients(0),
            to: Lane::Node(NodeId(0)),
            kind: MessageKind::Request,
            fate: Fate::Delivered,
            client: None,
            slot: 0,
            bytes: 100,
            sent,
            arrives,
            sent_in: sent,
            ended_in: arrives,
        }
    }

    #[test]
    fn window_has_the_messages_that_are_on_their_way_in_it_also_those_sent_long_before() {
        let mut history = History::new(0, 0, MOST);
        history.push(message(5, 900_000));
        for at in 0..100_000 {
            history.push(message(10 * at, 10 * at + 7));
        }
        let seen: Vec<Micros> = history.window(500_000, 500_019).map(|(_, message)| message.sent).collect();
        assert_eq!(seen, [5, 500_000, 500_010]);
        let (number, _) = history.window(500_000, 500_019).last().unwrap();
        assert_eq!(history.message(number).unwrap().sent, 500_010);
    }

    #[test]
    fn message_that_arrives_later_than_was_known_is_found_at_its_new_time() {
        let mut history = History::new(0, 0, MOST);
        for at in 0..10_000 {
            history.push(message(at, at + 5));
        }
        history.change(100, |held| held.arrives = 9_000);
        assert!(history.window(8_000, 8_000).any(|(number, _)| number == 100));
    }

    #[test]
    fn oldest_messages_go_when_there_are_too_many_and_numbers_stay() {
        let mut history = History::new(0, 0, 1_000);
        for at in 0..5_000 {
            history.push(message(at, at + 5));
        }
        assert!(history.len() <= 1_024, "{}", history.len());
        assert_eq!(history.message(0), None);
        assert_eq!(history.message(4_999).unwrap().sent, 4_999);
        assert_eq!(history.since(), history.messages().next().unwrap().1.sent - 1);
    }

    #[test]
    fn span_ends_when_the_node_goes_on_and_none_begins_where_nothing_changes() {
        let mut history = History::new(0, 0, MOST);
        let node = NodeId(2);
        for (at, state) in
            [(1, None), (2, Some(State::Down)), (3, Some(State::Down)), (4, None), (5, Some(State::Paused))]
        {
            history.set_state(node, state, at);
        }
        assert_eq!(
            history.spans(),
            [
                Span { node, state: State::Down, from: 2, until: Some(4) },
                Span { node, state: State::Paused, from: 5, until: None }
            ]
        );
    }
}
