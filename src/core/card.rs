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
    /// The family it is listed under.
    pub family: Family,
    /// What the paper calls its proposal numbers: `term`, `ballot`, `view`.
    pub epoch: &'static str,
    /// What it is good at, in a word or two.
    pub optimises: &'static str,
    /// Fewest replicas it makes sense with.
    pub min_replicas: u8,
    /// What may go wrong without harm.
    pub faults: Faults,
    /// The timing it needs for what it promises; safety of an asynchronous protocol needs none.
    pub timing: TimingModel,
    /// What its replicas agree on.
    pub shots: Shots,
    /// How its leader comes about, if it has one.
    pub leader: LeaderModel,
    /// Whom clients turn to.
    pub contact: Contact,
    /// The properties that it promises. What it does not promise is looked at all the same, and told, but is no violation.
    pub promises: Promises,
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

/// What replicas agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shots {
    /// One value, once.
    Single,
    /// A log of commands, executed in one order everywhere.
    Log,
    /// Registers, each with a history of its own; a lane is a register. Nothing is ordered across registers.
    Registers,
    /// The outcome of each of many transactions, in no order among them.
    Transactions,
    /// Commands with dependencies; those that do not commute are executed in one order everywhere.
    Graph,
    /// Nothing.
    Nothing,
}

impl Shots {
    /// Whether replicas execute what clients ask for, reads among it.
    pub const fn executes(self) -> bool {
        match self {
            Shots::Log | Shots::Registers | Shots::Transactions | Shots::Graph => true,
            Shots::Single | Shots::Nothing => false,
        }
    }
}

/// The families under which variants are listed, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Crash-tolerant, with a leader.
    Leader,
    /// Crash-tolerant, without a fixed leader.
    Leaderless,
    /// Tolerates Byzantine nodes.
    Byzantine,
    /// Needs another model of time or chance.
    OtherModels,
    /// Does not solve consensus, to show what is missing.
    Foil,
}

impl Family {
    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Family::Leader => "With a leader",
            Family::Leaderless => "Without a fixed leader",
            Family::Byzantine => "Byzantine nodes",
            Family::OtherModels => "Other models",
            Family::Foil => "Ways that do not work",
        }
    }
}

/// What a protocol counts on about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimingModel {
    /// Nothing, for safety; for progress, that it is calm long enough.
    Asynchronous,
    /// A bound on delays that holds from some time on.
    PartiallySynchronous,
    /// A known bound on delays that always holds.
    Synchronous,
}

/// How a leader comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderModel {
    /// Nobody leads.
    None,
    /// The replicas elect one, and another when it fails.
    Elected,
    /// Each register or object has one of its own, or none.
    PerObject,
    /// It is the same node for ever; when it fails, nobody takes its place.
    Fixed,
    /// Each node decides by itself whether it leads.
    SelfAppointed,
}

/// Whom a client turns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// The leader: any replica first, then whom that names, then whoever answered last.
    Leader,
    /// The nearest replica; another only while that does not answer.
    Nearest,
    /// All replicas at once.
    All,
}

/// A set of properties that hold for some protocols only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promises(u8);

impl Promises {
    /// Nothing.
    pub const NOTHING: Promises = Promises(0);
    /// No two nodes decide differently on one instance.
    pub const AGREEMENT: Promises = Promises(1);
    /// Every node executes what is chosen in one order, without gaps and each once; for registers and graphs, what does not commute.
    pub const ORDER: Promises = Promises(2);
    /// At most one node leads in one term, ballot or view.
    pub const ONE_LEADER: Promises = Promises(4);
    /// What clients see fits one order of their operations in real time.
    pub const LINEARIZABLE: Promises = Promises(8);
    /// Clients are answered again once faults are over.
    pub const PROGRESS: Promises = Promises(16);
    /// What consensus protocols promise: all of the above.
    pub const CONSENSUS: Promises = Promises(31);

    /// These and the other ones.
    pub const fn and(self, other: Promises) -> Promises {
        Promises(self.0 | other.0)
    }

    /// These without the other ones.
    pub const fn without(self, other: Promises) -> Promises {
        Promises(self.0 & !other.0)
    }

    /// Whether all of the other ones are among these.
    pub const fn has(self, other: Promises) -> bool {
        self.0 & other.0 == other.0
    }
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
