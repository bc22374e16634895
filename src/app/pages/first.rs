//! The run that is on screen first.

use super::chunks;
use super::opening::{Opened, begin};
use crate::web::address;
use crate::web::options::Options;

/// The first run: what the address asks for, or the first scenario with the reason why.
pub async fn first(options: &Options) -> Opened {
    let plain = address::packed().is_none() && !options.asks_for_another;
    if plain {
        return begin(Vec::new());
    }
    match chunks::actions().await {
        Ok(actions) => (actions.asked)().await,
        Err(missing) => Opened { missing: true, ..begin(vec![missing.to_string()]) },
    }
}
