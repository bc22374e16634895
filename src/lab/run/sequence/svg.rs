//! A drawn chart as an SVG document of its own, light or dark as its reader has it.

use super::drawing::{Drawing, Shape};
use std::fmt::Write;

/// Whether a picture is light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As its reader has it.
    #[default]
    Auto,
    /// Light, whoever reads it.
    Light,
    /// Dark, whoever reads it.
    Dark,
}

/// Colours as in the page; each is 3:1 or better on its paper, and texts are 4.5:1 or better.
const LIGHT: &str = "\
--paper: #fbfaf6; --ink: #1c1c20; --muted: #66645d; --line: #8b887f; --danger: #a3123a; --elect: #b84700; --vote: #8a6000; --propose: #0072b2; \
--accept: #1f7fb5; --commit: #007a55; --heartbeat: #70706a; --transfer: #9b4a77; --read: #8a7f00; --refuse: #1c1c20; --client: #66645d";
const DARK: &str = "\
--paper: #15171b; --ink: #ebe9e3; --muted: #a5a39b; --line: #75787c; --danger: #ff7a93; --elect: #ff8a4c; \
--vote: #e69f00; --propose: #3d9be0; --accept: #56b4e9; --commit: #2bb58a; --heartbeat: #a5a39b; --transfer: #cc79a7; --read: #f0e442; \
--refuse: #ebe9e3; --client: #a5a39b";
/// Letters and messages, in all pictures of runs.
const COMMON: &str = "\
text { font: 13px system-ui, -apple-system, \"Segoe UI\", Roboto, \"DejaVu Sans\", sans-serif; fill: var(--ink); text-anchor: middle }
";
const PHASES: &str = "\
.message { --of: var(--client) }
.elect { --of: var(--elect) } .vote { --of: var(--vote) } .propose { --of: var(--propose) } .accept { --of: var(--accept) }
.commit { --of: var(--commit) } .heartbeat { --of: var(--heartbeat) } .transfer { --of: var(--transfer) } .read { --of: var(--read) }
.refuse { --of: var(--refuse) }
";
const CHART: &str = "\
.lane { font-size: 15px; font-weight: 700 } .about, .time, .note { fill: var(--muted) } .time { text-anchor: end }
.send { font-weight: 600 } .role { fill: var(--ink) } .note.down, .global { fill: var(--danger) } .global { text-anchor: start }
.life { stroke: var(--line); stroke-width: 1 } .life.down { stroke-dasharray: 2 5 } .dot { fill: var(--ink) }
";
const WAYS: &str = "\
.way { fill: none; stroke: var(--of); stroke-width: 1.6 } .head { fill: var(--of); stroke: none }
.client .way { stroke-dasharray: 6 3 } .heartbeat .way { stroke-dasharray: 1 3 } .under-way .way, .lost .way { stroke-dasharray: 4 4 }
.lost .head { fill: none; stroke: var(--danger); stroke-width: 2 }
";

/// The style sheet of a picture of a run: colours, letters, messages by their phases; and what else it needs.
pub fn style(theme: Theme, own: &str) -> String {
    let colours = match theme {
        Theme::Auto => {
            format!("svg {{ {LIGHT} }}\n@media (prefers-color-scheme: dark) {{ svg {{ {DARK} }} }}")
        }
        Theme::Light => format!("svg {{ {LIGHT} }}"),
        Theme::Dark => format!("svg {{ {DARK} }}"),
    };
    format!("{colours}\n.paper, .cell {{ fill: var(--paper) }}\n{COMMON}{own}{PHASES}{WAYS}")
}

/// What stands before and after the shapes of a picture.
pub fn frame((width, height): (i32, i32), title: &str, description: &str, style: &str, shapes: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"title description\">\n<title id=\"title\">{}</title>\n<desc id=\"description\">{}</desc>\n<style>\n{style}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n{shapes}</svg>\n",
        escaped(title),
        escaped(description),
    )
}

/// The document.
pub fn document(drawing: &Drawing, theme: Theme) -> String {
    let mut text = String::new();
    for shape in &drawing.shapes {
        let written = match shape {
            Shape::Line { class, from, to } => {
                writeln!(
                    text,
                    "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
                    from.0, from.1, to.0, to.1
                )
            }
            Shape::Rect { class, at, size } => writeln!(
                text,
                "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                at.0, at.1, size.0, size.1
            ),
            Shape::Text { class, at, text: content } => {
                writeln!(text, "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>", at.0, at.1, escaped(content))
            }
            Shape::Message { class, way, head, title } => writeln!(
                text,
                "<g class=\"{class}\"><title>{}</title><path class=\"way\" d=\"{way}\"/><path class=\"head\" d=\"{head}\"/></g>",
                escaped(title)
            ),
        };
        written.expect("a string takes everything");
    }
    frame(drawing.size, &drawing.title, &drawing.description, &style(theme, CHART), &text)
}

/// The text with what XML reserves escaped, and without characters that it has no place for.
pub fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            char if char.is_control() => safe.push(' '),
            char => safe.push(char),
        }
    }
    safe
}
