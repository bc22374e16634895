//! The rules of Zab, with their sections in the paper, and its settings.
//!
//! Sections and phases without a name are those of Junqueira's, Reed's and Serafini's *Zab* (2011).

use crate::core::Micros;
use crate::core::SettingKind::{Count, Duration};

crate::rules! {
    /// Phase 0.
    ELECTION = {
        key: "fast-leader-election",
        title: "election of the most recent history",
        source: "§V-A, phase 0; ZooKeeper, FastLeaderElection",
        says: "A server that has no leader votes for itself, then for the best vote that it hears of: the latest epoch, then the highest zxid, then the highest id. Whom a majority votes for is to lead.",
        without: None,
    } tells {
        LOOKS(round, epoch, counter) = "looks for a leader in election round {round}, and votes for itself first: its history ends with zxid ({epoch}, {counter})";
        JOINS_ROUND(round, who) = "joins election round {round}, in which {who} votes: that is later than its own";
        VOTES(who, epoch, counter) = "votes for {who} now: that vote is better than its own, for a history that ends with zxid ({epoch}, {counter})";
        KEEPS_VOTE(who, voter) = "keeps its vote for {who} and tells {voter} of it: what that one votes is not as good, or of an earlier round";
        WAITS_FOR_BETTER(agree, who) = "waits for better votes before the election ends: {agree}, a majority, vote for {who}";
        ELECTS(who, agree) = "takes {who} for elected: {agree} vote for it";
        VOTES_AGAIN(who, round) = "tells once more that it votes for {who} in round {round}: nobody is elected, so votes may be lost";
        TELLS_IT_LEADS(who) = "tells {who}, which looks for a leader, that it leads";
    };
    /// Heartbeats.
    HEARTBEATS = {
        key: "heartbeats",
        title: "heartbeats of leader and followers",
        source: "§V-A: who loses its leader, or its quorum, goes to phase 0",
        says: "A follower that does not hear its leader for a timeout looks for another, and so does a leader that does not hear from a quorum.",
        without: None,
    } tells {
        GIVES_UP(who) = "gives up on {who}, which it has not heard for a timeout";
        ABANDONS(heard) = "abandons leadership: in a timeout it has heard from {heard}, and with itself those are no majority";
        STAYS(heard) = "goes on leading: in a timeout it has heard from {heard}, and with itself those are a majority";
        WAITS_LONGER(who) = "waits longer from now on: {who}, on which it gave up, is alive";
        FINDS_LOST(who) = "goes on anew with {who}: that has answered a heartbeat that was sent later, so something was lost";
        COUNTS_PONG(who, slot) = "learns by the heartbeat that {who} has accepted the history up to slot {slot}";
    };
    /// CEPOCH.
    DISCOVERY = {
        key: "cepoch",
        title: "CEpoch",
        source: "§V-A, phase 1, steps f.1.1 and l.1.1",
        says: "A follower tells the leader the last epoch that it has accepted; once a quorum has, the leader proposes a later one than all of these.",
        without: None,
    } tells {
        FOLLOWS(who, epoch) = "follows {who}, and tells it that the last epoch it has accepted is {epoch}";
        COUNTS_FOLLOWERS(followers) = "is followed by {followers} so far";
        PROPOSES_EPOCH(epoch, followers) = "proposes epoch {epoch}: it is followed by {followers}, a majority, and none of them has accepted one as late";
        SENDS_EPOCH(who, epoch) = "tells {who} its epoch, {epoch}";
        MAKES_WAY(who, later, epoch) = "does not lead any more: {who} has accepted epoch {later} of another leader, and cannot take part in {epoch}";
    };
    /// NEWEPOCH.
    NEW_EPOCH = {
        key: "later-epoch",
        title: "only a later epoch",
        source: "§V-A, phase 1, step f.1.2: f.p < e'",
        says: "A follower accepts a new epoch only if it is later than every one that it has accepted; it tells its history with that.",
        without: Some("two leaders have the same epoch, or an old one comes back, and what was committed is replaced"),
    } tells {
        ACCEPTS_EPOCH(epoch, before, entries) = "accepts epoch {epoch}: the last one it accepted before is {before}; it sends the leader {entries} of its transactions";
        REFUSES_EPOCH(who, epoch, accepted) = "does not accept epoch {epoch} of {who}: it has accepted {accepted}, and this is no later one";
        COUNTS_ACCEPTED(accepted, epoch) = "counts {accepted} that have accepted epoch {epoch}";
    };
    /// The history selected.
    MOST_RECENT = {
        key: "most-recent-history",
        title: "the most recent history",
        source: "§V-A, phase 1, step l.1.2: f.a, then the zxid of the last transaction",
        says: "Of the histories of those that accepted its epoch, the leader selects one of the latest epoch, and of these one with the highest zxid.",
        without: Some("a committed transaction is not in the history of the new epoch"),
    } tells {
        SELECTS(who, epoch, last, counter) = "selects the history of {who} so far: it is of epoch {epoch} and ends with zxid ({last}, {counter}), and that is the most recent one";
        KEEPS_SELECTED(who) = "does not select the history of {who}: what it has selected so far is as recent";
    };
    /// NEWLEADER.
    NEW_LEADER = {
        key: "new-leader",
        title: "NewLeader",
        source: "§V-A, phase 2, steps l.2.1 and f.2.1",
        says: "A follower takes over the initial history of the epoch before anything that is proposed in it; only then it is in that epoch.",
        without: None,
    } tells {
        SENDS_SAME(who, last) = "tells {who} that their histories, which end at slot {last}, are the same";
        SENDS_DIFF(who, first, last) = "sends {who} slots {first} to {last} of the history";
        SENDS_SNAPSHOT(who, slot) = "lets {who} have the state after slot {slot}, because it has trimmed some of what that one lacks";
        ACCEPTS_SAME(epoch, last) = "is in epoch {epoch}: its history, which ends at slot {last}, is the leader's";
        SYNCHRONIZES(epoch, first, last) = "makes its history that of epoch {epoch}: slots {first} to {last} are new or may differ";
        WAITS_FOR_NEW_LEADER(slot, epoch) = "keeps slot {slot} for later: it does not have the initial history of epoch {epoch} yet";
        MISSES(who, last, told) = "tells {who} anew how far it is: its history ends at slot {last}, and it was told of {told} one heartbeat ago";
    };
    /// TRUNC.
    TRUNCATE = {
        key: "truncate",
        title: "dropping what was not selected",
        source: "§V-A, phase 2: h_f becomes I_e'; TRUNC in ZooKeeper",
        says: "What a follower has beyond the point where its history and the leader's part, it drops.",
        without: Some("a follower keeps transactions that nobody else has, and counts for slots in which it has something else"),
    } tells {
        TRUNCATES(who, slot, last) = "has {who} drop what it has after slot {slot}, up to {last}: it is not known to be committed, and not all of it is in the leader's history";
    };
    /// Persistence of the history.
    PERSIST_SYNC = {
        key: "persist-before-ack",
        title: "AckLeader once the history is written",
        source: "§V-A, phase 2, step f.2.1: accepts, then acknowledges",
        says: "A follower acknowledges the history of an epoch when it has it on its disk.",
        without: Some("a crash undoes what was acknowledged, and committed transactions with it"),
    } tells {
        PERSISTS_FIRST(epoch, slot) = "acknowledges the history of epoch {epoch}, up to slot {slot}, only when it is written";
    };
    /// ACK-LD.
    ESTABLISHED = {
        key: "synchronized-quorum",
        title: "CommitLeader after a quorum",
        source: "§V-A, phase 2, step l.2.2",
        says: "The leader commits the initial history, and begins to propose, once a quorum has accepted that history.",
        without: Some("the leader commits what a majority does not have, and another leader has something else"),
    } tells {
        COUNTS_SYNCHRONIZED(synchronized, epoch) = "does not propose in epoch {epoch} yet: its history is accepted by {synchronized}, and those are no majority";
        IS_ESTABLISHED(epoch, synchronized, last) = "is the established leader of epoch {epoch}: {synchronized}, a majority, have its history, and with that slots up to {last} are committed";
    };
    /// PROPOSE.
    PROPOSE = {
        key: "propose",
        title: "Propose",
        source: "§V-A, phase 3, steps l.3.1 and f.3.1",
        says: "The leader gives each command the next zxid of its epoch and sends it to all that follow.",
        without: None,
    } tells {
        PROPOSES(command, epoch, counter, slot) = "proposes {command} with zxid ({epoch}, {counter}), in slot {slot}";
        BUFFERS(command) = "keeps {command} until it is the established leader";
        ACCEPTS(slot, epoch) = "accepts slot {slot} in epoch {epoch}: it has all before it";
        REDIRECTS(leader) = "does not lead, and sends the client to {leader}";
    };
    /// Order of proposals.
    IN_ORDER = {
        key: "primary-order",
        title: "in the order of zxids",
        source: "§III, local primary order; §V-A, phase 3, step f.3.1",
        says: "A follower accepts a transaction only behind the one that the leader proposed before it.",
        without: Some("a follower has a change without the one that it rests on"),
    } tells {
        WAITS_FOR_EARLIER(slot, last) = "keeps slot {slot} until it has those before it: its history ends at {last}";
    };
    /// Only in the accepted epoch.
    OLDER_EPOCH = {
        key: "older-epoch",
        title: "nothing of an older epoch",
        source: "§V-A, phases 2 and 3: f.p = e'",
        says: "A follower accepts nothing of an earlier epoch than the last one that it has accepted.",
        without: Some("an old leader gets a transaction committed that the new one does not have"),
    } tells {
        REFUSES_OLDER(slot, epoch, accepted) = "does not accept slot {slot} of epoch {epoch}: it has accepted epoch {accepted}, which is later";
    };
    /// ACK.
    COMMIT = {
        key: "commit-quorum",
        title: "Commit after a quorum",
        source: "§V-A, phase 3, step l.3.2",
        says: "The leader commits a transaction once a quorum has accepted it, with all before it.",
        without: Some("a command is answered and lost with the leader"),
    } tells {
        WAITS_FOR_QUORUM(slot, holders) = "does not commit slot {slot} yet: it is accepted by {holders}, and those are no majority";
        COMMITS(slot, holders) = "commits slot {slot}: {holders} have accepted it in its epoch";
        DELIVERS(slot) = "executes slot {slot}: that is committed, and so is every one before it";
    };
    /// What a Commit speaks of.
    COMMIT_SYNCED = {
        key: "commit-synchronized",
        title: "commits of a synchronized history",
        source: "§V-A, phases 2 and 3: Commit follows on NewLeader",
        says: "The leader speaks of its own history; a follower takes its word only once its own is the same.",
        without: Some("a server executes what it accepted in an earlier epoch and others have dropped"),
    } tells {
        DOUBTS(slot, epoch) = "does not execute up to slot {slot}, which the leader of epoch {epoch} has committed: its own history is not that of the epoch yet";
    };
    /// Durable state.
    PERSISTENT = {
        key: "persistent-state",
        title: "persistent state",
        source: "§V-A: f.p, f.a and h_f are in stable storage",
        says: "The accepted and the current epoch and the history outlive a crash; a message that rests on them leaves when they are written.",
        without: Some("a server forgets what it has accepted, and a committed command is lost"),
    } tells {
        REMEMBERS(accepted, last) = "still has what it has accepted: epoch {accepted}, and a history up to slot {last}";
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
        source: "ZooKeeper, SNAP",
        says: "From time to time a server keeps a copy of its state after a committed slot, and trims the history before the previous copy.",
        without: None,
    } tells {
        KEEPS_STATE(slot) = "has a copy of the state after slot {slot} now, and needs the history before that only for others";
    };
}

const HOUR: Micros = 3_600_000_000;

crate::settings! {
    /// Interval of heartbeats.
    HEARTBEAT = {
        key: "heartbeat",
        says: "Time between two heartbeats of the leader; derived: the longest round trip, 10 ms at least",
        kind: Duration { min: 2, max: HOUR },
    };
    /// Timeout of leader and followers.
    TIMEOUT = {
        key: "timeout",
        says: "How long a follower waits for its leader, a leader for a quorum, and a vote for the end of an election; derived: five heartbeats",
        kind: Duration { min: 3, max: HOUR },
    };
    /// How long an election waits for better votes.
    FINALIZE_WAIT = {
        key: "finalize_wait",
        says: "How long a server waits for a better vote once a majority votes the same and not all do; derived: the longest round trip",
        kind: Duration { min: 1, max: HOUR },
    };
    /// Compaction.
    SNAPSHOT_EVERY = {
        key: "snapshot_every",
        says: "Commands executed between two snapshots; 0 for none",
        kind: Count { min: 0, max: 1_000_000, default: 1000 },
    };
}
