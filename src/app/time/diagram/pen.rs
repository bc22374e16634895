//! What draws the diagram: on a canvas, or into an SVG file. Both take the same strokes.

use crate::elements::svg::number;
use crate::elements::text;
use crate::web::browser;
use quorumscope::core::Kind;
use std::f64::consts::TAU;
use std::fmt::Write;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// Size of letters, CSS pixels.
pub const LETTERS: f64 = 12.5;

/// Where a text stands from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Middle,
}

/// A line, by its ends; a box, by its corner, width and height. CSS pixels.
pub type Four = [f64; 4];

/// Draws.
pub trait Pen {
    /// Straight lines.
    fn lines(&mut self, color: &str, width: f64, alpha: f64, lines: &[Four]);
    /// Filled boxes.
    fn boxes(&mut self, color: &str, alpha: f64, boxes: &[Four]);
    /// A filled disc, or a square as large, with a rim.
    fn sign(&mut self, fill: &str, rim: &str, square: bool, radius: f64, at: (f64, f64));
    /// A line of text; `y` is its middle.
    fn text(&mut self, color: &str, bold: bool, align: Align, at: (f64, f64), text: &str);
}

/// The colours of the style sheet, as they are now.
pub struct Colours {
    pub paper: String,
    pub ink: String,
    pub muted: String,
    pub faint: String,
    pub land: String,
    pub accent: String,
    pub soft: String,
    pub danger: String,
    pub hatch: String,
    pub decided: String,
    /// For each kind of message: that of lines, and of a disc, its letter, and its rim.
    pub kinds: Vec<[String; 4]>,
}

impl Colours {
    /// Those for these kinds.
    pub fn new(kinds: &[Kind]) -> Colours {
        let root = browser::document().document_element();
        let style = root.and_then(|root| browser::window().get_computed_style(&root).ok()?);
        let find = |name: &str| {
            let value = style.as_ref()?.get_property_value(name).ok()?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let color = |name: &str| find(name).unwrap_or_else(|| "gray".to_owned());
        let of = |kind: &Kind| {
            let phase = text::phase(kind.phase);
            let fill = color(&format!("--phase-{phase}"));
            // What is pale as a disc is darker as a line.
            let rim = find(&format!("--rim-{phase}")).unwrap_or_else(|| fill.clone());
            [rim.clone(), fill, color(&format!("--letter-{phase}")), rim]
        };
        Colours {
            paper: color("--paper"),
            ink: color("--ink"),
            muted: color("--muted"),
            faint: color("--faint"),
            land: color("--land"),
            accent: color("--accent"),
            soft: color("--accent-soft"),
            danger: color("--danger"),
            hatch: color("--hatch"),
            decided: color("--slot-applied"),
            kinds: kinds.iter().map(of).collect(),
        }
    }
}

/// A canvas.
pub struct Canvas {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
}

impl Canvas {
    /// Draws on this one.
    pub fn new(canvas: HtmlCanvasElement) -> Option<Canvas> {
        use wasm_bindgen::JsCast;
        let context = canvas.get_context("2d").ok()??.dyn_into().ok()?;
        Some(Canvas { canvas, context })
    }

    /// Makes it as large as its element, with the screen's pixels, and clears it.
    pub fn clear(&self, width: f64, height: f64, ratio: f64) {
        let (wide, high) = ((width * ratio).round() as u32, (height * ratio).round() as u32);
        if self.canvas.width() != wide || self.canvas.height() != high {
            self.canvas.set_width(wide);
            self.canvas.set_height(high);
        }
        let _ = self.context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        self.context.clear_rect(0.0, 0.0, width, height);
    }
}

impl Pen for Canvas {
    fn lines(&mut self, color: &str, width: f64, alpha: f64, lines: &[Four]) {
        if lines.is_empty() {
            return;
        }
        self.context.set_global_alpha(alpha);
        self.context.set_stroke_style_str(color);
        self.context.set_line_width(width);
        self.context.begin_path();
        for [x1, y1, x2, y2] in lines {
            self.context.move_to(*x1, *y1);
            self.context.line_to(*x2, *y2);
        }
        self.context.stroke();
        self.context.set_global_alpha(1.0);
    }

    fn boxes(&mut self, color: &str, alpha: f64, boxes: &[Four]) {
        self.context.set_global_alpha(alpha);
        self.context.set_fill_style_str(color);
        for [x, y, width, height] in boxes {
            self.context.fill_rect(*x, *y, *width, *height);
        }
        self.context.set_global_alpha(1.0);
    }

    fn sign(&mut self, fill: &str, rim: &str, square: bool, radius: f64, (x, y): (f64, f64)) {
        self.context.begin_path();
        if square {
            self.context.rect(x - radius, y - radius, 2.0 * radius, 2.0 * radius);
        } else {
            let _ = self.context.arc(x, y, radius, 0.0, TAU);
        }
        self.context.set_fill_style_str(fill);
        self.context.fill();
        self.context.set_stroke_style_str(rim);
        self.context.set_line_width(1.5);
        self.context.stroke();
    }

    fn text(&mut self, color: &str, bold: bool, align: Align, (x, y): (f64, f64), text: &str) {
        let weight = if bold { 700 } else { 400 };
        self.context.set_font(&format!("{weight} {LETTERS}px system-ui, sans-serif"));
        self.context.set_text_align(if align == Align::Left { "left" } else { "center" });
        self.context.set_text_baseline("middle");
        self.context.set_fill_style_str(color);
        let _ = self.context.fill_text(text, x, y);
    }
}

/// An SVG file.
pub struct Svg {
    text: String,
}

impl Svg {
    /// An empty picture of this size, with a title.
    pub fn new(width: f64, height: f64, title: &str, paper: &str) -> Svg {
        let (w, h) = (number(width), number(height));
        let title = escaped(title);
        Svg {
            text: format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
                 font-family=\"system-ui, sans-serif\" font-size=\"{LETTERS}\">\n<title>{title}</title>\n\
                 <rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\n",
                escaped(paper)
            ),
        }
    }

    /// What follows is moved to the right, and what lies outside of this box is not seen.
    pub fn inset(&mut self, left: f64, width: f64, height: f64) {
        let (left, w, h) = (number(left), number(width), number(height));
        let _ = writeln!(self.text, "<svg x=\"{left}\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\">");
    }

    /// Ends that.
    pub fn end_inset(&mut self) {
        self.text += "</svg>\n";
    }

    /// The file.
    pub fn into_text(self) -> String {
        self.text + "</svg>\n"
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Pen for Svg {
    fn lines(&mut self, color: &str, width: f64, alpha: f64, lines: &[Four]) {
        if lines.is_empty() {
            return;
        }
        let mut path = String::new();
        for [x1, y1, x2, y2] in lines {
            let _ = write!(path, "M{} {}L{} {}", number(*x1), number(*y1), number(*x2), number(*y2));
        }
        let _ = writeln!(
            self.text,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" opacity=\"{alpha}\"/>",
            escaped(color)
        );
    }

    fn boxes(&mut self, color: &str, alpha: f64, boxes: &[Four]) {
        for [x, y, width, height] in boxes {
            let (x, y, width, height) = (number(*x), number(*y), number(width.max(0.0)), number(height.max(0.0)));
            let color = escaped(color);
            let _ = writeln!(
                self.text,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{color}\" opacity=\"{alpha}\"/>"
            );
        }
    }

    fn sign(&mut self, fill: &str, rim: &str, square: bool, radius: f64, (x, y): (f64, f64)) {
        let (fill, rim) = (escaped(fill), escaped(rim));
        let style = format!("fill=\"{fill}\" stroke=\"{rim}\" stroke-width=\"1.5\"");
        let _ = if square {
            let (x, y, side) = (number(x - radius), number(y - radius), number(2.0 * radius));
            writeln!(self.text, "<rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" {style}/>")
        } else {
            writeln!(self.text, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {style}/>", number(x), number(y), number(radius))
        };
    }

    fn text(&mut self, color: &str, bold: bool, align: Align, (x, y): (f64, f64), text: &str) {
        let anchor = if align == Align::Left { "start" } else { "middle" };
        let weight = if bold { 700 } else { 400 };
        let (x, y) = (number(x), number(y));
        let (color, text) = (escaped(color), escaped(text));
        let _ = writeln!(
            self.text,
            "<text x=\"{x}\" y=\"{y}\" fill=\"{color}\" font-weight=\"{weight}\" text-anchor=\"{anchor}\" dominant-baseline=\"central\">{text}</text>"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_the_file_cannot_end_it() {
        let mut svg = Svg::new(10.0, 10.0, "a < b & \"c\"", "#fff");
        svg.text("red", false, Align::Left, (1.0, 2.0), "</svg><script>");
        let text = svg.into_text();
        assert!(text.contains("<title>a &lt; b &amp; &quot;c&quot;</title>"));
        assert!(
            text.contains("&lt;/svg&gt;&lt;script&gt;")
                && text.ends_with("</svg>\n")
                && text.matches("</svg>").count() == 1
        );
    }
}
