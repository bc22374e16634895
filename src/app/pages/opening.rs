//! Opening a run: from a link, at the moment in the link, or from a scenario.

use crate::run::engine::{Errand, RunStart, Way};
use crate::run::errand;
use crate::run::rate::Rate;
use crate::web::options::{MOMENT, PRESET, SEED, VARIANT};
use crate::web::{address, browser, json, variants};
use gloo::timers::future::TimeoutFuture;
use quorumscope::core::Shots;
use quorumscope::lab::session::Goal;
use quorumscope::lab::{Document, Problems, Replay, Scenario, Session, link as document};
use quorumscope::universe::Variant;
use std::fmt;

/// Time of one slice before the page is drawn, ms; then the browser gets a turn.
const SLICE: f64 = 12.0;
/// Time after which the page is drawn even though the moment to show is not reached, ms: then it shows how far it is.
const PATIENCE: f64 = 1_000.0;
/// Most simulated µs and events of the prelude, which see.
const PRELUDE: (u64, u64) = (15_000_000, 20_000);
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

/// The first scenario, with the reason why it is that.
pub fn begin(problems: Vec<String>) -> Opened {
    Opened {
        start: after_prelude(Session::first()),
        chosen: false,
        problem: (!problems.is_empty()).then(|| problems.join("\n")),
        missing: false,
    }
}

/// What the address asks for, or the first scenario with the reason why.
pub async fn asked() -> Opened {
    let mut problems = Vec::new();
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
    let asked = PRESET.here().map(|key| (json::preset(&key), key));
    let scenario = match asked {
        Some((Ok(scenario), _)) => scenario,
        other => {
            if let Some((Err(would_do), key)) = other {
                problems.push(format!("preset={key} in the address: there is no built-in scenario \"{key}\", so this is the first one; {would_do}."));
            }
            json::presets().swap_remove(0).1
        }
    };
    let mut scenario = without_trials(scenario);
    scenario.seed = SEED.here().or(scenario.seed);
    if let Some(variant) = VARIANT.here() {
        scenario = with_variant(scenario, &variant);
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
            let moment = MOMENT.here();
            let (start, told) = drawn_soon(at_moment(session, moment)).await;
            problems.extend(told);
            let problem = (!problems.is_empty()).then(|| problems.join("\n"));
            Opened { start, chosen: moment.is_some(), problem, missing: false }
        }
        Err(wrong) => {
            problems.push(wrong.to_string());
            begin(problems)
        }
    }
}

/// The variant that a scenario names, if there is one; loaded, if need be.
async fn variant(scenario: &Scenario) -> Result<Option<&'static Variant>, variants::Missing> {
    variants::variant(&scenario.variant).await.transpose()
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
    Missing(variants::Missing),
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

/// A link that makes sense so far: what replays it, and whether it stands at a moment chosen by somebody.
struct Link {
    document: Document,
    variant: Option<&'static Variant>,
    replay: Replay,
    chosen: bool,
}

async fn read(fragment: &str) -> Result<Link, Unopened> {
    let document = document::from_link(fragment)?;
    let variant = variant(&document.scenario).await.map_err(Unopened::Missing)?;
    let replay = Replay::of(&document, document.scenario.check_with(variant)?)?;
    let chosen = document.moment.is_some();
    Ok(Link { document, variant, replay, chosen })
}

/// What replays a link, and then shows its run.
fn replaying(replay: Replay, chosen: bool, fails: &'static str) -> Errand {
    let then = move |session: Session| (if chosen { session.into() } else { where_it_opens(session) }, !chosen);
    errand::replaying("Opening the link", replay, then, move |problem| format!("{fails}\n{}", Problems::from(problem)))
}

/// The run of a link, at its moment; if that is far, at its start, with what goes there.
async fn link(fragment: &str) -> Result<Opened, Unopened> {
    let Link { document, variant, mut replay, chosen } = read(fragment).await?;
    let patience = browser::now() + PATIENCE;
    while browser::now() < patience {
        let deadline = browser::now() + SLICE;
        while browser::now() < deadline {
            if replay.advance(errand::EVENTS)? {
                let session = replay.into_session();
                let (start, problem) =
                    if chosen { (session.into(), None) } else { drawn_soon(where_it_opens(session)).await };
                return Ok(Opened { start, chosen, problem, missing: false });
            }
        }
        TimeoutFuture::new(0).await;
    }
    let start: RunStart = session(document.scenario, variant)?.into();
    let fails = "The moment of the link could not be reached, so this is the start of its run.";
    let start = RunStart { errand: Some(replaying(replay, chosen, fails)), ..start };
    Ok(Opened { start, chosen: true, problem: None, missing: false })
}

/// What opens a link beside the run on screen.
pub async fn opening(fragment: &str) -> Result<Errand, Unopened> {
    let Link { replay, chosen, .. } = read(fragment).await?;
    Ok(replaying(replay, chosen, "The link could not be opened; the run goes on as it was."))
}

/// A run after what it begins with, or after as much of that as can be waited for; and what there is to tell.
async fn drawn_soon(mut start: RunStart) -> (RunStart, Option<String>) {
    let patience = browser::now() + PATIENCE;
    while browser::now() < patience {
        let Some(errand) = &mut start.errand else { break };
        match (errand.go_on)(&mut start.session, browser::now() + SLICE) {
            Way::On(permille) => errand.permille = permille,
            Way::There(told) => return (RunStart { errand: None, ..start }, told),
            Way::Run(other, _) => start = *other,
        }
        TimeoutFuture::new(0).await;
    }
    (start, None)
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

/// The run, going to a moment that was asked for; or where it opens.
pub fn at_moment(session: Session, moment: Option<Goal>) -> RunStart {
    match moment {
        Some(goal) => RunStart { errand: Some(errand::going(goal)), ..session.into() },
        None => where_it_opens(session),
    }
}

/// Where the page begins to show a run: where the scenario says, or after the prelude.
pub fn where_it_opens(session: Session) -> RunStart {
    let opens = session.checked().opens;
    if opens == 0 {
        return after_prelude(session);
    }
    let from = Some(session.bookmark());
    let errand = Some(Errand { from, ..errand::going(Goal::Time(opens)) });
    RunStart { errand, ..session.into() }
}

/// The run after its prelude, which goes on until clients at every site have had answers from an established leader. Scenarios with a fault
/// script, and protocols that agree once, begin at their start.
fn after_prelude(mut session: Session) -> RunStart {
    let checked = session.checked();
    if checked.variant.card.agrees_on == Shots::Single || !checked.blueprint.script.is_empty() {
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
    RunStart { session, rate, errand: None }
}
