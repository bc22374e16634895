//! The `messages!` macro: a protocol's messages as one table, with everything that pictures, counts and adversaries need to know of each.

/// Declares a protocol's messages: an enumeration with [`Message`](crate::core::Message), one row each, in the order of
/// [`Message::KINDS`](crate::core::Message::KINDS).
///
/// A row has the variant's fields and then, in this order (those in brackets may be left out):
///
/// | entry | meaning |
/// |---|---|
/// | \[`alias`\] | another name in use, such as the paper's `1b` |
/// | `letter`, `phase`, `says` | as in [`Kind`](crate::core::Kind); the kind's name is the variant's |
/// | \[`refusal: Name if condition => { [alias,] letter, says }`\] | under this condition the message is of another kind, of phase `Refuse`, which comes next in the order |
/// | \[`counts_as: Name if condition`\] | under this condition it is of a kind declared elsewhere in the table |
/// | `bytes` | bytes on the wire, apart from commands and the transport's header |
/// | \[`command: field`\] | the field that holds the one command it carries |
/// | \[`commands`, `values: \|see\| …`\] | how many commands it carries, if not exactly one, and what shows their values |
/// | \[`slot`\] | the slot it is about |
/// | \[`tampered`\] | what a Byzantine node could send instead, as an `Option`; follows from `command` by itself |
///
/// Expressions see the fields by name, as references.
///
/// ```
/// use quorumscope::core::{Ballot, Command, Message};
/// quorumscope::messages! {
///     /// Two messages of Paxos.
///     pub enum Msg {
///         /// Phase 2a.
///         Accept { ballot: Ballot, value: Command } = {
///             alias: "2a", letter: 'A', phase: Propose, says: "asks to accept a value",
///             bytes: 5, command: value, slot: 1,
///         };
///         /// Phase 2b.
///         Accepted { ballot: Ballot, done: bool } = {
///             alias: "2b", letter: 'a', phase: Accept, says: "has accepted it",
///             refusal: Nack if !done => { letter: 'N', says: "has promised a higher ballot" },
///             bytes: 5,
///         };
///     }
/// }
/// let accept = Msg::Accept { ballot: Ballot::ZERO, value: Command::NOOP };
/// assert_eq!((accept.kind().0, accept.commands(), accept.slot()), (0, 1, 1));
/// let nack = Msg::Accepted { ballot: Ballot::ZERO, done: false };
/// assert_eq!(Msg::KINDS[usize::from(nack.kind().0)].name, "Nack");
/// ```
#[macro_export]
macro_rules! messages {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $message:ident {
            $(
                $(#[$about:meta])*
                $name:ident
                $( { $( $(#[$field_about:meta])* $field:ident : $type:ty ),* $(,)? } )?
                $( ( $( $element:ident : $element_type:ty ),* $(,)? ) )?
                = {
                    $( alias: $alias:literal, )? letter: $letter:literal, phase: $phase:ident, says: $says:literal,
                    $( refusal: $refusal:ident if $refused:expr => {
                        $( alias: $refusal_alias:literal, )? letter: $refusal_letter:literal, says: $refusal_says:literal $(,)?
                    }, )?
                    $( counts_as: $other:ident if $like_other:expr, )?
                    bytes: $bytes:expr
                    $( , command: $command:ident )?
                    $( , commands: $commands:expr, values: |$see:ident| $values:expr )?
                    $( , slot: $slot:expr )?
                    $( , tampered: $tampered:expr )?
                    $(,)?
                }
            );* $(;)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        $visibility enum $message {
            $(
                $(#[$about])*
                $name $( { $( $(#[$field_about])* $field: $type ),* } )? $( ( $( $element_type ),* ) )?
            ),*
        }

        const _: () = {
            /// The place of each kind in `KINDS`.
            #[repr(u8)]
            enum Place { $( $name $( , $refusal )? ),* }

            #[allow(unused_variables)]
            impl $crate::core::Message for $message {
                const KINDS: &'static [$crate::core::Kind] = &[
                    $(
                        $crate::core::Kind {
                            name: stringify!($name),
                            alias: concat!($( $alias )?),
                            letter: $letter,
                            phase: $crate::core::Phase::$phase,
                            says: $says,
                        },
                        $(
                            $crate::core::Kind {
                                name: stringify!($refusal),
                                alias: concat!($( $refusal_alias )?),
                                letter: $refusal_letter,
                                phase: $crate::core::Phase::Refuse,
                                says: $refusal_says,
                            },
                        )?
                    )*
                ];

                #[inline(always)]
                fn kind(&self) -> $crate::core::KindId {
                    $crate::core::KindId(match self {
                        $(
                            $message::$name $( { $( $field ),* } )? $( ( $( $element ),* ) )? => {
                                $( if $refused { Place::$refusal as u8 } else )?
                                $( if $like_other { Place::$other as u8 } else )?
                                { Place::$name as u8 }
                            }
                        )*
                    })
                }

                #[inline(always)]
                fn bytes(&self) -> u32 {
                    match self {
                        $( $message::$name $( { $( $field ),* } )? $( ( $( $element ),* ) )? => $bytes, )*
                    }
                }

                #[inline(always)]
                fn commands(&self) -> u32 {
                    match self {
                        $(
                            $message::$name $( { $( $field ),* } )? $( ( $( $element ),* ) )? => {
                                0 $( + $crate::messages!(@one $command) )? $( + $commands )?
                            }
                        )*
                    }
                }

                fn each_value(&self, show: &mut dyn FnMut(u32)) {
                    match self {
                        $(
                            $message::$name $( { $( $field ),* } )? $( ( $( $element ),* ) )? => {
                                $( show($command.value()); )?
                                $( let $see = show; $values; )?
                            }
                        )*
                    }
                }

                #[inline(always)]
                fn slot(&self) -> $crate::core::Slot {
                    match self {
                        $( $message::$name $( { $( $field ),* } )? $( ( $( $element ),* ) )? => 0 $( + $slot )?, )*
                    }
                }

                fn tampered(&self) -> Option<Self> {
                    match self {
                        $(
                            $message::$name $( { $( $field ),* } )? $( ( $( $element ),* ) )? => {
                                None $( .or($tampered) )? $( .or_else(|| {
                                    let mut copy = self.clone();
                                    if let $message::$name { $command, .. } = &mut copy {
                                        *$command = $command.tampered();
                                    }
                                    Some(copy)
                                }) )?
                            }
                        )*
                    }
                }
            }
        };
    };
    (@one $field:ident) => { 1 };
}
