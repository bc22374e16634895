//! Colours and words for the phases of a protocol. The colours themselves are in the style sheet, where dark mode can change
//! them; a letter or a word always stands beside a colour.

use quorumscope::core::Phase;

/// The phase's name in the style sheet: its colour is `--phase-…`, the colour of a letter on it `--letter-…`.
pub const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Elect => "elect",
        Phase::Vote => "vote",
        Phase::Propose => "propose",
        Phase::Accept => "accept",
        Phase::Commit => "commit",
        Phase::Heartbeat => "heartbeat",
        Phase::Transfer => "transfer",
        Phase::Read => "read",
        Phase::Refuse => "refuse",
    }
}
