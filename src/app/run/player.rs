//! The loop that lets time go by and paints messages, frame by frame, outside of Yew; it tells Yew now and then that there is something
//! new to show.

use super::{Engine, probe::Probe};
use crate::stage::layout::Layout;
use crate::stage::painter::Painter;
use crate::web::browser;
use quorumscope::sim::world::Flight;
use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use yew::Callback;

/// ms in which all texts are looked at again.
const TEXT_EVERY: f64 = 100.0;
/// In how many parts: all of them would take too long for one frame.
pub const PARTS: usize = 3;
/// ms between two pictures for those who do not want motion.
const STILL_EVERY: f64 = 600.0;

/// The run, the painter and what connects them.
pub struct Player {
    /// The run on screen.
    pub engine: Engine,
    /// Times of the latest frames.
    pub probe: Probe,
    painter: Option<Painter>,
    layout: Rc<Layout>,
    flights: Vec<Flight>,
    on_update: Callback<Update>,
    next: Option<Next>,
    last_frame: f64,
    last_update: f64,
    /// Something changed since the last picture.
    stale: bool,
    /// No motion, please.
    still: bool,
    /// Whether anybody can see it.
    visible: bool,
}

/// What should be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// All texts: time stands still, or pictures are far apart.
    All,
    /// Those whose turn it is.
    Some,
}

/// The frame that comes next: what the browser calls, every time the same, and the number of the call.
struct Next {
    call: Closure<dyn Fn()>,
    number: i32,
}

impl Drop for Next {
    fn drop(&mut self) {
        let _ = browser::window().cancel_animation_frame(self.number);
    }
}

/// A player that components and frames share.
#[derive(Clone)]
pub struct Shared(Rc<RefCell<Player>>);

impl PartialEq for Shared {
    fn eq(&self, other: &Shared) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Shared {
    /// To look at it.
    pub fn borrow(&self) -> Ref<'_, Player> {
        self.0.borrow()
    }

    /// To change it.
    pub fn borrow_mut(&self) -> RefMut<'_, Player> {
        self.0.borrow_mut()
    }

    /// One frame, and the next.
    fn go_on(&self) {
        if let Some(next) = &mut self.borrow_mut().next {
            next.number = ask_for_frame(&next.call);
        }
        let update = self.borrow_mut().frame();
        if let Some(update) = update {
            let on_update = self.borrow().on_update.clone();
            on_update.emit(update);
        }
    }
}

impl Player {
    /// Starts the loop. `on_update` is called when texts should be looked at again.
    pub fn start(engine: Engine, on_update: Callback<Update>) -> Shared {
        let player = Shared(Rc::new(RefCell::new(Player {
            engine,
            probe: Probe::default(),
            painter: None,
            layout: Rc::default(),
            flights: Vec::new(),
            on_update,
            next: None,
            last_frame: browser::now(),
            last_update: 0.0,
            stale: true,
            still: browser::wants_less_motion(),
            visible: true,
        })));
        let again = Rc::downgrade(&player.0);
        let call = Closure::<dyn Fn()>::new(move || {
            if let Some(player) = again.upgrade().map(Shared) {
                player.go_on();
            }
        });
        player.borrow_mut().next = Some(Next { number: ask_for_frame(&call), call });
        player
    }

    /// Stops the loop.
    pub fn stop(&mut self) {
        self.next = None;
    }

    /// Paints with this painter from now on.
    pub fn set_painter(&mut self, painter: Option<Painter>) {
        self.painter = painter;
        self.stale = true;
    }

    /// Paints on a stage laid out like this from now on.
    pub fn set_layout(&mut self, layout: Rc<Layout>) {
        self.layout = layout;
        self.stale = true;
    }

    /// Time stands still while nobody can see it.
    pub fn set_visible(&mut self, visible: bool) {
        self.visible = visible;
        self.last_frame = browser::now();
    }

    /// The next frame paints anew even if no time goes by.
    pub fn touch(&mut self) {
        self.stale = true;
    }

    /// Messages under way in the last picture.
    pub fn flights(&self) -> &[Flight] {
        &self.flights
    }

    /// One frame. Tells whether texts should be looked at again.
    fn frame(&mut self) -> Option<Update> {
        let started = browser::now();
        let elapsed = started - self.last_frame;
        let moving = self.engine.playing() && self.visible;
        if self.still && moving && elapsed < STILL_EVERY {
            return None;
        }
        self.last_frame = started;
        if moving {
            // Stepped pictures show as much time as a moving one would have.
            let steps = if self.still { (elapsed / TEXT_EVERY).ceil().max(1.0) } else { 1.0 };
            (0..steps as u32).for_each(|_| self.engine.go_on(elapsed / steps));
            self.stale = true;
        }
        if !self.stale {
            return None;
        }
        let universe = self.engine.session().universe();
        universe.flights(&mut self.flights);
        let time = universe.time();
        if let Some(painter) = &mut self.painter {
            painter.paint(&self.layout, &self.flights, time, self.still);
        }
        if moving {
            self.probe.note(browser::now() - started);
        }
        if started - self.last_update < TEXT_EVERY / PARTS as f64 {
            return None;
        }
        self.last_update = started;
        // Whatever came between two looks must not be the last word: once time stands still, all is looked at.
        self.stale = moving && !self.still;
        Some(if self.stale { Update::Some } else { Update::All })
    }
}

fn ask_for_frame(call: &Closure<dyn Fn()>) -> i32 {
    browser::window().request_animation_frame(call.as_ref().unchecked_ref()).unwrap_or(0)
}
