//! The `quorumscope` command, as people and scripts use it.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn quorumscope(arguments: &[&str]) -> Output {
    given(arguments, "")
}

/// Runs the command with something on its standard input.
fn given(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_quorumscope"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// What it prints when all is well.
fn prints(arguments: &[&str]) -> String {
    let output = quorumscope(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

fn prints_json(arguments: &[&str]) -> Value {
    serde_json::from_str(&prints(arguments)).expect("JSON")
}

/// What it says when the input makes no sense: one error, on standard error, and nothing else.
fn refuses(arguments: &[&str]) -> String {
    let output = quorumscope(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stdout));
    assert!(output.stdout.is_empty(), "{arguments:?}: {}", text(&output.stdout));
    text(&output.stderr).to_owned()
}

#[test]
fn list_prints_variants_and_scenarios() {
    let all = prints(&["list"]);
    assert!(all.contains("raft ") && all.contains("three-regions "), "{all}");
    let one = prints(&["list", "raft"]);
    for part in ["AppendEntries", "Settings:", "Rules:", "2(n−1)", "Without it, "] {
        assert!(one.contains(part), "{part} is not in\n{one}");
    }
    let json = prints_json(&["list", "--json"]);
    assert!(json["variants"].as_array().is_some_and(|list| list.iter().any(|variant| variant["key"] == "raft")));
    assert!(json["scenarios"].as_array().is_some_and(|list| list[0]["key"] == "three-regions"));
    assert!(refuses(&["list", "rafd"]).contains("did you mean \"raft\"?"));
}

#[test]
fn schema_lists_variants_matrices_and_actions() {
    let schema = prints_json(&["schema"]);
    let variants = schema["properties"]["variant"]["enum"].as_array().expect("a list");
    assert!(variants.iter().any(|key| key == "raft"));
    assert!(schema["$defs"]["Fault"]["properties"]["do"]["enum"].as_array().expect("a list").len() > 10);
    assert_eq!(schema["additionalProperties"], false);
    let required: Vec<&Value> = schema["required"].as_array().expect("a list").iter().collect();
    assert_eq!(required, ["variant", "sites", "replicas"]);
}

#[test]
fn run_twice_gives_the_same_report() {
    let arguments = ["run", "three-regions", "--seed", "3", "--set", "duration=8s", "--json"];
    assert_eq!(prints(&arguments), prints(&arguments));
    let other = prints_json(&["run", "three-regions", "--seed", "4", "--set", "duration=8s", "--json"]);
    assert_ne!(prints_json(&arguments)["fingerprint"], other["fingerprint"]);
}

#[test]
fn report_counts_are_consistent() {
    let report = prints_json(&["run", "three-regions", "--json"]);
    let messages = &report["messages"];
    let sum = |list: &Value| list.as_array().expect("a list").iter().filter_map(Value::as_u64).sum::<u64>();
    let counts =
        |list: &Value| list.as_array().expect("a list").iter().filter_map(|entry| entry["count"].as_u64()).sum::<u64>();
    let total = messages["total"].as_u64().expect("a count");
    assert!(total > 1_000);
    assert_eq!(counts(&messages["by_kind"]), total);
    assert_eq!(sum(&messages["by_sender"]), total);
    assert_eq!(counts(&messages["between_sites"]), total);
    assert_eq!(sum(&messages["bytes_by_sender"]), messages["bytes"].as_u64().expect("a count"));
    assert_eq!(counts(&report["latency_us"]), report["commands"]["answered"].as_u64().expect("a count"));
    assert_eq!(report["time_us"], 20_000_000);
    assert_eq!(report["complete"], true);
    let latencies = report["latency_us"].as_array().expect("a list");
    assert_eq!(latencies.len(), 3);
    for site in latencies {
        let times = ["p50", "p90", "p99", "max"].map(|name| site[name].as_u64().expect("a time"));
        assert!(times.is_sorted() && times[0] > 0, "{site}");
    }
}

#[test]
fn link_replica_crash_raises_latency_to_an_ocean_round_trip() {
    let report = prints_json(&["run", "link-replica", "--json"]);
    let of = |site: &str, quantile: &str| {
        let sites = report["latency_us"].as_array().expect("a list");
        sites.iter().find(|entry| entry["site"] == site).expect("it has clients")[quantile].as_u64().expect("a time")
    };
    // The leader is in the centre: one round trip there and within, and one to the third-nearest replica, before the crash and after.
    assert_eq!((of("centre", "p50"), of("centre", "max")), (1_000 + 45_000, 1_000 + 105_000));
    assert_eq!((of("europe", "p50"), of("europe", "max")), (105_000 + 45_000, 105_000 + 105_000));
}

#[test]
fn run_with_violation_exits_with_1() {
    let broken = quorumscope(&["run", "two-winners", "--json"]);
    assert_eq!(broken.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&broken.stdout).expect("JSON all the same");
    assert_eq!(report["violations"][0]["property"], "Agreement");
    assert_eq!(prints_json(&["run", "one-winner", "--json"])["violations"], Value::Array(vec![]));
}

/// What `run --seeds` prints of each seed, as JSON.
fn lines_of_seeds(arguments: &[&str]) -> Vec<Value> {
    let output = quorumscope(&[&["run"], arguments, &["--json"]].concat());
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a JSON object on each line")).collect()
}

#[test]
fn run_seeds_prints_one_json_line_per_seed_equal_to_the_run_of_that_seed() {
    let arguments = ["leader-crash", "--seeds", "3..9", "--set", "duration=8s"];
    let lines = lines_of_seeds(&[&arguments[..], &["--jobs", "1"]].concat());
    assert_eq!(
        lines.iter().map(|line| line["seed"].as_u64()).collect::<Vec<_>>(),
        (3..9).map(Some).collect::<Vec<_>>()
    );
    assert_eq!(lines, lines_of_seeds(&[&arguments[..], &["--jobs", "4"]].concat()), "whatever the number of threads");
    for line in &lines {
        let seed = line["seed"].to_string();
        let one = prints_json(&["run", "leader-crash", "--seed", &seed, "--set", "duration=8s", "--json"]);
        assert_eq!(line["ended"], "duration");
        assert_eq!(line["liveness"]["Progress"], "not applicable", "the scenario states no bound");
        for field in ["fingerprint", "events", "leaders", "violations", "history"] {
            assert_eq!(line[field], one[field], "{field} of seed {seed}");
        }
        assert_eq!(line["answered"], one["commands"]["answered"]);
        assert_eq!(line["latency_by_site_us"], one["latency_us"]);
        let counts =
            one["latency_us"].as_array().expect("sites").iter().map(|site| site["count"].as_u64().expect("a count"));
        assert_eq!(line["latency_us"]["count"].as_u64(), Some(counts.sum()));
    }
    assert!(lines.windows(2).any(|pair| pair[0]["leaders"] != pair[1]["leaders"]), "seeds differ");
}

#[test]
fn run_seeds_exits_with_1_if_any_seed_violates_a_property() {
    let output = quorumscope(&["run", "two-winners", "--seeds", "0..5"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let table = text(&output.stdout);
    assert!(table.contains("Agreement") && table.contains("5 runs;"), "{table}");
    let bound = ["--set", "recovery.from=1s", "--set", "recovery.within=5s", "--set", "duration=8s"];
    let verdict = |crashes: &str| {
        let script = format!("script=[{crashes}]");
        let lines = lines_of_seeds(&[&["three-regions", "--seeds", "1..2", "--set", &script], &bound[..]].concat());
        lines[0]["liveness"]["Progress"].clone()
    };
    assert_eq!(verdict(""), "held");
    let crash = |node| format!("{{\"at\": \"1ms\", \"do\": \"crash\", \"node\": {node}}}");
    assert_eq!(verdict(&[crash(1), crash(2), crash(3)].join(", ")), "violated");
}

#[test]
fn run_seeds_refuses_invalid_ranges_and_flags_about_one_run() {
    for (arguments, expected) in [
        (&["--seeds", "9..3"][..], "--seeds: 9..3: two numbers"),
        (&["--seeds", "0..9007199254740993"], "two numbers up to 9007199254740991"),
        (&["--seeds", "0..3", "--seed", "1"], "cannot be used with"),
        (&["--seeds", "0..3", "--history", "x.jsonl"], "cannot be used with"),
        (&["--jobs", "3"], "--seeds"),
    ] {
        let error = refuses(&[&["run", "leader-crash"], arguments].concat());
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn run_reports_what_came_of_checking_each_property() {
    let finding = |arguments: &[&str], property: &str| {
        let output = quorumscope(&[&["run"], arguments, &["--json"]].concat());
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let all = report["properties"].as_array().expect("a list").clone();
        all.iter().find(|one| one["property"] == property).map(|one| one["finding"].as_str().expect("text").to_owned())
    };
    let found = |arguments: &[&str], property: &str| finding(arguments, property).unwrap_or_default();
    assert_eq!(found(&["three-regions"], "Log Matching"), "held");
    assert_eq!(found(&["three-regions"], "Linearizability"), "held");
    assert_eq!(found(&["three-regions"], "Progress"), "not applicable", "no bound is stated");
    assert_eq!(found(&["three-regions"], "One holder at a time"), "never exercised", "nobody takes a lock");
    assert_eq!(found(&["two-winners"], "Agreement"), "violated");
    assert_eq!(found(&["two-winners"], "One leader an epoch"), "not applicable", "nobody leads");
}

#[test]
fn run_reports_outages() {
    let report = prints_json(&["run", "leader-crash", "--json"]);
    let outages = report["outages"].as_array().expect("a list");
    let crash = outages.last().expect("the crash at 9 s");
    assert!(crash["from_us"].as_u64().expect("a time").abs_diff(9_000_000) < 200_000, "{crash}");
    assert!(report["leaders"].as_array().expect("a list").len() >= 3);
    let clear_link_faults = prints_json(&["run", "three-regions", "--json"]);
    let late = |outage: &Value| outage["to_us"].as_u64() > Some(3_000_000);
    assert!(
        !clear_link_faults["outages"].as_array().expect("a list").iter().any(late),
        "{}",
        clear_link_faults["outages"]
    );
}

#[test]
fn scenario_is_read_from_file_preset_link_or_standard_input() {
    let fingerprint = |output: &Output| {
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        report["fingerprint"].as_str().expect("one").to_owned()
    };
    let preset = fingerprint(&quorumscope(&["run", "one-winner", "--json"]));
    for file in ["scenarios/one-winner.toml", "scenarios/one-winner.json"] {
        assert_eq!(fingerprint(&quorumscope(&["run", file, "--json"])), preset, "{file}");
        let content = std::fs::read_to_string(file).expect("readable");
        assert_eq!(fingerprint(&given(&["run", "-", "--json"], &content)), preset, "{file}");
    }
    let link = prints(&["link", "one-winner"]);
    assert!(link.starts_with("#s=1.") && link.trim().len() < 600, "{link}");
    let address = format!("https://example.org/lab/?embed{}&x=1", link.trim());
    assert_eq!(fingerprint(&quorumscope(&["run", link.trim(), "--json"])), preset);
    assert_eq!(fingerprint(&quorumscope(&["run", &address, "--json"])), preset);
    assert_eq!(fingerprint(&given(&["run", "-", "--json"], &link)), preset);
}

#[test]
fn set_changes_a_value_of_the_scenario() {
    let report = prints_json(&[
        "run",
        "two-winners",
        "--set",
        "settings.winner_refuses=true",
        "--set",
        "settings.follower_cannot_win=true",
        "--set",
        "title=Repaired",
        "--set",
        "network.loss=0%",
        "--set",
        "clients[0]={\"site\":\"OR\"}",
        "--set",
        "clients[1].site=CA",
        "--json",
    ]);
    assert_eq!(report["title"], "Repaired");
    assert_eq!(report["latency_us"].as_array().expect("a list").len(), 2);
}

#[test]
fn invalid_input_exits_with_2_and_one_error() {
    let cases: &[(&[&str], &str)] = &[
        (&["run", "three-regoins"], "there is no file \"three-regoins\"; did you mean \"three-regions\"?"),
        (&["run", "Cargo.lock"], "Cargo.lock: a scenario's file ends in .toml or .json"),
        (&["run", "src"], "src: cannot be read"),
        (&["run", "#s=1.abc"], "the link: this link is damaged"),
        (&["run", "-"], "standard input: variant: is missing, and needed"),
        (&["run", "three-regions", "--set", "seed"], "--set seed: write it as path=value"),
        (&["run", "three-regions", "--set", "clients[7].think=1s"], "[0] to [3] would do"),
        (&["run", "three-regions", "--set", "seed.x=1"], "there are no fields here"),
        (&["run", "three-regions", "--set", "title[0]=1"], "there is no list here"),
        (&["run", "three-regions", "--set", "seed=-1"], "three-regions: seed: -1: a whole number from 0 up would do"),
        (&["run", "three-regions", "--set", "clients[0].rat=1"], "clients[0].rat: is no field; did you mean \"rate\"?"),
        (&["run", "three-regions", "--set", "duration=0s"], "duration: 0s: 1us to 24h would do"),
        (&["compare", "three-regions", "--variants", "rfat"], "--variants: \"rfat\": did you mean \"raft\"?"),
        (&["compare", "three-regions", "--replicas", "0"], "--replicas: 0: 1 to 15 would do"),
        (&["compare", "three-regions", "--csv", "--json"], "cannot be used with"),
        (&["transcript", "one-winner", "--until", "soon"], "--until: soon: a time with its unit would do"),
        (&["sequence", "one-winner", "--until", "soon"], "--until: soon: a time with its unit would do"),
        (
            &["sequence", "three-regions", "--from", "2s", "--until", "1s"],
            "--until: 1s: a time after --from, which is 2s",
        ),
        (&["sequence", "three-regions", "--from", "2h", "--until", "3h"], "--from: "),
        (&["sequence", "three-regions", "--from", "1s", "--until", "1h"], "--until: 1h: "),
        (&["sequence", "three-regions", "--until", "9s"], "400 messages by "),
        (&["sequence", "three-regions", "--until", "1s", "--nodes", "6"], "--nodes: 6: there are nodes 1 to 5"),
        (&["sequence", "three-regions", "--until", "1s", "--nodes", "leader"], "--nodes: leader: numbers from 1 to "),
        (&["sequence", "nowhere", "--until", "1s"], "nowhere"),
        (&["run"], "required"),
    ];
    for (arguments, expected) in cases {
        let error = refuses(arguments);
        assert!(error.starts_with("error: ") && error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn compare_prints_formula_and_whether_it_is_exact() {
    let table = prints(&["compare", "three-regions", "--variants", "raft", "--replicas", "3,5"]);
    let line = |n: &str| {
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        lines.into_iter().find(|words| words.len() > 5 && words[0] == "Raft" && words[1] == n).expect("a line")
    };
    assert_eq!(line("3")[2..6], ["4", "2(n−1)", "4", "yes"]);
    assert_eq!(line("5")[2..6], ["8", "2(n−1)", "8", "yes"]);
    let csv = prints(&["compare", "three-regions", "--variants", "raft", "--replicas", "7", "--csv"]);
    assert!(
        csv.contains("raft,7,AppendEntries,6,,,\n") && csv.contains("raft,7,total,12,\"2(n−1)\",12,true\n"),
        "{csv}"
    );
}

#[test]
fn compare_set_is_checked_against_the_variants_compared() {
    // The scenario is Raft's, which has no such setting.
    let table = prints(&["compare", "three-regions", "--replicas", "3", "--set", "settings.commit=explicit"]);
    assert!(table.contains("messages per read") && table.contains("n/a"), "{table}");
    let none = ["compare", "three-regions", "--variants", "raft", "--set", "settings.commit=explicit"];
    let error = refuses(&none);
    assert!(error.contains("--set commit: \"explicit\": the settings of the variants compared are"), "{error}");
}

#[test]
fn sequence_draws_a_part_of_a_run_in_characters_sentences_and_as_a_picture() {
    let part = ["sequence", "three-regions", "--from", "3s", "--until", "3.3s"];
    let drawn = prints(&part);
    assert!(drawn.contains("├─AppendEntries, s") && drawn.contains("Node 5"), "{drawn}");
    let told = prints(&[&part[..], &["--format", "sentences"]].concat());
    assert!(told.lines().all(|line| line.contains(" ms: ") && line.ends_with('.')), "{told}");
    let picture = prints(&[&part[..], &["--format", "svg"]].concat());
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n") && picture.contains("<title "), "{picture}");
    let few = prints(&[&part[..], &["--nodes", "1, 3", "--no-heartbeats"]].concat());
    assert!(few.contains("Node 3") && !few.contains("Node 2") && few.len() < drawn.len(), "{few}");
    // A link stands for a run up to its moment.
    let link = prints(&["link", "three-regions"]);
    assert_eq!(prints(&["sequence", link.trim(), "--from", "3s", "--until", "3.3s"]), drawn);
}

#[test]
fn transcript_prints_events() {
    let told = quorumscope(&["transcript", "two-winners", "--until", "100ms"]);
    assert_eq!(told.status.code(), Some(0), "the second winner comes later: {}", text(&told.stderr));
    let told = text(&told.stdout);
    assert!(told.contains("Propose") && told.contains("Promise"), "{told}");
}

#[test]
fn state_describes_a_moment_in_words_and_as_json() {
    let told = prints(&["state", "leader-crash", "--at", "9.7s"]);
    assert!(
        told.contains("Who leads\n  Node 2, in Virginia, leads term 3 since 9.510 s, for 190 ms.\n  Why: "),
        "{told}"
    );
    assert!(told.contains("\n  Node 1, in Virginia: down.\n"), "{told}");
    let parts = prints_json(&["state", "leader-crash", "--at", "9.7s", "--json"]);
    assert_eq!(parts["time_us"], 9_700_000);
    assert_eq!(parts["parts"][2]["title"], "Who leads");
    // Without a moment: the scenario's end; of a link: its moment.
    assert!(prints(&["state", "leader-crash"]).contains("20.000 s since the start"));
    assert!(refuses(&["state", "leader-crash", "--at", "soon"]).contains("--at: soon"));
}

#[test]
fn progress_bar_is_absent_without_terminal() {
    // Long enough for a bar to appear on a terminal; `prints` expects nothing on standard error.
    let report = prints_json(&["run", "three-regions", "--set", "duration=1h", "--json"]);
    assert_eq!(report["complete"], true);
}

#[test]
fn check_saves_the_violation_as_a_scenario_that_run_violates_again() {
    let file = std::env::temp_dir().join(format!("quorumscope-check-{}.toml", std::process::id()));
    let name = file.to_str().expect("a name in UTF-8");
    let check = |rest: &[&str]| {
        text(&quorumscope(&[&["check", "--variant", "synod", "--save", name], rest].concat()).stdout).to_owned()
    };
    let broken = ["--without", "adopt-highest-accepted", "--bounds", "timers=0", "--property", "Agreement"];
    assert!(check(&broken).contains(&format!("As a scenario: quorumscope run {name}")));
    let run = quorumscope(&["run", name]);
    std::fs::remove_file(&file).expect("it was written");
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stdout).contains("Agreement by nodes 1, 2, slot 1"), "{}", text(&run.stdout));
    assert!(
        check(&["--replicas", "2", "--bounds", "timers=0"]).contains("No scenario was written: nothing is violated.")
    );
    assert!(!file.exists());
}

#[test]
fn check_exit_code_gives_the_verdict() {
    let check = |rest: &[&str]| {
        let output = quorumscope(&[&["check", "--variant", "synod", "--json"], rest].concat());
        let finding: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        (output.status.code(), finding)
    };
    let (code, safe) = check(&["--replicas", "2", "--bounds", "timers=0"]);
    assert_eq!((code, &safe["verdict"], &safe["trace"]), (Some(0), &Value::from("safe"), &Value::Array(vec![])));
    assert_eq!((&safe["bounds"]["timers"], &safe["replicas"]), (&Value::from("0"), &Value::from(2)));
    let (code, violated) =
        check(&["--without", "adopt-highest-accepted", "--bounds", "timers=0", "--property", "Agreement"]);
    assert_eq!((code, &violated["verdict"]), (Some(1), &Value::from("violated")));
    assert_eq!(violated["violation"]["nodes"], serde_json::json!([1, 2]));
    assert_eq!(violated["trace"].as_array().map(Vec::len), Some(10));
    let (code, undecided) = check(&["--bounds", "states=100"]);
    assert_eq!((code, &undecided["verdict"]), (Some(3), &Value::from("undecided")));
}

#[test]
fn check_via_reaches_goals_in_order() {
    let bounds = "timers=1,requests=0,lost=RequestVoteRefusal+AppendEntriesRefusal+Heartbeat+HeartbeatReply";
    let raft = ["check", "--variant", "raft", "--set", "pre_vote=false", "--bounds", bounds];
    let check = |rest: &[&str]| {
        let output = quorumscope(&[&raft, rest].concat());
        (output.status.code(), text(&output.stdout).to_owned())
    };
    let (code, told) = check(&["--without", "one-vote", "--via", "leader=2,leader=1"]);
    assert!(code == Some(1) && told.contains("By way of: leader=2, leader=1"), "{told}");
    assert!(told.contains("★ leader=2: reached"), "{told}");
    let (code, told) = check(&["--via", "crashed"]);
    assert!(code == Some(3) && told.contains("the goal crashed was not reached in"), "{told}");
    let goals = ["held=1", "held=1@1", "held=1x2", "held=1x3@1", "held=1x3@2.1"].map(str::to_owned);
    let (code, told) = check(&["--via", &goals.join(","), "--json"]);
    let finding: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &finding["reached"]), (Some(3), &Value::from(4)));
    assert_eq!(finding["via"], serde_json::json!(goals));
    let (code, told) = check(&["--via", "leader,epoch=9", "--json"]);
    let finding: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &finding["verdict"], &finding["reached"]), (Some(3), &Value::from("undecided"), &Value::from(1)));
    assert_eq!(finding["via"], serde_json::json!(["leader", "epoch=9"]));
}

#[test]
fn check_prints_the_trace_of_a_violation() {
    let output = quorumscope(&["check", "--variant", "notes", "--bounds", "requests=0"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    for part in [
        "Violated: Agreement by nodes 2, 3, slot 1",
        "takes 6 events",
        "   5  2 ← 3  Propose",
        "3 applies slot 1: elect 3",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}

#[test]
fn check_refuses_invalid_flags() {
    let cases: &[(&[&str], &str)] = &[
        (&["--variant", "synd"], "--variant: \"synd\": did you mean \"synod\"?"),
        (&["--variant", "synod", "--replicas", "0"], "--replicas: 0 replicas: 1 to 15 would do"),
        (&["--variant", "synod", "--without", "learn"], "is nothing without this rule"),
        (&["--variant", "synod", "--set", "q1=x"], "--set q1: "),
        (&["--variant", "synod", "--set", "q1=1"], "--set q1: q1 + q2 must be more than all replicas"),
        (&["--variant", "synod", "--bounds", "crash=1"], "--bounds: \"crash\": did you mean \"crashes\"?"),
        (&["--variant", "synod", "--bounds", "crashes"], "--bounds crashes: crashes: write it as key=value"),
        (
            &["--variant", "synod", "--bounds", "crashes=-1"],
            "--bounds crashes: -1: a whole number from 0 to 255, or any",
        ),
        (&["--variant", "synod", "--bounds", "at=4"], "--bounds at: 4: up to 8 nodes from 1 to 3, or any"),
        (
            &["--variant", "synod", "--bounds", "at=1+2,requests=3"],
            "--bounds requests: 3: \"at\" names a node for each of them; leave one of the two out",
        ),
        (
            &["--variant", "synod", "--bounds", "reads=1"],
            "--bounds reads: 1: Synod (single-decree Paxos) agrees on one value",
        ),
        (&["--variant", "raft", "--bounds", "transfers=4"], "--bounds transfers: 4: up to 8 nodes from 1 to 3"),
        (&["--variant", "raft", "--bounds", "members=1.x"], "--bounds members: 1.x: up to 8 sets of nodes"),
        (
            &["--variant", "synod", "--bounds", "members=1.2"],
            "--bounds members: 1.2: Synod (single-decree Paxos) cannot change",
        ),
        (&["--variant", "raft", "--bounds", "symmetry=yes"], "--bounds symmetry: yes: on or off would do"),
        (&["--variant", "raft", "--via", "leeder"], "--via: \"leeder\": "),
        (&["--variant", "raft", "--via", "leader=4"], "--via: \"leader=4\": a node from 1 to 3 would do"),
        (&["--variant", "raft", "--via", "leader=1@x"], "--via: \"leader=1@x\": an epoch from 1 on would do after @"),
        (&["--variant", "raft", "--via", "chosen"], "--via: \"chosen\": chosen=N with N from 1 on would do"),
        (&["--variant", "raft", "--via", "held"], "--via: \"held\": a slot, as in held=1, "),
        (&["--variant", "raft", "--via", "held=1x4"], "--via: \"held=1x4\": a slot, as in held=1, "),
        (&["--variant", "raft", "--via", "held=1@1.4"], "--via: \"held=1@1.4\": a slot, as in held=1, "),
        (&["--variant", "raft", "--via", "violated=Agrement"], "did you mean \"Agreement\"?"),
        (&["--variant", "synod", "--bounds", "lost=Nak"], "--bounds lost: Nak: did you mean \"Nack\"?"),
        (&["--variant", "synod", "--property", "Agrement"], "--property: \"Agrement\": did you mean \"Agreement\"?"),
    ];
    for (arguments, expected) in cases {
        let error = refuses(&[&["check"], *arguments].concat());
        assert!(error.starts_with("error: ") && error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn linearize_exit_code_gives_the_verdict() {
    let event = |process: u32, kind: &str, f: &str, value: &str| {
        format!("{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value}}}\n")
    };
    let mut history = event(0, "invoke", "write", "1") + &event(0, "ok", "write", "1");
    history += &event(1, "invoke", "read", "null");
    let told = |value: &str| history.clone() + &event(1, "ok", "read", value);
    let judge = |input: &str, more: &[&str]| {
        let arguments = [&["linearize", "-", "--model", "cas-register"], more].concat();
        let output = given(&arguments, input);
        (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
    };
    let (code, out, _) = judge(&told("1"), &[]);
    assert!(code == Some(0) && out.starts_with("linearizable: 2 operations on 1 key"), "{out}");
    let (code, out, _) = judge(&told("null"), &[]);
    assert!(code == Some(1) && out.contains("├─ write 1 ─┤") && out.contains("├─ read → null ─┤"), "{out}");
    let (code, out, _) = judge(&told("null"), &["--json"]);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &report["verdict"]), (Some(1), &Value::from("not linearizable")));
    assert_eq!(report["window"]["operations"][1]["answered_line"], 4);
    let twice = told("1") + &event(0, "invoke", "write", "1") + &event(0, "ok", "write", "1");
    let (code, out, _) = judge(&twice, &["--budget", "1"]);
    assert!(code == Some(3) && out.contains("because the budget of steps is used up"), "{out}");
    let (code, out, error) = judge(&told("{"), &[]);
    assert!(code == Some(2) && out.is_empty() && error.starts_with("error: standard input: line 4: "), "{error}");
    let missing = refuses(&["linearize", "nowhere.jsonl", "--model", "kv"]);
    assert!(missing.contains("there is no file \"nowhere.jsonl\""), "{missing}");
    assert!(refuses(&["linearize", "-", "--model", "kvs"]).contains("kv"));
}

#[test]
fn history_of_a_run_is_accepted_by_linearize() {
    let file = format!("{}/history.jsonl", env!("CARGO_TARGET_TMPDIR"));
    let told = prints(&["run", "lock-fenced", "--history", &file]);
    assert!(told.ends_with("--model fenced-lock\n"), "{told}");
    let judged = prints(&["linearize", &file, "--model", "fenced-lock"]);
    assert!(judged.starts_with("linearizable"), "{judged}");
    // Two hold the lock at once: the run's own judge says so, and so does the history.
    let output = quorumscope(&["run", "lock-unfenced", "--history", &file]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("One holder at a time"));
    let judged = quorumscope(&["linearize", &file, "--model", "fenced-lock"]);
    assert_eq!(judged.status.code(), Some(1), "{}", text(&judged.stdout));
    assert!(text(&judged.stdout).contains("write 5"), "{}", text(&judged.stdout));
    let refused = refuses(&["run", "barrier", "--history", &file]);
    assert!(refused.contains("those of the services kv, lock and config would do"), "{refused}");
    // Items whose borrowers have died come again, which no plain queue does, and this one may.
    let told = prints(&["run", "queue-lease"]);
    assert!(told.contains("Violations: 0; what clients saw is what a queue promises"), "{told}");
    assert!(refuses(&["run", "queue-lease", "--history", &file]).contains("a queue whose items are done with before"));
}

#[test]
fn rtt_flag_replaces_the_round_trips() {
    let own = prints_json(&["run", "five-regions", "--rtt", "data/rtt/pql_table1.csv", "--json"]);
    let built_in = prints_json(&["run", "five-regions", "--json"]);
    assert_eq!(own["fingerprint"], built_in["fingerprint"]);
    let error = refuses(&["run", "three-regions", "--rtt", "data/rtt/pql_table1.csv"]);
    assert!(error.contains("--rtt: sites[0]: us-east-1: is not in the table; the places there are JP, CA"), "{error}");
    let error = refuses(&["run", "three-regions", "--rtt", "Cargo.toml"]);
    assert!(error.contains("--rtt: Cargo.toml: row 1: 0 places: 1 to 1000 would do"), "{error}");
    let error = refuses(&["run", "three-regions", "--rtt", "nowhere.csv"]);
    assert!(error.contains("--rtt: nowhere.csv: cannot be read"), "{error}");
}

#[test]
fn fuzz_reports_merge_and_invalid_flags_are_refused() {
    let fuzz = |seeds: &'static str| prints(&["fuzz", "--variant", "synod", "--seeds", seeds, "--jobs", "1", "--json"]);
    let folder = env!("CARGO_TARGET_TMPDIR");
    let files = ["0..4", "4..9"].map(|seeds| (seeds, format!("{folder}/synod-{seeds}.json")));
    for (seeds, file) in &files {
        std::fs::write(file, fuzz(seeds)).expect("a folder of our own");
    }
    let merged = prints(&["fuzz", "--merge", &files[1].1, &files[0].1, "--json"]);
    assert_eq!(merged, fuzz("0..9"));
    let twice = refuses(&["fuzz", "--merge", &files[0].1, &files[0].1]);
    assert!(twice.contains("seeds"), "{twice}");
    for (arguments, expected) in [
        (&["--variant", "raft", "--seeds", "9..3"][..], "--seeds: 9..3: two numbers"),
        (&["--variant", "rafd", "--seeds", "0..3"], "did you mean \"raft\"?"),
        (&["--variant", "raft", "--seeds", "0..3", "--without", "one-vot"], "did you mean \"one-vote\"?"),
        (&["--variant", "raft", "--seeds", "0..3", "--only", "crush"], "did you mean \"crash\"?"),
    ] {
        let error = refuses(&[&["fuzz"], arguments].concat());
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn shrink_keeps_the_violated_property() {
    let file = format!("{}/small.toml", env!("CARGO_TARGET_TMPDIR"));
    let broken = quorumscope(&["shrink", "two-winners", "-o", &file]);
    assert!(broken.stderr.is_empty(), "{}", text(&broken.stderr));
    let output = quorumscope(&["run", &file, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report: Value = serde_json::from_str(text(&output.stdout)).expect("JSON");
    assert_eq!(report["violations"][0]["property"], "Agreement");
    let error = refuses(&["shrink", "three-regions"]);
    assert!(error.contains("three-regions"), "{error}");
}

#[test]
fn diff_prints_the_first_differing_event() {
    assert!(prints(&["diff", "duel", "duel"]).contains("No difference"));
    let output = quorumscope(&["diff", "duel", "--other-seed", "2", "--context", "1"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("then different"), "{}", text(&output.stdout));
}
