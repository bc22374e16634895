//! What the values of parameters may be.

use crate::run::pace::Pace;
use quorumscope::lab::session::Goal;
use quorumscope::lab::{Quantity, verbs};

/// A kind of values.
pub trait Kind {
    /// What is read.
    type Value;

    /// Reads one; `None`: it is not accepted.
    fn read(&self, text: &str) -> Option<Self::Value>;

    /// Accepted values, in words.
    fn would_do(&self) -> String;
}

/// Given or not; `false` means not.
pub struct Flag;
/// One of these words.
pub struct One(pub &'static [&'static str]);
/// Any of these words, with commas between.
pub struct Some(pub &'static [&'static str]);
/// A speed such as `1:20`, `5:1` or `max`.
pub struct Speed;
/// A word that the page looks up.
pub struct Word;
/// The same, or nothing.
pub struct Optional;
/// Words of a script with commas between, or [`ALL`] or [`NONE`].
pub struct Verbs;
/// A whole number.
pub struct Number;
/// A time, or an event by number.
pub struct Moment;

impl Kind for Flag {
    type Value = bool;

    fn read(&self, text: &str) -> Option<bool> {
        match text {
            "" | "true" | "1" => Option::Some(true),
            "false" | "0" => Option::Some(false),
            _ => None,
        }
    }

    fn would_do(&self) -> String {
        "true or false would do".to_owned()
    }
}

impl Kind for One {
    type Value = &'static str;

    fn read(&self, text: &str) -> Option<&'static str> {
        self.0.iter().find(|word| **word == text).copied()
    }

    fn would_do(&self) -> String {
        format!("{} would do", self.0.join(" or "))
    }
}

impl Kind for Some {
    type Value = String;

    fn read(&self, text: &str) -> Option<String> {
        let good = text.is_empty() || text.split(',').all(|word| self.0.contains(&word));
        good.then(|| text.to_owned())
    }

    fn would_do(&self) -> String {
        format!("any of {}, with commas between, would do", self.0.join(", "))
    }
}

impl Kind for Speed {
    type Value = Pace;

    fn read(&self, text: &str) -> Option<Pace> {
        Pace::named(text)
    }

    fn would_do(&self) -> String {
        "1:20, 5:1 or max, for example, would do".to_owned()
    }
}

impl Kind for Word {
    type Value = String;

    fn read(&self, text: &str) -> Option<String> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn would_do(&self) -> String {
        "a name would do".to_owned()
    }
}

impl Kind for Optional {
    type Value = String;

    fn read(&self, text: &str) -> Option<String> {
        Option::Some(text.to_owned())
    }

    fn would_do(&self) -> String {
        "a name would do".to_owned()
    }
}

/// All words of a script.
pub const ALL: &str = "all";
/// None of them.
pub const NONE: &str = "none";

impl Kind for Verbs {
    type Value = String;

    fn read(&self, text: &str) -> Option<String> {
        let known = |word: &str| verbs().any(|verb| verb == word);
        (text == ALL || text == NONE || text.split(',').all(known)).then(|| text.to_owned())
    }

    fn would_do(&self) -> String {
        format!("{ALL}, {NONE}, or any of {}, with commas between, would do", verbs().collect::<Vec<_>>().join(", "))
    }
}

impl Kind for Number {
    type Value = u64;

    fn read(&self, text: &str) -> Option<u64> {
        text.parse().ok()
    }

    fn would_do(&self) -> String {
        "a whole number would do".to_owned()
    }
}

impl Kind for Moment {
    type Value = Goal;

    fn read(&self, text: &str) -> Option<Goal> {
        match text.strip_prefix('e') {
            Option::Some(event) => event.parse().ok().map(Goal::Event),
            None => Quantity::from(text).micros().ok().map(Goal::Time),
        }
    }

    fn would_do(&self) -> String {
        "a time such as 2.5s, or the number of an event such as e1200, would do".to_owned()
    }
}
