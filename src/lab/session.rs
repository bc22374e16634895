//! A run that one can stop, act on, go back in, and share.
//!
//! A run is a scenario and the interventions done by hand, nothing else: the same two give the same events, so a moment of a run is a
//! document, and going back is starting from an earlier copy and doing the same again.

mod branch;

pub use branch::{BRANCHES, Branch, Difference};

use super::fault::Fault;
use super::problem::{Complaints, Problem, Problems};
use super::scenario::Scenario;
use super::{Checked, Quantity, check, presets};
use crate::core::Micros;
use crate::sim::{Action, Refusal};
use crate::universe::Universe;
use branch::Checkpoint;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// Trace records a session keeps to show: what happened last, however much that was. Every copy has them, too.
const KEEP_TRACE: usize = 256;
/// Most copies of the universe that a session keeps to go to, so that its memory is bounded.
const CHECKPOINTS: usize = 512;
/// Events between two copies, at first; doubled whenever there are too many copies.
const SPACING: u64 = 128;
/// Most events after which a document's moment may lie: some seconds of computing.
pub const FARTHEST: u64 = 50_000_000;
/// Most interventions of a document.
const INTERVENTIONS: usize = 10_000;

/// Something done by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervention {
    /// How many events had happened.
    pub event: u64,
    /// When, µs since the start.
    pub at: Micros,
    /// What.
    pub action: Action,
}

/// A point of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// How many events have happened.
    pub event: u64,
    /// How many interventions have been done.
    pub interventions: usize,
    /// µs since the start.
    pub at: Micros,
}

/// A run in progress.
pub struct Session {
    scenario: Scenario,
    checked: Checked,
    universe: Box<dyn Universe>,
    /// The present branch.
    branch: Branch,
    /// The other ones, the one left last at the end.
    others: Vec<Branch>,
    /// How many interventions of the present branch have been done by now.
    done: usize,
    /// What repeats interventions, and what makes copies to go back to, if any are to be made. Functions, so that the page can show a run before it
    /// has loaded them.
    act: Option<Act>,
    copy: Option<Copy>,
}

type Act = fn(&mut dyn Universe, Action) -> Result<(), Refusal>;
type Copy = fn(&dyn Universe) -> Box<dyn Universe>;

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("scenario", &self.scenario)
            .field("moment", &self.moment())
            .finish_non_exhaustive()
    }
}

/// The interventions of a document do not fit the run: it was made by hand, or by another version.
pub(super) struct ReplayMismatch(pub String);

const ACT: Act = |universe, action| universe.act(action);

impl Session {
    /// Starts a run.
    pub fn new(scenario: Scenario) -> Result<Session, Problems> {
        let checked = scenario.check()?;
        let mut session = Session::of(scenario, checked)?;
        session.keep_copies();
        Ok(session)
    }

    /// Starts the run of a scenario that was checked before. It keeps no copies: going back starts from the start.
    pub fn of(scenario: Scenario, mut checked: Checked) -> Result<Session, Problem> {
        checked.blueprint.keep_trace = KEEP_TRACE;
        let universe = checked.boot()?;
        Ok(Session { act: Some(ACT), ..Session::around(scenario, checked, universe) })
    }

    /// The run that the page begins with. It keeps no copies, and nothing can be done to it before [`Session::complete`].
    pub fn first() -> Session {
        let mut checked = presets::first_checked();
        checked.blueprint.keep_trace = KEEP_TRACE;
        let universe = checked.variant.boot_without_faults(&checked.blueprint).expect("the first scenario runs");
        Session::around(presets::first(), checked, universe)
    }

    fn around(scenario: Scenario, checked: Checked, universe: Box<dyn Universe>) -> Session {
        Session {
            scenario,
            checked,
            universe,
            branch: Branch::default(),
            others: Vec::new(),
            done: 0,
            act: None,
            copy: None,
        }
    }

    /// Has the run that the page begins with do all that others do: act, and go back quickly.
    pub fn complete(&mut self) {
        self.universe.allow_faults();
        self.act = Some(ACT);
        self.keep_copies();
    }

    /// Keeps copies to go back to, from now on.
    pub fn keep_copies(&mut self) {
        self.copy = Some(|universe| universe.fork());
    }

    /// What is run.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What the scenario means.
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// The world at the present moment.
    pub fn universe(&self) -> &dyn Universe {
        &*self.universe
    }

    /// What was done by hand, later interventions of this run included.
    pub fn interventions(&self) -> &[Intervention] {
        &self.branch.interventions
    }

    /// The present moment.
    pub fn moment(&self) -> Moment {
        Moment { event: self.universe.events(), interventions: self.done, at: self.universe.time() }
    }

    /// The farthest moment that this run has been at.
    pub fn reached(&self) -> Moment {
        self.branch.reached
    }

    /// What happens now, in a plain sentence or two.
    pub fn sentence(&self) -> String {
        let names: Vec<&str> = self.checked.places.iter().map(|place| place.name.as_str()).collect();
        self.universe.sentence(&names)
    }

    /// Has the world keep what clients ask and are told. To be called at the start.
    #[cfg(feature = "cli")]
    pub(super) fn recorded(mut self) -> Session {
        self.universe.record_history();
        self
    }

    /// Begins to tell the run, from here on.
    #[cfg(feature = "cli")]
    pub(super) fn tell(&mut self) -> crate::universe::Transcript {
        crate::universe::Transcript::of(&mut *self.universe)
    }

    /// Lets the next thing happen: an event, or a intervention that was done here before. False when nothing is left to happen.
    pub fn step(&mut self) -> bool {
        self.step_until(Micros::MAX)
    }

    /// Runs until `time`, µs since the start, or for `most` events. Tells how many events that took; if fewer than `most`, it is `time` now.
    pub fn run_until(&mut self, time: Micros, most: u64) -> u64 {
        let before = self.universe.events();
        while self.universe.events() - before < most && self.step_until(time) {}
        self.universe.events() - before
    }

    fn step_until(&mut self, limit: Micros) -> bool {
        match self.advance(limit) {
            Ok(happened) => happened,
            // Interventions are kept only when they were done here once, so they fit; were one not to, the run would go on without.
            Err(ReplayMismatch(_)) => {
                self.branch.interventions.truncate(self.done);
                self.step_until(limit)
            }
        }
    }

    /// Lets the next thing happen, if that is until `limit`; otherwise only time moves on.
    pub(super) fn advance(&mut self, limit: Micros) -> Result<bool, ReplayMismatch> {
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
        self.note();
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
        // Other events may be due at this very time; the intervention came before them.
        if intervention.at > self.universe.time() && self.universe.step_until(intervention.at) {
            return Err(misfit());
        }
        let act = self.act.ok_or_else(misfit)?;
        act(&mut *self.universe, intervention.action).map_err(|Refusal(why)| ReplayMismatch(why))?;
        self.done += 1;
        Ok(())
    }

    /// Keeps track of how far the run has come, and now and then a copy of it.
    fn note(&mut self) {
        let now = self.moment();
        if (now.event, now.interventions, now.at)
            > (self.branch.reached.event, self.branch.reached.interventions, self.branch.reached.at)
        {
            self.branch.reached = now;
        }
        let last = self.branch.checkpoints.last().map_or(0, |checkpoint| checkpoint.moment.event);
        let Some(copy) = self.copy.filter(|_| now.event >= last + self.branch.spacing) else { return };
        // Whoever goes to an event finds the interventions done right after it still to come.
        if self.done.checked_sub(1).is_some_and(|last| self.branch.interventions[last].event == now.event) {
            return;
        }
        self.branch.checkpoints.push(Rc::new(Checkpoint { moment: now, universe: copy(&*self.universe) }));
        if self.branch.checkpoints.len() > CHECKPOINTS {
            let mut odd = false;
            self.branch.checkpoints.retain(|_| {
                odd = !odd;
                odd
            });
            self.branch.spacing *= 2;
        }
    }

    /// Does something now. Where more had happened before going back, this begins another branch. An error says why not; then nothing has
    /// changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        let (event, at) = (self.universe.events(), self.universe.time());
        let now = self.moment();
        self.universe.act(action)?;
        if self.branch.reached.event > now.event || self.branch.interventions.len() > self.done {
            self.part(now);
        }
        self.branch.interventions.push(Intervention { event, at, action });
        self.done += 1;
        self.branch.reached = self.moment();
        Ok(())
    }

    /// Goes to where so many events have happened; interventions done right there are still to come. Going on from the farthest moment runs the
    /// world; should nothing be left to happen, this ends early.
    pub fn seek(&mut self, event: u64) {
        let event = event.min(FARTHEST);
        self.jump(self.universe.events() < event, |moment| moment.event <= event);
        while self.universe.events() < event && self.step() {}
    }

    /// Goes to a time, µs since the start.
    pub fn seek_time(&mut self, time: Micros) {
        self.jump(self.universe.time() < time, |moment| moment.at < time);
        while self.step_until(time) {}
    }

    /// Undoes the last thing that happened, a intervention or an event.
    pub fn back(&mut self) {
        let now = self.moment();
        match self.done.checked_sub(1).map(|last| self.branch.interventions[last]) {
            Some(intervention) if intervention.event == now.event => {
                self.go_to(Moment { event: intervention.event, interventions: self.done - 1, at: intervention.at })
            }
            _ => {
                // Interventions done before this event happened stay done.
                self.seek(now.event.saturating_sub(1));
                while self.done < now.interventions && self.step() {}
            }
        }
    }

    /// Starts the scenario again, without what was done by hand.
    pub fn restart(&mut self) {
        self.branch = Branch::default();
        self.others.clear();
        self.start_over();
    }

    /// Takes up the latest copy that is `out_of_order` enough, or the start; or stays, if this moment is `out_of_order` too and later than that.
    fn jump(&mut self, out_of_order_now: bool, out_of_order: impl Fn(&Moment) -> bool) {
        let count = self.branch.checkpoints.partition_point(|checkpoint| out_of_order(&checkpoint.moment));
        let latest = self.branch.checkpoints[..count].last();
        if out_of_order_now && latest.is_none_or(|checkpoint| checkpoint.moment.event <= self.universe.events()) {
            return;
        }
        (self.universe, self.done) = match latest {
            Some(checkpoint) => (checkpoint.universe.fork(), checkpoint.moment.interventions),
            None => return self.start_over(),
        };
    }

    fn start_over(&mut self) {
        self.universe = self.checked.boot().expect("it has started before");
        self.done = 0;
    }

    /// Goes to a moment at which this run has been.
    fn go_to(&mut self, moment: Moment) {
        let now = self.moment();
        if now.event != moment.event || now.interventions > moment.interventions || now.at > moment.at {
            self.seek(moment.event);
        }
        while self.done < moment.interventions && self.step() {}
        if self.universe.time() < moment.at {
            self.universe.step_until(moment.at);
        }
    }

    /// The run up to here, to be opened elsewhere.
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
            scenario: self.scenario.clone(),
            interventions: self.branch.interventions.iter().map(intervention).collect(),
            moment: (now != Moment::default()).then_some(moment),
        }
    }

    /// The run of a document at its start, with all interventions still to come, and the moment that the document describes.
    pub(super) fn load(document: &Document, checked: Checked) -> Result<(Session, Option<Moment>), Problems> {
        let mut session = Session::of(document.scenario.clone(), checked)?;
        session.keep_copies();
        let (interventions, moment) = document.check(&session.checked)?;
        session.branch.interventions = interventions;
        Ok((session, moment))
    }

    /// Goes to the moment that a document describes. Takes as long as the run takes; to do it in slices, use [`Replay`].
    pub fn open(document: &Document) -> Result<Session, Problems> {
        let mut replay = Replay::new(document)?;
        while !replay.advance(FARTHEST)? {}
        Ok(replay.into_session())
    }
}

/// A moment of a run, as written: what a link carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What is run.
    pub scenario: Scenario,
    /// What was done by hand, in order.
    #[serde(alias = "deeds", default, skip_serializing_if = "Vec::is_empty")]
    pub interventions: Vec<InterventionText>,
    /// Where the run stands. Default: at its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<MomentText>,
}

/// A intervention, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterventionText {
    /// How many events had happened.
    pub event: u64,
    /// What was done, and when.
    pub what: Fault,
}

/// A moment, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MomentText {
    /// How many events have happened.
    pub event: u64,
    /// How many interventions have been done.
    #[serde(alias = "deeds", default, skip_serializing_if = "is_zero")]
    pub interventions: usize,
    /// When, since the start.
    pub at: Quantity,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl From<Scenario> for Document {
    fn from(scenario: Scenario) -> Document {
        Document { scenario, interventions: Vec::new(), moment: None }
    }
}

impl Document {
    /// The interventions and the moment, or all that is wrong with them.
    fn check(&self, checked: &Checked) -> Result<(Vec<Intervention>, Option<Moment>), Problems> {
        let mut wrong = Complaints::default();
        if self.interventions.len() > INTERVENTIONS {
            wrong.add(
                "interventions",
                format!("{} interventions", self.interventions.len()),
                format!("{INTERVENTIONS} are the most"),
            );
        }
        let sites = checked.sites();
        let names = checked.names(&sites);
        let mut interventions: Vec<Intervention> = Vec::new();
        for (i, intervention) in self.interventions.iter().take(INTERVENTIONS).enumerate() {
            let Some(timed) =
                intervention.what.read(&format!("interventions[{i}].what"), names, usize::MAX, &mut wrong)
            else {
                continue;
            };
            let read = Intervention { event: intervention.event, at: timed.at, action: timed.action };
            if interventions.last().is_some_and(|last| last.event > read.event || last.at > read.at) {
                wrong.add(
                    format!("interventions[{i}]"),
                    "",
                    "comes before the intervention listed before it; order them by time",
                );
            }
            distance(&format!("interventions[{i}].event"), intervention.event, &mut wrong);
            interventions.push(read);
        }
        let mut moment = None;
        if let Some(text) = &self.moment {
            distance("moment.event", text.event, &mut wrong);
            if text.interventions > self.interventions.len() {
                wrong.add(
                    "moment.interventions",
                    text.interventions,
                    format!("0 to {} would do", self.interventions.len()),
                );
            }
            match text.at.micros() {
                Ok(at) if at <= check::LONGEST => {
                    moment = Some(Moment { event: text.event, interventions: text.interventions, at })
                }
                Ok(_) => wrong.add("moment.at", &text.at, check::too_long()),
                Err(says) => wrong.add("moment.at", &text.at, says),
            }
        }
        wrong.unless(Some((interventions, moment)))
    }
}

fn distance(field: &str, event: u64, wrong: &mut Complaints) {
    if event > FARTHEST {
        wrong.add(field, event, format!("is too far to go to; 0 to {FARTHEST} would do"));
    }
}

/// Opens a document bit by bit, for a page that must not stand still meanwhile.
#[derive(Debug)]
pub struct Replay {
    session: Session,
    moment: Moment,
}

impl Replay {
    /// Starts at the start.
    pub fn new(document: &Document) -> Result<Replay, Problems> {
        Replay::of(document, document.scenario.check()?)
    }

    /// Starts at the start of a document whose scenario was checked before.
    pub fn of(document: &Document, checked: Checked) -> Result<Replay, Problems> {
        let (session, moment) = Session::load(document, checked)?;
        Ok(Replay { session, moment: moment.unwrap_or_default() })
    }

    /// Goes on for about this many events. True when the moment is reached. Every intervention is done once on the way, later ones too, so that
    /// it is known to be possible.
    pub fn advance(&mut self, events: u64) -> Result<bool, Problem> {
        let until = self.session.universe.events().saturating_add(events.max(1));
        while self.session.done < self.session.branch.interventions.len()
            || self.session.universe.events() < self.moment.event
        {
            if self.session.universe.events() >= until {
                return Ok(false);
            }
            let nth = self.session.done;
            let limit = self.session.branch.interventions.get(nth).map_or(Micros::MAX, |intervention| intervention.at);
            match self.session.advance(limit) {
                Ok(true) => {}
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
        self.session.go_to(self.moment);
        match self.session.moment() == self.moment {
            true => Ok(true),
            false => {
                Err(self.replay_mismatch("the run never is at this moment; was the link made by another version?"))
            }
        }
    }

    /// How far it has come, in parts of a thousand.
    pub fn permille(&self) -> u64 {
        let last = self.session.branch.interventions.last().map_or(0, |intervention| intervention.event);
        self.session.universe.events() * 1_000 / last.max(self.moment.event).max(1)
    }

    /// The session, at the moment reached.
    pub fn into_session(self) -> Session {
        self.session
    }

    fn replay_mismatch(&self, says: &str) -> Problem {
        let Moment { event, at, .. } = self.moment;
        let value = format!("event {event} at {}", Quantity::from_micros(at));
        Problem { field: "moment".to_owned(), value, says: says.to_owned() }
    }
}
