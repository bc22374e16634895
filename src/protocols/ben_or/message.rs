//! Messages of Ben-Or's protocol.

crate::messages! {
    /// What nodes send each other.
    #[derive(Copy)]
    #[allow(missing_docs)] // The variants say what their fields are.
    pub enum Msg {
        /// The value with which the sender is in a round; `asks` for the receiver's echoes of that round, because it has waited for long.
        Echo1 { round: u32, value: bool, asks: bool } = {
            alias: "report", letter: '1', phase: Propose, says: "tells its value",
            bytes: 5, slot: 1,
            tampered: Some(Msg::Echo1 { round: *round, value: !value, asks: *asks }),
        };
        /// The value that all echo1 had for which the sender waited; `None` (⊥) if they had not all the same.
        Echo2 { round: u32, value: Option<bool> } = {
            alias: "proposal", letter: '2', phase: Accept, says: "tells what n−f nodes told it: one value, or both (⊥)",
            bytes: 5, slot: 1,
            tampered: Some(Msg::Echo2 { round: *round, value: Some(!value.unwrap_or(false)) }),
        };
        /// The value is decided.
        Decide { value: bool } = {
            letter: 'D', phase: Commit, says: "tells what it has decided",
            bytes: 1, slot: 1,
            tampered: Some(Msg::Decide { value: !value }),
        };
    }
}
