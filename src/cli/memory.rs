//! The memory that a command may take: `--memory`, or half of what the machine has for it.

use crate::{Stop, invalid};
use sysinfo::System;

/// Where it is not known how much there is, bytes.
const UNKNOWN: u64 = 4 << 30;
/// The least that a command can do anything with, bytes.
const LEAST: u64 = 16 << 20;

/// The units, the longest first.
const UNITS: [(&str, u64); 9] = [
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("TIB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

/// The bytes that a command may take.
pub fn budget(given: Option<&str>) -> Result<u64, Stop> {
    let Some(text) = given else { return Ok(half_of_the_machine()) };
    let wrong = || {
        invalid(format!("--memory: {text}: a size with its unit would do, such as 512MB or 2GB; 16MiB is the least"))
    };
    bytes(text).filter(|bytes| *bytes >= LEAST).ok_or_else(wrong)
}

/// The bytes that a size such as `1.5GB` stands for.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_uppercase();
    let (number, unit) = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)))?;
    let (whole, fraction) = number.trim_end().split_once('.').unwrap_or((number.trim_end(), "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let part = fraction.parse::<u128>().ok()? * u128::from(unit) / 10_u128.pow(fraction.len() as u32);
    u64::try_from(whole.parse::<u128>().ok()? * u128::from(unit) + part).ok()
}

/// Half of the machine's memory; of that of its container or of the shell's limit (`ulimit -v`), if that is less.
fn half_of_the_machine() -> u64 {
    let machine = System::new().map(|mut system| {
        system.refresh_memory();
        [Some(system.total_memory()), system.cgroup_limits().map(|limits| limits.total_memory)]
    });
    let all = machine.into_iter().flatten().chain([address_space()]);
    let least = all.flatten().filter(|bytes| *bytes > 0).min();
    (least.unwrap_or(UNKNOWN) / 2).max(LEAST)
}

/// The limit on this process's address space, where there is one and the system tells it.
fn address_space() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, size) in [
            ("512MB", 512_000_000),
            ("2GB", 2_000_000_000),
            ("1.5GiB", 3 << 29),
            ("100 mb", 100_000_000),
            ("16777216B", 16 << 20),
            ("0.5TB", 500_000_000_000),
            ("64KiB", 64 << 10),
        ] {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for text in [
            "",
            "MB",
            "2",
            "2 G",
            "-2GB",
            "1e9B",
            ".5GB",
            "5.GB",
            "1.2.3GB",
            "9999999999999TB",
            "999999999999TB",
            "nanGB",
            "٣GB",
        ] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn budget_without_a_flag_is_something_sensible() {
        let bytes = half_of_the_machine();
        assert!((LEAST..1 << 50).contains(&bytes), "{bytes}");
    }
}
