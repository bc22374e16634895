//! `window.quorumscope`: the state of the run and frame times, for scripts and tests.

use super::{browser, json};
use crate::elements::text;
use crate::run::player::Shared;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// The run at this moment.
#[derive(Serialize)]
pub struct State {
    time: u64,
    events: u64,
    fingerprint: String,
    playing: bool,
    variant: &'static str,
    leader: Option<usize>,
    nodes: Vec<NodeState>,
    in_flight: usize,
    interventions: usize,
    /// Memory of the program, bytes: what it has now and what it has given back to itself.
    memory: usize,
}

#[derive(Serialize)]
struct NodeState {
    node: usize,
    site: String,
    up: bool,
    role: Option<&'static str>,
    member: bool,
    paused: bool,
    /// Replicas that its messages cannot reach.
    cut: Vec<usize>,
}

/// Script times of the latest frames, ms.
#[derive(Serialize)]
struct Frames {
    count: usize,
    p50: f64,
    p95: f64,
    max: f64,
    in_flight: usize,
}

/// Installs the handle, for the lifetime of the page.
pub fn install(player: &Shared) {
    let handle = js_sys::Object::new();
    type Answer = Box<dyn Fn(&Shared) -> Option<JsValue>>;
    let ask = |name: &str, answer: Answer| {
        let player = player.clone();
        let function = Closure::<dyn Fn() -> JsValue>::new(move || answer(&player).unwrap_or(JsValue::NULL));
        let _ = js_sys::Reflect::set(&handle, &name.into(), function.as_ref());
        function.forget();
    };
    ask("state", Box::new(|player| json::tree(&state(player))));
    ask("frames", Box::new(|player| json::tree(&frames(player))));
    ask(
        "clearFrames",
        Box::new(|player| {
            player.borrow_mut().frame_times.clear();
            None
        }),
    );
    let _ = js_sys::Reflect::set(&browser::window(), &"quorumscope".into(), &handle);
}

/// The run at this moment.
pub fn state(player: &Shared) -> State {
    let player = player.borrow();
    let session = player.engine.session();
    let universe = session.universe();
    let node = |id: u8| {
        let view = universe.node(quorumscope::core::NodeId(id));
        NodeState {
            node: text::number(view.id),
            site: session.checked().places[usize::from(view.site)].id.clone(),
            up: view.status.is_some(),
            role: view.status.map(|status| status.role),
            member: view.member,
            paused: view.paused.is_some(),
            cut: view.cut.iter().map(text::number).collect(),
        }
    };
    State {
        time: universe.time(),
        events: universe.events(),
        fingerprint: format!("{:016x}", universe.fingerprint()),
        playing: player.engine.playing(),
        variant: universe.variant().card.key,
        leader: universe.leader().map(text::number),
        nodes: (0..universe.nodes()).map(node).collect(),
        in_flight: player.flights().len(),
        interventions: session.interventions().len(),
        memory: memory(),
    }
}

fn frames(player: &Shared) -> Frames {
    let player = player.borrow();
    let at = |percent: usize| (player.frame_times.percentile(percent) * 100.0).round() / 100.0;
    Frames {
        count: player.frame_times.frames(),
        p50: at(50),
        p95: at(95),
        max: at(100),
        in_flight: player.flights().len(),
    }
}

/// The size of the program's memory, bytes.
fn memory() -> usize {
    #[cfg(target_arch = "wasm32")]
    let pages = core::arch::wasm32::memory_size(0);
    #[cfg(not(target_arch = "wasm32"))]
    let pages = 0;
    pages << 16
}
