//! User-supplied matrices of round-trip times, as CSV (`--rtt FILE`).
//!
//! The first row and the first column hold the ids of the places; a cell is the round trip in ms from the place of its row to the place
//! of its column. The built-in tables in `data/rtt/` have the same format.

use super::problem::{Problem, shortened};
use super::quantity::milliseconds;
use serde_json::{Map, Value, json};

/// Most places in a matrix.
const PLACES: usize = 1_000;

/// A matrix of round trips that was read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    ids: Vec<String>,
    /// Round trips in ms, a row for each place.
    rows: Vec<Vec<f64>>,
}

fn problem(field: impl Into<String>, value: &str, says: impl Into<String>) -> Problem {
    Problem { field: field.into(), value: shortened(value), says: says.into() }
}

/// Reads a matrix. Errors name row and column, counted from 1 as spreadsheets do.
pub fn read(text: &str) -> Result<Table, Problem> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut records = reader.records().map(|record| record.map_err(|error| problem("", "", error.to_string())));
    let head =
        records.next().ok_or_else(|| problem("", "", "is empty; a row of places, and a row for each would do"))??;
    let ids: Vec<String> = head.iter().skip(1).map(str::to_owned).collect();
    if ids.is_empty() || ids.len() > PLACES {
        return Err(problem("row 1", &format!("{} places", ids.len()), format!("1 to {PLACES} would do")));
    }
    for (i, id) in ids.iter().enumerate() {
        if id.is_empty() || ids[..i].contains(id) {
            return Err(problem(format!("row 1, column {}", i + 2), id, "an id that no other column has would do"));
        }
    }
    let mut rows = vec![Vec::new(); ids.len()];
    for (number, record) in (2..).zip(records) {
        let record = record?;
        let id = record.get(0).unwrap_or_default();
        let Some(row) = ids.iter().position(|known| known == id).filter(|row| rows[*row].is_empty()) else {
            return Err(problem(format!("row {number}, column 1"), id, "the id of a column, once, would do"));
        };
        if record.len() != ids.len() + 1 {
            let says = format!("one for each of the {} places would do", ids.len());
            return Err(problem(format!("row {number}"), &format!("{} round trips", record.len() - 1), says));
        }
        for (column, cell) in (2..).zip(record.iter().skip(1)) {
            let wrong = |says: &str| problem(format!("row {number}, column {column}"), cell, says);
            milliseconds(cell).map_err(wrong)?;
            rows[row].push(cell.parse().map_err(|_| wrong("a number of ms would do"))?);
        }
    }
    match rows.iter().position(Vec::is_empty) {
        Some(row) => Err(problem("column 1", &ids[row], "has a column, but no row")),
        None => Ok(Table { ids, rows }),
    }
}

impl Table {
    /// Replaces the round trips of a scenario, given as parsed JSON, by those of this matrix. Errors: a site that is not in the matrix.
    pub fn put_into(&self, scenario: &mut Value) -> Result<(), Problem> {
        let sites: &[Value] = scenario.get("sites").and_then(Value::as_array).map_or(&[], Vec::as_slice);
        let id = |site: &Value| site.as_str().or_else(|| site.get("id")?.as_str()).unwrap_or_default().to_owned();
        let place = |(i, site): (usize, &Value)| {
            let id = id(site);
            self.ids.iter().position(|known| *known == id).ok_or_else(|| {
                let known = self.ids.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
                problem(format!("sites[{i}]"), &id, format!("is not in the table; the places there are {known}"))
            })
        };
        let places: Vec<usize> = sites.iter().enumerate().map(place).collect::<Result<_, _>>()?;
        let row = |a: &usize| places.iter().map(|b| self.rows[*a][*b]).collect::<Vec<f64>>();
        let round_trips = places.iter().map(row).collect::<Vec<_>>();
        if scenario.is_null() {
            *scenario = Value::Object(Map::new());
        }
        if let Value::Object(fields) = scenario {
            fields.remove("matrix");
            fields.insert("rtt_ms".to_owned(), json!(round_trips));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "from\\to, a, b\na, 0.4, 70.5\nb, 71, 0\n";

    #[test]
    fn put_into_replaces_matrix_by_round_trips_of_the_sites() {
        let mut scenario = json!({ "matrix": "aws", "sites": ["b", { "id": "a" }] });
        read(TABLE).expect("good").put_into(&mut scenario).expect("both are in it");
        assert_eq!(scenario, json!({ "sites": ["b", { "id": "a" }], "rtt_ms": [[0.0, 71.0], [70.5, 0.4]] }));
        let error = read(TABLE).expect("good").put_into(&mut json!({ "sites": ["c"] })).expect_err("not there");
        assert_eq!(error.to_string(), "sites[0]: c: is not in the table; the places there are a, b");
    }

    #[test]
    fn malformed_matrix_is_refused_with_row_and_column() {
        for (text, says) in [
            ("", "is empty; a row of places, and a row for each would do"),
            ("x", "row 1: 0 places: 1 to 1000 would do"),
            ("x,a,a", "row 1, column 3: a: an id that no other column has would do"),
            ("x,a\nb,1", "row 2, column 1: b: the id of a column, once, would do"),
            ("x,a,b\na,1", "row 2: 1 round trips: one for each of the 2 places would do"),
            ("x,a,b\na,1,2", "column 1: b: has a column, but no row"),
        ] {
            assert_eq!(read(text).expect_err(text).to_string(), says);
        }
        for cell in ["-1", "1s", "nan", "1e3", "", "1.2345"] {
            let error = read(&format!("x,a\na,{cell}")).expect_err(cell).to_string();
            assert!(error.starts_with("row 2, column 2: "), "{error}");
        }
    }

    #[test]
    fn built_in_matrices_are_readable() {
        for text in [
            include_str!("../../../data/rtt/pql_table1.csv"),
            include_str!("../../../data/rtt/gcp_rtt_avg_ms.csv"),
            include_str!("../../../data/rtt/aws_2020_06_05_rtt_avg_ms.csv"),
        ] {
            assert!(read(text).is_ok());
        }
    }
}
