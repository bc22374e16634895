//! The part of time that is seen, and where on the canvas a time lies.

use quorumscope::core::Micros;

/// The shortest time that is seen at once, µs: below that there is nothing to see.
const SHORTEST: f64 = 50.0;

/// The window, in times and in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// The time at the left edge, µs; may lie before the start of the run.
    pub from: f64,
    /// How much time is seen, µs.
    pub span: f64,
    /// Width, CSS pixels.
    pub width: f64,
}

impl Window {
    /// The time at the right edge, µs.
    pub fn until(&self) -> f64 {
        self.from + self.span
    }

    /// The times at the edges, µs, as the run counts them.
    pub fn range(&self) -> (Micros, Micros) {
        (self.from.max(0.0).floor() as Micros, self.until().max(0.0).ceil() as Micros)
    }

    /// Where a time lies, CSS pixels.
    pub fn x(&self, at: Micros) -> f64 {
        (at as f64 - self.from) / self.span * self.width
    }

    /// The time that lies there, µs.
    pub fn time(&self, x: f64) -> Micros {
        (self.from + x / self.width.max(1.0) * self.span).max(0.0).round() as Micros
    }

    /// Shows less or more: what is at `x` stays there. `end` is the end of all there is to see, µs.
    pub fn zoom(&mut self, factor: f64, x: f64, end: Micros) {
        let part = (x / self.width.max(1.0)).clamp(0.0, 1.0);
        let at = self.from + part * self.span;
        let longest = (end as f64 * 1.1).max(SHORTEST);
        self.span = (self.span * factor).clamp(SHORTEST, longest.max(SHORTEST));
        self.from = at - part * self.span;
        self.keep(end);
    }

    /// Moves on by a part of what is seen.
    pub fn pan(&mut self, part: f64, end: Micros) {
        self.from += part * self.span;
        self.keep(end);
    }

    /// Shows a time from one moment to another, with room on both sides.
    pub fn fit(&mut self, from: Micros, until: Micros, end: Micros) {
        let span = (until.saturating_sub(from) as f64).max(SHORTEST);
        self.span = span * 1.5;
        self.from = from as f64 - span * 0.25;
        self.keep(end);
    }

    /// Moves to where a moment is seen, if it is not.
    pub fn show(&mut self, at: Micros, end: Micros) {
        let x = self.x(at);
        if x < 0.0 || x > self.width {
            self.from = at as f64 - self.span * 0.5;
            self.keep(end);
        }
    }

    /// Half a window at most is empty.
    fn keep(&mut self, end: Micros) {
        let last = (end as f64 - self.span * 0.5).max(-self.span * 0.05);
        self.from = self.from.clamp(-self.span * 0.05, last);
    }

    /// The distance of the marks on the axis: 1, 2 or 5 times a power of ten, µs, with room for their texts.
    pub fn tick(&self) -> Micros {
        let least = self.span * 90.0 / self.width.max(1.0);
        let mut tick: Micros = 1;
        loop {
            for factor in [1, 2, 5] {
                if (tick * factor) as f64 >= least {
                    return tick * factor;
                }
            }
            tick *= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = Window { from: 1_000_000.0, span: 500_000.0, width: 1_000.0 };

    #[test]
    fn zoom_keeps_what_is_under_the_pointer_where_it_is() {
        let mut window = WINDOW;
        let at = window.time(300.0);
        window.zoom(0.5, 300.0, 60_000_000);
        assert_eq!((window.time(300.0), window.span), (at, 250_000.0));
        (0..200).for_each(|_| window.zoom(0.5, 300.0, 60_000_000));
        assert_eq!(window.span, SHORTEST);
        (0..200).for_each(|_| window.zoom(2.0, 300.0, 60_000_000));
        assert_eq!(window.span.round(), 66_000_000.0);
    }

    #[test]
    fn window_stays_with_the_run() {
        let mut window = WINDOW;
        (0..100).for_each(|_| window.pan(-1.0, 60_000_000));
        assert_eq!(window.range().0, 0);
        (0..1_000).for_each(|_| window.pan(1.0, 60_000_000));
        assert!(window.from < 60_000_000.0 && window.until() > 60_000_000.0);
        window.fit(5_000_000, 6_000_000, 60_000_000);
        assert_eq!((window.x(4_750_000), window.x(6_250_000)), (0.0, 1_000.0));
    }

    #[test]
    fn marks_on_the_axis_are_round_and_have_room() {
        for span in [50.0, 777.0, 31_000.0, 500_000.0, 9e6, 3e9] {
            let window = Window { span, ..WINDOW };
            let tick = window.tick();
            let apart = tick as f64 / span * window.width;
            assert!((90.0..=250.0).contains(&apart), "{span}: {tick} µs are {apart} pixels");
        }
    }
}
