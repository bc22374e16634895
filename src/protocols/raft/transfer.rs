//! Leadership transfer (dissertation §3.10).

use super::message::Message;
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use crate::core::{Command, Node, NodeId};

/// A leadership transfer under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transfer {
    /// The target, which is to lead.
    pub to: NodeId,
    /// Whether TimeoutNow was sent to it.
    sent: bool,
    /// Clients' commands that arrived since the transfer began.
    pub pending: Vec<Command>,
}

impl Server {
    /// An operator's order to hand leadership over. Ignored while a transfer is under way: TimeoutNow may have been sent to its target.
    pub(super) fn hand_over(&mut self, to: NodeId, out: &mut Out) {
        let (_, configuration) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        if to == self.me || !configuration.voters.has(to) || lead.transfer.is_some() {
            return;
        }
        lead.transfer = Some(Transfer { to, sent: false, pending: Vec::new() });
        out.because(TRANSFER_STOPS_CLIENTS);
        out.set_timer(Timer::Transfer, self.config.election_min, self.config.election_min);
        self.try_transfer(out);
    }

    /// Sends TimeoutNow to the target, once its log equals the leader's.
    pub(super) fn try_transfer(&mut self, out: &mut Out) {
        let last = self.disk.log.last();
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(Transfer { to, sent: false, .. }) = lead.transfer else { return };
        if lead.matched(to) < last {
            return;
        }
        out.because(TIMEOUT_NOW);
        if let Some(transfer) = &mut lead.transfer {
            transfer.sent = true;
        }
        lead.lease.revoked = true;
        out.send(to, Message::TimeoutNow { term: self.disk.term });
    }

    /// TimeoutNow: starts an election at once.
    pub(super) fn on_timeout_now(&mut self, term: u32, out: &mut Out) {
        if term == self.disk.term && matches!(self.role, Role::Follower) && self.may_campaign() {
            out.because(TIMEOUT_NOW);
            self.campaign(true, out);
        }
    }

    pub(super) fn on_transfer_timeout(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        if !out.rule(TRANSFER_ENDS) {
            return;
        }
        let Some(transfer) = lead.transfer.take() else { return };
        for command in transfer.pending {
            self.on_request(command, out);
        }
        self.advance_change(out);
    }
}
