//! A value of a node's state or of a message as a tree of named fields that unfolds; before and after a step, what changed is marked in it.

use crate::elements::text;
use quorumscope::universe::tree::Tree;
use yew::prelude::*;

/// Characters of a value up to which it stands in one line.
const SHORT: usize = 44;
/// Most parts of a value listed at a time; of more, the last ones, and the others are counted.
const LISTED: usize = 24;

/// Draws a value, given as `Debug` text. With one before, what changed is marked.
pub fn value(now: &str, before: Option<&str>) -> Html {
    let read = |text: &str| Tree::parse(text).unwrap_or_else(|| Tree::Word(text.to_owned()));
    draw(&read(now), before.map(read).as_ref())
}

fn draw(now: &Tree, before: Option<&Tree>) -> Html {
    let line = line(now);
    if let Some(before) = before.filter(|before| *before != now) {
        let (old, new) = (parts(before), parts(now));
        return match new.is_empty() || old.is_empty() && line.chars().count() <= SHORT {
            true => html! { <>{ self::line(before) }{ becomes() }<b>{ line }</b></> },
            false => inside(now, changed(&old, new), true),
        };
    }
    let parts = parts(now);
    match line.chars().count() <= SHORT || parts.is_empty() {
        true => html! { <b>{ line }</b> },
        false => inside(now, parts.into_iter().map(|(name, value)| (name, draw(&value, None), false)).collect(), false),
    }
}

fn becomes() -> Html {
    html! { <><span aria-hidden="true">{ " → " }</span><span class="unseen">{ " becomes " }</span></> }
}

/// The parts of a value that changed, one by one, and how many did not.
fn changed(old: &[(String, Tree)], new: Vec<(String, Tree)>) -> Vec<(String, Html, bool)> {
    let before = |name: &str| old.iter().find(|(other, _)| other == name).map(|(_, value)| value);
    let gone = old.iter().filter(|(name, _)| !new.iter().any(|(other, _)| other == name));
    let gone: Vec<_> = gone
        .map(|(name, value)| (name.clone(), html! { <>{ line(value) }{ becomes() }<b>{ "none" }</b></> }, true))
        .collect();
    let all = new.len();
    let moved: Vec<_> = new.into_iter().filter(|(name, value)| before(name) != Some(value)).collect();
    let same = all - moved.len();
    let none = Tree::Word("None".to_owned());
    let mut rows = gone;
    rows.extend(moved.into_iter().map(|(name, value)| {
        let drawn = draw(&value, Some(before(&name).unwrap_or(&none)));
        (name, drawn, true)
    }));
    if same > 0 {
        rows.push((String::new(), html! { { format!("{same} unchanged") } }, false));
    }
    rows
}

/// A value that unfolds into its parts.
fn inside(whole: &Tree, mut rows: Vec<(String, Html, bool)>, open: bool) -> Html {
    let count = parts(whole).len();
    let title = match whole {
        Tree::Structure(name, _) | Tree::Tuple(name, _) if name != "Some" => spaced(name),
        Tree::Structure(..) | Tree::Tuple(..) => text::count(count, "field"),
        Tree::List(_) | Tree::Set(_) | Tree::Map(_) => text::count(count, "item"),
        Tree::Word(_) | Tree::Quoted(_) => String::new(),
    };
    let more = rows.len().saturating_sub(LISTED);
    rows.drain(..more);
    let row = |(name, value, moved): (String, Html, bool)| {
        let class = moved.then_some("changed");
        match name.is_empty() {
            true => html! { <tr><td colspan="2">{ value }</td></tr> },
            false => html! { <tr {class}><th scope="row">{ name }</th><td>{ value }</td></tr> },
        }
    };
    html! {
        <details class="long" {open}>
            <summary>{ title }</summary>
            <table class="state"><tbody>
                if more > 0 { <tr><td colspan="2">{ format!("{more} before these") }</td></tr> }
                { for rows.into_iter().map(row) }
            </tbody></table>
        </details>
    }
}

/// The named parts of a value; none of what stands in one line whatever it holds.
fn parts(tree: &Tree) -> Vec<(String, Tree)> {
    match tree {
        Tree::Word(_) | Tree::Quoted(_) => Vec::new(),
        Tree::Tuple(name, values) if name == "Some" && values.len() == 1 => parts(&values[0]),
        Tree::Structure(_, fields) => fields.iter().map(|(name, value)| (spaced(name), value.clone())).collect(),
        Tree::Map(entries) => entries.iter().map(|(key, value)| (line(key), value.clone())).collect(),
        Tree::Set(values) if values.iter().all(|value| parts(value).is_empty()) => Vec::new(),
        Tree::List(values) | Tree::Set(values) | Tree::Tuple(_, values) => {
            (1..).zip(values).map(|(place, value): (u32, _)| (place.to_string(), value.clone())).collect()
        }
    }
}

/// A value in one line.
fn line(tree: &Tree) -> String {
    let all = |values: &[Tree]| values.iter().map(line).collect::<Vec<_>>().join(", ");
    match tree {
        Tree::Word(word) => match word.as_str() {
            "None" | "" => "none".to_owned(),
            "true" => "yes".to_owned(),
            "false" => "no".to_owned(),
            word => word.to_owned(),
        },
        Tree::Quoted(text) => text.clone(),
        Tree::List(values) | Tree::Set(values) if values.is_empty() => "none".to_owned(),
        Tree::List(values) | Tree::Set(values) => all(values),
        Tree::Map(entries) => {
            let entry = |(key, value): &(Tree, Tree)| format!("{}: {}", line(key), line(value));
            entries.iter().map(entry).collect::<Vec<_>>().join(", ")
        }
        Tree::Structure(name, fields) => {
            let field = |(name, value): &(String, Tree)| format!("{} {}", spaced(name), line(value));
            format!("{}: {}", spaced(name), fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Tree::Tuple(name, values) if name == "Some" => all(values),
        Tree::Tuple(name, values) => format!("{} {}", spaced(name), all(values)),
    }
}

/// `hears_leader` → `hears leader`.
fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::{changed, line, parts};
    use quorumscope::universe::tree::Tree;

    fn tree(text: &str) -> Tree {
        Tree::parse(text).expect("it reads")
    }

    #[test]
    fn values_read_as_words_not_as_rust() {
        assert_eq!(line(&tree("Some(3)")), "3");
        assert_eq!(line(&tree("Vote { for_whom: Some(2), granted: true }")), "Vote: for whom 2, granted yes");
        assert_eq!(line(&tree("{1: {2, 3}, 4: {}}")), "1: 2, 3, 4: none");
        assert!(parts(&tree("{1, 2}")).is_empty(), "a set of numbers stands in one line");
    }

    #[test]
    fn only_what_changed_is_listed_with_the_number_of_the_rest() {
        let (old, new) = (tree("{1: a, 2: b, 3: c}"), tree("{1: a, 2: x, 4: d}"));
        let rows = changed(&parts(&old), parts(&new));
        let names: Vec<(&str, bool)> = rows.iter().map(|(name, _, moved)| (name.as_str(), *moved)).collect();
        assert_eq!(names, [("3", true), ("2", true), ("4", true), ("", false)]);
    }
}
