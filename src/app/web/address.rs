//! The fragment of the address describes what is on screen: `#s=1.` and a document, deflated and in base64url. Browsers do not send
//! fragments to servers.

use super::{browser, json};
use js_sys::{Array, Function, Reflect, Uint8Array};
use quorumscope::lab::{Document, Problem, Problems};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableWritablePair, Response};

/// Prefix of a fragment: key, and version of the format.
const KEY: &str = "s=1.";
/// Longest packed document, characters; longest unpacked one, bytes.
const LONGEST: (usize, usize) = (1 << 18, 1 << 22);

/// The packed document in the address, if there is one.
pub fn packed() -> Option<String> {
    let fragment = browser::window().location().hash().ok()?;
    let fragment = fragment.trim_start_matches('#');
    (!fragment.is_empty()).then(|| fragment.to_owned())
}

/// Writes a packed document into the address, without a new entry in the history.
pub fn show(packed: &str) {
    if let Ok(history) = browser::window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("#{packed}")));
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
    let text = json::text(document)?;
    let blob = Blob::new_with_str_sequence(&Array::of1(&text.into())).ok()?;
    let bytes = through("CompressionStream", &blob).await.ok()?;
    let binary: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let base64 = browser::window().btoa(&binary).ok()?;
    Some(format!("{KEY}{}", base64.trim_end_matches('=').replace('+', "-").replace('/', "_")))
}

/// Unpacks a document from a fragment; the error says what is wrong with it.
pub async fn unpack(fragment: &str) -> Result<Document, Problems> {
    let payload = fragment.split('&').find_map(|part| part.strip_prefix(KEY));
    let payload = payload.ok_or_else(|| wrong("This is no link to a run of this version."))?;
    if payload.len() > LONGEST.0 {
        return Err(wrong("This link is too long.").into());
    }
    let text = inflate(payload).await.ok_or_else(|| wrong("This link is damaged; was all of it copied?"))?;
    if text.len() > LONGEST.1 {
        return Err(wrong("This link holds too much.").into());
    }
    json::document(&text)
}

fn wrong(says: &str) -> Problem {
    json::whole(says)
}

async fn inflate(payload: &str) -> Option<String> {
    let base64 = payload.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let binary = browser::window().atob(&base64).ok()?;
    let bytes: Vec<u8> = binary.chars().map(|byte| byte as u8).collect();
    let blob = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes.as_slice()))).ok()?;
    String::from_utf8(through("DecompressionStream", &blob).await.ok()?).ok()
}

/// Sends bytes through one of the browser's two streams for deflate, which web-sys does not have yet.
async fn through(stream: &str, blob: &Blob) -> Result<Vec<u8>, JsValue> {
    let class: Function = Reflect::get(&browser::window(), &stream.into())?.dyn_into()?;
    let stream = Reflect::construct(&class, &Array::of1(&"deflate-raw".into()))?;
    // The stream has the two ends of a `ReadableWritablePair`.
    let bytes = blob.stream().pipe_through(stream.unchecked_ref::<ReadableWritablePair>());
    let response = Response::new_with_opt_readable_stream(Some(&bytes))?;
    Ok(Uint8Array::new(&JsFuture::from(response.array_buffer()?).await?).to_vec())
}
