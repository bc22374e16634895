//! Script times of the latest frames, for measuring whether the page keeps its frame rate.

/// Most frames recorded.
const KEEP: usize = 240;

/// The latest frames' script times, ms.
#[derive(Clone, Debug, Default)]
pub struct FrameTimes {
    times: Vec<f64>,
    next: usize,
}

impl FrameTimes {
    /// Records a frame.
    pub fn note(&mut self, ms: f64) {
        if self.times.len() < KEEP {
            self.times.push(ms);
        } else {
            self.times[self.next] = ms;
            self.next = (self.next + 1) % KEEP;
        }
    }

    /// Adds time to the latest frame, for work done after it was painted.
    pub fn add(&mut self, ms: f64) {
        let latest = if self.times.len() < KEEP { self.times.len() } else { self.next + KEEP }.wrapping_sub(1) % KEEP;
        if let Some(time) = self.times.get_mut(latest) {
            *time += ms;
        }
    }

    /// Discards all frames.
    pub fn clear(&mut self) {
        *self = FrameTimes::default();
    }

    /// Number of frames recorded.
    pub fn frames(&self) -> usize {
        self.times.len()
    }

    /// A percentile of the times, ms; 0 without frames.
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
    fn time_added_later_counts_for_the_latest_frame() {
        let mut frame_times = FrameTimes::default();
        frame_times.add(5.0);
        (0..=KEEP).for_each(|_| frame_times.note(1.0));
        frame_times.add(5.0);
        assert_eq!((frame_times.percentile(99), frame_times.percentile(100)), (1.0, 6.0));
        frame_times.note(9.0);
        frame_times.add(1.0);
        assert_eq!(frame_times.percentile(100), 10.0);
    }

    #[test]
    fn only_the_latest_frames_are_kept() {
        let mut frame_times = FrameTimes::default();
        assert_eq!(frame_times.percentile(50), 0.0);
        (0..1000).for_each(|ms| frame_times.note(f64::from(ms)));
        assert_eq!(frame_times.frames(), KEEP);
        assert_eq!(frame_times.percentile(0), 760.0);
        assert_eq!(frame_times.percentile(100), 999.0);
        assert_eq!(frame_times.percentile(50), 880.0);
    }
}
