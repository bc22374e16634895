//! Card of a variant: title, paper, failure and timing model, guarantees, published message counts.

/// Static description of a variant.
#[derive(Debug)]
pub struct Card {
    /// Identifier in flags and scenarios, such as `multi-paxos`.
    pub key: &'static str,
    /// Common name.
    pub title: &'static str,
    /// Description in one plain sentence.
    pub says: &'static str,
    /// Author, title, venue, year.
    pub paper: &'static str,
    /// Family under which it is listed.
    pub family: Family,
    /// The paper's name of its epochs: `term`, `ballot`, `view`.
    pub epoch: &'static str,
    /// Its strength, in a word or two.
    pub optimises: &'static str,
    /// Minimum number of replicas.
    pub min_replicas: u8,
    /// Failure model.
    pub faults: Faults,
    /// Timing model on which its guarantees depend.
    pub timing: TimingModel,
    /// What its replicas agree on.
    pub agrees_on: Shots,
    /// How a leader is determined, if there is one.
    pub leader: LeaderModel,
    /// Which replicas clients contact, under the default settings; see [`Protocol::contact`](super::Protocol::contact).
    pub contact: Contact,
    /// Guaranteed properties, under the default settings; see [`Protocol::promises`](super::Protocol::promises). Others are checked and reported as well, but do not count as violations.
    pub promises: Promises,
    /// Whether it supports leadership transfer.
    pub transfer: bool,
    /// Whether it supports membership changes.
    pub membership: bool,
    /// Published message counts; the first that applies to the settings is the expected one.
    pub formulas: &'static [Formula],
}

impl Card {
    /// Whether a bound on delays must always hold for what it promises. A card that promises nothing needs nothing.
    pub const fn needs_synchrony(&self) -> bool {
        matches!(self.timing, TimingModel::Synchronous) && !Promises::NOTHING.has(self.promises)
    }
}

/// Failure models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Crash-stop: a crashed node never restarts.
    CrashStop,
    /// Crash-recovery: a crashed node may restart from its durable state.
    CrashRecover,
    /// Crash-recovery without stable storage: a crashed node may restart, and has forgotten all that its protocol agrees on. It counts as failed until
    /// it has that again (its role is [`RECOVERING`](super::status::RECOVERING) until then), and no more may be failed at a time than need not be
    /// [live](super::Protocol::live).
    CrashForget,
    /// Byzantine: a faulty node may behave arbitrarily.
    Byzantine,
}

/// Object of agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shots {
    /// A single value (single-shot consensus).
    Single,
    /// A log of commands, executed in the same order everywhere (state machine replication).
    Log,
    /// Registers, each with a history of its own; a lane is a register. No order across registers.
    Registers,
    /// The outcome of each of many transactions, in no order among them.
    Transactions,
    /// Commands with dependencies; those that do not commute are executed in one order everywhere.
    Graph,
    /// No agreement.
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

/// Families under which variants are listed, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Crash-tolerant, with a leader.
    Leader,
    /// Crash-tolerant, without a fixed leader.
    Leaderless,
    /// Tolerates Byzantine nodes.
    Byzantine,
    /// Other timing models or randomisation.
    OtherModels,
    /// Does not solve consensus; shows what is missing.
    Foil,
}

impl Family {
    /// All of them, in order.
    pub const ALL: [Family; 5] =
        [Family::Leader, Family::Leaderless, Family::Byzantine, Family::OtherModels, Family::Foil];

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

/// Timing models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimingModel {
    /// No bound for safety; progress needs periods of timely delivery.
    Asynchronous,
    /// A bound on delays that holds from some unknown time on.
    PartiallySynchronous,
    /// A known bound on delays that always holds.
    Synchronous,
}

/// How a leader is determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderModel {
    /// No leader.
    None,
    /// Elected by the replicas, and replaced when it fails.
    Elected,
    /// At most one for each register or object.
    PerObject,
    /// Always the same node, without replacement.
    Fixed,
    /// Each node decides by itself whether it leads; possibly several at a time.
    SelfAppointed,
}

/// Which replica a client contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// The leader: any replica first, then the one it redirects to, then the one that answered last.
    Leader,
    /// The nearest replica; another while that does not answer.
    Nearest,
    /// The nearest replica to read, as in [`Contact::Nearest`], and the leader for all else, as in [`Contact::Leader`].
    NearestToRead,
    /// All replicas at once.
    All,
}

/// Set of properties that a protocol guarantees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promises(u8);

impl Promises {
    /// The empty set.
    pub const NOTHING: Promises = Promises(0);
    /// Agreement: no two nodes decide differently on one instance.
    pub const AGREEMENT: Promises = Promises(1);
    /// Applied prefix: every node executes the chosen commands in one order, without gaps, each once; for registers and graphs, non-commuting ones.
    pub const ORDER: Promises = Promises(2);
    /// One leader an epoch: at most one node leads in one term, ballot or view.
    pub const ONE_LEADER: Promises = Promises(4);
    /// Linearizability of client histories.
    pub const LINEARIZABLE: Promises = Promises(8);
    /// Progress: clients are answered once faults are over.
    pub const PROGRESS: Promises = Promises(16);
    /// The guarantees of consensus protocols: all of the above.
    pub const CONSENSUS: Promises = Promises(31);

    /// Union.
    pub const fn and(self, other: Promises) -> Promises {
        Promises(self.0 | other.0)
    }

    /// Difference.
    pub const fn without(self, other: Promises) -> Promises {
        Promises(self.0 & !other.0)
    }

    /// Whether `other` is a subset.
    pub const fn has(self, other: Promises) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Published message count of one command.
///
/// Unicast messages between replicas for one committed command in the steady, failure-free case; none that a replica sends to
/// itself, no client request or reply, no heartbeat.
#[derive(Clone, Copy, Debug)]
pub struct Formula {
    /// The formula as printed, such as `2(n−1)`.
    pub text: &'static str,
    /// The count for `n` replicas; `None` where the formula does not apply to the settings.
    pub count: fn(n: u32, settings: &super::Settings) -> Option<u32>,
    /// Paper and section.
    pub source: &'static str,
}
