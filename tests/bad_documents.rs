//! Documents that once made trouble, each with its neighbours: every one is refused in a few words, in a second, within the memory of its kind.
//!
//! The page reads links by the same function (`lab::link::from_link`), so what holds here holds there.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quorumscope::lab::presets::PRESETS;
use quorumscope::lab::run::Run;
use quorumscope::lab::{Document, Problems, link, text};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Longest text of all problems of a document, bytes.
const WORDS: usize = 20_000;
/// Longest time that refusing one takes, in a debug build on a busy machine.
const MOMENT: Duration = Duration::from_secs(8);

/// A link with this in it, whatever it is.
fn pack(content: &[u8]) -> String {
    format!("#s=1.{}", URL_SAFE_NO_PAD.encode(miniz_oxide::deflate::compress_to_vec(content, 6)))
}

/// A link that unpacks to this text and then so many megabytes of one byte: one megabyte, packed once, is repeated, as it ends on a whole byte.
fn bomb(before: &str, byte: u8, megabytes: usize) -> String {
    use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
    use miniz_oxide::{MZFlush, deflate::stream::deflate};
    let packed = |content: &[u8]| {
        let mut compressor = CompressorOxide::new(create_comp_flags_from_zip_params(6, -15, 0));
        let mut room = vec![0; content.len() + 1_000];
        let done = deflate(&mut compressor, content, &mut room, MZFlush::Full);
        room.truncate(done.bytes_written);
        room
    };
    let again = packed(&vec![byte; 1 << 20]);
    let all = [packed(before.as_bytes()), again.repeat(megabytes)].concat();
    format!("#s=1.{}", URL_SAFE_NO_PAD.encode(all))
}

fn scenario(changes: Value) -> Value {
    let mut tree = json!({ "variant": "raft", "matrix": "aws", "sites": ["us-east-1"], "replicas": ["us-east-1"] });
    if let (Value::Object(fields), Value::Object(changes)) = (&mut tree, changes) {
        fields.extend(changes);
    }
    tree
}

/// What is wrong with a document, be it found by reading or by checking.
fn refused(read: Result<Document, Problems>) -> Problems {
    let problems = match read {
        Err(problems) => problems,
        Ok(document) => Run::new(&document).err().unwrap_or_else(|| panic!("it was taken: {document:?}")),
    };
    let text = problems.to_string();
    assert!(text.len() <= WORDS, "{} bytes: {text:.300}", text.len());
    assert!(!problems.0.is_empty() && problems.0.len() <= 20, "{text}");
    problems
}

/// Refuses a link within a moment; tells in what words.
fn refused_link(link: &str) -> String {
    let since = Instant::now();
    let words = refused(link::from_link(link)).to_string();
    assert!(since.elapsed() < MOMENT, "{:?}: {words}", since.elapsed());
    words
}

fn refused_tree(tree: &Value) -> String {
    let words = refused_link(&pack(tree.to_string().as_bytes()));
    assert_eq!(words, refused(link::from_json(&tree.to_string())).to_string(), "link and file are read alike");
    words
}

#[test]
fn misspelt_field_of_a_link_is_refused_at_every_place() {
    let mut tried = 0;
    for preset in PRESETS {
        let plain = text::tree_from_json(preset.json).expect("built in");
        let run = json!({
            "scenario": plain,
            "interventions": [{ "event": 0, "what": { "at": "0s", "do": "crash", "node": 1 } }],
            "moment": { "event": 10, "at": "1s" },
        });
        for tree in [plain, run] {
            for path in tables(&tree, "") {
                let mut wrong = tree.clone();
                wrong
                    .pointer_mut(&path)
                    .and_then(Value::as_object_mut)
                    .expect("a table")
                    .insert("zzz".into(), json!(1));
                let words = refused_tree(&wrong);
                assert!(words.contains("zzz"), "{}{path}: {words}", preset.key);
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

/// The places of all tables in a tree.
fn tables(tree: &Value, path: &str) -> Vec<String> {
    match tree {
        Value::Object(fields) => {
            let inner = fields.iter().flat_map(|(name, value)| tables(value, &format!("{path}/{name}")));
            std::iter::once(path.to_owned()).chain(inner).collect()
        }
        Value::Array(list) => {
            list.iter().enumerate().flat_map(|(i, value)| tables(value, &format!("{path}/{i}"))).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn three_links_with_a_misspelt_field_name_it() {
    for (field, tree) in [
        ("dissk", scenario(json!({ "dissk": "1ms" }))),
        ("network.lose", scenario(json!({ "network": { "lose": "10%" } }))),
        ("script[0].nodde", scenario(json!({ "script": [{ "at": "1s", "do": "crash", "nodde": 1 }] }))),
    ] {
        let words = refused_tree(&tree);
        assert!(words.starts_with(&format!("{field}: is no field; did you mean")), "{words}");
    }
}

#[test]
fn field_given_twice_is_refused_in_json_as_in_toml() {
    for (field, text) in [
        ("", r#"{"seed":1,"variant":"raft","seed":2}"#),
        ("network", r#"{"variant":"raft","network":{"loss":"1%","loss":"2%"}}"#),
        ("clients[1]", r#"{"clients":[{},{"site":"a","site":"b"}]}"#),
    ] {
        let problems = refused(link::from_json(text));
        assert_eq!(problems.0[0].field, field, "{problems}");
        assert!(problems.to_string().contains("is given twice"), "{problems}");
        assert_eq!(refused_link(&pack(text.as_bytes())), problems.to_string());
    }
    assert!(refused(text::from_toml("seed = 1\nseed = 2")).to_string().contains("duplicate key"));
}

#[test]
fn number_that_is_none_is_refused_with_the_name_of_its_field() {
    let whole = "variant = \"raft\"\nmatrix = \"aws\"\nsites = [\"us-east-1\"]\nreplicas = [\"us-east-1\"]\n";
    for number in ["nan", "inf", "-inf", "+nan", "+inf", "-nan"] {
        for (field, line) in [
            ("seed", format!("seed = {number}")),
            ("disk", format!("disk = {number}")),
            ("value_bytes", format!("value_bytes = {number}")),
            ("value_bytes.to", format!("value_bytes = {{ from = 1, to = {number} }}")),
            ("network.jitter", format!("[network]\njitter = {number}")),
            ("clients[0].keys", format!("[[clients]]\nsite = \"us-east-1\"\nkeys = {number}")),
            ("rtt_ms[0][0]", format!("rtt_ms = [[{number}]]")),
            ("settings.commit", format!("[settings]\ncommit = {number}")),
            ("script[0].ppm", format!("[[script]]\nat = \"0s\"\ndo = \"drift\"\nnode = 1\nppm = {number}")),
            ("duration", format!("duration = {number}")),
            ("recovery.within", format!("[recovery]\nfrom = \"1s\"\nwithin = {number}")),
        ] {
            let problems = refused(text::from_toml(&format!("{whole}{line}\n")));
            assert_eq!(problems.0[0].field, field, "{problems}");
            assert!(problems.0[0].says.contains("would do"), "{problems}");
        }
    }
    for date in ["1979-05-27", "07:32:00", "1979-05-27T07:32:00Z"] {
        let problems = refused(text::from_toml(&format!("{whole}duration = {date}\n")));
        assert_eq!(problems.0[0].field, "duration", "{problems}");
    }
}

#[test]
fn link_that_unpacks_to_more_than_a_document_stops_at_the_limit() {
    for (what, link) in [
        ("bytes that are no text", bomb("", 0xff, 190)),
        ("spaces", bomb("", b' ', 190)),
        ("a long title", bomb("{\"title\":\"", b'x', 5)),
        ("many brackets", bomb("", b'[', 8)),
        ("zeros", bomb("{\"seed\":", b'0', 100)),
    ] {
        let words = refused_link(&link);
        assert!(words.contains("holds too much"), "{what}: {words}");
    }
    assert!(refused_link(&bomb("", b'x', 900)).contains("too long"));
}

#[cfg(target_os = "linux")]
#[test]
fn bomb_of_190_megabytes_takes_the_command_few_megabytes() {
    let link = bomb("", 0xff, 190);
    let file = std::env::temp_dir().join(format!("quorumscope-bomb-{}.txt", std::process::id()));
    std::fs::write(&file, &link).expect("a temporary file");
    // Address space, KB: the program itself and a few times the largest document.
    let script = format!("ulimit -v 150000; exec '{}' run - < '{}'", env!("CARGO_BIN_EXE_quorumscope"), file.display());
    let output = std::process::Command::new("sh").args(["-c", &script]).output().expect("it starts");
    let _ = std::fs::remove_file(&file);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("holds too much"), "{words}");
}

#[test]
fn document_nested_deeper_than_any_is_refused_by_the_reader() {
    for deep in [40, 127, 128, 129, 10_000, 1_000_000] {
        let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(deep), close.repeat(deep));
        for (what, text) in [
            ("a title", format!(r#"{{"variant":"raft","title":{}}}"#, nested("[", "]"))),
            ("fields", format!(r#"{{"variant":"raft","network":{}}}"#, nested(r#"{"x":"#, "}"))),
            ("the whole", nested("[", "]")),
            ("a script", format!(r#"{{"script":[{}]}}"#, nested(r#"[{"at":"#, "}]"))),
            ("never closed", "[".repeat(deep)),
            ("interventions", format!(r#"{{"scenario":{{}},"interventions":{}}}"#, nested("[", "]"))),
        ] {
            let words = refused_link(&pack(text.as_bytes()));
            let said = ["nested too deep", "recursion limit", "holds too much"].iter().any(|says| words.contains(says));
            assert!(said || deep <= 40 && !words.is_empty(), "{what}, {deep} deep: {words}");
        }
        if deep <= 10_000 {
            for toml in [
                format!("title = {}", nested("[", "]")),
                format!("title = {}", nested("{ x = ", " }")),
                format!("{}x = 1", "x.".repeat(deep)),
                format!("[{}x]\ny = 1", "x.".repeat(deep)),
            ] {
                refused(text::from_toml(&toml));
            }
        }
    }
}

#[test]
fn document_with_very_many_wrong_things_tells_twenty_and_counts_the_others() {
    let many = |count: usize, value: Value| Value::from(vec![value; count]);
    let names = |count: usize| -> Value { (0..count).map(|i| (format!("x{i}"), json!(1))).collect() };
    let run = |interventions: Value| json!({ "scenario": scenario(json!({})), "interventions": interventions });
    let wrong = |fault: Value| json!({ "event": 0, "what": fault });
    for (what, tree) in [
        ("rules", scenario(json!({ "without": many(2_000, json!("x")) }))),
        ("very many rules", scenario(json!({ "without": many(240_000, json!("x")) }))),
        ("settings", scenario(json!({ "settings": names(100_000) }))),
        ("weights", scenario(json!({ "clients": [{ "weights": names(100_000) }] }))),
        ("weights of many clients", scenario(json!({ "clients": many(40, json!({ "weights": names(1_000) })) }))),
        ("clients", scenario(json!({ "clients": many(100_000, json!({ "site": "mars" })) }))),
        ("sites", scenario(json!({ "sites": many(100_000, json!("mars")) }))),
        ("replicas", scenario(json!({ "replicas": many(100_000, json!("mars")) }))),
        ("faults", scenario(json!({ "script": many(20_000, json!({ "at": "x", "do": "y" })) }))),
        (
            "fault nodes",
            scenario(json!({ "script": [{ "at": "0s", "do": "cut", "from": many(100_000, json!(77)), "to": 1 }] })),
        ),
        ("nodes", scenario(json!({ "node": many(20_000, json!({ "id": 1, "settings": { "x": 1 } })) }))),
        ("round trips", scenario(json!({ "matrix": null, "rtt_ms": many(20_000, json!([0, 1, 2])) }))),
        ("one row of round trips", scenario(json!({ "matrix": null, "rtt_ms": [many(200_000, json!(-1))] }))),
        ("interventions", run(many(30_000, wrong(json!({ "at": "x", "do": "y" }))))),
        ("values", scenario(json!({ "without": many(300_000, json!("x")) }))),
    ] {
        let since = Instant::now();
        let words = refused_tree(&tree);
        println!("{what}: {:?}, {} bytes: {words:.120}", since.elapsed(), words.len());
    }
    let rules = scenario(json!({ "settings": names(2_000) }));
    let words = refused_tree(&rules);
    assert!(words.ends_with("\nand 1,980 more"), "{words:.200}");
    assert_eq!(words.lines().count(), 21);
}

#[test]
fn document_with_very_long_names_is_refused_in_a_few_words() {
    let long = "é".repeat(1_000_000);
    for (what, tree) in [
        ("title", scenario(json!({ "title": long }))),
        ("variant", scenario(json!({ "variant": long }))),
        ("matrix", scenario(json!({ "matrix": long }))),
        ("site", scenario(json!({ "sites": [long], "matrix": null, "rtt_ms": [[0]], "replicas": ["us-east-1"] }))),
        ("replica", scenario(json!({ "replicas": [long] }))),
        ("setting", scenario(json!({ "settings": { long.clone(): 1 } }))),
        ("setting's value", scenario(json!({ "settings": { "commit": long } }))),
        ("rule", scenario(json!({ "without": [long] }))),
        ("service", scenario(json!({ "service": long }))),
        ("weight", scenario(json!({ "clients": [{ "weights": { long.clone(): 1 } }] }))),
        ("client's site", scenario(json!({ "clients": [{ "site": long }] }))),
        ("time", scenario(json!({ "duration": long }))),
        ("number", scenario(json!({ "seed": long }))),
        ("unknown field", scenario(json!({ long.clone(): 1 }))),
        ("unknown field within", scenario(json!({ "network": { long.clone(): 1 } }))),
        ("action", scenario(json!({ "script": [{ "at": "0s", "do": long }] }))),
        ("kind", scenario(json!({ "script": [{ "at": "0s", "do": "hold", "from": 1, "to": 1, "kind": long }] }))),
        ("role", scenario(json!({ "script": [{ "at": "0s", "do": "crash", "node": long }] }))),
        ("timing", scenario(json!({ "timing": { "model": long } }))),
    ] {
        let words = refused_tree(&tree);
        assert!(words.len() < 2_500, "{what}: {} bytes", words.len());
    }
}
