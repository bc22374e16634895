//! The rules of Multi-Paxos, with their sections in the papers, and its settings.
//!
//! "Simple" is Leslie Lamport's *Paxos Made Simple* (2001), "Moderately Complex" Robbert van Renesse's and Deniz Altinbuken's *Paxos Made
//! Moderately Complex* (2015).

use crate::core::SettingKind::{Choice, Count, Duration, Flag};
use crate::core::quorum;

crate::rules! {
    /// Whose ballot is whose.
    UNIQUE_BALLOTS = {
        key: "unique-ballots",
        title: "unique ballot numbers",
        source: "Simple §2.5",
        says: "A ballot is a round and the proposer's own id, so no two proposers ever use the same one.",
        without: Some("two leaders propose different commands in one slot under one ballot, and both can be chosen"),
    };
    /// Phase 1b.
    PROMISE_ONLY_HIGHER = {
        key: "promise-only-higher",
        title: "promise",
        source: "Simple §2.2, phase 1(b)",
        says: "An acceptor promises a ballot only if it has promised none that is higher, and tells a proposer that comes too late.",
        without: None,
    };
    /// One phase 1 for all slots.
    PREPARE_ALL_SLOTS = {
        key: "prepare-all-slots",
        title: "phase 1 for all slots at once",
        source: "Simple §3",
        says: "A new leader asks about every slot from the first one on of which it does not know what was chosen; what it accepted itself counts for no more than what others did.",
        without: Some("a command chosen without the new leader is replaced by one that it happened to accept earlier"),
    };
    /// Phase 1 counts to a quorum.
    PREPARE_QUORUM = {
        key: "prepare-quorum",
        title: "quorum of promises",
        source: "Simple §2.2, phase 2(a)",
        says: "A proposer leads only after a quorum has promised its ballot.",
        without: None,
    };
    /// P2c.
    ADOPT_HIGHEST = {
        key: "adopt-highest-accepted",
        title: "value adoption (P2c)",
        source: "Simple §2.2, phase 2(a)",
        says: "In a slot for which promises report accepted commands, the new leader must propose the one of the highest ballot.",
        without: Some("a command already chosen in a slot is replaced by another"),
    };
    /// No-ops.
    FILL_GAPS = {
        key: "fill-gaps",
        title: "no-op for a gap",
        source: "Simple §3",
        says: "A slot of which no promise reports anything, with later slots in use, gets a no-op, so that those can be executed.",
        without: None,
    };
    /// Phase 2b, acceptance.
    ACCEPT_UNLESS_PROMISED = {
        key: "accept-unless-promised",
        title: "an acceptor keeps its promise (P1a)",
        source: "Simple §2.2, phase 2(b)",
        says: "An acceptor refuses a proposal whose ballot is below the one it has promised.",
        without: Some("a deposed leader gets a command chosen in a slot in which the new leader chose another"),
    };
    /// Phase 2b, promise.
    ACCEPT_RAISES_PROMISE = {
        key: "accept-raises-promise",
        title: "accepting is promising",
        source: "Moderately Complex, Acceptor",
        says: "An acceptor that accepts a ballot, or hears of its leader, has thereby promised it.",
        without: None,
    };
    /// Choice.
    ACCEPT_QUORUM = {
        key: "accept-quorum",
        title: "chosen by a quorum",
        source: "Simple §2.2",
        says: "A command is chosen in a slot once a quorum has accepted it in one ballot.",
        without: None,
    };
    /// Quorum intersection.
    QUORUMS_INTERSECT = {
        key: "quorums-intersect",
        title: "quorum intersection",
        source: "Simple §2.2; Howard, Malkhi, Spiegelman, Flexible Paxos (2016), §4",
        says: "Every quorum of promises shares an acceptor with every quorum of acceptances: the two sizes add up to more than all servers.",
        without: Some("a new leader hears of nobody who accepted the chosen command"),
    };
    /// Stable storage.
    DURABLE_ACCEPTOR = {
        key: "durable-acceptor",
        title: "stable storage",
        source: "Simple §2.5",
        says: "What an acceptor promised and accepted is on its disk before it answers, and it restarts from there.",
        without: Some("a restarted acceptor helps to choose a second command in a slot"),
    };
    /// Learning through the commit index.
    COMMIT_SAME_BALLOT = {
        key: "commit-same-ballot",
        title: "commit marker of the same ballot",
        source: "Simple §2.3 and §3: learning which of the accepted proposals was chosen",
        says: "Told by the leader that all slots up to one are chosen, a server takes its accepted command for the chosen one only if it accepted it in that leader's ballot; otherwise it asks.",
        without: Some("a server executes a command that it accepted in an old ballot and that was never chosen"),
    };
    /// Execution.
    EXECUTE_IN_ORDER = {
        key: "execute-in-order",
        title: "execution in slot order",
        source: "Simple §3",
        says: "A slot's command is executed when it and all commands before it are chosen.",
        without: None,
    };
    /// At most once.
    AT_MOST_ONCE = {
        key: "at-most-once",
        title: "no command twice",
        source: "Moderately Complex, Replica",
        says: "A command that is asked for again is not proposed again while it is under way, and answered from memory once it is executed.",
        without: Some("a command whose client asked twice is executed twice, and overwrites what came in between"),
    };
    /// Time-outs.
    STABLE_LEADER = {
        key: "stable-leader",
        title: "stable leader",
        source: "Simple §2.4 and §3; Moderately Complex, When Paxos Works",
        says: "Nobody prepares a new ballot while it hears from the leader; after a random time of silence, it does.",
        without: None,
    };
    /// The poll.
    ASK_FIRST = {
        key: "ask-first",
        title: "poll before a ballot",
        source: "practice; PreVote in Ongaro's dissertation (2014) §9.6 is the same for Raft",
        says: "A server that has heard from no leader for a time-out asks the others first. It prepares a higher ballot only if enough of them for both phases agree.",
        without: None,
    };
    /// Who refuses a poll.
    LEADER_STICKINESS = {
        key: "leader-stickiness",
        title: "leader stickiness",
        source: "practice: master leases in Chandra, Griesemer, Redstone, Paxos Made Live (2007), §5.2, and Ongaro's dissertation (2014) §4.2.3",
        says: "A server that leads, or has heard from a leader within the shortest election timeout, agrees to no poll.",
        without: Some("a server that cannot hear the leader deposes it though a quorum can, and is deposed by it in turn, without end"),
    };
    /// Giving way.
    BACK_OFF = {
        key: "back-off",
        title: "give way to a higher ballot",
        source: "Simple §2.2, last paragraph, and §2.4; Moderately Complex, When Paxos Works",
        says: "A proposer or leader that hears of a higher ballot stops, and waits before it tries again: the longer, the more of its ballots have come to nothing.",
        without: None,
    };
    /// A leader that reaches nobody.
    LEADER_HEARS_QUORUM = {
        key: "leader-hears-quorum",
        title: "a leader that hears no quorum resigns",
        source: "practice; Moderately Complex, When Paxos Works, monitors the leader the other way round",
        says: "A leader whose heartbeats no quorum answers for a whole time-out stops, so that another can take its place.",
        without: None,
    };
    /// Pipelining.
    PIPELINE = {
        key: "pipeline",
        title: "α slots ahead",
        source: "Simple §3",
        says: "The leader proposes in later slots before earlier ones are chosen, up to α of them; further commands wait.",
        without: None,
    };
    /// Thrifty.
    THRIFTY = {
        key: "thrifty",
        title: "thrifty",
        source: "Simple §2.2: \"to a set of acceptors\"; the word is from Moraru and others, EPaxos (2013)",
        says: "The leader sends phase 2 to one quorum only: the servers that answered a heartbeat first.",
        without: None,
    };
    /// Sending again.
    RESEND = {
        key: "resend",
        title: "send again",
        source: "Simple §2.1: messages can be lost",
        says: "If the oldest open slot is still open after a whole time-out, its proposal goes again to everybody who has not accepted it though it has answered a heartbeat sent later, and so do those after it; the longer nothing helps, the more seldom.",
        without: None,
    };
    /// Catching up.
    CATCH_UP = {
        key: "catch-up",
        title: "catch-up",
        source: "Simple §2.3 and §3: learning what was chosen",
        says: "A server that lacks chosen commands says so in its answer to a heartbeat; the next heartbeat brings them, unless some are under way.",
        without: None,
    };
    /// Snapshots.
    SNAPSHOT = {
        key: "snapshot",
        title: "snapshot",
        source: "Moderately Complex, Paxos Made Pragmatic: garbage collection",
        says: "Slots covered by a saved state can be forgotten; one that lacks them gets the state instead.",
        without: None,
    };
    /// Transfer.
    HAND_OVER = {
        key: "hand-over",
        title: "leadership transfer",
        source: "practice; Ongaro's dissertation (2014) §3.10 has it for Raft",
        says: "Asked to hand over, the leader takes no more commands, brings the other up to date, and tells it to prepare at once.",
        without: None,
    };
}

crate::settings! {
    /// How servers learn what is chosen.
    COMMIT = {
        key: "commit",
        says: "How others learn what is chosen: with the next message of the leader, or by a message of its own",
        kind: Choice { options: &["piggyback", "explicit"], default: 0 },
    };
    /// One quorum instead of everybody.
    SEND_THRIFTY = {
        key: "thrifty",
        says: "Send commands to one quorum only, and to everybody when it does not answer",
        kind: Flag { default: false },
    };
    /// α: how many slots may be open.
    ALPHA = {
        key: "pipeline",
        says: "Slots that may be open at the same time; further commands wait",
        kind: Count { min: 1, max: 4096, default: 1024 },
    };
    /// Compaction.
    SNAPSHOT_EVERY = {
        key: "snapshot_every",
        says: "Slots between two snapshots of the state; 0 for none",
        kind: Count { min: 0, max: 1_000_000, default: 1000 },
    };
    /// Time between heartbeats.
    HEARTBEAT = {
        key: "heartbeat",
        says: "Time between the leader's heartbeats",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Lower bound of the election timeout.
    ELECTION_TIMEOUT_MIN = {
        key: "election_timeout_min",
        says: "Shortest silence after which a server tries to lead",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Upper bound of the election timeout.
    ELECTION_TIMEOUT_MAX = {
        key: "election_timeout_max",
        says: "Longest silence after which a server tries to lead",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Whether to ask first.
    POLL = {
        key: "poll",
        says: "Ask the others whether they hear from a leader before preparing a higher ballot",
        kind: Flag { default: true },
    };
    /// The retransmission timeout.
    RESEND_AFTER = {
        key: "resend",
        says: "A command without progress is sent again after this time",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Replicas in a quorum of phase 1.
    PHASE_1_QUORUM = quorum::PHASE_1_SIZE;
    /// Replicas in a quorum of phase 2.
    PHASE_2_QUORUM = quorum::PHASE_2_SIZE;
}
