//! What is fetched ahead of being wanted. In the chunk for actions, so that the first picture does without what loads all others.

use super::chunks::{self, Chunk};
use super::lab::{Lab, Msg};
use crate::lessons;
use crate::web::variants;
use gloo::timers::future::TimeoutFuture;
use quorumscope::universe;
use yew::Context;

/// ms between two chunks that are fetched ahead of being wanted.
const PREFETCH_EVERY: u32 = 150;

/// Loads all other chunks, one after another, before anybody wants them. What cannot be loaded is tried again when somebody does.
pub(super) fn prefetch(ctx: &Context<Lab>) {
    let link = ctx.link().clone();
    yew::platform::spawn_local(async move {
        for chunk in Chunk::ALL {
            TimeoutFuture::new(PREFETCH_EVERY).await;
            if let Ok(part) = chunk.load().await {
                link.send_message(Msg::Prefetched(part));
            }
        }
        TimeoutFuture::new(PREFETCH_EVERY).await;
        lessons::fetch().await;
        for (key, ..) in universe::titles() {
            TimeoutFuture::new(PREFETCH_EVERY).await;
            let _ = chunks::variant(key).await;
            let _ = variants::inspector(key).await;
        }
    });
}
