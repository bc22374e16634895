//! The run on screen in a format that other tools read, made in slices so that the page stays responsive.

use crate::run::player::Shared;
use crate::web::{browser, variants};
use gloo::timers::future::TimeoutFuture;
use quorumscope::lab::export::{self, Export, FORMATS, Format, Options};
use quorumscope::lab::problem::no_such;
use quorumscope::lab::run::sequence::svg::Theme;

/// Time of one slice, ms; then the browser gets a turn.
const SLICE: f64 = 8.0;
/// Events between two readings of the clock.
const EVENTS: u64 = 200;

/// The format with this key, or what would do.
pub fn format(key: &str) -> Result<&'static Format, String> {
    let known = || FORMATS.iter().map(|format| format.key);
    export::format(key).ok_or_else(|| format!("format {key}: {}", no_such(key, "formats", known())))
}

/// The run up to the moment on screen, which is paused. Errors: it is too large; or it went on meanwhile.
pub async fn export(player: &Shared, format: &'static Format, dark: bool) -> Result<String, String> {
    player.borrow_mut().engine.pause();
    let key = player.borrow().engine.session().checked().variant.card.key;
    let inspector = variants::inspector(key).await.map_err(|missing| missing.to_string())?;
    let moment = |player: &Shared| {
        let engine = &player.borrow().engine;
        (engine.number(), engine.session().branch().number, engine.session().moment())
    };
    let begun = moment(player);
    let options = Options { theme: if dark { Theme::Dark } else { Theme::Light }, from: None };
    let refused = |refusal: export::Refusal| refusal.to_string();
    let mut export = Export::new(format, player.borrow().engine.session(), inspector, &options).map_err(refused)?;
    loop {
        if moment(player) != begun {
            return Err("the run went on meanwhile: pause it, and try again".to_owned());
        }
        let deadline = browser::now() + SLICE;
        while browser::now() < deadline {
            if export.advance(player.borrow().engine.session(), EVENTS).map_err(refused)? {
                return export.finish(player.borrow().engine.session()).map_err(refused);
            }
        }
        TimeoutFuture::new(0).await;
    }
}
