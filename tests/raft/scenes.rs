//! Scenes from the papers, played one by one.
