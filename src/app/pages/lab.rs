//! The laboratory: the run, the stage and everything around it.

use super::narration::Narration;
use super::opening::{self, Opened};
use super::{apply_action, keyboard};
use crate::components::about::about;
use crate::components::draw;
use crate::components::header::Header;
use crate::components::help::help;
use crate::components::latency::latency;
use crate::components::legend::legend;
use crate::components::memo::Memo;
use crate::components::messages::Messages;
use crate::components::notice::notice;
use crate::components::per_command::per_command;
use crate::components::sentence::sentence;
use crate::components::setup::Setup;
use crate::components::stage::Stage;
use crate::components::timeline::timeline;
use crate::components::transport::transport;
use crate::page_action::{Dialog, PageAction, Target};
use crate::run::player::{PARTS, Update};
use crate::run::rate::Rate;
use crate::run::{Engine, Player, RunContext, Shared, ViewModel};
use crate::web::options::Options;
use crate::web::{address, browser, handle, json, rest};
use gloo::events::EventListener;
use js_sys::Array;
use quorumscope::lab::{Moment, Problems, Scenario, presets};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{IntersectionObserver, IntersectionObserverEntry, KeyboardEvent};
use yew::prelude::*;

/// ms between two renewals of the address while time goes by.
const ADDRESS_EVERY: f64 = 1_000.0;

/// What the page begins with.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What the address asks for.
    pub options: Options,
    /// The first run; taken once.
    pub first: First,
}

/// A run to begin with, to be taken once.
#[derive(Clone)]
pub struct First(pub Rc<RefCell<Option<Opened>>>);

impl PartialEq for First {
    fn eq(&self, other: &First) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// What happens to the page.
pub enum Msg {
    /// Texts should be looked at again.
    Look(Update),
    /// Somebody wants something.
    Do(PageAction),
    /// A key was pressed.
    Key(KeyboardEvent),
    /// Whether anybody can see the page has changed.
    Seen,
    /// The stage was scrolled into the window or out of it.
    OnScreen(bool),
    /// The system's theme has changed.
    Theme(bool),
    /// The person changed the address.
    Address,
    /// A run was taken up from the address, or could not be.
    Opened(Result<Box<Opened>, Problems>),
    /// The address of a moment is ready: shown if it is the newest, and copied if that was wanted.
    Packed { number: u32, packed: String, copy: bool },
    /// All of the page is there, or could not be loaded.
    Rest(bool),
    /// Something to say.
    Say(String),
}

/// The page.
pub struct Lab {
    player: Shared,
    /// The same all the time, so that what changes rarely is not shown anew ten times a second.
    on: Callback<PageAction>,
    /// The built-in scenarios, as far as they have been read.
    presets: Rc<[Scenario]>,
    /// Whether all of the page is there, and what is wanted until then.
    rest: Rest,
    waiting: Vec<PageAction>,
    /// What is run, and the number of that run.
    context: Rc<RunContext>,
    run: u32,
    parts: Parts,
    rate: Rate,
    narration: Narration,
    menu: Option<Target>,
    dialog: Option<Dialog>,
    dark: bool,
    /// Whether single keys do something wherever the focus is.
    keys: bool,
    notice: Option<AttrValue>,
    /// Number of the latest packing of the address, when it began, and of which moment.
    packing: (u32, f64, Option<Moment>),
    /// When the update under way began.
    began: f64,
    listeners: Vec<EventListener>,
    on_screen: bool,
    watcher: Option<Watcher>,
}

/// The part of the page that the first picture does without.
#[derive(Clone, Copy, PartialEq)]
enum Rest {
    UnderWay,
    Here,
    /// Loading it has failed; the next wish tries again.
    Missing,
}

/// What to say while the rest cannot be had.
const MISSING: &str = "Part of this page could not be loaded. The run goes on, but most of what can be done here is missing. Is there a connection? Whatever you do next tries again.";

/// The texts in parts that are looked at in turn, so that no frame takes long.
struct Parts {
    /// What each shows: the stage; the numbers; signs and time.
    view: [Rc<ViewModel>; PARTS],
    /// How often each was looked at.
    turns: [u32; PARTS],
    /// Whose turn it is.
    next: usize,
}

impl Parts {
    fn renew(&mut self, view: Rc<ViewModel>, update: Update) {
        for part in 0..PARTS {
            if update == Update::All || part == self.next {
                self.view[part] = view.clone();
                self.turns[part] += 1;
            }
        }
        self.next = (self.next + 1) % PARTS;
    }
}

/// Tells whether the stage is in the window.
type Watcher = (IntersectionObserver, Closure<dyn Fn(Array)>);

impl Component for Lab {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Lab>) -> Lab {
        let Props { options, first, .. } = ctx.props();
        let Opened { begun, chosen, problem } = first.0.borrow_mut().take().expect("the page begins once");
        let context = Rc::new(RunContext::of(&begun.session));
        let mut engine = Engine::new(begun);
        engine.pace = options.pace;
        engine.play(options.autoplay.unwrap_or(!chosen));
        let mut rate = engine.first_rate();
        let view = Rc::new(ViewModel::of(&engine, Vec::new(), &mut rate, false));
        let player = Player::start(engine, ctx.link().callback(Msg::Look));
        load_rest(ctx);
        let remembered = browser::remembered("theme").map(|theme| theme == "dark");
        let dark = options.dark.or(remembered).unwrap_or_else(|| browser::matches("(prefers-color-scheme: dark)"));
        browser::set_theme(dark);
        let mut narration = Narration::default();
        narration.look(&view, false);
        Lab {
            player,
            on: ctx.link().callback(Msg::Do),
            presets: Rc::new([presets::first()]),
            rest: Rest::UnderWay,
            waiting: Vec::new(),
            context,
            run: 0,
            parts: Parts { view: std::array::from_fn(|_| view.clone()), turns: [0; PARTS], next: 0 },
            rate,
            narration,
            menu: None,
            dialog: None,
            dark,
            keys: browser::remembered("keys").is_none_or(|keys| keys != "false"),
            notice: problem.map(AttrValue::from),
            packing: (0, f64::NEG_INFINITY, None),
            began: browser::now(),
            listeners: listeners(ctx),
            on_screen: true,
            watcher: None,
        }
    }

    fn update(&mut self, ctx: &Context<Lab>, message: Msg) -> bool {
        self.began = browser::now();
        let mut update = Update::All;
        match message {
            Msg::Look(what) => update = what,
            Msg::Do(page_action) => self.record_client_event(ctx, page_action),
            Msg::Key(_) if !self.keys || self.rest != Rest::Here => return false,
            Msg::Key(event) => {
                let page_action = keyboard::page_action(&event, &self.player.borrow().engine);
                let Some(page_action) = page_action else { return false };
                event.prevent_default();
                self.record_client_event(ctx, page_action);
            }
            Msg::Seen => {
                self.player.borrow_mut().set_visible(self.on_screen && !browser::document().hidden());
                // Whoever comes back, or copies the address meanwhile, finds this moment.
                self.packing.1 = f64::NEG_INFINITY;
            }
            Msg::OnScreen(on_screen) => {
                self.on_screen = on_screen;
                ctx.link().send_message(Msg::Seen);
                return false;
            }
            Msg::Address => {
                let Some(fragment) = address::packed() else { return false };
                ctx.link().send_future(async move {
                    match rest::ready().await {
                        true => Msg::Opened(opening::link(&fragment).await.map(Box::new)),
                        false => Msg::Say(MISSING.to_owned()),
                    }
                });
                return false;
            }
            Msg::Opened(Ok(opened)) => {
                let mut player = self.player.borrow_mut();
                player.engine.load(opened.begun);
                player.engine.play(!opened.chosen);
                player.touch();
                self.notice = None;
            }
            Msg::Opened(Err(problems)) => {
                self.notice =
                    Some(format!("The link could not be opened; the run goes on as it was.\n{problems}").into());
                self.packing.2 = None;
            }
            Msg::Packed { number, packed, copy } => {
                if number == self.packing.0 {
                    address::show(&packed);
                }
                if copy {
                    self.copy(ctx, address::link(&packed));
                }
                return false;
            }
            Msg::Rest(true) => {
                self.rest = Rest::Here;
                self.player.borrow_mut().engine.keep_copies();
                self.presets = json::presets().into_iter().map(|(_, scenario)| scenario).collect();
                handle::install(&self.player);
                std::mem::take(&mut self.waiting).into_iter().for_each(|page_action| self.act_on(ctx, page_action));
            }
            Msg::Rest(false) => {
                self.rest = Rest::Missing;
                self.waiting.clear();
                self.notice = Some(MISSING.into());
            }
            Msg::Theme(dark) => {
                if ctx.props().options.dark.is_none() && browser::remembered("theme").is_none() {
                    self.dark = dark;
                    browser::set_theme(dark);
                }
            }
            Msg::Say(text) => self.notice = Some(text.into()),
        }
        self.look(update);
        if self.rest == Rest::Here {
            self.write_address(ctx, false);
        }
        true
    }

    fn view(&self, ctx: &Context<Lab>) -> Html {
        let Props { options, .. } = ctx.props();
        let (playing, pace) = {
            let player = self.player.borrow();
            (player.engine.playing(), player.engine.pace)
        };
        let Lab { on, context, narration, .. } = self;
        let Parts { view: [stage, numbers, time], turns: [_, numbers_turn, time_turn], .. } = &self.parts;
        let signs = {
            let (kinds, view) = (context.variant.kinds, time.clone());
            move |()| legend(kinds, &view)
        };
        let footer = {
            let (epoch, view, on) = (context.variant.card.epoch, time.clone(), on.clone());
            move |()| html! { <>{ transport(playing, pace, &view, &on) }{ timeline(epoch, &view, &on) }</> }
        };
        let (with_latency, with_messages, complete) = (options.latency, options.messages, self.rest == Rest::Here);
        let aside = {
            let (context, view) = (context.clone(), numbers.clone());
            move |()| {
                html! {
                    <>
                        { about(&context.scenario) }
                        if with_latency { { latency(&context, &view) } }
                        if with_messages && complete {
                            <Messages context={context.clone()} view={view.clone()} />
                        } else if with_messages {
                            { per_command(&view) }
                        }
                    </>
                }
            }
        };
        let class = draw::classes("lab", &[("embed", options.embed), ("alone", !with_latency && !with_messages)]);
        html! {
            <div {class}>
                if options.embed {
                    <h1 class="unseen">{ "Quorumscope" }</h1>
                } else {
                    <Header context={context.clone()} presets={self.presets.clone()} dark={self.dark} on={on.clone()} />
                }
                <main>
                    { sentence(&narration.text, &narration.spoken, stage) }
                    <Stage context={context.clone()} view={stage.clone()} menu={self.menu} dark={self.dark} player={self.player.clone()} on={on.clone()} />
                    { notice(self.notice.as_ref(), on) }
                    <Memo turn={*time_turn} draw={Callback::from(signs)} />
                </main>
                if options.controls {
                    <footer><Memo turn={*time_turn} draw={Callback::from(footer)} /></footer>
                }
                if with_latency || with_messages {
                    <aside aria-label="Scenario and measurements"><Memo turn={*numbers_turn} draw={Callback::from(aside)} /></aside>
                }
                { self.dialog() }
            </div>
        }
    }

    fn rendered(&mut self, ctx: &Context<Lab>, first: bool) {
        if first {
            self.watch(ctx);
        }
        self.player.borrow_mut().probe.add(browser::now() - self.began);
    }

    fn destroy(&mut self, _: &Context<Lab>) {
        self.player.borrow_mut().stop();
        self.listeners.clear();
        if let Some((observer, _)) = self.watcher.take() {
            observer.disconnect();
        }
    }
}

impl Lab {
    fn dialog(&self) -> Html {
        let on = &self.on;
        let on_close = on.reform(|()| PageAction::Open(None));
        match self.dialog {
            Some(Dialog::Help) => help(self.keys, on.reform(PageAction::Keys), on_close),
            Some(Dialog::Setup) => html! {
                <Setup context={self.context.clone()} scenario={apply_action::present(&self.player.borrow().engine)} on={on.clone()} />
            },
            None => html! {},
        }
    }

    /// Does what is wanted, now or when all of the page is there.
    fn record_client_event(&mut self, ctx: &Context<Lab>, page_action: PageAction) {
        match page_action {
            PageAction::HistoryRecord => self.notice = None,
            PageAction::Pace(pace) => self.player.borrow_mut().engine.pace = pace,
            PageAction::Play(playing) => self.play(playing),
            PageAction::Dark(dark) => {
                self.dark = dark;
                browser::set_theme(dark);
                browser::remember("theme", if dark { "dark" } else { "light" });
            }
            page_action if self.rest == Rest::Here => self.act_on(ctx, page_action),
            page_action => {
                self.waiting.push(page_action);
                if self.rest == Rest::Missing {
                    self.rest = Rest::UnderWay;
                    load_rest(ctx);
                }
            }
        }
    }

    fn play(&mut self, playing: bool) {
        let mut player = self.player.borrow_mut();
        player.engine.play(playing);
        let over = playing && !player.engine.playing();
        self.notice = over.then(|| "The run is as long as a link can tell. Start it again.".into());
        player.touch();
        self.packing.1 = f64::NEG_INFINITY;
    }

    /// Does what needs all of the page.
    fn act_on(&mut self, ctx: &Context<Lab>, page_action: PageAction) {
        match page_action {
            PageAction::Menu(target) => return self.menu = target,
            PageAction::Open(dialog) => return self.dialog = dialog,
            PageAction::Share => return self.write_address(ctx, true),
            PageAction::Keys(keys) => {
                self.keys = keys;
                return browser::remember("keys", &keys.to_string());
            }
            _ => {}
        }
        self.menu = None;
        self.dialog = None;
        let mut player = self.player.borrow_mut();
        self.notice = apply_action::apply_action(&mut player.engine, page_action, &self.presets).map(AttrValue::from);
        player.touch();
        // What was done must be in the address at once.
        self.packing.1 = f64::NEG_INFINITY;
    }

    /// Looks at the run, which may be another one by now.
    fn look(&mut self, update: Update) {
        let player = self.player.borrow();
        let engine = &player.engine;
        if self.run != engine.number() {
            self.run = engine.number();
            self.context = Rc::new(RunContext::of(engine.session()));
            self.rate = engine.first_rate();
        }
        // Thousands may be under way; copying them for each look would take longer than all else in it.
        let flights = player.flights().iter().filter(|flight| flight.held || self.menu.is_some()).copied().collect();
        let view = Rc::new(ViewModel::of(engine, flights, &mut self.rate, self.rest == Rest::Here));
        self.narration.look(&view, engine.playing());
        self.parts.renew(view, update);
    }

    /// Has the address describe the present moment: now and then while time goes by, at once when something was done.
    fn write_address(&mut self, ctx: &Context<Lab>, copy: bool) {
        let player = self.player.borrow();
        let session = player.engine.session();
        let (number, began, of) = self.packing;
        let (now, moment) = (browser::now(), Some(session.moment()));
        if !copy && (of == moment || now - began < ADDRESS_EVERY) {
            return;
        }
        self.packing = (number + 1, now, moment);
        let (link, document) = (ctx.link().clone(), session.document());
        yew::platform::spawn_local(async move {
            if let Some(packed) = address::pack(&document).await {
                link.send_message(Msg::Packed { number: number + 1, packed, copy });
            }
        });
    }

    /// Time stands still while the stage is out of sight, as in a long page that holds this one.
    fn watch(&mut self, ctx: &Context<Lab>) {
        let link = ctx.link().clone();
        let told = Closure::<dyn Fn(Array)>::new(move |entries: Array| {
            let latest = entries.pop().unchecked_into::<IntersectionObserverEntry>();
            link.send_message(Msg::OnScreen(latest.is_intersecting()));
        });
        let stage = browser::document().query_selector(".stage").ok().flatten();
        if let (Some(stage), Ok(observer)) = (stage, IntersectionObserver::new(told.as_ref().unchecked_ref())) {
            observer.observe(&stage);
            self.watcher = Some((observer, told));
        }
    }

    fn copy(&self, ctx: &Context<Lab>, text: String) {
        let done = browser::copy(&text);
        ctx.link().send_future(async move {
            Msg::Say(if done.await {
                "The address of this moment is copied. Whoever opens it sees the same.".to_owned()
            } else {
                format!("The browser lets nothing be copied from here. This is the address of this moment:\n{text}")
            })
        });
    }
}

fn load_rest(ctx: &Context<Lab>) {
    ctx.link().send_future(async { Msg::Rest(rest::ready().await) });
}

fn listeners(ctx: &Context<Lab>) -> Vec<EventListener> {
    let key = ctx.link().batch_callback(|event: web_sys::Event| event.dyn_into().ok().map(Msg::Key));
    let seen = ctx.link().callback(|_: web_sys::Event| Msg::Seen);
    let address = ctx.link().callback(|_: web_sys::Event| Msg::Address);
    let active = gloo::events::EventListenerOptions::enable_prevent_default();
    let theme = ctx.link().callback(|_: web_sys::Event| Msg::Theme(browser::matches("(prefers-color-scheme: dark)")));
    let scheme = browser::window().match_media("(prefers-color-scheme: dark)").ok().flatten();
    let scheme = scheme.map(|list| EventListener::new(&list, "change", move |event| theme.emit(event.clone())));
    let mut listeners = vec![
        EventListener::new_with_options(&browser::document(), "keydown", active, move |event| key.emit(event.clone())),
        EventListener::new(&browser::document(), "visibilitychange", move |event| seen.emit(event.clone())),
        EventListener::new(&browser::window(), "hashchange", move |event| address.emit(event.clone())),
    ];
    listeners.extend(scheme);
    listeners
}
