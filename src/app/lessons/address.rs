//! The parameter of the address that names the lesson: `?lesson=two-masters`, `?lesson=my-lesson.toml`, or `?lesson` for the list. Going from one to another is an entry in the
//! browser's history.

use crate::web::browser;
use crate::web::options::LESSON;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

/// The parameter's name.
const PARAMETER: &str = LESSON.name;

/// What of the lessons is open: nothing, the list, or a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing.
    Closed,
    /// The list.
    List,
    /// A lesson: its key, or its address beside the page.
    Lesson(String),
    /// A lesson from a file that was opened. The address cannot say that.
    File(Rc<LessonFile>),
}

/// A file that was opened.
#[derive(Debug, PartialEq, Eq)]
pub struct LessonFile {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Place {
    /// What progress in the lesson is kept under, if it is one: its key, its address, or the name of its file.
    pub fn key(&self) -> Option<String> {
        match self {
            Place::Lesson(key) => Some(key.clone()),
            Place::File(file) => Some(file.name.clone()),
            Place::Closed | Place::List => None,
        }
    }

    /// As the address says.
    pub fn read() -> Place {
        let search = browser::window().location().search().unwrap_or_default();
        match UrlSearchParams::new_with_str(&search).ok().and_then(|given| given.get(PARAMETER)) {
            None => Place::Closed,
            Some(key) if key.is_empty() || key == "true" => Place::List,
            Some(key) => Place::Lesson(key),
        }
    }

    /// Has the address say so, with a new entry in the history; all else in it stays.
    pub fn write(&self) {
        let location = browser::window().location();
        let (search, hash) = (location.search().unwrap_or_default(), location.hash().unwrap_or_default());
        let (Ok(given), Ok(history)) = (UrlSearchParams::new_with_str(&search), browser::window().history()) else {
            return;
        };
        match self {
            Place::Closed => given.delete(PARAMETER),
            Place::List | Place::File(_) => given.set(PARAMETER, ""),
            Place::Lesson(key) => given.set(PARAMETER, key),
        }
        let search = given.to_string().as_string().unwrap_or_default();
        let path = location.pathname().unwrap_or_default();
        let question = if search.is_empty() { "" } else { "?" };
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&format!("{path}{question}{search}{hash}")));
    }
}
