//! Leadership transfer (dissertation §3.10).

use super::message::Message;
use super::rules::*;
use super::server::{Out, Role, Server, Timer};
use crate::core::{Command, Node, NodeId};

/// A transfer under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transfer {
    /// Who is to lead.
    pub to: NodeId,
    /// Whether it has been told.
    told: bool,
    /// Clients' commands that came in the meantime.
    pub held: Vec<Command>,
}

impl Server {
    /// The operator's order. A transfer under way is not changed: its target may have been told already.
    pub(super) fn hand_over(&mut self, to: NodeId, out: &mut Out) {
        let (_, configuration) = self.configuration();
        let Role::Leader(lead) = &mut self.role else { return };
        if to == self.me || !configuration.voters.has(to) || lead.transfer.is_some() {
            return;
        }
        lead.transfer = Some(Transfer { to, told: false, held: Vec::new() });
        out.because(TRANSFER_STOPS_CLIENTS);
        out.set_timer(Timer::Transfer, self.config.election_min, self.config.election_min);
        self.try_transfer(out);
    }

    /// Tells the target, once its log equals the leader's.
    pub(super) fn try_transfer(&mut self, out: &mut Out) {
        let last = self.disk.log.last();
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(Transfer { to, told: false, .. }) = lead.transfer else { return };
        if lead.matched(to) < last {
            return;
        }
        out.because(TIMEOUT_NOW);
        if let Some(transfer) = &mut lead.transfer {
            transfer.told = true;
        }
        lead.lease.forfeited = true;
        out.send(to, Message::TimeoutNow { term: self.disk.term });
    }

    /// The leader asks this server to stand for election at once.
    pub(super) fn on_timeout_now(&mut self, term: u32, out: &mut Out) {
        if term == self.disk.term && matches!(self.role, Role::Follower) && self.may_campaign() {
            out.because(TIMEOUT_NOW);
            self.campaign(true, out);
        }
    }

    pub(super) fn on_transfer_timeout(&mut self, out: &mut Out) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(transfer) = lead.transfer.take() else { return };
        out.because(TRANSFER_ENDS);
        for command in transfer.held {
            self.on_request(command, out);
        }
        self.change_on(out);
    }
}
