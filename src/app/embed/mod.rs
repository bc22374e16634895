//! The page in a frame of another page: what it tells the page around it, and what it does for it. `www/embed.js` is the other end. It is a chunk of its
//! own, loaded after the first picture and only where there is a page around: without one, nothing is sent and nothing is obeyed.
//!
//! Four conventions are spoken, all by `postMessage`: our own (`{quorumscope: 1, type, …}`), SPLICE (cssplice.org, the iframe protocol of courseware: state,
//! score, events), `lti.frameResize` (Canvas) and the handshake of H5P's resizer.

mod commands;
mod host;
mod splice;
mod watch;

use crate::run::player::Shared;
use crate::web::browser;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

/// Begins, for the lifetime of the page.
type Begin = fn(&Shared);

/// Where this chunk begins.
#[wasm_split(embed, fallible)]
fn load() -> Result<Begin, SplitLoaderError> {
    Ok(host::begin)
}

/// Begins to speak with the page around this one, if there is one.
pub fn begin(player: &Shared) {
    if !browser::is_framed() {
        return;
    }
    let player = player.clone();
    yew::platform::spawn_local(async move {
        match load().await {
            Ok(begin) => begin(&player),
            Err(_) => browser::post(
                &serde_json::json!({ "quorumscope": 1, "type": "error", "code": "load", "message": "a part of the page could not be loaded" }),
                "*",
            ),
        }
    });
}
