//! HTML form controls: buttons, select boxes, check boxes, text fields, sliders and icons.

use crate::page_action::PageAction;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// A click handler that asks for this action.
pub fn click(on: &Callback<PageAction>, page_action: PageAction) -> Callback<MouseEvent> {
    on.reform(move |_| page_action.clone())
}

/// A click handler that calls this callback.
pub fn press(on: &Callback<()>) -> Callback<MouseEvent> {
    on.reform(|_| ())
}

/// A button with a text label.
pub fn button(word: impl Into<AttrValue>, onclick: Callback<MouseEvent>) -> Html {
    html! { <button type="button" {onclick}>{ word.into() }</button> }
}

/// A button with an icon and an accessible name.
pub fn icon_button(
    class: &'static str,
    icon: &'static str,
    label: &'static str,
    onclick: Callback<MouseEvent>,
) -> Html {
    html! { <button type="button" class={class} title={label} aria-label={label} {onclick}>{ self::icon(icon) }</button> }
}

/// Options: values with their texts.
type Options = Vec<(AttrValue, AttrValue)>;

#[derive(Clone, PartialEq, Properties)]
struct SelectProps {
    label: AttrValue,
    groups: Vec<(Option<AttrValue>, Options)>,
    chosen: AttrValue,
    on: Callback<String>,
}

/// A select box. After every drawing it sets the value itself: browsers keep what a person, or a reload, has chosen, whatever attributes
/// the options have.
#[component]
fn Select(props: &SelectProps) -> Html {
    let SelectProps { label, groups, chosen, on } = props;
    let element = use_node_ref();
    let known = groups.iter().any(|(_, options)| options.iter().any(|(value, _)| value == chosen));
    {
        let (element, value) = (element.clone(), if known { chosen.clone() } else { AttrValue::default() });
        use_effect(move || {
            if let Some(select) = element.cast::<HtmlSelectElement>().filter(|select| select.value() != *value) {
                select.set_value(&value);
            }
        });
    }
    // The choice may be refused, and then nothing else would set the value back.
    let redraw = use_force_update();
    let onchange = on.reform(move |event: Event| {
        redraw.force_update();
        event.target_unchecked_into::<HtmlSelectElement>().value()
    });
    html! {
        <select ref={element} aria-label={label.clone()} autocomplete="off" {onchange}>
            if !known {
                <option value="" disabled=true>{ chosen.clone() }</option>
            }
            { for groups.iter().map(|(heading, options)| group(heading.as_ref(), options)) }
        </select>
    }
}

/// Options, under a heading if there is one; nothing where there are none.
fn group(heading: Option<&AttrValue>, options: &Options) -> Html {
    let options = options.iter().map(|(value, text)| html! { <option value={value.clone()}>{ text.clone() }</option> });
    match heading {
        Some(_) if options.len() == 0 => Html::default(),
        Some(heading) => html! { <optgroup label={heading.clone()}>{ for options }</optgroup> },
        None => options.collect(),
    }
}

/// A select box. `options` are values with their texts; a `chosen` that is none of them is shown as a disabled first entry.
pub fn select(label: AttrValue, options: Vec<(AttrValue, AttrValue)>, chosen: &str, on: Callback<String>) -> Html {
    grouped(label, vec![(None, options)], chosen, on)
}

/// A select box whose options stand in groups, each with a heading or none.
pub fn grouped(
    label: AttrValue,
    groups: Vec<(Option<AttrValue>, Options)>,
    chosen: &str,
    on: Callback<String>,
) -> Html {
    html! { <Select {label} {groups} chosen={chosen.to_owned()} {on} /> }
}

/// A check box.
pub fn checkbox(label: Option<AttrValue>, checked: bool, on: Callback<bool>) -> Html {
    let onchange = on.reform(|event: Event| event.target_unchecked_into::<HtmlInputElement>().checked());
    html! { <input type="checkbox" aria-label={label} {checked} {onchange} /> }
}

/// What a short text field shows.
pub struct Field {
    /// Accessible name.
    pub label: AttrValue,
    /// Its text.
    pub value: String,
    /// What holds when it is left empty.
    pub placeholder: AttrValue,
    /// Tooltip.
    pub title: AttrValue,
    /// Whether its text is wrong.
    pub invalid: bool,
}

/// A short text field.
pub fn field(Field { label, value, placeholder, title, invalid }: Field, on: Callback<String>) -> Html {
    let oninput =
        on.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value().trim().to_owned());
    let invalid = if invalid { "true" } else { "false" };
    html! { <input type="text" size="9" aria-label={label} aria-invalid={invalid} {value} {placeholder} {title} {oninput} /> }
}

/// A slider from 0 to `most`. `spoken` is its value for screen readers.
pub fn slider(label: &'static str, spoken: String, most: u32, value: u32, on: Callback<u32>) -> Html {
    let oninput =
        on.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value_as_number() as u32);
    html! { <input type="range" min="0" max={most.to_string()} value={value.to_string()} {oninput} aria-label={label} aria-valuetext={spoken} /> }
}

/// A small icon, drawn as a path so that it depends on no font.
pub fn icon(name: &'static str) -> Html {
    let path = match name {
        "play" => "M7 4.5v15l12-7.5z",
        "pause" => "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
        "step" => "M6 5v14l9-7zM16.5 5H19v14h-2.5z",
        "back" => "M18 5v14l-9-7zM5 5h2.5v14H5z",
        "next" => "M5 5v14l7-7zM12 5v14l7-7z",
        "before" => "M19 5v14l-7-7zM12 5v14l-7-7z",
        "restart" => "M12 5a7 7 0 1 1-6.7 5l1.9.6A5 5 0 1 0 12 7v3.2L6.8 6 12 1.8z",
        "sun" => {
            "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM11 2h2v3h-2zM11 19h2v3h-2zM2 11h3v2H2zM19 11h3v2h-3zM4.2 5.6l1.4-1.4 2.1 2.1-1.4 1.4zM16.3 17.7l1.4-1.4 2.1 2.1-1.4 1.4zM4.2 18.4l2.1-2.1 1.4 1.4-2.1 2.1zM16.3 6.3l2.1-2.1 1.4 1.4-2.1 2.1z"
        }
        "present" => "M3 4h18v12h-8v2h3v2H8v-2h3v-2H3zM5 6v8h14V6z",
        "moon" => "M14.5 3.5a8.7 8.7 0 1 0 6 11.6A7.3 7.3 0 0 1 14.5 3.5z",
        "help" => {
            "M12 3a5 5 0 0 1 2.2 9.5c-.8.4-1.2 1-1.2 1.8V15h-2v-.9c0-1.5.9-2.7 2.2-3.4A3 3 0 1 0 9 8H7a5 5 0 0 1 5-5zM11 17.5h2.2v2.2H11z"
        }
        _ => "M6.4 5L12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z",
    };
    html! { <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d={path} /></svg> }
}
