//! Rules and settings of Mencius.

use crate::core::SettingKind::{Choice, Count, Duration};

crate::rules! {
    /// Rule 1.
    SUGGEST = {
        key: "suggest",
        title: "own instances",
        source: "Mencius §4.2, Rule 1",
        says: "Instance c·n+p is coordinated by server p. It suggests each client's command in its next own instance, Iₚ, in round 0, which needs no phase 1.",
        without: None,
    } tells {
        SUGGESTS(command, slot) = "suggests {command} in instance {slot}, its next own one";
        HOLDS_BACK(command, slot, executed) = "does not take {command}: its next own instance is {slot}, and it has executed no more than {executed}";
    };
    /// Learning in round 0.
    LEARN = {
        key: "learn",
        title: "learned from a majority",
        source: "Mencius §4.2, Coordinated Paxos; Paxos Made Simple §2.3",
        says: "What a majority has accepted in one round is chosen.",
        without: None,
    } tells {
        LEARNS(slot, votes) = "learns instance {slot}: {votes}, a majority, have accepted it from its owner";
        COUNTS(slot, votes) = "has the acceptances of {votes} for instance {slot}";
        LEARNS_RANGE(first, last, votes) = "learns what it proposed for the instances from {first} to {last}: {votes}, a majority, have accepted it";
    };
    /// Rule 2.
    SKIP_OWN = {
        key: "skip",
        title: "skip the own turns",
        source: "Mencius §4.2, Rule 2; §4.3, Optimization 1",
        says: "Who accepts a suggestion for an instance after its own next one skips its own instances before it. With the Accept it promises to suggest nothing there any more.",
        without: Some("an instance that others have taken for skipped gets a command"),
    } tells {
        SKIPS(index, slot) = "skips its own instances from {index} to {slot}, and goes on after that";
    };
    /// Simple consensus, at the learner.
    OWNER_SKIPS = {
        key: "owner-skips",
        title: "a skip of the owner is enough",
        source: "Mencius §4.2, simple consensus and Skip",
        says: "That an instance is a no-op is learned from one skip of its owner, and of nobody else: all others may propose nothing but no-ops there.",
        without: Some("a no-op is learned where the owner's command is chosen"),
    } tells {
        TAKES_SKIPS(from, after, upto) = "takes the instances of {from} between {after} and {upto} for skipped, and nobody else's: the word of their owner is enough";
    };
    /// When skips are announced.
    DEFER = {
        key: "defer-skips",
        title: "skips are deferred",
        source: "Mencius §4.3, Optimizations 1 and 2, Accelerator 1",
        says: "A skip travels with the next Accept or Suggest. Alone it is sent only if more than α of them are waiting, or after τ.",
        without: None,
    } tells {
        DEFERS(count) = "lets its skips wait for its next message, or for τ ({count} so far)";
        ANNOUNCES(nodes, after, upto) = "announces to {nodes} that it has skipped its instances between {after} and {upto}: nothing else was sent that could have said so";
    };
    /// Rule 4.
    SUGGEST_AGAIN = {
        key: "suggest-again",
        title: "suggested again",
        source: "Mencius §4.2, Rule 4",
        says: "A server that has suggested a command and learns a no-op there suggests it again.",
        without: None,
    } tells {
        SUGGESTS_AGAIN(command, slot) = "has lost its turn: a no-op is chosen in instance {slot}, where it had suggested {command}";
    };
    /// The failure detector.
    SUSPECT = {
        key: "suspect",
        title: "suspicion",
        source: "Mencius §4.1: an unreliable failure detector that eventually suspects those who have failed, and nobody else",
        says: "A server that is silent for too long is suspected. If that was wrong, it takes twice as long the next time.",
        without: None,
    } tells {
        SUSPECTS(node) = "suspects {node} to have failed: it has heard nothing of it for too long";
        TRUSTS(node) = "trusts {node} again: it is alive";
    };
    /// Rule 3.
    REVOKE = {
        key: "revoke",
        title: "revocation",
        source: "Mencius §4.2, Rule 3; §4.3, Optimization 3",
        says: "Who suspects a server takes its instances over in a higher round: from the first that is not learned up to I+2β, if less than β are revoked.",
        without: None,
    } tells {
        REVOKES(first, last, owner, ballot) = "begins round {ballot} for the instances from {first} to {last} that {owner} owns, which it suspects";
        REVOKES_AGAIN(first, last, ballot) = "asks again about the instances from {first} to {last} in round {ballot}: no majority has answered";
        WAITS_FOR_TURN(owner) = "leaves it to another to revoke what {owner} owns, and waits for that";
        COUNTS_ACKS(first, last, acks) = "has the reports of {acks} about the instances from {first} to {last}";
    };
    /// Owners whose instances are revoked.
    TAKE_UP = {
        key: "take-up",
        title: "the owner takes part",
        source: "Mencius §4.2, Coordinated Paxos: the coordinator may propose its command in any round; here also what becomes of a revocation that nobody ends",
        says: "An owner whose suggestion is refused suggests from then on behind all that others have promised, and begins a higher round itself if nobody decides the instance.",
        without: None,
    } tells {
        TAKES_UP(first, last, ballot) = "begins round {ballot} for its own instances from {first} to {last}: a higher round than its suggestion's is promised, and nobody has decided them";
        IS_CONTESTED(slot, promised) = "learns that somebody has promised round {promised} for its instance {slot}, and waits for the outcome";
        IS_REVOKED(slot, upto) = "tells the owner of instance {slot} that a no-op is chosen there, and that its instances up to {upto} are taken";
        GIVES_WAY(ballot, promised) = "gives up round {ballot}: somebody has promised {promised}";
    };
    /// Rounds bind.
    PROMISE = {
        key: "promise",
        title: "no lower round",
        source: "Mencius §4.2, Coordinated Paxos; Paxos Made Simple §2.2",
        says: "A server that has promised a round for an instance accepts nothing of a lower one there; suggestions are of round 0.",
        without: Some("an owner goes on behind the back of whoever revokes its instances, and its command and a no-op are both learned"),
    } tells {
        ACCEPTS(slot, from) = "accepts instance {slot} from {from}, its owner: it has promised no higher round for it";
        REFUSES(slot, promised) = "refuses a lower round for instance {slot}: it has promised {promised}";
        PROMISES(ballot, first, last, owner) = "promises round {ballot} for the instances from {first} to {last} that {owner} owns, and reports what it has accepted";
        ACCEPTS_RANGE(first, last, ballot) = "accepts what is proposed for the instances from {first} to {last} in round {ballot}: it has promised none that is higher";
    };
    /// Phase 2 of a revocation, first case.
    ADOPT = {
        key: "adopt",
        title: "what may be chosen is adopted",
        source: "Mencius §4.2, Revoke; Paxos Made Simple §2.2",
        says: "Who revokes an instance proposes the value accepted in the highest round that a majority reports, if there is any.",
        without: Some("a command that is learned is replaced by a no-op"),
    } tells {
        ADOPTS(slot, command, accepted) = "goes on with {command} in instance {slot}, accepted in round {accepted}: it may be chosen";
    };
    /// Phase 2 of a revocation, second case.
    NOOP_ONLY = {
        key: "no-op-only",
        title: "others propose no-ops only",
        source: "Mencius §4.2, simple consensus",
        says: "Where nothing can have been chosen, who revokes an instance proposes a no-op, never a command of its own.",
        without: Some("an instance whose owner has skipped it gets a command"),
    } tells {
        PROPOSES_NOOPS(first, last, owner) = "proposes no-ops for the instances from {first} to {last} in which nobody reports a command: {owner} owns them, so nothing else is allowed";
    };
    /// Execution.
    IN_ORDER = {
        key: "in-order",
        title: "in the order of instances",
        source: "Mencius §4.1: a server commits an instance once it has learned it and committed all before it",
        says: "Commands are executed in the order of their instances, whoever owns them; a learned one waits for those before it.",
        without: None,
    } tells {
        EXECUTES(slot) = "executes instance {slot}: all before it are executed";
    };
    /// At most once.
    AT_MOST_ONCE = {
        key: "at-most-once",
        title: "at most once",
        source: "Collin Lee et al., Implementing Linearizability at Large Scale and Low Latency, SOSP 2015",
        says: "A command that is in two instances, because two servers were asked for it, takes effect in the first one.",
        without: Some("a client that asks a second server has its command take effect twice"),
    } tells {
        EXECUTES_ONCE(command) = "does not execute {command} again: it has executed it in an earlier instance";
        HAS_EXECUTED(command) = "answers without suggesting {command}: it has executed it";
    };
    /// Persistence.
    DURABLE = {
        key: "durable",
        title: "stable storage",
        source: "Mencius §4.1: servers recover their state from stable storage",
        says: "A server saves its index, what it has promised and what it has accepted before anybody hears of it, and finds it again after a crash.",
        without: Some("a server suggests in an instance that it has skipped, or forgets what it has accepted"),
    } tells {
        REMEMBERS(index) = "restarts with what is on its disk: its next own instance is {index}";
    };
    /// Sending again.
    RESEND = {
        key: "resend",
        title: "send again",
        source: "Mencius §4.1 has channels that lose nothing; its implementation sends again after a broken connection",
        says: "If nothing was executed for a whole timeout, suggestions that are not learned go again to those who have not accepted them; the longer nothing helps, the more seldom.",
        without: None,
    } tells {
        RESENDS(slot) = "suggests instance {slot} again to those who have not accepted it";
    };
    /// Catching up.
    CATCH_UP = {
        key: "catch-up",
        title: "catching up",
        source: "Mencius, on recovery: a server that was away learns recent instances from others",
        says: "A server asks for an instance that it lacks: whoever has executed more, its owner, and then everybody in turn.",
        without: None,
    } tells {
        ASKS(whom, first) = "asks {whom} for instances from {first} on: it knows of commands after that, and cannot go on";
        SENDS_MISSING(whom, first) = "sends {whom} what it has learned from instance {first} on";
    };
    /// Snapshots.
    SNAPSHOT = {
        key: "snapshot",
        title: "snapshot",
        source: "Mencius leaves long absences to the application: checkpoints or state transfer",
        says: "Instances covered by a saved state can be forgotten; who lacks them gets the state instead.",
        without: None,
    } tells {
        TAKES_SNAPSHOT(slot) = "saves its state up to instance {slot}, and forgets old instances that it covers";
        SENDS_STATE(whom, first) = "sends {whom} its saved state: it has forgotten instance {first}";
        INSTALLS(slot, executed) = "takes over a saved state up to instance {slot}: it had executed up to {executed}";
    };
}

crate::settings! {
    /// Who learns from acceptances.
    ACCEPTS_TO = {
        key: "accepts",
        says: "To whom Accept goes: to the owner, who tells all others, or to everybody, which saves them one way",
        kind: Choice { options: &["owner", "everybody"], default: 0 },
    };
    /// α.
    ALPHA = {
        key: "alpha",
        says: "α: so many skips may wait for another message to travel with",
        kind: Count { min: 0, max: 100_000, default: 20 },
    };
    /// τ.
    TAU = {
        key: "tau",
        says: "τ: how long a skip waits for another message to travel with; half of the longest round trip unless given",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// β.
    BETA = {
        key: "beta",
        says: "β: if less than so many instances of a suspected server are revoked in advance, twice as many are",
        kind: Count { min: 1, max: 2_000, default: 50 },
    };
    /// Compaction.
    SNAPSHOT_EVERY = {
        key: "snapshot_every",
        says: "Instances between two snapshots of the state; 0 for none",
        kind: Count { min: 0, max: 1_000_000, default: 1000 },
    };
    /// Time between heartbeats.
    HEARTBEAT = {
        key: "heartbeat",
        says: "Time between the heartbeats of a server; the longest round trip unless given",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// The failure detector's timeout.
    SUSPICION = {
        key: "suspicion",
        says: "Silence after which a server is suspected; three heartbeats and half of the longest round trip unless given",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Patience with instances.
    RESEND_AFTER = {
        key: "resend",
        says: "Time without progress after which a server asks again, or begins what others should have done; three times the longest round trip unless given",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
}
