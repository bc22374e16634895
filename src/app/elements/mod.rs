//! Building blocks shared by every part of the page: HTML controls, SVG elements, geometry, number formats, and memoized fragments.

pub mod controls;
pub mod geometry;
pub mod html;
pub mod svg;
pub mod text;

use yew::prelude::*;

#[derive(Clone, Properties)]
pub struct MemoProps {
    /// Revision of what is drawn; a fragment is drawn again only when it changes.
    pub revision: u32,
    /// Draws the fragment.
    pub draw: Callback<(), Html>,
}

impl PartialEq for MemoProps {
    fn eq(&self, other: &MemoProps) -> bool {
        self.revision == other.revision
    }
}

/// A fragment of the page that is drawn again only with a new revision, so that not all texts change in the same frame.
#[component]
pub fn Memo(props: &MemoProps) -> Html {
    props.draw.emit(())
}
