//! Measured messages per command of every variant, over all numbers of replicas: charts, and the table behind them.

use crate::charts::bars::{Bar, Column, Part, columns};
use crate::charts::table::table;
use crate::elements::text::{self, decimal};
use crate::web::browser;
use quorumscope::core::{Kind, Phase};
use quorumscope::lab::job::{Counts, Measurement};
use quorumscope::universe::{self, Variant};
use std::rc::Rc;
use yew::prelude::*;

/// Numbers of replicas that are measured, besides that of the run.
const REPLICAS: std::ops::RangeInclusive<u8> = 3..=9;

/// Numbers of replicas that are measured for a run with `own` replicas, in ascending order.
pub fn sizes(own: u8) -> Vec<u8> {
    let mut sizes: Vec<u8> = REPLICAS.collect();
    if !sizes.contains(&own) && own > 0 {
        sizes.push(own);
        sizes.sort_unstable();
    }
    sizes
}
#[derive(Clone, Properties)]
pub struct Props {
    /// What has been measured so far.
    pub cells: Rc<Vec<Measurement>>,
    /// Numbers of replicas that are measured.
    pub sizes: Vec<u8>,
    /// The variants that are measured.
    pub variants: Rc<Vec<&'static Variant>>,
}

/// Cells and variants are made anew whenever anything in them changes.
impl PartialEq for Props {
    fn eq(&self, other: &Props) -> bool {
        Rc::ptr_eq(&self.cells, &other.cells)
            && Rc::ptr_eq(&self.variants, &other.variants)
            && self.sizes == other.sizes
    }
}

/// Charts and table; a component, so that it is drawn again only when something more was measured.
#[component]
pub fn Measurements(props: &Props) -> Html {
    let Props { cells, sizes, variants } = props;
    let (first, last) = (REPLICAS.start(), REPLICAS.end());
    let others: String = sizes.iter().filter(|n| !REPLICAS.contains(n)).map(|n| format!(", and {n}")).collect();
    html! {
        <>
            <details class="over" open={browser::matches("(min-width: 1101px) and (min-height: 800px)")}>
                <summary>{ format!("From {first} to {last} replicas{others}") }<small>{ "each on a scale of its own" }</small></summary>
                <div class="many">{ many(cells, sizes, variants) }</div>
            </details>
            { numbers(cells) }
        </>
    }
}

/// A small chart for each variant.
fn many(cells: &[Measurement], sizes: &[u8], variants: &[&'static Variant]) -> Html {
    let picture = |variant: &&'static Variant| {
        let cell = |n: u8| cells.iter().find(|cell| cell.replicas == n && cell.variant == variant.card.key);
        let all: Vec<Column> = sizes.iter().map(|&n| column(n, cell(n), variants)).collect();
        let measured = sizes.iter().filter_map(|&n| Some((n, cell(n)?.counts.as_ref().ok()?.per_command)));
        let spoken: Vec<String> =
            measured.map(|(n, messages)| format!("{n} replicas: {}", decimal(messages))).collect();
        let spoken = format!("{}: messages for one command. {}", variant.card.title, spoken.join("; "));
        columns(variant.card.title.into(), &all, spoken)
    };
    variants.iter().map(picture).collect()
}

fn numbers(cells: &[Measurement]) -> Html {
    let head = ["variant", "replicas", "kind", "messages per command", "formula", "formula gives", "source"];
    let mut cells: Vec<&Measurement> = cells.iter().collect();
    cells.sort_by_key(|cell| (universe::titles().iter().position(|(key, _)| *key == cell.variant), cell.replicas));
    table(&head, cells.into_iter().flat_map(rows).collect(), "messages-per-command")
}

fn column(n: u8, cell: Option<&Measurement>, variants: &[&'static Variant]) -> Column {
    let measured = cell.and_then(|cell| Some((cell, cell.counts.as_ref().ok()?)));
    Column {
        label: n.to_string(),
        parts: measured.map(|(cell, counts)| parts(cell, counts, variants)).unwrap_or_default(),
        mark: measured.and_then(|(_, counts)| Some(f64::from(counts.formula.as_ref()?.per_command))),
    }
}

/// The rows of the table for one cell: one for each kind, and one for all.
fn rows(cell: &Measurement) -> Vec<Vec<String>> {
    let start = || vec![title(cell).to_owned(), cell.replicas.to_string()];
    let counts = match &cell.counts {
        Ok(counts) => counts,
        Err(why) => {
            let rest = [why.clone(), String::new(), String::new(), String::new(), String::new()];
            return vec![start().into_iter().chain(rest).collect()];
        }
    };
    let formula = counts.formula.as_ref();
    let kinds = counts.by_kind.iter().map(|(kind, value)| {
        let cells = [kind.clone(), decimal(*value), String::new(), String::new(), String::new()];
        start().into_iter().chain(cells).collect::<Vec<String>>()
    });
    let all = [
        "all".to_owned(),
        decimal(counts.per_command),
        formula.map(|formula| formula.text.clone()).unwrap_or_default(),
        formula.map(|formula| formula.per_command.to_string()).unwrap_or_default(),
        formula.map(|formula| formula.source.clone()).unwrap_or_default(),
    ];
    kinds.chain([start().into_iter().chain(all).collect()]).collect()
}

/// The title of the variant that was measured.
fn title(cell: &Measurement) -> &'static str {
    universe::titles().iter().find(|(key, _)| *key == cell.variant).map_or("", |(_, title)| *title)
}

/// The part of a bar for one kind of message; `None` if there were none.
pub fn part(kind: &Kind, value: f64) -> Option<Part> {
    (value > 0.0).then(|| Part { name: kind.name, letter: kind.letter, color: text::phase(kind.phase), value })
}

/// The parts of a measured cell, by kind of message.
fn parts(cell: &Measurement, counts: &Counts, variants: &[&'static Variant]) -> Vec<Part> {
    let variant = variants.iter().find(|variant| variant.card.key == cell.variant);
    let kinds = variant.map_or(&[][..], |variant| variant.kinds);
    let share =
        |kind: &Kind| counts.by_kind.iter().find(|(name, _)| name == kind.name).map_or(0.0, |(_, value)| *value);
    let counted = kinds.iter().filter(|kind| kind.phase != Phase::Heartbeat);
    counted.filter_map(|kind| part(kind, share(kind))).collect()
}

/// The bar of a measured cell, with the mark of its formula; `None` if it could not be measured.
pub fn bar(cell: &Measurement, variants: &[&'static Variant]) -> Option<Bar> {
    let counts = cell.counts.as_ref().ok()?;
    let parts = parts(cell, counts, variants);
    let kinds: Vec<String> = parts.iter().map(|part| format!("{} {}", part.name, decimal(part.value))).collect();
    let formula = counts.formula.as_ref();
    let expected = formula
        .map(|formula| format!("; the formula {} gives {}", formula.text, formula.per_command))
        .unwrap_or_default();
    let (title, total) = (title(cell), decimal(counts.per_command));
    Some(Bar {
        spoken: format!(
            "{title}, {} replicas: {total} messages for one command: {}{expected}",
            cell.replicas,
            kinds.join(", ")
        ),
        label: title.into(),
        parts,
        mark: formula.map(|formula| f64::from(formula.per_command)),
        live: false,
    })
}
