//! How large an element is, as long as it is there.

use wasm_bindgen::prelude::*;
use web_sys::{Element, ResizeObserver};
use yew::prelude::*;

/// Width and height of an element, CSS pixels; 0 until it is measured.
#[hook]
pub fn use_size(node: &NodeRef) -> (f64, f64) {
    let size = use_state_eq(|| (0.0, 0.0));
    {
        let (size, node) = (size.clone(), node.clone());
        use_effect_with((), move |()| {
            let element = node.cast::<Element>();
            let measure = element.clone().map(|element| {
                Closure::<dyn Fn()>::new(move || {
                    let rect = element.get_bounding_client_rect();
                    size.set((rect.width().round(), rect.height().round()));
                })
            });
            let observer =
                measure.as_ref().and_then(|measure| ResizeObserver::new(measure.as_ref().unchecked_ref()).ok());
            if let (Some(observer), Some(element)) = (&observer, &element) {
                observer.observe(element);
            }
            move || {
                if let Some(observer) = observer {
                    observer.disconnect();
                }
                drop(measure);
            }
        });
    }
    *size
}
