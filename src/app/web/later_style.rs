//! The part of the style sheet that the first picture does without: menus, sheets, inspector, log; presentations, print and forced colours. It comes in
//! the chunk for actions, as a constructed style sheet, which a content security policy does not forbid and which needs no file of its own.

use super::browser;
use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The rules.
const RULES: &str = include_str!("../../../www/later.css");

/// Adds them to the page, once.
pub fn install() {
    // An old browser shows the page without them, which is plain but whole.
    let _ = constructed();
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
