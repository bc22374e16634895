//! The rules of Omni-Paxos, with their sections in the paper, and its settings.
//!
//! Sections and figures without a name are those of Ng's, Haridi's and Carbone's *Omni-Paxos* (2023).

use crate::core::Micros;
use crate::core::SettingKind::{Count, Duration};

crate::rules! {
    /// Heartbeat rounds.
    HEARTBEATS = {
        key: "heartbeat-round",
        title: "heartbeat round",
        source: "§5.2 and figure 4",
        says: "Every server asks all others in rounds who is there; an answer tells the ballot of its sender and whether that one is quorum-connected, and counts in its own round only.",
        without: None,
    } tells {
        ASKS_AGAIN(silent, round) = "asks {silent} again in heartbeat round {round}: their answers, or its questions, may be lost";
        COUNTS_REPLY(who, ballot) = "counts the answer of {who}, whose ballot is {ballot}";
        REPLY_IS_LATE(who, round) = "does not count the answer of {who}: it is of heartbeat round {round}, which is over";
        WAITS_LONGER(who) = "waits longer for answers than it did then: that of {who} was needed, and late";
    };
    /// The flag qc.
    QUORUM_CONNECTED = {
        key: "quorum-connected",
        title: "quorum-connected candidates",
        source: "§5.1 (LE1) and §5.2: only servers that are quorum-connected are candidates",
        says: "A server that did not hear from a majority in its last heartbeat round says so, and is no candidate: it cannot get anything decided, however well others hear it.",
        without: Some("a leader that has lost its majority stays elected wherever it is heard, and nothing is decided any more"),
    } tells {
        LEAVES_OUT(who, ballot) = "does not take {who} with ballot {ballot} for a candidate: it is not quorum-connected";
        IS_CONNECTED(heard) = "is quorum-connected: it has heard from {heard} in this round";
        IS_NOT_CONNECTED(heard) = "is not quorum-connected: it has heard from {heard} in this round, and those are no majority";
    };
    /// Election.
    ELECTION = {
        key: "highest-ballot",
        title: "highest ballot of the candidates",
        source: "§5.2 and figure 4, checkLeader; LE3",
        says: "A quorum-connected server elects the candidate of the highest ballot. If none has one as high as the leader it elected, or promised, before, that one is gone or not quorum-connected, and the server raises its own ballot above it.",
        without: None,
    } tells {
        ELECTS(who, ballot, before) = "elects {who}: its ballot {ballot} is the highest of all candidates, and higher than {before}";
        RAISES(ballot, before, heard) = "raises its own ballot to {ballot}: of {heard} and itself no candidate has a ballot as high as {before}";
        KEEPS_LEADER(who, ballot) = "keeps to {who}: its ballot {ballot} is still the highest of all candidates";
    };
    /// Prepare.
    PREPARE = {
        key: "prepare",
        title: "Prepare",
        source: "§4.1.1 and figure 3, <Leader>",
        says: "A server that is elected begins a round with its ballot: it asks all others for a promise, however far its own log is.",
        without: None,
    } tells {
        PREPARES(n, last) = "begins round {n} as it is elected, though others may have more than its log, which ends at slot {last}";
        PREPARES_AGAIN(who, n) = "sends {who} Prepare of round {n} once more: it has answered a heartbeat that was sent later, so something was lost";
        STEPS_DOWN(n, leader) = "does not lead any more: {leader} does, with ballot {n}";
    };
    /// Promise.
    PROMISE = {
        key: "promise",
        title: "Promise",
        source: "§4.1.1 and figure 3, <Prepare>",
        says: "A server promises a round unless it has promised a higher one, and sends what the leader lacks of its log.",
        without: None,
    } tells {
        PROMISES(n, promised) = "promises round {n}: the highest it promised before is {promised}";
        PROMISES_AGAIN(n) = "promises round {n} once more";
        SENDS_SUFFIX(first, last) = "sends the leader slots {first} to {last} along, which that one lacks, or has from a lower round";
        IGNORES_LOWER(n, promised) = "ignores Prepare of round {n}: it has promised {promised}, which is higher";
        COUNTS_PROMISES(promises, n) = "has the promises of {promises} for round {n}";
        LEADS(n, promises) = "leads round {n}: it has the promises of {promises}, a majority, and every decided command is in one of their logs";
    };
    /// P2c.
    ADOPT = {
        key: "adopt-highest-round",
        title: "log of the highest accepted round",
        source: "§4.1.1 and figure 3, <Promise>; P2c of §4.2",
        says: "Of the logs of those that promised, the leader adopts one that was accepted in the highest round, and the longest of those.",
        without: Some("a longer log of a lower round replaces what was decided in a higher one"),
    } tells {
        ADOPTS(who, round, last) = "takes the log of {who} for the one to adopt so far: it was accepted in round {round}, and ends at slot {last}";
        ADOPTS_SHORTER(who, round, last) = "takes the log of {who} for the one to adopt so far, though it ends at slot {last} already: it was accepted in round {round}, which is higher";
    };
    /// AcceptSync.
    ACCEPT_SYNC = {
        key: "accept-sync",
        title: "AcceptSync before anything else",
        source: "§4.1.1 and figure 3, <AcceptSync>: state (follower, accept)",
        says: "A follower accepts new commands of a round only after its log was made the same as the leader's in that round.",
        without: Some("a follower puts a command of the new round behind some of a lower one, and all of them count as accepted"),
    } tells {
        SENDS_SAME(who, last) = "tells {who} that their logs, which end at slot {last}, are the same, and will send it every new command";
        SENDS_SNAPSHOT(who, slot) = "lets {who} have the state after slot {slot}, because it has trimmed some of what that one lacks";
        SENDS_SYNC(who, first, last) = "sends {who} slots {first} to {last}, and will send it every new command";
        ACCEPTS_SAME(n, last) = "accepts its log, which ends at slot {last}, in round {n}: it is the same as the leader's";
        SYNCHRONIZES(n, first, last) = "makes its log the same as the leader's of round {n}: slots {first} to {last} are new or may differ";
        WAITS_FOR_SYNC(slot, n) = "keeps slot {slot} for later: its log is not synchronized in round {n} yet";
    };
    /// Where the logs part.
    SYNC_INDEX = {
        key: "sync-index",
        title: "index to synchronize from",
        source: "§4.1.1 and figure 3, syncIdx",
        says: "What a follower has accepted in the round that was adopted, it keeps, as far as the adopted log goes; of what it accepted in another round it keeps only what is decided.",
        without: Some("a follower keeps undecided commands of another round in its log, and counts for slots in which it has something else"),
    } tells {
        SYNCS_AFTER(who, slot, round) = "synchronizes {who} after slot {slot}: what it accepted beyond that in round {round} may not be in the log adopted";
    };
    /// Accept.
    ACCEPTS = {
        key: "accept",
        title: "AcceptDecide",
        source: "§4.1.2 and figure 3, <Proposal> and <Accept>",
        says: "The leader appends each new command to its log, and sends it to all that have promised; they append it in order.",
        without: None,
    } tells {
        PROPOSES(command, slot, n) = "appends {command} in slot {slot} of round {n}, and sends it to all that have promised";
        BUFFERS(command) = "keeps {command} until a majority has promised";
        ACCEPTS_SLOT(slot, n) = "accepts slot {slot} in round {n}: it has all before it";
        WAITS_FOR_EARLIER(slot, last) = "keeps slot {slot} until it has those before it: its log ends at {last}";
        ACCEPTS_AGAIN(slot, decided) = "tells once more that it has accepted up to slot {slot}: the leader says that no more than {decided} are decided, so its Accepted may be lost";
        REDIRECTS(leader) = "does not lead, and sends the client to {leader}";
    };
    /// Only in the promised round.
    PROMISED_ROUND = {
        key: "promised-round",
        title: "only in the promised round",
        source: "§4.1.2 and figure 3: promisedRnd = n",
        says: "A follower accepts nothing of a lower round than the one it has promised.",
        without: Some("an old leader gets a command decided that the leader of the promised round does not have"),
    } tells {
        REFUSES_LOWER(slot, n, promised) = "does not accept slot {slot} of round {n}: it has promised {promised}, which is higher";
    };
    /// Decision.
    DECIDES = {
        key: "decide",
        title: "Decide",
        source: "§4.1.2 and figure 3, <Accepted>",
        says: "What a majority has accepted in the leader's round is decided, with all before it.",
        without: None,
    } tells {
        DECIDES_SLOT(slot, holders) = "knows slot {slot} to be decided: {holders} have accepted it in its round, and they are a majority";
        TELLS_DECIDED(decided) = "tells that slots up to {decided} are decided: it had nothing to propose in this heartbeat round, or somebody lacks something";
        EXECUTES(slot) = "executes slot {slot}: that is decided, and so is every one before it";
    };
    /// What a Decide speaks of.
    DECIDE_SYNCED = {
        key: "decide-synchronized",
        title: "decided index of a synchronized log",
        source: "§4.1.2 and figure 3, <Decide>: state (follower, accept)",
        says: "The leader speaks of its own log; a follower takes its word only once its log is the same.",
        without: Some("a server executes what it accepted in a lower round and others have replaced"),
    } tells {
        DOUBTS(decided, n) = "does not execute up to slot {decided}, which the leader of round {n} knows to be decided: its own log is not synchronized in that round yet";
    };
    /// Recovery, and lost messages.
    RECOVER = {
        key: "recover",
        title: "PrepareReq",
        source: "§4.1.3 and figure 3, upon recovery and <Reconnected>",
        says: "A server that has restarted, or has lost messages, asks to be prepared anew; the leader answers with Prepare.",
        without: None,
    } tells {
        RECOVERS(promised, last) = "has restarted with round {promised} promised and a log that ends at slot {last}: it asks whoever leads to prepare it";
        MISSES(who, last, told) = "asks {who} to prepare it anew: its log ends at slot {last}, and it was told of {told} one heartbeat round ago";
        ANSWERS_RECOVERY(who, n) = "sends {who} Prepare of round {n} anew, as it asks for";
    };
    /// Durable state.
    PERSISTENT = {
        key: "persistent-state",
        title: "persistent state",
        source: "§4.1 and figure 3, persistent state; §5.2",
        says: "The promised and the accepted round, the log and the elected ballot outlive a crash; a message that rests on them leaves when they are written.",
        without: Some("a server forgets what it has promised or accepted, and a decided command is lost"),
    } tells {
        REMEMBERS(promised, last) = "still has what it has promised, round {promised}, and accepted, up to slot {last}";
    };
    /// At most once.
    AT_MOST_ONCE = {
        key: "at-most-once",
        title: "at most once",
        source: "not in the paper; client sessions as in Ongaro's dissertation, §6.3",
        says: "A command that comes again is not proposed again while it is under way, is answered from memory once it is executed, and never takes effect twice.",
        without: Some("a command whose client asked twice is executed twice, and overwrites what came in between"),
    } tells {
        ANSWERS_AGAIN(command) = "answers {command} from memory: it is executed already";
        WAITS_FOR_FIRST(command) = "does not propose {command} again: it is under way already";
        EXECUTES_ONCE(command) = "does not execute {command} again: that is done already";
    };
    /// Snapshots.
    SNAPSHOT = {
        key: "snapshot",
        title: "snapshot and trim",
        source: "haraldng/omnipaxos, docs: compaction",
        says: "From time to time a server keeps a copy of its state after a decided slot, and trims the log before the previous copy.",
        without: None,
    } tells {
        TAKES_SNAPSHOT(slot) = "keeps a copy of its state after slot {slot}, and trims the log before the previous one";
        INSTALLS_SNAPSHOT(slot, decided) = "takes over a state that covers slot {slot}: it had executed up to {decided}";
    };
}

const HOUR: Micros = 3_600_000_000;

crate::settings! {
    /// Length of a heartbeat round.
    HEARTBEAT = {
        key: "heartbeat",
        says: "Length of a heartbeat round, in which answers must come to count, and so the election timeout; derived: three of the longest round trips, 10 ms at least",
        kind: Duration { min: 2, max: HOUR },
    };
    /// The preferred server.
    PRIORITY = {
        key: "priority",
        says: "Number of the server whose ballot beats those of others with the same number; 0 for none",
        kind: Count { min: 0, max: 64, default: 0 },
    };
    /// Compaction.
    SNAPSHOT_EVERY = {
        key: "snapshot_every",
        says: "Commands executed between two snapshots; 0 for none",
        kind: Count { min: 0, max: 1_000_000, default: 1000 },
    };
}
