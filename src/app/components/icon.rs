//! Small signs, drawn with lines, so that no font must have them.

use yew::prelude::*;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Which.
    pub name: &'static str,
}

#[component]
pub fn Icon(props: &Props) -> Html {
    let path = match props.name {
        "play" => "M7 4.5v15l12-7.5z",
        "pause" => "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
        "step" => "M6 5v14l9-7zM16.5 5H19v14h-2.5z",
        "back" => "M18 5v14l-9-7zM5 5h2.5v14H5z",
        "restart" => "M12 5a7 7 0 1 1-6.7 5l1.9.6A5 5 0 1 0 12 7v3.2L6.8 6 12 1.8z",
        "sun" => "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM11 2h2v3h-2zM11 19h2v3h-2zM2 11h3v2H2zM19 11h3v2h-3zM4.2 5.6l1.4-1.4 2.1 2.1-1.4 1.4zM16.3 17.7l1.4-1.4 2.1 2.1-1.4 1.4zM4.2 18.4l2.1-2.1 1.4 1.4-2.1 2.1zM16.3 6.3l2.1-2.1 1.4 1.4-2.1 2.1z",
        "moon" => "M14.5 3.5a8.7 8.7 0 1 0 6 11.6A7.3 7.3 0 0 1 14.5 3.5z",
        "close" => "M6.4 5L12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z",
        _ => "",
    };
    html! { <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d={path} /></svg> }
}
