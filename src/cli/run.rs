//! `quorumscope run`: one run and its report.

use crate::progress::Progress;
use crate::table::{Table, ms, seconds, thousands};
use crate::{Source, Stop, UNDECIDED, invalid, source};
use quorumscope::core::LeaderModel;
use quorumscope::judge::linearizability::Model;
use quorumscope::lab::problem::Problems;
use quorumscope::lab::run::report::ViolationReport;
use quorumscope::lab::run::{Report, Run};
use quorumscope::lab::{consistency, history};
use quorumscope::universe;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Events between two updates of the progress bar.
const SLICE: u64 = 200_000;

/// Runs the scenario to its end, or to the moment a link describes.
pub fn run(
    source: &Source,
    history: Option<&Path>,
    memory: u64,
    json: bool,
    out: &mut impl Write,
) -> Result<ExitCode, Stop> {
    let document = source::document(source)?;
    let wrong = |problems| source::about(&source.scenario, problems);
    let mut run = Run::new(&document).map_err(wrong)?;
    run.limit_memory(memory);
    let mut progress = Progress::new("running");
    while !run.advance(SLICE).map_err(|problem| wrong(Problems::from(problem)))? {
        progress.set(run.permille());
    }
    progress.done();
    let model = history.map(|file| write_history(&run, file)).transpose()?;
    let report = run.report();
    if json {
        crate::json(&report, out)?;
    } else {
        print(&report, out)?;
        if let (Some(file), Some(model)) = (history, model) {
            writeln!(out, "\nTo judge the history: quorumscope linearize {} --model {}", file.display(), model.key())?;
        }
    }
    Ok(exit_code(&report))
}

/// What came of a run: a violated property is a finding, whether the run was cut short or not.
pub fn exit_code(report: &Report) -> ExitCode {
    match (report.violations.is_empty(), report.cut_short.is_empty()) {
        (false, _) => ExitCode::FAILURE,
        (true, false) => ExitCode::from(UNDECIDED),
        (true, true) => ExitCode::SUCCESS,
    }
}

/// Writes what clients asked and were told; tells the model that can judge it.
fn write_history(run: &Run, file: &Path) -> Result<Model, Stop> {
    let Some(history) = consistency::history(run.session().universe()) else {
        return Err(invalid(
            "--history: no model of `linearize` knows what these clients do; those of the services kv, lock and config would do, and of a \
             queue whose items are done with before their leases end",
        ));
    };
    let model = Model::of(&history);
    crate::write_file(file, "--history", &history::write(&history, model))?;
    Ok(model)
}

fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let title = universe::variant(report.variant).map_or(report.variant, |variant| variant.card.title);
    if !report.title.is_empty() {
        writeln!(out, "{}", report.title)?;
    }
    writeln!(
        out,
        "{title}, seed {}: {} simulated, {} events, fingerprint {}",
        report.seed,
        seconds(report.time_us),
        thousands(report.events),
        report.fingerprint
    )?;
    if !report.cut_short.is_empty() {
        writeln!(out, "The run was cut short, {}.", report.cut_short)?;
    }
    if report.measured_from_us > 0 {
        writeln!(out, "Commands, messages and latencies are those after {}.", seconds(report.measured_from_us))?;
    }
    commands(report, out)?;
    latencies(report, out)?;
    messages(report, out)?;
    events(report, out)
}

fn commands(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let commands = &report.commands;
    let mut parts = vec![
        format!("{} answered", thousands(commands.answered)),
        format!("{} committed", thousands(commands.committed)),
        format!("{} waiting at the end", thousands(commands.waiting)),
    ];
    if commands.retried > 0 {
        parts.push(format!("{} requests sent again", thousands(commands.retried)));
    }
    if commands.turned_away > 0 {
        parts.push(format!("{} turned away", thousands(commands.turned_away)));
    }
    writeln!(out, "\nCommands: {}", parts.join(", "))
}

fn latencies(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.latency_us.is_empty() {
        return Ok(());
    }
    let mut table = Table::default();
    table.row(["Latency in ms", "count", "mean", "p50", "p90", "p99", "max"]);
    for site in &report.latency_us {
        let name = if site.name == site.site { site.name.clone() } else { format!("{} ({})", site.name, site.site) };
        let times = [site.mean, site.p50, site.p90, site.p99, site.max].map(ms);
        table.row([name, thousands(site.count)].into_iter().chain(times));
    }
    writeln!(out)?;
    table.write(out)
}

fn messages(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let messages = &report.messages;
    let each = messages.per_command.map(|each| format!(", {each:.3} a command without heartbeats")).unwrap_or_default();
    writeln!(out, "\nMessages: {}{each}; {} bytes", thousands(messages.total), thousands(messages.bytes))?;
    let mut table = Table::default();
    for kind in messages.by_kind.iter().filter(|kind| kind.count > 0) {
        table.row([kind.kind.to_owned(), thousands(kind.count)]);
    }
    for (sender, (count, bytes)) in (1..).zip(messages.by_sender.iter().zip(&messages.bytes_by_sender)) {
        table.row([format!("from node {sender}"), thousands(*count), format!("{} bytes", thousands(*bytes))]);
    }
    for pair in messages.between_sites.iter().filter(|pair| pair.from != pair.to) {
        table.row([format!("{} to {}", pair.from, pair.to), thousands(pair.count)]);
    }
    if messages.lost > 0 {
        table.row(["lost".to_owned(), thousands(messages.lost)]);
    }
    table.write(out)
}

fn events(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let card = universe::variant(report.variant).map(|variant| variant.card);
    let word = card.map_or("term", |card| card.epoch);
    match card.map(|card| card.leader) {
        Some(LeaderModel::None) if report.leaders.is_empty() => {
            writeln!(out, "\nLeaders: none, as this variant has none")?
        }
        _ => writeln!(out, "\nLeaders: {}", report.leaders.len())?,
    }
    for leader in &report.leaders {
        writeln!(out, "  at {}: node {}, {word} {}", seconds(leader.at_us), leader.node, leader.epoch)?;
    }
    let patience = seconds(report.patience_us);
    writeln!(out, "\nOutages (somebody waits, and for {patience} nobody is answered): {}", report.outages.len())?;
    for outage in &report.outages {
        let open = if outage.open { ", and not over" } else { "" };
        let long = seconds(outage.to_us - outage.from_us);
        writeln!(out, "  from {} to {}: {long}{open}", seconds(outage.from_us), seconds(outage.to_us))?;
    }
    if !report.orders.is_empty() {
        writeln!(out, "\nOrders: {}", report.orders.len())?;
        for order in &report.orders {
            let ended = order.ended_us.map(|at| format!(" at {}", seconds(at))).unwrap_or_default();
            let why = order.why.as_ref().map(|why| format!(", {why}")).unwrap_or_default();
            let (at, leader) = (seconds(order.at_us), order.leader);
            writeln!(out, "  at {at} to node {leader}, {}: {}{ended}{why}", order.order, order.outcome)?;
        }
        let members: Vec<String> = report.members.iter().map(u32::to_string).collect();
        writeln!(out, "  members at the end: {}", members.join(", "))?;
    }
    if !report.resolved.is_empty() {
        writeln!(out, "\nTargets by role: {}", report.resolved.len())?;
        for resolved in &report.resolved {
            let at = seconds(resolved.at_us);
            writeln!(out, "  {} at {at}, {}: {}", resolved.field, resolved.roles, resolved.action)?;
        }
    }
    if !report.refused.is_empty() {
        writeln!(out, "\nRefused, because it was impossible then: {}", report.refused.len())?;
        for refused in &report.refused {
            let at = seconds(refused.at_us);
            writeln!(out, "  {} at {at}: {}: {}", refused.field, refused.action, refused.why)?;
        }
    }
    let history = report.history.map(|history| format!("; what clients saw is {history}")).unwrap_or_default();
    let with = |finding: &str| -> Vec<&str> {
        report.properties.iter().filter(|one| one.finding == finding).map(|one| one.property).collect()
    };
    if let Some(stuck) = &report.stuck {
        writeln!(out, "\nAt the end: {stuck}")?;
    }
    writeln!(out, "\nProperties:")?;
    for finding in ["held", "violated", "never exercised", "not applicable"] {
        if let properties @ [_, ..] = with(finding).as_slice() {
            writeln!(out, "  {finding}: {}", properties.join(", "))?;
        }
    }
    writeln!(out, "\nViolations: {}{history}", report.violations.len())?;
    report.violations.iter().try_for_each(|violation| print_violation(violation, out))?;
    if !report.not_promised.is_empty() {
        writeln!(out, "\nNot promised by the variant, and not kept: {}", report.not_promised.len())?;
        report.not_promised.iter().try_for_each(|violation| print_violation(violation, out))?;
    }
    Ok(())
}

fn print_violation(violation: &ViolationReport, out: &mut impl Write) -> io::Result<()> {
    let nodes: Vec<String> = violation.nodes.iter().map(u32::to_string).collect();
    let by = if nodes.is_empty() { String::new() } else { format!(" by nodes {}", nodes.join(", ")) };
    let slot = violation.place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
    writeln!(
        out,
        "  at {}, event {}: {}{by}{slot}. {}",
        seconds(violation.at_us),
        violation.event,
        violation.property,
        violation.says
    )
}
