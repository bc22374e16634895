//! The rules of Ben-Or's protocol, with their places in the sources, and its settings.

use crate::core::SettingKind::{Choice, Duration, Flag};

crate::rules! {
    /// Where inputs come from.
    INPUT = {
        key: "input",
        title: "input",
        source: "Decentralized Thoughts, Ben-Or's protocol (2022): input v (0 or 1); where it comes from is chosen here",
        says: "A node's input is the bit of the first command that it hears of: from a client, or through the first echo1 of another node. It keeps it for good.",
        without: None,
    } tells {
        TAKES_COMMAND(bit, command) = "begins with {bit}, the bit of {command}: nobody told it anything before";
        TAKES_ECHO(bit, from) = "begins with {bit}, which it hears from {from} before any client";
        TAKES_OWN(bit) = "begins with {bit}, the input that the setting gives it";
        KEEPS_INPUT(bit) = "keeps its input {bit}: it has begun already";
    };
    /// The waits.
    WAIT = {
        key: "wait-for-n-f",
        title: "wait for n−f",
        source: "Ben-Or (1983), protocol A, steps 1 and 2; Decentralized Thoughts (2022): wait for f+1, with n = 2f+1",
        says: "In each half of a round a node waits for the echoes of n−f nodes, its own among them: more cannot be waited for, since f may have crashed, and any two such sets share a node.",
        without: Some("two nodes count echoes of different nodes only, and decide differently"),
    } tells {
        WAITS(echoes, of, round) = "waits for one more at least: it has the {of} of {echoes} in round {round}";
    };
    /// The second echo.
    ECHO2 = {
        key: "echo2-if-unanimous",
        title: "echo2 of a value only if all n−f agree",
        source: "Decentralized Thoughts (2022): if all have value w, then send echo2 of w, otherwise of ⊥; its claim 1",
        says: "A node sends echo2 of a value only if all the echo1 that it waited for have that value, and otherwise echo2 of ⊥. So there are never echo2 of both values in one round.",
        without: Some("there are echo2 of 0 and of 1 in one round, and both are decided"),
    } tells {
        ECHOES_VALUE(bit, from, round) = "sends echo2 of {bit}: all echo1 that it waited for in round {round}, those of {from}, are {bit}";
        ECHOES_BOTTOM(from, round) = "sends echo2 of ⊥: the echo1 that it waited for in round {round}, those of {from}, have both values";
    };
    /// The decision.
    DECIDE = {
        key: "decide-if-unanimous",
        title: "decide only if all n−f agree",
        source: "Decentralized Thoughts (2022): if all have the same non-⊥ value u, then decide(u); its claim 2",
        says: "A node decides a value only if all the echo2 that it waited for have that value. Then everybody else gets at least one of them in this round.",
        without: Some("a value is decided that another node may never hear of in this round, and which it replaces by its coin"),
    } tells {
        DECIDES(bit, from, round) = "decides {bit}: all echo2 that it waited for in round {round}, those of {from}, are {bit}";
        DOES_NOT_DECIDE(bit, from, round) = "does not decide {bit}: not all echo2 that it waited for in round {round}, those of {from}, are {bit}";
    };
    /// The adoption.
    ADOPT = {
        key: "adopt",
        title: "adopt the value of any echo2",
        source: "Decentralized Thoughts (2022): otherwise, v := u where u is a non-⊥ value; its claim 2",
        says: "A node that got echo2 of a value, even a single one, takes that value into the next round: somebody else may have decided it.",
        without: Some("a node draws lots although another one has decided, and later decides otherwise"),
    } tells {
        ADOPTS(bit, round) = "takes {bit} into the next round: it got echo2 of {bit} in round {round}, and somebody may have decided it";
    };
    /// The coin.
    COIN = {
        key: "coin",
        title: "coin",
        source: "Ben-Or (1983), protocol A, step 3; Decentralized Thoughts (2022): if all have the value ⊥, then v := coin()",
        says: "A node that got nothing but echo2 of ⊥ draws its next value by a fair coin of its own.",
        without: Some("nodes whose values are divided go on with the same values, and as long as messages come in the same order nobody ever decides (Fischer, Lynch, Paterson 1985)"),
    } tells {
        TOSSES(from, round) = "tosses a coin: all echo2 that it waited for in round {round}, those of {from}, are ⊥";
        SHOWS(bit) = "goes into the next round with {bit}: so the coin fell";
    };
    /// Rounds are separate.
    OWN_ROUND = {
        key: "own-round",
        title: "echoes count in their round",
        source: "Decentralized Thoughts (2022): wait for <echo1, r, *>",
        says: "An echo counts in the round that it names: one of an earlier round is of no use any more, one of a later round waits until its receiver is there.",
        without: Some("an echo of an earlier round is counted in place of one that would have told of a decision"),
    } tells {
        IGNORES_OLD(round, own) = "does not count it: it is of round {round}, and this node is in round {own}";
    };
    /// The termination gadget.
    GADGET = {
        key: "termination-gadget",
        title: "termination gadget",
        source: "Decentralized Thoughts (2022): termination gadget for crash failures",
        says: "Who decides tells everybody and takes no further part; who is told decides the same. Without this, nodes would go through rounds for ever.",
        without: None,
    } tells {
        TELLS_ALL(bit) = "tells everybody that {bit} is decided, and stops";
        IS_TOLD(bit, from) = "decides {bit}: {from} has decided it";
    };
    /// Stable storage.
    DURABLE = {
        key: "durable",
        title: "stable storage",
        source: "not in the sources, whose processes do not come back; as in Aguilera, Chen, Toueg, Failure Detection and Consensus in the Crash-Recovery Model (2000)",
        says: "What a node echoes in a round, and what it decides, is on its disk before it is sent, and it restarts from there.",
        without: Some("a restarted node sends another echo in the same round, which counts for both values"),
    } tells {
        SAVES() = "sends it when it is on its disk";
        SAVES_DECISION() = "writes that to its disk before anybody hears of it";
        RESTARTS(round) = "restarts in round {round}, with the echoes that are on its disk";
        RESTARTS_DECIDED(bit) = "restarts knowing that {bit} is decided";
    };
    /// Links that lose messages.
    REPEAT = {
        key: "repeat",
        title: "send again",
        source: "Ben-Or (1983) has a message system that loses nothing; this makes one of links that do",
        says: "A node that waits for long sends its echoes of the round again and asks for those of the others; who has decided answers with that.",
        without: Some("a message is lost, and those who wait for it wait for ever"),
    } tells {
        ASKS_AGAIN(round, missing) = "sends its echoes of round {round} again to {missing}, and asks for theirs";
        ANSWERS_AGAIN(from, round) = "sends {from} once more what it sent in round {round}: it was asked to";
        ANSWERS_DECISION(from, bit) = "answers {from} that {bit} is decided";
    };
    /// Clients.
    ANSWER = {
        key: "answer",
        title: "answer",
        source: "not in the sources, which have no clients",
        says: "A node that has decided answers its clients with the bit decided, whatever they wanted.",
        without: None,
    } tells {
        ANSWERS(command, bit) = "answers {command} that {bit} is decided";
    };
}

crate::settings! {
    /// Where inputs come from.
    INPUTS = {
        key: "inputs",
        says: "A node's input: the bit of the first command it hears of (odd clients want 1, even ones 0), or its own number's (odd nodes 1, even nodes 0)",
        kind: Choice { options: &["first-command", "by-node"], default: 0 },
    };
    /// Whether nodes stop.
    STOPS = {
        key: "termination_gadget",
        says: "Who decides tells everybody and stops; without this, nodes go through rounds for ever, as in the protocol itself",
        kind: Flag { default: true },
    };
    /// How soon echoes are sent again.
    REPEAT_AFTER = {
        key: "repeat",
        says: "How long a node waits for echoes before it sends its own again and asks for the others'",
        kind: Duration { min: 1, max: 3_600_000_000 },
    };
}
