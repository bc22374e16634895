//! Messages under way, painted on a transparent canvas above the stage, outside of Yew.

use super::geometry::{Point, point};
use super::layout::{Layout, NODE_RADIUS};
use super::sprites::{Look, Sprites};
use quorumscope::core::{Kind, Micros};
use quorumscope::sim::world::{End, Flight};
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// More messages than this are painted as plain small squares: letters would cover each other, and each takes a µs to paint.
const PLAIN_ABOVE: usize = 1_000;
/// Side of such a square, CSS pixels.
const PLAIN: f64 = 4.0;
/// More messages than this have no tail.
const TAILS_UP_TO: usize = 400;
/// How far to the right of the straight line a message keeps, so that the two ways of a link are side by side.
const KEEP_RIGHT: f64 = 5.0;
const TAIL: f64 = 17.0;
const CLIENT_RADIUS: f64 = 15.0;
/// The part of its way on which a message that gets lost fades away.
const FADE: (f64, f64) = (0.42, 0.62);

/// One dot to paint, CSS pixels.
struct Dot {
    at: Point,
    /// Where its tail ends.
    tail: Point,
    look: Look,
    /// 1 for all that will arrive.
    alpha: f64,
    /// In somebody's hand.
    held: bool,
}

/// A canvas and what it needs to paint.
pub struct Painter {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    sprites: Sprites,
    ratio: f64,
    dots: Vec<Dot>,
}

impl Painter {
    /// A painter for a canvas, on a screen with `ratio` device pixels for each CSS pixel.
    pub fn new(canvas: HtmlCanvasElement, kinds: &[Kind], ratio: f64) -> Option<Painter> {
        let context = canvas.get_context("2d").ok()??.dyn_into().ok()?;
        let sprites = Sprites::new(kinds, ratio)?;
        Some(Painter { canvas, context, sprites, ratio, dots: Vec::new() })
    }

    /// Paints all messages where they are at `now`, µs. `still`: halfway, for those who do not want motion.
    pub fn paint(&mut self, layout: &Layout, flights: &[Flight], now: Micros, still: bool) {
        self.fit(layout);
        self.dots.clear();
        let sprites = &self.sprites;
        self.dots.extend(flights.iter().filter_map(|flight| dot(layout, flight, now, still, sprites)));
        let context = &self.context;
        if self.dots.len() > PLAIN_ABOVE {
            return self.paint_plain();
        }
        if self.dots.len() <= TAILS_UP_TO && !still {
            self.paint_tails();
        }
        for dot in &self.dots {
            if dot.alpha < 1.0 {
                context.set_global_alpha(dot.alpha);
                self.sprites.stamp(context, dot.look, dot.at.x, dot.at.y);
                context.set_global_alpha(1.0);
            } else {
                self.sprites.stamp(context, dot.look, dot.at.x, dot.at.y);
            }
            if dot.held {
                self.sprites.frame(context, dot.at.x, dot.at.y);
            }
        }
    }

    /// Makes the canvas as large as the stage, and empty.
    fn fit(&self, layout: &Layout) {
        let pixels = |units: f64| (units * layout.scale * self.ratio).round() as u32;
        let (width, height) = (pixels(layout.size.x), pixels(layout.size.y));
        if self.canvas.width() != width || self.canvas.height() != height {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        let _ = self.context.set_transform(self.ratio, 0.0, 0.0, self.ratio, 0.0, 0.0);
        self.context.clear_rect(0.0, 0.0, f64::from(width), f64::from(height));
    }

    fn paint_tails(&self) {
        let context = &self.context;
        context.set_line_width(2.0);
        context.set_global_alpha(0.45);
        for (look, color) in self.sprites.colors.iter().enumerate() {
            let mut dots = self.dots.iter().filter(|dot| dot.look == look && dot.alpha == 1.0).peekable();
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

    /// All squares of one colour are one path: painting each by itself would take several times as long.
    fn paint_plain(&self) {
        let context = &self.context;
        for (look, color) in self.sprites.colors.iter().enumerate() {
            context.begin_path();
            for dot in self.dots.iter().filter(|dot| dot.look == look) {
                context.rect(dot.at.x - PLAIN / 2.0, dot.at.y - PLAIN / 2.0, PLAIN, PLAIN);
            }
            context.set_fill_style_str(color);
            context.fill();
        }
    }
}

/// Where one message is; `None` if it has not left yet or is lost already.
fn dot(layout: &Layout, flight: &Flight, now: Micros, still: bool, sprites: &Sprites) -> Option<Dot> {
    if now < flight.sent {
        return None;
    }
    let way = flight.arrives.saturating_sub(flight.sent).max(1) as f64;
    let part = if still { 0.5 } else { ((now - flight.sent) as f64 / way).min(1.0) };
    let alpha = if flight.will_drop { ((FADE.1 - part) / (FADE.1 - FADE.0)).min(1.0) } else { 1.0 };
    if alpha <= 0.0 {
        return None;
    }
    let (from, from_radius) = stand(layout, flight.from)?;
    let (to, to_radius) = stand(layout, flight.to)?;
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
    let look = match (flight.kind, flight.from) {
        (Some(kind), _) => usize::from(kind.0),
        (None, End::Client(_)) => sprites.request(),
        (None, End::Node(_)) => sprites.answer(),
    };
    Some(Dot { at: on_way(gone), tail: on_way((gone - TAIL).max(leave)), look, alpha, held: flight.held })
}

/// Where an end of a message's way stands, and how much room it takes.
fn stand(layout: &Layout, end: End) -> Option<(Point, f64)> {
    match end {
        End::Node(node) => Some(((*layout.nodes.get(usize::from(node.0))?)?, NODE_RADIUS + 4.0)),
        End::Client(site) => Some((layout.site_shapes.get(usize::from(site))?.client, CLIENT_RADIUS)),
    }
}
