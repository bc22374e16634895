//! Protocol settings, described as data: keys, kinds and bounds, by which scenario, page and command line offer and check them without knowing
//! the protocol.

use super::{Micros, RuleId};

/// A setting of a protocol, which a scenario may choose.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in a scenario, such as `election_timeout_min`.
    pub key: &'static str,
    /// Its type and bounds.
    pub kind: SettingKind,
}

/// An edition of a protocol, as a paper or a program had it: what it sets, unless the scenario chooses otherwise, and which rules it does without. A
/// protocol that has editions has a setting [`EDITION`] whose options are their names, in the order of
/// [`Protocol::EDITIONS`](super::Protocol::EDITIONS); the first sets nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Edition {
    /// Settings with their values, as in [`Settings::set`].
    pub settings: &'static [(SettingId, u64)],
    /// Rules that it does without.
    pub without: &'static [RuleId],
}

/// The key of the setting that chooses an [`Edition`].
pub const EDITION: &str = "edition";

/// The values a setting accepts, and the one it has unless a scenario says otherwise.
#[derive(Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// On or off.
    Flag {
        /// The value if the scenario does not choose one.
        default: bool,
    },
    /// One of a few named ways.
    Choice {
        /// Their names.
        options: &'static [&'static str],
        /// Index into `options`.
        default: u8,
    },
    /// A length of time in µs. Zero is a value like any other; leaving it out lets the protocol derive it from the largest
    /// round trip between its replicas.
    Duration {
        /// Smallest accepted, µs.
        min: Micros,
        /// Largest accepted, µs.
        max: Micros,
    },
    /// A whole number.
    Count {
        /// Smallest accepted.
        min: u32,
        /// Largest accepted.
        max: u32,
        /// The value if the scenario does not choose one.
        default: u32,
    },
}

/// A setting of the protocol at hand: its place in that protocol's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SettingId(pub u8);

/// The chosen values, one for each setting of the protocol, in its order. Flags are 0 or 1, choices an index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settings(Vec<Option<u64>>);

impl Settings {
    /// The default of every setting.
    pub fn defaults(list: &[Setting]) -> Settings {
        Settings(
            list.iter()
                .map(|setting| match setting.kind {
                    SettingKind::Flag { default } => Some(u64::from(default)),
                    SettingKind::Choice { default, .. } => Some(u64::from(default)),
                    SettingKind::Duration { .. } => None,
                    SettingKind::Count { default, .. } => Some(u64::from(default)),
                })
                .collect(),
        )
    }

    /// Chooses a value. The caller has checked it against the setting's kind.
    pub fn set(&mut self, id: SettingId, value: u64) {
        self.0[id.0 as usize] = Some(value);
    }

    /// A flag's value.
    pub fn flag(&self, id: SettingId) -> bool {
        self.number(id) != 0
    }

    /// A choice's index.
    pub fn choice(&self, id: SettingId) -> u8 {
        self.number(id) as u8
    }

    /// A count.
    pub fn count(&self, id: SettingId) -> u32 {
        self.number(id) as u32
    }

    /// A duration in µs, or `derived` if the scenario leaves it open.
    pub fn duration(&self, id: SettingId, derived: Micros) -> Micros {
        self.0[id.0 as usize].unwrap_or(derived)
    }

    fn number(&self, id: SettingId) -> u64 {
        self.0[id.0 as usize].expect("flags, choices and counts have defaults")
    }
}

/// A setting that several protocols have, with what it does, in plain words.
pub type SharedSetting = (Setting, &'static str);

/// Declares a protocol's settings: one constant each, `SETTINGS`, the list of them all, and `SETTING_TEXTS`, what each does, in plain words: apart, because
/// the page's first picture does without. A setting that several protocols have is a [`SharedSetting`], named by its path in place of the braces.
///
/// ```
/// use quorumscope::core::{SettingKind, quorum};
/// quorumscope::settings! {
///     /// Whether to ask one quorum only.
///     THRIFTY = { key: "thrifty", says: "Ask one quorum only", kind: SettingKind::Flag { default: false } };
///     /// Promises needed.
///     PHASE_1_QUORUM = quorum::PHASE_1_SIZE;
/// }
/// assert_eq!(SETTINGS[PHASE_1_QUORUM.0 as usize].key, "q1");
/// ```
#[macro_export]
macro_rules! settings {
    ($(
        $(#[$doc:meta])* $name:ident = $( { key: $key:expr, says: $says:expr, kind: $kind:expr $(,)? } )? $( $shared:path )?
    );* $(;)?) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u8)]
        enum SettingIndex { $($name),* }
        $( $(#[$doc])* pub const $name: $crate::core::SettingId = $crate::core::SettingId(SettingIndex::$name as u8); )*
        /// Every setting, in the order of the constants.
        pub const SETTINGS: &[$crate::core::Setting] = &[$( $( $crate::core::Setting { key: $key, kind: $kind } )? $( $shared.0 )? ),*];
        /// What each setting does, in the same order.
        pub const SETTING_TEXTS: &[&str] = &[$( $( $says )? $( $shared.1 )? ),*];
    };
}
