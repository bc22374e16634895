//! What is told while the run goes on: its state, the moments that matter, a violation, the height that is wanted.

use super::host::Host;
use crate::web::{browser, handle};
use gloo::events::EventListener;
use gloo::timers::callback::Interval;
use quorumscope::core::Micros;
use serde_json::json;
use std::rc::Rc;

/// ms between two looks.
const LOOK_EVERY: u32 = 250;
/// The height that a stage with its controls wants, in hundredths of the width, and its least and its most, CSS pixels.
const WANTED: (f64, f64, f64) = (62.0, 420.0, 760.0);

/// What was told last.
#[derive(Default)]
struct Last {
    /// Number of the run, events, interventions, and whether it played.
    state: Option<(u32, u64, usize, bool)>,
    /// The time up to which moments were told, of the run with this number, µs.
    moments: (u32, Micros),
    /// The run whose violation was told.
    violation: Option<u32>,
    height: f64,
}

/// The height that is wanted, CSS pixels: enough to see it, and for all of what there is. What does not fit is only seen while it does not fit, so it is kept
/// for as long as the frame is as wide: otherwise a frame that has grown could never get lower again, or would grow and shrink in turn.
pub fn height(host: &Host) -> f64 {
    let all = f64::from(browser::document().document_element().map_or(0, |root| root.scroll_height()));
    let inner = |what: Result<wasm_bindgen::JsValue, _>| what.ok().and_then(|value| value.as_f64()).unwrap_or_default();
    let width = inner(browser::window().inner_width());
    let wanted = (width * WANTED.0 / 100.0).clamp(WANTED.1, WANTED.2).round();
    if all > inner(browser::window().inner_height()) + 1.0 {
        host.needs.set((width, all));
    }
    let (of, needed) = host.needs.get();
    if of == width { needed.max(wanted) } else { wanted }
}

/// Begins, for the lifetime of the page.
pub fn begin(host: &Rc<Host>) {
    let mut last = Last::default();
    let watches = host.clone();
    Interval::new(LOOK_EVERY, move || look(&watches, &mut last)).forget();
    let leaves = host.clone();
    EventListener::new(&browser::window(), "pagehide", move |_| leaves.splice.flush(&leaves.player)).forget();
    let hides = host.clone();
    EventListener::new(&browser::document(), "visibilitychange", move |_| {
        if browser::document().hidden() {
            hides.splice.flush(&hides.player);
        }
    })
    .forget();
}

fn look(host: &Host, last: &mut Last) {
    let height = height(host);
    if height != last.height {
        last.height = height;
        browser::post(
            &json!({ "subject": "lti.frameResize", "message_id": "quorumscope-height", "height": height }),
            "*",
        );
        if host.has_resizer.get() {
            host.prepare_resize();
        }
        if host.is_known() {
            host.post(json!({ "type": "resize", "height": height }));
        }
    }
    // Nobody has asked for the rest.
    if !host.is_known() {
        return;
    }
    let (now, told, violated) = {
        let engine = &host.player.borrow().engine;
        let session = engine.session();
        let universe = session.universe();
        let now = (engine.number(), universe.events(), session.interventions().len(), engine.playing());
        let (number, since) = last.moments;
        let since = if number == now.0 { since } else { engine.time() };
        let passed = |at: Micros| at > since && at <= engine.time();
        let told: Vec<(Micros, String)> = engine
            .moments
            .iter()
            .filter(|moment| passed(moment.at))
            .map(|moment| (moment.at, moment.text.clone()))
            .collect();
        last.moments = (now.0, engine.time());
        let first = universe.violations().first().filter(|_| last.violation != Some(now.0));
        let violated = first.map(|violation| (violation.at, violation.event, violation.property.to_string()));
        (now, told, violated)
    };
    for (at, text) in told {
        host.post(json!({ "type": "event", "at": at, "text": text }));
    }
    if let Some((at, event, property)) = violated {
        last.violation = Some(now.0);
        host.post(json!({ "type": "violation", "at": at, "event": event, "property": property }));
        host.splice.event("violation", &json!({ "at": at, "event": event, "property": property }));
    }
    if last.state != Some(now) {
        last.state = Some(now);
        host.post(json!({ "type": "state", "state": handle::state(&host.player) }));
    }
}
