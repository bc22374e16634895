//! What two-phase commit demands, and what a scenario may choose.

use crate::core::SettingKind::{Choice, Count, Duration, Flag};

crate::rules! {
    /// The one coordinator.
    FIXED_COORDINATOR = {
        key: "fixed-coordinator",
        title: "coordinator",
        source: "Gray, Notes on Data Base Operating Systems (1978), §5.8.3.3",
        says: "Node 1 coordinates every transaction, for ever. Whoever asks another node is sent to it.",
        without: None,
    } tells {
        SENDS_ON(coordinator) = "does not coordinate, and sends the client on to {coordinator}";
    };
    /// Transaction numbers.
    UNIQUE_NUMBERS = {
        key: "unique-numbers",
        title: "transaction identifier",
        source: "Mohan, Lindsay, Obermarck (1986), §2: transactions have globally unique names",
        says: "The coordinator never numbers two transactions alike: it reserves numbers on its disk, and after a restart goes on above them.",
        without: Some("a restarted coordinator gives a number again, and a vote for one transaction counts for another"),
    } tells {
        RESERVES(first, last) = "reserves the numbers from {first} to {last} for transactions on its disk";
        GOES_ON_ABOVE(reserved) = "numbers its next transaction above {reserved}, because it may have used the numbers up to that before it restarted";
    };
    /// Strict two-phase locking.
    LOCKS = {
        key: "locks",
        title: "locks are held until the decision (strict two-phase locking)",
        source: "Gray (1978), §5.7.6; Bernstein, Hadzilacos, Goodman (1987), §3.5 and §7.4",
        says: "Who has voted yes keeps what the transaction uses locked until it knows the decision, and votes no to others that need it; the coordinator does not begin these.",
        without: Some("two transactions on one key are executed in different orders"),
    } tells {
        LETS_WAIT(command) = "lets {command} wait: another transaction has the lock that it needs, or waits for it";
        VOTES_NO_FOR_LOCK(at, holder) = "votes no on transaction {at}: transaction {holder}, which is not decided here, has the lock that it needs";
    };
    /// The collecting record.
    START_RECORD = {
        key: "start-record",
        title: "start record (collecting record)",
        source: "Bernstein, Hadzilacos, Goodman (1987), §7.4; Mohan, Lindsay, Obermarck (1986), §4",
        says: "Unless abort is presumed, the coordinator has on its disk that a transaction is being prepared before it asks for votes; after a restart it aborts it.",
        without: Some("a coordinator that presumes commit and restarts takes an undecided transaction for a committed one"),
    } tells {
        WRITES_START(at) = "asks for votes on transaction {at} when its start record is on the disk";
        FINDS_START(at) = "finds on its disk that transaction {at} was being prepared and not decided, and aborts it";
    };
    /// Unilateral abort.
    UNILATERAL_ABORT = {
        key: "unilateral-abort",
        title: "unilateral abort",
        source: "Bernstein, Hadzilacos, Goodman (1987), §7.4",
        says: "Until it votes yes, a participant may abort by itself; whoever votes no has done so.",
        without: None,
    } tells {
        GIVES_UP(command) = "does not begin a transaction for {command}, for a reason of its own: it may abort alone until it has voted";
        ABORTS_ALONE(at) = "aborts transaction {at} by itself: it has not voted yes on it, and now never will";
        ABORTS_ON_NO(at, voter) = "aborts transaction {at}: {voter} voted no";
    };
    /// Stable storage of the participants.
    VOTE_IS_DURABLE = {
        key: "vote-is-durable",
        title: "prepared record",
        source: "Gray (1978), §5.8.3.3; Bernstein, Hadzilacos, Goodman (1987), §7.4: the yes record",
        says: "A participant's vote, or that it has aborted without one, is on its disk before anybody hears of it.",
        without: Some("a restarted participant does not know what it has voted for, and aborts what others commit"),
    } tells {
        VOTES_YES(at) = "votes yes on transaction {at} when its vote is on its disk, and gives up the right to abort it alone";
        SAVES_ABORT(at) = "tells of it when it is on its disk that transaction {at} is aborted";
        REMEMBERS_VOTES() = "restarts with the votes that it finds on its disk";
    };
    /// AC3.
    ALL_VOTES = {
        key: "all-votes",
        title: "commit only if all voted yes (AC3)",
        source: "Bernstein, Hadzilacos, Goodman (1987), §7.3",
        says: "The coordinator commits when every participant, itself included, has voted yes: no majority is enough.",
        without: Some("one that has voted no or not at all aborts what others commit"),
    } tells {
        COMMITS(at, yes) = "commits transaction {at}: all participants, {yes}, voted yes";
        WAITS_FOR_ALL(at, yes) = "waits for the other votes on transaction {at}: {yes} voted yes, and a majority is not enough";
        COUNTS_VOTES(at, yes) = "has the votes of {yes} for transaction {at}";
    };
    /// The commit point.
    DECISION_IS_LOGGED = {
        key: "decision-is-logged",
        title: "commit record",
        source: "Gray (1978), §5.8.3.3; Bernstein, Hadzilacos, Goodman (1987), §7.4",
        says: "The commit record on the coordinator's disk is the decision. Nobody hears of it before.",
        without: Some("a restarted coordinator aborts what it had others commit"),
    } tells {
        WRITES_COMMIT(at) = "tells nobody before the commit record of transaction {at} is on its disk";
        FINDS_COMMITS() = "finds commit records on its disk, so those transactions are committed";
    };
    /// Time-out of the coordinator.
    ABORT_ON_TIMEOUT = {
        key: "abort-on-timeout",
        title: "time-out action of the coordinator",
        source: "Bernstein, Hadzilacos, Goodman (1987), §7.4",
        says: "A coordinator that has asked often enough and misses votes aborts.",
        without: None,
    } tells {
        ABORTS_ON_TIMEOUT(at, missing) = "aborts transaction {at}: it has asked often enough, and the votes of {missing} are missing";
    };
    /// The uncertainty period.
    NEVER_ALONE = {
        key: "never-alone",
        title: "uncertainty period",
        source: "Bernstein, Hadzilacos, Goodman (1987), §7.3 and §7.4",
        says: "A participant that has voted yes and knows no decision never decides by itself, however long it takes: it asks.",
        without: Some("a participant that has waited long enough aborts what others commit"),
    } tells {
        STAYS_IN_DOUBT(at) = "stays in doubt about transaction {at} and asks: it voted yes, so it must not decide alone";
    };
    /// AC2.
    DECIDE_ONCE = {
        key: "decide-once",
        title: "no decision is reversed (AC2)",
        source: "Bernstein, Hadzilacos, Goodman (1987), §7.3",
        says: "Who has decided ignores what else it hears of that transaction: a coordinator that has forgotten it answers by presumption.",
        without: Some("a late answer by presumption undoes a commit"),
    } tells {
        STAYS_ABORTED(at) = "leaves transaction {at} aborted, though it is told to commit it: no decision is reversed";
        STAYS_COMMITTED(at) = "leaves transaction {at} committed, though it is told to abort it: no decision is reversed";
    };
    /// Acknowledgements.
    KEEP_UNTIL_ACKED = {
        key: "keep-until-acked",
        title: "acknowledgements",
        source: "Mohan, Lindsay, Obermarck (1986), §2 and §3",
        says: "A coordinator keeps a decision that it would not presume, and sends it again, until everybody has it on disk.",
        without: Some("whoever missed a commit is told that the transaction aborted, by presumption"),
    } tells {
        KEEPS_DECISION(at, others) = "keeps the decision on transaction {at} until it is acknowledged by {others}";
        FORGETS_DECISION(at) = "forgets transaction {at}: everybody has acknowledged the decision";
    };
    /// Presumption.
    PRESUMPTION = {
        key: "presumption",
        title: "presumed abort, presumed commit",
        source: "Mohan, Lindsay, Obermarck (1986), §3 and §4",
        says: "Asked about a transaction of which it knows nothing, the coordinator answers with the outcome that is presumed.",
        without: None,
    } tells {
        PRESUMES_COMMIT(asker, at) = "answers {asker} that transaction {at} is committed: it knows nothing of it, and that is what is presumed then";
        PRESUMES_ABORT(asker, at) = "answers {asker} that transaction {at} is aborted: it knows nothing of it, and that is what is presumed then";
    };
    /// Recovery of the coordinator.
    RECOVER_COORDINATOR = {
        key: "recover-coordinator",
        title: "recovery of the coordinator",
        source: "Bernstein, Hadzilacos, Goodman (1987), §7.4; Mohan, Lindsay, Obermarck (1986), §2",
        says: "A restarted coordinator sends again what its log says was decided and not acknowledged by all, and aborts what was not decided.",
        without: None,
    } tells {
        TELLS_AGAIN(at, decision) = "tells everybody again the decision on transaction {at}, {decision}, which its log says not all have acknowledged";
    };
    /// Recovery of a participant.
    RECOVER_PARTICIPANT = {
        key: "recover-participant",
        title: "recovery of a participant",
        source: "Bernstein, Hadzilacos, Goodman (1987), §7.4; Mohan, Lindsay, Obermarck (1986), §2",
        says: "A restarted participant that finds a vote and no decision in its log is in doubt: it locks what it had locked, and asks.",
        without: None,
    } tells {
        FINDS_VOTE(at) = "finds on its disk that it voted yes on transaction {at} and no decision, so it is in doubt, locks what it had locked, and asks";
    };
    /// Cooperative termination.
    COOPERATIVE_TERMINATION = {
        key: "cooperative-termination",
        title: "cooperative termination protocol",
        source: "Bernstein, Hadzilacos, Goodman (1987), §7.4",
        says: "A participant in doubt asks all others: one that knows the decision tells it, and one that has not voted aborts. If all have voted yes, all stay blocked.",
        without: None,
    } tells {
        ASKS_OTHERS(at) = "asks all others about transaction {at}: any that knows the decision, or has not voted, can end its doubt";
        KNOWS_COMMIT(asker, at) = "tells {asker} that transaction {at} is committed";
        KNOWS_ABORT(asker, at) = "tells {asker} that transaction {at} is aborted";
        IS_IN_DOUBT_TOO(asker, at) = "cannot help {asker}: it voted yes on transaction {at} as well, and knows no decision";
        HAS_NOT_VOTED(asker, at) = "ends the doubt of {asker}: it has not voted on transaction {at}, so nobody can have committed it";
    };
    /// Retransmission.
    RESEND = {
        key: "resend",
        title: "send again",
        source: "Mohan, Lindsay, Obermarck (1986), §2: messages can be lost",
        says: "Who misses votes, a decision or acknowledgements asks again.",
        without: None,
    } tells {
        TELLS_DECISION(asker, at) = "tells {asker} once more what was decided on transaction {at}";
        ASKS_AGAIN_FOR_VOTES(at, missing) = "asks {missing} again for their votes on transaction {at}";
        TELLS_MISSING(at, missing) = "sends the decision on transaction {at} again to {missing}: no acknowledgement has come";
        ASKS_AGAIN(at) = "asks once more what was decided on transaction {at}";
    };
}

crate::settings! {
    /// What no information means.
    PRESUME = {
        key: "presume",
        says: "What it means that the coordinator knows nothing: abort (no start record, no acknowledgement of aborts), nothing (both), commit (no acknowledgement of commits)",
        kind: Choice { options: &["abort", "nothing", "commit"], default: 0 },
    };
    /// Whom one in doubt asks.
    COOPERATIVE = {
        key: "cooperative",
        says: "A participant in doubt asks all others, not the coordinator alone",
        kind: Flag { default: true },
    };
    /// How often a node votes no.
    REFUSE = {
        key: "refuse",
        says: "How often a node votes no for reasons of its own, in a thousand",
        kind: Count { min: 0, max: 1_000, default: 0 },
    };
    /// Patience.
    TIMEOUT = {
        key: "timeout",
        says: "How long to wait for votes, a decision or acknowledgements before asking again",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// How often to ask for votes.
    TRIES = {
        key: "tries",
        says: "How often the coordinator waits for votes before it aborts",
        kind: Count { min: 1, max: 100, default: 3 },
    };
}
