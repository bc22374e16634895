//! The rules of Fast Paxos, with the section that states each and the sentences that say what a node does by it; and its settings.
//!
//! Lamport, *Fast Paxos*, Microsoft Research MSR-TR-2005-112, 2005 (Distributed Computing 19(2), 2006).

use crate::core::SettingKind::{Choice, Duration, Flag};

crate::rules! {
    /// Whose a round is.
    UNIQUE_ROUNDS = {
        key: "unique-rounds",
        title: "rounds belong to coordinators",
        source: "Fast Paxos §2.2.1: \"Each round number has a coordinator\"",
        says: "A coordinator begins only rounds of its own, higher than any it has heard of.",
        without: Some("two coordinators get different commands voted for in one classic round, and both can be chosen"),
    } tells {
        BEGINS_ROUND(kind, round) = "begins {kind} round {round}, which is its own and higher than any it has heard of";
    };
    /// Phase 1b.
    PROMISE = {
        key: "promise-only-higher",
        title: "promise",
        source: "Fast Paxos §2.2.1, phase 1b",
        says: "An acceptor promises a round only if it has promised none that is higher, and reports in which round it last voted in each slot, and for what.",
        without: None,
    } tells {
        PROMISES(round, promised) = "promises round {round}, which is higher than {promised}, the highest it promised before, and reports its votes";
        PROMISES_AGAIN(round) = "promises round {round} again: the first promise may have been lost";
        REFUSES_TO_PROMISE(round, promised) = "refuses round {round}: it has promised {promised}, which is higher";
        COUNTS_PROMISES(promises, round) = "has promises from {promises} in round {round}";
        COORDINATES(round, promises) = "coordinates round {round}: {promises} have promised it, and that is a quorum of it";
    };
    /// Phase 2b.
    ACCEPT_UNLESS_PROMISED = {
        key: "accept-unless-promised",
        title: "an acceptor keeps its promise",
        source: "Fast Paxos §2.2.1, phase 2b: i ≥ rnd[a]",
        says: "An acceptor votes in no round below the one that it has promised.",
        without: Some("a command is voted for in an old round after a higher one was told that nobody had"),
    } tells {
        REFUSES_LOWER(slot, round, promised) = "refuses to vote in slot {slot} in round {round}: it has promised {promised}, which is higher";
        VOTES(command, slot, round) = "votes for {command} in slot {slot} in round {round}: it has promised none that is higher";
    };
    /// One vote a round.
    VOTE_ONCE = {
        key: "vote-once",
        title: "one vote a round",
        source: "Fast Paxos §2.2.1 and §3.1",
        says: "An acceptor votes at most once in each slot in each round, also if clients propose several commands.",
        without: None,
    } tells {
        VOTED_ALREADY(slot, round) = "does not vote again in slot {slot}: it has voted there in round {round}, and sends that vote again";
    };
    /// The Any message.
    ANY_ONLY_IF_FREE = {
        key: "any-only-if-free",
        title: "Any only where any value may be picked",
        source: "Fast Paxos §3.1: \"if the coordinator can pick any proposed value\"",
        says: "The coordinator of a fast round sends Any only for slots in which the votes that it was told of let it pick any value; for the others it sends the value.",
        without: Some("acceptors vote for new commands in a slot in which one may have been chosen"),
    } tells {
        ANY_AFTER(last, round) = "sends values for slots up to {last} in round {round}: it was told of votes there, so not any value will do";
        SENDS_ANY(round, slot) = "lets acceptors vote in round {round} for whatever clients propose, from slot {slot} on: nobody that has promised has voted there";
    };
    /// Fast votes.
    FAST_VOTE = {
        key: "fast-vote",
        title: "fast round",
        source: "Fast Paxos §3.1",
        says: "Once an acceptor has the Any message of its round, it treats a client's proposal as if the coordinator had sent it.",
        without: None,
    } tells {
        VOTES_FAST(command, slot, round) = "votes for {command} in slot {slot} without waiting for the coordinator: it has the Any message of fast round {round}, and knows of no vote in that slot";
        JOINS(command, slot, round) = "votes for {command} in slot {slot} in fast round {round}, where others have voted for it";
    };
    /// Choosing.
    CHOSEN = {
        key: "chosen",
        title: "a quorum of one round",
        source: "Fast Paxos §2.2.1 and §3.1",
        says: "A command is chosen in a slot when a quorum of one round has voted for it there: a fast quorum in a fast round, a classic one in a classic round.",
        without: None,
    } tells {
        CHOOSES(command, slot, votes, round) = "learns that {command} is chosen in slot {slot}: {votes} voted for it in round {round}, and that is a quorum of that round";
        COUNTS_VOTES(votes, command, slot, round) = "has the votes of {votes} for {command} in slot {slot} in round {round}";
    };
    /// The quorum requirement.
    QUORUM_REQUIREMENT = {
        key: "quorum-requirement",
        title: "quorum requirement",
        source: "Fast Paxos §3.1, quorum requirement (b), and §3.4.1",
        says: "Any quorum shares an acceptor with any two quorums of a fast round: with N acceptors, N > 2F and N > 2E + F, where classic quorums have N − F members and fast ones N − E.",
        without: Some("with majorities as fast quorums, votes for two commands are left after a collision, and the coordinator cannot tell which was chosen"),
    } tells {
        HEARS_OF_ALL_CHOSEN(promises) = "has thereby heard of all that was chosen: {promises} share an acceptor with any two fast quorums";
    };
    /// Figure 2.
    ADOPT_HIGHEST = {
        key: "adopt-highest",
        title: "the only value of the highest round",
        source: "Fast Paxos §2.2.2, and Figure 2 in §3.1",
        says: "If all votes reported of the highest round k with any are for one value, the coordinator picks that.",
        without: Some("a new round gets another command chosen over a chosen one"),
    } tells {
        ADOPTS(command, slot, round) = "picks {command} for slot {slot}: {round} is the highest round with votes there that it knows of, and all of them are for that";
        FILLS_GAP(slot) = "picks the no-op for slot {slot}: no vote that it knows of asks for anything else";
    };
    /// O4.
    O4 = {
        key: "o4",
        title: "observation 4",
        source: "Fast Paxos §3.1, O4 and Figure 2",
        says: "If the votes of round k are for several values, the coordinator picks the one for which a quorum of round k may have voted, when all those that it has not heard of did; there is at most one.",
        without: Some("a collision is resolved for one command although the other was chosen by votes that the coordinator has not heard of"),
    } tells {
        PICKS_BY_O4(command, slot, round) = "picks {command} for slot {slot}: with the acceptors that it has not heard of, a fast quorum may have voted for it in round {round}";
        NONE_BY_O4(slot, round) = "may pick any command for slot {slot}: none of those with votes in round {round} can have been chosen, whatever the others voted for";
    };
    /// Collisions.
    COLLISION = {
        key: "collision",
        title: "collision",
        source: "Fast Paxos §3.1 and §3.2",
        says: "If acceptors vote for different commands in one slot of a fast round, it can be that none gets a fast quorum; another round must decide then.",
        without: None,
    } tells {
        COLLIDES(slot, round) = "notices a collision: in slot {slot} no command can get a fast quorum of votes in round {round} any more";
    };
    /// Coordinated recovery.
    COORDINATED_RECOVERY = {
        key: "coordinated-recovery",
        title: "coordinated recovery",
        source: "Fast Paxos §3.2",
        says: "On a collision in fast round i the coordinator takes votes of round i for promises of round i+1, which is also its own, and goes on with phase 2a of that.",
        without: None,
    } tells {
        RECOVERS(command, slot, next, votes, round) = "asks for votes for {command} in slot {slot} in round {next} at once: the votes of {votes} in round {round} say what their promises would";
    };
    /// Uncoordinated recovery.
    UNCOORDINATED_RECOVERY = {
        key: "uncoordinated-recovery",
        title: "uncoordinated recovery",
        source: "Fast Paxos §3.2",
        says: "On a collision in fast round i each acceptor picks, from a quorum's votes and by the coordinator's rule, a value that round i+1 allows, and votes for it there. Round i+1 is fast as well, for they may pick differently.",
        without: None,
    } tells {
        VOTES_ON(command, slot, next) = "votes for {command} in slot {slot} in round {next} on its own: the votes it knows of let a coordinator pick that, and the others should pick the same";
    };
    /// Stable storage.
    DURABLE_ACCEPTOR = {
        key: "durable-acceptor",
        title: "stable storage",
        source: "Fast Paxos §2.1 and §2.3.1",
        says: "What an acceptor promised and voted for is on its disk before it tells, and it restarts from there.",
        without: Some("an acceptor that restarts votes in a round for the second time, or breaks its promise"),
    } tells {
        SAVES() = "answers when that is on its disk";
        REMEMBERS(round, slot) = "restarts from its disk: it has promised round {round}, and its log reaches to slot {slot}";
    };
    /// Execution.
    EXECUTE_IN_ORDER = {
        key: "execute-in-order",
        title: "execution in slot order",
        source: "Fast Paxos §1: a sequence of instances, as in the state machine approach",
        says: "A slot's command is executed when it and all commands before it are chosen.",
        without: None,
    } tells {
        EXECUTES(slot) = "executes slot {slot}: that is chosen, and so is every slot before it";
    };
    /// At most once.
    AT_MOST_ONCE = {
        key: "at-most-once",
        title: "no command twice",
        source: "practice, as in Paxos Made Moderately Complex (2015), Replica",
        says: "A command that is asked for again is answered from memory once it is executed; one that was chosen in two slots is executed in the first.",
        without: Some("a command whose client asked twice, or that was chosen in two slots, is executed twice"),
    } tells {
        ANSWERS_AGAIN(command) = "answers {command} from memory: it is executed already";
        EXECUTES_ONCE(command) = "does not execute {command} again: that is done already";
        WAITS_FOR_FIRST(command) = "does nothing about {command}: it has it, or a later one of that client, already";
    };
    /// Failure detection.
    LEADER_ELECTION = {
        key: "leader-election",
        title: "leader election",
        source: "Fast Paxos §2.3: progress",
        says: "Nobody begins a round while it hears from a coordinator; after a random time of silence, it does.",
        without: None,
    } tells {
        WAITS_FOR_COORDINATOR(round) = "begins no round of its own for another time-out: it hears from the coordinator of round {round}";
        SENDS_HEARTBEATS(round) = "lets the others know that it still coordinates round {round}";
        LOSES_PATIENCE() = "tries to coordinate: it has heard from no coordinator for its whole time-out";
        PREPARES_AGAIN(promises) = "begins again: in a whole time-out it got the promises of {promises} only";
        BACKS_OFF(round) = "coordinates no more for now, and waits before it tries again; the highest round it knows is {round}";
        GIVES_UP_ROUND(round, slot) = "gives up round {round}: whatever it sends again, slot {slot} stays open";
    };
    /// Fast or classic.
    CLASSIC_FALLBACK = {
        key: "classic-fallback",
        title: "classic rounds with fewer acceptors",
        source: "Fast Paxos §3.3 and §3.4.1",
        says: "A fast round needs a fast quorum. While no fast quorum answers but a classic one does, the coordinator uses a classic round.",
        without: None,
    } tells {
        FALLS_BACK(active) = "goes on in a classic round: only {active} answer, itself included, and that is no fast quorum";
        GOES_FAST(active) = "goes on in a fast round: {active} answer, and that is a fast quorum";
        RESIGNS(active) = "resigns: only {active} answer, itself included, and that is no quorum";
        PROPOSES(command, slot, round) = "asks for votes for {command} in slot {slot}: round {round} is classic, so votes are for what its coordinator asks";
    };
    /// Thrifty.
    THRIFTY = {
        key: "thrifty",
        title: "one quorum only",
        source: "Fast Paxos §2.4.1",
        says: "The coordinator sends phase 2 to one quorum only, and begins a new round with another one when some of it do not answer.",
        without: None,
    } tells {
        TAKES_OTHERS(members, active) = "begins a new round with other acceptors: of {members} not all are among those that answer, {active}";
    };
    /// Sending again.
    RESEND = {
        key: "resend",
        title: "send again",
        source: "Fast Paxos §2.3.1: messages can be lost",
        says: "If the first open slot stays open for a whole time-out, the coordinator sends again what may have got lost, and recovers from what may be a collision.",
        without: None,
    } tells {
        RESENDS(slot, round) = "asks again for votes in slot {slot} in round {round}: those it has are no quorum";
        FORWARDS(command, slot, voters) = "passes {command} on for slot {slot}: only {voters} have voted there, so the others may not have got it";
    };
    /// Catching up.
    CATCH_UP = {
        key: "catch-up",
        title: "catch-up",
        source: "Fast Paxos §2.3.1: learners that were away",
        says: "A server whose log is chosen further than another's was at the last heartbeat sends it what is missing.",
        without: None,
    } tells {
        SENDS_MISSING(server, slot) = "sends {server} the chosen commands that it lacks, from slot {slot} on";
    };
}

crate::settings! {
    /// Sizes of quorums.
    QUORUMS = {
        key: "quorums",
        says: "Which quorums: a majority, and ⌈3n/4⌉ in fast rounds; or ⌊2n/3⌋+1 in both, so that fewer acceptors do for fast rounds and more are needed for classic ones",
        kind: Choice { options: &["majority", "two-thirds"], default: 0 },
    };
    /// How to recover.
    RECOVERY = {
        key: "recovery",
        says: "Who recovers from a collision: the coordinator, in a classic round, or the acceptors on their own, in another fast round",
        kind: Choice { options: &["coordinated", "uncoordinated"], default: 0 },
    };
    /// One quorum instead of everybody.
    SEND_THRIFTY = {
        key: "thrifty",
        says: "Let one quorum vote, and take another one when some of it do not answer",
        kind: Flag { default: false },
    };
    /// Time between heartbeats.
    HEARTBEAT = {
        key: "heartbeat",
        says: "Time between the coordinator's heartbeats; derived, just over the longest round trip",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Lower bound of the election timeout.
    ELECTION_TIMEOUT_MIN = {
        key: "election_timeout_min",
        says: "Shortest silence after which a server tries to coordinate",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Upper bound of the election timeout.
    ELECTION_TIMEOUT_MAX = {
        key: "election_timeout_max",
        says: "Longest silence after which a server tries to coordinate",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
}
