//! Where replicas live, and what fails together: region, site (data centre), rack, machine.

use super::check::REPLICAS;
use super::problem::Complaints;
use super::scenario::Scenario;
use crate::sim::{DomainId, Domains};
use crate::universe::Variant;

/// Where everything is.
pub(super) struct Layout {
    /// The site of each replica.
    pub placement: Vec<u8>,
    /// What fails together.
    pub domains: Domains,
    /// The names of the domains.
    pub names: Vec<String>,
}

impl Layout {
    /// The domain of this name, added where it is new.
    fn domain(&mut self, name: String, around: Option<DomainId>) -> DomainId {
        match self.names.iter().position(|known| *known == name) {
            Some(index) => DomainId(index as u16),
            None => {
                self.names.push(name);
                self.domains.add(around)
            }
        }
    }
}

/// The site of a place such as `site/rack`, by its index among `ids`, and what follows it. A site's id may have a slash in it itself.
pub(super) fn site_of<'a>(ids: &[&str], place: &'a str) -> Option<(usize, &'a str)> {
    let rest = |id: &str| place.strip_prefix(id).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let fits = |(index, id): (usize, &&str)| Some((index, rest(id)?));
    ids.iter().enumerate().filter_map(fits).min_by_key(|(index, rest)| (rest.len(), *index))
}

impl Scenario {
    /// The index of the site in which a replica's place is: `site`, `site/rack` or `site/rack/machine`.
    pub fn site_of(&self, place: &str) -> Option<usize> {
        let ids: Vec<&str> = self.sites.iter().map(|site| site.id.as_str()).collect();
        site_of(&ids, place).map(|(index, _)| index)
    }

    pub(super) fn lay_out(&self, ids: &[&str], variant: Option<&Variant>, wrong: &mut Complaints) -> Layout {
        let least = variant.map_or(1, |variant| usize::from(variant.card.min_replicas).max(1));
        if self.replicas.len() < least || self.replicas.len() > REPLICAS {
            let says = format!("{least} to {REPLICAS} would do");
            wrong.add("replicas", format!("{} replicas", self.replicas.len()), says);
        }
        let mut layout = Layout { placement: Vec::new(), domains: Domains::default(), names: Vec::new() };
        for (i, site) in self.sites.iter().enumerate().take(ids.len()) {
            let region = site.region.as_ref().map(|region| {
                if region.is_empty() || region.len() > 60 || ids.contains(&region.as_str()) {
                    let says = "1 to 60 bytes that are not the id of a site would do";
                    wrong.add(format!("sites[{i}].region"), format!("\"{region}\""), says);
                }
                layout.domain(region.clone(), None)
            });
            let domain = layout.domain(site.id.clone(), region);
            layout.domains.add_site(domain);
        }
        for (i, place) in self.replicas.iter().enumerate().take(REPLICAS) {
            let Some((site, rest)) = site_of(ids, place) else {
                wrong.unknown(format!("replicas[{i}]"), place, "sites", ids.iter().copied());
                layout.placement.push(0);
                continue;
            };
            let parts: Vec<&str> = rest.split('/').skip(1).collect();
            if parts.len() > 2 || parts.iter().any(|part| part.is_empty() || part.len() > 60) {
                let says = "a site, site/rack or site/rack/machine would do, each of 1 to 60 bytes";
                wrong.add(format!("replicas[{i}]"), format!("\"{place}\""), says);
            }
            layout.placement.push(site as u8);
            let mut domain = layout.domains.of_site(site as u8);
            let mut name = ids[site].to_owned();
            for part in parts.iter().take(2) {
                name = format!("{name}/{part}");
                domain = Some(layout.domain(name.clone(), domain));
            }
            if let Some(domain) = domain {
                layout.domains.place(domain);
            }
        }
        layout
    }
}
