//! Placement of replicas in failure domains: region, site (data centre), rack, machine.

use super::problem::ProblemCollector;
use super::read::REPLICAS;
use super::scenario::Scenario;
use crate::core::RuleSet;
use crate::sim::{DomainId, Domains};
use crate::universe::Variant;

/// The placement of a scenario's replicas and the tree of its failure domains.
pub(super) struct Layout {
    /// The index of each replica's site.
    pub placement: Vec<u8>,
    /// The tree of failure domains.
    pub domains: Domains,
    /// The names of the domains, by [`DomainId`].
    pub names: Vec<String>,
}

impl Layout {
    /// The domain of this name inside `around`, added if it is new.
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

/// The index among `ids` of the site of a place such as `site/rack`, and the rest of the place's name. The longest id that fits is
/// taken, as ids may contain slashes.
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

    /// Reads `replicas` and the regions of `sites`.
    pub(super) fn lay_out(
        &self,
        ids: &[&str],
        variant: Option<&Variant>,
        ablated: RuleSet,
        problems: &mut ProblemCollector,
    ) -> Layout {
        let least = variant.map_or(1, |variant| usize::from((variant.least_replicas)(ablated)).max(1));
        if self.replicas.len() < least || self.replicas.len() > REPLICAS {
            let says = format!("{least} to {REPLICAS} would do");
            problems.add("replicas", format!("{} replicas", self.replicas.len()), says);
        }
        let mut layout = Layout { placement: Vec::new(), domains: Domains::default(), names: Vec::new() };
        for (i, site) in self.sites.iter().enumerate().take(ids.len()) {
            let region = site.region.as_ref().map(|region| {
                if region.is_empty() || region.len() > 60 || ids.contains(&region.as_str()) {
                    let says = "1 to 60 bytes that are not the id of a site would do";
                    problems.add(format!("sites[{i}].region"), format!("\"{region}\""), says);
                }
                layout.domain(region.clone(), None)
            });
            let domain = layout.domain(site.id.clone(), region);
            layout.domains.add_site(domain);
        }
        for (i, place) in self.replicas.iter().enumerate().take(REPLICAS) {
            let Some((site, rest)) = site_of(ids, place) else {
                problems.unknown(format!("replicas[{i}]"), place, "sites", ids.iter().copied());
                layout.placement.push(0);
                continue;
            };
            let parts: Vec<&str> = rest.split('/').skip(1).collect();
            if parts.len() > 2 || parts.iter().any(|part| part.is_empty() || part.len() > 60) {
                let says = "a site, site/rack or site/rack/machine would do, each of 1 to 60 bytes";
                problems.add(format!("replicas[{i}]"), format!("\"{place}\""), says);
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
