//! The rules of Viewstamped Replication, with their sections in the paper, and its settings.
//!
//! Sections without a name are those of Liskov's and Cowling's *Viewstamped Replication Revisited* (2012). What holds with the setting `ring` only, its rules
//! say; the others are worded for the paper's form.

use crate::core::SettingKind::{Choice, Count, Duration, Flag};
use crate::core::{Edition, Micros};

crate::rules! {
    /// The primary orders requests.
    PREPARES = {
        key: "prepare",
        title: "Prepare",
        source: "§4.1, steps 2 and 3",
        says: "The primary gives each new request the next op-number, appends it to its log, and sends it to all backups.",
        without: None,
    } tells {
        PREPARES_REQUEST(command, op, view, to) = "gives {command} the op-number {op} in view {view}, and sends it to {to}";
        REDIRECTS(view) = "does not take the request: it is not the primary of view {view}, or its status is not normal";
    };
    /// Backups keep to the order.
    IN_ORDER = {
        key: "in-order",
        title: "PrepareOk in order",
        source: "§4.1, step 4",
        says: "A backup acknowledges a request only when it has all requests before it in its log.",
        without: None,
    } tells {
        ACKNOWLEDGES(op, view) = "acknowledges op-number {op} of view {view}: it has all before it";
        WAITS_FOR_EARLIER(op, last) = "keeps op-number {op} until it has those before it: its log ends at {last}";
        ACKNOWLEDGES_AGAIN(op, committed) = "acknowledges op-number {op} once more: the primary says that it has committed no further than {committed}, so its PrepareOk may be lost";
    };
    /// A message of another view.
    SAME_VIEW = {
        key: "same-view",
        title: "only messages of one's own view",
        source: "§4.1: replicas only process normal protocol messages containing a view-number that matches theirs; §4.2, step 1: none while views change",
        says: "A backup takes requests of its own view only, and only while its status is normal.",
        without: Some("an old primary gets a request committed that the next view, which began without it, does not have"),
    } tells {
        REFUSES_EARLIER_VIEW(op, its, view) = "does not append op-number {op} of view {its}: it is in view {view} now, or changing to it";
    };
    /// Commitment.
    COMMITS = {
        key: "commit",
        title: "commitment by f + 1",
        source: "§4.1, step 5",
        says: "A request is committed once f backups have acknowledged it: with the primary they are f + 1 of 2f + 1 replicas.",
        without: None,
    } tells {
        COMMITS_OP(op, holders) = "knows op-number {op} to be committed: {holders} have it, and that is a quorum";
    };
    /// From replica to replica.
    RING_ORDER = {
        key: "ring",
        title: "Prepare from replica to replica",
        source: "TigerBeetle, docs/internals/vsr.md, Normal and View-Change; setting ring",
        says: "The primary sends Prepare to the next replica only, and each sends it on until all have had it; acknowledgements go straight to the primary. A log reported for a view change goes to all.",
        without: None,
    } tells {
        FORWARDS(op, next) = "sends op-number {op} on to {next}";
        REPORTS_TO_ALL(view) = "sends that log to all others as well: who hears of it changes to view {view}";
    };
    /// Quorums of two sizes.
    QUORUMS_MEET = {
        key: "quorums-meet",
        title: "view change by n − r + 1",
        source: "TigerBeetle, docs/internals/vsr.md, Quorums; Howard, Malkhi, Spiegelman, Flexible Paxos, 2016; setting ring",
        says: "With ring, r replicas commit a request, half of all, rounded up, and at most three; so a view needs the logs of n − r + 1: one of them has it.",
        without: Some("of an even number of replicas, half of them change the view while the other half commits"),
    } tells {
        WAITS_FOR_MORE(reports, view, enough) = "does not begin view {view} with the DoViewChange of {reports} alone: {enough} others are enough to commit a request, and these would not know it";
    };
    /// Telling of it.
    TELLS_COMMITS = {
        key: "tell-commits",
        title: "commit-number on the next Prepare, or alone",
        source: "§4.1, steps 6 and 7",
        says: "Backups learn what is committed with the next Prepare; a primary that has none to send, sends Commit.",
        without: None,
    } tells {
        SENDS_COMMIT(committed) = "sends Commit up to op-number {committed}: it had nothing to prepare since the last time, or somebody lacks something";
        HEARS_PRIMARY(view) = "hears of the primary of view {view}, and waits anew";
    };
    /// Execution.
    EXECUTES_IN_ORDER = {
        key: "execute-in-order",
        title: "execution in order",
        source: "§4.1, step 7",
        says: "A replica executes a request when it knows it to be committed, and has executed all before it.",
        without: None,
    } tells {
        EXECUTES(op) = "executes op-number {op}: that is committed, and so is every one before it";
    };
    /// At most once.
    CLIENT_TABLE = {
        key: "client-table",
        title: "client table",
        source: "§4.1, step 2",
        says: "For each client a replica knows the latest request: one that comes again is dropped while it is under way, and answered from memory once it is executed.",
        without: Some("a request whose client asked twice is executed twice, and overwrites what came in between"),
    } tells {
        ANSWERS_AGAIN(command) = "answers {command} from memory: it is executed already";
        DROPS_REQUEST(command) = "drops {command}: it is under way already";
        EXECUTES_ONCE(command) = "does not execute {command} again: that is done already";
    };
    /// The view change begins.
    VIEW_CHANGE = {
        key: "view-change",
        title: "StartViewChange",
        source: "§4.2, step 1",
        says: "A replica that does not hear from the primary, or hears that another one changes its view, changes to that view and tells everybody.",
        without: None,
    } tells {
        SUSPECTS_PRIMARY(view, next) = "has not heard from the primary of view {view} for too long, and wants to change to view {next}";
        GIVES_UP_VIEW(view, next) = "has not seen view {view} begin in time, and wants to change to view {next}";
        JOINS(view, who) = "changes to view {view} as well: {who} does";
    };
    /// f StartViewChanges.
    DO_VIEW_CHANGE = {
        key: "do-view-change",
        title: "DoViewChange after f StartViewChanges",
        source: "§4.2, step 2",
        says: "A replica sends its log to the new primary once f others have told it that they change to the same view.",
        without: None,
    } tells {
        REPORTS(view, others, normal) = "sends its log to the primary of view {view}: it has the StartViewChange of {others}, and view {normal} is the last that was normal here";
        COUNTS_CHANGES(others, view) = "has the StartViewChange of {others} for view {view}";
    };
    /// f + 1 DoViewChanges.
    START_VIEW = {
        key: "start-view",
        title: "StartView after f + 1 DoViewChanges",
        source: "§4.2, step 3",
        says: "The new primary begins the view once it has the logs of f + 1 replicas, its own among them.",
        without: None,
    } tells {
        BEGINS_VIEW(view, reports) = "begins view {view}: it has the DoViewChange of {reports}, and any request that is committed is in one of their logs";
        COUNTS_REPORTS(reports, view) = "has the DoViewChange of {reports} for view {view}";
        FOLLOWS_VIEW(view, last) = "follows the primary of view {view}, and takes its log, which ends at op-number {last}";
    };
    /// Which log.
    LATEST_NORMAL_VIEW = {
        key: "latest-normal-view",
        title: "log of the latest normal view",
        source: "§4.2, step 3",
        says: "Of the logs reported, the new primary takes one of the latest view that was normal, and the longest of those.",
        without: Some("a longer log of an earlier view replaces what was committed in a later one"),
    } tells {
        TAKES_LOG(owner, normal, last) = "takes the log of {owner}: view {normal} is the latest in which any of them was normal, and it ends at op-number {last}";
    };
    /// State transfer.
    STATE_TRANSFER = {
        key: "state-transfer",
        title: "state transfer",
        source: "§5.2",
        says: "A replica that lacks requests of its view, or hears of a later view, asks another one for its log from there on.",
        without: None,
    } tells {
        ASKS_FOR_STATE(who, after) = "asks {who} for the log after op-number {after}";
        SENDS_STATE(who, after) = "sends {who} its log after op-number {after}";
        TAKES_STATE(view, last) = "takes over the log of view {view}, which ends at op-number {last}";
    };
    /// Keeping the log until then.
    KEEPS_LOG = {
        key: "state-transfer-keeps-log",
        title: "log kept until the new state is there",
        source: "departs from §5.2, which removes what is not known to be committed before it asks; Vanlightly, VR Revisited: State Transfer (2022)",
        says: "A replica that has heard of a later view keeps its log until it has that view's log: what it holds may be committed, and another view change may need it.",
        without: Some("replicas that held a committed request drop it, and the next view begins without it"),
    } tells {
        KEEPS_ITS_LOG(last, view) = "keeps its log, which ends at op-number {last}, until it has that of view {view}: another view change may need it";
    };
    /// Recovery.
    RECOVERY = {
        key: "recovery",
        title: "recovery before anything else",
        source: "§4.3",
        says: "A replica that restarts has forgotten everything; it takes no part in anything until it has recovered its state from the others. If more than f have forgotten at once, nobody recovers, and that is outside the model.",
        without: Some("a replica that forgot what it acknowledged helps to begin a view without it"),
    } tells {
        RECOVERS(nonce) = "has lost everything: it asks all others for their state, with nonce {nonce}, and takes no part until it has it";
        ASKS_AGAIN(nonce) = "asks again with nonce {nonce}: not enough have answered";
        ANSWERS_RECOVERY(who, view) = "tells {who} that it is in view {view}";
        COUNTS_RESPONSES(responses) = "has the answers of {responses}: it needs more, or that of the latest view's primary";
        HAS_RECOVERED(responses, view) = "has recovered: {responses} have answered, the primary of view {view}, the latest that they know, among them";
    };
    /// The nonce.
    NONCE = {
        key: "nonce",
        title: "nonce",
        source: "§4.3, step 1",
        says: "A recovering replica counts only answers to the question it has asked now, not to one it asked before an earlier crash. The nonce counts its starts, and is the one thing on its disk.",
        without: Some("a replica recovers a state from before what it has acknowledged since"),
    } tells {
        REFUSES_OLD_NONCE(its, nonce) = "does not count an answer with nonce {its}: it asks with {nonce}";
    };
    /// The primary's response.
    PRIMARY_RESPONSE = {
        key: "primary-response",
        title: "the primary's own answer",
        source: "§4.3, step 3",
        says: "The recovering replica takes the log of the primary of the latest view that any answer names, and no other.",
        without: Some("a replica lacks what it has prepared or acknowledged itself, because only the primary's log has all of that"),
    } tells {
        WAITS_FOR_PRIMARY(view) = "waits for the answer of the primary of view {view}: nobody else's log is sure to have all that it acknowledged";
        LEAVES_OUT_LOG(view) = "leaves its log out: it is not the primary of view {view}";
    };
    /// The crash vector.
    CRASH_CONSISTENT = {
        key: "crash-vector",
        title: "crash-consistent quorum",
        source: "not in the paper; Michael, Ports, Sharma, Szekeres, Recovering Shared Objects Without Stable Storage, DISC 2017",
        says: "Messages that are counted together must not be from before a crash of their sender that one of the others knows of: the sender has forgotten that it sent them.",
        without: Some("a report from before a crash counts in a view change, and hides what its sender has acknowledged since it recovered"),
    } tells {
        REFUSES_BEFORE_CRASH(who, start, known) = "does not count what {who} sent after its start number {start}: it has crashed since, and its latest start is number {known}";
    };
    /// Checkpoints.
    CHECKPOINT = {
        key: "checkpoint",
        title: "checkpoint",
        source: "§5.1",
        says: "From time to time a replica keeps a copy of its state, and drops the log before the previous copy.",
        without: None,
    } tells {
        TAKES_CHECKPOINT(op) = "keeps a copy of its state after op-number {op}, and drops the log before the previous one";
        INSTALLS_CHECKPOINT(op, executed) = "takes over a state that covers op-number {op}: it had executed up to {executed}";
    };
}

const HOUR: Micros = 3_600_000_000;

crate::settings! {
    /// Time between Commits.
    HEARTBEAT = {
        key: "heartbeat",
        says: "Time after which a primary that has nothing to prepare sends Commit; derived: the longest round trip, 1 ms at least",
        kind: Duration { min: 1, max: HOUR },
    };
    /// Lower bound of the view-change timeout.
    VIEW_TIMEOUT_MIN = {
        key: "view_timeout_min",
        says: "Shortest silence after which a replica wants to change the view",
        kind: Duration { min: 1, max: HOUR },
    };
    /// Upper bound of the view-change timeout.
    VIEW_TIMEOUT_MAX = {
        key: "view_timeout_max",
        says: "Longest silence after which a replica wants to change the view",
        kind: Duration { min: 1, max: HOUR },
    };
    /// Compaction.
    CHECKPOINT_EVERY = {
        key: "checkpoint_every",
        says: "Requests executed between two checkpoints of the state; 0 for none",
        kind: Count { min: 0, max: 1_000_000, default: 1000 },
    };
    /// TigerBeetle's form.
    RING = {
        key: "ring",
        says: "Prepare goes from replica to replica, as in TigerBeetle, and fewer of them commit a request than change the view",
        kind: Flag { default: false },
    };
    /// As printed, or corrected.
    EDITION = {
        key: "edition",
        says: "Today's form, or paper-2012 as it was printed, with two faults found since: state transfer drops the log first, and messages from before a crash still count",
        kind: Choice { options: &["today", "paper-2012"], default: 0 },
    };
}

/// What the editions set, in the order of the options above.
pub(super) const EDITIONS: &[Edition] =
    &[Edition { settings: &[], without: &[] }, Edition { settings: &[], without: &[KEEPS_LOG, CRASH_CONSISTENT] }];
