//! How long the page's own work takes in each frame.

/// Frames remembered.
const KEEP: usize = 240;

/// The latest frames' script times, ms.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    times: Vec<f64>,
    next: usize,
}

impl Probe {
    /// Remembers one frame.
    pub fn note(&mut self, ms: f64) {
        if self.times.len() < KEEP {
            self.times.push(ms);
        } else {
            self.times[self.next] = ms;
            self.next = (self.next + 1) % KEEP;
        }
    }

    /// Forgets all frames.
    pub fn clear(&mut self) {
        *self = Probe::default();
    }

    /// How many frames are remembered.
    pub fn frames(&self) -> usize {
        self.times.len()
    }

    /// The time that so many of a hundred frames stay below, ms; 0 without frames.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.times.clone();
        sorted.sort_by(f64::total_cmp);
        let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_latest_frames_only() {
        let mut probe = Probe::default();
        assert_eq!(probe.percentile(50), 0.0);
        (0..1000).for_each(|ms| probe.note(f64::from(ms)));
        assert_eq!(probe.frames(), KEEP);
        assert_eq!(probe.percentile(0), 760.0);
        assert_eq!(probe.percentile(100), 999.0);
        assert_eq!(probe.percentile(50), 880.0);
    }
}
