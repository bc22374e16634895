//! The page in a frame of another page: what it tells the page around it, and what it does for it. `www/embed.js` is the other end. It is a chunk of its
//! own, loaded after the first picture and only where there is a page around: without one, nothing is sent and nothing is obeyed.
//!
//! Four conventions are spoken, all by `postMessage`: our own (`{quorumscope: 1, type, …}`), SPLICE (cssplice.org, the iframe protocol of courseware: state,
//! score, events), `lti.frameResize` (Canvas) and the handshake of H5P's resizer.

mod commands;
mod host;
mod splice;
mod watch;

use crate::run::player::Shared;
use crate::web::browser;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

/// Begins, for the lifetime of the page.
type Begin = fn(&Shared);

/// Where this chunk begins.
#[wasm_split(embed, fallible)]
fn load() -> Result<Begin, SplitLoaderError> {
    Ok(host::begin)
}

/// Begins to speak with the page around this one, if there is one.
pub fn begin(player: &Shared) {
    if !browser::is_framed() {
        return;
    }
    let player = player.clone();
    yew::platform::spawn_local(async move {
        match load().await {
            Ok(begin) => begin(&player),
            Err(_) => browser::post(
                &serde_json::json!({ "quorumscope": 1, "type": "error", "code": "load", "message": "a part of the page could not be loaded" }),
                "*",
            ),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::commands::COMMANDS;
    use crate::web::options::PARAMETERS;
    use std::fmt::Write;

    /// The text with what stands between the two comments replaced.
    fn with(text: &str, name: &str, table: &str) -> String {
        let begin = text.find(&format!("<!-- {name}")).expect("the document has the comment");
        let begin = begin + text[begin..].find("-->").expect("it ends") + 3;
        let end = text.find(&format!("<!-- /{name} -->")).expect("the document has the second comment");
        format!("{}\n{table}{}", &text[..begin], &text[end..])
    }

    #[test]
    fn embedding_is_documented_with_all_parameters_and_commands() {
        let mut parameters = "| parameter | what it does | without it |\n| --- | --- | --- |\n".to_owned();
        for parameter in PARAMETERS {
            let (name, says, default) = (parameter.name(), parameter.says(), parameter.default());
            let accepts = parameter.would_do();
            let accepts = accepts.trim_end_matches(" would do").trim_end_matches(',');
            // The list of all words of a script would be longer than the rest.
            let accepts = if accepts.len() < 120 { format!(" ({accepts})") } else { String::new() };
            writeln!(parameters, "| `{name}` | {says}{accepts} | {default} |").unwrap();
        }
        let mut commands = "| command | with | what it does |\n| --- | --- | --- |\n".to_owned();
        for (name, takes, says) in COMMANDS {
            let takes: Vec<String> = takes.iter().map(|name| format!("`{name}`")).collect();
            writeln!(commands, "| `{name}` | {} | {says} |", takes.join(", ")).unwrap();
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/embedding.md");
        let text = std::fs::read_to_string(path).unwrap();
        let new = with(&with(&text, "parameters", &parameters), "commands", &commands);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &new).unwrap();
        }
        assert!(
            new == text || std::env::var_os("UPDATE").is_some(),
            "docs/embedding.md is not as the declarations say: UPDATE=1 cargo test --no-default-features --features web --bin quorumscope-app embedding"
        );
    }
}
