//! The view change (§4.2).

use super::message::{CrashVector, Msg, Report, State};
use super::rules::*;
use super::{Replica, Status, Timer};
use crate::core::{NodeId, NodeSet, Out, Tally};
use crate::facts;
use std::sync::Arc;

/// A view change under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Changing {
    /// The others that have sent StartViewChange for this view.
    changes: NodeSet,
    /// Whether its own DoViewChange is sent.
    reported: bool,
    /// At the primary of the new view: the reports, in the order of replicas.
    reports: Vec<(NodeId, Arc<Report>)>,
}

impl Changing {
    /// Who has reported.
    fn reporters(&self) -> NodeSet {
        self.reports.iter().map(|(from, _)| *from).collect()
    }

    /// What is being counted.
    pub fn tally(&self, me: NodeId, quorum: u8) -> Tally {
        match self.reported && !self.reports.is_empty() {
            true => Tally { of: "reports", slot: 0, from: self.reporters(), need: quorum },
            false => Tally { of: "view changes", slot: 0, from: self.changes.with(me), need: quorum },
        }
    }
}

impl Replica {
    /// The view-change timeout: changes to the next view (step 1).
    pub(super) fn on_view_timeout(&mut self, out: &mut Out<Replica>) {
        let next = self.view + 1;
        match self.status {
            Status::Normal if self.is_primary() => return,
            Status::Normal => out.because(SUSPECTS_PRIMARY, facts![self.view, next]),
            Status::ViewChange(_) => out.because(GIVES_UP_VIEW, facts![self.view, next]),
            Status::Recovering(_) => return,
        }
        self.patience.give_up();
        self.change_view(next, out);
    }

    fn change_view(&mut self, view: u32, out: &mut Out<Replica>) {
        self.view = view;
        self.status = Status::ViewChange(Changing::default());
        self.early.clear();
        out.cancel(Timer::Commit);
        out.broadcast(self.peers(), Msg::StartViewChange { view, crashes: self.crashes.clone() });
        self.reset_view_timeout(out);
    }

    /// Changes to a later view that somebody else wants; tells whether this replica changes to `view` now.
    fn join(&mut self, from: NodeId, view: u32, out: &mut Out<Replica>) -> bool {
        if view > self.view {
            out.because(JOINS, facts![view, from]);
            self.change_view(view, out);
        } else if view + 1 == self.view && matches!(self.status, Status::ViewChange(_)) {
            // Of the view that it gave up last.
            self.patience.late();
        }
        view == self.view && matches!(self.status, Status::ViewChange(_))
    }

    /// Step 2.
    pub(super) fn on_start_view_change(
        &mut self,
        from: NodeId,
        view: u32,
        crashes: &CrashVector,
        out: &mut Out<Replica>,
    ) {
        if self.is_from_before_crash(from, crashes, out) || !self.join(from, view, out) {
            return;
        }
        let Status::ViewChange(changing) = &mut self.status else { return };
        changing.changes.add(from);
        let others = changing.changes;
        if changing.reported {
            return;
        }
        if others.len() + 1 < self.config.view_quorum {
            return out.because(COUNTS_CHANGES, facts![others, view]);
        }
        changing.reported = true;
        out.because(REPORTS, facts![view, others, self.last_normal]);
        let report = Arc::new(Report {
            last_normal: self.last_normal,
            state: self.whole_state(),
            crashes: self.crashes.clone(),
        });
        let primary = self.config.primary(view);
        let mut to = NodeSet::just(primary);
        if self.config.ring {
            out.because(REPORTS_TO_ALL, facts![view]);
            to = NodeSet::first(self.config.replicas);
        }
        out.broadcast(to.without(self.me), Msg::DoViewChange { view, report: Arc::clone(&report) });
        if primary == self.me {
            self.collect(self.me, report, out);
        }
    }

    pub(super) fn on_do_view_change(&mut self, from: NodeId, view: u32, report: &Arc<Report>, out: &mut Out<Replica>) {
        if self.is_from_before_crash(from, &report.crashes, out) || !self.join(from, view, out) {
            return;
        }
        if self.config.primary(view) == self.me {
            self.collect(from, Arc::clone(report), out);
        }
    }

    /// Counts a report; with enough of them, its own included, begins the view (step 3).
    fn collect(&mut self, from: NodeId, report: Arc<Report>, out: &mut Out<Replica>) {
        let Status::ViewChange(changing) = &mut self.status else { return };
        let mut reports = std::mem::take(&mut changing.reports);
        match reports.binary_search_by_key(&from, |(who, _)| *who) {
            Ok(at) => reports[at].1 = report,
            Err(at) => reports.insert(at, (from, report)),
        }
        // What the new report tells of crashes may rule out an earlier one.
        reports.retain(|(who, report)| !self.is_from_before_crash(*who, &report.crashes, out));
        let (view, reported) = (self.view, reports.iter().any(|(who, _)| *who == self.me));
        let Status::ViewChange(changing) = &mut self.status else { return };
        changing.reports = reports;
        let reporters = changing.reporters();
        let enough = self.config.commit_quorum();
        if !reported || reporters.len() < enough {
            return out.because(COUNTS_REPORTS, facts![reporters, view]);
        }
        if reporters.len() < self.config.view_quorum {
            return out.because(WAITS_FOR_MORE, facts![reporters, view, enough]);
        }
        out.because(BEGINS_VIEW, facts![view, reporters]);
        let by_length = changing.reports.iter().max_by_key(|(_, report)| report.state.log.last());
        let by_view = changing.reports.iter().max_by_key(|(_, report)| (report.last_normal, report.state.log.last()));
        let commit = changing.reports.iter().map(|(_, report)| report.state.commit).max().unwrap_or(0);
        let (Some((owner, best)), Some((_, longest))) = (by_view, by_length) else { return };
        let taken = out.rule(TAKES_LOG, facts![*owner, best.last_normal, best.state.log.last()]);
        let best = Arc::clone(if taken { best } else { longest });
        self.take_over(&best.state, self.commit, out);
        self.become_normal(view, out);
        out.broadcast(self.peers(), Msg::StartView { view, state: Arc::new(State { commit, ..self.whole_state() }) });
        self.execute_to(commit, out);
    }

    /// Step 5.
    pub(super) fn on_start_view(&mut self, view: u32, state: &State, out: &mut Out<Replica>) {
        if !self.is_later(view) {
            return;
        }
        out.because(FOLLOWS_VIEW, facts![view, state.log.last()]);
        self.take_over(state, self.commit, out);
        self.become_normal(view, out);
        self.execute_to(state.commit, out);
        self.acknowledge_log(out);
    }
}
