//! The rules of Raft: the paper's term, the section, and what fails without it.
//!
//! "Paper" is Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014; "dissertation"
//! is Ongaro, "Consensus: Bridging Theory and Practice", Stanford, 2014.

crate::rules! {
    // Terms and elections.

    /// Follow the higher term.
    HIGHER_TERM = {
        key: "higher-term",
        title: "terms as a logical clock",
        source: "paper §5.1",
        says: "A server that hears of a higher term adopts it at once and becomes a follower.",
        without: None,
    } tells {
        ADOPTS_TERM(term, before) = "adopts term {term}, because it is higher than its own, {before}, and is a follower from now on";
    };
    /// Refuse the lower term.
    STALE_TERM = {
        key: "stale-term",
        title: "stale terms are refused",
        source: "paper §5.1",
        says: "A server refuses a request that carries a lower term than its own, and tells its own.",
        without: None,
    } tells {
        REFUSES_STALE(stale, term) = "refuses: the message is of term {stale}, and term {term} has begun since";
    };
    /// When to start an election.
    ELECTION_TIMEOUT = {
        key: "election-timeout",
        title: "randomised election timeout",
        source: "paper §5.2",
        says: "A follower that hears from no leader for a randomly chosen time starts an election.",
        without: None,
    } tells {
        STARTS_ELECTION() = "starts an election: it has heard from no leader for its whole election timeout";
    };
    /// The PreVote phase.
    PRE_VOTE = {
        key: "pre-vote",
        title: "PreVote",
        source: "dissertation §9.6",
        says: "A server raises its term only after a majority has said that it would vote for it.",
        without: None,
    } tells {
        ASKS_FIRST(term) = "asks the others whether they would vote for it in term {term}, before it raises its own term";
        WOULD_VOTE(candidate, term) = "would vote for {candidate} in term {term}";
        HEARS_NOBODY() = ": it hears from no leader";
        COUNTS_PRE_VOTES(votes) = "has the promised votes of {votes}; it takes a majority to raise its term";
    };
    /// The term in PreVote's refusals.
    PRE_VOTE_TELLS_TERM = {
        key: "pre-vote-tells-term",
        title: "a refused PreVote brings the term",
        source: "dissertation §9.6; paper figure 2, RequestVote: \"currentTerm, for candidate to update itself\"",
        says: "Whoever refuses a PreVote tells its own term, and the server that asked adopts it if it is higher.",
        without: Some("the only server with a log good enough asks for ever about a term that others have left behind, and nobody is elected"),
    } tells {
        TELLS_ITS_TERM(term) = "tells its own term, {term}, so that the candidate can adopt it";
    };
    /// No votes against a live leader.
    LEADER_STICKINESS = {
        key: "leader-stickiness",
        title: "leader stickiness",
        source: "dissertation §4.2.3",
        says: "A server that heard from a leader within the minimum election timeout votes for nobody else, unless the leader itself asked for the election.",
        without: Some("a server that was removed or cut off deposes a working leader, and a read under a lease can be stale"),
    } tells {
        REFUSES_AS_LEADER(candidate, term) = "refuses {candidate} its vote: it leads term {term} itself";
        REFUSES_WHILE_LED(candidate, timeout) = "refuses {candidate} its vote: less than {timeout} ago it heard from a leader or restarted";
    };
    /// Election Safety.
    ONE_VOTE = {
        key: "one-vote",
        title: "one vote a term",
        source: "paper §5.2",
        says: "A server votes for at most one candidate in a term, first come first served.",
        without: Some("two leaders are elected in one term"),
    } tells {
        HAS_NOT_VOTED(term) = ": it has voted for nobody else in term {term}";
        REFUSES_SECOND_VOTE(candidate, vote, term) = "refuses {candidate} its vote: it has voted for {vote} in term {term}";
    };
    /// The election restriction.
    UP_TO_DATE = {
        key: "up-to-date",
        title: "election restriction",
        source: "paper §5.4.1",
        says: "A server votes only for a candidate whose log is at least as up-to-date as its own.",
        without: Some("a leader lacks committed entries, and overwrites them"),
    } tells {
        CANDIDATE_IS_UP_TO_DATE(candidate, slot, term, own_slot, own_term) = ": {candidate}'s log, which ends with entry {slot} of term {term}, is no older than its own, which ends with entry {own_slot} of term {own_term}";
        OWN_LOG_IS_EMPTY(candidate) = ": its own log is empty, so the one of {candidate} is no older";
        REFUSES_OLDER_LOG(candidate, own_slot, own_term, slot, term) = "refuses {candidate} its vote: its own log is newer, and ends with entry {own_slot} of term {own_term}, not with entry {slot} of term {term}";
    };
    /// votedFor is persistent.
    VOTE_IS_DURABLE = {
        key: "vote-is-durable",
        title: "the vote survives a restart",
        source: "paper figure 2, persistent state",
        says: "A server that restarts knows whom it voted for in its term.",
        without: Some("a server votes twice, and two leaders are elected in one term"),
    } tells {
        REMEMBERS_VOTE(vote, term) = "remembers from its disk that it voted for {vote} in term {term}";
    };
    /// log[] is persistent.
    LOG_IS_DURABLE = {
        key: "log-is-durable",
        title: "the log survives a restart",
        source: "paper figure 2, persistent state",
        says: "A server that restarts still has the entries it acknowledged.",
        without: Some("committed entries are lost"),
    } tells {
        REMEMBERS_LOG(last) = "finds its log on its disk, up to entry {last}";
    };
    /// Persistence before messages.
    PERSIST_FIRST = {
        key: "persist-first",
        title: "write before answering",
        source: "paper figure 2",
        says: "Term, vote and log are on the disk before any message that relies on them leaves.",
        without: None,
    } tells {
        CAMPAIGNS(term) = "raises its term to {term}, votes for itself, and asks for the votes of the others once both are on its disk";
        VOTES(candidate, term) = "votes for {candidate} in term {term}";
        SAVES_VOTE() = "answers when the vote is on its disk";
        SAVES_ENTRIES(last) = "acknowledges its log up to entry {last} when that is on its disk";
        SAVES_SNAPSHOT(last) = "acknowledges the snapshot up to entry {last} when that is on its disk";
    };
    /// Becoming leader.
    MAJORITY_ELECTS = {
        key: "majority-elects",
        title: "a majority elects",
        source: "paper §5.2",
        says: "A candidate with votes from a majority leads its term.",
        without: None,
    } tells {
        LEADS(term, votes) = "leads term {term}: it has the votes of {votes}, and that is a majority";
        COUNTS_VOTES(votes, term) = "has the votes of {votes} in term {term}; it takes a majority to lead";
    };
    /// The no-op.
    NOOP_FIRST = {
        key: "no-op-first",
        title: "no-op at the start of a term",
        source: "paper §8; dissertation §6.4",
        says: "A new leader appends an entry of its own term at once, and learns by its commitment which entries are committed.",
        without: None,
    } tells {
        APPENDS_NOOP(slot, term) = "appends a no-op as entry {slot}, the first of term {term}, to learn by its commitment what is committed";
    };
    /// Stepping down without a quorum.
    CHECK_QUORUM = {
        key: "check-quorum",
        title: "CheckQuorum",
        source: "dissertation §6.2",
        says: "A leader that does not hear from a majority for an election timeout steps down.",
        without: None,
    } tells {
        STEPS_DOWN(active) = "steps down: in an election timeout only {active} were heard from, itself included, and that is no majority";
    };

    // The log.

    /// AppendEntries.
    LEADER_APPENDS = {
        key: "leader-appends",
        title: "log replication",
        source: "paper §5.3; dissertation §10.2",
        says: "The leader appends a command to its log, and sends it to all followers while it writes it to its own disk.",
        without: None,
    } tells {
        APPENDS(slot, term, followers) = "appends entry {slot} in term {term}, and sends it to {followers} while it writes it to its own disk";
    };
    /// The induction step of Log Matching.
    CONSISTENCY_CHECK = {
        key: "consistency-check",
        title: "consistency check",
        source: "paper §5.3",
        says: "A follower takes new entries only if it holds the entry just before them, with the same term.",
        without: None,
    } tells {
        REFUSES_GAP(slot, last) = "refuses: it lacks entry {slot}, on which the message builds, because its log ends with entry {last}";
        REFUSES_OTHER_TERM(slot, own, term) = "refuses: its entry {slot} is of term {own}, and the leader's is of term {term}";
    };
    /// nextIndex goes back.
    BACKTRACK = {
        key: "backtrack",
        title: "fast backtracking",
        source: "paper §5.3",
        says: "After a refusal the leader goes back to where the logs may agree, a whole term at a time.",
        without: None,
    } tells {
        GOES_BACK(follower, slot, next) = "goes back for {follower}, which refused at entry {slot}, and tries again from entry {next} on";
    };
    /// Delete only what conflicts.
    DELETE_CONFLICTS_ONLY = {
        key: "delete-conflicts-only",
        title: "delete conflicting entries only",
        source: "paper figure 2, AppendEntries 3",
        says: "A follower deletes an entry only if it conflicts with a new one: same index, different term.",
        without: Some("an old message that comes late makes a follower forget entries it has acknowledged"),
    } tells {
        KEEPS_WHAT_AGREES(last, prev) = "keeps its entries after entry {prev}, up to {last}, unless one of them conflicts with a new one";
    };
    /// Reordered messages.
    IN_ORDER = {
        key: "in-order",
        title: "pipelining keeps order",
        source: "ours, for the pipelining of dissertation §10.2.2",
        says: "A follower whose log agrees with its leader's keeps entries that arrive out of order until those before them arrive.",
        without: None,
    } tells {
        KEEPS_FOR_LATER(prev, last) = "keeps the entries after entry {prev} until those in between arrive: its log agrees with the leader's, and ends with entry {last}";
    };
    /// Indefinite retry.
    RETRY = {
        key: "retry",
        title: "retry",
        source: "paper §5.3",
        says: "The leader sends again, from the last known agreement, what a follower has not acknowledged though it has answered a heartbeat sent later.",
        without: None,
    } tells {
        RETRIES(follower, next, round) = "sends to {follower} again, from entry {next} on: it has answered round {round} of heartbeats and not acknowledged what was sent before";
    };
    /// leaderCommit by counting.
    COMMIT_BY_MAJORITY = {
        key: "commit-by-majority",
        title: "commitment",
        source: "paper §5.3",
        says: "An entry is committed once it is on the disks of a majority.",
        without: None,
    } tells {
        COMMITS(slot, holders) = "commits up to entry {slot}: it is on the disks of {holders}, which is a majority";
    };
    /// Figure 8.
    COMMIT_OWN_TERM = {
        key: "commit-own-term",
        title: "commit only entries of the own term by counting",
        source: "paper §5.4.2, figure 8",
        says: "The leader counts replicas only for entries of its own term; earlier entries are committed along with those.",
        without: Some("an entry on a majority is overwritten after all, by a leader elected without it"),
    } tells {
        DOES_NOT_COUNT(slot, entry_term, term) = "does not commit entry {slot}, though it is on a majority: it is of term {entry_term}, not of its own term {term}";
    };
    /// Followers learn.
    LEARN_COMMIT = {
        key: "learn-commit",
        title: "leaderCommit",
        source: "paper §5.3",
        says: "A follower learns from the next message of the leader how far the log is committed.",
        without: None,
    } tells {
        LEARNS_COMMIT(slot, before) = "learns from the leader that its log is committed up to entry {slot}; it knew of {before}";
    };
    /// Clients' sessions.
    AT_MOST_ONCE = {
        key: "at-most-once",
        title: "at most once",
        source: "paper §8; dissertation §6.3",
        says: "A command that a client sends again is answered from its session, not executed again.",
        without: Some("a command whose client asked twice is executed twice, and overwrites what came in between"),
    } tells {
        ANSWERS_AGAIN(command) = "answers {command} as before, without executing it again: it is executed already";
        EXECUTES_ONCE(command) = "does not execute {command} again: that is done already";
        WAITS_FOR_FIRST(command) = "does not append {command} again: it is in the log already, and is answered when it is committed";
    };
    /// Redirection.
    ASK_THE_LEADER = {
        key: "ask-the-leader",
        title: "redirect clients",
        source: "paper §8; dissertation §6.2",
        says: "A server that does not lead sends clients on to the leader it knows.",
        without: None,
    } tells {
        REDIRECTS(leader) = "does not lead, and sends the client on to {leader}";
        KNOWS_NO_LEADER() = "does not lead and knows no leader, so it refuses the client";
    };

    // Snapshots.

    /// Compaction.
    TAKE_SNAPSHOT = {
        key: "take-snapshot",
        title: "snapshot",
        source: "paper §7",
        says: "Each server writes its state machine to disk now and then, and forgets the entries it covers.",
        without: None,
    } tells {
        TAKES_SNAPSHOT(slot) = "takes a snapshot up to entry {slot}, and forgets old entries that it covers";
    };
    /// InstallSnapshot.
    INSTALL_SNAPSHOT = {
        key: "install-snapshot",
        title: "InstallSnapshot",
        source: "paper §7",
        says: "A follower whose next entries the leader has forgotten gets the leader's snapshot.",
        without: None,
    } tells {
        INSTALLS_SNAPSHOT(slot, before) = "takes over the leader's snapshot up to entry {slot}; it knew its log to be committed up to {before}";
        SENDS_SNAPSHOT(follower, next, first) = "sends {follower} its snapshot: that needs entry {next} next, and the log begins with entry {first} by now";
    };
    /// Figure 13, step 6.
    SNAPSHOT_KEEPS_REST = {
        key: "snapshot-keeps-rest",
        title: "a snapshot replaces a prefix only",
        source: "paper §7, figure 13, InstallSnapshot 6",
        says: "A follower whose log holds the snapshot's last entry, with the same term, keeps the entries after it; any other log is dropped.",
        without: Some("a snapshot that comes late takes entries away that were acknowledged, and perhaps committed"),
    } tells {
        KEEPS_AFTER_SNAPSHOT(last) = "keeps its entries after entry {last}: it holds the snapshot's last entry itself";
        DROPS_FOR_SNAPSHOT(last, had) = "puts the snapshot up to entry {last} in place of its log, which ended with entry {had} and does not hold the snapshot's last entry";
    };

    // Reads without the log.

    /// The new leader does not know yet what is committed.
    READ_AFTER_OWN_COMMIT = {
        key: "read-after-own-commit",
        title: "no read before a commit in the own term",
        source: "dissertation §6.4",
        says: "A leader serves reads only after it has committed an entry in its term.",
        without: Some("a new leader answers from a state that lacks committed writes"),
    } tells {
        READ_WAITS(command, first) = "lets the read {command} wait until entry {first}, the first of its own term, is committed";
        READS_WAIT(first) = "lets the reads wait until entry {first}, the first of its own term, is committed";
    };
    /// ReadIndex.
    READ_INDEX = {
        key: "read-index",
        title: "ReadIndex",
        source: "dissertation §6.4",
        says: "Before it answers reads the leader makes sure, by a round of heartbeats, that nobody has replaced it.",
        without: Some("a leader that was cut off answers with an old value"),
    } tells {
        CONFIRMS_LEADERSHIP(command) = "makes sure that it still leads, by a round of heartbeats, before it answers the read {command}";
        ANSWERS_READS(round) = "answers the reads: a majority has answered round {round} of heartbeats, so it still leads";
    };
    /// Reads under a lease.
    LEASE_READ = {
        key: "lease-read",
        title: "lease",
        source: "dissertation §6.4.1",
        says: "After a round of heartbeats a leader answers reads at once, for as long as no other leader can be elected.",
        without: None,
    } tells {
        READS_UNDER_LEASE(command) = "answers the read {command} at once: under its lease nobody else can lead";
    };
    /// The lease ends.
    LEASE_ENDS = {
        key: "lease-ends",
        title: "clock bound of the lease",
        source: "dissertation §6.4.1",
        says: "The lease ends one minimum election timeout, shortened by the clocks' largest drift, after the heartbeats were sent.",
        without: Some("a leader that was cut off trusts its lease after others have elected a new leader"),
    } tells {
        LEASE_IS_OVER(lease) = "ends its lease, which lasted {lease} from when the heartbeats for it were sent";
    };

    /// LeaseGuard: what a lease is.
    LOG_IS_THE_LEASE = {
        key: "log-is-the-lease",
        title: "the log is the lease",
        source: "LeaseGuard: Davis, Demirbas, Deng, SIGMOD 2026; ClientRead in its specification",
        says: "A leader answers reads at once while its newest committed entry is younger than the lease's duration.",
        without: Some("a leader that was cut off goes on answering after another has committed new values"),
    } tells {
        READS_BY_LOG(command, slot) = "answers the read {command} at once: its newest committed entry, {slot}, is young enough to be a lease";
        LEASE_BY_LOG_IS_OVER(command, lease) = "does not answer the read {command} at once: its newest committed entry is older than {lease}";
        RENEWS_LEASE(slot) = "appends a no-op as entry {slot}, for reads that wait: once committed it is a lease";
        ANSWERS_BY_NOOP(slot) = "answers the reads: entry {slot}, which it appended after they arrived, is committed, so it still led then";
    };
    /// LeaseGuard: what a new leader does.
    DEFERRED_COMMIT = {
        key: "deferred-commit",
        title: "deferred commit",
        source: "LeaseGuard: CommitEntry in its specification",
        says: "A new leader commits nothing before every entry of an older term in its log is older than the lease's duration and the clocks' largest difference.",
        without: Some("a new leader commits new values while a deposed one still answers reads by its lease"),
    } tells {
        DEFERS_COMMIT(slot, wait) = "does not commit entry {slot} yet, though a majority holds it: for {wait} more, a deposed leader may hold a lease";
    };
    /// LeaseGuard: reads of a new leader.
    LIMBO_REGION = {
        key: "limbo-region",
        title: "inherited lease, limbo region",
        source: "LeaseGuard: inherited lease reads; ClientRead in its specification",
        says: "Before it commits an entry of its own, a leader reads by the lease of the newest entry it knows to be committed, but nothing that an older entry after that one writes.",
        without: Some("a new leader answers with an old value while the deposed leader has committed a newer one"),
    } tells {
        INHERITS_LEASE(command, slot) = "answers the read {command} at once by an inherited lease: entry {slot} is young enough, and no entry whose commitment it does not know writes what is read";
        READ_IS_IN_LIMBO(command, slot) = "lets the read {command} wait: entry {slot} of an older term writes what it reads, and may be committed or not";
    };
    /// Reads that are not promised to be new.
    UNCHECKED_READ = {
        key: "unchecked-read",
        title: "read without a check",
        source: "paper §8 and dissertation §6.4 say what goes wrong",
        says: "A server answers reads from its own state without asking anybody; what it returns may be old.",
        without: None,
    } tells {
        READS_ANYWHERE(command, slot) = "answers the read {command} from its own state, up to entry {slot}; others may have committed more";
        READS_UNCHECKED(command) = "answers the read {command} without making sure that it still leads";
    };

    // Membership.

    /// Non-voting members.
    CATCH_UP_FIRST = {
        key: "catch-up-first",
        title: "new servers catch up first",
        source: "dissertation §4.2.1",
        says: "A new server gets the log as a non-voting member before the configuration changes; one that cannot keep up is not taken in.",
        without: Some("a new server with an empty log counts at once, and nothing is committed before it has got the whole log"),
    } tells {
        CATCH_UP_BEGINS(learners, last) = "lets new servers, {learners}, catch up before they become members; its log ends with entry {last}";
        CATCHES_UP(learners, goal) = "waits until entry {goal} has been acknowledged by {learners}";
        CATCH_UP_IS_LATE(learners, left) = "waits on for {learners} to catch up, which was not done in time, and {left} times more at most";
    };
    /// C_old,new.
    JOINT_CONSENSUS = {
        key: "joint-consensus",
        title: "joint consensus",
        source: "paper §6; dissertation §4.3",
        says: "Between the old and the new configuration lies one in which a majority of each must agree.",
        without: Some("old and new configuration elect two leaders, and decide without each other"),
    } tells {
        APPENDS_JOINT(now, target) = "appends a joint configuration, in which a majority of {now} and one of {target} must agree";
    };
    /// C_new.
    THEN_NEW = {
        key: "then-new",
        title: "C_new after C_old,new",
        source: "paper §6",
        says: "The leader appends the new configuration once the joint one is committed.",
        without: None,
    } tells {
        APPENDS_NEW(slot, members) = "appends the new configuration, {members}: the joint one, entry {slot}, is committed";
    };
    /// One server at a time.
    SINGLE_SERVER = {
        key: "single-server",
        title: "single-server change",
        source: "dissertation §4.1",
        says: "Servers are added and removed one at a time, so that any two majorities share a server.",
        without: None,
    } tells {
        CHANGES_ONE(now, target) = "changes one server on the way from {now} to {target}";
    };
    /// One change at a time.
    ONE_CHANGE = {
        key: "one-change",
        title: "one change at a time",
        source: "dissertation §4.1",
        says: "The next change waits until the configuration before it is committed.",
        without: None,
    } tells {
        CHANGE_WAITS(slot) = "waits with the next change until the last one, entry {slot}, is committed";
    };
    /// The bug of 2015.
    CHANGE_AFTER_OWN_COMMIT = {
        key: "change-after-own-commit",
        title: "no change before a commit in the own term",
        source: "Ongaro, raft-dev, 10 July 2015",
        says: "A leader changes the configuration only after it has committed an entry in its term.",
        without: Some("with single-server changes, two leaders each commit a change the other does not know, and majorities no longer overlap"),
    } tells {
        CHANGE_WAITS_FOR_TERM(first) = "waits with the change until entry {first}, the first of its own term, is committed";
    };
    /// Stepping down for good.
    LEADER_LEAVES = {
        key: "leader-leaves",
        title: "a removed leader steps down",
        source: "paper §6; dissertation §4.2.2",
        says: "A leader that is not in the new configuration leads until that is committed, does not count itself, and then steps down.",
        without: None,
    } tells {
        LEAVES(members) = "steps down: the committed configuration is {members}, without itself";
    };

    // Leadership transfer.

    /// Drain.
    TRANSFER_STOPS_CLIENTS = {
        key: "transfer-stops-clients",
        title: "no new commands during a transfer",
        source: "dissertation §3.10",
        says: "A leader about to hand over takes no more commands, so that the target can catch up with it.",
        without: None,
    } tells {
        HANDS_OVER(target) = "takes no more commands: it is about to hand over to {target}";
        KEEPS_COMMAND(command, target) = "lets {command} wait: it is handing over to {target}";
    };
    /// TimeoutNow.
    TIMEOUT_NOW = {
        key: "timeout-now",
        title: "TimeoutNow",
        source: "dissertation §3.10",
        says: "Once the target's log equals its own, the leader tells it to start an election without waiting.",
        without: None,
    } tells {
        SENDS_TIMEOUT_NOW(target, last) = "tells {target} to start an election at once: its log equals its own, up to entry {last}";
        OBEYS_TIMEOUT_NOW(term) = "starts an election without waiting: the leader of term {term} asked for it";
    };
    /// Abort.
    TRANSFER_ENDS = {
        key: "transfer-ends",
        title: "a transfer is given up in time",
        source: "dissertation §3.10",
        says: "If leadership has not moved after about an election timeout, the leader takes commands again.",
        without: Some("after a transfer to a server that does not answer, the leader takes no commands any more"),
    } tells {
        GIVES_TRANSFER_UP(target, timeout) = "gives the transfer to {target} up after {timeout}, and takes commands again";
    };
}
