//! Failure domains: what fails together. A region contains data centres (sites), those contain racks, and those machines.

use crate::core::NodeId;

/// One failure domain, by its place among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainId(pub u16);

/// A tree of failure domains, and where everything is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// The domain around each; `None` for the outermost.
    around: Vec<Option<DomainId>>,
    /// The domain that each site is, by index of the site.
    of_site: Vec<DomainId>,
    /// The innermost domain that each replica of the start lives in.
    of_replica: Vec<DomainId>,
}

impl Domains {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.around.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.around.is_empty()
    }

    /// Adds a domain within another, or an outermost one.
    pub fn add(&mut self, around: Option<DomainId>) -> DomainId {
        self.around.push(around);
        DomainId(self.around.len() as u16 - 1)
    }

    /// The next site is this domain.
    pub fn add_site(&mut self, domain: DomainId) {
        self.of_site.push(domain);
    }

    /// The next replica of the start lives here.
    pub fn place(&mut self, domain: DomainId) {
        self.of_replica.push(domain);
    }

    /// The domain of a site; `None` in a world without domains.
    pub fn of_site(&self, site: u8) -> Option<DomainId> {
        self.of_site.get(usize::from(site)).copied()
    }

    /// The innermost domain of a replica of the start.
    pub fn of_replica(&self, replica: NodeId) -> Option<DomainId> {
        self.of_replica.get(usize::from(replica.0)).copied()
    }

    /// Whether `inner` is `outer` or lies within it.
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
    fn a_machine_is_in_its_rack_site_and_region_and_in_no_other() {
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
