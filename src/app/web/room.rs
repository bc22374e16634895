//! How much room the window has, as classes of the page's root element, for the style sheet. Media queries would not do: they measure in letters of the
//! browser's usual size, not of the size that a person, or the page around, has set.

use super::browser;
use js_sys::parse_float;
use web_sys::Element;

/// Classes, each with the width and height, in letters' heights, below which it holds.
const BELOW: [(&str, f64, f64); 5] = [
    // The panel is narrower.
    ("tight", 73.3, 0.0),
    // One thing below the other.
    ("small", 54.7, 0.0),
    // A phone upright.
    ("slim", 37.3, 0.0),
    // A phone on its side, a low frame.
    ("low", 0.0, 34.7),
    // A very low one.
    ("flat", 0.0, 21.3),
];
/// A window that is low and narrower than this is small.
const LOW: f64 = 64.0;
/// From this size on a window is grand: larger letters.
const GRAND: (f64, f64) = (106.6, 53.3);

/// The height of an element's letters, CSS pixels.
pub fn letters(element: &Element) -> f64 {
    let style = browser::window().get_computed_style(element).ok().flatten();
    style.and_then(|style| style.get_property_value("font-size").ok()).map_or(USUAL, |size| parse_float(&size))
}

/// Letters of this height are as large as usual, CSS pixels.
pub const USUAL: f64 = 15.0;

/// Sets the classes. On paper there are none.
pub fn classify() {
    let (window, document) = (browser::window(), browser::document());
    let Some(root) = document.document_element() else { return };
    let letter = letters(&root);
    let size = |value: Result<wasm_bindgen::JsValue, _>| value.ok().and_then(|px| px.as_f64()).unwrap_or(0.0) / letter;
    let (width, height) = (size(window.inner_width()), size(window.inner_height()));
    let screen = !browser::matches("print");
    let classes = root.class_list();
    let set = |class: &str, holds: bool| {
        let _ = classes.toggle_with_force(class, holds && screen);
    };
    let low = height < BELOW[3].2;
    BELOW.iter().for_each(|(class, narrow, flat)| set(class, width < *narrow || height < *flat));
    set("small", width < BELOW[1].1 || low && width < LOW);
    set("grand", width >= GRAND.0 && height >= GRAND.1);
}
