//! What befalls whole failure domains.

use super::World;
use super::act::refuse;
use crate::core::node::Protocol;
use crate::core::{ClientId, NodeId, NodeSet};
use crate::sim::action::{Blow, Refusal};
use crate::sim::domains::DomainId;

impl<P: Protocol> World<P> {
    /// The nodes in a domain.
    pub fn inside(&self, domain: DomainId) -> NodeSet {
        let inside = |id: &NodeId| self.domains.within(self.hosts[usize::from(id.0)].domain, domain);
        (0..self.hosts.len() as u8).map(NodeId).filter(inside).fold(NodeSet::EMPTY, NodeSet::with)
    }

    /// The domains that are cut off.
    pub fn cut_off(&self) -> &[DomainId] {
        self.trouble.as_ref().map_or(&[], |trouble| &trouble.severed)
    }

    pub(super) fn can_strike(&self, domain: DomainId, blow: Blow) -> Result<(), Refusal> {
        if usize::from(domain.0) >= self.domains.len() {
            return refuse(format!("there is no place {}; there are {}", domain.0 + 1, self.domains.len()));
        }
        let severed = self.cut_off().contains(&domain);
        match blow {
            Blow::CutOff if severed => refuse("it is cut off already"),
            Blow::Reconnect if !severed => refuse("it is not cut off"),
            Blow::CutOff | Blow::Reconnect => Ok(()),
            _ if self.struck(domain, blow).is_empty() => refuse(match blow {
                Blow::Restart => "no node there is down that could start",
                Blow::Continue => "no node there is paused",
                _ => "no node runs there",
            }),
            _ => Ok(()),
        }
    }

    /// The nodes that a blow concerns.
    fn struck(&self, domain: DomainId, blow: Blow) -> NodeSet {
        let concerned = |node: &NodeId| match blow {
            Blow::Crash => self.is_up(*node),
            Blow::Restart => !self.is_up(*node) && !self.disk_state(*node).rotten,
            Blow::Pause => self.is_up(*node) && !self.is_paused(*node) && !self.has_twin(*node),
            Blow::Continue => self.is_paused(*node),
            Blow::CutOff | Blow::Reconnect => false,
        };
        self.inside(domain).iter().filter(concerned).fold(NodeSet::EMPTY, NodeSet::with)
    }

    pub(super) fn strike(&mut self, domain: DomainId, blow: Blow) {
        for node in self.struck(domain, blow).iter() {
            match blow {
                Blow::Crash => self.crash(node),
                Blow::Restart => self.boot(node),
                Blow::Pause => self.pause(node, false),
                Blow::Continue => self.wake_up(node),
                Blow::CutOff | Blow::Reconnect => {}
            }
        }
        match blow {
            Blow::CutOff => self.trouble().severed.push(domain),
            Blow::Reconnect => self.trouble().severed.retain(|other| *other != domain),
            _ => return,
        }
        self.recut();
    }

    pub(super) fn reconnect_all(&mut self) {
        if let Some(trouble) = &mut self.trouble {
            trouble.severed.clear();
        }
        self.recut();
    }

    /// Whether the edge of a domain that is cut off lies between two nodes.
    pub(super) fn is_severed(&self, a: NodeId, b: NodeId) -> bool {
        let domain = |node: NodeId| self.hosts[usize::from(node.0)].domain;
        self.parted(domain(a), domain(b))
    }

    /// The same for a client and a node.
    pub(super) fn is_out_of_reach(&self, client: ClientId, node: NodeId) -> bool {
        !self.cut_off().is_empty()
            && self.parted(self.domains.of_site(self.site_of_client(client)), self.hosts[usize::from(node.0)].domain)
    }

    fn parted(&self, a: Option<DomainId>, b: Option<DomainId>) -> bool {
        self.cut_off().iter().any(|edge| self.domains.within(a, *edge) != self.domains.within(b, *edge))
    }

    /// Finds anew who cannot hear whom.
    pub(super) fn recut(&mut self) {
        for from in (0..self.hosts.len() as u8).map(NodeId) {
            let severed = (0..self.hosts.len() as u8).map(NodeId).filter(|to| self.is_severed(from, *to));
            let cut = severed.fold(self.hosts[usize::from(from.0)].cut_links, NodeSet::with);
            self.hosts[usize::from(from.0)].cut = cut;
        }
        self.survey();
    }
}
