//! Texts from files that a person chooses, and from addresses beside the page.

use super::browser;
use js_sys::{Function, Promise, Reflect};
use quorumscope::lab::link::LARGEST;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlInputElement, Response, Url};

/// The name and the content of the file that was chosen.
pub fn chosen(input: &HtmlInputElement) -> Option<(String, Blob)> {
    let file = Reflect::get_u32(&Reflect::get(input, &"files".into()).ok()?, 0).ok()?;
    let name = Reflect::get(&file, &"name".into()).ok()?.as_string()?;
    Some((name, file.dyn_into().ok()?))
}

/// The text of a file, or why there is none.
pub async fn read(blob: Blob) -> Result<String, String> {
    if blob.size() > LARGEST as f64 {
        return Err(format!("It is too large: {LARGEST} bytes are the most that a document has."));
    }
    let unreadable = |_: JsValue| "It cannot be read.".to_owned();
    let text = Response::new_with_opt_blob(Some(&blob)).and_then(|response| response.text()).map_err(unreadable)?;
    JsFuture::from(text).await.map_err(unreadable)?.as_string().ok_or_else(|| "It is not text.".to_owned())
}

/// The text at an address on the page's own origin, given relative to the page or in full; or why there is none. Others are not asked: what comes from them
/// is nothing that whoever publishes the page answers for.
pub async fn fetch(address: &str) -> Result<String, String> {
    let window = browser::window();
    let here = window.location().href().unwrap_or_default();
    let (Ok(url), Ok(page)) = (Url::new_with_base(address, &here), Url::new(&here)) else {
        return Err("This is no address.".to_owned());
    };
    if !here.starts_with("http") {
        return Err(
            "A page that was opened from a file can ask for no other. Its text can be opened from a file.".to_owned()
        );
    }
    if url.origin() != page.origin() {
        return Err(format!(
            "It is on another site, {}. One beside this page would do, on {}.",
            url.origin(),
            page.origin()
        ));
    }
    let lost = |_: JsValue| "It could not be loaded. Is there a connection?".to_owned();
    let fetch = Reflect::get(&window, &"fetch".into()).and_then(|fetch| fetch.dyn_into::<Function>()).map_err(lost)?;
    let asked = fetch.call1(&window, &url.href().into()).map_err(lost)?.dyn_into::<Promise>().map_err(lost)?;
    let response: Response = JsFuture::from(asked).await.map_err(lost)?.dyn_into().map_err(lost)?;
    if !response.ok() {
        return Err(format!("The server answers {}.", response.status()));
    }
    let blob = JsFuture::from(response.blob().map_err(lost)?).await.map_err(lost)?;
    read(blob.dyn_into().map_err(lost)?).await
}
