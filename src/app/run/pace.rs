//! Speeds of playing: simulated time against real time.

use quorumscope::core::Micros;

/// A speed: an index into [`STEPS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pace(usize);

/// Simulated time against real time: slower (`1 : n`), faster (`n : 1`), or as fast as the machine goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Slower(u32),
    Faster(u32),
    Flat,
}
use Step::{Faster, Flat, Slower};

const STEPS: &[Step] = &[
    Slower(1000),
    Slower(500),
    Slower(200),
    Slower(100),
    Slower(50),
    Slower(20),
    Slower(10),
    Slower(5),
    Slower(2),
    Faster(1),
    Faster(2),
    Faster(5),
    Faster(10),
    Faster(20),
    Faster(50),
    Faster(100),
    Flat,
];

impl Default for Pace {
    /// 1 : 20, slow enough to follow a message between continents.
    fn default() -> Pace {
        Pace(5)
    }
}

impl Pace {
    /// The fastest speed at which this many µs take long enough to be followed with the eye: 1.4 s.
    pub fn for_way(micros: Micros) -> Pace {
        let lasts = |pace: &Pace| match STEPS[pace.0] {
            Slower(times) => micros * u64::from(times),
            Faster(times) => micros / u64::from(times),
            Flat => 0,
        };
        (0..Pace::LAST).rev().map(Pace).find(|pace| lasts(pace) >= 1_400_000).unwrap_or(Pace(0))
    }

    /// The highest index.
    pub const LAST: usize = STEPS.len() - 1;

    /// The speed with this index, or the fastest.
    pub fn at(index: usize) -> Pace {
        Pace(index.min(Pace::LAST))
    }

    /// Its index, from the slowest.
    pub fn index(self) -> usize {
        self.0
    }

    /// Parses a speed of the address: `1:20`, `5:1`, `max`.
    pub fn named(text: &str) -> Option<Pace> {
        let name = |pace: &Pace| match STEPS[pace.0] {
            Slower(times) => format!("1:{times}"),
            Faster(times) => format!("{times}:1"),
            Flat => "max".to_owned(),
        };
        (0..=Pace::LAST).map(Pace).find(|pace| name(pace) == text)
    }

    /// Simulated µs that go by in a real millisecond; `None` for as many as can be computed.
    pub fn micros_per_ms(self) -> Option<f64> {
        match STEPS[self.0] {
            Slower(times) => Some(1000.0 / f64::from(times)),
            Faster(times) => Some(1000.0 * f64::from(times)),
            Flat => None,
        }
    }

    /// Its label: `1 : 20`, which stays in one line; words do not.
    pub fn label(self) -> String {
        match STEPS[self.0] {
            Slower(times) => format!("1\u{a0}:\u{a0}{times}"),
            Faster(times) => format!("{times}\u{a0}:\u{a0}1"),
            Flat => "as fast as it goes".to_owned(),
        }
    }

    /// Its text for screen readers.
    pub fn spoken(self) -> String {
        match STEPS[self.0] {
            Slower(times) => format!("{times} times slower than real time"),
            Faster(1) => "real time".to_owned(),
            Faster(times) => format!("{times} times faster than real time"),
            Flat => "as fast as it goes".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_for_a_way_lets_it_be_followed() {
        let labels =
            [127_000, 83_000, 500, 10_000, 20_000_000].map(|way| Pace::for_way(way).label().replace('\u{a0}', " "));
        assert_eq!(labels, ["1 : 20", "1 : 20", "1 : 1000", "1 : 200", "10 : 1"]);
    }

    #[test]
    fn speeds_grow_and_span_what_the_page_promises() {
        assert_eq!(Pace::at(0).label(), "1\u{a0}:\u{a0}1000");
        assert_eq!(Pace::at(99).micros_per_ms(), None);
        assert_eq!(Pace::default().label(), "1\u{a0}:\u{a0}20");
        let speeds: Vec<f64> = (0..Pace::LAST).filter_map(|index| Pace::at(index).micros_per_ms()).collect();
        assert!(speeds.windows(2).all(|pair| pair[0] < pair[1]), "{speeds:?}");
    }
}
