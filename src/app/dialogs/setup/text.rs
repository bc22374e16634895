//! The whole scenario as text, its script one entry a line: read, edited with problems at their lines, loaded from a file and saved as one. It is
//! read as links are, and run through one.

use crate::elements::controls::{button, press};
use crate::page_action::PageAction;
use crate::run::context::RunContext;
use crate::web::{address, browser, files, variants};
use quorumscope::lab::document::lines::{from_lines, locate};
use quorumscope::lab::{Document, Problem, Scenario};
use quorumscope::universe::Variant;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The name of a saved file.
const FILE: &str = "scenario.json";

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// What is run now.
    pub context: Rc<RunContext>,
    /// The text to begin with.
    pub text: String,
    /// Takes the scenario back into the form.
    pub back: Callback<Scenario>,
    /// Takes actions.
    pub on: Callback<PageAction>,
}

/// A message to the editor. The numbers are those of the text that it belongs to.
pub enum Msg {
    /// The text was edited.
    Text(String),
    /// The variant that the text names is there, does not exist, or could not be loaded.
    Variant(u32, Option<Result<&'static Variant, variants::Missing>>),
    /// A file was read: its name, and its text or why it cannot be read.
    File(String, Result<String, String>),
    /// Move the caret to a line.
    Line(usize),
    /// Offer the text as a file.
    Save,
    /// Run it from the start.
    Run,
    /// Back to the form.
    Back,
}

/// The editor.
pub struct AsText {
    text: String,
    /// How often it was edited.
    number: u32,
    /// The document as read, until it is checked; and once it is, if all of it is right.
    read: Option<Document>,
    document: Option<Document>,
    /// What is wrong, each with its line.
    problems: Vec<(usize, Problem)>,
    /// A file that was not loaded, and why.
    refused: Option<(String, Vec<String>)>,
    area: NodeRef,
}

impl Component for AsText {
    type Message = Msg;
    type Properties = Props;

    fn create(ctx: &Context<AsText>) -> AsText {
        let text = ctx.props().text.clone();
        let mut editor = AsText {
            text,
            number: 0,
            read: None,
            document: None,
            problems: Vec::new(),
            refused: None,
            area: NodeRef::default(),
        };
        editor.read(ctx);
        editor
    }

    fn update(&mut self, ctx: &Context<AsText>, message: Msg) -> bool {
        match message {
            Msg::Variant(number, _) if number != self.number => return false,
            Msg::Text(text) => {
                self.text = text;
                self.refused = None;
                self.read(ctx);
            }
            Msg::Variant(_, loaded) => self.check(loaded),
            Msg::File(name, Ok(text)) => match from_lines(&text) {
                Ok(_) => {
                    self.text = text;
                    self.refused = None;
                    self.read(ctx);
                }
                Err(problems) => self.refused = Some((name, problems.iter().map(told).collect())),
            },
            Msg::File(name, Err(why)) => self.refused = Some((name, vec![why])),
            Msg::Line(line) => self.go_to(line),
            Msg::Save => browser::download(FILE, "application/json", &self.text),
            Msg::Run => self.run(ctx),
            Msg::Back => self.document.iter().for_each(|document| ctx.props().back.emit(document.scenario.clone())),
        }
        true
    }

    fn view(&self, ctx: &Context<AsText>) -> Html {
        let link = ctx.link();
        let oninput =
            link.callback(|event: InputEvent| Msg::Text(event.target_unchecked_into::<HtmlInputElement>().value()));
        let on_file = {
            let link = link.clone();
            Callback::from(move |event: Event| {
                let input: HtmlInputElement = event.target_unchecked_into();
                let Some((name, blob)) = files::chosen(&input) else { return };
                // So that the same file can be chosen again.
                input.set_value("");
                link.send_future(async move { Msg::File(name, files::read(blob).await) });
            })
        };
        let wrong = self.document.is_none();
        let problem = |(line, problem): &(usize, Problem)| {
            let line = *line;
            let onclick = link.callback(move |_: MouseEvent| Msg::Line(line));
            html! { <li><button type="button" class="small" {onclick}>{ format!("Line {line}") }</button>{ " " }{ problem.to_string() }</li> }
        };
        html! {
            <>
                <div class="scroll">
                    <p class="note">{ "JSON, one entry of the script a line; what was done by hand is part of the script. The command reads the same: quorumscope run FILE." }</p>
                    <textarea ref={self.area.clone()} class="document" aria-label="The scenario as text" aria-invalid={if wrong { "true" } else { "false" }}
                        aria-describedby="wrong" spellcheck="false" autocomplete="off" wrap="off" rows="18" value={self.text.clone()} {oninput} />
                    <div class="problems" id="wrong" role="status">
                        if self.problems.is_empty() {
                            <p class="note">{ if wrong { "Looking…" } else { "Nothing is wrong with it." } }</p>
                        } else {
                            <ul>{ for self.problems.iter().map(problem) }</ul>
                        }
                        if let Some((name, why)) = &self.refused {
                            <p class="wrong">{ format!("{name} was not loaded; the text is as it was.") }</p>
                            <ul>{ for why.iter().map(|why| html! { <li>{ why }</li> }) }</ul>
                        }
                    </div>
                </div>
                <footer>
                    <label class="button file">{ "Load a file…" }<input type="file" accept=".json,application/json" onchange={on_file} /></label>
                    { button("Save as a file", press(&link.callback(|()| Msg::Save))) }
                    <span class="room"></span>
                    <button type="button" disabled={wrong} onclick={link.callback(|_: MouseEvent| Msg::Back)}>{ "Back to the form" }</button>
                    <button type="button" class="primary" disabled={wrong} onclick={link.callback(|_: MouseEvent| Msg::Run)}>{ "Run from the start" }</button>
                </footer>
            </>
        }
    }
}

impl AsText {
    /// Reads the text, and checks it with the variant that it names.
    fn read(&mut self, ctx: &Context<AsText>) {
        self.number += 1;
        (self.read, self.document) = (None, None);
        match from_lines(&self.text) {
            Err(problems) => self.problems = problems,
            Ok(document) => {
                self.problems.clear();
                let (number, key) = (self.number, document.scenario.variant.clone());
                self.read = Some(document);
                let known = ctx.props().context.variant;
                if known.card.key == key {
                    return self.check(Some(Ok(known)));
                }
                ctx.link().send_future(async move { Msg::Variant(number, variants::variant(&key).await) });
            }
        }
    }

    fn check(&mut self, loaded: Option<Result<&'static Variant, variants::Missing>>) {
        let Some(document) = self.read.take() else { return };
        let variant = match loaded {
            Some(Err(missing)) => {
                return self.problems = vec![(1, Problem::whole(missing.to_string()))];
            }
            Some(Ok(variant)) => Some(variant),
            None => None,
        };
        match document.scenario.check_with(variant) {
            Ok(_) => self.document = Some(document),
            Err(problems) => self.problems = locate(&self.text, problems),
        }
    }

    /// Opens it as a link is opened.
    fn run(&self, ctx: &Context<AsText>) {
        let Some(document) = self.document.clone() else { return };
        ctx.props().on.emit(PageAction::Open(None));
        yew::platform::spawn_local(async move {
            if let Some(packed) = address::pack(&document).await {
                let _ = browser::window().location().set_hash(&packed);
            }
        });
    }

    /// Moves the caret to a line, and the line into sight.
    fn go_to(&self, line: usize) {
        // A text area has what is used here of a text field.
        let Some(area) = self.area.get().map(|area| area.unchecked_into::<HtmlInputElement>()) else { return };
        let utf16 = |text: &str| text.encode_utf16().count() as u32;
        let start: u32 = self.text.split_inclusive('\n').take(line - 1).map(utf16).sum();
        let length = self.text.lines().nth(line - 1).map_or(0, utf16);
        let _ = area.focus();
        let _ = area.set_selection_range(start, start + length);
        let lines = self.text.lines().count().max(1) as i32;
        area.set_scroll_top(area.scroll_height() * (line as i32 - 4).max(0) / lines);
    }
}

fn told((line, problem): &(usize, Problem)) -> String {
    format!("Line {line}: {problem}")
}
