//! Timers: how a protocol declares its timers, and what a picture or a table says about each.
//!
//! A node sets and cancels a timer by its value ([`Out::set_timer`](super::Out::set_timer)); setting one that is set already replaces it. A
//! simulator that is not compiled for one protocol knows the same timer by a number ([`TimerName::index`]).

use std::fmt::Debug;
use std::hash::Hash;

/// A kind of timer: everything a picture or a table needs to know about it.
#[derive(Debug, PartialEq, Eq)]
pub struct TimerKind {
    /// The paper's name, or a usual one: `election timeout`.
    pub name: &'static str,
    /// What the node does when it runs out, in plain words that follow on the node's name: `starts an election`.
    pub says: &'static str,
    /// Whether the node sends messages or changes its role when it runs out. If not, it only notes that something is over, such as a lease.
    pub acts: bool,
}

/// A protocol's timers. [`timers!`](crate::timers) declares an enumeration of them and implements this.
///
/// Invariant: `from_index(timer.index()) == Some(timer)`, and no two timers of a protocol have the same index.
pub trait TimerName: Copy + Eq + Debug + Hash {
    /// All kinds, in the order of declaration.
    const TIMERS: &'static [TimerKind];

    /// The timer as a number: its place in [`TimerName::TIMERS`] in the lowest byte, and above that what tells timers of one kind apart.
    fn index(self) -> u64;

    /// The timer of this number; `None` if there is none.
    fn from_index(index: u64) -> Option<Self>;

    /// Its kind.
    fn kind(self) -> &'static TimerKind {
        &Self::TIMERS[(self.index() & 0xff) as usize]
    }
}

/// Declares a protocol's timers: an enumeration with [`TimerName`], one variant each. A variant may carry a number of up to 32 bits, if there
/// are several timers of its kind.
///
/// ```
/// use quorumscope::core::TimerName;
/// quorumscope::timers! {
///     /// A server's timers.
///     pub enum Timer {
///         /// Nothing was heard of a leader.
///         Election = { name: "election timeout", says: "starts an election", acts: true };
///         /// One of several leases.
///         Lease(which: u8) = { name: "lease", says: "answers no more reads under this lease", acts: false };
///     }
/// }
/// assert_eq!(Timer::Lease(3).index(), 3 << 8 | 1);
/// assert_eq!(Timer::from_index(3 << 8 | 1), Some(Timer::Lease(3)));
/// assert_eq!(Timer::Election.kind().says, "starts an election");
/// ```
#[macro_export]
macro_rules! timers {
    (
        $(#[$doc:meta])*
        $visibility:vis enum $timer:ident {
            $( $(#[$about:meta])* $name:ident $( ( $number:ident : $type:ty ) )? = { $($field:ident : $value:expr),* $(,)? } );* $(;)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $timer { $( $(#[$about])* $name $( ( $type ) )? ),* }

        const _: () = {
            #[repr(u8)]
            enum Place { $($name),* }

            impl $crate::core::TimerName for $timer {
                const TIMERS: &'static [$crate::core::TimerKind] =
                    &[$( $crate::core::TimerKind { $($field: $value),* } ),*];

                #[inline]
                fn index(self) -> u64 {
                    match self {
                        $( $timer::$name $( ($number) )? => Place::$name as u64 $( | u64::from($number) << 8 )? ),*
                    }
                }

                fn from_index(index: u64) -> Option<$timer> {
                    $(
                        if index & 0xff == Place::$name as u64 {
                            let timer = $timer::$name $( (<$type>::try_from(index >> 8).ok()?) )?;
                            return (timer.index() == index).then_some(timer);
                        }
                    )*
                    None
                }
            }
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    timers! {
        /// Three timers, one of which carries a number.
        enum Timer {
            /// The first.
            First = { name: "first", says: "does one thing", acts: true };
            /// The second.
            Numbered(number: u32) = { name: "numbered", says: "does another", acts: false };
            /// The third.
            Last = { name: "last", says: "does a third", acts: true };
        }
    }

    #[test]
    fn every_timer_has_an_index_of_its_own_that_gives_it_back() {
        let timers = [Timer::First, Timer::Numbered(0), Timer::Numbered(7), Timer::Numbered(u32::MAX), Timer::Last];
        for timer in timers {
            assert_eq!(Timer::from_index(timer.index()), Some(timer));
            assert_eq!(timers.iter().filter(|other| other.index() == timer.index()).count(), 1, "{timer:?}");
        }
        assert_eq!(Timer::Numbered(7).kind().name, "numbered");
    }

    #[test]
    fn an_index_that_no_timer_has_gives_none() {
        // No such kind; a number where none belongs; a number that is too large.
        for index in [3, 0xff, 1 << 8, 1 << 8 | 2, 1 << 40 | 1] {
            assert_eq!(Timer::from_index(index), None, "{index:#x}");
        }
    }
}
