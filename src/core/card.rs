//! The card of a variant: what it is, where it comes from, and what it should cost.

/// What one reads about a variant before running it.
#[derive(Debug)]
pub struct Card {
    /// Short name for flags and scenarios, such as `multi-paxos`.
    pub key: &'static str,
    /// The name people know.
    pub title: &'static str,
    /// One plain sentence: what it is.
    pub says: &'static str,
    /// Author, title, venue, year.
    pub paper: &'static str,
    /// What the paper calls its proposal numbers: `term`, `ballot`, `view`.
    pub epoch: &'static str,
    /// What it is good at, in a word or two.
    pub optimises: &'static str,
    /// Fewest replicas it makes sense with.
    pub min_replicas: u8,
    /// What may go wrong without harm.
    pub faults: Faults,
    /// How much can be agreed on.
    pub shots: Shots,
    /// Whether leadership can be handed over on request.
    pub transfer: bool,
    /// Whether replicas can be added and removed while it runs.
    pub membership: bool,
    /// Published message counts. The first that applies to the settings at hand is the one to expect.
    pub formulas: &'static [Formula],
}

/// The failures a protocol is meant to survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// A crashed node never comes back.
    CrashStop,
    /// A crashed node may restart with what it had saved.
    CrashRecover,
    /// A node may lie.
    Byzantine,
}

/// One decision or many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shots {
    /// One value, once.
    Single,
    /// A log of commands.
    Log,
}

/// A published count of messages for one command.
///
/// Unicast messages between replicas for one committed command in the steady, failure-free case; none that a replica sends to
/// itself, no client request or reply, no heartbeat.
#[derive(Clone, Copy, Debug)]
pub struct Formula {
    /// As printed, such as `2(n−1)`.
    pub text: &'static str,
    /// The count for `n` replicas, or `None` where it does not apply to these settings.
    pub count: fn(n: u32, settings: &super::Settings) -> Option<u32>,
    /// Paper and section.
    pub source: &'static str,
}
