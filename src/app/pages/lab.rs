//! The laboratory page: state, updates, and the arrangement of stage, panels, time and dialogs.

use super::chunks::{self, Chunk, Missing, Parts, needs};
use super::entries::Entries;
use super::frame::{Header, notice, sentence};
use super::listeners::listeners;
use super::narration::Narration;
use super::opening::Opened;
use super::view_groups::ViewGroups;
use crate::dialogs::setup;
use crate::elements::controls::{click, icon_button};
use crate::elements::{Memo, svg};
use crate::page_action::{Dialog, PageAction, Selected, Tab, Target};
use crate::panels::side::{self, Side};
use crate::run::context::RunContext;
use crate::run::engine::{Engine, Errand};
use crate::run::player::{Player, Shared, Update};
use crate::run::rate::Rate;
use crate::run::view_model::ViewModel;
use crate::stage::legend::legend;
use crate::stage::map::Stage;
use crate::time::diagram;
use crate::time::timeline::timeline;
use crate::time::transport;
use crate::web::options::Options;
use crate::web::{address, browser, room};
use gloo::events::EventListener;
use js_sys::Array;
use quorumscope::lab::document::trial::Trial;
use quorumscope::lab::{Scenario, presets};
use quorumscope::universe::Variant;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{IntersectionObserver, IntersectionObserverEntry, KeyboardEvent};
use yew::prelude::*;

/// Options and first run.
#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Options of the address.
    pub options: Options,
    /// The first run; taken once.
    pub first: First,
}

/// The first run, to be taken once.
#[derive(Clone)]
pub struct First(pub Rc<RefCell<Option<Opened>>>);

impl PartialEq for First {
    fn eq(&self, other: &First) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// A message to the page.
pub enum Msg {
    /// Texts should be updated.
    Refresh(Update),
    /// A component asks for an action.
    Perform(PageAction),
    /// A key was pressed.
    Key(KeyboardEvent),
    /// The visibility of page or stage has changed.
    Visibility,
    /// The stage was scrolled into view or out of it.
    OnScreen(bool),
    /// The page is laid out for paper, or no longer.
    Paper(bool),
    /// The theme of the system has changed.
    Theme(bool),
    /// The person changed the address.
    Address,
    /// What opens the run of the address, or why it cannot be opened. The number tells whether another was chosen meanwhile.
    Opened(u32, Result<Errand, String>),
    /// The address of a moment is ready: shown if it is the newest.
    Packed { number: u32, packed: String },
    /// The last moment of a run that another has taken the place of.
    Left(Option<String>),
    /// A chunk that was wanted is there, or could not be loaded.
    Loaded(Chunk, Result<chunks::Part, Missing>),
    /// A chunk that nobody has waited for is there.
    Prefetched(chunks::Part),
    /// The variant that an action needs is there, or could not be loaded. The number tells whether another was chosen meanwhile.
    Variant(u32, PageAction, Result<&'static Variant, Missing>),
    /// A notice.
    Notice(String),
}

/// The page.
pub struct Lab {
    pub(super) player: Shared,
    /// Invariant: always the same callback, so that components that change rarely are not drawn again.
    pub(super) on: Callback<PageAction>,
    /// The built-in scenarios, as far as they are loaded.
    pub(super) presets: Rc<[Scenario]>,
    /// Their titles; before they are loaded, that of the first.
    pub(super) titles: Rc<[AttrValue]>,
    /// The chunks that are there, those under way because they are wanted, and the actions that wait for them.
    pub(super) chunks: Parts,
    pub(super) under_way: Vec<Chunk>,
    pub(super) waiting: Vec<PageAction>,
    /// How often another run was chosen.
    pub(super) choices: u32,
    /// The address tells of a run that could not be loaded: it stays until something is done.
    pub(super) keep_address: bool,
    /// What of the run is in the address and in the browser's history.
    pub(super) entries: Entries,
    /// Context of the run, and its number.
    pub(super) context: Rc<RunContext>,
    pub(super) run: u32,
    pub(super) views: ViewGroups,
    pub(super) rate: Rate,
    pub(super) narration: Narration,
    pub(super) tab: Tab,
    pub(super) selected: Option<Selected>,
    pub(super) menu: Option<Target>,
    pub(super) dialog: Option<Dialog>,
    pub(super) dark: bool,
    /// The time line is pulled up into the space-time diagram.
    pub(super) diagram: bool,
    /// Stage, sentence and controls alone.
    pub(super) presents: bool,
    /// Laid out for paper.
    pub(super) paper: bool,
    /// Whether single keys do something wherever the focus is.
    pub(super) keys: bool,
    pub(super) notice: Option<AttrValue>,
    /// Whether the focus shall go into the side panel, once that is drawn.
    pub(super) go_into: bool,
    /// Begin of the present update, ms.
    pub(super) began: f64,
    pub(super) listeners: Vec<EventListener>,
    pub(super) on_screen: bool,
    pub(super) stage_observer: Option<StageObserver>,
}

/// Has a link to the laboratory lead to the moment on screen.
fn lead_out(event: MouseEvent) {
    let link: web_sys::HtmlAnchorElement = event.target_unchecked_into();
    link.set_href(&format!("./{}", browser::window().location().hash().unwrap_or_default()));
}

/// Observes whether the stage is in view.
type StageObserver = (IntersectionObserver, Closure<dyn Fn(Array)>);

impl Component for Lab {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<Lab>) -> Lab {
        let Props { options, first, .. } = ctx.props();
        let Opened { start, chosen, problem, missing } = first.0.borrow_mut().take().expect("the page begins once");
        let context = Rc::new(RunContext::of(&start.session));
        let mut engine = Engine::new(start);
        options.pace.into_iter().for_each(|pace| engine.choose_pace(pace));
        engine.play(options.autoplay.unwrap_or(!chosen));
        let mut rate = engine.first_rate();
        let view = Rc::new(ViewModel::of(&engine, Vec::new(), &mut rate, None));
        let player = Player::start(engine, options.less_motion, ctx.link().callback(Msg::Refresh));
        let remembered = browser::remembered("theme").map(|theme| theme == "dark");
        let dark = options.dark.or(remembered).unwrap_or_else(|| browser::matches("(prefers-color-scheme: dark)"));
        browser::set_theme(dark);
        // Before anything is drawn, so that nothing moves to another place right away.
        room::classify();
        let mut narration = Narration::default();
        narration.update(&view, &player.borrow().engine);
        let mut lab = Lab {
            player,
            on: ctx.link().callback(Msg::Perform),
            titles: Rc::new([AttrValue::from(presets::TITLE)]),
            presets: Rc::new([]),
            chunks: Parts::default(),
            under_way: Vec::new(),
            waiting: Vec::new(),
            choices: 0,
            keep_address: missing,
            entries: Entries::new(),
            context,
            run: 0,
            views: ViewGroups::of(&view),
            rate,
            narration,
            tab: if options.begins_in_words { Tab::Text } else { Tab::Numbers },
            selected: None,
            menu: None,
            dialog: None,
            dark,
            diagram: false,
            presents: options.present,
            paper: false,
            keys: browser::remembered("keys").is_none_or(|keys| keys != "false"),
            notice: problem.map(AttrValue::from),
            go_into: false,
            began: browser::now(),
            listeners: listeners(ctx),
            on_screen: true,
            stage_observer: None,
        };
        lab.load_missing(ctx);
        lab
    }

    fn update(&mut self, ctx: &Context<Lab>, message: Msg) -> bool {
        self.began = browser::now();
        let mut update = Update::All;
        match message {
            Msg::Refresh(what) => {
                update = what;
                if self.player.borrow_mut().engine.has_ended() {
                    self.tell_ending();
                }
            }
            Msg::Perform(page_action) => self.perform(ctx, page_action),
            Msg::Key(event) => {
                // Escape is no key that one types by mistake.
                let on = self.keys || event.key() == "Escape";
                let Some(actions) = self.chunks.actions.filter(|_| on) else { return false };
                let page_action = (actions.key)(&event, &self.player.borrow().engine);
                let Some(page_action) = page_action else { return false };
                event.prevent_default();
                self.perform(ctx, page_action);
            }
            Msg::Visibility => {
                self.player.borrow_mut().set_visible(self.on_screen && !browser::document().hidden());
                // The address must describe this moment while the page is hidden.
                self.entries.hurry();
            }
            Msg::OnScreen(on_screen) => {
                self.on_screen = on_screen;
                ctx.link().send_message(Msg::Visibility);
                return false;
            }
            Msg::Address => {
                let Some(fragment) = address::packed() else { return false };
                self.choices += 1;
                self.entries.visit();
                let number = self.choices;
                ctx.link().send_future(async move {
                    let opened = match chunks::actions().await {
                        Ok(actions) => (actions.link)(fragment).await,
                        Err(missing) => Err(missing.to_string()),
                    };
                    Msg::Opened(number, opened)
                });
                return false;
            }
            Msg::Opened(number, _) if number != self.choices => return false,
            Msg::Opened(_, Ok(errand)) => {
                self.entries.travel();
                if let Some(actions) = self.chunks.actions {
                    (actions.begin)(&mut self.player.borrow_mut().engine, errand);
                }
            }
            Msg::Opened(_, Err(problems)) => {
                self.entries.arrive(None);
                self.notice =
                    Some(format!("The link could not be opened; the run goes on as it was.\n{problems}").into());
            }
            Msg::Left(packed) => self.entries.keep(packed.as_deref()),
            Msg::Packed { number, packed } => {
                let alone = ctx.props().options.embed || self.player.borrow().engine.in_lesson;
                self.entries.show(number, &packed, self.run, alone);
                return false;
            }
            Msg::Loaded(chunk, loaded) => {
                self.under_way.retain(|other| *other != chunk);
                match loaded {
                    Ok(part) => self.add(ctx, part),
                    Err(missing) => {
                        self.waiting.retain(|action| chunk != Chunk::Actions && chunk != needs(action));
                        self.notice = Some(missing.to_string().into());
                    }
                }
            }
            Msg::Prefetched(part) => self.add(ctx, part),
            Msg::Variant(number, ..) if number != self.choices => return false,
            Msg::Variant(_, page_action, Ok(variant)) => self.apply(ctx, page_action, variant),
            Msg::Variant(_, _, Err(missing)) => self.notice = Some(missing.to_string().into()),
            Msg::Paper(paper) => {
                self.paper = paper;
                room::classify();
            }
            Msg::Theme(dark) => {
                if ctx.props().options.dark.is_none() && browser::remembered("theme").is_none() {
                    self.dark = dark;
                    browser::set_theme(dark);
                }
            }
            Msg::Notice(text) => self.notice = Some(text.into()),
        }
        let arrived = self.player.borrow_mut().engine.has_arrived();
        if let Some(told) = arrived {
            self.player.borrow_mut().invalidate();
            self.notice = told.map(AttrValue::from);
            self.entries.hurry();
        }
        if self.entries.is_travelling() && self.player.borrow().engine.errand.is_none() {
            let number = self.player.borrow().engine.number();
            self.entries.arrive(Some(number).filter(|number| *number != self.run));
        }
        self.refresh(update);
        if !self.keep_address && self.player.borrow().engine.errand.is_none() {
            self.write_address(ctx);
        }
        true
    }

    fn view(&self, ctx: &Context<Lab>) -> Html {
        let Props { options, .. } = ctx.props();
        let (playing, pace, under_way) = {
            let engine = &self.player.borrow().engine;
            let under_way = self.chunks.actions.zip(engine.errand.as_ref());
            let under_way = under_way.map(|(actions, errand)| (actions.errand)(errand, &self.on));
            (engine.playing(), engine.pace(), under_way)
        };
        let Lab { on, context, narration, .. } = self;
        let ViewGroups { models: [stage, panels, time], revisions: [_, panels_revision, time_revision], .. } =
            &self.views;
        let legend_view = {
            let (kinds, view, faults) = (context.variant.kinds, time.clone(), self.chunks.faults);
            move |()| legend(kinds, &view, faults)
        };
        let footer = {
            let (context, view, on) = (context.clone(), time.clone(), on.clone());
            let (row, ticks) = self.chunks.actions.map(|actions| actions.moments).unzip();
            move |()| html! { <>{ transport(playing, pace, &view, &on, row) }{ timeline(&context, &view, &on, ticks) }</> }
        };
        let Parts { measurements, inspect, break_it, words, diagram, .. } = self.chunks;
        let diagram = diagram.filter(|_| self.diagram).map(|draw| {
            let (context, view, player) = (context.clone(), time.clone(), self.player.clone());
            draw(diagram::Props { context, view, player, selected: self.selected, dark: self.dark, on: on.clone() })
        });
        let embed = options.embed || self.presents;
        let aside = side::tabs(options, context.variant, self.tab).filter(|_| !self.presents).map(|tabs| {
            let options = options.clone();
            let (context, view, player) = (context.clone(), panels.clone(), self.player.clone());
            let trials = self.chunks.actions.map(|actions| actions.trials).zip(self.trials());
            let (selected, on) = (self.selected, on.clone());
            let (awaited, paper) = (self.chunks.actions.is_none(), self.paper);
            let latency = self.chunks.actions.map(|actions| actions.latency);
            let side = Side {
                context,
                view,
                player,
                tabs,
                selected,
                trials,
                awaited,
                latency,
                paper,
                measurements,
                inspect,
                break_it,
                words,
                on,
            };
            move |()| side.draw(&options)
        });
        let class = svg::classes("lab", &[("embed", embed), ("alone", aside.is_none()), ("presents", self.presents)]);
        html! {
            <div {class}>
                if self.presents {
                    { icon_button("round leave", "close", "Leave the presentation (Escape)", click(on, PageAction::Present(false))) }
                } else {
                    <button type="button" class="skip" onclick={|_| browser::focus("[data-target^=node]")}>{ "To the replicas" }</button>
                    if options.text {
                        <button type="button" class="skip" onclick={click(on, PageAction::GoInto(Tab::Text))}>{ "All of this in words" }</button>
                    }
                }
                if embed {
                    <h1 class="unseen">{ "Quorumscope" }</h1>
                    if options.leads_out {
                        <a class="out" href="./" target="_blank" rel="noopener" onclick={lead_out}>{ "Open in the lab" }</a>
                    }
                } else {
                    <Header context={context.clone()} titles={self.titles.clone()} dark={self.dark} on={on.clone()} />
                }
                <main>
                    { sentence(&narration.text, &narration.spoken, stage, on) }
                    <Stage context={context.clone()} view={stage.clone()} menu={self.menu} selected={self.selected} dark={self.dark} faults={self.chunks.faults} player={self.player.clone()} on={on.clone()} />
                    { notice(under_way, self.notice.as_ref(), on) }
                    <Memo revision={*time_revision} draw={Callback::from(legend_view)} />
                </main>
                if options.controls {
                    <footer>{ for diagram }<Memo revision={*time_revision} draw={Callback::from(footer)} /></footer>
                }
                if let Some(aside) = aside {
                    <aside aria-label="Scenario and measurements"><Memo revision={*panels_revision} draw={Callback::from(aside)} /></aside>
                }
                { self.dialog() }
            </div>
        }
    }

    fn rendered(&mut self, ctx: &Context<Lab>, first: bool) {
        if first {
            self.observe_stage(ctx);
        }
        if std::mem::take(&mut self.go_into) {
            browser::focus("#side");
        }
        self.player.borrow_mut().frame_times.add(browser::now() - self.began);
    }

    fn destroy(&mut self, _: &Context<Lab>) {
        self.player.borrow_mut().stop();
        self.listeners.clear();
        if let Some((observer, _)) = self.stage_observer.take() {
            observer.disconnect();
        }
    }
}

impl Lab {
    /// What there is to try in the scenario: as its document says or, of a built-in one, as that says.
    fn trials(&self) -> Option<Rc<[Trial]>> {
        let scenario = &self.context.scenario;
        let named = || self.presets.iter().find(|preset| preset.title == scenario.title);
        let own = Some(&**scenario).filter(|scenario| !scenario.trials.is_empty());
        own.or_else(named).zip(self.chunks.actions).map(|(scenario, actions)| (actions.trials_of)(scenario))
    }

    fn dialog(&self) -> Html {
        let on = &self.on;
        let on_close = on.reform(|()| PageAction::Open(None));
        match self.dialog {
            Some(Dialog::Help) => self.chunks.help.map(|help| help(self.keys, on.reform(PageAction::Keys), on_close)),
            Some(Dialog::Share) => self.chunks.share.map(|share| share(self.player.clone(), self.dark, on_close)),
            Some(Dialog::Setup) => self.chunks.setup.zip(self.chunks.actions).map(|(draw, actions)| {
                let scenarios = (actions.present)(&self.player.borrow().engine);
                draw(setup::Props { context: self.context.clone(), scenarios, on: on.clone() })
            }),
            None => None,
        }
        .unwrap_or_default()
    }

    /// Selects and inspects.
    pub(super) fn select(&mut self, ctx: &Context<Lab>, selected: Option<Selected>) {
        self.selected = selected;
        self.player.borrow_mut().select(selected);
        if ctx.props().options.inspect && selected.is_some() {
            self.show(ctx, Tab::Inspect);
        }
    }

    pub(super) fn show(&mut self, ctx: &Context<Lab>, tab: Tab) {
        self.tab = tab;
        self.load_missing(ctx);
    }

    pub(super) fn play(&mut self, playing: bool) {
        let mut player = self.player.borrow_mut();
        player.engine.play(playing);
        let over = playing && !player.engine.playing();
        player.invalidate();
        drop(player);
        self.notice = None;
        self.entries.hurry();
        if over {
            self.tell_ending();
        }
    }

    /// Says why the run goes no further. Before actions are loaded no run gets that far.
    fn tell_ending(&mut self) {
        let ending = self.chunks.actions.map(|actions| (actions.ending)(&self.player.borrow().engine));
        self.notice = ending.map(AttrValue::from);
    }

    /// Performs an action for which all is loaded.
    pub(super) fn apply(&mut self, ctx: &Context<Lab>, page_action: PageAction, variant: &'static Variant) {
        match page_action {
            PageAction::Menu(target) => {
                // Whoever reads the run in words goes on reading.
                if let Some(Target::Node(node)) = target.filter(|_| self.tab != Tab::Text) {
                    self.select(ctx, Some(Selected::Node(node)));
                }
                return self.menu = target;
            }
            PageAction::Open(dialog) => return self.dialog = dialog,
            PageAction::Present(presents) => {
                self.presents = presents;
                return self.chunks.actions.into_iter().for_each(|actions| (actions.presents)(presents));
            }
            PageAction::Diagram(diagram) => return self.diagram = diagram,
            PageAction::Keys(keys) => {
                self.keys = keys;
                return browser::remember("keys", &keys.to_string());
            }
            _ => {}
        }
        let Some(actions) = self.chunks.actions else { return };
        self.menu = None;
        self.dialog = None;
        self.keep_address = false;
        let mut player = self.player.borrow_mut();
        let engine = &mut player.engine;
        let leaves = matches!(
            page_action,
            PageAction::Variant(_)
                | PageAction::Preset(_)
                | PageAction::Run(_)
                | PageAction::Add(_)
                | PageAction::Remove(_)
        );
        let left = leaves.then(|| (engine.number(), (actions.document)(engine.session())));
        self.notice = (actions.apply)(engine, page_action, variant, &self.presets).map(AttrValue::from);
        if let Some((_, document)) = left.filter(|(number, _)| *number != engine.number()) {
            // Going back in the browser's history leads to this run, as it was last.
            self.entries.leave();
            ctx.link().send_future(async move { Msg::Left((actions.pack)(document).await) });
        }
        player.invalidate();
        // An intervention must be in the address at once.
        self.entries.hurry();
    }

    /// Builds the view model of the run, which may be another one by now.
    fn refresh(&mut self, update: Update) {
        let player = self.player.borrow();
        let engine = &player.engine;
        if self.run != engine.number() {
            self.run = engine.number();
            self.selected = None;
            self.context = Rc::new(RunContext::of(engine.session()));
            self.rate = engine.first_rate();
        }
        // Thousands may be in flight; copying them each time would take longer than the rest of the view model.
        let flights = player.flights().iter().filter(|flight| flight.held || self.menu.is_some()).copied().collect();
        let view = Rc::new(ViewModel::of(engine, flights, &mut self.rate, self.chunks.details()));
        self.narration.update(&view, engine);
        self.views.update(view, update);
    }

    /// Writes the present moment into the address, if that is due.
    fn write_address(&mut self, ctx: &Context<Lab>) {
        let Some(actions) = self.chunks.actions else { return };
        let player = self.player.borrow();
        let session = player.engine.session();
        let Some(number) = self.entries.pack(session.moment()) else { return };
        let (link, document) = (ctx.link().clone(), (actions.document)(session));
        yew::platform::spawn_local(async move {
            if let Some(packed) = (actions.pack)(document).await {
                link.send_message(Msg::Packed { number, packed });
            }
        });
    }

    /// Pauses the player while the stage is out of view, as in a long page with an embedded frame.
    fn observe_stage(&mut self, ctx: &Context<Lab>) {
        let link = ctx.link().clone();
        let on_change = Closure::<dyn Fn(Array)>::new(move |entries: Array| {
            let latest = entries.pop().unchecked_into::<IntersectionObserverEntry>();
            link.send_message(Msg::OnScreen(latest.is_intersecting()));
        });
        let stage = browser::document().query_selector(".stage").ok().flatten();
        if let (Some(stage), Ok(observer)) = (stage, IntersectionObserver::new(on_change.as_ref().unchecked_ref())) {
            observer.observe(&stage);
            self.stage_observer = Some((observer, on_change));
        }
    }
}
