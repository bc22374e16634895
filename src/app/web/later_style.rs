//! The part of the style sheet that the first picture does without: menus, sheets, inspector, log; presentations, print and forced colours. It comes in
//! the chunk for actions, as a constructed style sheet, which a content security policy does not forbid and which needs no file of its own. Browsers older than
//! constructed style sheets (Firefox before 101, Safari before 16.4) get its rules one by one in the sheet that is there.

use super::browser;
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The rules.
const RULES: &str = include_str!("../../../www/later.css");

/// Adds them to the page, once.
pub fn install() {
    // Where neither works, the page is plain but whole.
    let _ = constructed().or_else(|_| inserted());
}

/// What web-sys has only in part.
fn constructed() -> Result<(), JsValue> {
    let class: Function = Reflect::get(&browser::window(), &"CSSStyleSheet".into())?.dyn_into()?;
    let sheet = Reflect::construct(&class, &Array::new())?;
    let fill: Function = Reflect::get(&sheet, &"replaceSync".into())?.dyn_into()?;
    fill.call1(&sheet, &RULES.into())?;
    Reflect::set(&browser::document(), &"adoptedStyleSheets".into(), &Array::of1(&sheet))?;
    Ok(())
}

fn inserted() -> Result<(), JsValue> {
    let sheet = Reflect::get_u32(&Reflect::get(&browser::document(), &"styleSheets".into())?, 0)?;
    let insert: Function = Reflect::get(&sheet, &"insertRule".into())?.dyn_into()?;
    for rule in rules(RULES) {
        let length = Reflect::get(&Reflect::get(&sheet, &"cssRules".into())?, &"length".into())?;
        // A rule that the browser does not know is left out, as it would be in a file.
        let _ = insert.call2(&sheet, &rule.into(), &length);
    }
    Ok(())
}

/// The rules of a style sheet, one by one; one that holds others counts as one. No text in it has braces.
fn rules(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let ends = move |character: char| {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        character == '}' && depth == 0
    };
    text.split_inclusive(ends).map(str::trim).filter(|rule| rule.ends_with('}'))
}

#[cfg(test)]
mod tests {
    use super::{RULES, rules};

    #[test]
    fn each_rule_is_whole() {
        let all: Vec<&str> = rules("a { b: c } @media print { d { e: f } g {} }\n/* h */ i { j: k }").collect();
        assert_eq!(all, ["a { b: c }", "@media print { d { e: f } g {} }", "/* h */ i { j: k }"]);
        assert!(rules(RULES).count() > 100);
        for rule in rules(RULES) {
            assert_eq!(rule.matches('{').count(), rule.matches('}').count(), "{rule}");
        }
    }
}
