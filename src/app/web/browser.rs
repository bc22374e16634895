//! Small platform functions: clock, media queries, storage, download, clipboard, theme. None fails: in a sandboxed frame storage may be
//! missing, and the page does without.

use gloo::timers::future::TimeoutFuture;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, Clipboard, Document, HtmlAnchorElement, HtmlElement, Url, Window};

/// ms after which a picture has been painted: two frames.
const PAINTED: u32 = 34;

/// Whether this is a worker of the page and not the page: then there is nothing of what is below.
pub fn in_worker() -> bool {
    web_sys::window().is_none()
}

/// The address of the program's JavaScript.
pub fn script() -> Option<String> {
    let link = document().query_selector("link[rel=modulepreload]").ok().flatten()?;
    js_sys::Reflect::get(&link, &"href".into()).ok()?.as_string()
}

/// The window. The page runs in one, always.
pub fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}

/// The document.
pub fn document() -> Document {
    window().document().expect("a window has a document")
}

/// Whether the page is in a frame of another page.
pub fn is_framed() -> bool {
    let window = window();
    window.parent().ok().flatten().is_some_and(|parent| parent != window)
}

/// Sends a message to the page around this one, if that comes from the origin; `*` for any.
pub fn post(message: &impl serde::Serialize, origin: &str) {
    if let (Ok(Some(parent)), Some(message)) = (window().parent(), super::json::tree(message)) {
        let _ = parent.post_message(&message, origin);
    }
}

/// Milliseconds on a clock that never goes back. For pacing only: no event depends on it.
pub fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Waits until what there is to paint now has been painted.
pub async fn painted() {
    TimeoutFuture::new(PAINTED).await;
}

/// Whether a media query holds now.
pub fn matches(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

/// Whether the person asked their system for less motion.
pub fn wants_less_motion() -> bool {
    matches("(prefers-reduced-motion: reduce)")
}

/// The stored value of this name, if storage is available.
pub fn remembered(name: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(name).ok().flatten()
}

/// Stores a value, if storage is available.
pub fn remember(name: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item(name, value);
    }
}

/// Offers a file for download.
pub fn download(name: &str, kind: &str, text: &str) {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let parts = js_sys::Array::of1(&text.into());
    let Ok(blob) = Blob::new_with_str_sequence_and_options(&parts, &options) else { return };
    let Ok(url) = Url::create_object_url_with_blob(&blob) else { return };
    if let Ok(link) = document().create_element("a").map(|link| link.unchecked_into::<HtmlAnchorElement>()) {
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    let _ = Url::revoke_object_url(&url);
}

/// Sets the theme of the style sheet.
pub fn set_theme(dark: bool) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-theme", if dark { "dark" } else { "light" });
    }
}

/// Whether an element matches the selector.
pub fn matches_selector(selector: &str) -> bool {
    document().query_selector(selector).ok().flatten().is_some()
}

/// Moves the focus to the first element that a selector finds.
pub fn focus(selector: &str) {
    if let Ok(Some(element)) = document().query_selector(selector) {
        let _ = element.unchecked_into::<HtmlElement>().focus();
    }
}

/// Copies a text to the clipboard; false if that is not allowed, as in a sandboxed frame, or there is none, as in an insecure page.
pub fn copy(text: &str) -> impl Future<Output = bool> + use<> {
    let clipboard =
        js_sys::Reflect::get(&window().navigator(), &"clipboard".into()).ok().filter(|it| !it.is_undefined());
    let promise = clipboard.map(|clipboard| clipboard.unchecked_into::<Clipboard>().write_text(text));
    async move {
        match promise {
            Some(promise) => JsFuture::from(promise).await.is_ok(),
            None => false,
        }
    }
}
