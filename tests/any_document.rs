//! No document, however odd, makes the laboratory panic or hang. `QUORUMSCOPE_INPUTS=N` tries N of each kind; `tests/any_input.rs` has the
//! inputs that are not even documents.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use proptest::collection::vec;
use proptest::prelude::*;
use quorumscope::lab::presets::PRESETS;
use quorumscope::lab::run::Run;
use quorumscope::lab::{CompareJob, text};
use serde_json::Value;

/// Things that can be done to a world.
const FAULTS: &[&str] = &[
    r#"{"at":"0s","do":"pause","node":1}"#,
    r#"{"at":"1s","do":"crash","node":"leader"}"#,
    r#"{"at":"0s","do":"restart","node":"follower"}"#,
    r#"{"at":"1s","do":"cut","from":"majority","to":"minority"}"#,
    r#"{"at":"2s","do":"hold","from":"leader","to":"follower","kind":"AppendEntries"}"#,
    r#"{"at":"80ms","do":"pause","node":2,"clock_stops":true}"#,
    r#"{"at":"2s","do":"continue","node":1}"#,
    r#"{"at":"100ms","do":"crash","in":"us-east-1"}"#,
    r#"{"at":"200ms","do":"restart","in":"us-east-1"}"#,
    r#"{"at":"100ms","do":"pause","in":"VA"}"#,
    r#"{"at":"100ms","do":"cut","in":"us-west-2"}"#,
    r#"{"at":"300ms","do":"heal","in":"us-west-2"}"#,
    r#"{"at":"0s","do":"cut","from":[1,2],"to":[3],"one_way":true}"#,
    r#"{"at":"90ms","do":"heal","from":[1],"to":[2,3]}"#,
    r#"{"at":"0s","do":"slow","extra":"60s","jitter":"60s"}"#,
    r#"{"at":"0s","do":"slow","from":1,"to":2,"extra":"1us"}"#,
    r#"{"at":"0s","do":"duplication","share":"100%"}"#,
    r#"{"at":"0s","do":"reordering","share":"100%","extra":"60s"}"#,
    r#"{"at":"0s","do":"loss","loss":"100%","from":1,"to":[2,3]}"#,
    r#"{"at":"0s","do":"limit","bandwidth":"100B/s"}"#,
    r#"{"at":"0s","do":"limit","node":1,"bandwidth":"4GB/s"}"#,
    r#"{"at":"150ms","do":"clear-link-faults"}"#,
    r#"{"at":"0s","do":"hold","from":1,"to":2,"kind":"RequestVote"}"#,
    r#"{"at":"0s","do":"duplicate","from":1,"to":2,"kind":"Propose","nth":2}"#,
    r#"{"at":"0s","do":"deliver","from":2,"to":1,"kind":"Accept"}"#,
    r#"{"at":"1s","do":"release"}"#,
    r#"{"at":"1ms","do":"drop","message_id":0,"to":2}"#,
    r#"{"at":"1ms","do":"hold","client_message":0}"#,
    r#"{"at":"0s","do":"slow-disk","node":1,"write":"60s"}"#,
    r#"{"at":"50ms","do":"fill-disk","node":1}"#,
    r#"{"at":"0s","do":"forget-writes","node":2}"#,
    r#"{"at":"0s","do":"tear-write","node":2}"#,
    r#"{"at":"0s","do":"corrupt-disk","node":2}"#,
    r#"{"at":"60ms","do":"repair-disk","node":1}"#,
    r#"{"at":"100ms","do":"wipe-disk","node":1}"#,
    r#"{"at":"0s","do":"drift","node":1,"ppm":500000}"#,
    r#"{"at":"0s","do":"drift","node":1,"ppm":-500000}"#,
    r#"{"at":"0s","do":"jump","node":1,"by":"30min"}"#,
    r#"{"at":"0s","do":"jump","node":1,"by":"-30min"}"#,
    r#"{"at":"0s","do":"throttle","node":1,"share":"65535%"}"#,
    r#"{"at":"0s","do":"byzantine","node":1,"how":"silent"}"#,
    r#"{"at":"10ms","do":"byzantine","node":1,"how":"twin","to":[2]}"#,
    r#"{"at":"10ms","do":"byzantine","node":1,"how":"deny","to":[2,3]}"#,
    r#"{"at":"0s","do":"byzantine","node":2,"how":"to-all"}"#,
    r#"{"at":"0s","do":"byzantine","node":1,"how":"tamper"}"#,
    r#"{"at":"500ms","do":"byzantine","node":1,"how":"honest"}"#,
    r#"{"at":"500ms","do":"crash","node":1}"#,
    r#"{"at":"700ms","do":"stabilise"}"#,
];

/// Places of scenarios, and what may well stand there.
const LIKELY: &[(&str, &[&str])] = &[
    ("script[0]", FAULTS),
    ("script[1]", FAULTS),
    ("script[2]", FAULTS),
    ("script[3]", FAULTS),
    ("beyond_model", &["true"]),
    ("beyond_model", &["true"]),
    ("cost.receive", &["0s", "1us", "1ms", "1s"]),
    ("cost.send", &["0s", "1us", "1ms", "1s"]),
    ("cost.send_kb", &["0s", "1us", "1ms", "1s"]),
    (
        "timing",
        &[
            r#"{"model":"synchronous","delta":"10min"}"#,
            r#"{"model":"partially-synchronous","delta":"1s","gst":"500ms","spread":"60s"}"#,
            r#"{"model":"asynchronous","spread":"2s"}"#,
        ],
    ),
    ("replicas[2]", &["us-east-1/r1", "us-east-1/r1/m2", "VA/r", "VA//"]),
    ("clients[0].think", &["0s", "1us", "80us", "10ms", "2s", "1h", "24h"]),
    ("clients[0].start", &["0s", "1us", "80us", "10ms", "2s", "1h", "24h"]),
    ("clients[0].stop", &["0s", "1us", "80us", "10ms", "2s", "1h", "24h"]),
    ("clients[0].retry", &["0s", "1us", "80us", "10ms", "2s", "1h", "24h"]),
    (
        "value_bytes",
        &["0", "16777216", r#"{"from":0,"to":16777216}"#, r#"{"from":16,"to":4096}"#, r#"{"from":2,"to":1}"#],
    ),
    ("service", &["kv", "lock", "queue", "barrier", "config", "broadcast"]),
    ("clients[0].lease", &["1ms", "10ms", "2s", "24h"]),
    ("clients[0].work", &["0s", "1us", "10ms", "2s", "24h"]),
    ("clients[0].stall", &["0s", "10ms", "2s", "24h"]),
    ("clients[0].stalls", &["0%", "50%", "100%"]),
    ("clients[0].dies", &["0%", "50%", "100%"]),
    ("clients[0].swaps", &["0%", "50%", "100%"]),
    ("clients[0].nondeterministic", &["0%", "50%", "100%"]),
    ("clients[0].hot", &["0%", "50%", "100%"]),
    ("clients[0].zipf", &["0", "0.99", "5"]),
    ("clients[0].weights", &[r#"{"us-east-1":3}"#, r#"{"us-east-1":1,"us-west-2":1000}"#, "{}"]),
    ("network.processing", &["0s", "1us", "80us", "10ms", "2s", "1h", "24h"]),
    ("disk", &["0s", "1us", "80us", "10ms", "2s", "1h", "24h"]),
    ("duration", &["0s", "1us", "80us", "10ms", "2s", "1h", "24h"]),
    ("warmup", &["0s", "1us", "80us", "10ms", "2s", "1h", "24h"]),
    ("settings.spread", &["0s", "1us", "80us", "10ms", "2s", "1h", "24h"]),
    ("network.jitter", &["0%", "1%", "50%", "100%"]),
    ("network.loss", &["0%", "1%", "50%", "100%"]),
    ("clients[0].reads", &["0%", "1%", "50%", "100%"]),
    ("clients[0].rate", &["0.001/s", "20/s", "100000/s"]),
    ("variant", &["raft", "multi-paxos", "notes"]),
    ("matrix", &["aws", "gcp", "pql"]),
    ("sites[1]", &["us-east-1", "us-west-2", "eu-west-1", "VA", "OR"]),
    ("replicas[0]", &["us-east-1", "us-west-2", "eu-west-1", "VA", "OR"]),
    ("replicas[1]", &["us-east-1", "us-west-2", "eu-west-1", "VA", "OR"]),
    ("replicas[5]", &["us-east-1", "us-west-2", "eu-west-1", "VA", "OR"]),
    ("clients[0].site", &["us-east-1", "us-west-2", "eu-west-1", "VA", "OR"]),
    ("clients[3].site", &["us-east-1", "us-west-2", "eu-west-1", "VA", "OR"]),
    ("without[0]", &["promise-once", "one-vote"]),
    (
        "script[0]",
        &[
            r#"{"at":"0s","do":"crash","node":1}"#,
            r#"{"at":"0s","do":"restart","node":1}"#,
            r#"{"at":"0s","do":"cut","from":1,"to":2}"#,
            r#"{"at":"0s","do":"heal","from":1,"to":2}"#,
            r#"{"at":"0s","do":"heal-all"}"#,
            r#"{"at":"0s","do":"hand-over","node":2}"#,
            r#"{"at":"0s","do":"remove","node":3}"#,
            r#"{"at":"0s","do":"loss","loss":"30%"}"#,
            r#"{"at":"0s","do":"quiesce"}"#,
            r#"{"at":"0s","do":"resume"}"#,
            r#"{"at":"0s","do":"add","site":"us-east-1"}"#,
            r#"{"at":"0s","do":"move","node":1,"site":"us-east-1"}"#,
            r#"{"at":"0s","do":"request","site":"us-east-1"}"#,
            r#"{"at":"3s","do":"crash","node":1}"#,
            r#"{"at":"3s","do":"restart","node":1}"#,
            r#"{"at":"3s","do":"cut","from":1,"to":2}"#,
            r#"{"at":"3s","do":"heal","from":1,"to":2}"#,
            r#"{"at":"3s","do":"heal-all"}"#,
            r#"{"at":"3s","do":"hand-over","node":2}"#,
            r#"{"at":"3s","do":"remove","node":3}"#,
            r#"{"at":"3s","do":"loss","loss":"30%"}"#,
            r#"{"at":"3s","do":"quiesce"}"#,
            r#"{"at":"3s","do":"resume"}"#,
            r#"{"at":"3s","do":"add","site":"us-east-1"}"#,
            r#"{"at":"3s","do":"move","node":1,"site":"us-east-1"}"#,
            r#"{"at":"3s","do":"request","site":"us-east-1"}"#,
        ],
    ),
];

/// Places that hold numbers.
const NUMBERS: &[&str] = &[
    "clients[0].sessions",
    "clients[0].keys",
    "clients[0].commands",
    "clients[0].weights.us-east-1",
    "value_bytes",
    "script[0].node",
    "script[0].from",
    "script[0].to",
    "rtt_ms[0][0]",
    "rtt_ms[0][1]",
    "seed",
];

/// Places that hold something else.
const OTHERS: &[&str] = &[
    "settings",
    "settings.thrifty",
    "settings.winner_refuses",
    "without",
    "sites",
    "sites[0].position",
    "rtt_ms",
    "rtt_ms[0]",
    "replicas",
    "clients",
    "clients[0]",
    "clients[0].fenced",
    "clients[0].weights",
    "network",
    "script",
    "script[0]",
    "script[0].one_way",
    "script[0].from",
    "script[0].in",
    "script[0].how",
    "script[0].ppm",
    "script[0].by",
    "script[0].bandwidth",
    "cost",
    "timing",
    "timing.delta",
    "beyond_model",
];

/// Words that mean something somewhere.
const WORDS: &[&str] = &[
    "0s",
    "1us",
    "80us",
    "10ms",
    "2s",
    "1h",
    "24h",
    "0%",
    "50%",
    "100%",
    "0.1%",
    "0.001/s",
    "20/s",
    "100000/s",
    "raft",
    "notes",
    "aws",
    "gcp",
    "pql",
    "us-east-1",
    "eu-west-1",
    "VA",
    "OR",
    "crash",
    "restart",
    "cut",
    "heal",
    "heal-all",
    "move",
    "hand-over",
    "add",
    "remove",
    "request",
    "loss",
    "quiesce",
    "resume",
    "all",
    "asked",
    "promise-once",
    "",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0u64..20).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((prop::sample::select(vec!["id", "site", "at", "do", "node", "name", "x"]), inner), 0..5).prop_map(
                |fields| { Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()) }
            ),
        ]
    })
}

fn tree() -> impl Strategy<Value = Value> {
    let likely = prop::sample::select(LIKELY).prop_flat_map(|(path, values)| {
        (Just(path), prop::sample::select(values).prop_map(|text| serde_json::from_str(text).unwrap_or(text.into())))
    });
    let number = (prop::sample::select(NUMBERS), (0u64..200).prop_map(Value::from));
    let places = LIKELY.iter().map(|(path, _)| *path).chain(NUMBERS.iter().copied()).chain(OTHERS.iter().copied());
    let odd = (prop::sample::select(places.collect::<Vec<&str>>()), value());
    // Mostly what may well stand there, so that what lies behind the checks is reached.
    let change = prop_oneof![12 => likely, 3 => number, 1 => odd];
    (0..PRESETS.len(), vec(change, 1..5)).prop_map(|(preset, changes)| {
        let mut tree = text::tree_from_json(PRESETS[preset].json).expect("built in");
        for (path, value) in changes {
            // Some changes do not go together; then the earlier one stands.
            let _ = text::set(&mut tree, &format!("{path}={value}"));
        }
        tree
    })
}

/// How many inputs to try: so many, or what `QUORUMSCOPE_INPUTS` says.
fn inputs(usual: u32) -> u32 {
    let inputs =
        std::env::var("QUORUMSCOPE_INPUTS").map_or(usual, |number| number.parse().expect("a number of inputs"));
    println!("{inputs} inputs");
    inputs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: inputs(1_500), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_of_a_scenario_is_told_or_runs(tree in tree()) {
        match text::document(tree) {
            Err(problems) => prop_assert!(problems.0.iter().all(|problem| !problem.says.is_empty())),
            Ok(document) => match Run::new(&document) {
                Err(problems) => {
                    prop_assert!(!problems.0.is_empty());
                    prop_assert!(problems.0.iter().all(|problem| !problem.field.is_empty() && !problem.says.is_empty()));
                }
                Ok(mut run) => {
                    let _ = run.advance(500);
                    let report = run.report();
                    prop_assert!(serde_json::to_string(&report).is_ok());
                    let mut again = Run::new(&document).expect("it was good");
                    let _ = again.advance(500);
                    prop_assert_eq!(again.report(), report);
                    let written = text::from_json(&text::to_json(&document.scenario)).expect("our own text");
                    prop_assert_eq!(&written.scenario, &document.scenario);
                }
            },
        }
    }

    #[test]
    fn any_text_is_told_or_read(text in "\\PC{0,200}") {
        let _ = text::from_toml(&text);
        let _ = text::from_json(&text);
        let _ = text::from_link(&format!("#s=1.{text}"));
        let _ = text::set(&mut Value::Null, &text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: inputs(4_000) / 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_good_scenario_can_be_compared(tree in tree(), n in 1u32..=15) {
        if let Ok(document) = text::document(tree)
            && let Ok(mut job) = CompareJob::new(&document.scenario, &[], &[n])
        {
            (0..40).any(|_| job.advance(1_000));
        }
    }
}
