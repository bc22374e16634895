//! The limits of memory and work, the exit codes, and what happens when the output cannot be written or the work is interrupted.

#![cfg(all(feature = "cli", not(target_arch = "wasm32")))]

use quorumscope::lab::run::{Ending, Run};
use quorumscope::lab::session::{MEMORY, Stopped};
use quorumscope::lab::{Replay, Session, link, text};
use serde_json::{Value, json};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn quorumscope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quorumscope")).args(arguments).stdin(Stdio::null()).output().expect("it starts")
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Five replicas in three regions and very many clients.
fn crowd(clients: Value, network: Value) -> Value {
    let group = |_| clients.clone();
    json!({
        "variant": "raft",
        "matrix": "aws",
        "sites": ["us-east-1", "us-west-2", "eu-west-1"],
        "replicas": ["us-east-1", "us-east-1", "us-west-2", "eu-west-1", "eu-west-1"],
        "clients": (0..32).map(group).collect::<Vec<Value>>(),
        "network": network,
        "seed": 5,
    })
}

/// Every message is lost, and every client asks again each millisecond: what is under way grows without an end.
fn overload() -> Value {
    crowd(json!({ "site": "us-east-1", "sessions": 1000, "retry": "1ms" }), json!({ "loss": "100%" }))
}

/// One replica that answers a thousand clients within a microsecond each.
const ZERO_ROUND_TRIP: &str = r#"
variant = "raft"
sites = ["a"]
rtt_ms = [[0]]
replicas = ["a"]
duration = "1h"

[[clients]]
site = "a"
sessions = 1000
"#;

fn session(tree: &Value) -> Session {
    Session::new(link::document(tree.clone()).expect("it can be read").scenario).expect("a good scenario")
}

#[test]
fn session_that_grows_without_an_end_stops_as_too_large_and_is_kept() {
    let mut session = session(&overload());
    session.limit_memory(48 << 20);
    let ran = session.run_until(u64::MAX, 50_000_000);
    assert!(ran < 10_000_000, "{ran}");
    let Some(Stopped::TooLarge { takes, most }) = session.stopped() else { panic!("{:?}", session.stopped()) };
    assert!(most == (48 << 20) / 8 * 4 && takes > most && takes < most * 2, "{takes} of {most}");
    let (_, copied) = session.checkpoints();
    assert!(copied <= 48 << 20 >> 2, "{copied}");
    // It is kept: it neither goes on nor is it lost, and going back is possible.
    let (there, moment) = (session.universe().fingerprint(), session.moment());
    assert!(!session.step() && session.moment() == moment);
    session.seek(moment.event / 2);
    assert_eq!((session.moment().event, session.stopped()), (moment.event / 2, None));
    // And it stops at the same event again.
    session.run_until(u64::MAX, 50_000_000);
    assert_eq!((session.moment(), session.universe().fingerprint()), (moment, there));
}

#[test]
fn checkpoints_of_a_large_world_are_fewer_and_stay_within_their_budget() {
    let mut session = session(&crowd(json!({ "site": "us-east-1", "sessions": 1000 }), json!({ "jitter": "2%" })));
    for _ in 0..8 {
        session.run_until(u64::MAX, 50_000);
        let (count, bytes) = session.checkpoints();
        assert!(bytes <= MEMORY / 4, "{count} checkpoints, {bytes} bytes");
        assert!(count < 60, "{count}: each takes megabytes");
    }
    let there = session.universe().fingerprint();
    session.seek(123_456);
    session.seek(400_000);
    assert_eq!(session.universe().fingerprint(), there);
}

#[test]
fn branches_of_a_large_world_share_the_budget_of_checkpoints() {
    use quorumscope::core::NodeId;
    use quorumscope::sim::Action;
    let mut session = session(&crowd(json!({ "site": "us-east-1", "sessions": 100 }), json!({})));
    session.limit_memory(24 << 20);
    for branch in 1..=5 {
        session.run_until(u64::MAX, 60_000);
        assert!(session.checkpoints().1 <= 6 << 20, "{:?}", session.checkpoints());
        session.seek(branch * 5_000);
        session.act(Action::Crash(NodeId(branch as u8 % 5))).expect("it runs");
    }
    assert_eq!(session.branches().len(), 6);
}

#[test]
fn link_to_a_moment_that_takes_too_much_is_refused_in_words() {
    // What is asked again each millisecond is under way for half a second.
    let mut scenario = overload();
    scenario["matrix"] = Value::Null;
    scenario["rtt_ms"] = json!([[0, 1000], [1000, 0]]);
    scenario["sites"] = json!(["us-east-1", "far"]);
    scenario["replicas"] = json!(["far"]);
    let tree = json!({ "scenario": scenario, "moment": { "event": 20_000_000, "at": "1h" } });
    let document = link::document(tree).expect("it can be read");
    let mut replay = Replay::new(&document).expect("a good scenario");
    let wrong = loop {
        match replay.advance(100_000) {
            Ok(done) => assert!(!done),
            Err(wrong) => break wrong.to_string(),
        }
    };
    assert!(wrong.starts_with("moment: event 20000000 at 1h: cannot be reached: at event "), "{wrong}");
    assert!(wrong.contains("too large: the run takes"), "{wrong}");
}

#[test]
fn sessions_are_bounded_together_with_replicas() {
    let mut tree = crowd(json!({ "site": "us-east-1", "sessions": 1000 }), json!({}));
    tree["replicas"] = vec!["us-east-1"; 15].into();
    let wrong = link::document(tree).expect("it can be read").scenario.check().expect_err("too many").to_string();
    assert_eq!(
        wrong,
        "clients: 32000 sessions with 15 replicas: 13333 sessions in all are the most with so many replicas"
    );
}

#[test]
fn run_that_takes_too_much_ends_with_what_was_found_and_exit_code_3() {
    let mut run = Run::new(&text::from_toml(ZERO_ROUND_TRIP).expect("TOML")).expect("a good scenario");
    run.limit_memory(8 << 20);
    while !run.advance(100_000).expect("nothing by hand") {}
    assert_eq!(run.ending(), Ending::TooLarge);
    let report = run.report();
    assert!(report.cut_short.starts_with("too large: the run takes") && !report.complete, "{}", report.cut_short);
    assert!(report.commands.answered > 1_000 && report.violations.is_empty());

    let file = std::env::temp_dir().join(format!("quorumscope-zero-{}.toml", std::process::id()));
    std::fs::write(&file, ZERO_ROUND_TRIP).expect("a temporary file");
    let name = file.to_str().expect("UTF-8");
    let told = quorumscope(&["run", name, "--memory", "16MiB"]);
    assert_eq!(told.status.code(), Some(3), "{}", words(&told));
    assert!(words(&told).contains("The run was cut short, too large: "), "{}", words(&told));
    let json = quorumscope(&["run", name, "--memory", "16MiB", "--json"]);
    let report: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!((json.status.code(), &report["complete"]), (Some(3), &Value::from(false)));
    let seeds = quorumscope(&["run", name, "--seeds", "0..3", "--memory", "48MiB", "--jobs", "3"]);
    assert_eq!(seeds.status.code(), Some(3), "{}", words(&seeds));
    assert!(words(&seeds).contains("3 were cut short: too large"), "{}", words(&seeds));
    let transcript = quorumscope(&["transcript", name, "--memory", "16MiB"]);
    assert_eq!(transcript.status.code(), Some(3));
    let _ = std::fs::remove_file(&file);
}

#[test]
fn search_and_fuzzing_that_take_too_much_end_with_exit_code_3() {
    let wide = "timers=any,crashes=any,losses=any,requests=5,states=100000000";
    let check = quorumscope(&["check", "--variant", "raft", "--bounds", wide, "--memory", "32MiB"]);
    assert_eq!(check.status.code(), Some(3), "{}", words(&check));
    assert!(
        words(&check).contains("Undecided, too large: 33 MB of memory did not suffice: nothing wrong in "),
        "{}",
        words(&check)
    );
    let json = quorumscope(&["check", "--variant", "raft", "--bounds", wide, "--memory", "32MiB", "--json"]);
    let finding: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!((json.status.code(), &finding["verdict"]), (Some(3), &Value::from("undecided")));
    assert!(finding["cut_short"].as_str().is_some_and(|why| why.starts_with("too large")), "{finding}");
    let fuzz = quorumscope(&["fuzz", "--variant", "raft", "--seeds", "0..10", "--memory", "16MiB", "--jobs", "100"]);
    assert_eq!(fuzz.status.code(), Some(3), "{}", words(&fuzz));
    assert!(words(&fuzz).contains("Too large, and not judged to their end: "), "{}", words(&fuzz));
}

#[cfg(target_os = "linux")]
#[test]
fn search_under_a_limit_of_the_shell_ends_with_exit_code_3_too() {
    let script = format!(
        "ulimit -v 400000; exec '{}' check --variant raft --bounds timers=any,crashes=any,losses=any,requests=5,states=100000000",
        env!("CARGO_BIN_EXE_quorumscope")
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("it starts");
    assert_eq!(output.status.code(), Some(3), "{}", words(&output));
}

#[test]
fn memory_that_is_no_size_is_refused() {
    for wrong in ["2", "lots", "-1GB", "1MB", "1e9GB", ""] {
        let output = quorumscope(&["list", &format!("--memory={wrong}")]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(words(&output).contains("--memory: "), "{}", words(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_exits_with_4() {
    let full = |arguments: &[&str]| {
        let device = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
        let output = Command::new(env!("CARGO_BIN_EXE_quorumscope"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(device)
            .stderr(Stdio::piped())
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {}", words(&output));
        assert!(words(&output).contains("error: cannot write: No space left on device"), "{}", words(&output));
    };
    let quick = ["run", "three-regions", "--set", "duration=1s"];
    full(&quick);
    full(&[&quick[..], &["--json"]].concat());
    full(&[&quick[..], &["--seeds", "0..3"]].concat());
    full(&["list"]);
    full(&["list", "--json"]);
    full(&["schema"]);
    full(&["link", "three-regions"]);
    full(&["transcript", "three-regions", "--until", "300ms"]);
    full(&["transcript", "three-regions", "--until", "300ms", "--json"]);
    full(&["check", "--variant", "raft", "--replicas", "2", "--bounds", "timers=0"]);
    full(&["check", "--variant", "raft", "--without", "one-vote", "--json"]);
    full(&["fuzz", "--variant", "raft", "--seeds", "0..2"]);
    full(&["fuzz", "--variant", "raft", "--seeds", "0..2", "--json"]);
    full(&["compare", "three-regions", "--variants", "raft", "--replicas", "3"]);
    full(&["diff", "three-regions", "--other-seed", "9"]);
    for (flag, arguments) in [
        ("--history", vec!["run", "three-regions", "--set", "duration=1s", "--history", "/dev/full"]),
        ("--history", vec!["run", "three-regions", "--set", "duration=1s", "--history", "/nowhere/at/all.jsonl"]),
        ("--save", vec!["fuzz", "--variant", "raft", "--seeds", "0..1", "--as-drawn", "--save", "/dev/full"]),
        ("--output", vec!["shrink", "tests/scenarios/broken.toml", "--budget", "1", "-o", "/dev/full"]),
    ] {
        if arguments[0] == "shrink" && !std::path::Path::new(arguments[1]).exists() {
            continue;
        }
        let output = quorumscope(&arguments);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {}", words(&output));
        assert!(words(&output).contains(&format!("error: {flag}: /")), "{}", words(&output));
    }
}

#[cfg(unix)]
#[test]
fn interrupted_work_tells_what_was_found_and_exits_with_130() {
    let flaw =
        ["--set", "membership=single-server", "--without", "change-after-own-commit", "--only", "members,isolate,heal"];
    let wide = "timers=any,crashes=any,losses=any,requests=5,states=100000000";
    for (arguments, found) in [
        (vec!["fuzz", "--variant", "raft", "--seeds", "0..1000000", "--jobs", "2"], "raft: "),
        (vec!["fuzz", "--variant", "raft", "--seeds", "0..1000000", "--json"], "\"runs\": "),
        // In three seconds it has found what is wrong, and shrinks it.
        ([&["fuzz", "--variant", "raft", "--seeds", "2088..2089"][..], &flaw].concat(), "One of them, shrunk"),
        (vec!["check", "--variant", "raft", "--bounds", wide], "Undecided, interrupted: nothing wrong in "),
        (vec!["check", "--variant", "raft", "--bounds", wide, "--json"], "\"cut_short\": \"interrupted\""),
    ] {
        let child = Command::new(env!("CARGO_BIN_EXE_quorumscope"))
            .args(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        std::thread::sleep(Duration::from_secs(3));
        let since = Instant::now();
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
        assert!(killed.success());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(130), "{arguments:?}: {}", words(&output));
        assert!(words(&output).contains(found), "{arguments:?}: {}", words(&output));
        assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    }
}
