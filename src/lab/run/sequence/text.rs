//! A chart in sentences, for readers who do not see it.

use super::cells::{Cell, Rows};
use super::chart::{Chart, Fate};
use crate::universe::End;
use crate::universe::words::{list, nodes};

/// What happens, a sentence for each lane and moment.
pub fn sentences(chart: &Chart) -> Vec<String> {
    let mut told = Vec::new();
    let Rows { rows, ways } = Rows::of(chart);
    for (number, row) in rows.iter().enumerate() {
        let time = chart.time(row.at.at);
        told.extend(row.global.iter().map(|text| format!("{time}: {text}.")));
        for (lane, cell) in chart.lanes.iter().zip(&row.cells) {
            let parts = parts(chart, cell);
            if !parts.is_empty() {
                told.push(format!("{time}: {} {}.", lane.name, parts.join("; ")));
            }
        }
        for (message, (_, end)) in chart.messages.iter().zip(&ways) {
            let fate = match message.fate {
                Fate::Lost => "is lost",
                Fate::UnderWay => "is still on its way",
                Fate::Arrived => continue,
            };
            if *end == number {
                let (from, to) = (who(chart, &[message.from]), who(chart, &[message.to]));
                told.push(format!("{time}: {} from {from} to {to} {fate}.", message.label));
            }
        }
    }
    told
}

/// What happens in a cell: what arrives, what the node does, what it sends.
fn parts(chart: &Chart, cell: &Cell) -> Vec<String> {
    let mut parts = Vec::new();
    let mut labels: Vec<&str> = Vec::new();
    for &place in &cell.ends {
        if !labels.contains(&chart.messages[place].label.as_str()) {
            labels.push(&chart.messages[place].label);
        }
    }
    for label in labels {
        let from = cell.ends.iter().map(|place| &chart.messages[*place]).filter(|message| message.label == label);
        let from: Vec<End> = from.map(|message| message.from).collect();
        parts.push(format!("receives {label} from {}", who(chart, &from)));
    }
    parts.extend(cell.notes.iter().map(|(_, text)| text.clone()));
    for broadcast in &cell.sends {
        let to: Vec<End> = broadcast.messages.iter().map(|place| chart.messages[*place].to).collect();
        parts.push(format!("sends {} to {}", broadcast.label, who(chart, &to)));
    }
    parts
}

/// `nodes 1 and 2`, `the client`, `the clients in Oregon`.
fn who(chart: &Chart, ends: &[End]) -> String {
    let of_nodes = ends.iter().filter_map(|end| match end {
        End::Node(node) => Some(*node),
        End::Client(_) => None,
    });
    let mut ids: Vec<_> = of_nodes.collect();
    ids.sort_unstable();
    ids.dedup();
    let several = chart.lanes.iter().filter(|lane| matches!(lane.end, End::Client(_))).count() > 1;
    let mut parts = Vec::new();
    for lane in chart.lanes.iter().filter(|lane| matches!(lane.end, End::Client(_)) && ends.contains(&lane.end)) {
        parts.push(if several { format!("the clients in {}", lane.about) } else { "the client".to_owned() });
    }
    if !ids.is_empty() {
        parts.push(nodes(ids));
    }
    list(&parts)
}
