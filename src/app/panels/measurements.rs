//! Measured messages per command of every variant, over all numbers of replicas: charts, and the table behind them.

use crate::charts::bars::{Bar, Mark, Part};
use crate::charts::columns::{Chart, Column, chart, scale};
use crate::charts::table::table;
use crate::elements::text::{self, decimal};
use crate::web::browser;
use quorumscope::core::{Family, Kind, Phase};
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
    /// The number of replicas that is looked at.
    pub chosen: u8,
    /// The key of the run's variant.
    pub own: &'static str,
}

/// Cells and variants are made anew whenever anything in them changes.
impl PartialEq for Props {
    fn eq(&self, other: &Props) -> bool {
        Rc::ptr_eq(&self.cells, &other.cells)
            && Rc::ptr_eq(&self.variants, &other.variants)
            && (&self.sizes, self.chosen, self.own) == (&other.sizes, other.chosen, other.own)
    }
}

/// Charts and table; a component, so that it is drawn again only when something more was measured.
#[component]
pub fn Measurements(props: &Props) -> Html {
    let Props { cells, sizes, .. } = props;
    let (first, last) = (REPLICAS.start(), REPLICAS.end());
    let others: String = sizes.iter().filter(|n| !REPLICAS.contains(n)).map(|n| format!(", and {n}")).collect();
    html! {
        <>
            <details class="over" open={browser::matches("(min-width: 1101px) and (min-height: 800px)")}>
                <summary>{ format!("From {first} to {last} replicas{others}") }<small>{ "one scale a family" }</small></summary>
                { many(props) }
            </details>
            { numbers(cells) }
        </>
    }
}

/// A small chart for each variant, by family, fewest messages first; one scale a family, for among lying nodes all columns are high.
fn many(props: &Props) -> Html {
    let Props { cells, sizes, variants, chosen, own } = props;
    let picture = |variant: &Variant| {
        let cell = |n: u8| cells.iter().find(|cell| cell.replicas == n && cell.variant == variant.card.key);
        let measured = sizes.iter().filter_map(|&n| Some((n, cell(n)?.counts.as_ref().ok()?.per_command)));
        let spoken: Vec<String> =
            measured.map(|(n, messages)| format!("{n} replicas: {}", decimal(messages))).collect();
        Chart {
            title: variant.card.title.into(),
            columns: sizes.iter().map(|&n| column(n, cell(n), variants, n == *chosen)).collect(),
            spoken: format!("{}: messages for one command. {}", variant.card.title, spoken.join("; ")),
            own: variant.card.key == *own,
        }
    };
    let of = |family: Family| {
        let members = variants.iter().copied().filter(|variant| variant.card.family == family).collect();
        let members: Vec<&Variant> = in_order(members, |variant| per_command(cells, variant.card.key, *chosen));
        (family.title(), members.into_iter().map(picture).collect::<Vec<Chart>>())
    };
    let shown = Family::ALL.map(of).into_iter().filter(|(_, charts)| !charts.is_empty());
    shown
        .map(|(title, charts)| {
            let scale = scale(&charts);
            html! { <><h3>{ title }</h3><div class="many">{ for charts.iter().map(|of| chart(of, &scale)) }</div></> }
        })
        .collect()
}

/// Sorted by what was measured, if all of it has been: fewest first, and what could not be measured last.
pub fn in_order<T>(members: Vec<T>, measured: impl Fn(&T) -> Option<Option<f64>>) -> Vec<T> {
    let key = |member: &T| measured(member).map(|measured| measured.unwrap_or(f64::INFINITY));
    let Some(keys) = members.iter().map(key).collect::<Option<Vec<f64>>>() else { return members };
    let mut keyed: Vec<(f64, T)> = keys.into_iter().zip(members).collect();
    keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    keyed.into_iter().map(|(_, member)| member).collect()
}

/// Messages per command of a variant with so many replicas: `None` if that has not been measured yet, `Some(None)` if it could not be.
pub fn per_command(cells: &[Measurement], key: &str, replicas: u8) -> Option<Option<f64>> {
    let cell = cells.iter().find(|cell| cell.replicas == replicas && cell.variant == key)?;
    Some(cell.counts.as_ref().ok().map(|counts| counts.per_command))
}

/// What messages of each phase do, in the order of a command's life.
const PHASES: [(Phase, &str); 8] = [
    (Phase::Elect, "ask to lead"),
    (Phase::Vote, "promise"),
    (Phase::Propose, "propose"),
    (Phase::Accept, "accept"),
    (Phase::Commit, "tell what is chosen"),
    (Phase::Read, "read"),
    (Phase::Transfer, "hand over"),
    (Phase::Refuse, "refuse"),
];

/// What the colours of these bars mean.
pub fn legend<'a>(bars: impl Iterator<Item = &'a Bar> + Clone) -> Html {
    let occurs = |color: &str| bars.clone().any(|bar| bar.parts.iter().any(|part| part.color == color));
    let entry = |&(phase, says): &(Phase, &'static str)| {
        let color = text::phase(phase);
        occurs(color).then(|| html! { <span><i class={format!("on-{color}")}></i>{ says }</span> })
    };
    html! { <p class="key" aria-hidden="true">{ for PHASES.iter().filter_map(entry) }</p> }
}

fn numbers(cells: &[Measurement]) -> Html {
    let head = ["variant", "replicas", "kind", "messages per command", "formula", "formula gives", "source"];
    let mut cells: Vec<&Measurement> = cells.iter().collect();
    cells.sort_by_key(|cell| (universe::titles().iter().position(|(key, ..)| *key == cell.variant), cell.replicas));
    table(&head, cells.into_iter().flat_map(rows).collect(), "messages-per-command")
}

fn column(n: u8, cell: Option<&Measurement>, variants: &[&'static Variant], chosen: bool) -> Column {
    let measured = cell.and_then(|cell| Some((cell, cell.counts.as_ref().ok()?)));
    Column {
        label: n.to_string(),
        parts: measured.map(|(cell, counts)| parts(cell, counts, variants)).unwrap_or_default(),
        mark: measured.and_then(|(_, counts)| Some(f64::from(counts.formula.as_ref()?.per_command))),
        chosen,
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
    universe::titles().iter().find(|(key, ..)| *key == cell.variant).map_or("", |(_, title, _)| *title)
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
    let (title, messages) = (title(cell), decimal(counts.per_command));
    Some(Bar {
        spoken: format!(
            "{title}, {} replicas: {messages} messages for one command: {}{expected}",
            cell.replicas,
            kinds.join(", ")
        ),
        label: title.into(),
        parts,
        mark: formula.map(|formula| Mark {
            value: f64::from(formula.per_command),
            formula: formula.text.clone(),
            source: formula.source.clone(),
        }),
        ..Bar::default()
    })
}
