//! The laboratory: the run, the stage and everything around it.

use super::opening::{self, Opened};
use super::voice::Voice;
use super::{carry_out, keyboard};
use crate::components::about::about;
use crate::components::draw;
use crate::components::fresh::Fresh;
use crate::components::header::Header;
use crate::components::help::help;
use crate::components::latency::latency;
use crate::components::legend::legend;
use crate::components::messages::Messages;
use crate::components::notice::notice;
use crate::components::per_command::per_command;
use crate::components::sentence::sentence;
use crate::components::setup::Setup;
use crate::components::stage::Stage;
use crate::components::timeline::timeline;
use crate::components::transport::transport;
use crate::intent::{Intent, Sheet, Target};
use crate::run::film::{News, PARTS};
use crate::run::rate::Rate;
use crate::run::{Engine, Film, Ground, Shared, Shown};
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
    Look(News),
    /// Somebody wants something.
    Do(Intent),
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
    film: Shared,
    /// The same all the time, so that what changes rarely is not shown anew ten times a second.
    on: Callback<Intent>,
    /// The built-in scenarios, as far as they have been read.
    presets: Rc<[Scenario]>,
    /// Whether all of the page is there, and what is wanted until then.
    rest: Rest,
    waiting: Vec<Intent>,
    /// What is run, and the number of that run.
    ground: Rc<Ground>,
    run: u32,
    parts: Parts,
    rate: Rate,
    voice: Voice,
    menu: Option<Target>,
    sheet: Option<Sheet>,
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
    shown: [Rc<Shown>; PARTS],
    /// How often each was looked at.
    turns: [u32; PARTS],
    /// Whose turn it is.
    next: usize,
}

impl Parts {
    fn renew(&mut self, shown: Rc<Shown>, news: News) {
        for part in 0..PARTS {
            if news == News::All || part == self.next {
                self.shown[part] = shown.clone();
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
        let ground = Rc::new(Ground::of(&begun.session));
        let mut engine = Engine::new(begun);
        engine.pace = options.pace;
        engine.play(options.autoplay.unwrap_or(!chosen));
        let mut rate = engine.first_rate();
        let shown = Rc::new(Shown::of(&engine, Vec::new(), &mut rate, false));
        let film = Film::start(engine, ctx.link().callback(Msg::Look));
        load_rest(ctx);
        let remembered = browser::remembered("theme").map(|theme| theme == "dark");
        let dark = options.dark.or(remembered).unwrap_or_else(|| browser::matches("(prefers-color-scheme: dark)"));
        browser::set_theme(dark);
        let mut voice = Voice::default();
        voice.look(&shown, false);
        Lab {
            film,
            on: ctx.link().callback(Msg::Do),
            presets: Rc::new([presets::first()]),
            rest: Rest::UnderWay,
            waiting: Vec::new(),
            ground,
            run: 0,
            parts: Parts { shown: std::array::from_fn(|_| shown.clone()), turns: [0; PARTS], next: 0 },
            rate,
            voice,
            menu: None,
            sheet: None,
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
        let mut news = News::All;
        match message {
            Msg::Look(what) => news = what,
            Msg::Do(intent) => self.hear(ctx, intent),
            Msg::Key(_) if !self.keys || self.rest != Rest::Here => return false,
            Msg::Key(event) => {
                let intent = keyboard::intent(&event, &self.film.borrow().engine);
                let Some(intent) = intent else { return false };
                event.prevent_default();
                self.hear(ctx, intent);
            }
            Msg::Seen => {
                self.film.borrow_mut().set_visible(self.on_screen && !browser::document().hidden());
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
                let mut film = self.film.borrow_mut();
                film.engine.load(opened.begun);
                film.engine.play(!opened.chosen);
                film.touch();
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
                self.film.borrow_mut().engine.keep_copies();
                self.presets = json::presets().into_iter().map(|(_, scenario)| scenario).collect();
                handle::install(&self.film);
                std::mem::take(&mut self.waiting).into_iter().for_each(|intent| self.intend(ctx, intent));
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
        self.look(news);
        if self.rest == Rest::Here {
            self.write_address(ctx, false);
        }
        true
    }

    fn view(&self, ctx: &Context<Lab>) -> Html {
        let Props { options, .. } = ctx.props();
        let (playing, pace) = {
            let film = self.film.borrow();
            (film.engine.playing(), film.engine.pace)
        };
        let Lab { on, ground, voice, .. } = self;
        let Parts { shown: [stage, numbers, time], turns: [_, numbers_turn, time_turn], .. } = &self.parts;
        let signs = {
            let (kinds, shown) = (ground.variant.kinds, time.clone());
            move |()| legend(kinds, &shown)
        };
        let footer = {
            let (epoch, shown, on) = (ground.variant.card.epoch, time.clone(), on.clone());
            move |()| html! { <>{ transport(playing, pace, &shown, &on) }{ timeline(epoch, &shown, &on) }</> }
        };
        let (with_latency, with_messages, complete) = (options.latency, options.messages, self.rest == Rest::Here);
        let aside = {
            let (ground, shown) = (ground.clone(), numbers.clone());
            move |()| {
                html! {
                    <>
                        { about(&ground.scenario) }
                        if with_latency { { latency(&ground, &shown) } }
                        if with_messages && complete {
                            <Messages ground={ground.clone()} shown={shown.clone()} />
                        } else if with_messages {
                            { per_command(&shown) }
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
                    <Header ground={ground.clone()} presets={self.presets.clone()} dark={self.dark} on={on.clone()} />
                }
                <main>
                    { sentence(&voice.text, &voice.spoken, stage) }
                    <Stage ground={ground.clone()} shown={stage.clone()} menu={self.menu} dark={self.dark} film={self.film.clone()} on={on.clone()} />
                    { notice(self.notice.as_ref(), on) }
                    <Fresh turn={*time_turn} draw={Callback::from(signs)} />
                </main>
                if options.controls {
                    <footer><Fresh turn={*time_turn} draw={Callback::from(footer)} /></footer>
                }
                if with_latency || with_messages {
                    <aside aria-label="Scenario and measurements"><Fresh turn={*numbers_turn} draw={Callback::from(aside)} /></aside>
                }
                { self.sheet() }
            </div>
        }
    }

    fn rendered(&mut self, ctx: &Context<Lab>, first: bool) {
        if first {
            self.watch(ctx);
        }
        self.film.borrow_mut().probe.add(browser::now() - self.began);
    }

    fn destroy(&mut self, _: &Context<Lab>) {
        self.film.borrow_mut().stop();
        self.listeners.clear();
        if let Some((observer, _)) = self.watcher.take() {
            observer.disconnect();
        }
    }
}

impl Lab {
    fn sheet(&self) -> Html {
        let on = &self.on;
        let on_close = on.reform(|()| Intent::Open(None));
        match self.sheet {
            Some(Sheet::Help) => help(self.keys, on.reform(Intent::Keys), on_close),
            Some(Sheet::Setup) => html! {
                <Setup ground={self.ground.clone()} scenario={carry_out::present(&self.film.borrow().engine)} on={on.clone()} />
            },
            None => html! {},
        }
    }

    /// Does what is wanted, now or when all of the page is there.
    fn hear(&mut self, ctx: &Context<Lab>, intent: Intent) {
        match intent {
            Intent::Heard => self.notice = None,
            Intent::Pace(pace) => self.film.borrow_mut().engine.pace = pace,
            Intent::Play(playing) => self.play(playing),
            Intent::Dark(dark) => {
                self.dark = dark;
                browser::set_theme(dark);
                browser::remember("theme", if dark { "dark" } else { "light" });
            }
            intent if self.rest == Rest::Here => self.intend(ctx, intent),
            intent => {
                self.waiting.push(intent);
                if self.rest == Rest::Missing {
                    self.rest = Rest::UnderWay;
                    load_rest(ctx);
                }
            }
        }
    }

    fn play(&mut self, playing: bool) {
        let mut film = self.film.borrow_mut();
        film.engine.play(playing);
        let over = playing && !film.engine.playing();
        self.notice = over.then(|| "The run is as long as a link can tell. Start it again.".into());
        film.touch();
        self.packing.1 = f64::NEG_INFINITY;
    }

    /// Does what needs all of the page.
    fn intend(&mut self, ctx: &Context<Lab>, intent: Intent) {
        match intent {
            Intent::Menu(target) => return self.menu = target,
            Intent::Open(sheet) => return self.sheet = sheet,
            Intent::Share => return self.write_address(ctx, true),
            Intent::Keys(keys) => {
                self.keys = keys;
                return browser::remember("keys", &keys.to_string());
            }
            _ => {}
        }
        self.menu = None;
        self.sheet = None;
        let mut film = self.film.borrow_mut();
        self.notice = carry_out::carry_out(&mut film.engine, intent, &self.presets).map(AttrValue::from);
        film.touch();
        // What was done must be in the address at once.
        self.packing.1 = f64::NEG_INFINITY;
    }

    /// Looks at the run, which may be another one by now.
    fn look(&mut self, news: News) {
        let film = self.film.borrow();
        let engine = &film.engine;
        if self.run != engine.number() {
            self.run = engine.number();
            self.ground = Rc::new(Ground::of(engine.session()));
            self.rate = engine.first_rate();
        }
        // Thousands may be under way; copying them for each look would take longer than all else in it.
        let flights = film.flights().iter().filter(|flight| flight.held || self.menu.is_some()).copied().collect();
        let shown = Rc::new(Shown::of(engine, flights, &mut self.rate, self.rest == Rest::Here));
        self.voice.look(&shown, engine.playing());
        self.parts.renew(shown, news);
    }

    /// Has the address describe the present moment: now and then while time goes by, at once when something was done.
    fn write_address(&mut self, ctx: &Context<Lab>, copy: bool) {
        let film = self.film.borrow();
        let session = film.engine.session();
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
