//! Failure domains: a tree of regions, data centres (sites), racks and machines, each of which can fail as a whole.

use crate::core::NodeId;

/// Id of a failure domain: its index among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainId(pub u16);

/// Tree of failure domains, with the domain of each site and initial replica.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// Parent of each domain; `None` for roots.
    around: Vec<Option<DomainId>>,
    /// Domain of each site, by index of the site.
    of_site: Vec<DomainId>,
    /// Innermost domain of each initial replica.
    of_replica: Vec<DomainId>,
}

impl Domains {
    /// Number of domains.
    pub fn len(&self) -> usize {
        self.around.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.around.is_empty()
    }

    /// Adds a domain within `around`, or a root.
    pub fn add(&mut self, around: Option<DomainId>) -> DomainId {
        self.around.push(around);
        DomainId(self.around.len() as u16 - 1)
    }

    /// Sets the domain of the next site.
    pub fn add_site(&mut self, domain: DomainId) {
        self.of_site.push(domain);
    }

    /// Sets the innermost domain of the next initial replica.
    pub fn place(&mut self, domain: DomainId) {
        self.of_replica.push(domain);
    }

    /// The domain of a site; `None` in a world without domains.
    pub fn of_site(&self, site: u8) -> Option<DomainId> {
        self.of_site.get(usize::from(site)).copied()
    }

    /// The innermost domain of an initial replica; `None` for those that joined later.
    pub fn of_replica(&self, replica: NodeId) -> Option<DomainId> {
        self.of_replica.get(usize::from(replica.0)).copied()
    }

    /// Whether `inner` is `outer` or a descendant of it.
    pub fn within(&self, inner: Option<DomainId>, outer: DomainId) -> bool {
        let mut at = inner;
        while let Some(domain) = at {
            if domain == outer {
                return true;
            }
            at = self.around[usize::from(domain.0)];
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_contains_itself_and_its_descendants_only() {
        let mut domains = Domains::default();
        let region = domains.add(None);
        let (here, there) = (domains.add(Some(region)), domains.add(Some(region)));
        let rack = domains.add(Some(here));
        let machine = domains.add(Some(rack));
        assert!([machine, rack, here, region].iter().all(|outer| domains.within(Some(machine), *outer)));
        assert!(!domains.within(Some(machine), there));
        assert!(!domains.within(Some(here), machine));
        assert!(!domains.within(None, region));
    }
}
