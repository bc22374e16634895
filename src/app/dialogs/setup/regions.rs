//! Regions of the set-up dialog: the matrix of round trips, replicas and clients of each region.

use super::draft::{Change, Draft, edit, message, problem_at};
use crate::elements::controls::{checkbox, select};
use crate::elements::text;
use quorumscope::lab::REPLICAS;
use quorumscope::lab::atlas::{self, MATRICES, Matrix};
use quorumscope::lab::{Clients, Scenario, Site};
use yew::prelude::*;

/// A line of the list of regions.
struct Line {
    id: String,
    name: String,
    replicas: usize,
    clients: bool,
}

/// The list of regions.
pub fn regions(draft: &Draft) -> Html {
    let Draft { scenario, change, problems, .. } = *draft;
    let matrix = scenario.matrix.as_deref().and_then(atlas::matrix);
    let on_matrix = edit(scenario, change, |scenario, key: String| {
        if let Some(matrix) = atlas::matrix(&key) {
            *scenario = moved_to(scenario, matrix);
        }
    });
    let matrices = MATRICES.iter().map(|each| (each.key.into(), each.title.into())).collect();
    let chosen = scenario.matrix.as_deref().unwrap_or("This scenario");
    html! {
        <fieldset class="regions">
            <legend>{ "Regions" }<small>{ format!("{} in all, of at most {REPLICAS}", text::count(scenario.replicas.len(), "replica")) }</small></legend>
            { message(problem_at("replicas", problems)) }
            <label class="field">
                <span>{ "Round trips measured in" }</span>
                { select("Round trips measured in".into(), matrices, chosen, on_matrix) }
                <small>{ matrix.map_or("", |matrix| matrix.source) }</small>
            </label>
            <ul>{ for lines(scenario, matrix).into_iter().map(|line| show(line, scenario, change)) }</ul>
        </fieldset>
    }
}

fn show(Line { id, name, replicas, clients }: Line, scenario: &Scenario, change: &Change) -> Html {
    let site = id.clone();
    let on_clients =
        edit(scenario, change, move |scenario, wanted: bool| *scenario = with_clients(scenario, &site, wanted));
    let used = replicas > 0 || clients;
    html! {
        <li key={id.clone()} class={used.then_some("used")}>
            <span class="name">{ &name }</span>
            <span class="stepper">
                { step("−", format!("One replica less in {name}"), replicas == 0, &id, one_less, scenario, change) }
                <output aria-label={format!("Replicas in {name}")}>{ replicas }</output>
                { step("+", format!("One replica more in {name}"), scenario.replicas.len() >= REPLICAS, &id, one_more, scenario, change) }
            </span>
            <label>{ checkbox(Some(format!("A client in {name}").into()), clients, on_clients) }{ " client" }</label>
        </li>
    }
}

fn step(
    sign: &'static str,
    label: String,
    disabled: bool,
    id: &str,
    step: fn(&Scenario, &str) -> Scenario,
    scenario: &Scenario,
    change: &Change,
) -> Html {
    let id = id.to_owned();
    let onclick = edit(scenario, change, move |scenario, _: MouseEvent| *scenario = step(scenario, &id));
    html! { <button type="button" aria-label={label} {disabled} {onclick}>{ sign }</button> }
}

/// The regions of the matrix, or those of a scenario with round trips of its own.
fn lines(scenario: &Scenario, matrix: Option<&Matrix>) -> Vec<Line> {
    let named: Vec<(String, String)> = match matrix {
        Some(matrix) => matrix.regions.iter().map(|region| (region.id.to_owned(), region.name.to_owned())).collect(),
        None => {
            scenario.sites.iter().map(|site| (site.id.clone(), site.name.clone().unwrap_or(site.id.clone()))).collect()
        }
    };
    let line = |(id, name): (String, String)| Line {
        replicas: scenario.replicas.iter().filter(|place| is_at(place, &id)).count(),
        clients: scenario.clients.iter().any(|clients| clients.site == id),
        id,
        name,
    };
    named.into_iter().map(line).collect()
}

/// Whether a place, `site` or `site/rack/machine`, is at this site.
fn is_at(place: &str, site: &str) -> bool {
    place.strip_prefix(site).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// One more replica at this site.
fn one_more(scenario: &Scenario, id: &str) -> Scenario {
    let mut scenario = with_site(scenario, id);
    scenario.replicas.push(id.to_owned());
    scenario
}

fn one_less(scenario: &Scenario, id: &str) -> Scenario {
    let mut scenario = scenario.clone();
    if let Some(last) = scenario.replicas.iter().rposition(|place| is_at(place, id)) {
        scenario.replicas.remove(last);
    }
    tidy(scenario)
}

fn with_clients(scenario: &Scenario, id: &str, wanted: bool) -> Scenario {
    let mut scenario = with_site(scenario, id);
    scenario.clients.retain(|clients| clients.site != id);
    if wanted {
        // They do what the others do.
        let like = scenario.clients.first().cloned().unwrap_or_default();
        scenario.clients.push(Clients { site: id.to_owned(), ..like });
    }
    tidy(scenario)
}

fn with_site(scenario: &Scenario, id: &str) -> Scenario {
    let mut scenario = scenario.clone();
    if !scenario.sites.iter().any(|site| site.id == id) {
        scenario.sites.push(Site::named(id));
    }
    scenario
}

/// Removes sites of the matrix that have neither replicas nor clients, with the faults of the script there.
fn tidy(mut scenario: Scenario) -> Scenario {
    if scenario.matrix.is_none() {
        return scenario;
    }
    let lives = |id: &str| {
        scenario.replicas.iter().any(|place| is_at(place, id))
            || scenario.clients.iter().any(|clients| clients.site == id)
    };
    let gone: Vec<String> = scenario.sites.iter().map(|site| site.id.clone()).filter(|id| !lives(id)).collect();
    scenario.sites.retain(|site| !gone.contains(&site.id));
    let is_gone = |place: &String| gone.iter().any(|site| is_at(place, site));
    scenario.script.retain(|fault| !fault.site.iter().chain(&fault.place).any(is_gone));
    scenario
}

/// The scenario on another matrix: sites are matched by name; those it does not have move to its first regions.
fn moved_to(scenario: &Scenario, matrix: &Matrix) -> Scenario {
    let old = scenario.matrix.as_deref().and_then(atlas::matrix);
    let name = |site: &Site| {
        let known = old.and_then(|old| old.region(&site.id)).map(|(_, region)| region.name.to_owned());
        site.name.clone().or(known).unwrap_or(site.id.clone())
    };
    let mut free = matrix.regions.iter().map(|region| region.id);
    let mut places: Vec<(String, String)> = Vec::new();
    for site in &scenario.sites {
        let same = matrix.regions.iter().find(|region| region.name == name(site)).map(|region| region.id);
        let taken = |id: &str| places.iter().any(|(_, new)| new == id);
        if let Some(id) = same.filter(|id| !taken(id)).or_else(|| free.find(|id| !taken(id))) {
            places.push((site.id.clone(), id.to_owned()));
        }
    }
    let new = |id: &String| places.iter().find(|(old, _)| old == id).map(|(_, new)| new.clone());
    let mut moved = scenario.clone();
    moved.matrix = Some(matrix.key.to_owned());
    moved.rtt_ms = Vec::new();
    moved.sites = places.iter().map(|(_, id)| Site::named(id)).collect();
    // Racks are dropped, which the new matrix does not have.
    let site = |place: &String| new(&scenario.sites[scenario.site_of(place)?].id);
    moved.replicas = scenario.replicas.iter().filter_map(site).collect();
    moved.clients.retain_mut(|clients| new(&clients.site).map(|site| clients.site = site).is_some());
    moved.script.retain_mut(|fault| {
        let named = fault.site.is_some() || fault.place.is_some();
        fault.site = fault.site.as_ref().and_then(new);
        fault.place = fault.place.as_ref().and_then(new);
        !named || fault.site.is_some() || fault.place.is_some()
    });
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario() -> Scenario {
        Scenario {
            variant: quorumscope::universe::variants()[0].card.key.to_owned(),
            matrix: Some("aws".to_owned()),
            sites: ["us-east-1", "eu-west-1"].map(Site::named).to_vec(),
            replicas: ["us-east-1", "eu-west-1", "eu-west-1"].map(str::to_owned).to_vec(),
            clients: vec![Clients { site: "us-east-1".to_owned(), think: Some("5ms".into()), ..Clients::default() }],
            ..Scenario::default()
        }
    }

    #[test]
    fn site_exists_while_it_has_a_replica_or_client() {
        let more = one_more(&scenario(), "us-west-2");
        assert_eq!((more.sites.len(), more.replicas.len()), (3, 4));
        assert_eq!(one_less(&more, "us-west-2"), scenario());
        let clients = with_clients(&scenario(), "us-west-2", true);
        assert_eq!(clients.clients[1].think, Some("5ms".into()), "new clients do what the others do");
        assert_eq!(with_clients(&clients, "us-west-2", false), scenario());
    }

    #[test]
    fn other_matrix_keeps_the_regions_it_has() {
        for matrix in MATRICES {
            let moved = moved_to(&scenario(), matrix);
            assert!(moved.check().is_ok(), "{}: {:?}", matrix.key, moved.check().err());
            assert_eq!(moved.replicas.len(), 3);
            let names = |scenario: &Scenario| {
                scenario.check().map(|checked| checked.places.into_iter().map(|place| place.name).collect::<Vec<_>>())
            };
            assert_eq!(names(&moved).unwrap()[0], "Virginia");
        }
    }
}
