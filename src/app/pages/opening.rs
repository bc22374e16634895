//! Opening a run: from a link, at the moment in the link, or from a scenario.

use super::chunks;
use crate::run::engine::RunStart;
use crate::run::rate::Rate;
use crate::web::options::Options;
use crate::web::{address, browser, json};
use gloo::timers::future::TimeoutFuture;
use quorumscope::core::Shots;
use quorumscope::lab::problem::no_such;
use quorumscope::lab::{Problems, Replay, Scenario, Session, link as document};
use quorumscope::universe::Variant;
use std::fmt;

/// Time of one slice of replaying, ms; then the browser gets a turn.
const SLICE: f64 = 12.0;
/// Events between two readings of the clock.
const EVENTS: u64 = 2_000;
/// Most simulated µs and events of the prelude, which see.
const PRELUDE: (u64, u64) = (15_000_000, 20_000);
/// Most events before the moment at which a scenario opens.
const OPENS: u64 = 300_000;
/// Answers at each site before the prelude ends: the first of them also waits for a leader.
const ANSWERS: u32 = 3;

/// A run to show.
pub struct Opened {
    /// The run.
    pub start: RunStart,
    /// Whether it stands at a moment chosen by a link: then it opens paused.
    pub chosen: bool,
    /// What could not be opened as asked, for a notice.
    pub problem: Option<String>,
    /// Whether it is not the run asked for because a chunk could not be loaded: the address should stay, for another try.
    pub missing: bool,
}

/// The first run: what the address asks for, or the first scenario with the reason why.
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
    Opened {
        start: after_prelude(Session::first()),
        chosen: false,
        problem: (!problems.is_empty()).then(|| problems.join("\n")),
        missing: false,
    }
}

/// What the address asks for, or the first scenario with the reason why.
pub async fn asked(options: Options) -> Opened {
    let mut problems = options.problems.clone();
    if let Some(fragment) = address::packed() {
        match link(&fragment).await {
            Ok(opened) => return opened,
            Err(Unopened::Wrong(wrong)) => problems.push(unreadable(&wrong)),
            Err(Unopened::Missing(missing)) => {
                problems.push(missing.to_string());
                return Opened { missing: true, ..begin(problems) };
            }
        }
    }
    let mut presets = json::presets();
    let keyed = presets.iter().position(|(preset, _)| options.preset.as_deref() == Some(preset.key));
    if let (None, Some(key)) = (keyed, &options.preset) {
        let known = presets.iter().map(|(preset, _)| preset.key);
        let would_do = no_such(key, "built-in scenarios", known);
        problems.push(format!("preset={key} in the address: there is no built-in scenario \"{key}\", so this is the first one; {would_do}."));
    }
    let (_, scenario) = presets.swap_remove(keyed.unwrap_or(0));
    let mut scenario = without_trials(scenario);
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
            Opened { start: after_prelude(session), chosen: false, problem, missing: false }
        }
        Err(wrong) => {
            problems.push(wrong.to_string());
            begin(problems)
        }
    }
}

/// The variant that a scenario names, if there is one; loaded, if need be.
async fn variant(scenario: &Scenario) -> Result<Option<&'static Variant>, chunks::Missing> {
    chunks::variant(&scenario.variant).await.transpose()
}

/// Starts a run of this scenario with the variant that it names.
pub fn session(scenario: Scenario, variant: Option<&'static Variant>) -> Result<Session, Problems> {
    let checked = scenario.check_with(variant)?;
    let mut session = Session::of(scenario, checked)?;
    session.keep_copies();
    Ok(session)
}

/// Why a link could not be opened.
pub enum Unopened {
    /// It makes no sense.
    Wrong(Problems),
    /// Its variant could not be loaded.
    Missing(chunks::Missing),
}

impl<P: Into<Problems>> From<P> for Unopened {
    fn from(problems: P) -> Unopened {
        Unopened::Wrong(problems.into())
    }
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unopened::Wrong(problems) => problems.fmt(f),
            Unopened::Missing(missing) => missing.fmt(f),
        }
    }
}

/// The run of a link, replayed up to its moment.
pub async fn link(fragment: &str) -> Result<Opened, Unopened> {
    let document = document::from_link(fragment)?;
    let variant = variant(&document.scenario).await.map_err(Unopened::Missing)?;
    let mut replay = Replay::of(&document, document.scenario.check_with(variant)?)?;
    let mut deadline = browser::now() + SLICE;
    while !replay.advance(EVENTS)? {
        if browser::now() > deadline {
            TimeoutFuture::new(0).await;
            deadline = browser::now() + SLICE;
        }
    }
    let chosen = document.moment.is_some();
    let session = replay.into_session();
    Ok(Opened {
        start: if chosen { session.into() } else { after_prelude(session) },
        chosen,
        problem: None,
        missing: false,
    })
}

/// The notice about a link that cannot be read.
pub fn unreadable(wrong: &Problems) -> String {
    format!("The link could not be opened, so this is the scenario to begin with.\n{wrong}")
}

/// The scenario with another protocol, without the settings and rules of the old one.
pub fn with_variant(scenario: Scenario, key: &str) -> Scenario {
    Scenario {
        variant: key.to_owned(),
        about: String::new(),
        settings: Default::default(),
        without: Vec::new(),
        trials: Vec::new(),
        ..scenario
    }
}

/// The scenario without what there is to try: the page finds that by the title, so that links stay short.
pub fn without_trials(scenario: Scenario) -> Scenario {
    Scenario { trials: Vec::new(), ..scenario }
}

/// Where the page begins to show a run: where the scenario says, or after the prelude. The prelude runs on until clients at every site have had answers from an established leader. Scenarios with a fault script, and
/// protocols that agree once, begin at their start.
pub fn after_prelude(mut session: Session) -> RunStart {
    let checked = session.checked();
    if checked.opens > 0 {
        let opens = checked.opens;
        session.run_until(opens, OPENS);
        return session.into();
    }
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
        // The messages of the election are no part of the messages per command.
        if session.universe().counts().answered > 0 {
            rate.update(session.universe());
        }
    }
    RunStart { session, rate }
}
