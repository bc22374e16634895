//! The space-time diagram: the time line, pulled up. A lane a node and site of clients, messages slanted true to time, past and future of what is
//! selected. It is painted on a canvas, outside of Yew, when something has changed; texts follow some times a second. In a chunk of its own.

mod hands;
mod lanes;
mod pen;
mod scene;
mod window;
mod words;

use crate::elements::text;
use crate::hotkeys::DiagramKey;
use crate::page_action::{PageAction, Selected};
use crate::run::context::RunContext;
use crate::run::player::Shared;
use crate::run::view_model::ViewModel;
use crate::time::timeline::{Band, bands};
use crate::web::browser;
use gloo::events::{EventListener, EventListenerOptions};
use lanes::{Lanes, Row};
use pen::{Align, Canvas, Colours, Pen, Svg};
use quorumscope::core::card::LeaderModel;
use quorumscope::core::{Micros, NodeId};
use quorumscope::lab::Session;
use quorumscope::lab::run::diagram::{Cone, Lane, Recorder, Subject, Totals};
use scene::{ABOVE, AXIS, Drawn, MOMENTS, Scene};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use web_sys::{Element, HtmlCanvasElement, ResizeObserver};
use window::Window;
use words::{Names, button};
use yew::prelude::*;

/// Time of a frame for recording, ms: while the run plays and while it stands still.
const RECORDING: (f64, f64) = (3.0, 9.0);
/// Events between two readings of the clock.
const EVENTS: u64 = 64;
/// Time between two updates of texts, and of past and future while the run plays, ms.
const TEXTS: f64 = 150.0;
const CONE: f64 = 400.0;
/// Messages in sight that are too many to count in every picture.
const MANY: usize = 20_000;
/// Longest ways that are seen at first.
const WAYS: f64 = 12.0;
/// Width of the lanes' names in a file, CSS pixels.
const NAMES: f64 = 130.0;

/// Draws the diagram.
pub type View = fn(Props) -> Html;

/// Where this chunk begins.
#[wasm_split(diagram, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(|props| html! { <Diagram ..props /> })
}

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run.
    pub context: Rc<RunContext>,
    /// The run at this moment.
    pub view: Rc<ViewModel>,
    /// The player, whose session is recorded.
    pub player: Shared,
    /// What is selected.
    pub selected: Option<Selected>,
    /// Dark theme: the canvas paints with its colours.
    pub dark: bool,
    /// What is wanted.
    pub on: Callback<PageAction>,
}

/// What happens to a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    Down,
    Move,
    Up,
    Gone,
}

/// A message to the diagram.
pub enum Msg {
    /// It is time for a frame.
    Frame,
    /// The canvas has another size.
    Resized,
    /// The wheel was turned.
    Wheel(WheelEvent),
    /// A pointer was moved.
    Pointer(Touch, PointerEvent),
    /// A key was pressed, or the button that does the same.
    Key(DiagramKey),
    /// A message was chosen from the list.
    Choose(usize),
    /// A lane was chosen.
    Lane(Lane),
    /// A lane shall be pinned, or no longer.
    Pin(Lane),
    /// One of the modes is switched.
    Follow,
    Marks,
    List,
    /// The picture is wanted as a file.
    Save,
}

/// A pointer that is down.
#[derive(Clone, Copy, Debug)]
struct Held {
    id: i32,
    began: (f64, f64),
    at: (f64, f64),
    /// Marks a time; otherwise it moves the picture.
    marks: bool,
    moved: bool,
}

/// The diagram.
pub struct Diagram {
    plot: NodeRef,
    canvas: NodeRef,
    pen: Option<Canvas>,
    colours: Option<(bool, &'static str, Colours)>,
    size: (f64, f64),
    window: Window,
    lanes: Lanes,
    recorder: Option<Recorder>,
    /// Number of the session that is recorded.
    run: u32,
    bands: (u64, Vec<Band>),
    /// The selection and the message that was chosen here.
    chosen: Option<(Selected, usize)>,
    cone: Option<Cone>,
    /// What the cone is of, the events recorded by then, and when it was made, ms.
    cone_of: Option<(Subject, u64, f64)>,
    pointed: Option<usize>,
    lane: Option<usize>,
    range: Option<(Micros, Micros)>,
    mark: Option<Micros>,
    held: Vec<Held>,
    /// Whether a finger marks a time instead of moving the picture.
    marks: bool,
    /// Whether the window goes along with the run.
    follows: bool,
    list: bool,
    /// The moment on screen in the last frame, µs.
    now: Micros,
    needs_paint: bool,
    drawn: Drawn,
    totals: (Totals, Micros, Micros),
    /// Whether texts are behind, and when they were updated, ms.
    behind: bool,
    updated: f64,
    /// When it was painted last, ms.
    painted: f64,
    said: String,
    next: Option<(Closure<dyn Fn()>, i32)>,
    listeners: Vec<EventListener>,
    observer: Option<(ResizeObserver, Closure<dyn Fn()>)>,
}

impl Component for Diagram {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Diagram>) -> Diagram {
        let (span, now) = {
            let player = ctx.props().player.borrow();
            let topology = &player.engine.session().checked().blueprint.topology;
            let way = topology.round_trip_max().max(topology.disk).max(1_000);
            (way as f64 * WAYS, player.engine.time())
        };
        let window = Window { from: (now as f64 - span * 0.7).max(-span * 0.05), span, width: 1.0 };
        Diagram {
            plot: NodeRef::default(),
            canvas: NodeRef::default(),
            pen: None,
            colours: None,
            size: (0.0, 0.0),
            window,
            lanes: Lanes::default(),
            recorder: None,
            run: 0,
            bands: (u64::MAX, Vec::new()),
            chosen: None,
            cone: None,
            cone_of: None,
            pointed: None,
            lane: None,
            range: None,
            mark: None,
            held: Vec::new(),
            marks: false,
            follows: true,
            list: false,
            now,
            needs_paint: true,
            drawn: Drawn::default(),
            totals: (Totals::default(), 0, 0),
            behind: true,
            updated: 0.0,
            painted: 0.0,
            said: String::new(),
            next: None,
            listeners: Vec::new(),
            observer: None,
        }
    }

    fn update(&mut self, ctx: &Context<Diagram>, message: Msg) -> bool {
        match message {
            Msg::Frame => {
                if let Some((call, number)) = &mut self.next {
                    *number = request_frame(call);
                }
                return self.frame(ctx);
            }
            Msg::Resized => {
                self.measure();
                return true;
            }
            Msg::Wheel(event) => self.wheel(ctx, &event),
            Msg::Pointer(touch, event) => return self.pointer(ctx, touch, &event),
            Msg::Key(key) => self.key(ctx, key),
            Msg::Choose(number) => self.choose(ctx, number),
            Msg::Lane(lane) => match lane {
                Lane::Node(node) => ctx.props().on.emit(PageAction::Select(Some(Selected::Node(node)))),
                Lane::Clients(_) => {
                    let index = self.lanes.index(lane);
                    self.lane = index.filter(|_| self.lane != index);
                }
            },
            Msg::Pin(lane) => {
                self.lanes.pin(lane);
                self.lane = None;
            }
            Msg::Follow => {
                self.follows = !self.follows;
                if self.follows {
                    self.window.show(self.now, self.end(ctx));
                }
            }
            Msg::Marks => self.marks = !self.marks,
            Msg::List => self.list = !self.list,
            Msg::Save => self.save(ctx),
        }
        self.changed_view();
        true
    }

    fn changed(&mut self, ctx: &Context<Diagram>, old: &Props) -> bool {
        if ctx.props().selected != old.selected {
            self.cone_of = None;
            self.said = String::new();
        }
        self.changed_view();
        true
    }

    fn view(&self, ctx: &Context<Diagram>) -> Html {
        let Props { context, on, selected, player, .. } = ctx.props();
        let link = ctx.link();
        let key = |key: DiagramKey| link.callback(move |_: MouseEvent| Msg::Key(key));
        let names = self.names(ctx);
        let (totals, from, until) = &self.totals;
        let pointed = self.pointed.and_then(|number| self.recorder.as_ref()?.history().message(number));
        let pointed = pointed.map(|message| names.sentence(message));
        let info = pointed.unwrap_or_else(|| self.state(ctx));
        let onkeydown = link.batch_callback(hands::on_key);
        let pointer = |touch: Touch| link.callback(move |event: PointerEvent| Msg::Pointer(touch, event));
        let lane = self.lane.and_then(|index| self.lanes.rows.get(index));
        let playing = player.borrow().engine.playing();
        let label = format!(
            "Messages of {} from {} to {}. Keys: W and S zoom, A and D move, F to what is selected, arrows go along messages and lanes, Enter selects.",
            context.variant.card.title,
            text::moment_ms(*from),
            text::moment_ms(*until)
        );
        html! {
            <section class="diagram" aria-label="Space-time diagram" {onkeydown}>
                <div class="tools" role="group" aria-label="Space-time diagram">
                    <h2>{ "Space-time" }</h2>
                    { button("+", "Closer (W)", None, key(DiagramKey::Zoom(true))) }
                    { button("−", "Farther away (S)", None, key(DiagramKey::Zoom(false))) }
                    { button("←", "Earlier (A)", None, key(DiagramKey::Pan(false))) }
                    { button("→", "Later (D)", None, key(DiagramKey::Pan(true))) }
                    { button("Focus", "What is selected fills the window (F)", None, key(DiagramKey::Focus)) }
                    { button("Follow", "Go along with the run", Some(self.follows), link.callback(|_| Msg::Follow)) }
                    { button("Mark", "Drag marks a time, also with a finger: its totals are told below", Some(self.marks), link.callback(|_| Msg::Marks)) }
                    { button("List", "The messages in sight as a list", Some(self.list), link.callback(|_| Msg::List)) }
                    { button("Save as SVG", "What is in sight as a picture", None, link.callback(|_| Msg::Save)) }
                    // Where it has the window for itself, it has these of the transport.
                    <span class="transport-too">
                        { button(if playing { "Pause" } else { "Play" }, "Space", None, on.reform(move |_| PageAction::Play(!playing))) }
                    </span>
                    { words::close(on) }
                    <p class="pointed" aria-hidden="true">{ info }</p>
                </div>
                <div class="plot">
                    <div class="lanes" role="group" aria-label="Lanes">{ for self.lanes.rows.iter().enumerate().map(|(index, row)| self.label(ctx, index, row, *selected)) }</div>
                    <div class="sheet-of-time" ref={self.plot.clone()}>
                        <canvas ref={self.canvas.clone()} hidden={self.list} tabindex="0" role="application" aria-label={label} class={if self.pointed.is_some() { "on-message" } else { "" }}
                            onpointerdown={pointer(Touch::Down)} onpointermove={pointer(Touch::Move)} onpointerup={pointer(Touch::Up)}
                            onpointercancel={pointer(Touch::Gone)} onpointerleave={pointer(Touch::Gone)}></canvas>
                        if self.list {
                            if let Some(recorder) = &self.recorder {
                                { names.list(recorder.history(), (*from, *until), self.cone.as_ref().and_then(Cone::subject), lane.map(|row| row.lane), &link.callback(Msg::Choose)) }
                            }
                        }
                    </div>
                </div>
                { names.totals(totals, (*from, *until), self.range.is_some()) }
                <p class="unseen" role="status">{ &self.said }</p>
            </section>
        }
    }

    fn rendered(&mut self, ctx: &Context<Diagram>, first: bool) {
        if !first {
            return;
        }
        let link = ctx.link();
        if let Some(canvas) = self.canvas.cast::<HtmlCanvasElement>() {
            let wheel = link.callback(Msg::Wheel);
            // Yew's own listeners cannot keep the page from scrolling.
            let options = EventListenerOptions::enable_prevent_default();
            self.listeners.push(EventListener::new_with_options(&canvas, "wheel", options, move |event| {
                event.prevent_default();
                wheel.emit(event.clone().unchecked_into());
            }));
            self.pen = Canvas::new(canvas);
        }
        if let Some(plot) = self.plot.cast::<Element>() {
            let resized = link.callback(|()| Msg::Resized);
            let call = Closure::<dyn Fn()>::new(move || resized.emit(()));
            if let Ok(observer) = ResizeObserver::new(call.as_ref().unchecked_ref()) {
                observer.observe(&plot);
                self.observer = Some((observer, call));
            }
        }
        self.measure();
        let link = link.clone();
        let call = Closure::<dyn Fn()>::new(move || link.send_message(Msg::Frame));
        let number = request_frame(&call);
        self.next = Some((call, number));
        browser::focus(".diagram canvas");
    }

    fn destroy(&mut self, _: &Context<Diagram>) {
        if let Some((_, number)) = self.next.take() {
            let _ = browser::window().cancel_animation_frame(number);
        }
        if let Some((observer, _)) = self.observer.take() {
            observer.disconnect();
        }
        self.listeners.clear();
    }
}

fn request_frame(call: &Closure<dyn Fn()>) -> i32 {
    browser::window().request_animation_frame(call.as_ref().unchecked_ref()).unwrap_or(0)
}

impl Diagram {
    fn names<'a>(&self, ctx: &'a Context<Diagram>) -> Names<'a> {
        let context = &ctx.props().context;
        Names { kinds: context.variant.kinds, places: &context.names }
    }

    /// The name of a lane, which selects it, and what pins it.
    fn label(&self, ctx: &Context<Diagram>, index: usize, row: &Row, selected: Option<Selected>) -> Html {
        let (y, seen) = self.lanes.y(index);
        if !seen {
            return html! {};
        }
        let lane = row.lane;
        let is_selected = match lane {
            Lane::Node(node) => selected.and_then(Selected::node) == Some(node),
            Lane::Clients(_) => self.lane == Some(index),
        };
        let flag = |holds: bool| if holds { "true" } else { "false" };
        let height = self.lanes.height();
        let style = format!("top: {:.1}px; height: {height:.1}px", y - height / 2.0);
        let pin = if row.pinned { "Pinned: let it go" } else { "Pin to the top (X)" };
        html! {
            <div key={format!("{lane:?}")} class="lane" {style}>
                <button type="button" aria-pressed={flag(is_selected)} aria-label={row.name()} onclick={ctx.link().callback(move |_| Msg::Lane(lane))}><b>{ &row.short }</b>{ " " }{ &row.place }</button>
                <button type="button" class="pin" aria-pressed={flag(row.pinned)} title={pin} aria-label={format!("Pin {}", row.name())} onclick={ctx.link().callback(move |_| Msg::Pin(lane))}>
                    <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M5 1h6v1.5l-1 .8.5 4L12.500 9v1.500h-4V15h-1v-4.500h-4V9l2-1.700.5-4-1-.8z" /></svg>
                </button>
            </div>
        }
    }

    /// What the line of text tells while no message is pointed at.
    fn state(&self, ctx: &Context<Diagram>) -> String {
        let Some(recorder) = &self.recorder else { return String::new() };
        let reached = ctx.props().player.borrow().engine.session().reached().event;
        let history = recorder.history();
        if history.events() + 1_000 < reached && !recorder.is_full() {
            return format!("Recording: {} of {}", history.events(), text::count(reached as usize, "event"));
        }
        if self.drawn.lines * 2 < self.drawn.messages {
            return format!("{} messages in sight; one line stands for several", self.drawn.messages);
        }
        String::new()
    }

    fn changed_view(&mut self) {
        self.needs_paint = true;
        self.behind = true;
    }

    /// The end of all there is to see, µs.
    fn end(&self, ctx: &Context<Diagram>) -> Micros {
        let player = ctx.props().player.borrow();
        let last = player.engine.moments.last().map_or(0, |moment| moment.at);
        player.engine.session().reached().at.max(last).max(self.now)
    }

    fn measure(&mut self) {
        let Some(plot) = self.plot.cast::<Element>() else { return };
        let rect = plot.get_bounding_client_rect();
        self.size = (rect.width(), rect.height());
        self.window.width = rect.width().max(1.0);
        self.lanes.area = (ABOVE, (rect.height() - ABOVE - MOMENTS - AXIS).max(24.0));
        self.lanes.scroll(0.0);
        self.changed_view();
    }

    /// One frame: records a little, goes along with the run, and paints if something has changed. True: texts are to be updated.
    fn frame(&mut self, ctx: &Context<Diagram>) -> bool {
        let began = browser::now();
        let Props { context, player, .. } = ctx.props();
        let (playing, now) = {
            let player = player.borrow();
            let engine = &player.engine;
            if engine.number() != self.run {
                self.run = engine.number();
                self.recorder = None;
                (self.range, self.mark, self.lane, self.chosen) = (None, None, None, None);
            }
            let deadline = began + if engine.playing() { RECORDING.0 } else { RECORDING.1 };
            if engine.errand.is_none() {
                self.needs_paint |= self.record(engine.session(), deadline);
            }
            self.lanes.update(context, engine.session().universe());
            (engine.playing(), engine.time())
        };
        if std::mem::replace(&mut self.now, now) != now {
            self.go_along(playing, self.end(ctx));
            self.needs_paint = true;
        }
        self.update_cone(ctx, began);
        if self.needs_paint && self.size.0 > 0.0 && !self.list {
            self.needs_paint = false;
            self.behind = true;
            self.painted = began;
            self.paint(ctx);
        }
        // Counting a hundred thousand messages takes a frame: that waits until the picture stands still.
        let moves = self.drawn.messages > MANY && began - self.painted < TEXTS;
        if self.behind && !moves && began - self.updated > TEXTS {
            self.behind = false;
            self.updated = began;
            let (from, until) = self.range.unwrap_or_else(|| self.window.range());
            let totals = self.recorder.as_ref().map(|recorder| Totals::of(recorder.history(), from, until));
            self.totals = (totals.unwrap_or_default(), from, until);
            return true;
        }
        false
    }

    /// Records what the run has come to, in time before the deadline, ms. True: there is something new.
    fn record(&mut self, session: &Session, deadline: f64) -> bool {
        let (from, _) = self.window.range();
        let fits = self.recorder.as_ref().is_some_and(|recorder| {
            let history = recorder.history();
            let too_late = history.since() > 0 && from < history.since();
            let too_early = recorder.is_full() && from > history.until();
            recorder.is_of(session) && !too_late && !too_early
        });
        if !fits {
            let earlier = self.recorder.take().filter(|recorder| recorder.is_of(session)).is_some();
            self.pointed = None;
            self.cone_of = None;
            self.recorder = Some(if earlier { Recorder::from(session, from) } else { Recorder::latest(session) });
        }
        let Some(recorder) = &mut self.recorder else { return false };
        let before = (recorder.history().events(), recorder.history().until());
        while !recorder.advance(session, EVENTS) && browser::now() < deadline {}
        let history = recorder.history();
        if self.bands.0 != history.events() {
            self.bands = (history.events(), bands(&recorder.leadership(), history.until()));
        }
        !fits || (history.events(), history.until()) != before
    }

    /// The window goes along with the run while it plays, and wherever somebody goes.
    fn go_along(&mut self, playing: bool, end: Micros) {
        let x = self.window.x(self.now);
        if playing && self.follows && x > self.window.width * 0.85 {
            self.window.pan((x / self.window.width) - 0.85, end);
        } else if !playing || self.follows {
            self.window.show(self.now, end);
        }
    }

    /// Past and future of what is selected.
    fn update_cone(&mut self, ctx: &Context<Diagram>, now: f64) {
        let Props { selected, player, .. } = ctx.props();
        let Some(recorder) = &self.recorder else { return };
        let player = player.borrow();
        let moment = player.engine.session().moment();
        let subject = match *selected {
            None => None,
            Some(Selected::Node(node)) => Some(Subject::Node(node, moment.event, moment.at)),
            Some(message @ Selected::Message { id, from }) => {
                let chosen =
                    self.chosen.filter(|(of, number)| *of == message && recorder.history().message(*number).is_some());
                let number = chosen.map(|(_, number)| number).or_else(|| recorder.find(id, from, moment.event));
                self.chosen = number.map(|number| (message, number));
                number.map(Subject::Message)
            }
        };
        let events = recorder.history().events();
        let wait = if player.engine.playing() { CONE } else { 0.0 };
        let same = self
            .cone_of
            .is_some_and(|(of, by, at)| Some(of) == subject && by == events || subject.is_some() && now - at < wait);
        if same || subject.is_none() && self.cone.is_none() {
            return;
        }
        self.cone = subject.map(|subject| Cone::of(recorder.history(), subject));
        self.cone_of = subject.map(|subject| (subject, events, now));
        self.needs_paint = true;
    }

    /// Draws with this pen.
    fn draw(&self, ctx: &Context<Diagram>, colours: &Colours, pen: &mut dyn Pen) -> Option<Drawn> {
        let Props { context, player, selected, .. } = ctx.props();
        let recorder = self.recorder.as_ref()?;
        let player = player.borrow();
        let violations: Vec<(Micros, Vec<NodeId>)> =
            recorder.violations().map(|violation| (violation.at, violation.nodes.iter().collect())).collect();
        let card = context.variant.card;
        let scene = Scene {
            window: self.window,
            lanes: &self.lanes,
            height: self.size.1,
            history: recorder.history(),
            kinds: context.variant.kinds,
            epoch: card.epoch,
            bands: &self.bands.1,
            has_leader: !matches!(card.leader, LeaderModel::None | LeaderModel::PerObject),
            moments: &player.engine.moments,
            violations: &violations,
            now: self.now,
            cone: self.cone.as_ref(),
            node: selected.and_then(Selected::node),
            pointed: self.pointed,
            lane: self.lane,
            range: self.range,
            colours,
        };
        Some(scene.draw(pen, self.drawn))
    }

    fn paint(&mut self, ctx: &Context<Diagram>) {
        let Props { context, dark, .. } = ctx.props();
        let (key, kinds) = (context.variant.card.key, context.variant.kinds);
        let fits = self.colours.take().filter(|(of, by, _)| (of, by) == (dark, &key));
        let colours = fits.unwrap_or_else(|| (*dark, key, Colours::new(kinds)));
        if let Some(mut pen) = self.pen.take() {
            pen.clear(self.size.0, self.size.1, browser::window().device_pixel_ratio());
            if let Some(drawn) = self.draw(ctx, &colours.2, &mut pen) {
                // How many lines there are is known only now: lines are thinned in the next picture.
                self.needs_paint |= drawn.messages > 2 * self.drawn.messages.max(1_000);
                self.drawn = drawn;
            }
            self.pen = Some(pen);
        }
        self.colours = Some(colours);
    }

    /// Saves what is in sight as a file.
    fn save(&mut self, ctx: &Context<Diagram>) {
        let Props { context, .. } = ctx.props();
        let (from, until) = self.window.range();
        let (width, height) = self.size;
        let title = format!(
            "{}: {}, {} to {}",
            context.scenario.title,
            context.variant.card.title,
            text::moment_ms(from),
            text::moment_ms(until)
        );
        let colours = Colours::new(context.variant.kinds);
        let mut svg = Svg::new(width + NAMES, height, &title, &colours.paper);
        for (index, row) in self.lanes.rows.iter().enumerate() {
            if let (y, true) = self.lanes.y(index) {
                svg.text(&colours.ink, false, Align::Left, (8.0, y), &format!("{} {}", row.short, row.place));
            }
        }
        svg.inset(NAMES, width, height);
        self.draw(ctx, &colours, &mut svg);
        svg.end_inset();
        browser::download("space-time.svg", "image/svg+xml", &svg.into_text());
        self.said = "The picture is saved.".to_owned();
    }
}
