//! The address, which tells the moment on screen, and the browser's history, which has an entry for each run, not for each moment.

use crate::web::{address, browser};
use quorumscope::lab::Moment;

/// Least time between two updates of the address while the run plays, ms.
const EVERY: f64 = 1_000.0;

/// How far the run is that the person wants by another address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    None,
    /// It is read.
    Asked,
    /// It is on its way to its moment.
    Travelling,
}

/// What of the run is in the address and in the history.
pub struct Entries {
    /// The latest packing: number, begin (ms), moment.
    packing: (u32, f64, Option<Moment>),
    /// Whether the person changed the address, as by Back, and the run it tells is still being opened: until then the address stays.
    visit: Visit,
    /// The number of the run that the present entry is about; `None` while the last moment of the run before is written into it.
    run: Option<u32>,
}

impl Entries {
    /// Those of a page with its first run.
    pub fn new() -> Entries {
        Entries { packing: (0, f64::NEG_INFINITY, None), visit: Visit::None, run: Some(0) }
    }

    /// Has the next moment written at once.
    pub fn hurry(&mut self) {
        self.packing.1 = f64::NEG_INFINITY;
    }

    /// The person changed the address.
    pub fn visit(&mut self) {
        self.visit = Visit::Asked;
    }

    /// What the address tells makes sense, and is on its way.
    pub fn travel(&mut self) {
        self.visit = Visit::Travelling;
    }

    /// Whether it is.
    pub fn is_travelling(&self) -> bool {
        self.visit == Visit::Travelling
    }

    /// The run of the latest visit is there, with this number, or was not opened. The browser has made the entry, or gone back to it.
    pub fn arrive(&mut self, run: Option<u32>) {
        self.visit = Visit::None;
        match run {
            Some(run) => self.run = Some(run),
            // The run that goes on is told again.
            None => self.packing.2 = None,
        }
    }

    /// Another run has taken the place of the one in the present entry, whose last moment will be [kept](Entries::keep).
    pub fn leave(&mut self) {
        self.run = None;
        self.packing.0 += 1;
    }

    /// Writes the last moment of a run that was left into its entry; the next moment gets an entry of its own.
    pub fn keep(&mut self, packed: Option<&str>) {
        packed.into_iter().for_each(|packed| address::show(packed, false));
        // Never the number of a run.
        self.run = Some(u32::MAX);
        self.hurry();
    }

    /// The number of a packing of this moment, if one is due: once a second while playing, at once after an action.
    pub fn pack(&mut self, moment: Moment) -> Option<u32> {
        let (number, began, of) = self.packing;
        let now = browser::now();
        let waits = of == Some(moment) || now - began < EVERY || self.visit != Visit::None || self.run.is_none();
        if waits {
            return None;
        }
        self.packing = (number + 1, now, Some(moment));
        Some(number + 1)
    }

    /// Shows the moment of a packing in the address, unless there is a newer one. Another run gets a new entry, unless `alone`: in a frame, Back
    /// belongs to the page around it.
    pub fn show(&mut self, number: u32, packed: &str, run: u32, alone: bool) {
        if number == self.packing.0 && self.visit == Visit::None && self.run.is_some() {
            let another = self.run.replace(run) != Some(run);
            address::show(packed, another && !alone);
        }
    }
}
