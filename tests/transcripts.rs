//! Golden transcripts: small scenarios in `tests/transcripts/`, each told event by event, that read like an explanation of the
//! protocol. After a change that is meant to change what happens: `REWRITE=1 cargo test --test transcripts`, and read the difference.
//!
//! The words a file may use:
//! * `scenario`: its text is a scenario document; starts the run and tells what the nodes do first.
//! * `tell until=TIME`: goes on to that time and tells everything.
//! * `skip until=TIME`: goes on to that time and tells nothing.
//! * `state`: what can be seen of each node.

#![cfg(not(target_arch = "wasm32"))]

use datadriven::{TestCase, walk};
use quorumscope::core::{NodeId, Shots};
use quorumscope::lab::{Quantity, Scenario, read};
use quorumscope::universe::{Transcript, Universe};

struct Run {
    universe: Box<dyn Universe>,
    transcript: Transcript,
}

fn start(text: &str) -> Result<(Run, String), String> {
    let toml = toml::Deserializer::parse(text).map_err(|error| error.to_string())?;
    let scenario: Scenario = read(toml).map_err(|problem| problem.to_string())?;
    let mut checked = scenario.check().map_err(|problems| problems.to_string())?;
    checked.blueprint.keep_trace = 4096;
    let mut universe = checked.variant.boot(&checked.blueprint).map_err(|(key, says)| format!("{key}: {says}"))?;
    let transcript = Transcript::of(&mut *universe);
    let mut run = Run { universe, transcript };
    let told = state(&mut run);
    Ok((run, told))
}

fn go_on(run: &mut Run, case: &TestCase, aloud: bool) -> Result<String, String> {
    let until = case.args.get("until").and_then(|values| values.first()).ok_or("until=TIME is missing")?;
    let until = Quantity::from(until.as_str()).micros()?;
    let mut text = String::new();
    while run.universe.step_until(until) {
        let told = run.transcript.tell(&*run.universe);
        if aloud {
            text.push_str(&told);
        }
    }
    Ok(text)
}

fn state(run: &mut Run) -> String {
    let word = run.universe.variant().card.epoch;
    let line = |id: u8| {
        let view = run.universe.node(NodeId(id));
        match view.status {
            None => format!("{:?}: down\n", view.id),
            Some(now) => {
                let log = now.log;
                let log = match run.universe.variant().card.agrees_on {
                    Shots::Registers => String::new(),
                    _ => format!(", log {}, committed {}", log.last, log.committed),
                };
                format!("{:?}: {}, {word} {}{log}\n", view.id, now.role, now.epoch)
            }
        }
    };
    (0..run.universe.nodes()).map(line).collect()
}

#[test]
fn transcripts() {
    walk("tests/transcripts", |file| {
        let mut run = None;
        file.run(|case| {
            let told = match (case.directive.as_str(), &mut run) {
                ("scenario", _) => start(&case.input).map(|(started, told)| {
                    run = Some(started);
                    told
                }),
                ("tell", Some(run)) => go_on(run, case, true),
                ("skip", Some(run)) => go_on(run, case, false),
                ("state", Some(run)) => Ok(state(run)),
                (_, None) => Err("a file begins with a scenario".to_owned()),
                (word, _) => Err(format!("there is no word `{word}` here; see tests/transcripts.rs")),
            };
            told.unwrap_or_else(|error| format!("{error}\n"))
        });
    });
}
