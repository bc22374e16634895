//! Parameters of the address, as in `?embed&theme=dark`: declared in one place, from which they are read and told. What is not accepted is as if it had not
//! been given; [`parameters`](super::parameters) tell what is wrong with it, and the help and `docs/embedding.md` list them.

use super::browser;
use super::kinds::{Flag, Kind, Moment, Number, One, Optional, Some as Any, Speed, Verbs, Word};
use crate::run::pace::Pace;
use web_sys::UrlSearchParams;

/// One parameter.
pub struct Parameter<K> {
    /// Its name.
    pub name: &'static str,
    /// Accepted values.
    pub kind: K,
    /// What holds without it, in words.
    pub default: &'static str,
    /// What it does.
    pub says: &'static str,
}

impl<K: Kind> Parameter<K> {
    /// Its value; `get` returns the text of a parameter, if it is given.
    pub fn of(&self, get: &impl Fn(&str) -> Option<String>) -> Option<K::Value> {
        self.kind.read(&get(self.name)?)
    }

    /// Its value in the address of the page.
    pub fn here(&self) -> Option<K::Value> {
        let given = given();
        self.of(&|name| given.as_ref()?.get(name))
    }
}

macro_rules! parameters {
    ($($constant:ident: $kind:ty = $value:expr, $name:literal, $default:literal, $says:literal;)*) => {
        $(
            #[doc = $says]
            pub const $constant: Parameter<$kind> = Parameter { name: $name, kind: $value, default: $default, says: $says };
        )*
        /// All of them, in the order in which they are told.
        pub const PARAMETERS: &[&dyn super::parameters::Declared] = &[$(&$constant),*];
    };
}

/// The panels beside the stage.
const PANELS: Any = Any(&["latency", "log", "messages", "inspect", "break"]);

parameters! {
    EMBED: Flag = Flag, "embed", "false", "only the stage and its controls, for a frame in another page";
    PRESET: Word = Word, "preset", "the first", "the built-in scenario to begin with";
    VARIANT: Word = Word, "variant", "as in the scenario", "another protocol for it";
    SEED: Number = Number, "seed", "as in the scenario", "another source of chance";
    MOMENT: Moment = Moment, "moment", "where the scenario opens", "the moment to begin at, paused: a time such as 2.5s, or an event such as e1200";
    AUTOPLAY: Flag = Flag, "autoplay", "true", "whether time goes by from the start";
    SPEED: Speed = Speed, "speed", "what fits the distances", "how fast: 1:1000 to 100:1, or max";
    CONTROLS: Flag = Flag, "controls", "true", "whether to show play, step and speed";
    PRESENT: Flag = Flag, "present", "false", "stage, sentence and controls alone, in large letters, as on a projector";
    SHOWN: Any = PANELS, "panels", "all, or none in a frame", "what to show beside the stage";
    VIEW: One = One(&["stage", "text"]), "view", "stage", "text: begin with the run in words beside the stage, also in a frame";
    LOCK: Flag = Flag, "lock", "false", "whether only time can be changed: play, step, speed, and going to a moment";
    FAULTS: Verbs = Verbs, "faults", "all", "what may be done to the run: words of a script with commas between, such as crash,restart, or none";
    THEME: One = One(&["auto", "light", "dark"]), "theme", "auto", "light or dark";
    MOTION: One = One(&["auto", "full", "less"]), "motion", "auto", "less: messages stand halfway, and the picture changes in steps";
    LINKS: One = One(&["on", "off"]), "links", "on", "off: nothing on the page leads out of the frame";
    LESSON: Optional = Optional, "lesson", "none", "the lesson to open, by its key or by its address beside the page, such as my-lesson.toml; without a value the list of them";
    CONTENT_ID: Word = Word, "content_id", "the lesson", "the name under which the page around the frame keeps score and state";
    HOST: Word = Word, "host", "the page around it", "the only origin that may give the frame commands, such as https://example.org";
}

/// The parameters of the address that the first picture needs, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Only the stage and its controls.
    pub embed: bool,
    /// Stage, sentence and controls alone, in large letters.
    pub present: bool,
    /// Whether it asks for another run, or another moment, than the one to begin with.
    pub asks_for_another: bool,
    /// Whether time goes by from the start, if the address says.
    pub autoplay: Option<bool>,
    /// How fast.
    pub pace: Option<Pace>,
    /// Whether to show the controls.
    pub controls: bool,
    /// Whether to show latencies.
    pub latency: bool,
    /// Whether to show the log.
    pub log: bool,
    /// Whether to show messages.
    pub messages: bool,
    /// Whether to show the inspector.
    pub inspect: bool,
    /// Whether to show rules to take away, with the search for violations.
    pub break_it: bool,
    /// Whether to show the run in words, and whether to begin with that.
    pub text: bool,
    pub begins_in_words: bool,
    /// Light or dark; `None` as the system has it.
    pub dark: Option<bool>,
    /// Less motion or all of it; `None` as the system has it.
    pub less_motion: Option<bool>,
    /// Whether a frame shows the way out of it.
    pub leads_out: bool,
}

/// What is given in the address.
fn given() -> Option<UrlSearchParams> {
    UrlSearchParams::new_with_str(&browser::window().location().search().unwrap_or_default()).ok()
}

impl Options {
    /// Reads the address of the page.
    pub fn read() -> Options {
        let given = given();
        Options::from(|name| given.as_ref()?.get(name))
    }

    /// Reads parameters; `get` returns the value of one, if it is given.
    fn from(get: impl Fn(&str) -> Option<String>) -> Options {
        let get = &get;
        let embed = EMBED.of(get).unwrap_or(false);
        let shown = SHOWN.of(get);
        let panel = |name: &str| shown.as_ref().map_or(!embed, |shown| shown.split(',').any(|panel| panel == name));
        let either = |one: Option<&str>, yes, no| match one {
            Some(word) if word == yes => Some(true),
            Some(word) if word == no => Some(false),
            _ => None,
        };
        let (latency, log, messages, inspect) = (panel("latency"), panel("log"), panel("messages"), panel("inspect"));
        let begins_in_words = VIEW.of(get) == Some("text");
        let another = [PRESET.name, VARIANT.name, SEED.name, MOMENT.name];
        Options {
            embed,
            present: PRESENT.of(get).unwrap_or(false),
            text: begins_in_words || !embed,
            begins_in_words,
            asks_for_another: another.iter().any(|name| get(name).is_some()),
            autoplay: AUTOPLAY.of(get),
            pace: SPEED.of(get),
            controls: CONTROLS.of(get).unwrap_or(true),
            latency,
            log,
            messages,
            inspect,
            break_it: panel("break"),
            dark: either(THEME.of(get), "dark", "light"),
            less_motion: either(MOTION.of(get), "less", "full"),
            leads_out: embed && LINKS.of(get) != Some("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(search: &str) -> Options {
        Options::from(|name| {
            search.split('&').find_map(|part| match part.split_once('=') {
                Some((key, value)) => (key == name).then(|| value.to_owned()),
                None => (part == name).then(String::new),
            })
        })
    }

    #[test]
    fn no_parameters_show_everything() {
        let options = options("");
        assert!(!options.embed && options.controls && options.latency && options.log && options.messages);
        assert_eq!((options.autoplay, options.dark, options.pace), (None, None, None));
    }

    #[test]
    fn embedded_page_shows_the_panels_it_asks_for() {
        let frame = options("embed&theme=dark&autoplay=false&speed=1:100&panels=messages");
        assert!(frame.embed && frame.messages && !frame.latency && !frame.log);
        assert_eq!(
            (frame.autoplay, frame.dark, frame.pace.map(Pace::label).as_deref()),
            (Some(false), Some(true), Some("1\u{a0}:\u{a0}100"))
        );
        assert!(!options("embed").messages && !options("embed").text);
        let words = options("embed&view=text");
        assert!(words.text && words.begins_in_words && !words.messages);
    }

    #[test]
    fn presentation_is_a_flag() {
        assert!(options("present").present && options("present=true").present);
        assert!(!options("").present && !options("present=false").present);
    }

    #[test]
    fn what_is_not_accepted_is_as_if_it_had_not_been_given() {
        let odd = options("theme=pink&speed=fast&panels=latency,all&seed=-1&embed=maybe&autoplay=&controls=0");
        assert_eq!((odd.dark, SEED.kind.read("-1"), odd.pace, odd.embed), (None, None, None, false));
        assert!(odd.latency && odd.log && odd.messages && odd.inspect, "all are shown, as without the parameter");
        assert_eq!((odd.autoplay, odd.controls), (Some(true), false));
    }
}
