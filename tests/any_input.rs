//! No text, however odd, makes anything panic, hang, or run something else than it says: scenarios in TOML and JSON, links,
//! histories, tables of round trips, flags.
//!
//! Starts from what lies in `tests/inputs/` and is kept there when it once made trouble, and cuts, repeats and mixes it.
//! `QUORUMSCOPE_INPUTS=N cargo test --test any_input -- --nocapture` tries N of each kind (flags start a process each, so a fiftieth of that), and tells how many were good.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use quorumscope::judge::linearizability::{Limits, Model, judge};
use quorumscope::lab::presets::PRESETS;
use quorumscope::lab::run::Run;
use quorumscope::lab::{Problems, history, round_trips, text};
use std::cell::Cell;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn inputs(usual: u32) -> u32 {
    std::env::var("QUORUMSCOPE_INPUTS").map_or(usual, |number| number.parse().expect("a number of inputs"))
}

/// The kept inputs of one kind, in the order of their names.
fn kept(kind: &str) -> Vec<String> {
    let folder = fs::read_dir(format!("tests/inputs/{kind}")).expect("a folder");
    let mut files: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).expect("text")).collect()
}

/// Bits that mean something somewhere, or nothing anywhere.
const BITS: &[&str] = &[
    "0",
    "-1",
    "1e308",
    "18446744073709551616",
    "99999999999999999999s",
    "0s",
    "24h",
    "100%",
    "101%",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    "\n",
    "\u{0}",
    "é",
    "\u{202e}",
    "null",
    "true",
    "nan",
    "crash",
    "node",
    "--",
    "..",
    "#s=1.",
    "raft",
    "at = ",
    "do = ",
    "\\",
    " ",
];

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Cut(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    Insert(prop::sample::Index, &'static str),
    Splice(prop::sample::Index, prop::sample::Index, prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        1 => (place(), 1usize..40).prop_map(|(at, length)| Change::Cut(at, length)),
        1 => (place(), 1usize..200).prop_map(|(at, length)| Change::Repeat(at, length)),
        4 => (place(), prop::sample::select(BITS)).prop_map(|(at, bit)| Change::Insert(at, bit)),
        1 => (place(), place(), place()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
    ]
}

/// Kept inputs with some changes.
fn odd(kept: Vec<String>) -> impl Strategy<Value = String> {
    (any::<prop::sample::Index>(), prop::collection::vec(change(), 0..6)).prop_map(move |(which, changes)| {
        let mut text: Vec<char> = which.get(&kept).chars().collect();
        for change in changes {
            let length = text.len();
            let place = |at: prop::sample::Index| at.index(length + 1);
            match change {
                Change::Cut(at, more) => drop(text.drain(place(at)..(place(at) + more).min(length))),
                Change::Repeat(at, more) => {
                    let again = text[place(at)..(place(at) + more).min(length)].to_vec();
                    text.splice(place(at)..place(at), again);
                }
                Change::Insert(at, bit) => drop(text.splice(place(at)..place(at), bit.chars()).collect::<Vec<_>>()),
                Change::Splice(at, other, from) => {
                    let other: Vec<char> = other.get(&kept).chars().collect();
                    text.truncate(place(at));
                    text.extend(&other[from.index(other.len() + 1)..]);
                }
            }
        }
        text.into_iter().collect()
    })
}

/// Tries odd inputs of one kind. `good` tells whether one made sense; whatever it asserts must hold of all.
fn try_all(kind: &str, kept: Vec<String>, cases: u32, good: impl Fn(&str) -> bool) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let (tried, made_sense) = (Cell::new(0u32), Cell::new(0u32));
    let attempt = |text: &str| {
        tried.set(tried.get() + 1);
        made_sense.set(made_sense.get() + u32::from(good(text)));
    };
    kept.iter().for_each(|text| attempt(text));
    let done = TestRunner::new(config).run(&odd(kept), |text| {
        attempt(&text);
        Ok(())
    });
    done.unwrap_or_else(|why| panic!("{kind}: {why}"));
    println!("{kind}: {} inputs tried, {} of them good", tried.get(), made_sense.get());
}

/// An error says something, and in a few words.
fn assert_told(problems: &Problems) {
    let text = problems.to_string();
    assert!(text.len() < 20_000, "{} bytes: {text:.500}", text.len());
    let Problems(problems, _) = problems;
    assert!(!problems.is_empty());
    for problem in problems {
        assert!(!problem.says.is_empty(), "{problem:?}");
        assert!(problem.value.len() < 3_000 && problem.field.len() < 3_000, "{problem:?}");
    }
}

/// Whether a document is good; then it is what it says, and runs the same way twice.
fn document(read: Result<quorumscope::lab::Document, Problems>) -> bool {
    let document = match read {
        Err(problems) => {
            assert_told(&problems);
            return false;
        }
        Ok(document) => document,
    };
    let mut run = match Run::new(&document) {
        Err(problems) => {
            assert_told(&problems);
            return false;
        }
        Ok(run) => run,
    };
    let _ = run.advance(300);
    let again = text::from_toml(&text::to_toml(&document.scenario)).expect("our own text");
    assert_eq!(again.scenario, document.scenario);
    let link = text::from_link(&text::to_link(&document)).expect("our own link");
    assert_eq!(link, document);
    let mut once_more = Run::new(&link).expect("it was good");
    let _ = once_more.advance(300);
    assert_eq!(once_more.session().universe().fingerprint(), run.session().universe().fingerprint());
    true
}

#[test]
fn any_scenario() {
    let toml: Vec<String> = kept("scenario").into_iter().filter(|text| !text.starts_with('{')).collect();
    try_all("scenarios in TOML", toml, inputs(1_500), |text| document(text::from_toml(text)));
    let presets = PRESETS.iter().map(|preset| preset.json.to_owned());
    let json = kept("scenario").into_iter().filter(|text| text.starts_with('{')).chain(presets).collect();
    try_all("scenarios in JSON", json, inputs(1_500), |text| document(text::from_json(text)));
}

#[test]
fn any_link() {
    let links = PRESETS.iter().map(|preset| text::to_link(&text::from_json(preset.json).expect("built in"))).collect();
    try_all("links", links, inputs(1_500), |text| document(text::from_link(text)));
}

#[test]
fn any_table() {
    try_all("tables of round trips", kept("table"), inputs(4_000), |text| match round_trips::read(text) {
        Ok(table) => {
            let mut scenario =
                serde_json::json!({ "variant": "raft", "sites": ["VA", "OR"], "replicas": ["VA", "OR", "OR"] });
            let put = table.put_into(&mut scenario).map_err(Problems::from);
            put.and_then(|()| text::document(scenario)).map(|document| drop(Run::new(&document))).is_ok()
        }
        Err(problem) => {
            assert_told(&Problems::from(problem));
            false
        }
    });
}

#[test]
fn any_history() {
    let limits = Limits { steps: 20_000, bytes: 1 << 22 };
    try_all("histories", kept("history"), inputs(4_000), |text| {
        let good = |model: &&Model| match history::read(text, **model) {
            Ok(history) => {
                let _ = judge(&history, **model, limits);
                true
            }
            Err(problem) => {
                assert_told(&Problems::from(problem));
                false
            }
        };
        Model::ALL.iter().filter(good).count() > 0
    });
}

#[test]
fn any_flags() {
    // It starts in a folder with files to read, and may write there.
    let folder = std::env::temp_dir().join(format!("quorumscope-any-flags-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    for (file, name) in
        [("history/register", "history.jsonl"), ("table/pql", "table.csv"), ("scenario/odd", "odd.toml")]
    {
        let extension = name.rsplit('.').next().expect("an extension");
        fs::copy(format!("tests/inputs/{file}.{extension}"), folder.join(name)).expect("a file");
    }
    let codes = Cell::new([0u32; 5]);
    try_all("flags", kept("flags"), inputs(3_000).div_ceil(50), |text| {
        // No argument can hold a zero; nothing is written elsewhere.
        let arguments: Vec<&str> = text.split_whitespace().filter(|word| !word.contains(['\0', '/'])).collect();
        let mut child = Command::new(env!("CARGO_BIN_EXE_quorumscope"))
            .args(&arguments)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("stderr")).expect("a file"))
            .spawn()
            .expect("it starts");
        let since = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            if since.elapsed() > Duration::from_secs(60) {
                // Some good flags ask for hours of work: that is no hang, but they end as soon as they are told to.
                child.kill().expect("it runs");
                child.wait().expect("it ends");
                println!("flags: more than a minute's work: {arguments:?}");
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let error = fs::read(folder.join("stderr")).expect("what it said");
        let error = String::from_utf8_lossy(&error);
        let code = status.code();
        assert!(matches!(code, Some(0..=4)), "{arguments:?}: {status} {error}");
        assert!(code != Some(2) || error.starts_with("error: ") || error.contains("Usage"), "{arguments:?}: {error}");
        assert!(error.len() < 200_000, "{arguments:?}: {} bytes", error.len());
        let mut seen = codes.get();
        seen[code.expect("matched") as usize] += 1;
        codes.set(seen);
        code != Some(2)
    });
    println!("flags: exit codes 0 to 4: {:?}", codes.get());
    fs::remove_dir_all(&folder).expect("its own folder");
}
