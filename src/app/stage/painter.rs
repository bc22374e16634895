//! Canvas painter of messages in flight: sprites with tails, or plain squares when there are many. It works outside of Yew.

use super::layout::{Layout, NODE_RADIUS};
use super::sprites::{CELL, SpriteIndex, Sprites};
use crate::elements::geometry::{Point, point};
use crate::page_action::Selected;
use quorumscope::core::{Kind, Micros};
use quorumscope::sim::world::{End, Flight, PendingTimer};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// Above this number, messages are painted as plain small squares: letters would cover each other, and a sprite takes a µs to paint.
const PLAIN_ABOVE: usize = 1_000;
/// Side of such a square, CSS pixels.
const PLAIN: f64 = 4.0;
/// Above this number, messages have no tails.
const TAILS_UP_TO: usize = 400;
/// Offset of a message to the right of the straight line, so that the two directions of a link are side by side.
const KEEP_RIGHT: f64 = 5.0;
const TAIL: f64 = 17.0;
const CLIENT_RADIUS: f64 = 15.0;
/// The fraction of its way on which a message that will be dropped fades.
const FADE: (f64, f64) = (0.42, 0.62);

/// Radius of the ring around the selected message, and the distance within which a message is meant, CSS pixels.
const RING: f64 = 13.0;
const REACH: f64 = 15.0;

/// Above this number of marks on the canvas, all of it is cleared at once.
const CLEARED_ONE_BY_ONE: usize = 300;

/// One dot to paint, CSS pixels.
struct Dot {
    /// Index of the message.
    flight: usize,
    at: Point,
    /// End of its tail.
    tail: Point,
    sprite: SpriteIndex,
    /// Opacity; 1 for messages that will arrive.
    alpha: f64,
    /// Held back by an interceptor.
    held: bool,
}

/// A canvas and what it needs to paint.
pub struct Painter {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    sprites: Sprites,
    ratio: f64,
    dots: Vec<Dot>,
    /// Around what is painted by now: two corners, CSS pixels. Only that is cleared for the next picture, since a browser without a graphics
    /// processor composes anew whatever was touched.
    painted: Vec<(Point, Point)>,
}

impl Painter {
    /// A painter for a canvas, on a screen with `ratio` device pixels for each CSS pixel.
    pub fn new(canvas: HtmlCanvasElement, kinds: &[Kind], ratio: f64) -> Option<Painter> {
        let context = canvas.get_context("2d").ok()??.dyn_into().ok()?;
        let sprites = Sprites::new(kinds, ratio)?;
        // What an earlier painter has left goes when the canvas takes its size.
        canvas.set_width(0);
        Some(Painter { canvas, context, sprites, ratio, dots: Vec::new(), painted: Vec::new() })
    }

    /// Clears the picture, and paints around each replica what is left of the timer that will make it act next.
    pub fn paint_timers(&mut self, layout: &Layout, timers: impl Iterator<Item = (u8, PendingTimer)>, now: Micros) {
        self.fit(layout);
        let context = &self.context;
        context.set_stroke_style_str(&self.sprites.timer);
        context.set_line_width(2.0);
        for (node, PendingTimer { set, due, .. }) in timers {
            let Some(Some(at)) = layout.nodes.get(usize::from(node)) else { continue };
            let left = due.saturating_sub(now) as f64 / due.saturating_sub(set).max(1) as f64;
            let (scale, top) = (layout.scale, -std::f64::consts::FRAC_PI_2);
            context.begin_path();
            let end = top + left.min(1.0) * std::f64::consts::TAU;
            let (at, radius) = (point(at.x * scale, at.y * scale), (NODE_RADIUS - 4.0) * scale);
            let _ = context.arc(at.x, at.y, radius, top, end);
            context.stroke();
            self.painted.push(around(at, at, radius + 2.0));
        }
    }

    /// Paints all messages at `now`, µs. With `reduced_motion` each stands halfway.
    pub fn paint(
        &mut self,
        layout: &Layout,
        (flights, selected): (&[Flight], Option<Selected>),
        now: Micros,
        reduced_motion: bool,
    ) {
        self.dots.clear();
        let sprites = &self.sprites;
        let dots = flights.iter().enumerate();
        self.dots.extend(dots.filter_map(|dot| self::dot(layout, dot, now, reduced_motion, sprites)));
        if self.dots.len() <= CLEARED_ONE_BY_ONE {
            self.painted.extend(self.dots.iter().map(|dot| around(dot.at, dot.tail, CELL)));
        }
        self.ring(flights, selected);
        let context = &self.context;
        if self.dots.len() > PLAIN_ABOVE {
            return self.paint_plain();
        }
        if self.dots.len() <= TAILS_UP_TO && !reduced_motion {
            self.paint_tails();
        }
        for dot in &self.dots {
            if dot.alpha < 1.0 {
                context.set_global_alpha(dot.alpha);
                self.sprites.stamp(context, dot.sprite, dot.at.x, dot.at.y);
                context.set_global_alpha(1.0);
            } else {
                self.sprites.stamp(context, dot.sprite, dot.at.x, dot.at.y);
            }
            if dot.held {
                self.sprites.frame(context, dot.at.x, dot.at.y);
            }
        }
    }

    /// A ring around the selected message.
    fn ring(&self, flights: &[Flight], selected: Option<Selected>) {
        let Some(Selected::Message { id, from }) = selected else { return };
        let is_it = |dot: &&Dot| flights[dot.flight].id == id && flights[dot.flight].from == from;
        if let Some(dot) = self.dots.iter().find(is_it) {
            self.context.begin_path();
            let _ = self.context.arc(dot.at.x, dot.at.y, RING, 0.0, std::f64::consts::TAU);
            self.context.set_line_width(3.0);
            self.context.set_stroke_style_str(&self.sprites.ring);
            self.context.stroke();
        }
    }

    /// Index of the message whose dot is nearest to a point, CSS pixels, if it is within reach of a finger.
    pub fn dot_at(&self, at: Point) -> Option<usize> {
        let near = self.dots.iter().map(|dot| (dot.at.distance(at), dot.flight));
        let (distance, flight) = near.min_by(|(one, _), (other, _)| one.total_cmp(other))?;
        (distance <= REACH).then_some(flight)
    }

    /// Resizes the canvas to the stage, and clears what is painted on it.
    fn fit(&mut self, layout: &Layout) {
        let pixels = |units: f64| (units * layout.scale * self.ratio).round() as u32;
        let (width, height) = (pixels(layout.size.x), pixels(layout.size.y));
        if self.canvas.width() != width || self.canvas.height() != height {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        let _ = self.context.set_transform(self.ratio, 0.0, 0.0, self.ratio, 0.0, 0.0);
        if self.dots.len() > CLEARED_ONE_BY_ONE {
            self.context.clear_rect(0.0, 0.0, f64::from(width), f64::from(height));
        } else {
            for (from, to) in &self.painted {
                self.context.clear_rect(from.x, from.y, to.x - from.x, to.y - from.y);
            }
        }
        self.painted.clear();
    }

    fn paint_tails(&self) {
        let context = &self.context;
        context.set_line_width(2.0);
        context.set_global_alpha(0.45);
        for (sprite, color) in self.sprites.colors.iter().enumerate() {
            let mut dots = self.dots.iter().filter(|dot| dot.sprite == sprite && dot.alpha == 1.0).peekable();
            if dots.peek().is_none() {
                continue;
            }
            context.begin_path();
            for dot in dots {
                context.move_to(dot.tail.x, dot.tail.y);
                context.line_to(dot.at.x, dot.at.y);
            }
            context.set_stroke_style_str(color);
            context.stroke();
        }
        context.set_global_alpha(1.0);
    }

    /// Squares of one colour are one path, several times faster than one by one.
    fn paint_plain(&self) {
        let context = &self.context;
        for (sprite, color) in self.sprites.colors.iter().enumerate() {
            context.begin_path();
            for dot in self.dots.iter().filter(|dot| dot.sprite == sprite) {
                context.rect(dot.at.x - PLAIN / 2.0, dot.at.y - PLAIN / 2.0, PLAIN, PLAIN);
            }
            context.set_fill_style_str(color);
            context.fill();
        }
    }
}

/// The corners of a rectangle that lies this far around two points.
fn around(one: Point, other: Point, margin: f64) -> (Point, Point) {
    (
        point(one.x.min(other.x) - margin, one.y.min(other.y) - margin),
        point(one.x.max(other.x) + margin, one.y.max(other.y) + margin),
    )
}

/// The dot of a message; `None` before it is sent and after it was dropped.
fn dot(
    layout: &Layout,
    (index, flight): (usize, &Flight),
    now: Micros,
    reduced_motion: bool,
    sprites: &Sprites,
) -> Option<Dot> {
    if now < flight.sent {
        return None;
    }
    let way = flight.arrives.saturating_sub(flight.sent).max(1) as f64;
    let part = if reduced_motion { 0.5 } else { ((now - flight.sent) as f64 / way).min(1.0) };
    let alpha = if flight.will_drop { ((FADE.1 - part) / (FADE.1 - FADE.0)).min(1.0) } else { 1.0 };
    if alpha <= 0.0 {
        return None;
    }
    let (from, from_radius) = end_of(layout, flight.from)?;
    let (to, to_radius) = end_of(layout, flight.to)?;
    let length = from.distance(to).max(1.0);
    let along = point((to.x - from.x) / length, (to.y - from.y) / length);
    let leave = from_radius.min(length / 2.0);
    let arrive = length - to_radius.min(length / 2.0);
    let gone = leave + (arrive - leave) * part;
    let on_way = |distance: f64| {
        let x = from.x + along.x * distance - along.y * KEEP_RIGHT;
        let y = from.y + along.y * distance + along.x * KEEP_RIGHT;
        point(x * layout.scale, y * layout.scale)
    };
    let sprite = match (flight.kind, flight.reply) {
        (Some(kind), _) => usize::from(kind.0),
        (None, Some(reply)) => sprites.reply(reply),
        (None, None) => sprites.request(),
    };
    Some(Dot {
        flight: index,
        at: on_way(gone),
        tail: on_way((gone - TAIL).max(leave)),
        sprite,
        alpha,
        held: flight.held,
    })
}

/// Position and radius of the sender or receiver of a message.
fn end_of(layout: &Layout, end: End) -> Option<(Point, f64)> {
    match end {
        End::Node(node) => Some(((*layout.nodes.get(usize::from(node.0))?)?, NODE_RADIUS + 4.0)),
        End::Client(site) => Some((layout.site_shapes.get(usize::from(site))?.client, CLIENT_RADIUS)),
    }
}
