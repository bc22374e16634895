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
    };
    /// Refuse the lower term.
    STALE_TERM = {
        key: "stale-term",
        title: "stale terms are refused",
        source: "paper §5.1",
        says: "A server refuses a request that carries a lower term than its own, and tells its own.",
        without: None,
    };
    /// When to start an election.
    ELECTION_TIMEOUT = {
        key: "election-timeout",
        title: "randomised election timeout",
        source: "paper §5.2",
        says: "A follower that hears from no leader for a randomly chosen time starts an election.",
        without: None,
    };
    /// The PreVote phase.
    PRE_VOTE = {
        key: "pre-vote",
        title: "PreVote",
        source: "dissertation §9.6",
        says: "A server raises its term only after a majority has said that it would vote for it.",
        without: None,
    };
    /// The term in PreVote's refusals.
    PRE_VOTE_TELLS_TERM = {
        key: "pre-vote-tells-term",
        title: "a refused PreVote brings the term",
        source: "dissertation §9.6; paper figure 2, RequestVote: \"currentTerm, for candidate to update itself\"",
        says: "Whoever refuses a PreVote tells its own term, and the server that asked adopts it if it is higher.",
        without: Some("the only server with a log good enough asks for ever about a term that others have left behind, and nobody is elected"),
    };
    /// No votes against a live leader.
    LEADER_STICKINESS = {
        key: "leader-stickiness",
        title: "leader stickiness",
        source: "dissertation §4.2.3",
        says: "A server that heard from a leader within the minimum election timeout votes for nobody else, unless the leader itself asked for the election.",
        without: Some("a server that was removed or cut off deposes a working leader, and a read under a lease can be stale"),
    };
    /// Election Safety.
    ONE_VOTE = {
        key: "one-vote",
        title: "one vote a term",
        source: "paper §5.2",
        says: "A server votes for at most one candidate in a term, first come first served.",
        without: Some("two leaders are elected in one term"),
    };
    /// The election restriction.
    UP_TO_DATE = {
        key: "up-to-date",
        title: "election restriction",
        source: "paper §5.4.1",
        says: "A server votes only for a candidate whose log is at least as up-to-date as its own.",
        without: Some("a leader lacks committed entries, and overwrites them"),
    };
    /// votedFor is persistent.
    VOTE_IS_DURABLE = {
        key: "vote-is-durable",
        title: "the vote survives a restart",
        source: "paper figure 2, persistent state",
        says: "A server that restarts knows whom it voted for in its term.",
        without: Some("a server votes twice, and two leaders are elected in one term"),
    };
    /// log[] is persistent.
    LOG_IS_DURABLE = {
        key: "log-is-durable",
        title: "the log survives a restart",
        source: "paper figure 2, persistent state",
        says: "A server that restarts still has the entries it acknowledged.",
        without: Some("committed entries are lost"),
    };
    /// Persistence before messages.
    PERSIST_FIRST = {
        key: "persist-first",
        title: "write before answering",
        source: "paper figure 2",
        says: "Term, vote and log are on the disk before any message that relies on them leaves.",
        without: None,
    };
    /// Becoming leader.
    MAJORITY_ELECTS = {
        key: "majority-elects",
        title: "a majority elects",
        source: "paper §5.2",
        says: "A candidate with votes from a majority leads its term.",
        without: None,
    };
    /// The no-op.
    NOOP_FIRST = {
        key: "no-op-first",
        title: "no-op at the start of a term",
        source: "paper §8; dissertation §6.4",
        says: "A new leader appends an entry of its own term at once, and learns by its commitment which entries are committed.",
        without: None,
    };
    /// Stepping down without a quorum.
    CHECK_QUORUM = {
        key: "check-quorum",
        title: "CheckQuorum",
        source: "dissertation §6.2",
        says: "A leader that does not hear from a majority for an election timeout steps down.",
        without: None,
    };

    // The log.

    /// AppendEntries.
    LEADER_APPENDS = {
        key: "leader-appends",
        title: "log replication",
        source: "paper §5.3; dissertation §10.2",
        says: "The leader appends a command to its log, and sends it to all followers while it writes it to its own disk.",
        without: None,
    };
    /// The induction step of Log Matching.
    CONSISTENCY_CHECK = {
        key: "consistency-check",
        title: "consistency check",
        source: "paper §5.3",
        says: "A follower takes new entries only if it holds the entry just before them, with the same term.",
        without: None,
    };
    /// nextIndex goes back.
    BACKTRACK = {
        key: "backtrack",
        title: "fast backtracking",
        source: "paper §5.3",
        says: "After a refusal the leader goes back to where the logs may agree, a whole term at a time.",
        without: None,
    };
    /// Delete only what conflicts.
    DELETE_CONFLICTS_ONLY = {
        key: "delete-conflicts-only",
        title: "delete conflicting entries only",
        source: "paper figure 2, AppendEntries 3",
        says: "A follower deletes an entry only if it conflicts with a new one: same index, different term.",
        without: Some("an old message that comes late makes a follower forget entries it has acknowledged"),
    };
    /// Reordered messages.
    IN_ORDER = {
        key: "in-order",
        title: "pipelining keeps order",
        source: "ours, for the pipelining of dissertation §10.2.2",
        says: "A follower whose log agrees with its leader's keeps entries that arrive out of order until those before them arrive.",
        without: None,
    };
    /// Indefinite retry.
    RETRY = {
        key: "retry",
        title: "retry",
        source: "paper §5.3",
        says: "The leader sends again, from the last known agreement, what a follower has not acknowledged though it has answered a heartbeat sent later.",
        without: None,
    };
    /// leaderCommit by counting.
    COMMIT_BY_MAJORITY = {
        key: "commit-by-majority",
        title: "commitment",
        source: "paper §5.3",
        says: "An entry is committed once it is on the disks of a majority.",
        without: None,
    };
    /// Figure 8.
    COMMIT_OWN_TERM = {
        key: "commit-own-term",
        title: "commit only entries of the own term by counting",
        source: "paper §5.4.2, figure 8",
        says: "The leader counts replicas only for entries of its own term; earlier entries are committed along with those.",
        without: Some("an entry on a majority is overwritten after all, by a leader elected without it"),
    };
    /// Followers learn.
    LEARN_COMMIT = {
        key: "learn-commit",
        title: "leaderCommit",
        source: "paper §5.3",
        says: "A follower learns from the next message of the leader how far the log is committed.",
        without: None,
    };
    /// Clients' sessions.
    AT_MOST_ONCE = {
        key: "at-most-once",
        title: "at most once",
        source: "paper §8; dissertation §6.3",
        says: "A command that a client sends again is answered from its session, not executed again.",
        without: Some("a command whose client asked twice is executed twice, and overwrites what came in between"),
    };
    /// Redirection.
    ASK_THE_LEADER = {
        key: "ask-the-leader",
        title: "redirect clients",
        source: "paper §8; dissertation §6.2",
        says: "A server that does not lead sends clients on to the leader it knows.",
        without: None,
    };

    // Snapshots.

    /// Compaction.
    TAKE_SNAPSHOT = {
        key: "take-snapshot",
        title: "snapshot",
        source: "paper §7",
        says: "Each server writes its state machine to disk now and then, and forgets the entries it covers.",
        without: None,
    };
    /// InstallSnapshot.
    INSTALL_SNAPSHOT = {
        key: "install-snapshot",
        title: "InstallSnapshot",
        source: "paper §7",
        says: "A follower whose next entries the leader has forgotten gets the leader's snapshot.",
        without: None,
    };
    /// Figure 13, step 6.
    SNAPSHOT_KEEPS_REST = {
        key: "snapshot-keeps-rest",
        title: "a snapshot replaces a prefix only",
        source: "paper §7, figure 13, InstallSnapshot 6",
        says: "A follower whose log holds the snapshot's last entry, with the same term, keeps the entries after it; any other log is dropped.",
        without: Some("a snapshot that comes late takes entries away that were acknowledged, and perhaps committed"),
    };

    // Reads without the log.

    /// The new leader does not know yet what is committed.
    READ_AFTER_OWN_COMMIT = {
        key: "read-after-own-commit",
        title: "no read before a commit in the own term",
        source: "dissertation §6.4",
        says: "A leader serves reads only after it has committed an entry in its term.",
        without: Some("a new leader answers from a state that lacks committed writes"),
    };
    /// ReadIndex.
    READ_INDEX = {
        key: "read-index",
        title: "ReadIndex",
        source: "dissertation §6.4",
        says: "Before it answers reads the leader makes sure, by a round of heartbeats, that nobody has replaced it.",
        without: Some("a leader that was cut off answers with an old value"),
    };
    /// Reads under a lease.
    LEASE_READ = {
        key: "lease-read",
        title: "lease",
        source: "dissertation §6.4.1",
        says: "After a round of heartbeats a leader answers reads at once, for as long as no other leader can be elected.",
        without: None,
    };
    /// The lease ends.
    LEASE_ENDS = {
        key: "lease-ends",
        title: "clock bound of the lease",
        source: "dissertation §6.4.1",
        says: "The lease ends one minimum election timeout, shortened by the clocks' largest drift, after the heartbeats were sent.",
        without: Some("a leader that was cut off trusts its lease after others have elected a new leader"),
    };

    // Membership.

    /// Non-voting members.
    CATCH_UP_FIRST = {
        key: "catch-up-first",
        title: "new servers catch up first",
        source: "dissertation §4.2.1",
        says: "A new server gets the log as a non-voting member before the configuration changes; one that cannot keep up is not taken in.",
        without: Some("a new server with an empty log counts at once, and nothing is committed before it has got the whole log"),
    };
    /// C_old,new.
    JOINT_CONSENSUS = {
        key: "joint-consensus",
        title: "joint consensus",
        source: "paper §6; dissertation §4.3",
        says: "Between the old and the new configuration lies one in which a majority of each must agree.",
        without: Some("old and new configuration elect two leaders, and decide without each other"),
    };
    /// C_new.
    THEN_NEW = {
        key: "then-new",
        title: "C_new after C_old,new",
        source: "paper §6",
        says: "The leader appends the new configuration once the joint one is committed.",
        without: None,
    };
    /// One server at a time.
    SINGLE_SERVER = {
        key: "single-server",
        title: "single-server change",
        source: "dissertation §4.1",
        says: "Servers are added and removed one at a time, so that any two majorities share a server.",
        without: None,
    };
    /// One change at a time.
    ONE_CHANGE = {
        key: "one-change",
        title: "one change at a time",
        source: "dissertation §4.1",
        says: "The next change waits until the configuration before it is committed.",
        without: None,
    };
    /// The bug of 2015.
    CHANGE_AFTER_OWN_COMMIT = {
        key: "change-after-own-commit",
        title: "no change before a commit in the own term",
        source: "Ongaro, raft-dev, 10 July 2015",
        says: "A leader changes the configuration only after it has committed an entry in its term.",
        without: Some("with single-server changes, two leaders each commit a change the other does not know, and majorities no longer overlap"),
    };
    /// Stepping down for good.
    LEADER_LEAVES = {
        key: "leader-leaves",
        title: "a removed leader steps down",
        source: "paper §6; dissertation §4.2.2",
        says: "A leader that is not in the new configuration leads until that is committed, does not count itself, and then steps down.",
        without: None,
    };

    // Leadership transfer.

    /// Drain.
    TRANSFER_STOPS_CLIENTS = {
        key: "transfer-stops-clients",
        title: "no new commands during a transfer",
        source: "dissertation §3.10",
        says: "A leader about to hand over takes no more commands, so that the target can catch up with it.",
        without: None,
    };
    /// TimeoutNow.
    TIMEOUT_NOW = {
        key: "timeout-now",
        title: "TimeoutNow",
        source: "dissertation §3.10",
        says: "Once the target's log equals its own, the leader tells it to start an election without waiting.",
        without: None,
    };
    /// Abort.
    TRANSFER_ENDS = {
        key: "transfer-ends",
        title: "a transfer is given up in time",
        source: "dissertation §3.10",
        says: "If leadership has not moved after about an election timeout, the leader takes commands again.",
        without: Some("after a transfer to a server that does not answer, the leader takes no commands any more"),
    };
}
