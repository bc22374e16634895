//! The rules of the Synod (single-decree Paxos), with their sections in the papers, and its settings.

use crate::core::SettingKind::{Choice, Duration, Flag};
use crate::core::quorum::{self, QuorumSettings};

crate::rules! {
    /// Ballots are unique.
    UNIQUE_BALLOTS = {
        key: "unique-ballots",
        title: "unique ballot numbers",
        source: "Paxos Made Simple §2.5",
        says: "A ballot is a round and the proposer's own id, so no two proposers ever use the same one.",
        without: Some("two proposers propose different values under one ballot, and both can be chosen"),
    } tells {
        PREPARES(ballot) = "prepares ballot {ballot}, its own first one above all that it has seen";
    };
    /// The proposer's memory.
    DURABLE_ROUND = {
        key: "durable-round",
        title: "no ballot twice",
        source: "Paxos Made Simple §2.5",
        says: "A proposer saves the highest round it has tried before it tries it, and after a restart goes on above it.",
        without: Some("a restarted proposer uses a ballot again with another value, and both can be chosen"),
    } tells {
        SAVES_ROUND(round) = "asks when it is on its disk that it has tried round {round}";
        GOES_ON_ABOVE(round) = "restarts knowing that it has tried round {round}, and will go on above it";
    };
    /// Phase 1b.
    PROMISE_ONLY_HIGHER = {
        key: "promise-only-higher",
        title: "promise",
        source: "Paxos Made Simple §2.2, phase 1(b)",
        says: "An acceptor promises a ballot only if it has promised none that is higher, and reports the proposal of the highest ballot it has accepted.",
        without: None,
    } tells {
        PROMISES(ballot, promised) = "promises ballot {ballot}: the highest it promised before is {promised}";
        PROMISES_AGAIN(ballot) = "promises ballot {ballot} once more: its first promise may have been lost";
        REFUSES_TO_PROMISE(ballot, promised) = "refuses to promise ballot {ballot}: it has promised {promised}, which is higher";
        REPORTS(accepted) = "reports that it has accepted a value in ballot {accepted}";
        COUNTS_PROMISES(promises, ballot) = "has the promises of {promises} for ballot {ballot}";
        IS_FREE(promises) = "may propose the value that its client wants: the promises of {promises}, a quorum, report nothing accepted";
    };
    /// P2c.
    ADOPT_HIGHEST = {
        key: "adopt-highest-accepted",
        title: "value adoption (P2c)",
        source: "Paxos Made Simple §2.2, phase 2(a)",
        says: "If any promise reports an accepted proposal, the proposer must propose the value of the one with the highest ballot.",
        without: Some("a value already chosen is replaced by another"),
    } tells {
        ADOPTS(accepted) = "must propose the value that was accepted in ballot {accepted}, the highest that promises report";
    };
    /// P1a.
    ACCEPT_UNLESS_PROMISED = {
        key: "accept-unless-promised",
        title: "an acceptor keeps its promise (P1a)",
        source: "Paxos Made Simple §2.2, phase 2(b)",
        says: "An acceptor refuses a proposal whose ballot is below the one it has promised.",
        without: Some("an old proposal is accepted after a higher ballot was told that nothing had been"),
    } tells {
        ACCEPTS(value, ballot) = "accepts the value of {value} in ballot {ballot}: it has promised none that is higher";
        REFUSES_LOWER(ballot, promised) = "refuses ballot {ballot}: it has promised {promised}, which is higher";
    };
    /// Accepting implies promising.
    ACCEPT_RAISES_PROMISE = {
        key: "accept-raises-promise",
        title: "accepting is promising",
        source: "Paxos Made Simple §2.2, P1a; Ongaro and Ousterhout's Paxos exercises, question 7",
        says: "An acceptor that accepts a ballot it was not asked to promise has thereby promised it.",
        without: Some("with three ballots and five servers, a lower ballot is accepted over a chosen one"),
    } tells {
        PROMISES_BY_ACCEPTING(ballot, promised) = "has thereby promised ballot {ballot}; before, it was {promised}";
    };
    /// Stable storage.
    DURABLE_ACCEPTOR = {
        key: "durable-acceptor",
        title: "stable storage",
        source: "Paxos Made Simple §2.5",
        says: "What an acceptor promised and accepted is on its disk before it answers, and it restarts from there.",
        without: Some("a restarted acceptor helps to choose a second value"),
    } tells {
        SAVES_PROMISE() = "answers when its promise is on its disk";
        SAVES_ACCEPTANCE() = "answers when what it accepted is on its disk";
        REMEMBERS(promised) = "restarts with what is on its disk: it has promised ballot {promised}";
    };
    /// Quorums.
    QUORUMS_INTERSECT = {
        key: "quorums-intersect",
        title: "quorum intersection",
        source: "Paxos Made Simple §2.2; Howard, Malkhi, Spiegelman, Flexible Paxos (2016), §4",
        says: "Every quorum of promises shares an acceptor with every quorum of acceptances: of any sizes, if the two add up to more than all nodes.",
        without: Some("a proposer hears of nobody who accepted the chosen value"),
    } tells {
        HEARS_OF_CHOSEN() = "has thereby heard of the value, if one is chosen: any quorum of acceptances shares an acceptor with these";
    };
    /// Choice.
    CHOSEN_BY_QUORUM = {
        key: "chosen-by-quorum",
        title: "chosen",
        source: "Paxos Made Simple §2.2",
        says: "A value is chosen when a quorum of acceptors has accepted it in one ballot.",
        without: None,
    } tells {
        CHOOSES(value, ballot, acceptances) = "knows the value of {value} to be chosen: {acceptances} accepted it in ballot {ballot}, and that is a quorum";
        COUNTS_ACCEPTANCES(acceptances, ballot) = "has the acceptances of {acceptances} in ballot {ballot}";
    };
    /// Giving up a ballot.
    ABANDON = {
        key: "abandon",
        title: "give up a ballot that cannot win",
        source: "Paxos Made Simple §2.2, last paragraph, and §2.4",
        says: "A proposer that hears of a higher ballot gives its own up, and tries a higher one after a pause.",
        without: None,
    } tells {
        GIVES_UP(own, ballot) = "gives its ballot {own} up, because it heard of {ballot}, and tries a higher one after a pause";
    };
    /// Sending again.
    RESEND = {
        key: "resend",
        title: "send again",
        source: "Paxos Made Simple §2.1: messages can be lost",
        says: "Without answers from a quorum for a while, a proposer asks all those again that have not answered.",
        without: None,
    } tells {
        ASKS_AGAIN_TO_PROMISE(ballot, promises) = "asks again for promises of ballot {ballot}: it has only those of {promises}";
        ASKS_AGAIN_TO_ACCEPT(ballot, acceptances) = "asks again to accept in ballot {ballot}: only {acceptances} accepted so far";
    };
    /// Learning.
    LEARN = {
        key: "learn",
        title: "learning a chosen value",
        source: "Paxos Made Simple §2.3",
        says: "The proposer whose value was chosen tells everybody; who has learned the value answers clients at once.",
        without: None,
    } tells {
        LEARNS(value) = "knows that the value of {value} is chosen";
        ANSWERS(command) = "answers {command} with the chosen value";
    };
    /// Thrifty.
    THRIFTY = {
        key: "thrifty",
        title: "thrifty",
        source: "Paxos Made Simple §2.2: \"to a set of acceptors\"; the word is from Moraru and others, EPaxos (2013)",
        says: "A proposer asks no more acceptors than make a quorum, and everybody when they do not answer.",
        without: None,
    } tells {
        ASKS_A_QUORUM(asked) = "asks {asked} only, which is a quorum";
    };
}

crate::settings! {
    /// How pauses are drawn.
    BACKOFF = {
        key: "backoff",
        says: "Pause of a preempted proposer: random, longer each time, or always the same (then duels can last for ever)",
        kind: Choice { options: &["random", "fixed"], default: 0 },
    };
    /// How long a pause is at least.
    BACKOFF_TIME = {
        key: "backoff_time",
        says: "Shortest pause of a preempted proposer",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// How long to wait for answers.
    TIMEOUT = {
        key: "timeout",
        says: "How long a proposer waits for a quorum to answer before it asks again",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// One quorum instead of everybody.
    ASK_THRIFTILY = {
        key: "thrifty",
        says: "Ask one quorum only, and everybody when it does not answer",
        kind: Flag { default: false },
    };
    /// Replicas in a quorum of phase 1.
    PHASE_1_QUORUM = quorum::PHASE_1_SIZE;
    /// Replicas in a quorum of phase 2.
    PHASE_2_QUORUM = quorum::PHASE_2_SIZE;
    /// Which sets are quorums.
    SHAPE = quorum::SHAPE;
    /// Rows of a grid.
    ROWS = quorum::ROWS;
}

/// The settings above that choose its quorums.
pub const QUORUM_SETTINGS: QuorumSettings =
    QuorumSettings { sizes: (PHASE_1_QUORUM, PHASE_2_QUORUM), shape: Some((SHAPE, ROWS)) };
