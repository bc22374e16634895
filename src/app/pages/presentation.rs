//! A presentation: stage, sentence and controls alone, for a projector. It is a parameter of the address, so that it can be linked. This comes in the
//! chunk for actions; what a presentation looks like is in `www/later.css`.

use crate::web::browser;
use web_sys::UrlSearchParams;

/// The parameter's name.
const PARAMETER: &str = "present";

/// Whether there is a presentation on screen.
pub fn is_on() -> bool {
    browser::matches_selector(".presents")
}

/// Writes into the address whether there is a presentation, without a new entry in the history; all else in it stays.
pub fn in_address(presents: bool) {
    let location = browser::window().location();
    let (Ok(search), Ok(hash), Ok(history)) = (location.search(), location.hash(), browser::window().history()) else {
        return;
    };
    let Ok(parameters) = UrlSearchParams::new_with_str(&search) else { return };
    if parameters.get(PARAMETER).is_some() == presents {
        return;
    }
    if presents {
        parameters.append(PARAMETER, "true");
    } else {
        parameters.delete(PARAMETER);
    }
    let search = parameters.to_string().as_string().unwrap_or_default();
    let state = history.state().unwrap_or_default();
    let _ = history.replace_state_with_url(&state, "", Some(&format!("?{search}{hash}")));
}
