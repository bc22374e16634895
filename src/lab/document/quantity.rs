//! Quantities with a unit, as written in documents: `150ms`, `5%`, `20/s`, `1MB/s`. Decimals are converted exactly, without floats.

use crate::core::Micros;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;

/// A number with a unit, as written. It is parsed where it is used, because only there its dimension is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quantity(String);

const HOUR: Micros = 3_600_000_000;

/// A physical dimension: its units, each with its factor to the smallest unit, and the messages for unreadable text.
struct Dimension {
    units: &'static [(&'static str, u64)],
    like: &'static str,
    too_fine: &'static str,
}

const TIME: Dimension = Dimension {
    units: &[("us", 1), ("µs", 1), ("ms", 1_000), ("s", 1_000_000), ("min", 60_000_000), ("h", HOUR)],
    like: "a time with its unit would do, such as \"150ms\", \"2.5s\" or \"80us\"",
    too_fine: "times are counted in whole microseconds",
};
const SHARE: Dimension = Dimension {
    units: &[("%", 10)],
    like: "a share would do, such as \"5%\" or \"0.5%\"",
    too_fine: "shares have one decimal at most",
};
const RATE: Dimension = Dimension {
    units: &[("/s", 1_000)],
    like: "a rate would do, such as \"20/s\" or \"0.5/s\"",
    too_fine: "rates have three decimals at most",
};
const EXPONENT: Dimension = Dimension {
    units: &[("", 100)],
    like: "a number would do, such as \"0.99\"",
    too_fine: "two decimals are the most",
};
const BANDWIDTH: Dimension = Dimension {
    units: &[("B/s", 1), ("kB/s", 1_000), ("MB/s", 1_000_000), ("GB/s", 1_000_000_000)],
    like: "a bandwidth would do, such as \"500kB/s\", \"12.5MB/s\" or \"1GB/s\"",
    too_fine: "bandwidths are counted in whole bytes a second",
};
/// Round trips are listed in milliseconds, as plain numbers.
const MILLISECONDS: Dimension = Dimension {
    units: &[("", 1_000)],
    like: "milliseconds would do, such as 75 or 62.414",
    too_fine: "round trips are counted in whole microseconds: three decimals at most",
};

impl Quantity {
    /// Writes a time given in µs, in the largest unit that is not larger than the time.
    pub fn from_micros(micros: Micros) -> Quantity {
        let (unit, scale) = match micros {
            0 => ("s", 1_000_000),
            1..1_000 => ("us", 1),
            1_000..1_000_000 => ("ms", 1_000),
            _ if micros.is_multiple_of(HOUR) => return Quantity(format!("{}h", micros / HOUR)),
            _ => ("s", 1_000_000),
        };
        Quantity(format!("{}{unit}", decimal(micros, scale)))
    }

    /// Writes a share given in parts of a thousand.
    pub fn from_permille(permille: u64) -> Quantity {
        Quantity(format!("{}%", decimal(permille, 10)))
    }

    /// Writes a rate given in thousandths per second.
    pub fn from_per_1000_s(rate: u64) -> Quantity {
        Quantity(format!("{}/s", decimal(rate, 1_000)))
    }

    /// Writes a bandwidth given in bytes per second, in the largest unit that is not larger.
    pub fn from_bytes_per_s(bytes: u64) -> Quantity {
        let (unit, scale) = BANDWIDTH.units.iter().rev().find(|(_, scale)| *scale <= bytes).unwrap_or(&("B/s", 1));
        Quantity(format!("{}{unit}", decimal(bytes, *scale)))
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// A time in µs. Errors: what would be accepted.
    pub fn micros(&self) -> Result<Micros, &'static str> {
        TIME.parse(&self.0)
    }

    /// A share in parts of a thousand. Errors: what would be accepted.
    pub fn permille(&self) -> Result<u64, &'static str> {
        SHARE.parse(&self.0)
    }

    /// A number without unit, in hundredths. Errors: what would be accepted.
    pub fn hundredths(&self) -> Result<u64, &'static str> {
        EXPONENT.parse(&self.0)
    }

    /// A rate in thousandths per second. Errors: what would be accepted.
    pub fn per_1000_s(&self) -> Result<u64, &'static str> {
        RATE.parse(&self.0)
    }

    /// A bandwidth in bytes per second. Errors: what would be accepted.
    pub fn bytes_per_s(&self) -> Result<u64, &'static str> {
        BANDWIDTH.parse(&self.0)
    }
}

/// Parses milliseconds with at most three decimals into µs. Errors: what would be accepted.
pub fn milliseconds(text: &str) -> Result<Micros, &'static str> {
    MILLISECONDS.parse(text)
}

impl Dimension {
    /// Parses a number with its unit into the smallest unit.
    fn parse(&self, text: &str) -> Result<u64, &'static str> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let scale = self.units.iter().find(|(name, _)| *name == unit.trim()).map(|(_, scale)| *scale);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let (Some(scale), Ok(whole), false) = (scale, whole.parse::<u64>(), fraction.contains('.')) else {
            return Err(self.like);
        };
        let fraction = fraction.trim_end_matches('0');
        let places = u32::try_from(fraction.len()).map_err(|_| self.too_fine)?;
        let parts = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().map_err(|_| self.too_fine)? };
        let one = 10u64.checked_pow(places).ok_or(self.too_fine)?;
        let scaled = parts.checked_mul(scale).ok_or(self.too_fine)?;
        if scaled % one != 0 {
            return Err(self.too_fine);
        }
        whole.checked_mul(scale).and_then(|whole| whole.checked_add(scaled / one)).ok_or(self.like)
    }
}

/// Writes `count / scale` as a decimal number; `scale` must be a power of ten.
pub fn decimal(count: u64, scale: u64) -> String {
    if scale == 1 {
        return count.to_string();
    }
    let digits = scale.ilog10() as usize;
    let text = format!("{}.{:0digits$}", count / scale, count % scale);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl From<&str> for Quantity {
    fn from(text: &str) -> Quantity {
        Quantity(text.to_owned())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    /// Accepts bare numbers as well: which unit is missing is reported where the quantity is parsed.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Quantity;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text with a unit, such as \"150ms\", \"5%\" or \"20/s\"")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Quantity, E> {
                Ok(Quantity(text.to_owned()))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_quantities_parse_exactly() {
        let micros = |text: &str| Quantity::from(text).micros();
        assert_eq!(micros("150ms"), Ok(150_000));
        assert_eq!(micros("2.5s"), Ok(2_500_000));
        assert_eq!(micros("0.1s"), Ok(100_000));
        assert_eq!(micros("62.414 ms"), Ok(62_414));
        assert_eq!(micros("1.50min"), Ok(90_000_000));
        assert_eq!(Quantity::from("0.5%").permille(), Ok(5));
        assert_eq!(Quantity::from("0.125/s").per_1000_s(), Ok(125));
        assert_eq!(milliseconds("382.868"), Ok(382_868));
    }

    #[test]
    fn text_without_a_valid_number_and_unit_is_refused() {
        let bad =
            ["", "5", "s", ".5s", "-1s", "1e3s", "1.2.3s", "5 parsecs", "1.5us", "0.0001ms", "99999999999999999999s"];
        for text in bad {
            assert!(Quantity::from(text).micros().is_err(), "{text}");
        }
        assert!(Quantity::from(&*format!("0.{}1s", "0".repeat(300))).micros().is_err());
    }

    #[test]
    fn written_quantity_parses_to_the_same_number() {
        for micros in
            [0, 1, 999, 1_000, 1_500, 62_414, 999_999, 1_000_000, 2_500_001, 3_600_000_000, u64::from(u32::MAX)]
        {
            assert_eq!(Quantity::from_micros(micros).micros(), Ok(micros));
        }
        assert_eq!(Quantity::from_micros(2_500_000).text(), "2.5s");
        assert_eq!(Quantity::from_permille(5).text(), "0.5%");
        for (bytes, text) in
            [(0, "0B/s"), (999, "999B/s"), (12_500_000, "12.5MB/s"), (4_294_967_295, "4.294967295GB/s")]
        {
            assert_eq!(Quantity::from_bytes_per_s(bytes).text(), text);
            assert_eq!(Quantity::from(text).bytes_per_s(), Ok(bytes));
        }
    }
}
