//! What waits for chunks of the program: which are wanted, and the actions that need one.

use super::chunks::{self, Chunk, Part, needs};
use super::lab::{Lab, Msg};
use crate::page_action::{PageAction, Tab};
use crate::panels::side;
use crate::web::browser;
use yew::prelude::*;

impl Lab {
    /// Whether a chunk is wanted from the start.
    fn is_wanted(&self, ctx: &Context<Lab>, chunk: Chunk) -> bool {
        let shows = |tabs: &[Tab]| side::shows(&ctx.props().options, self.context.variant, self.tab, tabs);
        match chunk {
            Chunk::Actions | Chunk::Faults => true,
            Chunk::Measurements => ctx.props().options.messages,
            Chunk::Inspect => shows(&[Tab::Inspect, Tab::Log]),
            Chunk::BreakIt => shows(&[Tab::BreakIt]),
            Chunk::Words => shows(&[Tab::Text]),
            Chunk::Diagram | Chunk::Help | Chunk::Setup | Chunk::Share => false,
        }
    }

    /// Loads what is wanted from the start, as far as it is neither there nor under way.
    pub(super) fn load_missing(&mut self, ctx: &Context<Lab>) {
        let wanted = Chunk::ALL.map(|chunk| (chunk, self.is_wanted(ctx, chunk)));
        wanted.into_iter().filter(|(_, wanted)| *wanted).for_each(|(chunk, _)| self.load(ctx, chunk));
    }

    fn load(&mut self, ctx: &Context<Lab>, chunk: Chunk) {
        if self.chunks.has(chunk) || self.under_way.contains(&chunk) {
            return;
        }
        // What loads the others comes with the chunk for actions, which asks for them again when it is there.
        let Some(actions) = self.chunks.actions else {
            return match chunk {
                Chunk::Actions => {
                    self.under_way.push(chunk);
                    ctx.link().send_future(async move {
                        // The first picture comes first.
                        browser::painted().await;
                        Msg::Loaded(chunk, chunks::actions().await.map(Part::Actions))
                    });
                }
                _ => self.load(ctx, Chunk::Actions),
            };
        };
        self.under_way.push(chunk);
        ctx.link().send_future(async move { Msg::Loaded(chunk, (actions.load)(chunk).await) });
    }

    /// Takes up a chunk that is there, and does what has waited for it.
    pub(super) fn add(&mut self, ctx: &Context<Lab>, part: Part) {
        let began = self.chunks.actions.is_none();
        self.chunks.add(part);
        if let Some(actions) = self.chunks.actions.filter(|_| began) {
            (actions.complete)(&mut self.player.borrow_mut().engine);
            self.presets = (actions.presets)().into();
            self.titles = self.presets.iter().map(|preset| preset.title.clone().into()).collect();
            (actions.install)(&self.player, ctx.link().callback(Msg::Notice));
            let told = self.notice.take().map(|notice| notice.to_string());
            let told: Vec<String> = told.into_iter().chain((actions.complaints)()).collect();
            self.notice = (!told.is_empty()).then(|| told.join("\n").into());
            self.narration.announce = Some((actions.announce)());
            self.load_missing(ctx);
            (actions.prefetch)(ctx);
        }
        std::mem::take(&mut self.waiting).into_iter().for_each(|page_action| self.perform(ctx, page_action));
    }

    /// Performs an action, now or once the chunks for it are loaded.
    pub(super) fn perform(&mut self, ctx: &Context<Lab>, page_action: PageAction) {
        match page_action {
            PageAction::CloseNotice => self.notice = None,
            PageAction::Pace(pace) => self.player.borrow_mut().engine.choose_pace(pace),
            PageAction::Play(playing) => self.play(playing),
            PageAction::Tab(tab) => self.show(ctx, tab),
            PageAction::GoInto(tab) => {
                self.show(ctx, tab);
                self.go_into = true;
            }
            PageAction::Select(selected) => self.select(ctx, selected),
            PageAction::Dark(dark) => {
                self.dark = dark;
                browser::set_theme(dark);
                browser::remember("theme", if dark { "dark" } else { "light" });
            }
            page_action => {
                self.load_missing(ctx);
                let chunk = needs(&page_action);
                let refusal = self
                    .chunks
                    .actions
                    .and_then(|actions| (actions.refuses)(&self.player.borrow().engine, &page_action));
                if refusal.is_some() {
                    self.menu = None;
                    self.notice = refusal.map(AttrValue::from);
                } else if self.chunks.actions.is_some() && self.chunks.has(chunk) {
                    self.choose(ctx, page_action);
                } else {
                    self.load(ctx, chunk);
                    self.waiting.push(page_action);
                }
            }
        }
    }

    /// Does what is wanted, with the variant that it takes: now, or when that is loaded.
    fn choose(&mut self, ctx: &Context<Lab>, page_action: PageAction) {
        let key = match &page_action {
            PageAction::Variant(key) => Some(key.clone()),
            PageAction::Preset(index) => self.presets.get(*index).map(|preset| preset.variant.clone()),
            _ => None,
        };
        if key.is_some() || matches!(page_action, PageAction::Run(_)) {
            self.choices += 1;
            // A link that was asked for before is not wanted any more.
            self.entries.arrive(None);
        }
        match key.filter(|key| key != self.context.variant.card.key) {
            None => self.apply(ctx, page_action, self.context.variant),
            Some(key) => {
                // It came before anything can be chosen.
                let Some(actions) = self.chunks.actions else { return };
                let (number, link) = (self.choices, ctx.link().clone());
                yew::platform::spawn_local(async move {
                    if let Some(loaded) = (actions.variant)(key).await {
                        link.send_message(Msg::Variant(number, page_action, loaded));
                    }
                });
            }
        }
    }
}
