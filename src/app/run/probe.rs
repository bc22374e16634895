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

    /// Adds work that was done for the latest frame after it was painted.
    pub fn add(&mut self, ms: f64) {
        let latest = if self.times.len() < KEEP { self.times.len() } else { self.next + KEEP }.wrapping_sub(1) % KEEP;
        if let Some(time) = self.times.get_mut(latest) {
            *time += ms;
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
    fn later_work_counts_for_the_latest_frame() {
        let mut probe = Probe::default();
        probe.add(5.0);
        (0..=KEEP).for_each(|_| probe.note(1.0));
        probe.add(5.0);
        assert_eq!((probe.percentile(99), probe.percentile(100)), (1.0, 6.0));
        probe.note(9.0);
        probe.add(1.0);
        assert_eq!(probe.percentile(100), 10.0);
    }

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
