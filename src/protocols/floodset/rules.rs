//! The rules of FloodSet, with their sections in the book, and its settings.

use crate::core::SettingKind::{Choice, Count, Duration};

crate::rules! {
    /// The model: rounds.
    LOCK_STEP = {
        key: "lock-step",
        title: "synchronous rounds",
        source: "Lynch, Distributed Algorithms §2.1",
        says: "All processes begin a round at the same time, and it lasts longer than any message takes: what is sent in a round arrives in it.",
        without: Some("a round ends before all that was sent in it has arrived, and two processes decide without having heard of each other"),
    } tells {
        WAITS(round, time) = "ends round {round} in {time}: all that is sent in it arrives by then";
    };
    /// The initial value.
    INPUT_FIRST = {
        key: "input-first",
        title: "initial value",
        source: "Lynch §6.1",
        says: "A process has at most one input, and has it before round 1 begins.",
        without: Some("a value that comes during the last round is known to one process only, which decides it alone"),
    } tells {
        TAKES_INPUT(value) = "takes {value} for its input, before round 1";
        HAS_INPUT(value, input) = "does not take {value} for its input: it has one already, {input}";
        COMES_LATE(value, round) = "does not take {value} for its input: round {round} has begun, and what all others know of would not hold it";
    };
    /// What is sent and kept.
    FLOOD = {
        key: "flood",
        title: "flooding",
        source: "Lynch §6.2.1",
        says: "In each round a process sends all the values it knows, its set W, to all others, and adds to W all that it receives.",
        without: Some("what a process told one other before it crashed goes no further, and two processes decide differently"),
    } tells {
        FLOODS(size, round) = "sends its set W, of size {size}, to all others: round {round} begins";
        ADDS(from, values) = "adds what {from} sends to its set W: {values} new";
        HAS_ALL(from) = "has all that {from} sends in its set W already";
    };
    /// How many rounds.
    ONE_ROUND_MORE = {
        key: "one-round-more",
        title: "f + 1 rounds",
        source: "Lynch §6.2.1, Lemmas 6.1 to 6.3",
        says: "There are f + 1 rounds where up to f processes crash: in one of them nobody crashes, and after that one all hold the same W.",
        without: Some("a process that crashes in each round, in the middle of what it sends, leaves a value with one other process only"),
    } tells {
        GOES_ON(round, crashes) = "goes on after round {round}: up to f = {crashes} may crash, so each round so far may have had a crash";
        HAS_ENOUGH(rounds, crashes) = "has done {rounds} rounds: up to f = {crashes} may crash, so one of them was without a crash, and all that are alive hold the same W";
    };
    /// The decision.
    ONE_DECISION = {
        key: "one-decision",
        title: "decision rule",
        source: "Lynch §6.2.1",
        says: "After the last round all decide from W alone, by one rule: its only value, or else the default; or its smallest.",
        without: Some("each process decides its own input"),
    } tells {
        DECIDES_ONLY(value) = "decides {value}, the only one in W";
        DECIDES_SMALLEST(value, size) = "decides {value}, the smallest of the {size} in W, as everybody does who holds the same";
        DECIDES_DEFAULT(size) = "decides the default, the no-op: W is of size {size}, not 1";
    };
    /// How clients come in; not in the book.
    ANSWER = {
        key: "answer",
        title: "answer",
        source: "not in the book, where a process gets its input from outside and shows its decision there",
        says: "A process that has decided tells clients the value, whoever asks.",
        without: None,
    } tells {
        ANSWERS(command) = "answers {command} with the decided value";
    };
}

crate::settings! {
    /// How many crashes it is to survive.
    CRASHES = {
        key: "f",
        says: "Crashes that it survives: it takes one round more than that",
        kind: Count { min: 1, max: 15, default: 1 },
    };
    /// What to decide where inputs differ.
    DECISION = {
        key: "decision",
        says: "What is decided if W holds several values: the smallest, or the default, the no-op",
        kind: Choice { options: &["smallest", "default"], default: 0 },
    };
    /// Until when inputs count.
    START = {
        key: "start",
        says: "Round 1 begins after this time; what clients ask until then is an input. Derived: two of the longest round trips",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// How long a round lasts.
    ROUND = {
        key: "round",
        says: "A round lasts this long, and longer than any message takes. Derived: the longest round trip",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
}
