//! `quorumscope list`: variants and built-in scenarios.

use crate::table::Table;
use crate::{Stop, invalid};
use quorumscope::core::node::Setup;
use quorumscope::core::{Faults, RuleSet, SettingKind, Settings, Shots};
use quorumscope::lab::presets::PRESETS;
use quorumscope::lab::{Quantity, text};
use quorumscope::universe::{self, Variant};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// Lists all variants and built-in scenarios, or describes one variant.
pub fn list(key: Option<&str>, as_json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
    match (key, as_json) {
        (None, true) => crate::json(
            &json!({
                "variants": universe::variants().iter().map(to_json).collect::<Vec<_>>(),
                "scenarios": PRESETS.iter().map(preset).collect::<Vec<_>>(),
            }),
            out,
        ),
        (None, false) => overview(out),
        (Some(key), _) => {
            let variant = universe::variant(key).ok_or_else(|| invalid(text::no_such_variant(key)))?;
            if as_json { crate::json(&to_json(variant), out) } else { details(variant, out) }
        }
    }
}

fn preset(preset: &quorumscope::lab::presets::Preset) -> Value {
    let scenario: Value = serde_json::from_str(preset.json).unwrap_or_default();
    json!({ "key": preset.key, "title": scenario["title"], "about": scenario["about"], "variant": scenario["variant"] })
}

fn overview(out: &mut impl Write) -> Result<ExitCode, Stop> {
    writeln!(out, "Variants (quorumscope list KEY tells more):")?;
    let width = universe::variants().iter().map(|variant| variant.card.key.len()).max().unwrap_or(0);
    for Variant { card, .. } in universe::variants() {
        writeln!(out, "  {:width$}  {}: {}", card.key, card.title, card.says)?;
    }
    writeln!(out, "\nScenarios (quorumscope run KEY runs one):")?;
    let width = PRESETS.iter().map(|preset| preset.key.len()).max().unwrap_or(0);
    for one in PRESETS.iter().map(preset) {
        let word = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
        writeln!(out, "  {:width$}  {} ({})", word("key"), word("title"), word("variant"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn details(variant: &Variant, out: &mut impl Write) -> Result<ExitCode, Stop> {
    let card = variant.card;
    writeln!(out, "{}", card.title)?;
    writeln!(out, "{}\n", card.says)?;
    writeln!(out, "  paper       {}", card.paper)?;
    writeln!(out, "  optimises   {}", card.optimises)?;
    writeln!(out, "  agrees on   {}", agrees_on(card.agrees_on))?;
    writeln!(out, "  survives    {}", faults(card.faults))?;
    let more = if takes_more_replicas(variant) { " or more" } else { "" };
    writeln!(out, "  replicas    {}{more}", card.min_replicas)?;
    let able = |able: bool, what: &str| able.then(|| what.to_owned());
    let abilities: Vec<String> =
        [able(card.transfer, "hand leadership over"), able(card.membership, "add and remove replicas")]
            .into_iter()
            .flatten()
            .collect();
    if !abilities.is_empty() {
        writeln!(out, "  can         {}", abilities.join(", "))?;
    }
    for formula in card.formulas {
        writeln!(out, "  messages    {} ({})", formula.text, formula.source)?;
    }
    writeln!(out, "\nMessages:")?;
    for kind in variant.kinds {
        let alias = if kind.alias.is_empty() { String::new() } else { format!(" ({})", kind.alias) };
        writeln!(out, "  {} {}{alias}: {}", kind.letter, kind.name, kind.says)?;
    }
    if !variant.settings.is_empty() {
        writeln!(out, "\nSettings:")?;
        let mut table = Table::left();
        for (setting, says) in variant.described_settings() {
            table.row([setting.key.to_owned(), accepts(&setting.kind), format!("{says}.")]);
        }
        table.write(out)?;
    }
    writeln!(out, "\nRules:")?;
    for rule in variant.rules() {
        writeln!(out, "  {} ({}; {})", rule.key, rule.title, rule.source)?;
        writeln!(out, "      {}", rule.says)?;
        if let Some(without) = rule.without {
            writeln!(out, "      Without it, {without}.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn agrees_on(agrees_on: Shots) -> &'static str {
    match agrees_on {
        Shots::Single => "one value, once",
        Shots::Log => "a log of commands",
        Shots::Registers => "registers, each by itself",
        Shots::Transactions => "the outcome of each transaction",
        Shots::Graph => "commands in an order as far as they do not commute",
        Shots::Nothing => "nothing",
    }
}

fn faults(faults: Faults) -> &'static str {
    match faults {
        Faults::CrashStop => "crashes of nodes that do not come back",
        Faults::CrashRecover => "crashes, and restarts from the disk",
        Faults::CrashForget => "crashes of fewer than half at a time, and restarts with nothing",
        Faults::Byzantine => "Byzantine nodes",
    }
}

/// The values that a setting accepts, and its default.
fn accepts(kind: &SettingKind) -> String {
    match kind {
        SettingKind::Flag { default } => format!("true or false; {default}"),
        SettingKind::Choice { options, default } => {
            format!("{}; {}", options.join(" or "), options[usize::from(*default)])
        }
        SettingKind::Count { min, max, default } => format!("{min} to {max}; {default}"),
        SettingKind::Duration { min, max } => {
            format!("{} to {}; derived", Quantity::from_micros(*min), Quantity::from_micros(*max))
        }
    }
}

/// Whether it makes sense with more replicas than the fewest: the protocol refuses numbers that it cannot do with.
fn takes_more_replicas(variant: &Variant) -> bool {
    (variant.card.min_replicas + 1..=16).any(|replicas| {
        let settings = Settings::defaults(variant.settings);
        let setup = Setup { replicas, rtt_max: 1_000, settings, ablated: RuleSet::EMPTY };
        !matches!((variant.replicas)(&setup), Err(("replicas", _)))
    })
}

fn to_json(variant: &Variant) -> Value {
    let card = variant.card;
    json!({
        "key": card.key,
        "title": card.title,
        "says": card.says,
        "paper": card.paper,
        "epoch": card.epoch,
        "optimises": card.optimises,
        "min_replicas": card.min_replicas,
        "agrees_on": agrees_on(card.agrees_on),
        "survives": faults(card.faults),
        "transfer": card.transfer,
        "membership": card.membership,
        "formulas": card.formulas.iter().map(|f| json!({ "text": f.text, "source": f.source })).collect::<Vec<_>>(),
        "messages": variant.kinds.iter().map(|kind| json!({
            "name": kind.name, "alias": kind.alias, "letter": kind.letter, "says": kind.says,
        })).collect::<Vec<_>>(),
        "settings": variant.described_settings().map(|(setting, says)| json!({
            "key": setting.key, "says": says, "accepts": accepts(&setting.kind),
        })).collect::<Vec<_>>(),
        "rules": variant.rules().iter().map(|rule| json!({
            "key": rule.key, "title": rule.title, "source": rule.source, "says": rule.says, "without": rule.without,
        })).collect::<Vec<_>>(),
    })
}
