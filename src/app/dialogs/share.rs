//! Share dialog: the link to the moment on screen, a frame for another page, the scenario as a file, and the run in formats that other tools read.

use super::{DialogFrame, perfetto};
use crate::elements::controls::{button, checkbox};
use crate::run::player::Shared;
use crate::web::{address, browser};
use crate::work::export;
use js_sys::Reflect;
use quorumscope::lab::document::lines::to_lines;
use quorumscope::lab::export::{FORMATS, Format};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlAnchorElement, HtmlCanvasElement, HtmlElement, Url,
};
use yew::prelude::*;

/// What draws the sheet: the run, whether the page is dark, and when the sheet is closed.
pub type View = fn(Shared, bool, Callback<()>) -> Html;

/// Where this chunk begins.
#[wasm_split(share, fallible)]
pub fn load() -> Result<View, SplitLoaderError> {
    Ok(|player, dark, on_close| html! { <Share {player} {dark} {on_close} /> })
}

/// Width and height of a frame where the stage cannot be measured, CSS pixels.
const USUAL: (f64, f64) = (900.0, 600.0);
/// How many pixels of a PNG are one of the picture.
const PNG_SCALE: f64 = 2.0;

#[derive(Clone, PartialEq, Properties)]
struct Props {
    player: Shared,
    dark: bool,
    on_close: Callback<()>,
}

/// What the frame is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Wishes {
    plays: bool,
    controls: bool,
    locked: bool,
}

/// The stage and the controls, as large as they are here.
fn measured() -> (f64, f64) {
    let size = |selector: &str| {
        let element = browser::document().query_selector(selector).ok().flatten()?;
        let rect = element.get_bounding_client_rect();
        Some((rect.width().round(), rect.height().round()))
    };
    match (size(".lab > main"), size(".lab > footer")) {
        (Some((width, height)), footer) if width > 200.0 => (width, height + footer.map_or(0.0, |(_, height)| height)),
        _ => USUAL,
    }
}

/// The frame for another page.
fn snippet(packed: &str, title: &str, wishes: Wishes) -> String {
    let location = browser::window().location();
    let (origin, path) = (location.origin().unwrap_or_default(), location.pathname().unwrap_or_default());
    let (width, height) = measured();
    let mut search = "?embed".to_owned();
    for (wished, parameter) in
        [(wishes.plays, "&autoplay"), (!wishes.controls, "&controls=false"), (wishes.locked, "&lock")]
    {
        if wished {
            search.push_str(parameter);
        }
    }
    let title = title.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let search = search.replace('&', "&amp;");
    format!(
        "<iframe src=\"{origin}{path}{search}#{packed}\" title=\"{title}, in Quorumscope\" width=\"{width}\" height=\"{height}\" style=\"border: 0; max-width: 100%\" loading=\"lazy\" sandbox=\"allow-scripts allow-popups allow-popups-to-escape-sandbox\"></iframe>"
    )
}

#[component]
fn Share(props: &Props) -> Html {
    let packed = use_state(|| None::<String>);
    let told = use_state(String::new);
    let wishes = use_state(|| Wishes { plays: false, controls: true, locked: false });
    let document = use_memo((), |()| {
        // What is shared is what is on screen, so it stays there.
        props.player.borrow_mut().engine.pause();
        props.player.borrow_mut().invalidate();
        let player = props.player.borrow();
        (player.engine.session().document(), player.engine.session().scripted())
    });
    {
        let (packed, document) = (packed.clone(), document.clone());
        use_effect_with((), move |()| {
            yew::platform::spawn_local(async move { packed.set(address::pack(&document.0).await) });
        });
    }
    let fragment = packed.as_deref().unwrap_or_default();
    let link = address::link(fragment);
    let title = match document.1.title.is_empty() {
        true => props.player.borrow().engine.session().checked().variant.card.title.to_owned(),
        false => document.1.title.clone(),
    };
    let frame = snippet(fragment, &title, *wishes);
    let copy = |text: &str| {
        let (text, told) = (text.to_owned(), told.clone());
        Callback::from(move |_: MouseEvent| {
            let (done, told) = (browser::copy(&text), told.clone());
            yew::platform::spawn_local(async move {
                told.set(match done.await {
                    true => "Copied.".to_owned(),
                    false => {
                        "The browser lets nothing be copied from here: mark the text and copy it by hand.".to_owned()
                    }
                });
            });
        })
    };
    let wish = |label: &'static str, now: bool, change: fn(&mut Wishes)| {
        let wishes = wishes.clone();
        let on = Callback::from(move |_: bool| {
            let mut changed = *wishes;
            change(&mut changed);
            wishes.set(changed);
        });
        html! { <label>{ checkbox(None, now, on) }{ format!(" {label}") }</label> }
    };
    let save_scenario = {
        let document = document.clone();
        Callback::from(move |_: MouseEvent| {
            browser::download("scenario.json", "application/json", &to_lines(&document.1))
        })
    };
    let name = {
        let engine = &props.player.borrow().engine;
        Rc::new(format!("{}-{}ms", engine.session().checked().variant.card.key, engine.time() / 1_000))
    };
    let row = |format: &'static Format| {
        let save = |png: bool| {
            let (player, told, name, dark) = (props.player.clone(), told.clone(), name.clone(), props.dark);
            Callback::from(move |_: MouseEvent| {
                let (player, told, name) = (player.clone(), told.clone(), name.clone());
                told.set("Writing…".to_owned());
                yew::platform::spawn_local(async move {
                    told.set(match save(&player, format, dark, png, &name).await {
                        Ok(file) => format!("{file} is written."),
                        Err(problem) => format!("{} was not written: {problem}.", format.key),
                    });
                });
            })
        };
        let show = {
            let (player, told, name) = (props.player.clone(), told.clone(), name.clone());
            Callback::from(move |_: MouseEvent| {
                let Some(window) = perfetto::open() else {
                    return told
                        .set("The browser opens no other page from here: save it, and open it there.".to_owned());
                };
                let (player, told, name) = (player.clone(), told.clone(), name.clone());
                yew::platform::spawn_local(async move {
                    let shown = match export::export(&player, format, false).await {
                        Ok(trace) => perfetto::give(&window, &trace, &name).await,
                        Err(problem) => Err(problem),
                    };
                    told.set(match shown {
                        Ok(()) => "Perfetto has it.".to_owned(),
                        Err(problem) => format!("It is not shown in Perfetto: {problem}."),
                    });
                });
            })
        };
        html! {
            <>
                <dt>
                    { button(format!("Save {}", format.key), save(false)) }
                    if format.is_picture { { button("PNG", save(true)) } }
                    if format.key == "chrome-trace" { { button("Open in Perfetto", show) } }
                </dt>
                <dd>{ format!("{}.", format.says) }</dd>
            </>
        }
    };
    html! {
        <DialogFrame title="Share" on_close={props.on_close.clone()}>
            <p class="unseen" role="status">{ &*told }</p>
            <h3>{ "Link to this moment" }</h3>
            <p class="share"><input type="text" readonly=true aria-label="Link to this moment" value={link.clone()} />{ button("Copy the link", copy(&link)) }</p>
            <h3>{ "A frame for another page" }</h3>
            <p>{ "It begins at this very moment, as large as the stage is here. All that it can do is in docs/embedding.md." }</p>
            <p class="share wishes">
                { wish("plays at once", wishes.plays, |wishes| wishes.plays = !wishes.plays) }
                { wish("with controls", wishes.controls, |wishes| wishes.controls = !wishes.controls) }
                { wish("readers change time alone", wishes.locked, |wishes| wishes.locked = !wishes.locked) }
            </p>
            <p class="share"><textarea readonly=true rows="4" aria-label="The frame for another page" value={frame.clone()} />{ button("Copy the frame", copy(&frame)) }</p>
            <h3>{ "The scenario" }</h3>
            <p class="share">{ button("Save as a file", save_scenario) }<span class="note">{ "What was done by hand is in its script. Set up reads it, and so does the command: quorumscope run scenario.json" }</span></p>
            <h3>{ "This run for other tools" }</h3>
            <p class="told" aria-hidden="true">{ &*told }</p>
            <dl>{ for FORMATS.iter().map(row) }</dl>
        </DialogFrame>
    }
}

/// Writes the run into a file, and returns its name.
async fn save(player: &Shared, format: &'static Format, dark: bool, png: bool, name: &str) -> Result<String, String> {
    let text = export::export(player, format, dark).await?;
    if !png {
        let file = format!("{name}-{}.{}", format.key, format.ending);
        browser::download(&file, format.media, &text);
        return Ok(file);
    }
    let file = format!("{name}-{}.png", format.key);
    let picture = png_of(&text).await.map_err(|_| "the browser does not draw it".to_owned())?;
    let link: HtmlAnchorElement = browser::document().create_element("a").map_err(|_| String::new())?.unchecked_into();
    link.set_href(&picture);
    link.set_download(&file);
    link.click();
    Ok(file)
}

/// A picture as PNG, as a data URL.
async fn png_of(svg: &str) -> Result<String, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("image/svg+xml");
    let blob = Blob::new_with_str_sequence_and_options(&js_sys::Array::of1(&svg.into()), &options)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let image: HtmlElement = browser::document().create_element("img")?.unchecked_into();
    let loaded = js_sys::Promise::new(&mut |resolve, reject| {
        let _ = Reflect::set(&image, &"onload".into(), &resolve);
        let _ = Reflect::set(&image, &"onerror".into(), &reject);
    });
    image.set_attribute("src", &url)?;
    JsFuture::from(loaded).await?;
    let size = |name: &str| Reflect::get(&image, &name.into()).ok().and_then(|value| value.as_f64()).unwrap_or(0.0);
    let canvas: HtmlCanvasElement = browser::document().create_element("canvas")?.unchecked_into();
    canvas.set_width((size("naturalWidth") * PNG_SCALE) as u32);
    canvas.set_height((size("naturalHeight") * PNG_SCALE) as u32);
    let context: CanvasRenderingContext2d = canvas.get_context("2d")?.ok_or(JsValue::NULL)?.unchecked_into();
    context.scale(PNG_SCALE, PNG_SCALE)?;
    let draw: js_sys::Function = Reflect::get(&context, &"drawImage".into())?.dyn_into()?;
    draw.call3(&context, &image, &0.into(), &0.into())?;
    Url::revoke_object_url(&url)?;
    canvas.to_data_url()
}
