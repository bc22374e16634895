//! The page: a window on the lab, in Yew. It knows no protocol by name; all it shows comes from the façade.

mod components;
mod intent;
mod pages;
mod run;
mod stage;
mod web;

fn main() {
    yew::Renderer::<pages::lab::Lab>::new().render();
}
