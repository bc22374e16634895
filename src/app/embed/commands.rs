//! What the page around a frame can have it do. Everything that a person could do, and at once: what is locked is locked for the reader.

use crate::pages::opening;
use crate::run::engine::RunStart;
use crate::run::errand;
use crate::run::pace::Pace;
use crate::run::player::Shared;
use crate::web::kinds::{Kind, Moment, Speed};
use crate::web::{address, handle, json, variants};
use crate::work::export;
use gloo::timers::future::TimeoutFuture;
use js_sys::Reflect;
use quorumscope::lab::Scenario;
use quorumscope::lab::link::{self, from_json};
use quorumscope::lab::problem::no_such;
use quorumscope::lab::session::Goal;
use serde_json::{Value, json};
use wasm_bindgen::JsValue;

/// The commands: name, arguments, and what they do.
pub const COMMANDS: &[(&str, &[&str], &str)] = &[
    ("hello", &[], "tells the version and the state, and has state, events and violations told from then on"),
    ("play", &[], "lets time go by"),
    ("pause", &[], "stops it"),
    ("step", &[], "pauses, and executes the next event"),
    ("back", &[], "pauses, and goes back one event"),
    ("restart", &[], "goes back to where the scenario opens, without what was done by hand"),
    ("speed", &["speed"], "sets the speed: 1:1000 to 100:1, or max"),
    ("seek", &["moment"], "pauses, and goes to a moment: a time such as 2.5s, or an event such as e1200"),
    (
        "load",
        &["preset", "scenario", "link", "variant", "seed", "moment", "play"],
        "another run: a built-in scenario by its key, a scenario as JSON text, or the part of a link behind #; with another protocol, seed or moment",
    ),
    ("patch", &["patch"], "changes the scenario by a JSON Patch (RFC 6902) as text, and runs it from the start"),
    (
        "act",
        &["action"],
        "does now what an entry of a script does, as JSON text without \"at\": {\"do\": \"crash\", \"node\": \"leader\"}",
    ),
    (
        "export",
        &["format"],
        "pauses, and tells the run up to this moment as text in one of the formats of docs/exports.md, such as jsonl or chrome-trace",
    ),
    ("state", &[], "tells the state, with the link to this moment and the scenario"),
];

/// ms that a command has to get where it goes.
const PATIENCE: u32 = 60_000;
/// ms between two looks at whether it is there.
const LOOK_EVERY: u32 = 30;

/// Why a command was not done.
#[derive(Debug)]
pub struct Failure {
    /// Its kind, for programs.
    pub code: &'static str,
    /// What is wrong, and what would do.
    pub message: String,
}

fn failed(code: &'static str, message: impl ToString) -> Failure {
    Failure { code, message: message.to_string() }
}

/// The arguments of a command that were given.
#[derive(Debug, Default)]
pub struct Arguments {
    texts: Vec<(&'static str, String)>,
    seed: Option<u64>,
    play: Option<bool>,
}

impl Arguments {
    /// Reads those that a command takes; `text` returns a text of the message.
    pub fn read(command: &str, data: &JsValue, text: impl Fn(&str) -> Option<String>) -> Result<Arguments, Failure> {
        let known = || COMMANDS.iter().map(|(name, ..)| *name);
        let Some((_, takes, _)) = COMMANDS.iter().find(|(name, ..)| *name == command) else {
            return Err(failed("bad_command", format!("command {command}: {}", no_such(command, "commands", known()))));
        };
        let mut arguments = Arguments::default();
        for &name in *takes {
            let given = Reflect::get(data, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null());
            let Some(given) = given else { continue };
            let wrong =
                |would_do: &str| Err(failed("bad_argument", format!("{name} in {command}: {would_do} would do")));
            match name {
                "play" => match given.as_bool() {
                    Some(play) => arguments.play = Some(play),
                    None => return wrong("true or false"),
                },
                "seed" => {
                    let seed = given.as_f64().filter(|seed| seed.fract() == 0.0 && (0.0..=9e15).contains(seed));
                    match seed.map(|seed| seed as u64).or_else(|| text(name)?.parse().ok()) {
                        Some(seed) => arguments.seed = Some(seed),
                        None => return wrong("a whole number"),
                    }
                }
                _ => match text(name) {
                    Some(text) => arguments.texts.push((name, text)),
                    None => return wrong("a text of at most 1,048,576 characters"),
                },
            }
        }
        Ok(arguments)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }

    fn needs(&self, name: &str) -> Result<&str, Failure> {
        self.text(name).ok_or_else(|| failed("bad_argument", format!("{name} is missing")))
    }

    /// The moment that is given, if one is.
    fn moment(&self) -> Result<Option<Goal>, Failure> {
        let read = |text: &str| {
            Moment.read(text).ok_or_else(|| failed("bad_argument", format!("moment {text}: {}", Moment.would_do())))
        };
        self.text("moment").map(read).transpose()
    }
}

/// Does what a command says; what it returns comes when that is done.
pub async fn perform(player: &Shared, command: &str, given: Arguments) -> Result<Value, Failure> {
    match command {
        "play" => player.borrow_mut().engine.play(true),
        "pause" => player.borrow_mut().engine.pause(),
        "step" => {
            player.borrow_mut().engine.step();
        }
        "back" => {
            let mut player = player.borrow_mut();
            player.engine.pause();
            let before = player.engine.session().before();
            errand::go(&mut player.engine, before);
        }
        "restart" => errand::restart(&mut player.borrow_mut().engine),
        "speed" => {
            let speed = given.needs("speed")?;
            let pace: Option<Pace> = Speed.read(speed);
            let pace = pace.ok_or_else(|| failed("bad_argument", format!("speed {speed}: {}", Speed.would_do())))?;
            player.borrow_mut().engine.choose_pace(pace);
        }
        "seek" => {
            given.needs("moment")?;
            let goal = given.moment()?;
            let mut player = player.borrow_mut();
            player.engine.pause();
            goal.into_iter().for_each(|goal| errand::go(&mut player.engine, goal));
        }
        "load" => load(player, &given).await?,
        "patch" => patch(player, given.needs("patch")?).await?,
        "export" => {
            let format = export::format(given.needs("format")?).map_err(|wrong| failed("bad_argument", wrong))?;
            return Ok(json!(export::export(player, format, false).await.map_err(|wrong| failed("refused", wrong))?));
        }
        "act" => act(player, given.needs("action")?)?,
        _ => {}
    }
    player.borrow_mut().invalidate();
    arrive(player).await?;
    Ok(match command {
        "hello" => json!({ "version": env!("CARGO_PKG_VERSION"), "state": handle::state(player) }),
        "state" => whole_state(player).await,
        _ => json!(handle::state(player)),
    })
}

/// Waits until nothing is under way any more.
async fn arrive(player: &Shared) -> Result<(), Failure> {
    for _ in 0..PATIENCE / LOOK_EVERY {
        if player.borrow().engine.errand.is_none() {
            return Ok(());
        }
        TimeoutFuture::new(LOOK_EVERY).await;
    }
    Err(failed("timeout", format!("it is still under way after {} s", PATIENCE / 1_000)))
}

/// The state, with the link to this moment and the scenario.
async fn whole_state(player: &Shared) -> Value {
    let mut state = json!(handle::state(player));
    let document = player.borrow().engine.session().document();
    state["scenario"] = json!(document.scenario);
    state["link"] = json!(address::pack(&document).await);
    state
}

async fn load(player: &Shared, given: &Arguments) -> Result<(), Failure> {
    let sources = ["preset", "scenario", "link"];
    if sources.iter().filter(|name| given.text(name).is_some()).count() != 1 {
        return Err(failed("bad_argument", "one of preset, scenario and link would do"));
    }
    let start = match given.text("link") {
        Some(link) => {
            let link = link.rsplit('#').next().unwrap_or_default();
            let errand = opening::opening(link).await.map_err(|wrong| failed("refused", wrong))?;
            errand::begin(&mut player.borrow_mut().engine, errand);
            None
        }
        None => {
            let mut scenario = scenario(given)?;
            scenario.seed = given.seed.or(scenario.seed);
            if let Some(variant) = given.text("variant") {
                scenario = opening::with_variant(scenario, variant);
            }
            Some(start(scenario, given.moment()?).await?)
        }
    };
    let mut player = player.borrow_mut();
    start.into_iter().for_each(|start| player.engine.load(start));
    // Whoever names a moment wants to see it.
    let stays = given.text("moment").is_some() || given.text("link").is_some();
    player.engine.play(given.play.unwrap_or(!stays));
    Ok(())
}

/// The scenario that is named or given.
fn scenario(given: &Arguments) -> Result<Scenario, Failure> {
    if let Some(text) = given.text("scenario") {
        return Ok(from_json(text).map_err(|problems| failed("refused", problems))?.scenario);
    }
    let key = given.needs("preset")?;
    let preset = json::preset(key).map_err(|would_do| failed("bad_argument", format!("preset {key}: {would_do}")))?;
    Ok(opening::without_trials(preset))
}

/// A run of a scenario, at a moment or where it opens.
async fn start(scenario: Scenario, moment: Option<Goal>) -> Result<RunStart, Failure> {
    let variant = variants::variant(&scenario.variant).await.transpose().map_err(|missing| failed("load", missing))?;
    let session = opening::session(scenario, variant).map_err(|problems| failed("refused", problems))?;
    Ok(opening::at_moment(session, moment))
}

async fn patch(player: &Shared, patch: &str) -> Result<(), Failure> {
    let patch: json_patch::Patch = serde_json::from_str(patch)
        .map_err(|wrong| failed("bad_argument", format!("patch: {wrong}; a JSON Patch (RFC 6902) would do")))?;
    let mut tree = json!(player.borrow().engine.session().scenario());
    json_patch::patch(&mut tree, &patch).map_err(|wrong| failed("refused", wrong))?;
    let document = link::document(tree).map_err(|problems| failed("refused", problems))?;
    let start = start(document.scenario, None).await?;
    let mut player = player.borrow_mut();
    let playing = player.engine.playing();
    player.engine.load(start);
    player.engine.play(playing);
    Ok(())
}

fn act(player: &Shared, action: &str) -> Result<(), Failure> {
    let mut player = player.borrow_mut();
    let engine = &mut player.engine;
    let action = {
        let session = engine.session();
        session.checked().action(action, session.universe()).map_err(|problems| failed("refused", problems))?
    };
    engine.act(action).map_err(|refusal| failed("refused", refusal))
}
