//! What was measured of every variant, over all numbers of replicas: pictures, and a table. Shown anew only when something more has
//! been measured.

use super::messages::{REPLICAS, parts};
use super::words::decimal;
use crate::charts::columns::{Column, columns};
use crate::charts::table::table;
use crate::web::browser;
use quorumscope::lab::compare::Cell;
use quorumscope::universe::{self, Variant};
use std::rc::Rc;
use yew::prelude::*;

#[derive(Clone, Properties)]
pub struct Props {
    /// What has been measured so far.
    pub cells: Rc<Vec<Cell>>,
    /// The variants that are measured.
    pub variants: Rc<Vec<&'static Variant>>,
}

/// Both are made anew whenever anything in them changes.
impl PartialEq for Props {
    fn eq(&self, other: &Props) -> bool {
        Rc::ptr_eq(&self.cells, &other.cells) && Rc::ptr_eq(&self.variants, &other.variants)
    }
}

#[component]
pub fn Measurements(Props { cells, variants }: &Props) -> Html {
    html! {
        <>
            <details class="over" open={browser::matches("(min-width: 1101px) and (min-height: 800px)")}>
                <summary>{ "From 3 to 9 replicas" }<small>{ "each on a scale of its own" }</small></summary>
                <div class="many">{ many(cells, variants) }</div>
            </details>
            { numbers(cells) }
        </>
    }
}

/// One small picture for each variant.
fn many(cells: &[Cell], variants: &[&'static Variant]) -> Html {
    let picture = |variant: &&'static Variant| {
        let cell = |n: u8| cells.iter().find(|cell| cell.replicas == n && cell.variant == variant.card.key);
        let all: Vec<Column> = REPLICAS.map(|n| column(n, cell(n), variants)).collect();
        let measured = REPLICAS.filter_map(|n| Some((n, cell(n)?.measured.as_ref()?.per_command)));
        let spoken: Vec<String> =
            measured.map(|(n, messages)| format!("{n} replicas: {}", decimal(messages))).collect();
        let spoken = format!("{}: messages for one command. {}", variant.card.title, spoken.join("; "));
        columns(variant.card.title.into(), &all, spoken)
    };
    variants.iter().map(picture).collect()
}

fn numbers(cells: &[Cell]) -> Html {
    let head = ["variant", "replicas", "kind", "messages per command", "formula", "formula gives", "source"];
    let mut cells: Vec<&Cell> = cells.iter().collect();
    cells.sort_by_key(|cell| (universe::titles().iter().position(|(key, _)| *key == cell.variant), cell.replicas));
    table(&head, cells.into_iter().flat_map(rows).collect(), "messages-per-command")
}

fn column(n: u8, cell: Option<&Cell>, variants: &[&'static Variant]) -> Column {
    let measured = cell.and_then(|cell| Some((cell, cell.measured.as_ref()?)));
    Column {
        label: n.to_string(),
        parts: measured.map(|(cell, measured)| parts(cell, measured, variants)).unwrap_or_default(),
        mark: measured.and_then(|(_, measured)| Some(f64::from(measured.formula.as_ref()?.per_command))),
    }
}

/// The rows of the table: one for each kind, and one for all.
fn rows(cell: &Cell) -> Vec<Vec<String>> {
    let start = || vec![cell.title.to_owned(), cell.replicas.to_string()];
    let Some(measured) = &cell.measured else {
        let why = cell.says.clone().unwrap_or_default();
        return vec![
            start().into_iter().chain([why, String::new(), String::new(), String::new(), String::new()]).collect(),
        ];
    };
    let formula = measured.formula.as_ref();
    let kinds = measured.by_kind.iter().map(|share| {
        let cells = [share.kind.to_owned(), decimal(share.per_command), String::new(), String::new(), String::new()];
        start().into_iter().chain(cells).collect::<Vec<String>>()
    });
    let all = [
        "all".to_owned(),
        decimal(measured.per_command),
        formula.map(|formula| formula.text.to_owned()).unwrap_or_default(),
        formula.map(|formula| formula.per_command.to_string()).unwrap_or_default(),
        formula.map(|formula| formula.source.to_owned()).unwrap_or_default(),
    ];
    kinds.chain([start().into_iter().chain(all).collect()]).collect()
}
