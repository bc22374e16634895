//! The run on screen, and how time goes by in it.

use super::pace::Pace;
use super::rate::Rate;
use crate::web::browser;
use quorumscope::core::Micros;
use quorumscope::lab::Session;
use quorumscope::lab::session::{Difference, FARTHEST};
use quorumscope::sim::{Action, Refusal};

/// Most of a frame that computing events may take, ms. The rest is for painting them, and for the person.
const BUDGET: f64 = 7.0;
/// Events between two looks at the clock.
const SLICE: u64 = 128;
/// A frame never makes up for more than this, ms: after a pause of the browser the run goes on, it does not leap.
const LONGEST_FRAME: f64 = 100.0;

/// A run to take up where it stands.
pub struct Begun {
    /// The run.
    pub session: Session,
    /// What its latest commands cost, as far as somebody looked on.
    pub rate: Rate,
}

impl From<Session> for Begun {
    fn from(session: Session) -> Begun {
        Begun { session, rate: Rate::default() }
    }
}

/// A session that can play.
pub struct Engine {
    session: Session,
    /// What its commands had cost when it was taken up.
    rate: Rate,
    /// How many sessions it has run before this one.
    earlier: u32,
    /// How fast it plays.
    pub pace: Pace,
    playing: bool,
    /// Simulated time that is due but less than a µs. Decides when to look, never what happens.
    owed: f64,
}

impl Engine {
    /// Takes up a run where it stands.
    pub fn new(Begun { session, rate }: Begun) -> Engine {
        Engine { session, rate, earlier: 0, pace: Pace::default(), playing: false, owed: 0.0 }
    }

    /// Runs another session from now on, at the same pace.
    pub fn load(&mut self, Begun { session, rate }: Begun) {
        self.session = session;
        self.rate = rate;
        self.earlier += 1;
        self.owed = 0.0;
    }

    /// The run.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What its commands had cost when it was taken up.
    pub fn first_rate(&self) -> Rate {
        self.rate.clone()
    }

    /// A number that is another one for every session.
    pub fn number(&self) -> u32 {
        self.earlier
    }

    /// From now on the run does all that is asked: act, and go back quickly.
    pub fn complete(&mut self) {
        self.session.complete();
    }

    /// µs since the start.
    pub fn time(&self) -> Micros {
        self.session.universe().time()
    }

    /// Whether time goes by.
    pub fn playing(&self) -> bool {
        self.playing
    }

    /// Lets time go by, or stops it.
    pub fn play(&mut self, playing: bool) {
        self.playing = playing && !self.at_the_end();
    }

    /// Whether the run is as long as a link can tell.
    pub fn at_the_end(&self) -> bool {
        self.session.moment().event >= FARTHEST
    }

    /// Lets the simulated time of a real `elapsed` ms go by, or less if the machine cannot keep up.
    pub fn go_on(&mut self, elapsed: f64) {
        if !self.playing {
            return;
        }
        let until = match self.pace.micros_per_ms() {
            Some(speed) => {
                self.owed += elapsed.min(LONGEST_FRAME) * speed;
                let whole = self.owed.floor();
                self.owed -= whole;
                self.time() + whole as Micros
            }
            None => Micros::MAX,
        };
        let deadline = browser::now() + BUDGET;
        while self.session.run_until(until, SLICE) == SLICE && browser::now() < deadline {}
        if self.at_the_end() {
            self.playing = false;
        }
    }

    /// Stops, and lets the next thing happen.
    pub fn step(&mut self) -> bool {
        self.playing = false;
        self.session.step()
    }

    /// Stops, and takes back the last thing that happened.
    pub fn back(&mut self) {
        self.playing = false;
        self.session.back();
    }

    /// Goes to a time, µs since the start.
    pub fn seek(&mut self, time: Micros) {
        self.owed = 0.0;
        self.session.seek_time(time);
    }

    /// Stops, and goes over to another branch of the run. Tells where it first differs from the one that was left.
    pub fn switch(&mut self, branch: usize) -> Option<Difference> {
        let left = self.session.branch().number;
        self.playing = false;
        self.owed = 0.0;
        (self.session.switch(branch) && branch != left).then(|| self.session.first_difference(left))?
    }

    /// Starts the scenario again.
    pub fn restart(&mut self) {
        self.owed = 0.0;
        self.session.restart();
    }

    /// Does something to the world now.
    pub fn act(&mut self, action: Action) -> Result<(), Refusal> {
        self.session.act(action)
    }
}
