//! Faults of failure domains: crash, restart, pause and partition of a rack, site or region; link cuts; who cannot reach whom.

use super::World;
use super::actions::refuse;
use crate::core::{NodeId, NodeSet};
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

    /// Cuts the links from one group of nodes to another; and back, if `both`.
    pub(super) fn cut_links(&mut self, from: NodeSet, to: NodeSet, both: bool, replicas_only: bool) {
        let ways = [(from, to), (to, from)];
        for (senders, receivers) in ways.into_iter().take(if both { 2 } else { 1 }) {
            for node in senders.iter() {
                let host = &mut self.hosts[usize::from(node.0)];
                host.cut_links = host.cut_links.or(receivers);
                host.cut_replicas_only = match replicas_only {
                    true => host.cut_replicas_only.or(receivers),
                    false => host.cut_replicas_only.minus(receivers),
                };
            }
        }
        self.rebuild_partitions();
    }

    /// Undoes cuts between two groups of nodes, in both directions.
    pub(super) fn heal_links(&mut self, a: NodeSet, b: NodeSet) {
        for (these, those) in [(a, b), (b, a)] {
            for node in these.iter() {
                let host = &mut self.hosts[usize::from(node.0)];
                host.cut_links = host.cut_links.minus(those);
                host.cut_replicas_only = host.cut_replicas_only.minus(those);
            }
        }
        self.rebuild_partitions();
    }

    /// Undoes all cuts and partitions.
    pub(super) fn reconnect_all(&mut self) {
        for host in &mut self.hosts {
            (host.cut_links, host.cut_replicas_only) = (NodeSet::EMPTY, NodeSet::EMPTY);
        }
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

    /// The nodes that requests of clients at this site cannot reach.
    #[inline]
    pub fn requests_cut(&self, site: u8) -> NodeSet {
        self.client_cuts.get(usize::from(site)).map_or(NodeSet::EMPTY, |(requests, _)| *requests)
    }

    /// The nodes whose replies cannot reach clients at this site.
    #[inline]
    pub fn replies_cut(&self, site: u8) -> NodeSet {
        self.client_cuts.get(usize::from(site)).map_or(NodeSet::EMPTY, |(_, replies)| *replies)
    }

    /// Recomputes the ways between clients and nodes that are cut: by the edge of a partitioned domain, and where all links from the replicas
    /// at one site to those at another are cut, those excepted that are cut for replicas only.
    fn rebuild_client_cuts(&mut self) {
        self.client_cuts.clear();
        if self.hosts.iter().all(|host| host.cut.is_empty()) && self.partitioned().is_empty() {
            return;
        }
        let nodes = NodeSet::first(self.hosts.len() as u8);
        let at = |site: u8| nodes.iter().filter(|node| self.site_of(*node) == site).collect::<NodeSet>();
        let replicas: Vec<NodeSet> = (0..self.topology.sites).map(at).collect();
        let cut_for_clients = |from: NodeId, to: NodeSet| {
            let host = &self.hosts[usize::from(from.0)];
            to.minus(host.cut_links.minus(host.cut_replicas_only)).is_empty()
        };
        let cut = |from: u8, to: u8| {
            let (from, to) = (replicas[usize::from(from)], replicas[usize::from(to)]);
            !from.is_empty() && !to.is_empty() && from.iter().all(|node| cut_for_clients(node, to))
        };
        let of_site = |site: u8| {
            let domain = self.domains.of_site(site);
            let beyond_edge = |node: NodeId| self.crosses_partition(domain, self.hosts[usize::from(node.0)].domain);
            let requests = nodes.iter().filter(|node| beyond_edge(*node) || cut(site, self.site_of(*node)));
            let replies = nodes.iter().filter(|node| beyond_edge(*node) || cut(self.site_of(*node), site));
            (requests.collect(), replies.collect())
        };
        self.client_cuts = (0..self.topology.sites).map(of_site).collect();
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
        self.rebuild_client_cuts();
        self.rebuild_routes();
    }
}
