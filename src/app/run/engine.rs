//! The engine: plays a session in real time, steps, seeks, and switches branches.

use super::moments::{LookAhead, Moment};
use super::pace::Pace;
use super::rate::Rate;
use crate::web::browser;
use quorumscope::core::Micros;
use quorumscope::lab::Session;
use quorumscope::lab::document::trial::Trial;
use quorumscope::lab::run::trial::{self, UnderWay};
use quorumscope::lab::session::{Bookmark, FARTHEST, Stopped};
use quorumscope::sim::{Action, Refusal};
use std::rc::Rc;

/// Most time of a frame for executing events, ms. The rest is for painting and input.
const BUDGET: f64 = 7.0;
/// Events between two readings of the clock.
const SLICE: u64 = 128;
/// Most real time that one frame accounts for, ms: after a pause of the browser the run continues without a leap.
const LONGEST_FRAME: f64 = 100.0;

/// A session to play from its present moment.
pub struct RunStart {
    /// The run.
    pub session: Session,
    /// Messages per command so far.
    pub rate: Rate,
    /// What is to be done before it plays, if that takes long.
    pub errand: Option<Errand>,
}

impl From<Session> for RunStart {
    fn from(session: Session) -> RunStart {
        RunStart { session, rate: Rate::default(), errand: None }
    }
}

/// Something to be done to the run that takes longer than a frame: a slice a frame, and then the browser gets a turn. They are made in
/// [`super::errand`], which comes in the chunk for actions.
pub struct Errand {
    /// What it is, for people.
    pub what: String,
    /// Goes on until a time, ms.
    pub go_on: GoOn,
    /// Where the run was before, if the errand moves it: there it goes when the errand is stopped.
    pub from: Option<Bookmark>,
    /// When it began, ms.
    pub since: f64,
    /// How far it is, in parts of a thousand.
    pub permille: u64,
}

/// Goes on with an errand until a time, ms.
pub type GoOn = Box<dyn FnMut(&mut Session, f64) -> Way>;

/// How far an errand is.
pub enum Way {
    /// Under way, in parts of a thousand.
    On(u64),
    /// At its end, with something to tell or nothing.
    There(Option<String>),
    /// At its end: another run takes the place of this one, and plays or does not.
    Run(Box<RunStart>, bool),
}

/// A session that can play.
pub struct Engine {
    session: Session,
    /// Messages per command when it was loaded.
    rate: Rate,
    /// Number of the session, counted from 0.
    number: u32,
    /// Speed, away from moments that matter.
    pace: Pace,
    /// Whether a person has chosen it; then it stays.
    chosen_pace: bool,
    /// Whether the run slows down around moments that matter.
    pub slows_down: bool,
    /// The moments that matter, in order, as far as they are known.
    pub moments: Rc<[Moment]>,
    /// What finds them; `None` before the chunk for actions is loaded.
    look_ahead: Option<LookAhead>,
    /// Whether runs get no entries of their own in the browser's history, as those of a lesson.
    pub in_lesson: bool,
    playing: bool,
    /// Whether playing has ended by itself, and nobody knows yet.
    ended: bool,
    /// What is under way. While there is something, the run does not play.
    pub errand: Option<Errand>,
    /// What an errand has to tell that has come to its end, and nobody knows yet.
    arrived: Option<Option<String>>,
    /// Simulated time that is due but less than a µs. It paces the picture and never decides an event.
    remainder: f64,
}

impl Engine {
    /// An engine for a session, paused.
    pub fn new(RunStart { session, rate, errand }: RunStart) -> Engine {
        let mut engine = Engine {
            session,
            rate,
            number: 0,
            pace: Pace::default(),
            chosen_pace: false,
            slows_down: true,
            moments: Rc::new([]),
            look_ahead: None,
            in_lesson: false,
            playing: false,
            ended: false,
            errand,
            arrived: None,
            remainder: 0.0,
        };
        engine.fit_pace();
        engine
    }

    /// A speed that fits the scenario, unless a person has chosen one: where something is going to happen, faster until then.
    fn fit_pace(&mut self) {
        if !self.chosen_pace {
            let eventful = self.session.checked().opens > 0;
            self.pace = Pace::at(self.slow_pace().index() + if eventful { 2 } else { 0 });
        }
    }

    /// The speed at which messages can be followed.
    fn slow_pace(&self) -> Pace {
        Pace::for_way(self.way())
    }

    /// The longest round trip or, if that takes longer, a write to a disk, µs.
    fn way(&self) -> Micros {
        let topology = &self.session.checked().blueprint.topology;
        let pairs = (0..topology.sites).flat_map(|a| (0..topology.sites).map(move |b| (a, b)));
        pairs.map(|(a, b)| topology.round_trip(a, b)).max().unwrap_or(0).max(topology.disk)
    }

    /// The speed away from moments that matter.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Sets it.
    pub fn choose_pace(&mut self, pace: Pace) {
        (self.pace, self.chosen_pace) = (pace, true);
    }

    /// How long before a moment that matters the run slows down, µs.
    pub fn lead(&self) -> Micros {
        (2 * self.way()).clamp(5_000, 200_000)
    }

    /// The speed at this moment.
    pub fn present_pace(&self) -> Pace {
        let slow = self.slow_pace();
        let near = |moment: &Moment| {
            let (now, lead) = (self.time(), self.lead());
            moment.at <= now + lead && now < moment.at + 2 * lead
        };
        let slows = self.slows_down && self.pace > slow && self.pace < Pace::at(Pace::LAST);
        if slows && self.moments.iter().any(near) { slow } else { self.pace }
    }

    /// The next time at which the speed changes, so that no frame leaps over it.
    fn next_slow_down(&self) -> Micros {
        let begins = self.moments.iter().map(|moment| moment.at.saturating_sub(self.lead()));
        let next = begins.filter(|at| *at > self.time()).min();
        next.filter(|_| self.slows_down && self.pace < Pace::at(Pace::LAST)).unwrap_or(Micros::MAX)
    }

    /// Looks a little ahead for moments that matter, unless the run is moving elsewhere. True: there is something new.
    pub fn look_ahead(&mut self) -> bool {
        if self.errand.is_some() {
            return false;
        }
        let found = self.look_ahead.as_mut().and_then(|look| look(self.number, &self.session));
        let is_new = found.is_some();
        self.moments = found.unwrap_or_else(|| self.moments.clone());
        is_new
    }

    /// Replaces the session; a speed that a person has chosen stays.
    pub fn load(&mut self, RunStart { session, rate, errand }: RunStart) {
        self.session = session;
        self.rate = rate;
        self.errand = errand;
        self.number += 1;
        self.remainder = 0.0;
        self.moments = Rc::new([]);
        self.fit_pace();
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Messages per command when the session was loaded.
    pub fn first_rate(&self) -> Rate {
        self.rate.clone()
    }

    /// Number of the session; differs for every session loaded.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Has the run do all that is asked from now on: act, and go back quickly.
    pub fn complete(&mut self) {
        self.session.complete();
        self.look_ahead = Some(super::moments::look_ahead());
    }

    /// µs since the start.
    pub fn time(&self) -> Micros {
        self.session.universe().time()
    }

    /// Whether it plays.
    pub fn playing(&self) -> bool {
        self.playing
    }

    /// Plays or pauses.
    pub fn play(&mut self, playing: bool) {
        self.playing = playing && !self.at_the_end();
    }

    /// Whether the run goes no further: it is as long as a link can describe, too large, or its time stands still.
    pub fn at_the_end(&self) -> bool {
        self.session.moment().event >= FARTHEST || self.session.stopped().is_some()
    }

    /// Whether playing has ended by itself since this was asked last.
    pub fn has_ended(&mut self) -> bool {
        std::mem::take(&mut self.ended)
    }

    /// Why the run goes no further, for a notice.
    pub fn ending(&self) -> String {
        match self.session.stopped() {
            Some(stopped) => stopped_text(stopped),
            None if self.at_the_end() => "The run is as long as a link can describe. Start it again.".to_owned(),
            None => "Nothing is left to happen.".to_owned(),
        }
    }

    /// Plays for `elapsed` ms of real time, or less if the machine cannot keep up.
    pub fn advance(&mut self, elapsed: f64) {
        if !self.playing || self.errand.is_some() {
            return;
        }
        let until = match self.present_pace().micros_per_ms() {
            Some(speed) => {
                self.remainder += elapsed.min(LONGEST_FRAME) * speed;
                let whole = self.remainder.floor();
                self.remainder -= whole;
                (self.time() + whole as Micros).min(self.next_slow_down())
            }
            None => Micros::MAX,
        };
        let deadline = browser::now() + BUDGET;
        let mut ran = SLICE;
        while ran == SLICE && browser::now() < deadline {
            ran = self.session.run_until(until, SLICE);
        }
        // At top speed there is no time to wait for: with fewer events than asked for, nothing is left to happen.
        let idle = until == Micros::MAX && ran < SLICE;
        if self.at_the_end() || idle {
            self.playing = false;
            self.ended = true;
        }
    }

    /// Pauses, and executes the next event. False when nothing is left.
    pub fn step(&mut self) -> bool {
        self.pause();
        self.yield_to_act();
        self.session.step()
    }

    /// Goes on with what is under way, for so many ms. False: nothing was under way.
    pub fn go_on(&mut self, ms: f64) -> bool {
        let Some(mut errand) = self.errand.take() else { return false };
        self.remainder = 0.0;
        match (errand.go_on)(&mut self.session, browser::now() + ms) {
            Way::On(permille) => {
                errand.permille = permille;
                self.errand = Some(errand);
            }
            Way::There(told) => self.arrived = Some(told),
            Way::Run(start, plays) => {
                self.load(*start);
                self.play(plays);
                self.arrived = Some(None);
            }
        }
        true
    }

    /// Whether an errand has come to its end since this was asked last, with what it has to tell.
    pub fn has_arrived(&mut self) -> Option<Option<String>> {
        self.arrived.take()
    }

    /// Somebody acts on the run: what moves it ends, and the run is where it has come to.
    fn yield_to_act(&mut self) {
        self.errand.take_if(|errand| errand.from.is_some());
    }

    /// Pauses.
    pub fn pause(&mut self) {
        self.playing = false;
    }

    /// Has something be done to the session: whoever does that sees to it that it takes less than a frame.
    pub fn with<T>(&mut self, act: impl FnOnce(&mut Session) -> T) -> T {
        self.remainder = 0.0;
        act(&mut self.session)
    }

    /// Does what a trial says, now.
    pub fn try_out(&mut self, trial: &Trial) -> Result<UnderWay, Refusal> {
        self.yield_to_act();
        trial::begin(&mut self.session, trial)
    }

    /// Acts on the run now. The error says why not; then nothing has changed.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.yield_to_act();
        self.session.act(action)
    }
}

/// Why a run does not go on, for a notice.
pub fn stopped_text(stopped: Stopped) -> String {
    format!("The run does not go on, {stopped}. It is kept: go back in time, or begin a smaller scenario.")
}
