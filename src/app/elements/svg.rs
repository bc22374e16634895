//! SVG elements: groups, paths, lines, circles, boxes, text, and buttons that open a menu. Built in one place, which keeps pictures
//! short to write and small to load.

use super::controls;
use super::geometry::Point;
use crate::page_action::{PageAction, Target};
use yew::prelude::*;
use yew::virtual_dom::{AttributeOrProperty, Attributes, VTag};

/// A coordinate as text, rounded to one decimal.
pub fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    let (whole, part) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
    if part == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// An element with these attributes. Invariant: elements of one kind have the same list of keys, which makes comparing quick.
// Never inlined, like `shape`: a picture is mostly calls of these two.
#[inline(never)]
pub fn element(tag: &'static str, keys: &'static [&'static str], values: Vec<AttrValue>, children: Vec<Html>) -> Html {
    let mut element = VTag::new(tag);
    let values = values.into_iter().map(|value| Some(AttributeOrProperty::Attribute(value))).collect();
    element.set_attributes(Attributes::Dynamic { keys, values });
    element.add_children(children);
    element.into()
}

/// An element with a class and numbers as attributes.
#[inline(never)]
fn shape(
    tag: &'static str,
    keys: &'static [&'static str],
    class: AttrValue,
    numbers: &[f64],
    content: Option<AttrValue>,
) -> Html {
    let mut values = vec![class];
    values.extend(numbers.iter().map(|value| AttrValue::from(number(*value))));
    let content = content.map(|content| Html::from(yew::virtual_dom::VText::new(content)));
    element(tag, keys, values, Vec::from_iter(content))
}

/// A class attribute: the first class, and those of the others whose condition holds.
#[inline(never)]
pub fn classes(first: &'static str, others: &[(&'static str, bool)]) -> AttrValue {
    let mut all = first.to_owned();
    for (class, _) in others.iter().filter(|(_, holds)| *holds) {
        all.push(' ');
        all.push_str(class);
    }
    all.into()
}

/// A group.
pub fn group(class: impl Into<AttrValue>, children: Vec<Html>) -> Html {
    element("g", &["class"], vec![class.into()], children)
}

/// A group, translated.
pub fn moved(class: impl Into<AttrValue>, to: Point, children: Vec<Html>) -> Html {
    element("g", &["class", "transform"], vec![class.into(), shift(to).into()], children)
}

/// A `translate` for the `transform` attribute.
pub fn shift(to: Point) -> String {
    format!("translate({} {})", number(to.x), number(to.y))
}

/// A path.
pub fn path(class: impl Into<AttrValue>, d: impl Into<AttrValue>) -> Html {
    element("path", &["class", "d"], vec![class.into(), d.into()], vec![])
}

/// A straight line.
pub fn line(class: impl Into<AttrValue>, from: Point, to: Point) -> Html {
    shape("line", &["class", "x1", "y1", "x2", "y2"], class.into(), &[from.x, from.y, to.x, to.y], None)
}

/// A circle around the origin.
pub fn circle(class: impl Into<AttrValue>, radius: f64) -> Html {
    shape("circle", &["class", "r"], class.into(), &[radius], None)
}

/// A box, by its upper left corner and its size.
pub fn rect(class: impl Into<AttrValue>, at: Point, size: Point) -> Html {
    shape("rect", &["class", "x", "y", "width", "height"], class.into(), &[at.x, at.y, size.x, size.y], None)
}

/// A line of text.
pub fn text(class: impl Into<AttrValue>, at: Point, content: impl Into<AttrValue>) -> Html {
    shape("text", &["class", "x", "y"], class.into(), &[at.x, at.y], Some(content.into()))
}

/// A `<title>`: the tooltip of the element it is in.
pub fn title(content: impl Into<AttrValue>) -> Html {
    let content = Html::from(yew::virtual_dom::VText::new(content.into()));
    element("title", &[], vec![], vec![content])
}

/// An SVG element that opens a menu, by click, by Enter or Space, or from a screen reader.
pub struct MenuButton {
    /// What the menu is about.
    pub target: Target,
    /// Its class in the style sheet.
    pub class: AttrValue,
    /// Accessible name.
    pub label: String,
    /// Whether its menu is open.
    pub open: bool,
    /// Its position; changes are animated.
    pub at: Option<Point>,
    /// Called when a pointer is pressed on it.
    pub on_grab: Option<Callback<PointerEvent>>,
    /// Drawn content.
    pub children: Vec<Html>,
}

impl MenuButton {
    /// Draws it.
    pub fn draw(self, on: &Callback<PageAction>) -> Html {
        let MenuButton { target, class, label, open, at, on_grab, children } = self;
        let page_action = PageAction::Menu(Some(target));
        let onclick = controls::click(on, page_action.clone());
        let on = on.clone();
        let onkeydown = Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Enter" && !event.ctrl_key() && !event.meta_key() {
                event.prevent_default();
                on.emit(page_action.clone());
            }
        });
        let style = at.map(|at| format!("transform: translate({}px, {}px)", number(at.x), number(at.y)));
        html! {
            <g {class} {style} role="button" tabindex="0" data-target={target.to_string()} aria-haspopup="menu"
                aria-expanded={if open { "true" } else { "false" }} aria-label={label} onpointerdown={on_grab} {onkeydown} {onclick}>
                { for children }
            </g>
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn coordinates_are_rounded_to_one_decimal() {
        assert_eq!([1.0, 1.25, -0.04, -2.96, 1234.5].map(super::number), ["1", "1.3", "0", "-3", "1234.5"]);
    }
}
