//! Linear scales with round ticks.

/// A linear scale from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The largest number it holds.
    pub top: f64,
    /// Position of that number; 0 is at 0.
    pub length: f64,
}

impl Scale {
    /// The least scale with a round top that holds `most`.
    pub fn holding(most: f64, length: f64) -> Scale {
        let step = step(most, 5);
        Scale { top: ((most / step).ceil() * step).max(step), length }
    }

    /// The least scale with a round top that holds all of these but those that are far out: more than twice the next smaller one. Without them
    /// the others can still be told apart.
    pub fn without_outliers(mut values: Vec<f64>, length: f64) -> Scale {
        values.sort_by(f64::total_cmp);
        let far_out = |pair: &[f64]| pair[0] > 0.0 && pair[1] > 2.0 * pair[0];
        let inside = match values.windows(2).position(far_out) {
            // Most of what there is lies beyond it: then it is the small ones that are far out.
            Some(place) if place + 1 > values.len() / 2 => values[place],
            _ => values.last().copied().unwrap_or(0.0),
        };
        Scale::holding(inside, length)
    }

    /// Whether a number is beyond its top.
    pub fn exceeded_by(&self, value: f64) -> bool {
        value > self.top * 1.000_001
    }

    /// Position of a number.
    pub fn at(&self, value: f64) -> f64 {
        value / self.top * self.length
    }

    /// Round numbers along it, 0 and the top included.
    pub fn ticks(&self) -> Vec<f64> {
        let step = step(self.top, 5);
        (0..=(self.top / step).round() as u32).map(|i| f64::from(i) * step).collect()
    }
}

/// A round step (1, 2 or 5 times a power of ten) that takes at most about `parts` steps to `most`.
fn step(most: f64, parts: u32) -> f64 {
    let rough = (most / f64::from(parts)).max(SMALLEST);
    let mut power = SMALLEST;
    while power * 10.0 <= rough {
        power *= 10.0;
    }
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| rough <= round * power * 1.000_001).unwrap_or(10.0);
    round * power
}

/// The smallest step there is.
const SMALLEST: f64 = 0.001;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_on_round_numbers() {
        for (most, top, ticks) in
            [(8.0, 8.0, 5), (9.0, 10.0, 6), (0.0, 0.001, 2), (84.0, 100.0, 6), (167_000.0, 200_000.0, 5)]
        {
            let scale = Scale::holding(most, 100.0);
            assert!((scale.top - top).abs() <= top * 1e-6, "{most}: {}", scale.top);
            assert_eq!(scale.ticks().len(), ticks, "{most}: {:?}", scale.ticks());
        }
        assert_eq!(Scale::holding(8.0, 100.0).at(4.0), 50.0);
    }

    #[test]
    fn few_large_numbers_among_many_do_not_make_the_scale() {
        let top = |values: &[f64]| Scale::without_outliers(values.to_vec(), 100.0).top;
        assert_eq!(top(&[8.0, 8.0, 12.0, 20.0, 144.0, 300.0]), 20.0);
        assert_eq!(top(&[0.0, 0.0, 8.0, 12.0]), 15.0);
        assert_eq!(top(&[1.0, 8.0, 12.0, 20.0]), 20.0);
        assert_eq!(top(&[]), 0.001);
        let scale = Scale::without_outliers(vec![8.0, 9.0, 40.0], 100.0);
        assert!(scale.exceeded_by(40.0) && !scale.exceeded_by(10.0), "{scale:?}");
    }
}
