//! The rules of the Synod (single-decree Paxos), with their sections in the papers, and its settings.

use crate::core::SettingKind::{Choice, Duration, Flag};
use crate::core::quorum;

crate::rules! {
    /// Ballots are unique.
    UNIQUE_BALLOTS = {
        key: "unique-ballots",
        title: "unique ballot numbers",
        source: "Paxos Made Simple §2.5",
        says: "A ballot is a round and the proposer's own id, so no two proposers ever use the same one.",
        without: Some("two proposers propose different values under one ballot, and both can be chosen"),
    };
    /// The proposer's memory.
    DURABLE_ROUND = {
        key: "durable-round",
        title: "no ballot twice",
        source: "Paxos Made Simple §2.5",
        says: "A proposer saves the highest round it has tried before it tries it, and after a restart goes on above it.",
        without: Some("a restarted proposer uses a ballot again with another value, and both can be chosen"),
    };
    /// Phase 1b.
    PROMISE_ONLY_HIGHER = {
        key: "promise-only-higher",
        title: "promise",
        source: "Paxos Made Simple §2.2, phase 1(b)",
        says: "An acceptor promises a ballot only if it has promised none that is higher, and reports the proposal of the highest ballot it has accepted.",
        without: None,
    };
    /// P2c.
    ADOPT_HIGHEST = {
        key: "adopt-highest-accepted",
        title: "value adoption (P2c)",
        source: "Paxos Made Simple §2.2, phase 2(a)",
        says: "If any promise reports an accepted proposal, the proposer must propose the value of the one with the highest ballot.",
        without: Some("a value already chosen is replaced by another"),
    };
    /// P1a.
    ACCEPT_UNLESS_PROMISED = {
        key: "accept-unless-promised",
        title: "an acceptor keeps its promise (P1a)",
        source: "Paxos Made Simple §2.2, phase 2(b)",
        says: "An acceptor refuses a proposal whose ballot is below the one it has promised.",
        without: Some("an old proposal is accepted after a higher ballot was told that nothing had been"),
    };
    /// Accepting implies promising.
    ACCEPT_RAISES_PROMISE = {
        key: "accept-raises-promise",
        title: "accepting is promising",
        source: "Paxos Made Simple §2.2, P1a; Ongaro and Ousterhout's Paxos exercises, question 7",
        says: "An acceptor that accepts a ballot it was not asked to promise has thereby promised it.",
        without: Some("with three ballots and five servers, a lower ballot is accepted over a chosen one"),
    };
    /// Stable storage.
    DURABLE_ACCEPTOR = {
        key: "durable-acceptor",
        title: "stable storage",
        source: "Paxos Made Simple §2.5",
        says: "What an acceptor promised and accepted is on its disk before it answers, and it restarts from there.",
        without: Some("a restarted acceptor helps to choose a second value"),
    };
    /// Quorums.
    QUORUMS_INTERSECT = {
        key: "quorums-intersect",
        title: "quorum intersection",
        source: "Paxos Made Simple §2.2; Howard, Malkhi, Spiegelman, Flexible Paxos (2016), §4",
        says: "Every quorum of promises shares an acceptor with every quorum of acceptances: the two sizes add up to more than all nodes.",
        without: Some("a proposer hears of nobody who accepted the chosen value"),
    };
    /// Choice.
    CHOSEN_BY_QUORUM = {
        key: "chosen-by-quorum",
        title: "chosen",
        source: "Paxos Made Simple §2.2",
        says: "A value is chosen when a quorum of acceptors has accepted it in one ballot.",
        without: None,
    };
    /// Giving up a ballot.
    ABANDON = {
        key: "abandon",
        title: "give up a ballot that cannot win",
        source: "Paxos Made Simple §2.2, last paragraph, and §2.4",
        says: "A proposer that hears of a higher ballot gives its own up, and tries a higher one after a pause.",
        without: None,
    };
    /// Sending again.
    RESEND = {
        key: "resend",
        title: "send again",
        source: "Paxos Made Simple §2.1: messages can be lost",
        says: "Without answers from a quorum for a while, a proposer asks all those again that have not answered.",
        without: None,
    };
    /// Learning.
    LEARN = {
        key: "learn",
        title: "learning a chosen value",
        source: "Paxos Made Simple §2.3",
        says: "The proposer whose value was chosen tells everybody; who has learned the value answers clients at once.",
        without: None,
    };
    /// Thrifty.
    THRIFTY = {
        key: "thrifty",
        title: "thrifty",
        source: "Paxos Made Simple §2.2: \"to a set of acceptors\"; the word is from Moraru and others, EPaxos (2013)",
        says: "A proposer asks no more acceptors than make a quorum, and everybody when they do not answer.",
        without: None,
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
}
