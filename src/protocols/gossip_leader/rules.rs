//! What gossip and the leader that it makes go by, and what a scenario may choose.

use crate::core::SettingKind::Duration;

crate::rules! {
    /// The failure detector.
    GOSSIP = {
        key: "gossip",
        title: "gossip-style failure detection",
        source: "van Renesse, Minsky, Hayden, A Gossip-Style Failure Detection Service (Middleware 1998), §2",
        says: "Every round a node counts up its own heartbeat and sends the counters it knows to one other node, to each in turn. Of two counters the higher one is kept.",
        without: None,
    } tells {
        TAKES_BACK(back) = "takes {back} into its list: a counter has gone up";
    };
    /// Suspicion.
    SUSPICION = {
        key: "suspicion",
        title: "a counter that stands still",
        source: "van Renesse, Minsky, Hayden (1998), §2: T_fail",
        says: "A node whose counter has not gone up for the timeout is taken off the list. It cannot be known whether it is down, slow, or on the other side of a cut.",
        without: None,
    } tells {
        STRIKES_OFF(dead, timeout) = "takes {dead} off its list: no counter has gone up for {timeout}";
    };
    /// How a leader comes about.
    LOWEST_LEADS = {
        key: "lowest-leads",
        title: "the lowest of the list leads",
        source: "SRE book ch. 23, case study 3: a leader is elected by gossip",
        says: "Every node takes the lowest one on its own list for the leader. Nobody is asked, and there is no majority.",
        without: None,
    } tells {
        LEADS(view, list) = "leads view {view}: of its list, {list}, it is the lowest";
    };
    /// How a leader ends.
    YIELDS = {
        key: "yield-to-lower",
        title: "a leader yields to a lower node",
        source: "implied in SRE book ch. 23, case study 3",
        says: "A leader on whose list a lower node comes leads no more.",
        without: Some("two nodes lead for ever, though they hear each other"),
    } tells {
        STEPS_DOWN(lower) = "leads no more: {lower} is on its list and lower";
    };
    /// Replication.
    COPIES = {
        key: "copies-of-the-list",
        title: "a write waits for the whole list",
        source: "synchronous replication; SRE book ch. 23, case study 3, has writes accepted on both sides",
        says: "A leader answers a write once everybody on its list has it. Whoever is off the list is not waited for.",
        without: None,
    } tells {
        WAITS_FOR_LIST(command, slot, list) = "keeps {command} as write {slot}, and answers once all of its list, {list}, have it";
        TAKES_WRITE(slot, leader) = "takes write {slot} over from {leader}, the lowest on its list";
    };
    /// What happens to the other side's data.
    LEADER_WINS = {
        key: "leader-overwrites",
        title: "the leader's data replace all others",
        source: "as in RabbitMQ's autoheal, where the losing side is restarted; SRE book ch. 23, case study 3, speaks of corrupted data",
        says: "Whoever comes to a leader takes over all of its writes, and drops what it has instead, answered or not.",
        without: None,
    } tells {
        DROPS_WRITES(slot, leader) = "drops its write {slot} and all after it: {leader}, which it follows, has another one there";
    };
}

crate::settings! {
    /// Time between rounds.
    SETTING_GOSSIP = {
        key: "gossip",
        says: "Time between two rounds of gossip; the longest round trip if left out",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// The timeout.
    SETTING_TIMEOUT = {
        key: "timeout",
        says: "How long a counter may stand still; as many rounds as twice the number of nodes if left out",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
}
