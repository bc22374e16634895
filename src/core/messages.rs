//! Messages in flight: what a message is about (its [`Header`]), how many receivers it still has, and where its content lies.
//!
//! What moves through the event queue is only a message id. A message is written once, however many replicas it goes to, and handed over
//! once to each. Headers are the same for every protocol and lie with the simulator; contents are a protocol's own and lie with its
//! replicas, under the same id.

use super::node::Message;
use super::{KindId, Slot};

/// Names a message in flight. Used again for another message once every receiver has it.
pub type MessageId = u32;

/// What can be read of a message without its content. It is written where the message is made, where the compiler knows its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Which kind it is.
    pub kind: KindId,
    /// The slot it is about; 0 if none.
    pub slot: Slot,
    /// Bytes on the wire, apart from the commands it carries and the transport's header.
    pub bytes: u32,
    /// How many commands it carries.
    pub commands: u32,
}

impl Header {
    /// The header of a message.
    #[inline(always)]
    pub fn of<M: Message>(message: &M) -> Header {
        Header { kind: message.kind(), slot: message.slot(), bytes: message.bytes(), commands: message.commands() }
    }
}

/// The messages in flight by id, without their contents: headers `H`, receivers left, and the ids that are free.
#[derive(Clone, Debug)]
pub struct MessageTable<H = Header> {
    entries: Vec<Entry<H>>,
    /// The first free id; each free entry names the next.
    free: MessageId,
}

#[derive(Clone, Copy, Debug)]
struct Entry<H> {
    header: H,
    /// Receivers that do not have it yet, at least one; in a free entry, the next free id.
    left: u32,
}

const NONE: MessageId = MessageId::MAX;

impl<H> Default for MessageTable<H> {
    fn default() -> MessageTable<H> {
        MessageTable { entries: Vec::new(), free: NONE }
    }
}

impl<H: Copy> MessageTable<H> {
    /// Enters a message for `receivers`, at least one; returns its id.
    #[inline(always)]
    pub fn put(&mut self, header: H, receivers: u32) -> MessageId {
        if self.free == NONE {
            return self.grow(header, receivers);
        }
        let id = self.free;
        let entry = &mut self.entries[id as usize];
        self.free = std::mem::replace(&mut entry.left, receivers);
        entry.header = header;
        id
    }

    #[cold]
    fn grow(&mut self, header: H, receivers: u32) -> MessageId {
        self.entries.push(Entry { header, left: receivers });
        self.entries.len() as MessageId - 1
    }

    /// Bytes of the table.
    pub fn bytes(&self) -> u64 {
        (self.entries.len() * size_of::<Entry<H>>()) as u64
    }

    /// The header of a message in flight.
    #[inline(always)]
    pub fn header(&self, id: MessageId) -> H {
        self.entries[id as usize].header
    }

    /// Whether other receivers than the present one still wait for it.
    #[inline(always)]
    pub fn is_shared(&self, id: MessageId) -> bool {
        self.entries[id as usize].left > 1
    }

    /// One receiver has it, or never will: after the last one the id is free.
    #[inline(always)]
    pub fn release(&mut self, id: MessageId) {
        let entry = &mut self.entries[id as usize];
        if entry.left > 1 {
            entry.left -= 1;
        } else {
            entry.left = self.free;
            self.free = id;
        }
    }

    /// A message that nobody has got yet is now meant for `receivers`; with none, its id is free.
    pub fn readdress(&mut self, id: MessageId, receivers: u32) {
        self.entries[id as usize].left = receivers.max(1);
        if receivers == 0 {
            self.release(id);
        }
    }
}

/// Messages between clients and replicas in flight, with their contents; each has one receiver.
#[derive(Clone, Debug)]
pub struct MessageStore<M> {
    table: MessageTable<()>,
    contents: Vec<Option<M>>,
}

impl<M> Default for MessageStore<M> {
    fn default() -> MessageStore<M> {
        MessageStore { table: MessageTable::default(), contents: Vec::new() }
    }
}

impl<M: Copy> MessageStore<M> {
    /// Bytes of its tables.
    pub fn bytes(&self) -> u64 {
        (self.contents.len() * (size_of::<Option<M>>() + size_of::<Entry<()>>())) as u64
    }

    /// Enters a message; returns its id.
    #[inline(always)]
    pub fn put(&mut self, content: M) -> MessageId {
        let id = self.table.put((), 1);
        if id as usize == self.contents.len() {
            self.contents.push(None);
        }
        self.contents[id as usize] = Some(content);
        id
    }

    /// The content of a message in flight.
    #[inline]
    pub fn look(&self, id: MessageId) -> Option<&M> {
        self.contents[id as usize].as_ref()
    }

    /// Hands a message over; its id is free afterwards.
    #[inline]
    pub fn take(&mut self, id: MessageId) -> Option<M> {
        self.table.release(id);
        self.contents[id as usize].take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_id_is_free_again_after_the_last_receiver() {
        let mut table = MessageTable::default();
        let (a, b) = (table.put('a', 2), table.put('b', 1));
        assert!(table.is_shared(a) && !table.is_shared(b));
        table.release(a);
        assert_eq!((table.header(a), table.header(b)), ('a', 'b'));
        table.release(b);
        assert_eq!(table.put('c', 1), b);
        table.release(a);
        assert_eq!(table.put('d', 1), a);
        assert_eq!((table.header(a), table.header(b)), ('d', 'c'));
    }

    #[test]
    fn message_readdressed_to_nobody_frees_its_id() {
        let mut table = MessageTable::default();
        let a = table.put('a', 3);
        table.readdress(a, 2);
        assert!(table.is_shared(a));
        table.readdress(a, 0);
        assert_eq!(table.put('b', 1), a);
    }

    #[test]
    fn client_message_is_handed_over_once() {
        let mut store = MessageStore::default();
        let (a, b) = (store.put("a"), store.put("b"));
        assert_eq!(store.look(a), Some(&"a"));
        assert_eq!((store.take(a), store.look(a)), (Some("a"), None));
        assert_eq!(store.put("c"), a);
        assert_eq!((store.take(b), store.take(a)), (Some("b"), Some("c")));
    }
}
