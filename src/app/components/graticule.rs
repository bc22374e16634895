//! Faint meridians and parallels behind the islands: this is a map, though not to scale.

use crate::stage::geometry::Point;
use yew::prelude::*;

/// Meridians, from the left edge to the right.
const MERIDIANS: i32 = 8;
/// Parallels, from top to bottom.
const PARALLELS: i32 = 5;
/// How far the outermost meridian bends.
const BEND: f64 = 46.0;

#[derive(Clone, PartialEq, Properties)]
pub struct Props {
    /// Size of the stage.
    pub size: Point,
}

#[component]
pub fn Graticule(props: &Props) -> Html {
    let Point { x: width, y: height } = props.size;
    let meridian = |i: i32| {
        let part = f64::from(i) / f64::from(MERIDIANS);
        let (x, bend) = (width * part, BEND * (2.0 * part - 1.0));
        format!("M{:.1} 0Q{:.1} {:.1} {:.1} {height:.1}", x - bend, x + bend, height / 2.0, x - bend)
    };
    let parallel = |i: i32| {
        let y = height * f64::from(i) / f64::from(PARALLELS);
        format!("M0 {y:.1}H{width:.1}")
    };
    let lines: String = (0..=MERIDIANS).map(meridian).chain((1..PARALLELS).map(parallel)).collect();
    html! { <path class="graticule" d={lines} /> }
}
