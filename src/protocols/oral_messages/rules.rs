//! The rules of OM(m), with their sections in the paper, and its settings.

use crate::core::SettingKind::{Count, Duration};

crate::rules! {
    /// The model: rounds.
    LOCK_STEP = {
        key: "lock-step",
        title: "absence can be detected (A3)",
        source: "Lamport, Shostak, Pease §3, A1 to A3",
        says: "All generals begin a round at the same time, and it lasts longer than any message takes: what has not come by its end was not sent.",
        without: Some("what is on its way is taken for not sent, and two loyal generals act differently"),
    } tells {
        WAITS(round, time) = "ends round {round} in {time}: what has not come by then was not sent";
        OUT_OF_PLACE(from) = "pays no heed to what {from} says: it is not of this round, or has come before, or names a way that it did not come";
    };
    /// How many generals.
    THREE_M_PLUS_ONE = {
        key: "three-m-plus-one",
        title: "3m + 1 generals",
        source: "Lamport, Shostak, Pease §2, and Theorem 1",
        says: "To survive m traitors takes 3m + 1 generals.",
        without: Some("a general that hears one thing from one and another from the other cannot tell which of them lies"),
    } tells {
        ARE_ENOUGH(generals, traitors) = "is one of {generals} generals: {traitors} of them may be traitors, which are fewer than a third";
    };
    /// Step 1.
    GIVE_ORDER = {
        key: "give-order",
        title: "the commander's order (step 1)",
        source: "Lamport, Shostak, Pease §3, OM(m) (1)",
        says: "The commander sends his order to every lieutenant. His order is what the first client asks of him before round 1.",
        without: None,
    } tells {
        TAKES_ORDER(order) = "takes {order} for its order, before round 1";
        HAS_ORDER(other) = "does not take {other} for its order: it has one already, or round 1 has begun";
        GIVES(order) = "gives {order} for an order to all lieutenants, and acts on it itself";
        GIVES_NOTHING() = "gives no order: no client has asked for anything";
    };
    /// Step 2.
    PASS_ON = {
        key: "pass-on",
        title: "acting as commander in OM(m−1) (step 2)",
        source: "Lamport, Shostak, Pease §3, OM(m) (2)",
        says: "Whatever a lieutenant has received, or the default if nothing came, it passes on to all that the message has not been through, as their commander.",
        without: None,
    } tells {
        PASSES_ON(messages, round) = "passes on what it heard in the round before, to all through whom that has not come: {messages} messages begin round {round}";
        HEARS(from, value, order, through) = "hears from {from} that the order is to write {value}, {order}; that has come through {through} in all";
        HEARS_OF_NONE(from, through) = "hears from {from} that there is no order; that has come through {through} in all";
    };
    /// How many rounds.
    ONE_ROUND_MORE = {
        key: "one-round-more",
        title: "m + 1 rounds: down to OM(0)",
        source: "Lamport, Shostak, Pease §3, OM(m) (2) and OM(0)",
        says: "OM(m) goes down to OM(0), which takes m + 1 rounds: so of all through whom an order came in the last one, somebody is loyal.",
        without: Some("a traitor's word comes through traitors only, and is told differently to two loyal generals"),
    } tells {
        GOES_ON(round, traitors) = "goes on after round {round}: up to m = {traitors} traitors may have had a hand in all it has heard";
    };
    /// Step 3.
    MAJORITY = {
        key: "majority",
        title: "majority (step 3)",
        source: "Lamport, Shostak, Pease §3, OM(m) (3)",
        says: "A lieutenant acts on the majority of what the commander told it and what all other lieutenants say the commander told them, each found in the same way.",
        without: Some("a commander that is a traitor tells two lieutenants different orders, and each acts on its own"),
    } tells {
        OBEYS(value, order, votes, values) = "acts on the order to write {value}, {order}: {votes} of {values} lieutenants were told so, as far as it can know";
        RETREATS(values) = "acts on the default, the no-op: of what {values} lieutenants were told nothing else has a majority";
    };
    /// How clients come in; not in the paper.
    ANSWER = {
        key: "answer",
        title: "answer",
        source: "not in the paper",
        says: "A general that has decided tells clients, whoever asks; m + 1 equal answers are true, for one of them is a loyal general's.",
        without: None,
    } tells {
        ANSWERS(command) = "answers {command} with what it acts on";
    };
}

crate::settings! {
    /// How many traitors it is to survive.
    TRAITORS = {
        key: "m",
        says: "Traitors that it survives: it takes 3m + 1 replicas and m + 1 rounds",
        kind: Count { min: 0, max: 3, default: 1 },
    };
    /// Until when the commander takes an order.
    START = {
        key: "start",
        says: "Round 1 begins after this time; what a client asks until then is the order. Derived: two of the longest round trips",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
    /// How long a round lasts.
    ROUND = {
        key: "round",
        says: "A round lasts this long, and longer than any message takes. Derived: the longest round trip",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
}
