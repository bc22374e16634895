//! Rules and settings of CASPaxos.

use crate::core::SettingKind::{Choice, Duration, Flag};
use crate::core::quorum::{self, QuorumSettings};

crate::rules! {
    /// Ballots are unique.
    UNIQUE_BALLOTS = {
        key: "unique-ballots",
        title: "ballot tuples (counter, ID)",
        source: "CASPaxos §2.1",
        says: "A ballot is the proposer's counter and its own ID, so no two proposers ever use the same one.",
        without: Some("two proposers write different states under one ballot, and both are acknowledged"),
    } tells {
        TAKES_BALLOT(ballot) = "takes ballot {ballot}, its own first one above all that it has seen";
    };
    /// The proposer's memory.
    DURABLE_COUNTER = {
        key: "durable-counter",
        title: "increasing counter",
        source: "CASPaxos §2.1: \"minimal state needed to generate unique increasing update IDs\"",
        says: "A proposer saves its counter before it uses it, and after a restart goes on above it.",
        without: Some("a restarted proposer uses a ballot again with another state, and both are acknowledged"),
    } tells {
        SAVES_COUNTER(counter) = "uses it when its counter, {counter}, is on its disk";
        GOES_ON_ABOVE(counter) = "restarts with the counter that it finds on its disk, {counter}, and will go on above it";
    };
    /// Going higher after a conflict.
    FAST_FORWARD = {
        key: "fast-forward",
        title: "fast-forward",
        source: "CASPaxos §2.1, last paragraph",
        says: "A proposer that receives a conflict gives its ballot up, sets its counter to the one in the conflict, and tries again above it after a random pause.",
        without: None,
    } tells {
        GIVES_UP(own, ballot, register) = "gives its ballot {own} for register {register} up, because it heard of {ballot}, and tries above that after a pause";
    };
    /// Phase 1, acceptor.
    PROMISE_ONLY_HIGHER = {
        key: "promise-only-higher",
        title: "promise",
        source: "CASPaxos §2.2, prepare: \"Returns a conflict if it already saw a greater ballot number\"",
        says: "An acceptor promises a ballot only if it has seen none that is greater, and reports the accepted state with its ballot.",
        without: Some("an acceptor goes back to a lower ballot, a newer state hides behind an older one with a higher ballot, and changes are lost"),
    } tells {
        PROMISES(ballot, register, promised) = "promises ballot {ballot} for register {register}: the highest it has seen before is {promised}";
        REFUSES_TO_PROMISE(ballot, register, promised) = "refuses to promise ballot {ballot} for register {register}: it has seen {promised}, which is higher";
        COUNTS_PROMISES(promises, ballot) = "has the promises of {promises} for ballot {ballot}";
    };
    /// Phase 1, proposer.
    ADOPT_HIGHEST = {
        key: "adopt-highest-accepted",
        title: "current state",
        source: "CASPaxos §2.2: \"it picks the value of the tuple with the highest ballot number\"",
        says: "Of the states reported by a quorum of promises, the proposer takes the one accepted in the highest ballot; the empty one if there is none.",
        without: Some("a change is applied to an old state, and an acknowledged change is lost"),
    } tells {
        PREFERS(reported, before) = "prefers the state reported from ballot {reported} to what was reported before: that was of a lower ballot, {before}";
        STARTS_EMPTY(promises) = "starts from the empty state: the promises of {promises}, a quorum, report nothing accepted";
        TAKES_STATE(accepted, promises) = "goes on from the state of ballot {accepted}, the highest in the promises of {promises}, a quorum";
    };
    /// Between the phases.
    CHANGE_FUNCTION = {
        key: "change-function",
        title: "change function",
        source: "CASPaxos §2.2: \"Applies the f function to the current state and sends the result\"",
        says: "A client's command is a function of the current state. The proposer applies it and sends the new state; a read is a function that gives back what it got.",
        without: None,
    } tells {
        APPLIES(command, version) = "applies {command} to version {version} of the state, and asks all to accept what comes of it";
    };
    /// A command is not a function that may be applied twice.
    AT_MOST_ONCE = {
        key: "at-most-once",
        title: "at most once",
        source: "not in the paper, whose clients make their changes conditional (§2.2: \"if x = (5, ∗)\"); Ongaro's dissertation §6.3",
        says: "The state remembers the last command of each client with its outcome. A change that is in the current state already is not made again: the state is written as it is.",
        without: Some("a change whose proposer met a conflict, or whose client asked twice, is made twice"),
    } tells {
        IS_IN_STATE(command) = "does not apply {command} again: the state holds it already, and is written as it is";
    };
    /// Phase 2, acceptor.
    ACCEPT_UNLESS_PROMISED = {
        key: "accept-unless-promised",
        title: "an acceptor keeps its promise",
        source: "CASPaxos §2.2, accept: \"Returns a conflict if it already saw a greater ballot number\"",
        says: "An acceptor refuses a state whose ballot is below one that it has promised or accepted.",
        without: Some("an old state is accepted after a higher ballot was told that there was none"),
    } tells {
        ACCEPTS(version, register, ballot) = "accepts version {version} of register {register} in ballot {ballot}: it has promised none that is higher";
        REFUSES_LOWER(ballot, register, promised) = "refuses ballot {ballot} for register {register}: it has seen {promised}, which is higher";
    };
    /// Stable storage.
    DURABLE_ACCEPTOR = {
        key: "durable-acceptor",
        title: "persists",
        source: "CASPaxos §2.2: \"Persists the ballot number as a promise\"",
        says: "What an acceptor promised and accepted for a register is on its disk before it answers, and it restarts from there.",
        without: Some("an acceptor that restarts has forgotten an acknowledged change"),
    } tells {
        SAVES_PROMISE() = "answers when its promise is on its disk";
        SAVES_STATE() = "answers when the state is on its disk";
        REMEMBERS() = "restarts with the states of registers that it finds on its disk";
    };
    /// Quorums.
    QUORUMS_INTERSECT = {
        key: "quorums-intersect",
        title: "flexible quorums",
        source: "CASPaxos §2.2.2 and appendix B",
        says: "Every quorum of promises shares an acceptor with every quorum of confirmations of accept: the two sizes add up to more than all nodes.",
        without: Some("a proposer hears of nobody who accepted the acknowledged state"),
    } tells {
        HEARS_OF_LAST_STATE() = "has thereby heard of the last acknowledged state: any quorum that accepted it shares an acceptor with these";
    };
    /// Acknowledgement.
    ACKNOWLEDGED = {
        key: "acknowledged",
        title: "confirmations",
        source: "CASPaxos §2.2 and appendix A",
        says: "A change is acknowledged when a quorum of acceptors has accepted its state in one ballot; all later states are its descendants.",
        without: None,
    } tells {
        ACKNOWLEDGES(version, register, ballot, acceptances) = "acknowledges version {version} of register {register}: {acceptances} accepted it in ballot {ballot}, and that is a quorum";
        COUNTS_ACCEPTANCES(acceptances, ballot) = "has the confirmations of {acceptances} in ballot {ballot}";
    };
    /// The optimisation.
    ONE_ROUND_TRIP = {
        key: "one-round-trip",
        title: "one-round trip optimization",
        source: "CASPaxos §2.2.1",
        says: "An accept message carries the next prepare: who accepts promises the proposer's next ballot at once, and the proposer keeps the state it wrote.",
        without: None,
    } tells {
        ASKS_FOR_NEXT() = "asks along with the state for promises of its next ballot";
    };
    /// Its precondition.
    CACHE_NEEDS_PROMISES = {
        key: "cache-needs-promises",
        title: "the kept state stands on promises",
        source: "CASPaxos §2.2.1, and §2.2: \"Waits for the F+1 confirmations\"",
        says: "A proposer leaves out the prepare phase only with the very ballot that a quorum promised while accepting the state it keeps, and not once it has heard of a higher one.",
        without: Some("a proposer writes over the change that another one made meanwhile"),
    } tells {
        LEAVES_OUT_PREPARE(next, promises) = "leaves the prepare phase out: along with the state that it keeps, ballot {next} was promised by {promises}, which is a quorum";
        KEPT_STATE_IS_OLD(register) = "does not rely on the state of register {register} that it keeps: no quorum has promised its next ballot, or it has heard of a higher one";
    };
    /// Sending again.
    RESEND = {
        key: "resend",
        title: "send again",
        source: "CASPaxos §1: \"message loss and out-of-order delivery\"",
        says: "Without confirmations from a quorum for a while, a proposer asks all those again that have not answered, ever more seldom.",
        without: None,
    } tells {
        ASKS_AGAIN(register, ballot) = "asks again in ballot {ballot} for register {register}: no quorum answered in time";
    };
}

crate::settings! {
    /// The optimisation.
    ONE_ROUND = {
        key: "one_round",
        says: "Send the next prepare along with each accept, so that a proposer that goes on with a register needs one round trip",
        kind: Flag { default: false },
    };
    /// How long to pause.
    BACKOFF = {
        key: "backoff",
        says: "Pause of a proposer after a conflict: random, longer each time, or always the same (then duels can last for ever)",
        kind: Choice { options: &["random", "fixed"], default: 0 },
    };
    /// The pause.
    BACKOFF_TIME = {
        key: "backoff_time",
        says: "Shortest pause of a proposer after a conflict",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Patience.
    TIMEOUT = {
        key: "timeout",
        says: "How long a proposer waits for a quorum to answer before it asks again",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Promises needed.
    PHASE_1_QUORUM = quorum::PHASE_1_SIZE;
    /// Confirmations needed.
    PHASE_2_QUORUM = quorum::PHASE_2_SIZE;
}

/// The settings above that choose its quorums.
pub const QUORUM_SETTINGS: QuorumSettings = QuorumSettings { sizes: (PHASE_1_QUORUM, PHASE_2_QUORUM), shape: None };
