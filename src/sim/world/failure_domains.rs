//! Faults of failure domains: crash, restart, pause and partition of a rack, site or region; computation of partitions.

use super::World;
use super::actions::refuse;
use crate::core::{ClientId, NodeId, NodeSet};
use crate::sim::action::{DomainFault, Refusal};
use crate::sim::domains::DomainId;

impl World {
    /// The nodes in a domain.
    pub fn inside(&self, domain: DomainId) -> NodeSet {
        let inside = |id: &NodeId| self.domains.within(self.hosts[usize::from(id.0)].domain, domain);
        (0..self.hosts.len() as u8).map(NodeId).filter(inside).fold(NodeSet::EMPTY, NodeSet::with)
    }

    /// The partitioned domains.
    pub fn partitioned(&self) -> &[DomainId] {
        self.faults.as_ref().map_or(&[], |faults| &faults.partitioned)
    }

    pub(super) fn can_inject_domain_fault(&self, domain: DomainId, fault: DomainFault) -> Result<(), Refusal> {
        if usize::from(domain.0) >= self.domains.len() {
            return refuse(format!("there is no place {}; there are {}", domain.0 + 1, self.domains.len()));
        }
        let partitioned = self.partitioned().contains(&domain);
        match fault {
            DomainFault::Partition if partitioned => refuse("it is cut off already"),
            DomainFault::Reconnect if !partitioned => refuse("it is not cut off"),
            DomainFault::Partition | DomainFault::Reconnect => Ok(()),
            _ if self.affected(domain, fault).is_empty() => refuse(match fault {
                DomainFault::Restart => "no node there is down that could start",
                DomainFault::Continue => "no node there is paused",
                _ => "no node runs there",
            }),
            _ => Ok(()),
        }
    }

    /// The nodes in a domain to which a fault applies.
    fn affected(&self, domain: DomainId, fault: DomainFault) -> NodeSet {
        let concerned = |node: &NodeId| match fault {
            DomainFault::Crash => self.is_up(*node),
            DomainFault::Restart => !self.is_up(*node) && !self.disk_state(*node).rotten,
            DomainFault::Pause => self.is_up(*node) && !self.is_paused(*node) && !self.has_twin(*node),
            DomainFault::Continue => self.is_paused(*node),
            DomainFault::Partition | DomainFault::Reconnect => false,
        };
        self.inside(domain).iter().filter(concerned).fold(NodeSet::EMPTY, NodeSet::with)
    }

    pub(super) fn inject_domain_fault(&mut self, domain: DomainId, fault: DomainFault) {
        for node in self.affected(domain, fault).iter() {
            match fault {
                DomainFault::Crash => self.crash(node),
                DomainFault::Restart => self.boot(node),
                DomainFault::Pause => self.pause(node, false),
                DomainFault::Continue => self.end_pause(node),
                DomainFault::Partition | DomainFault::Reconnect => {}
            }
        }
        match fault {
            DomainFault::Partition => self.faults().partitioned.push(domain),
            DomainFault::Reconnect => self.faults().partitioned.retain(|other| *other != domain),
            _ => return,
        }
        self.rebuild_partitions();
    }

    pub(super) fn reconnect_all(&mut self) {
        if let Some(faults) = &mut self.faults {
            faults.partitioned.clear();
        }
        self.rebuild_partitions();
    }

    /// Whether the edge of a partitioned domain separates two nodes.
    pub(super) fn is_partitioned(&self, a: NodeId, b: NodeId) -> bool {
        let domain = |node: NodeId| self.hosts[usize::from(node.0)].domain;
        self.crosses_partition(domain(a), domain(b))
    }

    /// Whether the edge of a partitioned domain separates a client and a node.
    pub(super) fn is_client_partitioned(&self, client: ClientId, node: NodeId) -> bool {
        !self.partitioned().is_empty()
            && self.crosses_partition(
                self.domains.of_site(self.site_of_client(client)),
                self.hosts[usize::from(node.0)].domain,
            )
    }

    fn crosses_partition(&self, a: Option<DomainId>, b: Option<DomainId>) -> bool {
        self.partitioned().iter().any(|edge| self.domains.within(a, *edge) != self.domains.within(b, *edge))
    }

    /// Recomputes unreachable receivers of all nodes from link cuts and partitioned domains, and the routes.
    pub(super) fn rebuild_partitions(&mut self) {
        for from in (0..self.hosts.len() as u8).map(NodeId) {
            let partitioned = (0..self.hosts.len() as u8).map(NodeId).filter(|to| self.is_partitioned(from, *to));
            let cut = partitioned.fold(self.hosts[usize::from(from.0)].cut_links, NodeSet::with);
            self.hosts[usize::from(from.0)].cut = cut;
        }
        self.rebuild_routes();
    }
}
