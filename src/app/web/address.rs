//! The fragment of the address describes what is on screen: `#s=1.` and a document, deflated and in base64url. Browsers do not send
//! fragments to servers. It is read by `quorumscope::lab::link`, as the command does.

use super::browser;
use js_sys::{Array, Function, Reflect, Uint8Array};
use quorumscope::lab::Document;
use quorumscope::lab::link::{LINK, written};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableWritablePair, Response};

/// The packed document in the address, if there is one.
pub fn packed() -> Option<String> {
    let fragment = browser::window().location().hash().ok()?;
    let fragment = fragment.trim_start_matches('#');
    (!fragment.is_empty()).then(|| fragment.to_owned())
}

/// Writes a packed document into the address, with or without a new entry in the browser's history.
pub fn show(packed: &str, new: bool) {
    if let Ok(history) = browser::window().history() {
        let url = format!("#{packed}");
        let _ = match new {
            true => history.push_state_with_url(&JsValue::NULL, "", Some(&url)),
            false => history.replace_state_with_url(&JsValue::NULL, "", Some(&url)),
        };
    }
}

/// The address of a packed document.
pub fn link(packed: &str) -> String {
    let location = browser::window().location();
    let (origin, path) = (location.origin().unwrap_or_default(), location.pathname().unwrap_or_default());
    let search = location.search().unwrap_or_default();
    format!("{origin}{path}{search}#{packed}")
}

/// Packs a document.
pub async fn pack(document: &Document) -> Option<String> {
    let blob = Blob::new_with_str_sequence(&Array::of1(&written(document).into())).ok()?;
    let bytes = through("CompressionStream", &blob).await.ok()?;
    let binary: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let base64 = browser::window().btoa(&binary).ok()?;
    Some(format!("{LINK}{}", base64.trim_end_matches('=').replace('+', "-").replace('/', "_")))
}

/// Sends bytes through one of the browser's streams, which web-sys does not have yet.
async fn through(stream: &str, blob: &Blob) -> Result<Vec<u8>, JsValue> {
    let class: Function = Reflect::get(&browser::window(), &stream.into())?.dyn_into()?;
    let stream = Reflect::construct(&class, &Array::of1(&"deflate-raw".into()))?;
    // The stream has the two ends of a `ReadableWritablePair`.
    let bytes = blob.stream().pipe_through(stream.unchecked_ref::<ReadableWritablePair>());
    let response = Response::new_with_opt_readable_stream(Some(&bytes))?;
    Ok(Uint8Array::new(&JsFuture::from(response.array_buffer()?).await?).to_vec())
}
