//! What failover by an operator goes by, and what a scenario may choose.

use crate::core::SettingKind::{Choice, Duration};

crate::rules! {
    /// How the pager comes to ring.
    ALARM = {
        key: "alarm",
        title: "monitoring pages the operator",
        source: "SRE book ch. 23, case study 2: a human is asked to intervene",
        says: "The operator's console watches heartbeats. What it misses for the alarm time pages the operator, who needs a while. Nothing happens before that.",
        without: None,
    } tells {
        PAGES_NO_PRIMARY(primary, alarm) = "pages the operator: it has heard of no primary for {alarm}, and the last one was {primary}";
        PAGES_MISSING(missing, alarm) = "pages the operator: writes wait for the copies of {missing}, which it has not heard for {alarm}";
        PAGES_BACK(back) = "pages the operator: {back} can be heard and has no copy that counts";
        ALL_CLEAR() = "calls the operator off: all that was missed can be heard again";
    };
    /// The one decision maker.
    ONE_OPERATOR = {
        key: "one-operator",
        title: "failover by hand",
        source: "SRE book ch. 23, case study 2: decisions are handed to a human operator",
        says: "Only the operator appoints a primary, at one console: the last node's. No server takes over by itself, whatever it hears or does not hear.",
        without: None,
    } tells {
        APPOINTS(primary, number, copies) = "writes appointment {number} into the operator's book: {primary} is the primary, with the copies of {copies}";
        TAKES_UP(number) = "serves as primary under appointment {number}";
        FOLLOWS(primary, number) = "follows {primary}, the primary under appointment {number}";
        SENDS_ON(primary) = "is not the primary, and sends the client on to {primary}";
        NOBODY_TO_APPOINT(complete) = "has nobody to appoint: only {complete} may have every write, and cannot be heard";
    };
    /// The operator's memory.
    BOOK_IS_DURABLE = {
        key: "book-is-durable",
        title: "the operator's book",
        source: "implied in SRE book ch. 23, case study 2: a human remembers",
        says: "The operator keeps a book of appointments, and numbers each of them one higher.",
        without: Some("the operator forgets whom he has appointed, and appoints another under the same number"),
    } tells {
        READS_BOOK(number) = "goes on with the operator's book, which ends with appointment {number}";
    };
    /// STONITH, by hand.
    OFF_FIRST = {
        key: "off-before-promotion",
        title: "the old primary is turned off first",
        source: "STONITH, SRE book ch. 23, case study 1; here in the operator's runbook",
        says: "Before another is appointed the operator cuts the old primary's power, over a wire of its own, and waits until it is certainly off.",
        without: Some("a primary that was only cut off serves on beside its successor"),
    } tells {
        SWITCHES_OFF(old, new) = "has the power of {old} cut before {new} is appointed, and waits until it is certainly off";
    };
    /// What a server that was off comes back as.
    RETURN_AS_BACKUP = {
        key: "return-as-backup",
        title: "backup after a restart",
        source: "implied in SRE book ch. 23, case study 2",
        says: "A server that was off comes back as backup, even one that was the primary: the operator may have appointed another.",
        without: Some("a primary that was turned off comes back as a second one, which nobody has appointed"),
    } tells {
        RETURNS_AS_BACKUP(number) = "comes back as backup: it was primary under appointment {number}, and cannot know whether that is the last one";
    };
    /// Which copies may be promoted.
    COMPLETE_ONLY = {
        key: "complete-copy-only",
        title: "only a complete copy is promoted",
        source: "implied in SRE book ch. 23, case study 2: nothing is lost",
        says: "The operator appoints only a server whose copy has every settled write, and the other complete copies are those that count from then on.",
        without: Some("a server that has missed writes becomes primary, and others take their places"),
    } tells {
        CHOOSES(new, complete) = "chooses {new}: the copies of {complete} have every settled write, and it is the first of these that can be heard";
    };
    /// Replication.
    COPIES = {
        key: "copies",
        title: "synchronous or asynchronous replication",
        source: "SRE book ch. 23, case study 2: synchronous replication to a secondary; asynchronous in its discussion of data loss",
        says: "Synchronous: a write is answered once every copy that counts has it. Asynchronous: it is answered at once, and lost if the primary is before the copies have it.",
        without: None,
    } tells {
        WAITS_FOR_COPIES(command, slot, copies) = "keeps {command} as write {slot}, and answers once {copies} have it";
        ANSWERS_AT_ONCE(command, slot) = "keeps {command} as write {slot}, and answers before any copy has it";
        SETTLES(slot, copies) = "takes everything up to write {slot} for settled: {copies} have it";
        TAKES_WRITE(slot) = "takes write {slot} over from the primary";
        DROPS_WRITES(slot) = "drops its write {slot} and all after it: the primary has another one there, so they were never settled";
    };
}

crate::settings! {
    /// How writes are copied.
    SETTING_COPIES = {
        key: "copies",
        says: "Whether a write is answered when every copy has it, or at once",
        kind: Choice { options: &["synchronous", "asynchronous"], default: 0 },
    };
    /// Time between heartbeats.
    SETTING_HEARTBEAT = {
        key: "heartbeat",
        says: "Time between two heartbeats; two of the longest round trips if left out",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// The alarm time.
    SETTING_ALARM = {
        key: "alarm",
        says: "Silence after which the console pages the operator; four heartbeats if left out",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// How long the operator takes.
    SETTING_OPERATOR = {
        key: "operator",
        says: "How long the operator takes from the page to the console; three alarm times if left out",
        kind: Duration { min: 0, max: 86_400_000_000 },
    };
}
