//! Rules: the demands of a paper, each with a key, section, explanation and ablation.

/// One rule of a protocol.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name in flags and scenarios, such as `adopt-highest-accepted`.
    pub key: &'static str,
    /// The rule's name in the paper's terms.
    pub title: &'static str,
    /// Paper and section.
    pub source: &'static str,
    /// The demand, in plain words.
    pub says: &'static str,
    /// The property that fails without it; `None` if it cannot be ablated.
    pub without: Option<&'static str>,
}

/// A rule of the protocol at hand: its place in that protocol's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleId(pub u8);

/// A set of rules of one protocol; at most 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RuleSet(pub u64);

impl RuleSet {
    /// No rule.
    pub const EMPTY: RuleSet = RuleSet(0);

    /// The set of this rule only.
    pub const fn just(rule: RuleId) -> RuleSet {
        RuleSet(1 << rule.0)
    }

    /// Whether `rule` is in the set.
    pub const fn has(self, rule: RuleId) -> bool {
        self.0 >> rule.0 & 1 == 1
    }

    /// Adds `rule`.
    pub const fn add(&mut self, rule: RuleId) {
        self.0 |= 1 << rule.0;
    }

    /// The rules in both.
    pub const fn and(self, other: RuleSet) -> RuleSet {
        RuleSet(self.0 & other.0)
    }

    /// The rules in either.
    pub const fn or(self, other: RuleSet) -> RuleSet {
        RuleSet(self.0 | other.0)
    }

    /// This set without those in `other`.
    pub const fn minus(self, other: RuleSet) -> RuleSet {
        RuleSet(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the protocol's own order.
    pub fn iter(self) -> impl Iterator<Item = RuleId> {
        (0..64).map(RuleId).filter(move |&rule| self.has(rule))
    }
}

/// Declares a protocol's rules: a constant each, and `RULES`, the list of them all; and the sentences of each rule, which say what a node
/// does by it and why: a [`Reason`](crate::core::Reason) each, and `SENTENCES`. A sentence begins with the node's verb, and names its facts.
///
/// ```
/// quorumscope::rules! {
///     /// Acceptors promise upwards only.
///     PROMISE_ONLY_HIGHER = {
///         key: "promise-only-higher",
///         title: "promise",
///         source: "Paxos Made Simple §2.2, P1a",
///         says: "An acceptor promises a ballot only if it is higher than every ballot it promised before.",
///         without: Some("two values can be chosen"),
///     } tells {
///         PROMISES(ballot, promised) = "promises ballot {ballot}, which is higher than {promised}, the highest it promised before";
///         REFUSES_TO_PROMISE(ballot, promised) = "refuses ballot {ballot}: it has promised {promised}";
///     };
/// }
/// assert_eq!(RULES[PROMISE_ONLY_HIGHER.0 as usize].title, "promise");
/// assert_eq!(SENTENCES[PROMISES.sentence() as usize].facts, ["ballot", "promised"]);
/// ```
#[macro_export]
macro_rules! rules {
    ($(
        $(#[$doc:meta])* $name:ident = { $($field:ident : $value:expr),* $(,)? }
        tells { $($reason:ident($($fact:ident),* $(,)?) = $text:expr;)* }
    );* $(;)?) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u8)]
        enum RuleIndex { $($name),* }
        $( $(#[$doc])* pub const $name: $crate::core::RuleId = $crate::core::RuleId(RuleIndex::$name as u8); )*
        /// Every rule, in the order of the constants.
        pub const RULES: &[$crate::core::Rule] = &[$($crate::core::Rule { $($field: $value),* }),*];

        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u8)]
        enum SentenceIndex { $($($reason,)*)* }
        $($(
            #[doc = concat!("The node ", $text, ".")]
            pub const $reason: $crate::core::Reason<{ <[&str]>::len(&[$(stringify!($fact)),*]) }> =
                $crate::core::Reason($name, SentenceIndex::$reason as u8);
        )*)*
        /// The sentences of all rules, in the order of the rules.
        pub const SENTENCES: &[$crate::core::Sentence] = &[$($(
            $crate::core::Sentence { rule: $name, facts: &[$(stringify!($fact)),*], text: $text },
        )*)*];
    };
}
