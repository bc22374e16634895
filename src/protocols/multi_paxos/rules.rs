//! The rules of Multi-Paxos, with their sections in the papers, and its settings.
//!
//! "Simple" is Leslie Lamport's *Paxos Made Simple* (2001), "Moderately Complex" Robbert van Renesse's and Deniz Altinbuken's *Paxos Made
//! Moderately Complex* (2015).

use crate::core::SettingKind::{Choice, Count, Duration, Flag};
use crate::core::quorum::{self, QuorumSettings};

crate::rules! {
    /// Whose ballot is whose.
    UNIQUE_BALLOTS = {
        key: "unique-ballots",
        title: "unique ballot numbers",
        source: "Simple §2.5",
        says: "A ballot is a round and the proposer's own id, so no two proposers ever use the same one.",
        without: Some("two leaders propose different commands in one slot under one ballot, and both can be chosen"),
    } tells {
        TAKES_BALLOT(ballot) = "takes ballot {ballot}, its own first one above all that it has seen";
    };
    /// Phase 1b.
    PROMISE_ONLY_HIGHER = {
        key: "promise-only-higher",
        title: "promise",
        source: "Simple §2.2, phase 1(b)",
        says: "An acceptor promises a ballot only if it has promised none that is higher, and tells a proposer that comes too late.",
        without: None,
    } tells {
        PROMISES(ballot, promised) = "promises ballot {ballot}: the highest it promised before is {promised}";
        PROMISES_AGAIN(ballot) = "promises ballot {ballot} once more: its first promise may have been lost";
        REFUSES_OLD_POLL(ballot, promised) = "refuses to consent to ballot {ballot}: it has promised {promised} already";
        REFUSES_TO_PROMISE(ballot, promised) = "refuses to promise ballot {ballot}: it has promised {promised}, which is higher";
    };
    /// One phase 1 for all slots.
    PREPARE_ALL_SLOTS = {
        key: "prepare-all-slots",
        title: "phase 1 for all slots at once",
        source: "Simple §3",
        says: "A new leader asks about every slot from the first one on of which it does not know what was chosen; what it accepted itself counts for no more than what others did.",
        without: Some("a command chosen without the new leader is replaced by one that it happened to accept earlier"),
    } tells {
        ASKS_FROM(first, last) = "asks about every slot from {first} on, though it accepted commands itself up to slot {last}";
    };
    /// Phase 1 counts to a quorum.
    PREPARE_QUORUM = {
        key: "prepare-quorum",
        title: "quorum of promises",
        source: "Simple §2.2, phase 2(a)",
        says: "A proposer leads only after a quorum has promised its ballot.",
        without: None,
    } tells {
        LEADS(ballot, promises) = "leads ballot {ballot}: it has the promises of {promises}, which are a quorum";
        COUNTS_PROMISES(promises, ballot) = "has the promises of {promises} for ballot {ballot}";
    };
    /// P2c.
    ADOPT_HIGHEST = {
        key: "adopt-highest-accepted",
        title: "value adoption (P2c)",
        source: "Simple §2.2, phase 2(a)",
        says: "In a slot for which promises report accepted commands, the new leader must propose the one of the highest ballot.",
        without: Some("a command already chosen in a slot is replaced by another"),
    } tells {
        ADOPTS(slot, ballot) = "must propose in slot {slot} the command accepted in ballot {ballot}, unless one of a higher ballot is reported";
    };
    /// No-ops.
    FILL_GAPS = {
        key: "fill-gaps",
        title: "no-op for a gap",
        source: "Simple §3",
        says: "A slot of which no promise reports anything, with later slots in use, gets a no-op, so that those can be executed.",
        without: None,
    } tells {
        FILLS_GAP(slot) = "proposes a no-op in slot {slot}: no promise reports anything accepted there, and later slots are in use";
    };
    /// Phase 2b, acceptance.
    ACCEPT_UNLESS_PROMISED = {
        key: "accept-unless-promised",
        title: "an acceptor keeps its promise (P1a)",
        source: "Simple §2.2, phase 2(b)",
        says: "An acceptor refuses a proposal whose ballot is below the one it has promised.",
        without: Some("a deposed leader gets a command chosen in a slot in which the new leader chose another"),
    } tells {
        REFUSES_LOWER(ballot, promised) = "refuses ballot {ballot}: it has promised {promised}, which is higher";
    };
    /// Phase 2b, promise.
    ACCEPT_RAISES_PROMISE = {
        key: "accept-raises-promise",
        title: "accepting is promising",
        source: "Moderately Complex, Acceptor",
        says: "An acceptor that accepts a ballot, or hears of its leader, has thereby promised it.",
        without: None,
    } tells {
        PROMISES_BY_ACCEPTING(ballot, promised) = "has promised ballot {ballot} from now on, because it heard of its leader; before, it was {promised}";
    };
    /// Choice.
    ACCEPT_QUORUM = {
        key: "accept-quorum",
        title: "chosen by a quorum",
        source: "Simple §2.2",
        says: "A command is chosen in a slot once a quorum has accepted it in one ballot.",
        without: None,
    } tells {
        CHOOSES(slot, ballot, votes) = "knows slot {slot} to be chosen: {votes} accepted it in ballot {ballot}, and that is a quorum";
    };
    /// Quorum intersection.
    QUORUMS_INTERSECT = {
        key: "quorums-intersect",
        title: "quorum intersection",
        source: "Simple §2.2; Howard, Malkhi, Spiegelman, Flexible Paxos (2016), §4",
        says: "Every quorum of promises shares an acceptor with every quorum of acceptances: of any sizes, if the two add up to more than all servers.",
        without: Some("a new leader hears of nobody who accepted the chosen command"),
    } tells {
        HEARS_OF_ALL_CHOSEN() = "has thereby heard of every command that is chosen: any quorum of acceptances shares an acceptor with these";
    };
    /// Stable storage.
    DURABLE_ACCEPTOR = {
        key: "durable-acceptor",
        title: "stable storage",
        source: "Simple §2.5",
        says: "What an acceptor promised and accepted is on its disk before it answers, and it restarts from there.",
        without: Some("a restarted acceptor helps to choose a second command in a slot"),
    } tells {
        ACCEPTS(slot, ballot, promised) = "accepts the command for slot {slot} in ballot {ballot}, {promised} being the highest that it has promised, and answers when that is on its disk";
        WAITS_FOR_DISK() = "lets what relies on it wait until what it promised and accepted is on its disk";
        REMEMBERS(promised, last) = "restarts with what is on its disk: it promised ballot {promised}, and holds slots up to {last}";
    };
    /// Learning through the commit index.
    COMMIT_SAME_BALLOT = {
        key: "commit-same-ballot",
        title: "commit marker of the same ballot",
        source: "Simple §2.3 and §3: learning which of the accepted proposals was chosen",
        says: "Told by the leader that all slots up to one are chosen, a server takes its accepted command for the chosen one only if it accepted it in that leader's ballot; otherwise it asks.",
        without: Some("a server executes a command that it accepted in an old ballot and that was never chosen"),
    } tells {
        DOUBTS(slot, held, ballot) = "does not take its own command in slot {slot} for the chosen one: it accepted it in ballot {held}, and the leader's is {ballot}";
    };
    /// Execution.
    EXECUTE_IN_ORDER = {
        key: "execute-in-order",
        title: "execution in slot order",
        source: "Simple §3",
        says: "A slot's command is executed when it and all commands before it are chosen.",
        without: None,
    } tells {
        EXECUTES(slot) = "executes slot {slot}: that is chosen, and so is every slot before it";
    };
    /// At most once.
    AT_MOST_ONCE = {
        key: "at-most-once",
        title: "no command twice",
        source: "Moderately Complex, Replica",
        says: "A command that is asked for again is not proposed again while it is under way, and answered from memory once it is executed.",
        without: Some("a command whose client asked twice is executed twice, and overwrites what came in between"),
    } tells {
        ANSWERS_AGAIN(command) = "answers {command} from memory: it is executed already";
        EXECUTES_ONCE(command) = "does not execute {command} again: that is done already";
        WAITS_FOR_FIRST(command) = "does not propose {command} again: it is under way";
    };
    /// Time-outs.
    STABLE_LEADER = {
        key: "stable-leader",
        title: "stable leader",
        source: "Simple §2.4 and §3; Moderately Complex, When Paxos Works",
        says: "Nobody prepares a new ballot while it hears from the leader; after a random time of silence, it does.",
        without: None,
    } tells {
        WAITS_FOR_LEADER(ballot) = "prepares no ballot of its own for another time-out: it hears from the leader of ballot {ballot}";
        SENDS_HEARTBEATS(ballot) = "lets the others know that it still leads ballot {ballot}";
        LOSES_PATIENCE() = "tries to lead: it has heard from no leader for its whole time-out";
    };
    /// The poll.
    ASK_FIRST = {
        key: "ask-first",
        title: "poll before a ballot",
        source: "practice; PreVote in Ongaro's dissertation (2014) §9.6 is the same for Raft",
        says: "A server that has heard from no leader for a time-out asks the others first. It prepares a higher ballot only if enough of them for both phases agree.",
        without: None,
    } tells {
        POLLS(ballot) = "asks the others first whether they hear from a leader, before it prepares ballot {ballot}";
    };
    /// Who refuses a poll.
    LEADER_STICKINESS = {
        key: "leader-stickiness",
        title: "leader stickiness",
        source: "practice: master leases in Chandra, Griesemer, Redstone, Paxos Made Live (2007), §5.2, and Ongaro's dissertation (2014) §4.2.3",
        says: "A server that leads, or has heard from a leader within the shortest election timeout, agrees to no poll.",
        without: Some("a server that cannot hear the leader deposes it though a quorum can, and is deposed by it in turn, without end"),
    } tells {
        REFUSES_POLL(asker) = "does not consent that {asker} prepares: it leads or hears from a leader";
        CONSENTS(asker, ballot) = "consents that {asker} prepares ballot {ballot}: it hears from no leader";
    };
    /// Giving way.
    BACK_OFF = {
        key: "back-off",
        title: "give way to a higher ballot",
        source: "Simple §2.2, last paragraph, and §2.4; Moderately Complex, When Paxos Works",
        says: "A proposer or leader that hears of a higher ballot stops, and waits before it tries again: the longer, the more of its ballots have come to nothing.",
        without: None,
    } tells {
        BACKS_OFF(ballot) = "proposes no more for now, and waits before it tries again; the highest ballot it knows is {ballot}";
    };
    /// A leader that reaches nobody.
    LEADER_HEARS_QUORUM = {
        key: "leader-hears-quorum",
        title: "a leader that hears no quorum resigns",
        source: "practice; Moderately Complex, When Paxos Works, monitors the leader the other way round",
        says: "A leader whose heartbeats no quorum answers for a whole time-out stops, so that another can take its place.",
        without: None,
    } tells {
        RESIGNS(active) = "resigns: in a whole time-out it heard only from {active}, itself included, and that is no quorum";
    };
    /// Pipelining.
    PIPELINE = {
        key: "pipeline",
        title: "α slots ahead",
        source: "Simple §3",
        says: "The leader proposes in later slots before earlier ones are chosen, up to α of them; further commands wait.",
        without: None,
    } tells {
        PROPOSES(command, slot, limit) = "proposes {command} in slot {slot}: of at most {limit} slots not all are open";
        HOLDS_BACK(command, limit) = "lets {command} wait: {limit} slots are open already, and there are no more";
    };
    /// Thrifty.
    THRIFTY = {
        key: "thrifty",
        title: "thrifty",
        source: "Simple §2.2: \"to a set of acceptors\"; the word is from Moraru and others, EPaxos (2013)",
        says: "The leader sends phase 2 to one quorum only: the servers that answered a heartbeat first.",
        without: None,
    } tells {
        SENDS_TO_QUORUM(servers, slot) = "sends slot {slot} to {servers} and itself, which is a quorum";
    };
    /// Sending again.
    RESEND = {
        key: "resend",
        title: "send again",
        source: "Simple §2.1: messages can be lost",
        says: "If the oldest open slot is still open after a whole time-out, its proposal goes again to everybody who has not accepted it though it has answered a heartbeat sent later, and so do those after it; the longer nothing helps, the more seldom.",
        without: None,
    } tells {
        RESENDS(slot) = "sends its proposals from slot {slot} on again: that was not chosen for a whole time-out";
        PREPARES_AGAIN(ballot, promises) = "asks again for promises of ballot {ballot}: it has only those of {promises}";
    };
    /// Catching up.
    CATCH_UP = {
        key: "catch-up",
        title: "catch-up",
        source: "Simple §2.3 and §3: learning what was chosen",
        says: "A server that lacks chosen commands says so in its answer to a heartbeat; the next heartbeat brings them, unless some are under way.",
        without: None,
    } tells {
        SENDS_MISSING(server, first) = "sends {server} the chosen commands that it lacks, from slot {first} on";
    };
    /// Snapshots.
    SNAPSHOT = {
        key: "snapshot",
        title: "snapshot",
        source: "Moderately Complex, Paxos Made Pragmatic: garbage collection",
        says: "Slots covered by a saved state can be forgotten; one that lacks them gets the state instead.",
        without: None,
    } tells {
        GIVES_WAY(server, slot) = "lets {server} lead, which has forgotten the commands up to slot {slot}: it lacks some of them itself";
        INSTALLS_SNAPSHOT(slot, committed) = "takes over a saved state up to slot {slot}: it had executed up to slot {committed}";
        TAKES_SNAPSHOT(slot) = "saves its state up to slot {slot}, and forgets old slots that it covers";
    };
    /// Reads that are not promised to be new.
    UNCHECKED_READ = {
        key: "unchecked-read",
        title: "read without a check",
        source: "Paxos Made Live (2007), §5.2, says what goes wrong",
        says: "A server answers reads from its own state without asking anybody; what it returns may be old.",
        without: None,
    } tells {
        READS_ANYWHERE(command, slot) = "answers the read {command} from its own state, up to slot {slot}; others may have executed more";
        READS_UNCHECKED(command) = "answers the read {command} without making sure that it still leads";
    };
    /// Quorum reads.
    QUORUM_READ = {
        key: "quorum-read",
        title: "quorum read",
        source: "Charapko, Ailijiang, Demirbas, Linearizable Quorum Reads in Paxos (2019)",
        says: "A replica that reads asks a quorum of acceptors, which shares one with every quorum that has a write chosen.",
        without: None,
    } tells {
        ASKS_QUORUM(command, servers) = "asks {servers}, for the read {command}, which write to the same they have accepted last";
        TELLS_LAST_WRITE(slot, executed) = "tells the last slot beyond the executed ones with a write to what is read ({slot}; 0 is none), and what it holds after slot {executed}";
        ANSWERS_QUORUM_READ(command, servers, executed) = "answers the read {command} from the state after slot {executed}: {servers} have accepted no later write";
    };
    /// The rinse.
    RINSE = {
        key: "rinse",
        title: "rinse",
        source: "Charapko, Ailijiang, Demirbas, Linearizable Quorum Reads in Paxos (2019)",
        says: "If a server of the quorum has accepted a write that none has executed, the read waits until one has.",
        without: Some("a read returns an old value though the write after it is chosen, and was perhaps answered"),
    } tells {
        RINSES(command, slot, executed) = "does not answer the read {command} yet: slot {slot} may be chosen, and what it knows of is executed up to slot {executed} only";
        GIVES_RINSE_UP(command, polls) = "sends the read {command} through the log: after {polls} polls the write it waits for is not executed";
    };
    /// What a lease is good for.
    LOCAL_READ = {
        key: "local-read",
        title: "local read",
        source: "Moraru, Andersen, Kaminsky, Paxos Quorum Leases (2014), §3",
        says: "A holder with leases from servers that share one with every quorum answers reads from its own state, once it has executed what it has accepted of them.",
        without: None,
    } tells {
        READS_UNDER_LEASES(command, slot) = "answers the read {command} at once from the state after slot {slot}: under its leases nothing can be chosen that it has not accepted";
        READ_WAITS_FOR_WRITE(command, slot) = "lets the read {command} wait: it has accepted a write to the same in slot {slot}, and does not know whether that is chosen";
    };
    /// Writes under leases.
    HOLDERS_ACCEPT = {
        key: "holders-accept",
        title: "a write waits for every holder",
        source: "Paxos Quorum Leases §3: a grantor accepts on condition that the holder is notified before",
        says: "With its vote a server names the holders of its leases; the vote counts once they have accepted, too.",
        without: Some("a holder answers with an old value though a newer one is chosen"),
    } tells {
        WAITS_FOR_HOLDERS(slot, holders) = "does not take slot {slot} for chosen yet: servers that voted have granted leases to {holders}, and their acceptance is missing";
        VOTES_AGAIN(slot, holders) = "has all servers vote again in slot {slot}, which lacks only the acceptance of {holders}: the leases there may be over";
    };
    /// The end of a lease.
    LEASE_RUNS_OUT = {
        key: "lease-runs-out",
        title: "a lease runs out",
        source: "Paxos Quorum Leases §3, lease protocol",
        says: "A holder does not read under a lease that is over, by its own clock.",
        without: Some("a holder that is cut off goes on answering with old values"),
    } tells {
        LEASE_IS_OVER(since) = "does not count a lease that has been over for {since}";
    };
    /// The beginning of a lease.
    LEASE_FROM_SLOT = {
        key: "lease-from-slot",
        title: "a new lease waits for what was accepted before",
        source: "Paxos Quorum Leases §3: a lease is in force from its place in the log on; here the grantor names its last accepted slot",
        says: "Under a new lease a holder reads once it has executed up to the last slot that its grantor had accepted.",
        without: Some("a holder that was cut off answers from an old state as soon as it has its leases back"),
    } tells {
        CATCHES_UP_FIRST(slot, executed) = "does not count a lease yet: its grantor had accepted up to slot {slot} before, and it has itself executed up to {executed}";
    };
    /// Granting.
    GUARDED_PROMISE = {
        key: "guarded-promise",
        title: "guard and promise",
        source: "Paxos Quorum Leases §3, lease protocol",
        says: "A promise counts only within the guard since the holder answered, and a renewal only while the last promise does; the grantor waits as long, and for the clocks' largest drift.",
        without: None,
    } tells {
        SENDS_GUARD(holder) = "is about to grant {holder} a lease";
        GRANTS_LEASE(holder, lease, guard, slot) = "promises {holder} a lease of {lease}, good within {guard} since it answered the guard: it accepts nothing without naming {holder}; its last accepted slot is {slot}";
        RENEWS_LEASE(holder, lease) = "renews the lease of {holder} for {lease}";
        PROMISE_IS_LATE(grantor) = "does not take the lease of {grantor}: the promise came too late";
    };
    /// Restarts of grantors.
    PROMISES_OUTLIVE_CRASHES = {
        key: "promises-outlive-crashes",
        title: "a grantor that restarts keeps its promises",
        source: "Paxos Quorum Leases §3, on recovery (from memory)",
        says: "A server that restarts names all holders with its votes until the longest lease that it can have granted is over.",
        without: Some("a server forgets the lease it granted, and helps to choose what its holder does not know"),
    } tells {
        ASSUMES_PROMISES(time) = "names every holder with its votes for {time}: it may have granted leases before it crashed";
    };
    /// Transfer.
    HAND_OVER = {
        key: "hand-over",
        title: "leadership transfer",
        source: "practice; Ongaro's dissertation (2014) §3.10 has it for Raft",
        says: "Asked to hand over, the leader takes no more commands, brings the other up to date, and tells it to prepare at once.",
        without: None,
    } tells {
        HANDS_OVER(target) = "takes no more commands: it is about to hand over to {target}";
        PREPARES_AT_ONCE(leader) = "prepares without waiting: {leader} asks it to take over, and it lacks no chosen command";
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
    /// How reads are served.
    READS = {
        key: "reads",
        says: "How reads are served: as commands of the log, by any replica, by a leader that does not check whether it still leads, by the holders of quorum leases, or by any replica that asks a quorum; in the second and third way a read may be old",
        kind: Choice {
            options: &["log", "any-replica", "leader-unchecked", "quorum-leases", "quorum-reads"],
            default: 0,
        },
    };
    /// Who holds leases.
    LEASE_HOLDERS = {
        key: "lease_holders",
        says: "Quorum leases: how many replicas hold a lease, the first ones; 0 for a majority",
        kind: Count { min: 0, max: 15, default: 0 },
    };
    /// How long a lease lasts.
    LEASE_DURATION = {
        key: "lease_duration",
        says: "Quorum leases: how long a lease lasts since its last renewal; derived: eight of the longest round trips, 80 ms at least",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// How long a guard holds.
    GUARD = {
        key: "guard",
        says: "Quorum leases: how long after the holder has answered a guard the first promise is good; derived: two of the longest round trips",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// How far clocks may run apart.
    CLOCK_DRIFT = {
        key: "clock_drift_permille",
        says: "Quorum leases: how much faster one clock may run than another, in thousandths; grantors wait longer by as much",
        kind: Count { min: 0, max: 1000, default: 100 },
    };
    /// The pause of a rinse.
    RINSE_PAUSE = {
        key: "rinse",
        says: "Quorum reads: time between two polls of a rinse; derived: half the longest round trip, 1 ms at least",
        kind: Duration { min: 1, max: 3_600_000_000 },
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
