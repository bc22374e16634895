//! What shrinking leaves is needed: whatever else a scenario says is gone.

use quorumscope::lab::fault::Nodes;
use quorumscope::lab::fuzz::violation;
use quorumscope::lab::shrink::shrink;
use quorumscope::lab::{Scenario, text};

/// One replica without a durable log executes other commands after it started again. `{…}` is where more is said.
const FORGETS: &str = r#"
variant = "raft"
without = ["log-is-durable"]
duration = "2s"
{world}
[[clients]]
{client}
commands = 200
retry = "100ms"
[[script]]
at = "400ms"
do = "crash"
{victim}
[[script]]
at = "400ms"
do = "restart"
{victim}
"#;

const HERE: &str = "sites = [\"s\"]\nrtt_ms = [[1.0]]\nreplicas = [\"s\"]";
const TWO_SITES: &str = "sites = [\"s\", \"t\"]\nrtt_ms = [[1.25, 31.5], [29.5, 1.75]]\nreplicas = [\"s\"]";

fn forgets(world: &str, client: &str, victim: &str) -> String {
    FORGETS.replace("{world}", world).replace("{client}", client).replace("{victim}", victim)
}

/// What a document shrinks to, under the first seed that breaks something.
fn shrunk(what: &str, document: &str) -> Scenario {
    let read = text::from_toml(document).unwrap_or_else(|problems| panic!("{what}: {problems}\n{document}"));
    let seeds = (1..100).map(|seed| Scenario { seed: Some(seed), ..read.scenario.clone() });
    let broken = |scenario: &Scenario| violation(scenario, None).expect("a good scenario").0.is_some();
    let scenario = seeds.into_iter().find(broken).unwrap_or_else(|| panic!("{what}: nothing is broken"));
    let shrunk = shrink(&scenario, None, 20_000, &mut |_| true).expect("a good scenario").expect("it is broken");
    assert!(!shrunk.cut_short, "{what}: {} runs\n{}", shrunk.runs, text::to_toml(&shrunk.scenario));
    shrunk.scenario
}

/// What is left, line by line, without the words about it and without numbers: those are a matter of luck.
fn left(what: &str, document: &str) -> Vec<String> {
    let scenario = Scenario { title: String::new(), about: String::new(), seed: None, ..shrunk(what, document) };
    text::to_toml(&scenario)
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some((key @ ("rtt_ms" | "at" | "duration" | "think" | "retry" | "commands"), _)) => key.to_owned(),
            _ => line.to_owned(),
        })
        .collect()
}

#[test]
fn shrinking_removes_unneeded_fields() {
    let (client, victim) = ("site = \"s\"\nthink = \"20ms\"", "node = 1");
    let plain = left("plain", &forgets(HERE, client, victim));
    let nothing_else = |what: &str, document: &str| {
        let left = left(what, document);
        assert!(left.iter().all(|line| plain.contains(line)), "{what}: {left:#?} in place of {plain:#?}");
    };
    let worlds = [
        ("costs", "cost = { receive = \"3us\", send = \"1us\", send_kb = \"1us\" }"),
        ("processing", "network = { processing = \"10us\", jitter = \"10%\", loss = \"1%\" }"),
        (
            "a timing model",
            "timing = { model = \"partially-synchronous\", delta = \"5ms\", gst = \"1s\", spread = \"1ms\" }",
        ),
        ("a bound on time", "timing = { model = \"synchronous\", delta = \"5ms\" }"),
        ("a disk", "disk = \"300us\"\nwarmup = \"10ms\""),
        ("sizes", "value_bytes = { from = 16, to = 4096 }"),
        ("a setting", "settings = { batch = 3, pre_vote = false, reads = \"read-index\" }"),
        ("what is not needed to be allowed", "beyond_model = true"),
        ("another service", "service = \"config\""),
    ];
    for (what, world) in worlds {
        nothing_else(what, &forgets(&format!("{world}\n{HERE}"), client, victim));
    }
    let clients = [
        ("keys", "keys = 5"),
        ("a law", "keys = 8\nzipf = \"0.99\""),
        ("a hot key", "keys = 8\nhot = \"20%\""),
        ("swaps", "swaps = \"30%\"\nreads = \"20%\""),
        ("sessions", "sessions = 4"),
        ("an end", "stop = \"1s\""),
        ("a start", "start = \"20ms\""),
    ];
    for (what, more) in clients {
        nothing_else(what, &forgets(HERE, &format!("{client}\n{more}"), victim));
    }
    let leases = "lease = \"300ms\"\nwork = \"10ms\"\nstalls = \"10%\"\nstall = \"20ms\"\ndies = \"1%\"\nfenced = true";
    let lock = forgets(&format!("service = \"lock\"\n{HERE}"), &format!("{client}\n{leases}"), victim);
    nothing_else("a lock", &lock);
    let weights = "weights = { s = 3, t = 2 }\nthink = \"20ms\"";
    nothing_else("several sites", &forgets(TWO_SITES, weights, victim));
    let racks = "rtt_ms = [[1.0]]\nsites = [{ id = \"s\", region = \"east\", name = \"S\" }]\nreplicas = [\"s/r1/m1\"]";
    for place in ["s/r1/m1", "s/r1", "s", "east"] {
        nothing_else(place, &forgets(racks, client, &format!("in = \"{place}\"")));
    }
    nothing_else("a rate", &forgets(HERE, "site = \"s\"\nrate = \"20/s\"\nstop = \"1s\"", victim));
}

/// Entries that arrive late and out of order undo later ones: that takes a link from the leader to one of the others.
#[test]
fn shrinking_narrows_link_faults() {
    let late = |links: &str| {
        let comma = if links.is_empty() { "" } else { ", " };
        format!(
            "variant = \"raft\"\nwithout = [\"delete-conflicts-only\"]\nsettings = {{ batch = 1 }}\nsites = [\"s\"]\nrtt_ms = [[10.0]]\n\
             replicas = [\"s\", \"s\", \"s\"]\nduration = \"3s\"\nclients = [{{ site = \"s\", sessions = 3, commands = 60 }}]\n\
             script = [{{ at = \"200ms\", do = \"reordering\", share = \"50%\", extra = \"50ms\"{comma}{links} }}]\n"
        )
    };
    for links in ["", "from = \"all\", to = \"all\"", "from = [1, 2, 3], to = \"all\"", "from = \"all\", to = [1, 2]"] {
        let scenario = shrunk(links, &late(links));
        let [fault] = &scenario.script[..] else { panic!("{links}: {:#?}", scenario.script) };
        assert!(matches!(fault.from, Some(Nodes::One(_))), "{links}: {fault:#?}");
        assert!(fault.one_way || matches!(fault.to, Some(Nodes::One(_))), "{links}: {fault:#?}");
    }
}
