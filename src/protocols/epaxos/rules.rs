//! Rules and settings of EPaxos.

use crate::core::SettingKind::{Duration, Flag};

crate::rules! {
    /// Phase 1 at the acceptors.
    UPDATE_ATTRIBUTES = {
        key: "update-attributes",
        title: "attributes are updated",
        source: "EPaxos, the commit protocol (figure 2), phase 1: establish ordering constraints",
        says: "Who pre-accepts a command adds the interfering commands that it knows to its dependencies, and raises its sequence number above theirs.",
        without: Some("of two interfering commands neither depends on the other, and replicas execute them in different orders"),
    } tells {
        GIVES_ATTRIBUTES(command, lane, slot, seq) = "gives {command} its instance {lane}/{slot}, the sequence number {seq}, and the interfering instances it knows as dependencies";
        ADDS(lane, slot, seq) = "adds to the dependencies of instance {lane}/{slot} what it knows to interfere, with sequence number {seq}";
        ADDS_NOTHING(lane, slot) = "pre-accepts instance {lane}/{slot} as it is: it knows of nothing else that interferes";
    };
    /// The fast path.
    FAST_PATH = {
        key: "fast-path",
        title: "fast-path quorum",
        source: "EPaxos, figure 2, and the optimized protocol's smaller quorum; EPaxos*: n ≥ max(2e+f−1, 2f+1)",
        says: "A command is committed after one round trip only if a fast-path quorum, n−e replicas with its leader, has pre-accepted the very attributes that the leader proposed.",
        without: Some("dependencies that only some replica knew are left out of what is committed"),
    } tells {
        TAKES_FAST_PATH(lane, slot, replies) = "commits instance {lane}/{slot} on the fast path: {replies}, a fast-path quorum, have pre-accepted the same attributes";
        ATTRIBUTES_DIFFER(lane, slot) = "does not take the fast path for instance {lane}/{slot}: somebody added dependencies";
        COUNTS_REPLIES(lane, slot, replies) = "counts {replies} among those that have pre-accepted instance {lane}/{slot}";
    };
    /// The slow path.
    UNION = {
        key: "union",
        title: "union of the dependencies",
        source: "EPaxos, the commit protocol (figure 2): update dependencies to the union of all replies",
        says: "On the slow path, the command leader takes the union of all dependencies in the replies of a quorum, and the greatest sequence number.",
        without: Some("of two interfering commands neither depends on the other, and replicas execute them in different orders"),
    } tells {
        MERGES(lane, slot, from) = "takes the attributes that {from} gives instance {lane}/{slot} into the union";
    };
    /// The Paxos-Accept phase.
    SLOW_PATH = {
        key: "slow-path",
        title: "Paxos-Accept phase",
        source: "EPaxos, the commit protocol (figure 2), phase 2: Paxos-Accept",
        says: "What a majority has accepted in one ballot is committed.",
        without: None,
    } tells {
        TAKES_SLOW_PATH(lane, slot, seq) = "asks a majority to accept instance {lane}/{slot} with sequence number {seq}";
        COMMITS(lane, slot, acks) = "commits instance {lane}/{slot}: {acks}, a majority, have accepted it in one ballot";
        COUNTS_ACKS(lane, slot, acks) = "has the acceptances of {acks} for instance {lane}/{slot}";
    };
    /// Ballots bind.
    PROMISE = {
        key: "promise",
        title: "no lower ballot",
        source: "EPaxos, explicit prepare (figure 3); EPaxos*, recovery: bal",
        says: "A replica that has promised a ballot for an instance ignores all lower ones; the leader's own messages are of ballot 0.",
        without: Some("a command leader goes on behind the back of whoever recovers its instance, and both commit"),
    } tells {
        PROMISES(ballot, lane, slot) = "promises ballot {ballot} for instance {lane}/{slot}, and reports what it knows of it";
        REFUSES(lane, slot, promised) = "refuses a lower ballot for instance {lane}/{slot}: it has promised {promised}";
        ACCEPTS_FROM_OWNER(lane, slot) = "accepts instance {lane}/{slot} from its owner: it has promised no ballot for it";
        ACCEPTS(lane, slot, ballot) = "accepts instance {lane}/{slot} in ballot {ballot}: it has promised none that is higher";
    };
    /// The correction of 2019.
    TWO_BALLOTS = {
        key: "two-ballots",
        title: "two ballots an instance",
        source: "Sutra, On the correctness of Egalitarian Paxos, arXiv 1906.10917; EPaxos*: bal and abal",
        says: "A replica keeps the ballot that it has promised apart from the one in which it has accepted, and reports the latter.",
        without: Some("an old value seems to be of a newer ballot than it is, and is chosen over one that is committed"),
    } tells {
        REPORTS_ACCEPTED_BALLOT(lane, slot, accepted, promised) = "reports that it accepted instance {lane}/{slot} in ballot {accepted}; that it has promised {promised} since is another matter";
    };
    /// Recovery, first case.
    ADOPT_ACCEPTED = {
        key: "adopt-accepted",
        title: "accepted values are adopted",
        source: "EPaxos, explicit prepare (figure 3); EPaxos*, recovery",
        says: "Who recovers an instance takes the value accepted in the highest ballot that a majority reports, if there is any.",
        without: Some("a committed command is replaced by a no-op"),
    } tells {
        ADOPTS_FROM_OWNER(lane, slot) = "goes on with the value of instance {lane}/{slot} that was accepted from its owner, for no higher ballot is reported";
        ADOPTS(lane, slot, ballot) = "goes on with the value of instance {lane}/{slot} that was accepted in ballot {ballot}, the highest reported";
    };
    /// Recovery, second case.
    OWNER_ANSWERS = {
        key: "owner-answers",
        title: "the owner has answered",
        source: "EPaxos*, recovery: initCoord(id) ∈ Q",
        says: "If the owner itself reports that it has not committed, it will not take the fast path any more, and a no-op is safe.",
        without: None,
    } tells {
        OWNER_GAVE_UP(lane, slot, owner) = "fills instance {lane}/{slot} with a no-op: its owner, {owner}, has promised not to take the fast path any more";
    };
    /// Recovery, third case.
    MAY_BE_COMMITTED = {
        key: "may-be-committed",
        title: "may have taken the fast path",
        source: "EPaxos, recovery of the optimized protocol; EPaxos*, recovery: |Rmax| ≥ |Q|−e",
        says: "If enough of the replicas that answer have pre-accepted the owner's own attributes, the owner may have committed them on the fast path.",
        without: Some("a command that took the fast path is replaced by a no-op"),
    } tells {
        MAY_BE(lane, slot, support) = "takes into account that instance {lane}/{slot} may have taken the fast path: {support} have pre-accepted the owner's attributes";
        CANNOT_BE(lane, slot, support) = "fills instance {lane}/{slot} with a no-op: only {support} have pre-accepted the owner's attributes, so it cannot have taken the fast path";
    };
    /// The correction of 2025.
    VALIDATE = {
        key: "validate",
        title: "validation",
        source: "EPaxos*, recovery: Validate; EPaxos, recovery of the optimized protocol: TryPreAccept",
        says: "Before the owner's attributes are accepted in a recovery, a quorum looks for interfering instances that neither depend on this one nor are among its dependencies.",
        without: Some("two interfering commands are committed, neither of which depends on the other"),
    } tells {
        ASKS_TO_VALIDATE(lane, slot, quorum) = "asks {quorum} whether anything speaks against the attributes that the owner gave instance {lane}/{slot}";
        NOTHING_AGAINST(lane, slot) = "goes on with the attributes that the owner gave instance {lane}/{slot}: nothing speaks against them";
        CONTRADICTED(lane, slot) = "fills instance {lane}/{slot} with a no-op: what interferes with it shows that it cannot have taken the fast path";
        KNOWS_NOTHING_AGAINST(lane, slot) = "knows of nothing that speaks against the attributes of instance {lane}/{slot}";
        FINDS_AGAINST(lane, slot, count) = "finds {count} interfering instances that do not depend on instance {lane}/{slot}, nor it on them";
    };
    /// Recoveries that wait.
    WAIT = {
        key: "wait-for-interfering",
        title: "waiting for interfering instances",
        source: "EPaxos*, recovery: Waiting",
        says: "While an interfering instance is undecided, a recovery that could turn out either way waits for it.",
        without: Some("a command that took the fast path is replaced by a no-op"),
    } tells {
        WAITS(lane, slot) = "waits with instance {lane}/{slot} until the interfering instances are decided";
    };
    /// Who recovers, and when.
    RECOVER = {
        key: "recover",
        title: "explicit prepare",
        source: "EPaxos, explicit prepare (figure 3)",
        says: "A replica that misses the commit of an instance for too long takes the instance over in a higher ballot.",
        without: None,
    } tells {
        COUNTS_REPORTS(lane, slot, reports) = "has the reports of {reports} about instance {lane}/{slot}";
        TAKES_OVER(lane, slot, ballot) = "takes instance {lane}/{slot} over in ballot {ballot}: it has waited long enough for its commit";
        ASKS_FOR_MISSED(lane, slot, from) = "asks {from} for what instance {lane}/{slot} depends on and is not committed here: it has been out of touch";
        PROPOSES_AGAIN(command) = "proposes {command} in a new instance: its first one was filled with a no-op";
    };
    /// Execution, first half.
    DEPENDENCIES_FIRST = {
        key: "dependencies-first",
        title: "dependencies are executed first",
        source: "EPaxos, the execution algorithm: dependency graph, strongly connected components, topological order",
        says: "A command is executed once all that it depends on, directly or not, is committed: strongly connected components in the order of their dependencies.",
        without: Some("replicas execute interfering commands in the order in which they hear of them"),
    } tells {
        WAITS_FOR_DEPENDENCY(lane, slot, missing_lane, missing_slot) = "cannot execute instance {lane}/{slot} yet: that needs {missing_lane}/{missing_slot}, which is not committed here";
        EXECUTES(lane, slot) = "executes instance {lane}/{slot}: all that it depends on is executed";
    };
    /// Execution, second half.
    SEQ_ORDER = {
        key: "seq-order",
        title: "order of sequence numbers",
        source: "EPaxos, the execution algorithm: in every component by increasing sequence number",
        says: "Commands that depend on each other are executed in the order of their sequence numbers, and of their instances where these are the same.",
        without: Some("replicas execute commands that depend on each other in different orders"),
    } tells {
        SORTS(count) = "executes {count} commands that depend on each other in the order of their sequence numbers";
    };
    /// At most once.
    AT_MOST_ONCE = {
        key: "at-most-once",
        title: "at most once",
        source: "Collin Lee et al., Implementing Linearizability at Large Scale and Low Latency, SOSP 2015",
        says: "A command that two replicas were asked for, and that so has two instances, takes effect in the first one that is executed.",
        without: Some("a client that asks a second replica has its command take effect twice"),
    } tells {
        HAS_EXECUTED(command) = "does not execute {command} again: it has executed it in another instance";
    };
    /// Persistence.
    DURABLE = {
        key: "durable",
        title: "persistent instances",
        source: "EPaxos, recovering from failures: replicas keep their state on disk",
        says: "A replica saves an instance before it answers, and finds it again after a crash.",
        without: Some("a replica forgets what it has accepted, and a quorum does not know of what is committed"),
    } tells {
        REMEMBERS() = "restarts with the instances that it finds on its disk, and executes again what is committed";
        COMMITS_WHEN_SAVED(lane, slot) = "tells that instance {lane}/{slot} is committed now that it is on its disk";
    };
    /// Sending again.
    RESEND = {
        key: "resend",
        title: "send again",
        source: "EPaxos, assumptions: an asynchronous network, in which messages are lost",
        says: "Without answers from a quorum for a while, a command leader asks all others that have not answered.",
        without: None,
    } tells {
        ASKS_AGAIN(lane, slot) = "asks all those again that have not answered about instance {lane}/{slot}";
    };
}

crate::settings! {
    /// To whom PreAccept goes.
    SEND_THRIFTY = {
        key: "thrifty",
        says: "Send PreAccept to one fast-path quorum only, in place of everybody",
        kind: Flag { default: false },
    };
    /// Whether there is a fast path.
    USE_FAST_PATH = {
        key: "fast_path",
        says: "Commit after one round trip where replicas agree; without, every command takes the slow path",
        kind: Flag { default: true },
    };
    /// Patience of a command leader.
    TIMEOUT = {
        key: "timeout",
        says: "How long a command leader waits for a quorum to answer before it asks again; 3/2 of the longest round trip unless given",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// Patience of others.
    RECOVERY_TIMEOUT = {
        key: "recovery_timeout",
        says: "How long a replica waits at least for the commit of an instance before it takes it over, and at most twice as long; 4 times the longest round trip, and at least 20 ms, unless given",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
}
