//! What hands do to the diagram: wheel, pointers and keys.

use super::lanes::Row;
use super::words::totals_text;
use super::{Diagram, Held, Msg, Touch, scene};
use crate::elements::text;
use crate::hotkeys::{DiagramKey, diagram_key};
use crate::page_action::{PageAction, Selected};
use crate::web::browser;
use quorumscope::core::Micros;
use quorumscope::lab::run::diagram::{Cone, Lane, Message, Totals};
use web_sys::Element;
use yew::prelude::*;

/// One press of a key zooms and moves by so much.
const ZOOM: f64 = 0.7;
const PAN: f64 = 0.2;
/// How near a pointer must be to a line, CSS pixels, and how far it moves before it drags.
const REACH: f64 = 9.0;
const DRAGS: f64 = 5.0;

/// What a key asks for.
pub fn on_key(event: KeyboardEvent) -> Option<Msg> {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return None;
    }
    let key = event.key();
    let on = event.target_dyn_into::<Element>();
    let on_button = on.is_some_and(|on| on.tag_name() == "BUTTON");
    // What a button does itself, it does.
    let does = diagram_key(&key).filter(|does| !(on_button && *does == DiagramKey::Select))?;
    event.prevent_default();
    Some(Msg::Key(does))
}

impl Diagram {
    /// Selects a message, and goes to where it leaves unless it is on its way now.
    pub(super) fn choose(&mut self, ctx: &Context<Diagram>, number: usize) {
        let Some(message) = self.recorder.as_ref().and_then(|recorder| recorder.history().message(number)).copied()
        else {
            return;
        };
        let selected = Selected::Message { id: message.id, from: message.from.end() };
        self.chosen = Some((selected, number));
        self.cone_of = None;
        let on = &ctx.props().on;
        if self.now < message.sent || self.now >= message.arrives {
            on.emit(PageAction::Play(false));
            on.emit(PageAction::Seek(message.sent));
        }
        on.emit(PageAction::Select(Some(selected)));
    }

    /// The message whose line is nearest to a point, if one is near.
    fn hit(&self, (x, y): (f64, f64)) -> Option<usize> {
        let history = self.recorder.as_ref()?.history();
        let (from, until) = (self.window.time(x - REACH), self.window.time(x + REACH));
        let distance = |message| {
            let [x1, y1, x2, y2] = scene::line(&self.lanes, &self.window, history, message)?;
            let (dx, dy) = (x2 - x1, y2 - y1);
            let part = ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy).max(1e-9);
            let part = part.clamp(0.0, 1.0);
            Some(((x - x1 - part * dx).powi(2) + (y - y1 - part * dy).powi(2)).sqrt())
        };
        let near = history.window(from, until).filter_map(|(number, message)| Some((distance(message)?, number)));
        let (distance, number) = near.min_by(|(one, _), (other, _)| one.total_cmp(other))?;
        (distance <= REACH).then_some(number)
    }

    pub(super) fn wheel(&mut self, ctx: &Context<Diagram>, event: &WheelEvent) {
        let (dx, dy, end) = (event.delta_x(), event.delta_y(), self.end(ctx));
        let at = self.at(event);
        if event.shift_key() || dx.abs() > dy.abs() {
            let by = if dx.abs() > dy.abs() { dx } else { dy };
            self.window.pan(by / self.window.width, end);
        } else if event.ctrl_key() || event.meta_key() || self.lanes.most() == 0.0 {
            self.window.zoom((dy.clamp(-120.0, 120.0) / 300.0).exp2(), at.0, end);
        } else {
            self.lanes.scroll(dy);
        }
        self.moved_by_hand();
    }

    /// Whoever moves away from the moment on screen stays where they are.
    pub(super) fn moved_by_hand(&mut self) {
        self.follows = (0.0..=self.window.width).contains(&self.window.x(self.now));
    }

    fn at(&self, event: &MouseEvent) -> (f64, f64) {
        let rect = self.plot.cast::<Element>().map(|plot| plot.get_bounding_client_rect());
        let (left, top) = rect.map_or((0.0, 0.0), |rect| (rect.left(), rect.top()));
        (f64::from(event.client_x()) - left, f64::from(event.client_y()) - top)
    }

    /// A pointer. True: texts are to be updated at once.
    pub(super) fn pointer(&mut self, ctx: &Context<Diagram>, touch: Touch, event: &PointerEvent) -> bool {
        let (at, id, end) = (self.at(event), event.pointer_id(), self.end(ctx));
        let index = self.held.iter().position(|held| held.id == id);
        let mouse = event.pointer_type() == "mouse";
        match (touch, index) {
            (Touch::Down, None) if event.button() == 0 => {
                if let Some(canvas) = self.canvas.cast::<Element>() {
                    let _ = canvas.set_pointer_capture(id);
                }
                let marks = self.marks || mouse && !event.shift_key();
                self.held.push(Held { id, began: at, at, marks, moved: false });
            }
            (Touch::Move, None) if mouse => {
                let pointed = self.hit(at);
                if pointed == self.pointed {
                    return false;
                }
                self.pointed = pointed;
            }
            (Touch::Move, Some(index)) => self.drag(index, at, end),
            (Touch::Up, Some(index)) => {
                let held = self.held.remove(index);
                if !held.moved {
                    match self.hit(at) {
                        Some(number) => self.choose(ctx, number),
                        None => {
                            self.range = None;
                            ctx.props().on.emit(PageAction::Seek(self.window.time(at.0)));
                        }
                    }
                }
            }
            (Touch::Gone, None) if mouse => {
                let was = self.pointed.take();
                if was.is_none() {
                    return false;
                }
            }
            (Touch::Gone, Some(index)) => drop(self.held.remove(index)),
            _ => return false,
        }
        self.changed_view();
        true
    }

    fn drag(&mut self, index: usize, at: (f64, f64), end: Micros) {
        let before = self.held[index];
        let moved = before.moved || (at.0 - before.began.0).abs() + (at.1 - before.began.1).abs() > DRAGS;
        self.held[index].moved = moved;
        if !moved {
            return;
        }
        self.held[index].at = at;
        match self.held.as_slice() {
            [one, other] => {
                // Two fingers: what is between them stays between them.
                let other = if one.id == before.id { other } else { one };
                let (was, is) = ((before.at.0 - other.at.0).abs(), (at.0 - other.at.0).abs());
                let middle = (at.0 + other.at.0) / 2.0;
                self.window.zoom((was.max(20.0) / is.max(20.0)).clamp(0.5, 2.0), middle, end);
                self.window.pan((before.at.0 - at.0) / 2.0 / self.window.width, end);
                self.held.iter_mut().for_each(|held| held.moved = true);
                self.moved_by_hand();
            }
            _ if before.marks => {
                let (one, other) = (self.window.time(before.began.0), self.window.time(at.0));
                self.range = Some((one.min(other), one.max(other)));
            }
            _ => {
                self.window.pan((before.at.0 - at.0) / self.window.width, end);
                self.lanes.scroll(before.at.1 - at.1);
                self.moved_by_hand();
            }
        }
    }

    pub(super) fn key(&mut self, ctx: &Context<Diagram>, key: DiagramKey) {
        let (end, now) = (self.end(ctx), self.window.x(self.now));
        let middle = if (0.0..=self.window.width).contains(&now) { now } else { self.window.width / 2.0 };
        match key {
            DiagramKey::Zoom(closer) => self.window.zoom(if closer { ZOOM } else { 1.0 / ZOOM }, middle, end),
            DiagramKey::Pan(later) => self.window.pan(if later { PAN } else { -PAN }, end),
            DiagramKey::Focus => self.focus(end),
            DiagramKey::Message(forward) => self.go_to_message(ctx, forward, end),
            DiagramKey::Lane(down) => {
                let rows = self.lanes.rows.len();
                self.lane = match (self.lane, down) {
                    (None, true) => Some(0),
                    (None, false) => rows.checked_sub(1),
                    (Some(index), true) => Some(index + 1).filter(|next| *next < rows),
                    (Some(index), false) => index.checked_sub(1),
                };
                self.lane.into_iter().for_each(|index| self.lanes.show(index));
                let row = self.lane.and_then(|index| self.lanes.rows.get(index));
                self.said = row.map_or_else(|| "All lanes".to_owned(), Row::name);
            }
            DiagramKey::Select => match (self.pointed, self.lane.and_then(|index| self.lanes.rows.get(index))) {
                (Some(number), _) => self.choose(ctx, number),
                (None, Some(Row { lane: Lane::Node(node), .. })) => {
                    ctx.props().on.emit(PageAction::Select(Some(Selected::Node(*node))));
                }
                _ => {}
            },
            DiagramKey::Pin => {
                let row = self.lane.and_then(|index| self.lanes.rows.get(index));
                if let Some((lane, name)) = row.map(|row| (row.lane, row.name())) {
                    self.lanes.pin(lane);
                    let is_pinned = self.lanes.pinned.contains(&lane);
                    self.said = format!("{name} is {}", if is_pinned { "pinned" } else { "not pinned" });
                    self.lanes.update(&ctx.props().context, ctx.props().player.borrow().engine.session().universe());
                    self.lane = self.lanes.index(lane);
                } else {
                    self.said = "Choose a lane first, with the arrow keys up and down".to_owned();
                }
            }
            DiagramKey::From | DiagramKey::Until => self.mark(key == DiagramKey::From),
            DiagramKey::Leave => {
                if self.range.take().is_none() && self.pointed.take().is_none() {
                    browser::focus(".moments .pull");
                    ctx.props().on.emit(PageAction::Diagram(false));
                }
                self.mark = None;
            }
        }
        if matches!(key, DiagramKey::Zoom(_) | DiagramKey::Pan(_) | DiagramKey::Focus) {
            self.moved_by_hand();
            let (from, until) = self.window.range();
            let totals = self.recorder.as_ref().map(|recorder| Totals::of(recorder.history(), from, until));
            let totals = totals.map(|totals| totals_text(&totals, from, until)).unwrap_or_default();
            self.said = format!("{} to {}: {totals}", text::moment_ms(from), text::moment_ms(until));
        }
    }

    /// What is marked, selected or on screen fills the window.
    fn focus(&mut self, end: Micros) {
        let subject = self.cone.as_ref().and_then(Cone::subject);
        let message = self.recorder.as_ref().zip(self.pointed.or(subject));
        let message = message.and_then(|(recorder, number)| recorder.history().message(number)).copied();
        match (self.range, message) {
            (Some((from, until)), _) => self.window.fit(from, until, end),
            (None, Some(message)) => self.window.fit(message.sent, message.arrives, end),
            (None, None) => {
                self.window.from = self.now as f64 - self.window.span / 2.0;
                self.window.pan(0.0, end);
            }
        }
    }

    /// To the next message of the lane, or the one before, in the order in which they left.
    fn go_to_message(&mut self, ctx: &Context<Diagram>, forward: bool, end: Micros) {
        let Some(recorder) = &self.recorder else { return };
        let history = recorder.history();
        let lane = self.lane.and_then(|index| self.lanes.rows.get(index)).map(|row| row.lane);
        let of_lane = |message: &Message| lane.is_none_or(|lane| message.from == lane || message.to == lane);
        let from = self.pointed.and_then(|number| Some((history.message(number)?.sent, number)));
        let from = from.unwrap_or(if forward { (self.now, 0) } else { (self.now, usize::MAX) });
        let all = history.messages().filter(|(_, message)| of_lane(message)).map(|(number, it)| (it.sent, number));
        let next = match forward {
            true => all.filter(|one| *one > from).min(),
            false => all.filter(|one| *one < from).max(),
        };
        let Some(((sent, number), message)) = next.and_then(|next| Some((next, history.message(next.1)?))) else {
            self.said = "No further message".to_owned();
            return;
        };
        self.said = self.names(ctx).sentence(message);
        self.pointed = Some(number);
        self.window.show(sent, end);
    }

    /// Totals from here, or up to here.
    fn mark(&mut self, begins: bool) {
        let message = self.pointed.and_then(|number| self.recorder.as_ref()?.history().message(number));
        let at = message.map_or(self.now, |message| message.sent);
        match (begins, self.mark, self.range) {
            (true, _, Some((_, until))) if until > at => self.range = Some((at, until)),
            (true, ..) => {
                self.mark = Some(at);
                self.range = None;
                self.said = format!("From {}", text::moment(at));
                return;
            }
            (false, Some(from), _) if from != at => self.range = Some((from.min(at), from.max(at))),
            (false, _, Some((from, _))) if from < at => self.range = Some((from, at)),
            _ => {
                self.said = "Say first from where, with [".to_owned();
                return;
            }
        }
        if let (Some((from, until)), Some(recorder)) = (self.range, &self.recorder) {
            self.mark = Some(from);
            self.said = totals_text(&Totals::of(recorder.history(), from, until), from, until);
        }
    }
}
