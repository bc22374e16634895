//! Sprites of messages, drawn once and then copied: coloured discs with the letter of their kind, and squares for requests and
//! replies of clients.

use crate::elements::text;
use crate::web::browser;
use quorumscope::core::Kind;
use quorumscope::universe::ReplyKind;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// Side of a sprite's cell, CSS pixels at zoom 1.
const CELL: f64 = 24.0;
/// Signs of client messages, in the order of their sprites: request, answered, redirected, refused.
pub const CLIENT_SIGNS: [&str; 4] = ["?", "✓", "↪", "✗"];
const DISC: f64 = 10.2;
const RIM: f64 = 1.5;
const SQUARE: f64 = 18.0;

/// Index in the strip of sprites.
pub type SpriteIndex = usize;

/// The strip of sprites of one variant in one theme.
pub struct Sprites {
    strip: HtmlCanvasElement,
    /// The colour of each sprite, for tails and for plain squares.
    pub colors: Vec<String>,
    /// The colour of the ring around what is selected.
    pub ring: String,
    /// The colour of timers.
    pub timer: String,
    kinds: usize,
    ratio: f64,
    zoom: f64,
}

impl Sprites {
    /// Draws them for a screen with `ratio` device pixels for each CSS pixel, larger by `zoom`.
    pub fn new(kinds: &[Kind], ratio: f64, zoom: f64) -> Option<Sprites> {
        let ratio = ratio * zoom;
        let strip: HtmlCanvasElement = browser::document().create_element("canvas").ok()?.dyn_into().ok()?;
        strip.set_width(((kinds.len() + CLIENT_SIGNS.len()) as f64 * CELL * ratio) as u32);
        strip.set_height((CELL * ratio) as u32);
        let context: CanvasRenderingContext2d = strip.get_context("2d").ok()??.dyn_into().ok()?;
        context.scale(ratio, ratio).ok()?;
        context.set_text_align("center");
        context.set_text_baseline("middle");
        let color = |name: &str| style(name).unwrap_or_else(|| "gray".to_owned());
        let halo = color("--paper");
        let mut colors = Vec::new();
        let mut letter = [0; 4];
        for (sprite, kind) in kinds.iter().enumerate() {
            let phase = text::phase(kind.phase);
            let fill = color(&format!("--phase-{phase}"));
            let ink = color(&format!("--letter-{phase}"));
            disc(&context, sprite, &fill, &style(&format!("--rim-{phase}")).unwrap_or_else(|| fill.clone()));
            letter_on(&context, sprite, kind.letter.encode_utf8(&mut letter), &ink);
            colors.push(fill);
        }
        let ink = color("--ink");
        for (sprite, sign) in (kinds.len()..).zip(CLIENT_SIGNS) {
            square(&context, sprite, &halo, &ink);
            letter_on(&context, sprite, sign, &ink);
            colors.push(ink.clone());
        }
        let (ring, timer) = (color("--accent"), color("--timer"));
        Some(Sprites { strip, colors, ring, timer, kinds: kinds.len(), ratio, zoom })
    }

    /// The sprite of a client's request.
    pub fn request(&self) -> SpriteIndex {
        self.kinds
    }

    /// The sprite of a reply to a client.
    pub fn reply(&self, reply: ReplyKind) -> SpriteIndex {
        self.kinds
            + match reply {
                ReplyKind::Answered => 1,
                ReplyKind::Redirected(_) => 2,
                ReplyKind::Refused => 3,
            }
    }

    /// Copies a sprite, its middle at `x`, `y` in CSS pixels.
    #[inline]
    pub fn stamp(&self, context: &CanvasRenderingContext2d, sprite: SpriteIndex, x: f64, y: f64) {
        let (side, cell) = (CELL * self.ratio, CELL * self.zoom);
        let _ = context.draw_image_with_html_canvas_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            &self.strip,
            sprite as f64 * side,
            0.0,
            side,
            side,
            x - cell / 2.0,
            y - cell / 2.0,
            cell,
            cell,
        );
    }

    /// Draws a frame around a message that is held back.
    pub fn frame(&self, context: &CanvasRenderingContext2d, x: f64, y: f64) {
        context.set_stroke_style_str(&self.colors[self.request()]);
        context.set_line_width(1.5);
        let side = CELL * self.zoom + 2.0;
        context.stroke_rect(x - side / 2.0, y - side / 2.0, side, side);
    }
}

fn middle(sprite: SpriteIndex) -> (f64, f64) {
    ((sprite as f64 + 0.5) * CELL, CELL / 2.0)
}

fn disc(context: &CanvasRenderingContext2d, sprite: SpriteIndex, fill: &str, rim: &str) {
    let (x, y) = middle(sprite);
    context.begin_path();
    let _ = context.arc(x, y, DISC, 0.0, std::f64::consts::TAU);
    context.set_fill_style_str(fill);
    context.fill();
    context.set_stroke_style_str(rim);
    context.set_line_width(RIM);
    context.stroke();
}

fn square(context: &CanvasRenderingContext2d, sprite: SpriteIndex, fill: &str, edge: &str) {
    let (x, y) = middle(sprite);
    context.set_fill_style_str(fill);
    context.fill_rect(x - SQUARE / 2.0, y - SQUARE / 2.0, SQUARE, SQUARE);
    context.set_stroke_style_str(edge);
    context.set_line_width(1.2);
    context.stroke_rect(x - SQUARE / 2.0, y - SQUARE / 2.0, SQUARE, SQUARE);
}

fn letter_on(context: &CanvasRenderingContext2d, sprite: SpriteIndex, text: &str, ink: &str) {
    let (x, y) = middle(sprite);
    context.set_fill_style_str(ink);
    context.set_font("700 12.5px system-ui, sans-serif");
    let _ = context.fill_text(text, x, y + 0.7);
}

/// A custom property of the page's style, as it is now.
fn style(name: &str) -> Option<String> {
    let root = browser::document().document_element()?;
    let style = browser::window().get_computed_style(&root).ok()??;
    let value = style.get_property_value(name).ok()?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorumscope::universe;

    #[test]
    fn no_two_messages_of_a_variant_have_the_same_letter_nor_one_that_looks_like_a_clients() {
        for variant in universe::variants() {
            for (i, kind) in variant.kinds.iter().enumerate() {
                let (key, letter) = (variant.card.key, kind.letter);
                let other = variant.kinds[..i].iter().find(|other| other.letter == letter);
                assert!(other.is_none(), "{key}: {} and {} are both {letter}", other.unwrap().name, kind.name);
                assert!(CLIENT_SIGNS.iter().all(|sign| !sign.starts_with(letter)), "{key}: {} is {letter}", kind.name);
            }
        }
    }
}
