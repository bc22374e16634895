//! Rows and cells of a chart: a row for each moment at which anything happens, a cell for each lane.

use super::chart::{Chart, Fate, Message, NoteKind, TimePoint};

/// Messages of one label that leave at once: one broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// Their label.
    pub label: String,
    /// Their places in [`Chart::messages`].
    pub messages: Vec<usize>,
}

/// What happens on a lane in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Places of the messages that end here.
    pub ends: Vec<usize>,
    /// Notes, with their types.
    pub notes: Vec<(NoteKind, String)>,
    /// What is sent.
    pub sends: Vec<Broadcast>,
}

/// A moment at which something happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When.
    pub at: TimePoint,
    /// Notes about the whole cluster.
    pub global: Vec<String>,
    /// By lane.
    pub cells: Vec<Cell>,
}

/// The rows of a chart, and where each message begins and ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// In order.
    pub rows: Vec<Row>,
    /// For each message the rows in which it begins and ends. `None`: it was on its way at the first moment.
    pub ways: Vec<(Option<usize>, usize)>,
}

impl Rows {
    /// The rows of a chart.
    pub fn of(chart: &Chart) -> Rows {
        let begins = |message: &Message| (message.sent.at >= chart.from).then_some(message.sent);
        let starts = chart.messages.iter().filter_map(begins);
        let ends = chart.messages.iter().map(|message| message.ended);
        let notes = chart.notes.iter().map(|note| note.at);
        let mut moments: Vec<TimePoint> = starts.chain(ends).chain(notes).collect();
        moments.sort_unstable();
        moments.dedup();
        let empty =
            |at: &TimePoint| Row { at: *at, global: Vec::new(), cells: vec![Cell::default(); chart.lanes.len()] };
        let mut rows: Vec<Row> = moments.iter().map(empty).collect();
        let row_of = |at: TimePoint| moments.binary_search(&at).unwrap_or_default();
        let mut ways = Vec::new();
        for (place, message) in chart.messages.iter().enumerate() {
            let (start, end) = (begins(message).map(row_of), row_of(message.ended));
            ways.push((start, end));
            let (Some(from), Some(to)) = (chart.lane(message.from), chart.lane(message.to)) else { continue };
            if message.fate == Fate::Arrived {
                rows[end].cells[to].ends.push(place);
            }
            let Some(start) = start else { continue };
            let sends = &mut rows[start].cells[from].sends;
            match sends.iter_mut().find(|broadcast| broadcast.label == message.label) {
                Some(broadcast) => broadcast.messages.push(place),
                None => sends.push(Broadcast { label: message.label.clone(), messages: vec![place] }),
            }
        }
        for note in &chart.notes {
            let row = &mut rows[row_of(note.at)];
            match note.lane.and_then(|lane| chart.lane(lane)) {
                Some(lane) => row.cells[lane].notes.push((note.kind, note.text.clone())),
                None => row.global.push(note.text.clone()),
            }
        }
        Rows { rows, ways }
    }
}
