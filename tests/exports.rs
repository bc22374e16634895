//! Exports of runs, read back by readers that know nothing of how they were written: a JSON parser, ShiViz's own regular expressions, an XML
//! parser, and the rules of Chrome's trace format and of the Informal Trace Format. They say what the run's own counters say.
//!
//! `tests/exports/` holds a small run in every format. After a change that is meant to change them: `UPDATE=1 cargo test --test exports`, and read
//! the difference.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::core::{Micros, NodeId};
use quorumscope::lab::export::{self, Export, FORMATS, Format, Options, Refusal, shiviz};
use quorumscope::lab::fuzz::FuzzRequest;
use quorumscope::lab::run::sequence::svg::Theme;
use quorumscope::lab::{Scenario, Session, presets};
use quorumscope::sim::{Action, What};
use regex_lite::Regex;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output};

fn preset(key: &str) -> Session {
    scenario(key, |_| {})
}

/// A built-in scenario with changes.
fn scenario(key: &str, change: impl FnOnce(&mut Value)) -> Session {
    let preset = presets::preset(key).expect("it is built in");
    let mut tree: Value = serde_json::from_str(preset.json).expect("JSON");
    change(&mut tree);
    let scenario: Scenario = serde_json::from_value(tree).expect("it can be read");
    Session::new(scenario).expect("it is valid")
}

fn format(key: &str) -> &'static Format {
    export::format(key).expect("there is such a format")
}

fn write(session: &Session, key: &str) -> String {
    let inspector = &session.checked().variant.inspector;
    export::write(format(key), session, inspector, &Options::default())
        .unwrap_or_else(|refusal| panic!("{key}: {refusal}"))
}

/// Runs to a time or for some hundred events, whichever is sooner, and counts the messages that were delivered on the way, those of clients included and those of a node to itself left out.
fn run_and_count_deliveries(session: &mut Session, until: Micros, most: u64) -> usize {
    let (mut deliveries, mut told) = (0, session.universe().trace().total());
    while session.universe().events() < most && session.run_until(until, 1) == 1 {
        let trace = session.universe().trace();
        let new = trace.records().rev().take_while(|(number, _)| *number >= told);
        let arrives = |what: What| matches!(what, What::Request | What::Answered);
        deliveries += new
            .filter(|(_, record)| arrives(record.what) || record.what == What::Delivered && record.node != record.peer)
            .count();
        told = trace.total();
    }
    deliveries
}

fn lines_of(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// JSON lines: a header, events in order, an end that counts what stands before it.
fn check_jsonl(text: &str, session: &Session, deliveries: usize, key: &str) {
    let lines = lines_of(text);
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    let universe = session.universe();
    assert_eq!(first["fingerprint"], format!("{:016x}", universe.fingerprint()), "{key}");
    assert_eq!(first["document"]["scenario"]["variant"], universe.variant().card.key);
    assert_eq!((&last["end"], &last["event"]), (&json!(true), &json!(universe.events())), "{key}");
    assert_eq!(
        (&last["asked"], &last["answered"]),
        (&json!(universe.counts().asked), &json!(universe.counts().answered))
    );
    let events = &lines[1..lines.len() - 1];
    let place = |line: &Value| (line["event"].as_u64().expect("a number"), line["time_us"].as_u64().expect("a time"));
    assert!(events.windows(2).all(|pair| place(&pair[0]) <= place(&pair[1])), "{key}: in order");
    let arrived =
        events.iter().filter(|line| ["delivered", "request", "answered"].contains(&line["kind"].as_str().unwrap()));
    let arrived = arrived.filter(|line| line["message"].is_object()).count();
    assert_eq!((arrived, last["delivered"].as_u64().unwrap() as usize), (deliveries, deliveries), "{key}");
    let lost = events.iter().filter(|line| line["kind"] == "lost" && line["message"].is_object()).count() as u64;
    assert!(lost <= last["messages"].as_u64().unwrap(), "{key}");
    for line in events.iter().filter(|line| line["kind"] == "delivered") {
        assert!(line["state"]["up"].is_boolean(), "{key}: {line}");
        let node = format!("node {}", line["node"]);
        assert!(line["message"].is_null() || line["message"]["to"] == node, "{key}: {line}");
    }
    // The last state told of each node is what can be seen of it.
    let mut states: BTreeMap<u64, &Value> = BTreeMap::new();
    for line in first["nodes"].as_array().unwrap() {
        states.insert(line["node"].as_u64().unwrap(), &line["state"]);
    }
    for line in events {
        if let (Some(node), state @ Value::Object(_)) = (line["node"].as_u64(), &line["state"]) {
            states.insert(node, state);
        }
        for (node, state) in line["others"].as_object().into_iter().flatten() {
            states.insert(node.parse().unwrap(), state);
        }
    }
    for node in 0..universe.nodes() {
        let (view, told) = (universe.node(NodeId(node)), states[&(u64::from(node) + 1)]);
        assert_eq!(told["up"], view.status.is_some(), "{key}: node {}", node + 1);
        if let Some(status) = view.status {
            let committed = json!([status.log.committed, status.log.applied, status.role, status.epoch.to_string()]);
            assert_eq!(
                json!([told["committed"], told["applied"], told["role"], told["epoch"]]),
                committed,
                "{key}: node {}",
                node + 1
            );
        }
    }
}

/// The cells of a table.
fn table(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("every row has the same cells")).collect();
    rows.iter().map(|row| row.iter().map(str::to_owned).collect()).collect()
}

fn check_tables(session: &Session, deliveries: usize, key: &str, copies: bool) {
    let counts = session.universe().counts();
    let rows = table(&write(session, "csv-requests"));
    assert_eq!(rows.len() as u64 - 1, counts.asked, "{key}: a row a request");
    let answered: Vec<_> = rows[1..].iter().filter(|row| !row[5].is_empty()).collect();
    assert_eq!(answered.len() as u64, counts.answered, "{key}");
    let samples = session.universe().samples();
    let mut latencies: Vec<u64> = samples.iter().flat_map(|log| log.iter().map(|(_, sample)| sample.latency)).collect();
    let mut told: Vec<u64> = answered.iter().map(|row| row[6].parse().expect("a latency")).collect();
    latencies.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, latencies, "{key}");
    let rows = table(&write(session, "csv-messages"));
    let number = |row: &[String], column: usize| row[column].parse::<u64>().expect("a number");
    let between: Vec<u64> = rows[1..].iter().filter(|row| row[1] == "nodes").map(|row| number(row, 2)).collect();
    // Copies that the network makes are messages, too, and what is dropped as it is sent is none; the run counts what nodes send.
    assert!(copies || between.iter().sum::<u64>() == counts.messages(), "{key}: {between:?}, {}", counts.messages());
    for row in &rows[1..] {
        assert_eq!(number(row, 2), (3..8).map(|column| number(row, column)).sum::<u64>(), "{key}: {row:?}");
    }
    assert_eq!(rows[1..].iter().map(|row| number(row, 3)).sum::<u64>(), deliveries as u64, "{key}");
}

/// The rules of Chrome's trace format, and those by which Perfetto binds flows to slices.
fn check_trace(text: &str, session: &Session, deliveries: usize, key: &str) {
    let trace: Value = serde_json::from_str(text).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("a list");
    let number =
        |event: &Value, field: &str| event[field].as_u64().unwrap_or_else(|| panic!("{key}: {field} of {event}"));
    let mut named = BTreeSet::new();
    let mut slices: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
    let mut flows: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for event in events {
        let thread = (number(event, "pid"), number(event, "tid"));
        assert!(event["name"].as_str().is_some_and(|name| !name.is_empty()), "{event}");
        number(event, "ts");
        match event["ph"].as_str().expect("a phase") {
            "M" => {
                let what = event["name"].as_str().unwrap();
                assert!(
                    ["process_name", "process_sort_index", "thread_name", "thread_sort_index"].contains(&what),
                    "{event}"
                );
                if what == "thread_name" {
                    assert!(named.insert(thread), "{key}: named twice: {event}");
                }
            }
            "X" => {
                assert!(named.contains(&thread), "{key}: {event} before its thread has a name");
                assert!(number(event, "dur") > 0, "{key}: nothing can be bound to {event}");
                slices
                    .entry(thread)
                    .or_default()
                    .push((number(event, "ts"), number(event, "ts") + number(event, "dur")));
            }
            "s" | "f" => {
                assert_eq!(event["bp"] == "e", event["ph"] == "f", "{event}");
                let at = number(event, "ts");
                let open = slices[&thread].iter().any(|(from, until)| (*from..*until).contains(&at));
                assert!(open, "{key}: no slice is open for {event}");
                flows.entry(number(event, "id")).or_default().push(event);
            }
            "C" => {
                assert!(event["args"].as_object().is_some_and(|args| args.values().all(Value::is_number)), "{event}")
            }
            "i" => assert!(["g", "t"].contains(&event["s"].as_str().unwrap_or_default()), "{event}"),
            other => panic!("{key}: {other}"),
        }
    }
    assert_eq!(flows.len(), deliveries, "{key}: a flow a delivery");
    for ends in flows.values() {
        let phases: BTreeSet<&str> = ends.iter().map(|end| end["ph"].as_str().unwrap()).collect();
        assert_eq!((ends.len(), phases), (2, BTreeSet::from(["f", "s"])), "{key}: {ends:?}");
        let at = |phase: &str| number(ends.iter().find(|end| end["ph"] == phase).unwrap(), "ts");
        assert!(at("s") <= at("f"), "{key}: {ends:?}");
    }
    for (thread, mut all) in slices {
        all.sort_by_key(|(from, until)| (*from, u64::MAX - until));
        let mut open: Vec<u64> = Vec::new();
        for (from, until) in all {
            open.retain(|end| *end > from);
            assert!(open.iter().all(|end| until <= *end), "{key}: slices of {thread:?} at {from} overlap");
            open.push(until);
        }
    }
    let last = |node: u8, what: &str| {
        let name = format!("node {} {what}", node + 1);
        events
            .iter()
            .rev()
            .find(|event| event["ph"] == "C" && event["name"] == name)
            .map(|event| event["args"][what].clone())
    };
    for node in 0..session.universe().nodes() {
        if let Some(status) = session.universe().node(NodeId(node)).status {
            assert_eq!(last(node, "committed"), Some(json!(status.log.committed)), "{key}: node {}", node + 1);
        }
    }
}

/// A host, its vector clock, and what happened.
type ClockedEvent = (String, BTreeMap<String, u64>, String);

/// Executions with their events, taken apart by the expressions in the file's head as ShiViz does it.
fn executions(text: &str) -> Vec<(String, Vec<ClockedEvent>)> {
    assert!(
        text.contains(&format!("\n# {}\n", shiviz::PARSER)) && text.contains(&format!("\n# {}\n", shiviz::DELIMITER))
    );
    let expression = |text: &str| Regex::new(&format!("(?m){text}")).expect("an expression");
    let (parser, delimiter) = (expression(shiviz::PARSER), expression(shiviz::DELIMITER));
    let labels: Vec<String> = delimiter.captures_iter(text).map(|found| found["trace"].to_owned()).collect();
    let parts: Vec<&str> = delimiter.split(text).collect();
    assert!(parts[0].trim().is_empty(), "ShiViz would take it for an execution: {}", parts[0]);
    let event = |found: regex_lite::Captures<'_>| {
        let clock = serde_json::from_str(&found["clock"]).expect("a clock is JSON");
        (found["host"].to_owned(), clock, found["event"].to_owned())
    };
    labels.into_iter().zip(parts[1..].iter().map(|part| parser.captures_iter(part).map(event).collect())).collect()
}

/// Each host counts its own events, and knows of others what it heard.
fn check_clocks(events: &[ClockedEvent], key: &str) {
    let mut clocks: BTreeMap<&str, &BTreeMap<String, u64>> = BTreeMap::new();
    for (host, clock, event) in events {
        let before = clocks.get(host.as_str());
        let own = before.map_or(0, |before| before[host]);
        assert_eq!(clock[host], own + 1, "{key}: {host}: {event}");
        for (other, value) in clock.iter().filter(|(other, _)| *other != host) {
            assert!(
                before.and_then(|before| before.get(other)).is_none_or(|before| before <= value),
                "{key}: {host} forgets"
            );
            // What it knows has happened: it stands further above.
            let happened = clocks.get(other.as_str()).map_or(0, |clock| clock[other]);
            assert!(*value <= happened, "{key}: {host} knows more of {other} than happened: {event}");
        }
        clocks.insert(host, clock);
    }
}

/// Whether a value is one of ADR 015's expressions.
fn is_expression(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Bool(_) => true,
        // Whole numbers are all written as big ones.
        Value::Number(_) | Value::Null => false,
        Value::Array(values) => values.iter().all(is_expression),
        Value::Object(fields) => match fields.iter().next() {
            Some((name, value)) if name.starts_with('#') => {
                let list = |value: &Value| value.as_array().is_some_and(|values| values.iter().all(is_expression));
                fields.len() == 1
                    && match name.as_str() {
                        "#bigint" => value.as_str().is_some_and(|digits| digits.parse::<i128>().is_ok()),
                        "#tup" | "#set" => list(value),
                        "#map" => value.as_array().is_some_and(|pairs| {
                            let keys: BTreeSet<String> = pairs.iter().map(|pair| pair[0].to_string()).collect();
                            let pair = |pair: &Value| list(pair) && pair.as_array().is_some_and(|pair| pair.len() == 2);
                            keys.len() == pairs.len() && pairs.iter().all(pair)
                        }),
                        _ => false,
                    }
            }
            _ => fields.values().all(is_expression) && fields.keys().all(|name| !name.starts_with('#')),
        },
    }
}

fn check_itf(text: &str, session: &Session, key: &str, waiting: bool) {
    let trace: Value = serde_json::from_str(text).expect("JSON");
    let vars: BTreeSet<&str> = trace["vars"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let states = trace["states"].as_array().expect("a list");
    for (index, state) in states.iter().enumerate() {
        assert_eq!(state["#meta"]["index"], index, "{key}");
        let fields: BTreeSet<&str> =
            state.as_object().unwrap().keys().map(String::as_str).filter(|name| *name != "#meta").collect();
        assert_eq!(fields, vars, "{key}: every variable in every state");
        assert!(fields.iter().all(|name| is_expression(&state[*name])), "{key}: {state}");
    }
    // The last state is that of the run.
    let last = &states[states.len() - 1];
    for node in 0..session.universe().nodes() {
        let of = |variable: &str| last[variable]["#map"][usize::from(node)][1].clone();
        let status = session.universe().node(NodeId(node)).status;
        assert_eq!(of("up"), status.is_some(), "{key}");
        let committed = status.map_or(0, |status| status.log.committed);
        assert_eq!(of("committed")["#bigint"], committed.to_string(), "{key}");
        let held = of("log")["#map"].as_array().map_or(0, Vec::len);
        let slots = status.map_or(0, |status| {
            (status.log.first..=status.log.last)
                .filter(|slot| session.universe().entry(NodeId(node), *slot).is_some())
                .count()
        });
        assert_eq!(held, slots, "{key}: the log of node {}", node + 1);
    }
    let mut flights = Vec::new();
    session.universe().flights(&mut flights);
    let on_way = flights.iter().filter(|flight| flight.from != flight.to).count();
    let told = last["messages"]["#set"].as_array().unwrap().len();
    // What has arrived at a node that is paused or busy is not in flight, and not handled either.
    assert!(told == on_way || waiting && told > on_way, "{key}: {told} of {on_way}");
}

/// A picture that stands by itself: well-formed, with a title, nothing from elsewhere, and texts that can be searched.
fn check_svg(text: &str, key: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{key}: {error}"));
    let root = document.root_element();
    assert_eq!(root.tag_name().namespace(), Some("http://www.w3.org/2000/svg"), "{key}");
    let (width, height): (f64, f64) =
        (root.attribute("width").unwrap().parse().unwrap(), root.attribute("height").unwrap().parse().unwrap());
    assert!(width >= 100.0 && height >= 100.0, "{key}");
    for node in document.descendants().filter(|node| node.is_element()) {
        assert!(
            !["image", "script", "foreignObject", "use"].contains(&node.tag_name().name()),
            "{key}: {}",
            node.tag_name().name()
        );
        assert!(node.attributes().all(|attribute| !attribute.name().contains("href")), "{key}");
    }
    let texts = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    let texts: Vec<String> = texts.map(|node| node.text().unwrap_or_default().to_owned()).collect();
    assert!(texts.iter().any(|text| !text.is_empty()), "{key}");
    texts
}

fn check_all(session: &Session, deliveries: usize, key: &str) {
    check_jsonl(&write(session, "jsonl"), session, deliveries, key);
    check_tables(session, deliveries, key, false);
    check_trace(&write(session, "chrome-trace"), session, deliveries, key);
    let executions = executions(&write(session, "shiviz"));
    assert_eq!(executions.len(), 1, "{key}");
    check_clocks(&executions[0].1, key);
    check_itf(&write(session, "itf"), session, key, false);
    for format in FORMATS.iter().filter(|format| format.is_picture) {
        let inspector = &session.checked().variant.inspector;
        match export::write(format, session, inspector, &Options::default()) {
            Ok(text) => drop(check_svg(&text, &format!("{key}, {}", format.key))),
            // Its many clients ask all at once.
            Err(refusal) => assert_eq!(key, "all-sites-write", "{refusal}"),
        }
    }
}

#[test]
fn every_format_of_every_built_in_scenario_says_what_the_run_counted() {
    for preset in presets::PRESETS {
        let mut session = self::preset(preset.key);
        // To the event, not to a round time.
        let until = session.checked().duration.min(1_000_000);
        // In one there are hundreds of messages under way at a time.
        let events = if preset.key == "all-sites-write" { 60 } else { 200 };
        let deliveries = run_and_count_deliveries(&mut session, until, events);
        check_all(&session, deliveries, preset.key);
    }
}

/// Faults of all kinds, also such as no protocol promises to survive: lies, twins, lost writes, messages that come twice or are dropped by hand.
#[test]
fn random_worlds_full_of_faults_are_exported_as_they_were() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (seeds, events) = (number("EXPORT_SEEDS", 1), number("EXPORT_EVENTS", 300));
    for variant in quorumscope::universe::variants() {
        let request =
            FuzzRequest { variant: variant.card.key.to_owned(), beyond_model: true, ..FuzzRequest::default() };
        let fuzzer = request.check().expect("a variant");
        for seed in 0..seeds {
            let key = format!("{} {seed}", variant.card.key);
            let mut session = Session::new(fuzzer.run(seed).scenario).expect("it has run");
            let duration = session.checked().duration;
            let deliveries = run_and_count_deliveries(&mut session, duration, events);
            check_jsonl(&write(&session, "jsonl"), &session, deliveries, &key);
            check_tables(&session, deliveries, &key, true);
            check_trace(&write(&session, "chrome-trace"), &session, deliveries, &key);
            check_clocks(&executions(&write(&session, "shiviz"))[0].1, &key);
            check_svg(&write(&session, "svg-stage"), &key);
            if events <= 400 {
                check_itf(&write(&session, "itf"), &session, &key, true);
            }
        }
    }
}

#[test]
fn names_with_quotes_brackets_and_line_breaks_break_no_format() {
    let mut session = scenario("one-winner", |tree| {
        let odd = "a\"b\\c <&> é, \u{1}\n=== x ===";
        tree["title"] = json!(odd);
        tree["matrix"] = Value::Null;
        tree["sites"] = json!([{ "id": "a\"b\\<&>", "name": odd }, { "id": "c,d", "name": "===" }]);
        tree["rtt_ms"] = json!([[0, 10], [10, 0]]);
        tree["replicas"] = json!(["a\"b\\<&>", "c,d", "c,d"]);
        tree["clients"] = json!([{ "site": "a\"b\\<&>", "commands": 2 }]);
        tree["script"] = json!([]);
        tree.as_object_mut().expect("a scenario").retain(|_, value| !value.is_null());
    });
    let deliveries = run_and_count_deliveries(&mut session, 400_000, 200);
    assert!(deliveries > 4);
    check_all(&session, deliveries, "odd names");
}

#[test]
fn crash_and_election_are_in_every_format() {
    let mut session = preset("leader-crash");
    let deliveries = run_and_count_deliveries(&mut session, 9_700_000, u64::MAX);
    check_trace(&write(&session, "chrome-trace"), &session, deliveries, "leader-crash");
    check_tables(&session, deliveries, "leader-crash", false);
    let lines = write(&session, "jsonl");
    check_jsonl(&lines, &session, deliveries, "leader-crash");
    assert!(lines_of(&lines).iter().any(|line| line["action"] == "crash node 1" && line["others"]["1"]["up"] == false));
    let events = &executions(&write(&session, "shiviz"))[0].1;
    check_clocks(events, "leader-crash");
    assert!(events.iter().any(|(host, _, event)| host == "node1" && event.starts_with("goes down")));
    let texts = check_svg(&write(&session, "svg-stage"), "leader-crash");
    assert!(texts.contains(&"down".to_owned()) && texts.contains(&"leader".to_owned()), "{texts:?}");
    let options = Options { from: Some(8_950_000), ..Options::default() };
    let inspector = &session.checked().variant.inspector;
    let diagram = export::write(format("svg-diagram"), &session, inspector, &options).expect("it can be drawn");
    let texts = check_svg(&diagram, "leader-crash");
    for wanted in ["crash node 1", "down", "leader, term 3", "RequestVote"] {
        assert!(texts.iter().any(|text| text == wanted), "{wanted}: {texts:?}");
    }
}

#[test]
fn slices_last_as_long_as_processors_take_and_lie_within_each_other_or_apart() {
    let costs = [("network", json!({ "processing": "2ms" })), ("cost", json!({ "receive": "300us", "send": "200us" }))];
    for (field, cost) in costs {
        let mut session = scenario("three-regions", |tree| tree[field] = cost.clone());
        let deliveries = run_and_count_deliveries(&mut session, 1_200_000, 400);
        let trace = write(&session, "chrome-trace");
        check_trace(&trace, &session, deliveries, &cost.to_string());
        let trace: Value = serde_json::from_str(&trace).unwrap();
        let longest = trace["traceEvents"].as_array().unwrap().iter().filter_map(|event| event["dur"].as_u64()).max();
        assert!(longest.is_some_and(|longest| longest >= 500), "{cost}: {longest:?}");
    }
}

#[test]
fn branches_are_executions_and_the_session_stays_where_it_is() {
    let mut session = preset("three-regions");
    session.seek_time(1_200_000);
    session.seek_time(900_000);
    session.act(Action::Crash(NodeId(4))).expect("it is up");
    session.seek_time(1_100_000);
    let (moment, fingerprint) = (session.moment(), session.universe().fingerprint());
    let log = write(&session, "shiviz");
    let executions = executions(&log);
    let labels: Vec<&str> = executions.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["branch 1", "branch 2, the present one"]);
    let crashes = |events: &[ClockedEvent]| {
        events.iter().filter(|(host, _, event)| host == "node5" && event.starts_with("goes down")).count()
    };
    assert_eq!([crashes(&executions[0].1), crashes(&executions[1].1)], [0, 1]);
    executions.iter().for_each(|(label, events)| check_clocks(events, label));
    assert_eq!((session.moment(), session.universe().fingerprint()), (moment, fingerprint));
    // What was done by hand is in the other formats, too, and only up to the present moment.
    let lines = write(&session, "jsonl");
    assert!(lines.contains("crash node 5") && lines_of(&lines).last().unwrap()["time_us"] == 1_100_000);
    let diagram = write(&session, "svg-diagram");
    assert!(diagram.contains(" to 1.1s, time to the right"), "to the moment, not to the last event before it");
    session.seek_time(800_000);
    assert!(!write(&session, "jsonl").contains("crash node 5"), "it is to come");
    // Between two things done at the same time.
    session.act(Action::Crash(NodeId(2))).expect("it is up");
    session.act(Action::Crash(NodeId(3))).expect("it is up");
    session.back();
    let lines = write(&session, "jsonl");
    assert!(lines.contains("crash node 3") && !lines.contains("crash node 4"));
}

#[test]
fn export_in_slices_is_the_same_as_at_once_and_the_same_twice() {
    let mut session = preset("three-regions");
    session.seek_time(1_500_000);
    let inspector = session.checked().variant.inspector;
    for format in FORMATS {
        let at_once = write(&session, format.key);
        let mut export = Export::new(format, &session, &inspector, &Options::default()).expect("it can be written");
        while !export.advance(&session, 7).expect("it is small") {}
        assert_eq!(export.finish(&session).expect("it is small"), at_once, "{}", format.key);
    }
    // A session that came to this moment another way has the same past.
    let mut other = preset("three-regions");
    other.seek_time(3_000_000);
    other.seek_time(1_500_000);
    for format in FORMATS.iter().filter(|format| format.key != "svg-stage") {
        assert_eq!(write(&other, format.key), write(&session, format.key), "{}", format.key);
    }
}

#[test]
fn counterexample_ends_in_the_state_that_violates() {
    let output = quorumscope(&[
        "check",
        "--variant",
        "synod",
        "--without",
        "adopt-highest-accepted",
        "--save",
        &temporary("found.toml"),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let trace: Value =
        serde_json::from_str(&prints(&["export", &temporary("found.toml"), "--format", "itf"])).expect("JSON");
    assert_eq!(trace["#meta"]["status"], "violation");
    let states = trace["states"].as_array().unwrap();
    let logs = &states[states.len() - 1]["log"]["#map"];
    let values: BTreeSet<String> =
        logs.as_array().unwrap().iter().map(|log| log[1]["#map"][0][1].to_string()).collect();
    assert!(values.len() > 1, "the nodes hold different values: {values:?}");
}

#[test]
fn pictures_are_light_dark_or_as_their_reader_has_it() {
    let mut session = preset("one-winner");
    session.seek_time(500_000);
    let inspector = &session.checked().variant.inspector;
    for format in FORMATS.iter().filter(|format| format.is_picture) {
        let of =
            |theme| export::write(format, &session, inspector, &Options { theme, from: None }).expect("it is small");
        let [auto, light, dark] = [Theme::Auto, Theme::Light, Theme::Dark].map(of);
        assert!(auto.contains("prefers-color-scheme") && !light.contains("prefers-color-scheme"), "{}", format.key);
        assert!(light.contains("--paper: #fbfaf6") && dark.contains("--paper: #15171b") && !dark.contains("#fbfaf6"));
    }
}

#[test]
fn too_much_is_refused_and_nothing_is_cut() {
    let mut session = preset("three-regions");
    session.seek(4_000);
    let options = Options { from: Some(0), ..Options::default() };
    let refusal =
        export::write(format("svg-diagram"), &session, inspector_of(&session), &options).expect_err("too many");
    assert!(matches!(refusal, Refusal::TooMuch { .. }) && refusal.to_string().contains("1500 messages"), "{refusal}");
    let refusal =
        export::write(format("svg-sequence"), &session, inspector_of(&session), &options).expect_err("too many");
    assert!(refusal.to_string().contains("400 messages"), "{refusal}");
}

fn inspector_of(session: &Session) -> &quorumscope::universe::inspect::Inspector {
    &session.checked().variant.inspector
}

#[test]
fn run_of_too_many_events_is_refused_with_its_own_exit_code() {
    // One replica and many clients near it: the events cost little.
    let crowd = r#"
        variant = "raft"
        sites = ["a"]
        rtt_ms = [[1]]
        replicas = ["a"]
        duration = "1h"
        [[clients]]
        site = "a"
        sessions = 1000
    "#;
    let file = temporary("crowd.toml");
    std::fs::write(&file, crowd).expect("it is written");
    let output = quorumscope(&["export", &file, "--format", "csv-messages"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{error}");
    assert!(error.contains("200000 events are the most, and there were more by"), "{error}");
}

#[test]
fn small_run_in_every_format_is_as_kept() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut session = preset("wiped-replica");
    session.seek_time(1_000_000);
    let mut wrong = Vec::new();
    for format in FORMATS {
        let file = format!("tests/exports/{}.{}", format.key, format.ending);
        let text = write(&session, format.key);
        if update {
            std::fs::create_dir_all("tests/exports").expect("a folder");
            std::fs::write(&file, &text).expect("it can be written");
        } else if std::fs::read_to_string(&file).ok().as_deref() != Some(&text) {
            wrong.push(file);
        }
    }
    assert!(wrong.is_empty(), "not as kept, UPDATE=1 cargo test --test exports writes them: {wrong:#?}");
}

#[test]
fn document_about_exports_tells_of_every_format() {
    let document = std::fs::read_to_string("docs/exports.md").expect("docs/exports.md");
    for format in FORMATS {
        assert!(document.contains(&format!("`{}`", format.key)), "{}", format.key);
    }
}

fn quorumscope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quorumscope")).args(arguments).output().expect("it starts")
}

fn prints(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = quorumscope(arguments);
    assert_eq!(status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("UTF-8")
}

fn temporary(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"))
}

#[test]
fn command_writes_what_the_library_writes_from_keys_files_and_links() {
    let mut session = preset("one-winner");
    session.seek_time(300_000);
    let file = temporary("one-winner.jsonl");
    let arguments = ["export", "one-winner", "--until", "300ms", "--format", "jsonl"];
    let printed = prints(&arguments);
    assert_eq!(printed, write(&session, "jsonl"));
    assert_eq!(prints(&[&arguments[..], &["--output", &file]].concat()), "");
    assert_eq!(std::fs::read_to_string(&file).expect("it is written"), printed);
    let link = prints(&["link", "one-winner"]);
    assert_eq!(prints(&["export", link.trim(), "--until", "300ms", "--format", "jsonl"]), printed);
}

#[test]
fn bad_flags_are_told_with_what_would_do() {
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["--format", "pdf"], 2, &["pdf", "jsonl", "chrome-trace", "svg-stage"]),
        (&[], 2, &["--format"]),
        (&["--format", "jsonl", "--until", "soon"], 2, &["--until: soon: a time with its unit would do"]),
        (&["--format", "jsonl", "--from", "1s"], 2, &["--from: jsonl is about the whole run"]),
        (
            &["--format", "svg-diagram", "--from", "2s", "--until", "1s"],
            2,
            &["--from: 2s: a time before the end, which is 1s, would do"],
        ),
        (&["--format", "jsonl", "--output", "/nowhere/at/all"], 4, &["--output: /nowhere/at/all: cannot be written"]),
        (
            &["--format", "svg-diagram", "--from", "0s", "--until", "19s"],
            3,
            &["1500 messages in a picture are the most"],
        ),
    ];
    for (flags, code, says) in cases {
        let output = quorumscope(&[&["export", "three-regions"], *flags].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{flags:?}: {error}");
        assert!(output.stdout.is_empty(), "{flags:?}");
        says.iter().for_each(|part| assert!(error.contains(part), "{flags:?}: {part} is not in {error}"));
    }
}
