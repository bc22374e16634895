//! Chunks: the parts of the page's program that are files of their own and are loaded when they are wanted (code splitting). A function
//! with `#[wasm_split(name, …)]` is where a chunk begins: what only it calls comes in that chunk. `scripts/split.mjs` makes the files, of
//! release builds; in others all is there from the start. A failed load is tried again at the next call.

use super::actions::{self, Actions};
use crate::dialogs::{help, setup, share};
use crate::page_action::{Dialog, PageAction};
use crate::panels::{break_it, inspect, messages, words};
use crate::run::details::Details;
use crate::stage::faults::{self, Faults};
use crate::time::diagram;
pub use crate::web::variants::{Missing, variant};

/// The chunks that are not variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// What can be done to a run, and documents.
    Actions,
    /// Menus, and the signs of what is out of order.
    Faults,
    /// Measuring and comparing variants.
    Measurements,
    /// The inspector and the log.
    Inspect,
    /// Rules to take away, and searches for what breaks then.
    BreakIt,
    /// The run in words.
    Words,
    /// The space-time diagram.
    Diagram,
    /// The help sheet.
    Help,
    /// The set-up sheet.
    Setup,
    /// The sheet to share from.
    Share,
}

impl Chunk {
    /// All of them, in the order in which they are fetched when there is nothing else to do.
    pub const ALL: [Chunk; 10] = [
        Chunk::Actions,
        Chunk::Faults,
        Chunk::Measurements,
        Chunk::Inspect,
        Chunk::BreakIt,
        Chunk::Words,
        Chunk::Diagram,
        Chunk::Help,
        Chunk::Setup,
        Chunk::Share,
    ];

    /// What it holds, in words.
    const fn title(self) -> &'static str {
        match self {
            Chunk::Actions => "The part of this page that acts on the run",
            Chunk::Faults => "The menus of this page",
            Chunk::Measurements => "The measurements",
            Chunk::Inspect => "The inspector",
            Chunk::BreakIt => "What searches for violations",
            Chunk::Words => "The view in words",
            Chunk::Diagram => "The space-time diagram",
            Chunk::Help => "The help",
            Chunk::Setup => "The set-up sheet",
            Chunk::Share => "The sheet to share from",
        }
    }

    /// Loads it, unless that has been done. For the chunk for actions alone: whatever else calls this has all of them to load.
    pub async fn load(self) -> Result<Part, Missing> {
        let part = match self {
            Chunk::Actions => actions::load().await.map(Part::Actions),
            Chunk::Faults => faults::load().await.map(Part::Faults),
            Chunk::Measurements => messages::load().await.map(Part::Measurements),
            Chunk::Inspect => inspect::load().await.map(Part::Inspect),
            Chunk::BreakIt => break_it::load().await.map(Part::BreakIt),
            Chunk::Words => words::load().await.map(Part::Words),
            Chunk::Diagram => diagram::load().await.map(Part::Diagram),
            Chunk::Help => help::load().await.map(Part::Help),
            Chunk::Setup => setup::load().await.map(Part::Setup),
            Chunk::Share => share::load().await.map(Part::Share),
        };
        part.map_err(|_| Missing(self.title().to_owned()))
    }
}

/// A chunk that is there: its functions.
#[derive(Clone, Copy)]
pub enum Part {
    Actions(&'static Actions),
    Faults(&'static Faults),
    Measurements(messages::View),
    Inspect(inspect::View),
    BreakIt(break_it::View),
    Words(words::View),
    Diagram(diagram::View),
    Help(help::View),
    Setup(setup::View),
    Share(share::View),
}

/// The chunk for actions, loaded unless that has been done.
pub async fn actions() -> Result<&'static Actions, Missing> {
    actions::load().await.map_err(|_| Missing(Chunk::Actions.title().to_owned()))
}

/// The chunks that are there by now.
#[derive(Clone, Copy, Default)]
pub struct Parts {
    pub actions: Option<&'static Actions>,
    pub faults: Option<&'static Faults>,
    pub measurements: Option<messages::View>,
    pub inspect: Option<inspect::View>,
    pub break_it: Option<break_it::View>,
    pub words: Option<words::View>,
    pub diagram: Option<diagram::View>,
    pub help: Option<help::View>,
    pub setup: Option<setup::View>,
    pub share: Option<share::View>,
}

impl Parts {
    /// Adds one.
    pub fn add(&mut self, part: Part) {
        match part {
            Part::Actions(actions) => self.actions = Some(actions),
            Part::Faults(faults) => self.faults = Some(faults),
            Part::Measurements(view) => self.measurements = Some(view),
            Part::Inspect(inspect) => self.inspect = Some(inspect),
            Part::BreakIt(view) => self.break_it = Some(view),
            Part::Words(view) => self.words = Some(view),
            Part::Diagram(view) => self.diagram = Some(view),
            Part::Help(view) => self.help = Some(view),
            Part::Setup(view) => self.setup = Some(view),
            Part::Share(view) => self.share = Some(view),
        }
    }

    /// What tells of a run, once it is there.
    pub fn details(&self) -> Option<Details> {
        self.actions.map(|actions| actions.details)
    }

    /// Whether it is there.
    pub fn has(&self, chunk: Chunk) -> bool {
        match chunk {
            Chunk::Actions => self.actions.is_some(),
            Chunk::Faults => self.faults.is_some(),
            Chunk::Measurements => self.measurements.is_some(),
            Chunk::Inspect => self.inspect.is_some(),
            Chunk::BreakIt => self.break_it.is_some(),
            Chunk::Words => self.words.is_some(),
            Chunk::Diagram => self.diagram.is_some(),
            Chunk::Help => self.help.is_some(),
            Chunk::Setup => self.setup.is_some(),
            Chunk::Share => self.share.is_some(),
        }
    }
}

/// The chunk without which this cannot be done, besides that for actions.
pub fn needs(page_action: &PageAction) -> Chunk {
    match page_action {
        PageAction::Menu(Some(_)) => Chunk::Faults,
        PageAction::Diagram(true) => Chunk::Diagram,
        PageAction::Open(Some(Dialog::Help)) => Chunk::Help,
        PageAction::Open(Some(Dialog::Setup)) => Chunk::Setup,
        PageAction::Open(Some(Dialog::Share)) => Chunk::Share,
        _ => Chunk::Actions,
    }
}
