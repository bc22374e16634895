//! Where messages wait while they are under way. What moves through the time wheel is only a message's number: a message is written once,
//! however many replicas it goes to, and handed over once to each.

use super::node::Message;
use super::{KindId, Slot};

/// What can be read of a message without opening it. It is written where the message is made, where its kind is known to the compiler, so
/// that it costs next to nothing; to look into the message for it, right after it was written in parts, makes the processor wait.
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
    /// What it says on a message.
    #[inline(always)]
    pub fn of<M: Message>(message: &M) -> Header {
        Header { kind: message.kind(), slot: message.slot(), bytes: message.bytes(), commands: message.commands() }
    }
}

/// Contents under way, by number, each perhaps with a label. A number is used again once everybody it was meant for has it.
#[derive(Clone, Debug)]
pub struct MessageStore<M, L = ()> {
    places: Vec<Place<M, L>>,
    free: u32,
}

#[derive(Clone, Debug)]
struct Place<M, L> {
    content: Option<M>,
    header: L,
    /// How many are still to get it; in a free place, the next free place.
    left: u32,
}

const NONE: u32 = u32::MAX;

impl<M, L> Default for MessageStore<M, L> {
    fn default() -> MessageStore<M, L> {
        MessageStore { places: Vec::new(), free: NONE }
    }
}

impl<M: Clone, L: Copy + Default> MessageStore<M, L> {
    /// Puts something away for `receivers`, at least one; tells its number.
    // Inlined so that the message is written here at once, not built elsewhere and copied: half of all the time went there.
    #[inline(always)]
    pub fn put(&mut self, content: M, header: L, receivers: u32) -> u32 {
        if self.free == NONE {
            self.grow();
        }
        let number = self.free;
        let place = &mut self.places[number as usize];
        self.free = std::mem::replace(&mut place.left, receivers);
        place.header = header;
        place.content = Some(content);
        number
    }

    #[cold]
    fn grow(&mut self) {
        self.free = self.places.len() as u32;
        self.places.push(Place { content: None, header: L::default(), left: NONE });
    }

    /// A message that nobody has got yet is now meant for so many.
    pub fn redirect(&mut self, number: u32, receivers: u32) {
        self.places[number as usize].left = receivers.max(1);
        if receivers == 0 {
            self.take(number);
        }
    }

    /// What it says on a message that is still under way.
    #[inline(always)]
    pub fn header(&self, number: u32) -> L {
        self.places[number as usize].header
    }

    /// What is in a message that is still under way.
    #[inline]
    pub fn look(&self, number: u32) -> Option<&M> {
        self.places[number as usize].content.as_ref()
    }

    /// Takes the content out for a while, for one of its receivers to read: [`MessageStore::close`] it afterwards, whether or not others wait.
    // As it lies here, in whole words: taken out of the `Option` it would be moved byte by byte at first, and the processor would wait.
    #[inline(always)]
    pub fn open(&mut self, number: u32) -> Option<M> {
        self.places[number as usize].content.take()
    }

    /// Puts the content back for the other receivers, if there are any left. Tells what it says on the message.
    // The content stays where it is unless it is put back: handed over, it would be copied once more in WebAssembly.
    #[inline(always)]
    pub fn close(&mut self, number: u32, content: &mut Option<M>) -> L {
        let place = &mut self.places[number as usize];
        if place.left > 1 {
            place.left -= 1;
            // It is empty, and need not find that out again in order to drop what was in it.
            std::mem::forget(std::mem::replace(&mut place.content, content.take()));
        } else {
            place.left = self.free;
            self.free = number;
        }
        place.header
    }

    /// Hands it to one of its receivers, for good.
    #[inline]
    pub fn take(&mut self, number: u32) -> Option<M> {
        let place = &mut self.places[number as usize];
        if place.left > 1 {
            place.left -= 1;
            return place.content.clone();
        }
        let content = place.content.take();
        place.left = self.free;
        self.free = number;
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gets_it_and_then_the_number_is_free() {
        let mut messages = MessageStore::default();
        let (a, b) = (messages.put("a", (), 2), messages.put("b", (), 1));
        assert_eq!(messages.take(a), Some("a"));
        assert_eq!(messages.look(a), Some(&"a"));
        assert_eq!(messages.take(b), Some("b"));
        assert_eq!(messages.put("c", (), 1), b);
        assert_eq!(messages.take(a), Some("a"));
        assert_eq!(messages.look(a), None);
        assert_eq!(messages.put("d", (), 1), a);
        assert_eq!(messages.take(b), Some("c"));
    }

    #[test]
    fn one_after_the_other_reads_it() {
        let mut messages = MessageStore::default();
        let a = messages.put("a", (), 2);
        assert_eq!(messages.open(a), Some("a"));
        let b = messages.put("b", (), 1);
        assert_ne!(a, b);
        messages.close(a, &mut Some("a"));
        assert_eq!(messages.look(a), Some(&"a"));
        assert_eq!(messages.open(a), Some("a"));
        messages.close(a, &mut Some("a"));
        assert_eq!(messages.put("c", (), 1), a);
    }
}
