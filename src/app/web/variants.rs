//! Variants, loaded when they are wanted: each is a chunk of the page's program (see `pages/chunks.rs`), made from the registry.

use quorumscope::universe::inspect::Inspector;
use quorumscope::universe::{self, Variant};
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// A chunk that could not be loaded, by what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} could not be loaded. Is there a connection? Whatever you do next tries again.", self.0)
    }
}

/// What loads a variant.
type Load = fn() -> Pin<Box<dyn Future<Output = Option<&'static Variant>>>>;

/// What loads an inspector.
type LoadInspector = fn() -> Pin<Box<dyn Future<Output = Option<&'static Inspector>>>>;

macro_rules! of_variants {
    ($($name:ident: $protocol:path),* $(,)?) => {
        /// A chunk for each variant.
        mod variants {
            use quorumscope::universe::{self, Variant};
            use wasm_split_helpers::{SplitLoaderError, wasm_split};

            $(
                #[wasm_split($name, fallible)]
                pub fn $name() -> Result<&'static Variant, SplitLoaderError> {
                    Ok(universe::of::<$protocol>())
                }
            )*
        }

        /// A chunk for the inspector of each variant.
        mod inspectors {
            use quorumscope::universe::inspect::Inspector;
            use wasm_split_helpers::{SplitLoaderError, wasm_split};

            pastey::paste! {
                $(
                    #[wasm_split([<inspect_ $name>], fallible)]
                    pub fn $name() -> Result<&'static Inspector, SplitLoaderError> {
                        Ok(const { &Inspector::of::<$protocol>() })
                    }
                )*
            }
        }

        /// What loads each inspector, in the order of the registry.
        const INSPECTORS: &[LoadInspector] = &[$(|| Box::pin(async { inspectors::$name().await.ok() })),*];

        /// What loads each variant, in the order of the registry.
        const LOADS: &[Load] = &[$(|| Box::pin(async { variants::$name().await.ok() })),*];
    };
}
quorumscope::variants!(of_variants);

/// Loads the variant with this key. `None`: there is no such variant.
pub async fn variant(key: &str) -> Option<Result<&'static Variant, Missing>> {
    // The variant of the first picture is there from the start.
    if key == universe::first().card.key {
        return Some(Ok(universe::first()));
    }
    let index = universe::titles().iter().position(|(known, ..)| *known == key)?;
    Some(LOADS[index]().await.ok_or_else(|| Missing(universe::titles()[index].1.to_owned())))
}

/// Loads the inspector of the variant with this key.
pub async fn inspector(key: &str) -> Result<&'static Inspector, Missing> {
    let index = universe::titles().iter().position(|(known, ..)| *known == key);
    let loaded = match index.and_then(|index| INSPECTORS.get(index)) {
        Some(load) => load().await,
        None => None,
    };
    loaded.ok_or_else(|| Missing("What explains this protocol".to_owned()))
}
