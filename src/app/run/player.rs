//! The player: the frame loop that plays the engine and paints messages, outside of Yew. Some times a second it has Yew update texts.

use super::engine::Engine;
use super::frame_times::FrameTimes;
use super::told::Listeners;
use crate::elements::geometry::Point;
use crate::page_action::Selected;
use crate::stage::layout::Layout;
use crate::stage::painter::Painter;
use crate::web::browser;
use quorumscope::core::NodeId;
use quorumscope::sim::world::Flight;
use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use yew::Callback;

/// Time in which all view groups are updated once, ms.
const TEXT_EVERY: f64 = 100.0;
/// Number of view groups, updated in turn: all of them would take too long for one frame.
pub const VIEW_GROUPS: usize = 3;
/// Time between two pictures with reduced motion, ms, and most that such a picture covers.
const STILL_EVERY: f64 = 600.0;
const STILL_MOST: f64 = 1_000.0;
/// Time of a frame for an errand, ms: nothing else moves then.
const ERRAND: f64 = 25.0;

/// The engine, the painter and the frame loop.
pub struct Player {
    /// The run on screen.
    pub engine: Engine,
    /// Script times of the latest frames.
    pub frame_times: FrameTimes,
    /// What is told of the lessons, and to whom.
    pub told: Rc<Listeners>,
    painter: Option<Painter>,
    layout: Rc<Layout>,
    flights: Vec<Flight>,
    selected: Option<Selected>,
    on_update: Callback<Update>,
    next: Option<Next>,
    last_frame: f64,
    last_update: f64,
    /// Whether something changed since the last picture.
    needs_paint: bool,
    /// Whether the person prefers reduced motion.
    reduced_motion: bool,
    /// Whether the stage is visible.
    visible: bool,
}

/// What Yew should update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// All view groups: the run is paused, or pictures are far apart.
    All,
    /// The view group whose turn it is.
    Some,
}

/// The next frame: the callback, always the same, and the number of the request.
struct Next {
    call: Closure<dyn Fn()>,
    number: i32,
}

impl Drop for Next {
    fn drop(&mut self) {
        let _ = browser::window().cancel_animation_frame(self.number);
    }
}

/// A player shared by components and the frame loop.
#[derive(Clone)]
pub struct Shared(Rc<RefCell<Player>>);

impl PartialEq for Shared {
    fn eq(&self, other: &Shared) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Shared {
    /// Borrows it.
    pub fn borrow(&self) -> Ref<'_, Player> {
        self.0.borrow()
    }

    /// Borrows it mutably.
    pub fn borrow_mut(&self) -> RefMut<'_, Player> {
        self.0.borrow_mut()
    }

    /// Runs a frame, and requests the next.
    fn on_frame(&self) {
        if let Some(next) = &mut self.borrow_mut().next {
            next.number = request_frame(&next.call);
        }
        let update = self.borrow_mut().frame();
        if let Some(update) = update {
            let on_update = self.borrow().on_update.clone();
            on_update.emit(update);
        }
    }
}

impl Player {
    /// Starts the frame loop, with less motion or all of it, unless the person's system decides that. `on_update` is called when Yew should update.
    pub fn start(engine: Engine, less_motion: Option<bool>, on_update: Callback<Update>) -> Shared {
        let player = Shared(Rc::new(RefCell::new(Player {
            engine,
            frame_times: FrameTimes::default(),
            told: Rc::default(),
            painter: None,
            layout: Rc::default(),
            flights: Vec::new(),
            selected: None,
            on_update,
            next: None,
            last_frame: browser::now(),
            last_update: 0.0,
            needs_paint: true,
            reduced_motion: less_motion.unwrap_or_else(browser::wants_less_motion),
            visible: true,
        })));
        let again = Rc::downgrade(&player.0);
        let call = Closure::<dyn Fn()>::new(move || {
            if let Some(player) = again.upgrade().map(Shared) {
                player.on_frame();
            }
        });
        player.borrow_mut().next = Some(Next { number: request_frame(&call), call });
        player
    }

    /// Stops the frame loop.
    pub fn stop(&mut self) {
        self.next = None;
    }

    /// Sets the painter.
    pub fn set_painter(&mut self, painter: Option<Painter>) {
        self.painter = painter;
        self.needs_paint = true;
    }

    /// Sets the layout of the stage.
    pub fn set_layout(&mut self, layout: Rc<Layout>) {
        self.layout = layout;
        self.needs_paint = true;
    }

    /// Pauses the loop while the stage is not visible.
    pub fn set_visible(&mut self, visible: bool) {
        self.visible = visible;
        self.last_frame = browser::now();
    }

    /// Has the next frame paint and update, even while paused.
    pub fn invalidate(&mut self) {
        self.needs_paint = true;
    }

    /// Sets what is selected; a message is framed.
    pub fn select(&mut self, selected: Option<Selected>) {
        self.selected = selected;
        self.needs_paint = true;
    }

    /// The message painted nearest to a point of the stage, CSS pixels, if there is one close by.
    pub fn flight_at(&self, at: Point) -> Option<&Flight> {
        self.flights.get(self.painter.as_ref()?.dot_at(at)?)
    }

    /// Messages in flight in the last picture.
    pub fn flights(&self) -> &[Flight] {
        &self.flights
    }

    /// One frame. Returns what Yew should update.
    fn frame(&mut self) -> Option<Update> {
        let started = browser::now();
        let elapsed = started - self.last_frame;
        let under_way = self.engine.go_on(ERRAND);
        self.needs_paint |= under_way;
        let moving = self.engine.playing() && self.visible && !under_way;
        if self.reduced_motion && moving && elapsed < STILL_EVERY {
            return None;
        }
        self.last_frame = started;
        if moving {
            // Stepped pictures cover as much time as continuous ones.
            let steps = if self.reduced_motion { (elapsed.min(STILL_MOST) / TEXT_EVERY).ceil().max(1.0) } else { 1.0 };
            (0..steps as u32).for_each(|_| self.engine.advance(elapsed / steps));
            self.needs_paint = true;
        }
        self.needs_paint |= self.visible && self.engine.look_ahead();
        if !self.needs_paint {
            return None;
        }
        let universe = self.engine.session().universe();
        universe.flights(&mut self.flights);
        let time = universe.time();
        if let Some(painter) = &mut self.painter {
            let timers =
                (0..universe.nodes()).filter_map(|node| universe.next_timer(NodeId(node)).map(|at| (node, at)));
            painter.paint_timers(&self.layout, timers, time);
            painter.paint(&self.layout, (&self.flights, self.selected), time, self.reduced_motion);
        }
        if moving {
            self.frame_times.note(browser::now() - started);
        }
        if started - self.last_update < TEXT_EVERY / VIEW_GROUPS as f64 {
            return None;
        }
        self.last_update = started;
        // The frame after the run was paused updates everything.
        self.needs_paint = moving && !self.reduced_motion;
        Some(if self.needs_paint { Update::Some } else { Update::All })
    }
}

fn request_frame(call: &Closure<dyn Fn()>) -> i32 {
    browser::window().request_animation_frame(call.as_ref().unchecked_ref()).unwrap_or(0)
}
