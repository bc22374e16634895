//! Text format of histories: errors, Jepsen's extra fields, arbitrary input, and the counterexample diagram.

use super::*;
use proptest::prelude::*;
use quorumscope::judge::linearizability::counterexample;

fn error(json: &str, model: Model) -> String {
    match history::read(json, model) {
        Ok(_) => panic!("this was taken: {json}"),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn history_reader_errors_name_line_field_value_and_remedy() {
    let invoke = r#"{"process":0,"type":"invoke","f":"write","value":1,"time":5}"#;
    let after = |line: &str| format!("{invoke}\n{line}");
    let cases = [
        (String::new(), "there is no event in it"),
        ("\n[1]".to_owned(), "line 2: [1]: is no event as a JSON object: invalid type: sequence, expected a map"),
        (
            "{\"process\":0".to_owned(),
            "line 1: {\"process\":0: is no event as a JSON object: EOF while parsing an object",
        ),
        (r#"{"type":"invoke","f":"read"}"#.to_owned(), "line 1: process: is missing; a number or a name would do"),
        (r#"{"process":[1],"type":"ok"}"#.to_owned(), "line 1: process: [1]: a number or a name would do"),
        (r#"{"process":1,"f":"read"}"#.to_owned(), "line 1: type: is missing; one of invoke, ok, fail, info would do"),
        (
            r#"{"process":1,"type":"okay"}"#.to_owned(),
            "line 1: type: \"okay\": the possible words are invoke, ok, fail, info",
        ),
        (r#"{"process":1,"type":7}"#.to_owned(), "line 1: type: 7: one of invoke, ok, fail, info would do"),
        (
            r#"{"process":1,"type":"invoke","f":"raed"}"#.to_owned(),
            "line 1: f: \"raed\": did you mean \"read\"? The possible words are read, write, cas",
        ),
        (r#"{"process":1,"type":"invoke"}"#.to_owned(), "line 1: f: is missing; one of read, write, cas would do"),
        (
            r#"{"process":1,"type":"invoke","f":"write"}"#.to_owned(),
            "line 1: value: is missing; the value to write would do",
        ),
        (
            r#"{"process":1,"type":"invoke","f":"read","value":3}"#.to_owned(),
            "line 1: value: 3: a read has a value when it is answered; null would do",
        ),
        (
            r#"{"process":1,"type":"invoke","f":"cas","value":[1]}"#.to_owned(),
            "line 1: value: [1]: [OLD, NEW] would do",
        ),
        (
            r#"{"process":1,"type":"invoke","f":"read","key":{}}"#.to_owned(),
            "line 1: key: {}: a text or a number would do",
        ),
        (after(invoke), "line 2: process: 0: still waits for the answer to line 1; a process does one thing at a time"),
        (
            after(r#"{"process":1,"type":"ok"}"#),
            "line 2: process: 1: waits for no answer; an invoke of this process must come first",
        ),
        (
            after(r#"{"process":0,"type":"ok","time":4}"#),
            "line 2: time: 4: a line above has 5, and times never go back",
        ),
        (after(r#"{"process":0,"type":"ok","time":-1}"#), "line 2: time: -1: a whole number from 0 up would do"),
        (after(r#"{"process":0,"type":"ok","time":5.5}"#), "line 2: time: 5.5: a whole number from 0 up would do"),
        (after(r#"{"process":0,"type":"ok","value":2}"#), "line 2: value: 2: 1, as asked, would do"),
        (
            after(r#"{"process":0,"type":"ok","f":"read"}"#),
            "line 2: f: \"read\": this process waits for the answer to its write",
        ),
        (
            after(r#"{"process":0,"type":"ok","key":"y"}"#),
            "line 2: key: \"y\": this process waits for an answer about null",
        ),
        (
            "{\"process\":0,\"type\":\"invoke\",\"f\":\"read\"}\n{\"process\":0,\"type\":\"ok\"}".to_owned(),
            "line 2: value: is missing; what was found, or null if there was nothing, would do",
        ),
    ];
    for (json, expected) in cases {
        let error = error(&json, Model::CasRegister);
        assert!(error.starts_with(expected), "{json}\n{error}");
    }
    let put =
        |value: &str| format!("{{\"process\":0,\"type\":\"invoke\",\"f\":\"put\",\"key\":\"x\",\"value\":{value}}}");
    assert_eq!(
        error(&put("1").replace("\"key\":\"x\",", ""), Model::KeyValue),
        "line 1: key: is missing; a text or a number would do"
    );
    let append = put("\"a\"").replace("put", "append").replace(":0,", ":1,");
    assert!(error(&format!("{}\n{append}", put("1")), Model::KeyValue).contains("texts would do"));
    assert!(
        error(&append.replace("\"a\"", "7"), Model::KeyValue).contains("line 1: value: 7: the text to append would do")
    );
}

#[test]
fn history_reader_skips_nemesis_and_unknown_fields() {
    let json = r#"
        {"process":":nemesis","type":"info","f":"start","value":"cut","time":1}
        {"process":0,"type":":invoke","f":":write","value":1,"time":2,"index":7}

        {"process":0,"type":"ok","f":"write","value":1,"time":2,"error":null}
        {"process":"nemesis","type":"info","f":"start","time":3}
        {"process":1,"type":"invoke","f":"read","value":null,"time":4}
        {"process":1,"type":"ok","f":"read","value":null,"time":5}"#;
    let history = history::read(json, Model::Register).expect("it is one");
    let Verdict::Violated(counterexample) = judge(&history, Model::Register, Limits::default()).verdict else {
        panic!("1 is there")
    };
    let lines: Vec<u32> = counterexample.operations.iter().map(|shown| shown.operation.invocation.position).collect();
    assert_eq!(lines, [3, 7], "lines of the file");
}

#[test]
fn counterexample_diagram_shows_processes_over_time() {
    let short = "A write 1\n A ok\n B write 2\n C read\n C ok 2\n A read\n A ok 1\n B ok";
    let history = history::read(&lines(short), Model::Register).expect("it is one");
    let Verdict::Violated(counterexample) = judge(&history, Model::Register, Limits::default()).verdict else {
        panic!("1 after 2")
    };
    let drawn = counterexample::diagram(&history, Model::Register, &counterexample);
    let expected = "
process \"A\"                   ├─ read → 1 ─┤
process \"B\"  ├─────────── write 2 ───────────┤
process \"C\"    ├─ read → 2 ─┤
";
    assert_eq!(format!("\n{drawn}"), expected);
}

/// Text that is nearly a history.
fn nearly() -> impl Strategy<Value = String> {
    let word = |words: &'static [&'static str]| proptest::sample::select(words);
    let line = (
        word(&["0", "1", "2", "\"nemesis\"", "null", "\"a\""]),
        word(&["invoke", "invoke", "ok", "ok", "fail", "info", "none"]),
        word(&["read", "write", "cas", "get", "put", "append", "acquire", "release", "enqueue", "dequeue"]),
        word(&["null", "1", "2", "[1,2]", "\"x\"", "[null,1]", "{}", "true"]),
        word(&["", ",\"key\":1", ",\"key\":\"x\"", ",\"time\":3", ",\"time\":18446744073709551615"]),
    );
    let line = line.prop_map(|(process, kind, f, value, more)| {
        format!("{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value}{more}}}")
    });
    proptest::collection::vec(prop_oneof![20 => line, 1 => ".{0,20}"], 0..24).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bad lines give an error that names the line and are skipped, so that the rest is checked.
    #[test]
    fn history_reader_arbitrary_text_gives_error_or_verdict(text in nearly(), which in 0..Model::ALL.len(), steps in 0..5_000u64) {
        let model = Model::ALL[which];
        let mut reader = history::Reader::new(model);
        for line in text.lines() {
            if let Err(problem) = reader.line(line) {
                prop_assert!(problem.to_string().starts_with("line "), "{problem}");
            }
        }
        if let Ok(history) = reader.finish() {
            let judgement = judge(&history, model, Limits { steps, ..Limits::default() });
            if let Verdict::Violated(counterexample) = judgement.verdict {
                prop_assert!(!counterexample.operations.is_empty());
                prop_assert!(counterexample::diagram(&history, model, &counterexample).lines().count() >= 1);
            }
        }
    }
}
