//! Interactive sessions: runs that can be paused, acted on, rewound, branched and shared.
//!
//! A run is determined by its scenario and its interventions, so a moment of a run can be written as a [`Document`], and going to an earlier
//! moment means restoring a checkpoint and replaying from there.

mod branch;
mod follow;
mod limits;
mod replay;
mod travel;
mod undo;

pub use crate::lab::document::recorded_run::FARTHEST;
pub use branch::{BRANCHES, Branch, Difference, DifferenceSearch};
pub use follow::Follower;
#[cfg(feature = "search")]
pub(in crate::lab) use limits::Watch;
pub use limits::{MEMORY, Stopped};
pub use travel::{Bookmark, Goal};

use crate::core::Micros;
use crate::lab::document::recorded_run::{InterventionText, MomentText};
use crate::lab::presets;
#[cfg(feature = "cli")]
use crate::lab::run::sequence::{Filter, Recorder};
use crate::lab::{Checked, Document, Fault, Intervention, Moment, Problem, Problems, Quantity, Scenario};
use crate::sim::{Action, Refusal};
use crate::universe::Universe;
use limits::{Limits, keep};
use std::rc::Rc;

/// Trace records that a session keeps to show, and that every checkpoint copies.
const KEEP_TRACE: usize = 256;
/// Events between two checkpoints at first; doubled whenever there are too many.
const SPACING: u64 = 512;

/// A run in progress.
pub struct Session {
    /// Shared, so that the page need not copy it.
    scenario: Rc<Scenario>,
    checked: Checked,
    universe: Box<dyn Universe>,
    /// The present branch.
    branch: Branch,
    /// The other branches; the one left last is at the end.
    others: Vec<Branch>,
    /// How many interventions of the present branch have been done. Invariant: `done ≤ branch.interventions.len()`.
    done: usize,
    /// What repeats interventions, and what takes checkpoints and looks at memory and time. Functions, so that the page can show a run before it
    /// has loaded them.
    act: Option<Act>,
    keep: Option<Keep>,
    limits: Limits,
    /// Why the run does not go on from here, if it does not.
    stopped: Option<Stopped>,
}

type Act = fn(&mut dyn Universe, Action) -> Result<(), Refusal>;
type Keep = fn(&mut Session);

const ACT: Act = |universe, action| universe.act(action);

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("scenario", &self.scenario)
            .field("moment", &self.moment())
            .finish_non_exhaustive()
    }
}

/// The interventions of a document do not fit the run: the document was made by hand, or by another version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReplayMismatch(pub String);

impl std::fmt::Display for ReplayMismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReplayMismatch {}

impl Session {
    /// Starts a run that keeps checkpoints. Errors: the problems of the scenario.
    pub fn new(scenario: Scenario) -> Result<Session, Problems> {
        let checked = scenario.check()?;
        let mut session = Session::of(scenario, checked)?;
        session.keep_copies();
        Ok(session)
    }

    /// Starts the run of a checked scenario. It keeps no checkpoints: going back replays from the start.
    pub fn of(scenario: Scenario, mut checked: Checked) -> Result<Session, Problem> {
        checked.blueprint.keep_trace = KEEP_TRACE;
        let universe = checked.boot()?;
        Ok(Session { act: Some(ACT), ..Session::around(scenario, checked, universe) })
    }

    /// The run that the page begins with. It keeps no checkpoints, and nothing can be done to it before [`Session::complete`].
    pub fn first() -> Session {
        let mut checked = presets::first_checked();
        checked.blueprint.keep_trace = KEEP_TRACE;
        let universe = checked.variant.boot_without_faults(&checked.blueprint).expect("the first scenario runs");
        Session::around(presets::first(), checked, universe)
    }

    fn around(scenario: Scenario, checked: Checked, universe: Box<dyn Universe>) -> Session {
        Session {
            scenario: Rc::new(scenario),
            checked,
            universe,
            branch: Branch::default(),
            others: Vec::new(),
            done: 0,
            act: None,
            keep: None,
            limits: Limits::default(),
            stopped: None,
        }
    }

    /// Has the run that the page begins with do all that others do: act, and go back quickly.
    pub fn complete(&mut self) {
        self.universe.allow_faults();
        self.act = Some(ACT);
        self.keep_copies();
    }

    /// Takes checkpoints from now on, within [`MEMORY`].
    pub fn keep_copies(&mut self) {
        self.keep = Some(keep);
        self.limits.copies = true;
    }

    /// Has the run stop where it takes more memory than so many bytes in all, or where time stands still.
    pub fn limit_memory(&mut self, bytes: u64) {
        self.keep = Some(keep);
        self.limits.memory = bytes;
    }

    /// Why the run does not go on from the present moment, if it does not. Going back is possible.
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The same, shared.
    pub fn shared_scenario(&self) -> Rc<Scenario> {
        self.scenario.clone()
    }

    /// The scenario in the simulator's terms.
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// The simulation at the present moment.
    pub fn universe(&self) -> &dyn Universe {
        &*self.universe
    }

    /// The interventions of the present branch, including those after the present moment.
    pub fn interventions(&self) -> &[Intervention] {
        &self.branch.interventions
    }

    /// The present moment.
    pub fn moment(&self) -> Moment {
        Moment { event: self.universe.events(), interventions: self.done, at: self.universe.time() }
    }

    /// The latest moment that the present branch has reached.
    pub fn reached(&self) -> Moment {
        self.branch.reached
    }

    /// The narration of the present moment, in a sentence or two.
    pub fn sentence(&self) -> String {
        let names: Vec<&str> = self.checked.places.iter().map(|place| place.name.as_str()).collect();
        self.universe.sentence(&names)
    }

    /// Records the clients' history. To be called at the start.
    #[cfg(feature = "link")]
    pub(in crate::lab) fn recorded(mut self) -> Session {
        self.universe.record_history();
        self
    }

    /// Starts a transcript from here on.
    #[cfg(feature = "cli")]
    pub(super) fn transcript(&mut self) -> crate::universe::Transcript {
        crate::universe::Transcript::of(&mut *self.universe)
    }

    /// Starts a sequence chart from here on.
    #[cfg(feature = "cli")]
    pub(super) fn sequence(&mut self, filter: Filter) -> Recorder {
        let places = self.checked.places.iter().map(|place| place.name.clone()).collect();
        let inspector = &self.checked.variant.inspector;
        Recorder::new(&mut *self.universe, inspector, &self.scenario.title, places, filter)
    }

    /// Handles the next event, or repeats the next intervention. False: nothing is left to happen, or the run has stopped.
    pub fn step(&mut self) -> bool {
        self.step_until(Micros::MAX)
    }

    /// Runs until `time`, µs since the start, or for `most` events. Returns the number of events handled; if it is less than `most`, it is
    /// `time` now, or the run has [stopped](Session::stopped).
    pub fn run_until(&mut self, time: Micros, most: u64) -> u64 {
        let before = self.universe.events();
        let end = before.saturating_add(most);
        loop {
            let now = self.universe.events();
            if now >= end || self.stopped.is_some() {
                break;
            }
            // As many events at once as there are until the next intervention, checkpoint or look at the limits.
            let pause = self.branch.interventions.get(self.done).map_or(end, |next| next.event.min(end));
            let pause = if self.keep.is_some() { pause.min(self.limits.next) } else { pause };
            let alive = if pause > now + 1 {
                let at_once = pause - now;
                let happened = self.universe.run(time, at_once) == at_once;
                self.record_progress();
                happened
            } else {
                self.step_until(time)
            };
            if !alive {
                break;
            }
        }
        self.universe.events() - before
    }

    fn step_until(&mut self, limit: Micros) -> bool {
        match self.advance(limit) {
            Ok(happened) => happened,
            // Interventions are kept only after they were done here, so they fit. Should one not fit, the run goes on without it.
            Err(ReplayMismatch(_)) => {
                self.branch.interventions.truncate(self.done);
                self.step_until(limit)
            }
        }
    }

    /// Handles the next event or intervention due by `limit`; otherwise advances time to `limit` and returns false.
    pub(super) fn advance(&mut self, limit: Micros) -> Result<bool, ReplayMismatch> {
        if self.stopped.is_some() {
            return Ok(false);
        }
        let due = self
            .branch
            .interventions
            .get(self.done)
            .filter(|intervention| intervention.event <= self.universe.events())
            .copied();
        let happened = match due {
            Some(intervention) if intervention.at <= limit => {
                self.repeat(intervention)?;
                true
            }
            _ => self.universe.step_until(limit),
        };
        self.record_progress();
        Ok(happened)
    }

    fn repeat(&mut self, intervention: Intervention) -> Result<(), ReplayMismatch> {
        let misfit = || {
            ReplayMismatch(
                "the run is not where it was when this was done; was the link made by another version?".into(),
            )
        };
        if intervention.event != self.universe.events() || intervention.at < self.universe.time() {
            return Err(misfit());
        }
        // Events due at the same time come after the intervention.
        if intervention.at > self.universe.time() && self.universe.step_until(intervention.at) {
            return Err(misfit());
        }
        let act = self.act.ok_or_else(misfit)?;
        act(&mut *self.universe, intervention.action).map_err(|Refusal(why)| ReplayMismatch(why))?;
        self.done += 1;
        Ok(())
    }

    /// Updates the latest moment reached; takes a checkpoint and looks at memory and time when that is due.
    fn record_progress(&mut self) {
        let now = self.moment();
        if (now.event, now.interventions, now.at)
            > (self.branch.reached.event, self.branch.reached.interventions, self.branch.reached.at)
        {
            self.branch.reached = now;
        }
        if let Some(keep) = self.keep.filter(|_| now.event >= self.limits.next) {
            keep(self);
        }
    }

    /// Takes an action now. If the branch went on from here before, this begins another branch. Errors: why the action is impossible; then
    /// nothing has changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        let (event, at) = (self.universe.events(), self.universe.time());
        let now = self.moment();
        self.universe.act(action)?;
        if !self.branch.undone.is_empty() {
            // What was taken back is kept, in the branch that is left.
            let undone = std::mem::take(&mut self.branch.undone);
            self.branch.interventions.extend(undone.into_iter().rev());
            self.branch.reached = self.branch.undone_reached;
            self.part(now);
        } else if self.branch.reached.event > now.event || self.branch.interventions.len() > self.done {
            self.part(now);
        }
        self.branch.interventions.push(Intervention { event, at, action });
        self.done += 1;
        self.branch.reached = self.moment();
        Ok(())
    }

    /// Starts the scenario again, without interventions and branches.
    pub fn restart(&mut self) {
        self.branch = Branch::default();
        self.others.clear();
        self.start_over();
    }

    /// Restores the latest checkpoint for which `is_before` holds, or the start; stays if `is_before_now` holds and the present is later.
    fn jump(&mut self, is_before_now: bool, is_before: impl Fn(&Moment) -> bool) {
        let count = self.branch.checkpoints.partition_point(|checkpoint| is_before(&checkpoint.moment));
        let latest = self.branch.checkpoints[..count].last();
        if is_before_now && latest.is_none_or(|checkpoint| checkpoint.moment.event <= self.universe.events()) {
            return;
        }
        (self.universe, self.done) = match latest {
            Some(checkpoint) => (checkpoint.universe.fork(), checkpoint.moment.interventions),
            None => return self.start_over(),
        };
        self.go_on();
    }

    fn start_over(&mut self) {
        self.universe = self.checked.boot().expect("it has started before");
        self.done = 0;
        self.go_on();
    }

    /// The run goes on from another moment.
    fn go_on(&mut self) {
        self.limits = self.limits.restarted();
        self.stopped = None;
    }

    /// The run up to the present moment, as a document.
    pub fn document(&self) -> Document {
        let sites = self.checked.sites();
        let names = self.checked.names(&sites);
        let intervention = |intervention: &Intervention| InterventionText {
            event: intervention.event,
            what: Fault::new(intervention.at, intervention.action, names),
        };
        let now = self.moment();
        let moment =
            MomentText { event: now.event, interventions: now.interventions, at: Quantity::from_micros(now.at) };
        Document {
            scenario: Scenario::clone(&self.scenario),
            interventions: self.branch.interventions.iter().map(intervention).collect(),
            moment: (now != Moment::default()).then_some(moment),
        }
    }

    /// The scenario whose script does by itself what was done by hand up to the present moment: each a µs or more after what happened before it.
    pub fn scripted(&self) -> Scenario {
        let sites = self.checked.sites();
        let names = self.checked.names(&sites);
        let mut scenario = Scenario::clone(&self.scenario);
        let mut last = 0;
        for Intervention { at, action, .. } in &self.branch.interventions[..self.done] {
            last = (at + 1).max(last + 1);
            scenario.script.push(Fault::new(last, *action, names));
        }
        scenario
    }

    /// The run of a document at its start, with all interventions to come, and the document's moment.
    pub(super) fn load(document: &Document, checked: Checked) -> Result<(Session, Option<Moment>), Problems> {
        let (mut session, moment) = Session::load_checked(document, checked)?;
        session.keep_copies();
        Ok((session, moment))
    }

    /// The same; it keeps no checkpoints.
    pub(super) fn load_checked(document: &Document, checked: Checked) -> Result<(Session, Option<Moment>), Problems> {
        let (interventions, moment) = document.check(&checked)?;
        let mut session = Session::of(document.scenario.clone(), checked)?;
        session.branch.interventions = interventions;
        Ok((session, moment))
    }

    /// Replays a document to its moment at once; [`Replay`] does it in slices.
    pub fn open(document: &Document) -> Result<Session, Problems> {
        let mut replay = Replay::new(document)?;
        while !replay.advance(FARTHEST)? {}
        Ok(replay.into_session())
    }
}

/// Replays a document to its moment in slices, so that a page stays responsive.
#[derive(Debug)]
pub struct Replay {
    session: Session,
    moment: Moment,
    /// Every intervention has been done, and it is on its way to the moment.
    arriving: bool,
}

impl Replay {
    /// Starts a replay. Errors: the problems of the document.
    pub fn new(document: &Document) -> Result<Replay, Problems> {
        Replay::of(document, document.scenario.check()?)
    }

    /// The same for a document whose scenario was checked before.
    pub fn of(document: &Document, checked: Checked) -> Result<Replay, Problems> {
        let (session, moment) = Session::load(document, checked)?;
        Ok(Replay { session, moment: moment.unwrap_or_default(), arriving: false })
    }

    /// Gives the run so many bytes of memory, on the way as well.
    pub fn limit_memory(&mut self, bytes: u64) {
        self.session.limit_memory(bytes);
    }

    /// Runs for about `events` events. True: the moment is reached. Every intervention is done once, those after the moment too, so that each
    /// is known to be possible. Errors: an intervention or the moment does not fit the run.
    pub fn advance(&mut self, events: u64) -> Result<bool, Problem> {
        let until = self.session.universe.events().saturating_add(events.max(1));
        while !self.arriving
            && (self.session.done < self.session.branch.interventions.len()
                || self.session.universe.events() < self.moment.event)
        {
            if self.session.universe.events() >= until {
                return Ok(false);
            }
            let nth = self.session.done;
            let limit = self.session.branch.interventions.get(nth).map_or(Micros::MAX, |intervention| intervention.at);
            match self.session.advance(limit) {
                Ok(true) => {}
                Ok(false) if self.session.stopped.is_some() => return Err(self.too_much()),
                Ok(false) => {
                    return Err(self.replay_mismatch(
                        "nothing is left to happen before that; was the link made by another version?",
                    ));
                }
                Err(ReplayMismatch(says)) => {
                    return Err(Problem { field: format!("interventions[{nth}]"), value: String::new(), says });
                }
            }
        }
        let goal = Goal::Moment(self.moment);
        if !std::mem::replace(&mut self.arriving, true) {
            self.session.set_out(goal);
        }
        if !self.session.approach(goal, events.max(1)) {
            return Ok(false);
        }
        match self.session.moment() == self.moment {
            true => Ok(true),
            false => {
                Err(self.replay_mismatch("the run never is at this moment; was the link made by another version?"))
            }
        }
    }

    /// Progress in parts of a thousand.
    pub fn permille(&self) -> u64 {
        let last = self.session.branch.interventions.last().map_or(0, |intervention| intervention.event);
        self.session.universe.events() * 1_000 / last.max(self.moment.event).max(1)
    }

    /// The session, at the moment reached.
    pub fn into_session(self) -> Session {
        self.session
    }

    /// The run cannot be followed as far as the moment.
    fn too_much(&self) -> Problem {
        let now = self.session.moment();
        let why = self.session.stopped.map_or_else(String::new, |stopped| stopped.to_string());
        let says = format!("cannot be reached: at event {}, {}, {why}", now.event, Quantity::from_micros(now.at));
        self.replay_mismatch(&says)
    }

    fn replay_mismatch(&self, says: &str) -> Problem {
        let Moment { event, at, .. } = self.moment;
        let value = format!("event {event} at {}", Quantity::from_micros(at));
        Problem { field: "moment".to_owned(), value, says: says.to_owned() }
    }
}
