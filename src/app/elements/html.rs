//! HTML elements without listeners, as functions. For tables and their like: every element that `html!` makes is code of its own in the page.

use super::svg::element;
use yew::prelude::*;
use yew::virtual_dom::VText;

/// An element with these children. An empty class is none.
#[inline(never)]
pub fn tag(name: &'static str, class: &'static str, children: Vec<Html>) -> Html {
    match class {
        "" => element(name, &[], vec![], children),
        class => element(name, &["class"], vec![class.into()], children),
    }
}

/// An element with a text.
pub fn words(name: &'static str, class: &'static str, content: impl Into<AttrValue>) -> Html {
    tag(name, class, vec![text(content)])
}

/// A text.
pub fn text(content: impl Into<AttrValue>) -> Html {
    VText::new(content.into()).into()
}

/// The heading of a column (`scope` is `col`) or row (`row`) of a table.
#[inline(never)]
pub fn head(scope: &'static str, class: &'static str, children: Vec<Html>) -> Html {
    element("th", &["scope", "class"], vec![scope.into(), class.into()], children)
}

/// The heading of a panel, with a few words of explanation.
pub fn heading(title: &'static str, explanation: &'static str) -> Html {
    tag("h2", "", vec![text(title), words("small", "", explanation)])
}
