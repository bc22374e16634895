//! Taking up a run: from a link, at the very moment the link tells, or from a scenario.

use crate::chunks;
use crate::run::engine::Begun;
use crate::run::rate::Rate;
use crate::web::options::Options;
use crate::web::{address, browser, json};
use gloo::timers::future::TimeoutFuture;
use quorumscope::core::Shots;
use quorumscope::lab::{Document, Problems, Replay, Scenario, Session};
use quorumscope::universe::Variant;

/// ms that replaying may take before the browser gets a turn.
const SLICE: f64 = 12.0;
/// Events between two looks at the clock.
const EVENTS: u64 = 2_000;
/// Simulated µs, and events, within which a first picture is looked for.
const PRELUDE: (u64, u64) = (15_000_000, 20_000);
/// Answers at each place before the first picture: the first of them also waited for a leader.
const ANSWERS: u32 = 3;

/// A run to show.
pub struct Opened {
    /// The run.
    pub begun: Begun,
    /// It stands at a moment that somebody chose: time should not go by at once.
    pub chosen: bool,
    /// What could not be done as asked, in words.
    pub problem: Option<String>,
    /// It is not the run asked for, because a chunk could not be loaded: the address should stay, for another try.
    pub missing: bool,
}

/// The first run: what the address tells, or the scenario to begin with and why it is not the one asked for.
pub async fn first(options: &Options) -> Opened {
    let problems = options.problems.clone();
    let plain = address::packed().is_none() && !options.asks_for_another();
    if plain {
        return begin(problems);
    }
    match chunks::actions().await {
        Ok(actions) => (actions.asked)(options.clone()).await,
        Err(missing) => Opened { missing: true, ..begin(vec![missing.to_string()]) },
    }
}

fn begin(problems: Vec<String>) -> Opened {
    let session = Session::first();
    Opened {
        begun: after_prelude(session),
        chosen: false,
        problem: (!problems.is_empty()).then(|| problems.join("\n")),
        missing: false,
    }
}

/// What the address asks for, or the scenario to begin with and why.
pub async fn asked(options: Options) -> Opened {
    let mut problems = options.problems.clone();
    if let Some(fragment) = address::packed() {
        match link(&fragment).await {
            Ok(opened) => return opened,
            Err(wrong) => problems.push(unreadable(&wrong)),
        }
    }
    let mut presets = json::presets();
    let keyed = presets.iter().position(|(preset, _)| options.preset.as_deref() == Some(preset.key));
    if let (None, Some(key)) = (keyed, &options.preset) {
        problems.push(format!("There is no built-in scenario \"{key}\"; this is the first one."));
    }
    let (_, mut scenario) = presets.swap_remove(keyed.unwrap_or(0));
    scenario.seed = options.seed.or(scenario.seed);
    if let Some(variant) = &options.variant {
        scenario = with_variant(scenario, variant);
    }
    let variant = match variant(&scenario).await {
        Ok(variant) => variant,
        Err(missing) => {
            problems.push(missing.to_string());
            return Opened { missing: true, ..begin(problems) };
        }
    };
    match session(scenario, variant) {
        Ok(session) => {
            let problem = (!problems.is_empty()).then(|| problems.join("\n"));
            Opened { begun: after_prelude(session), chosen: false, problem, missing: false }
        }
        Err(wrong) => {
            problems.push(wrong.to_string());
            begin(problems)
        }
    }
}

/// The variant that a scenario names, if there is such a one; loaded, if need be.
async fn variant(scenario: &Scenario) -> Result<Option<&'static Variant>, chunks::Missing> {
    chunks::variant(&scenario.variant).await.transpose()
}

/// Starts a run of this scenario.
pub fn session(scenario: Scenario, variant: Option<&'static Variant>) -> Result<Session, Problems> {
    let checked = scenario.check_with(variant)?;
    let mut session = Session::of(scenario, checked)?;
    session.keep_copies();
    Ok(session)
}

/// The run a link tells of.
pub async fn link(fragment: &str) -> Result<Opened, String> {
    let said = |problems: Problems| problems.to_string();
    let document: Document = address::unpack(fragment).await.map_err(said)?;
    let variant = variant(&document.scenario).await.map_err(|missing| missing.to_string())?;
    let checked = document.scenario.check_with(variant).map_err(said)?;
    let mut replay = Replay::of(&document, checked).map_err(said)?;
    let mut deadline = browser::now() + SLICE;
    while !replay.advance(EVENTS).map_err(|problem| problem.to_string())? {
        if browser::now() > deadline {
            TimeoutFuture::new(0).await;
            deadline = browser::now() + SLICE;
        }
    }
    let chosen = document.moment.is_some();
    let session = replay.into_session();
    Ok(Opened {
        begun: if chosen { session.into() } else { after_prelude(session) },
        chosen,
        problem: None,
        missing: false,
    })
}

/// What to say about a link that cannot be read.
pub fn unreadable(wrong: &str) -> String {
    format!("The link could not be opened, so this is the scenario to begin with.\n{wrong}")
}

/// The same with another protocol, whose settings and rules are its own.
pub fn with_variant(scenario: Scenario, key: &str) -> Scenario {
    Scenario {
        variant: key.to_owned(),
        about: String::new(),
        settings: Default::default(),
        without: Vec::new(),
        ..scenario
    }
}

/// Runs on to where there is something to see: every place with clients has had answers from a leader that was already there. A story told by a script, or one that is
/// over after a single decision, begins at its beginning.
pub fn after_prelude(mut session: Session) -> Begun {
    let checked = session.checked();
    if checked.variant.card.shots == Shots::Single || !checked.blueprint.script.is_empty() {
        return session.into();
    }
    let asking: Vec<usize> = checked.blueprint.clients.iter().map(|group| usize::from(group.site)).collect();
    let ready = |session: &Session| asking.iter().all(|site| session.universe().samples()[*site].last() >= ANSWERS);
    let mut rate = Rate::default();
    while !ready(&session) && session.universe().time() < PRELUDE.0 && session.universe().events() < PRELUDE.1 {
        if !session.step() {
            break;
        }
        // Electing the leader that answers is no part of what a command costs.
        if session.universe().counts().answered > 0 {
            rate.look(session.universe());
        }
    }
    Begun { session, rate }
}
