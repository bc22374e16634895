//! Numbers of a run as tables, and the one writer of such tables (RFC 4180).

use super::jsonl::{fate, name};
use super::recording::Recording;
use crate::core::{ClientId, Micros, Outcome};
use crate::lab::Session;
use crate::lab::run::diagram::{Fate, Lane, Message, MessageKind};
use std::collections::BTreeMap;

/// One line of a table: cells with commas, quotes or line breaks are quoted.
pub fn line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

fn head(names: &[&str]) -> String {
    line(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
}

/// A row for each request of a client, in the order in which they were first sent.
pub(super) fn requests(run: &Recording, session: &Session) -> String {
    let places = &session.checked().places;
    let sites = run.sites_of_clients();
    let attempts = Attempts::of(run);
    let mut text = head(&[
        "request",
        "client",
        "site",
        "operation",
        "submitted_us",
        "answered_us",
        "latency_us",
        "outcome",
        "attempts",
        "answered_by",
    ]);
    for (number, request) in (1..).zip(run.requests()) {
        let site = sites.get(&request.client).and_then(|site| places.get(usize::from(*site)));
        let (answered, latency, outcome) = match request.told {
            Some((at, outcome)) => (at.to_string(), (at - request.asked).to_string(), in_words(outcome)),
            None => (String::new(), String::new(), "none yet".to_owned()),
        };
        let (sent, by) = attempts.of_request(request.client, request.asked, request.told.map(|(at, _)| at));
        text += &line(&[
            number.to_string(),
            format!("{}", request.client.0 + 1),
            site.map_or(String::new(), |place| place.id.clone()),
            format!("{:?}", request.op),
            request.asked.to_string(),
            answered,
            latency,
            outcome,
            sent.to_string(),
            by.map_or(String::new(), |node| node.to_string()),
        ]);
    }
    text
}

/// The outcome of a request.
pub(super) fn in_words(outcome: Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Value(Some(value)) => format!("value {value}"),
        Outcome::Value(None) => "unset".to_owned(),
        Outcome::Differs(Some(value)) => format!("differs: {value}"),
        Outcome::Differs(None) => "differs: unset".to_owned(),
        Outcome::Chosen(op) => format!("chosen: {op:?}"),
        Outcome::Granted { token } => format!("granted, token {token}"),
        Outcome::Refused => "refused".to_owned(),
        Outcome::Took { ticket, item } => format!("took {item}, ticket {ticket}"),
        Outcome::Arrived { generation } => format!("arrived, generation {generation}"),
        Outcome::Version { version, value } => format!("version {version}: {value}"),
        Outcome::Placed { position } => format!("position {position}"),
        Outcome::NotYet => "not yet".to_owned(),
    }
}

/// Requests as messages, and the replies that arrived: by client, in order of time.
struct Attempts {
    sent: BTreeMap<ClientId, Vec<Micros>>,
    /// When, and from which node, counted from 1.
    heard: BTreeMap<ClientId, Vec<(Micros, u8)>>,
}

impl Attempts {
    fn of(run: &Recording) -> Attempts {
        let mut attempts = Attempts { sent: BTreeMap::new(), heard: BTreeMap::new() };
        for (_, message) in run.history().messages() {
            let Some(client) = message.client else { continue };
            match (message.kind, message.from) {
                (MessageKind::Request, _) => attempts.sent.entry(client).or_default().push(message.sent),
                (MessageKind::Reply(_), Lane::Node(node)) if message.fate == Fate::Delivered => {
                    attempts.heard.entry(client).or_default().push((message.arrives, node.0 + 1));
                }
                _ => {}
            }
        }
        attempts.sent.values_mut().for_each(|times| times.sort_unstable());
        attempts.heard.values_mut().for_each(|times| times.sort_unstable());
        attempts
    }

    /// How many messages were sent for a request, and the node whose reply ended it.
    fn of_request(&self, client: ClientId, asked: Micros, told: Option<Micros>) -> (usize, Option<u8>) {
        let sent = self.sent.get(&client).map_or(&[][..], Vec::as_slice);
        let first = sent.partition_point(|at| *at < asked);
        let last = sent.partition_point(|at| told.is_none_or(|told| *at < told));
        let heard = self.heard.get(&client).map_or(&[][..], Vec::as_slice);
        let by = told.and_then(|told| heard[..heard.partition_point(|(at, _)| *at <= told)].last());
        (last.saturating_sub(first), by.filter(|(at, _)| Some(*at) == told).map(|(_, node)| *node))
    }
}

/// Messages of one kind.
#[derive(Default)]
struct OfKind {
    fates: [u64; 5],
    bytes: u64,
    ways: Vec<Micros>,
}

const FATES: [Fate; 5] = [Fate::Delivered, Fate::Lost, Fate::UnderWay, Fate::Held, Fate::Unsent];

/// A row for each kind of message: those of the protocol in the order of its declaration, then those of clients.
pub(super) fn messages(run: &Recording, session: &Session) -> String {
    let kinds = session.checked().variant.kinds;
    let clients = ["request", "answer", "refusal", "redirect"];
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name).chain(clients).collect();
    let mut of: BTreeMap<&str, OfKind> = BTreeMap::new();
    for (_, Message { kind, fate, bytes, sent, arrives, .. }) in run.history().messages() {
        let of = of.entry(name(kinds, *kind)).or_default();
        if let Some(place) = FATES.iter().position(|one| one == fate) {
            of.fates[place] += 1;
        }
        of.bytes += u64::from(*bytes);
        of.ways.extend((*fate == Fate::Delivered).then_some(arrives - sent));
    }
    let words = FATES.map(|of| fate(of).replace(' ', "_"));
    let mut columns = vec!["kind", "between", "sent"];
    columns.extend(words.iter().map(String::as_str));
    columns.extend(["bytes", "median_way_us", "longest_way_us"]);
    let mut text = head(&columns);
    for (place, name) in names.iter().enumerate() {
        let mut of = of.remove(name).unwrap_or_default();
        of.ways.sort_unstable();
        let between = if place < kinds.len() { "nodes" } else { "clients and nodes" };
        let way = |way: Option<&Micros>| way.map_or(String::new(), Micros::to_string);
        let mut cells = vec![(*name).to_owned(), between.to_owned(), of.fates.iter().sum::<u64>().to_string()];
        cells.extend(of.fates.iter().map(u64::to_string));
        cells.extend([of.bytes.to_string(), way(of.ways.get(of.ways.len() / 2)), way(of.ways.last())]);
        text += &line(&cells);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_with_commas_and_quotes_are_quoted() {
        let cells = ["a", "1,5", "say \"so\""].map(str::to_owned);
        assert_eq!(super::line(&cells), "a,\"1,5\",\"say \"\"so\"\"\"\r\n");
    }
}
