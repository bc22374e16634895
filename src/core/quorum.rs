//! Sets of replicas, and quorums: which sets are enough to decide.

use super::node::{SettingError, Setup};
use super::{NodeId, RuleId, Setting, SettingId, SettingKind, Settings, SharedSetting};
use serde::{Deserialize, Serialize};

/// The size of the smallest majority of `n`: ⌊n/2⌋+1.
pub const fn majority(n: u8) -> u8 {
    n / 2 + 1
}

/// A quorum system: which sets of replicas are quorums.
///
/// Protocols ask [`QuorumSystem::is_quorum`] and count nothing themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuorumSystem {
    /// Any set of at least so many replicas.
    Threshold(u8),
    /// All replicas of one row of a grid.
    Row(Grid),
    /// All replicas of one column of a grid.
    Column(Grid),
    /// A whole row and a whole column of a grid: any two of these meet (Maekawa, *A √N Algorithm for Mutual Exclusion in Decentralized Systems*, 1985;
    /// Cheung, Ammar, Ahamad, *The Grid Protocol*, 1992).
    RowAndColumn(Grid),
    /// At least `members` replicas in each of at least `groups` rows of a grid, which are the groups (Kumar, *Hierarchical Quorum Consensus*, 1991).
    Hierarchy {
        /// The groups.
        of: Grid,
        /// Groups needed.
        groups: u8,
        /// Replicas needed in each of them.
        members: u8,
    },
}

/// Replicas in rows of equal length, by id: the first row begins with replica 0, and each row goes on where the one before it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Rows.
    pub rows: u8,
    /// Columns: replicas in a row.
    pub columns: u8,
}

impl Grid {
    /// `n` replicas in so many rows; 0 for the squarest grid, with no fewer columns than rows. `None` if they do not fill the rows, or if there is
    /// only one row or column.
    pub fn of(n: u8, rows: u32) -> Option<Grid> {
        let fits = |rows: &u8| *rows > 1 && n > *rows && n.is_multiple_of(*rows);
        let rows = match rows {
            0 => (2..=n).take_while(|rows| rows * rows <= n).filter(fits).last()?,
            rows => u8::try_from(rows).ok().filter(fits)?,
        };
        Some(Grid { rows, columns: n / rows })
    }

    /// The replicas of a row.
    pub const fn row(self, row: u8) -> NodeSet {
        NodeSet(NodeSet::first(self.columns).0 << (row * self.columns))
    }

    /// The replicas of a column.
    pub fn column(self, column: u8) -> NodeSet {
        (0..self.rows).map(|row| NodeId(row * self.columns + column)).collect()
    }

    /// The fewest that a set lacks of one of all rows.
    fn missing_in_row(self, set: NodeSet) -> u8 {
        (0..self.rows).map(|row| self.row(row).minus(set).len()).min().unwrap_or(0)
    }

    /// The fewest that a set lacks of one of all columns.
    fn missing_in_column(self, set: NodeSet) -> u8 {
        (0..self.columns).map(|column| self.column(column).minus(set).len()).min().unwrap_or(0)
    }

    /// The row and the column of a replica.
    fn row_and_column_of(self, node: NodeId) -> (NodeSet, NodeSet) {
        (self.row(node.0 / self.columns), self.column(node.0 % self.columns))
    }
}

impl QuorumSystem {
    /// Any so many of `n` replicas; 0 for a majority.
    pub const fn threshold(n: u8, size: u32) -> QuorumSystem {
        QuorumSystem::Threshold(if size == 0 { majority(n) } else { size as u8 })
    }

    /// Whether `set` is a quorum.
    #[inline]
    pub fn is_quorum(self, set: NodeSet) -> bool {
        match self {
            QuorumSystem::Threshold(size) => set.len() >= size,
            _ => self.missing(set) == 0,
        }
    }

    /// How many more replicas make `set` a quorum, at the least.
    #[inline(never)]
    pub fn missing(self, set: NodeSet) -> u8 {
        match self {
            QuorumSystem::Threshold(size) => size.saturating_sub(set.len()),
            QuorumSystem::Row(grid) => grid.missing_in_row(set),
            QuorumSystem::Column(grid) => grid.missing_in_column(set),
            QuorumSystem::RowAndColumn(grid) => {
                let rows = (0..grid.rows).map(|row| grid.row(row));
                let with = |row: NodeSet| (0..grid.columns).map(move |column| row.or(grid.column(column)));
                rows.flat_map(with).map(|both| both.minus(set).len()).min().unwrap_or(0)
            }
            QuorumSystem::Hierarchy { of, groups, members } => {
                let lacks = |group: u8| members.saturating_sub(of.row(group).and(set).len());
                let mut lacking: Vec<u8> = (0..of.rows).map(lacks).collect();
                lacking.sort_unstable();
                lacking.iter().take(usize::from(groups)).sum()
            }
        }
    }

    /// The number of replicas in a smallest quorum.
    pub fn need(self) -> u8 {
        self.missing(NodeSet::EMPTY)
    }

    /// The number of replicas in a smallest quorum of which `votes` are part, or as many as there are in `votes` if those are a quorum.
    pub fn need_with(self, votes: NodeSet) -> u8 {
        match self {
            QuorumSystem::Threshold(size) => size,
            _ => votes.len() + self.missing(votes),
        }
    }

    /// The most of `n` replicas that can fail, whichever they are, so that the others still hold a quorum.
    fn tolerates(self, n: u8) -> u8 {
        match self {
            QuorumSystem::Threshold(size) => n.saturating_sub(size),
            QuorumSystem::Row(grid) => grid.rows - 1,
            QuorumSystem::Column(grid) => grid.columns - 1,
            QuorumSystem::RowAndColumn(grid) => grid.rows.min(grid.columns) - 1,
            QuorumSystem::Hierarchy { of, groups, members } => (of.rows - groups + 1) * (of.columns - members + 1) - 1,
        }
    }

    /// A smallest quorum of `n` replicas: `me` and those whose ids follow, round the end.
    pub fn smallest_from(self, me: NodeId, n: u8) -> NodeSet {
        self.smallest_within(me, NodeSet::first(n), n).unwrap_or(NodeSet::first(n))
    }

    /// A smallest quorum of those in `among`, with `me` in it; of several, that whose ids follow, round the end. `None`: there is none.
    #[inline(never)]
    pub fn smallest_within(self, me: NodeId, among: NodeSet, n: u8) -> Option<NodeSet> {
        let (from_me, row_and_column) = (
            |set: NodeSet| (0..n).map(move |i| NodeId((me.0 + i) % n)).filter(move |node| set.has(*node)),
            |grid: Grid| grid.row_and_column_of(me),
        );
        let quorum = match self {
            QuorumSystem::Threshold(size) => from_me(among).take(usize::from(size)).collect(),
            QuorumSystem::Row(grid) => row_and_column(grid).0,
            QuorumSystem::Column(grid) => row_and_column(grid).1,
            QuorumSystem::RowAndColumn(grid) => row_and_column(grid).0.or(row_and_column(grid).1),
            QuorumSystem::Hierarchy { of, groups, members } => {
                let own = me.0 / of.columns;
                let some_of =
                    |group: u8| -> NodeSet { from_me(among.and(of.row(group))).take(usize::from(members)).collect() };
                let all = (0..of.rows).map(|i| some_of((own + i) % of.rows));
                let enough = all.filter(|some| some.len() == members).take(usize::from(groups));
                enough.fold(NodeSet::EMPTY, NodeSet::or)
            }
        };
        (quorum.has(me) && quorum.minus(among).is_empty() && self.is_quorum(quorum)).then_some(quorum)
    }

    /// Whether every quorum of this system shares a member with every quorum of `other`, both among `n` replicas.
    pub fn intersects(self, other: QuorumSystem, n: u8) -> bool {
        use QuorumSystem::{Column, Hierarchy, Row, RowAndColumn, Threshold};
        match (self, other) {
            (Threshold(a), Threshold(b)) => a + b > n,
            (Row(a) | RowAndColumn(a), Column(b) | RowAndColumn(b)) => a == b,
            (Column(a) | RowAndColumn(a), Row(b)) | (Column(a), RowAndColumn(b)) => a == b,
            (Hierarchy { of, groups, members }, Hierarchy { of: its, groups: its_groups, members: its_members }) => {
                of == its && groups + its_groups > of.rows && members + its_members > of.columns
            }
            _ => false,
        }
    }
}

/// The quorums of a protocol with two phases, each with a system of its own (Howard, Malkhi, Spiegelman, *Flexible Paxos*, 2016, §4): safe
/// if every quorum of phase 1 shares a replica with every quorum of phase 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quorums {
    /// Replicas among which they are chosen: ids 0 to n−1.
    pub replicas: u8,
    /// Whose promises a proposer needs.
    pub phase1: QuorumSystem,
    /// Whose acceptances make a value chosen.
    pub phase2: QuorumSystem,
}

/// The setting `q1`: replicas in a quorum of phase 1.
pub const PHASE_1_SIZE: SharedSetting = (
    Setting { key: "q1", kind: SettingKind::Count { min: 0, max: 32, default: 0 } },
    "Promises that a proposer needs (phase 1); 0 for a majority",
);

/// The setting `q2`: replicas in a quorum of phase 2.
pub const PHASE_2_SIZE: SharedSetting = (
    Setting { key: "q2", kind: SettingKind::Count { min: 0, max: 32, default: 0 } },
    "Acceptances that make a value chosen (phase 2); 0 for a majority",
);

/// The setting `quorums`: which sets are quorums.
pub const SHAPE: SharedSetting = (
    Setting {
        key: "quorums",
        kind: SettingKind::Choice { options: &["sizes", "grid", "row-and-column", "hierarchical"], default: 0 },
    },
    "Which sets are quorums: any of a size (q1, q2); of a grid, a whole row for promises and a whole column for acceptances, or a row and a column for both; or a majority of the members in a majority of groups",
);

/// The setting `rows`: how replicas are arranged.
pub const ROWS: SharedSetting = (
    Setting { key: "rows", kind: SettingKind::Count { min: 0, max: 32, default: 0 } },
    "Rows of the grid, or groups of the hierarchy, of equal size: nodes are counted along them; 0 for the squarest arrangement",
);

/// A protocol's settings for its quorums.
#[derive(Clone, Copy, Debug)]
pub struct QuorumSettings {
    /// [`PHASE_1_SIZE`] and [`PHASE_2_SIZE`].
    pub sizes: (SettingId, SettingId),
    /// [`SHAPE`] and [`ROWS`], if it has these.
    pub shape: Option<(SettingId, SettingId)>,
}

impl QuorumSettings {
    /// The quorums of `n` replicas. With `apart`, those of grids and hierarchies need not intersect: a column is enough for both phases, or a majority
    /// of one group.
    fn choose(self, n: u8, settings: &Settings, apart: bool) -> Result<Quorums, SettingError> {
        let (q1, q2) = (settings.count(self.sizes.0), settings.count(self.sizes.1));
        let (shape, rows) = self.shape.map_or((0, 0), |(shape, rows)| (settings.choice(shape), settings.count(rows)));
        if shape == 0 {
            let (phase1, phase2) = (QuorumSystem::threshold(n, q1), QuorumSystem::threshold(n, q2));
            return Ok(Quorums { replicas: n, phase1, phase2 });
        }
        for (setting, size) in [(PHASE_1_SIZE, q1), (PHASE_2_SIZE, q2)] {
            if size > 0 {
                return Err((
                    setting.0.key,
                    "0 would do: the arrangement of the replicas says what a quorum is, or quorums = \"sizes\"",
                ));
            }
        }
        let Some(grid) = Grid::of(n, rows) else {
            return Err(match rows {
                0 => (
                    SHAPE.0.key,
                    "\"sizes\" would do, or 4, 6, 8, 9, 10 or another number of replicas that fills equal rows",
                ),
                _ => (
                    ROWS.0.key,
                    "0 would do, or a number of rows, at least 2, that the replicas fill with at least 2 in each",
                ),
            });
        };
        let (phase1, phase2) = match shape {
            1 | 2 if apart => (QuorumSystem::Column(grid), QuorumSystem::Column(grid)),
            1 => (QuorumSystem::Row(grid), QuorumSystem::Column(grid)),
            2 => (QuorumSystem::RowAndColumn(grid), QuorumSystem::RowAndColumn(grid)),
            _ => {
                let groups = if apart { 1 } else { majority(grid.rows) };
                let majorities = QuorumSystem::Hierarchy { of: grid, groups, members: majority(grid.columns) };
                (majorities, majorities)
            }
        };
        Ok(Quorums { replicas: n, phase1, phase2 })
    }

    /// The quorums chosen, checked.
    ///
    /// # Errors
    /// A quorum larger than the cluster; two that need not share a replica, unless the rule `intersect` is ablated; or replicas that do not fill a
    /// grid.
    pub fn checked(self, setup: &Setup, intersect: RuleId) -> Result<Quorums, SettingError> {
        let apart = setup.ablated.has(intersect);
        let quorums = self.choose(setup.replicas, &setup.settings, apart)?;
        for (setting, system) in [(PHASE_1_SIZE, quorums.phase1), (PHASE_2_SIZE, quorums.phase2)] {
            if system.need() > setup.replicas {
                return Err((setting.0.key, "at most as many as there are replicas"));
            }
        }
        if !quorums.intersect() && !apart {
            let says = "q1 + q2 must be more than all replicas, unless the rule quorums-intersect is taken away";
            return Err((PHASE_1_SIZE.0.key, says));
        }
        Ok(quorums)
    }

    /// Whether both phases find a quorum among any so many healthy replicas.
    pub fn live(self, setup: &Setup, healthy: u8) -> bool {
        self.choose(setup.replicas, &setup.settings, false).is_ok_and(|quorums| quorums.live(healthy))
    }

    /// The sizes of the smallest quorums of both phases, as published counts have them: (q1, q2).
    pub fn sizes(self, n: u32, settings: &Settings) -> (u32, u32) {
        let size = |system: QuorumSystem| u32::from(system.need());
        self.choose(n as u8, settings, false).map_or((n, n), |quorums| (size(quorums.phase1), size(quorums.phase2)))
    }
}

impl Quorums {
    /// Whether every quorum of phase 1 shares a replica with every quorum of phase 2.
    #[inline]
    pub fn intersect(self) -> bool {
        self.phase1.intersects(self.phase2, self.replicas)
    }

    /// Whether both phases find a quorum among any so many healthy replicas.
    pub fn live(self, healthy: u8) -> bool {
        let failed = self.replicas.saturating_sub(healthy);
        healthy > 0
            && [self.phase1, self.phase2]
                .iter()
                .all(|system| system.need() <= self.replicas && failed <= system.tolerates(self.replicas))
    }
}

/// A set of replicas, one bit each; at most 64.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeSet(pub u64);

impl NodeSet {
    /// No replica.
    pub const EMPTY: NodeSet = NodeSet(0);

    /// Replicas 0 to n−1.
    pub const fn first(n: u8) -> NodeSet {
        if n >= 64 { NodeSet(u64::MAX) } else { NodeSet((1 << n) - 1) }
    }

    /// Just this one.
    pub const fn just(node: NodeId) -> NodeSet {
        NodeSet(1 << node.0)
    }

    /// Whether `node` is in the set.
    pub const fn has(self, node: NodeId) -> bool {
        self.0 >> node.0 & 1 == 1
    }

    /// Adds `node`; tells whether it is new.
    pub fn add(&mut self, node: NodeId) -> bool {
        let new = !self.has(node);
        self.0 |= 1 << node.0;
        new
    }

    /// Takes `node` out.
    pub fn remove(&mut self, node: NodeId) {
        self.0 &= !(1 << node.0);
    }

    /// This set with `node`.
    #[must_use]
    pub const fn with(self, node: NodeId) -> NodeSet {
        NodeSet(self.0 | 1 << node.0)
    }

    /// This set without `node`.
    #[must_use]
    pub const fn without(self, node: NodeId) -> NodeSet {
        NodeSet(self.0 & !(1 << node.0))
    }

    /// This set without those in `other`.
    #[must_use]
    pub const fn minus(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 & !other.0)
    }

    /// Those in both.
    #[must_use]
    pub const fn and(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 & other.0)
    }

    /// Those in either.
    #[must_use]
    pub const fn or(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 | other.0)
    }

    /// How many.
    pub const fn len(self) -> u8 {
        self.0.count_ones() as u8
    }

    /// The replica with the lowest id, if there is any.
    pub const fn lowest(self) -> Option<NodeId> {
        if self.is_empty() { None } else { Some(NodeId(self.0.trailing_zeros() as u8)) }
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `votes` holds a majority of this set.
    pub const fn majority_in(self, votes: NodeSet) -> bool {
        self.and(votes).len() >= majority(self.len())
    }

    /// From the lowest id to the highest.
    pub fn iter(self) -> impl Iterator<Item = NodeId> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let node = NodeId(rest.trailing_zeros() as u8);
            rest &= rest - 1;
            Some(node)
        })
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> NodeSet {
        nodes.into_iter().fold(NodeSet::EMPTY, NodeSet::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flexible_quorums_intersect_if_their_sizes_exceed_the_cluster() {
        let quorums = |phase1, phase2| Quorums {
            replicas: 4,
            phase1: QuorumSystem::threshold(4, phase1),
            phase2: QuorumSystem::threshold(4, phase2),
        };
        assert!(quorums(0, 0).intersect() && quorums(4, 1).intersect() && quorums(3, 2).intersect());
        assert!(!quorums(2, 2).intersect() && !quorums(3, 1).intersect());
        assert!(quorums(4, 1).live(4) && !quorums(4, 1).live(3));
    }

    #[test]
    fn smallest_quorum_starts_at_its_node_and_goes_round_the_end() {
        let system = QuorumSystem::threshold(5, 0);
        let quorum = system.smallest_from(NodeId(4), 5);
        assert_eq!(quorum, [NodeId(4), NodeId(0), NodeId(1)].into_iter().collect());
        assert!(system.is_quorum(quorum) && !system.is_quorum(quorum.without(NodeId(0))));
    }

    /// Sets of quorums, as settings choose them, of so many replicas in so many rows.
    fn chosen(n: u8, shape: u64, rows: u64, apart: bool) -> Result<Quorums, SettingError> {
        let list = [PHASE_1_SIZE, PHASE_2_SIZE, SHAPE, ROWS].map(|shared| shared.0);
        let mut settings = Settings::defaults(&list);
        settings.set(SettingId(2), shape);
        settings.set(SettingId(3), rows);
        let ids = QuorumSettings { sizes: (SettingId(0), SettingId(1)), shape: Some((SettingId(2), SettingId(3))) };
        ids.choose(n, &settings, apart)
    }

    /// All quorums of which no member can be spared.
    fn minimal(system: QuorumSystem, n: u8) -> Vec<NodeSet> {
        let needs_all = |set: &NodeSet| set.iter().all(|node| !system.is_quorum(set.without(node)));
        (0..1 << n).map(NodeSet).filter(|set| system.is_quorum(*set) && needs_all(set)).collect()
    }

    #[test]
    fn every_quorum_of_promises_meets_every_quorum_of_acceptances_whatever_the_arrangement() {
        let mut looked_at = 0;
        for n in 1..=12 {
            for (shape, rows) in (0..4).flat_map(|shape| (0..=u64::from(n)).map(move |rows| (shape, rows))) {
                let Ok(quorums) = chosen(n, shape, rows, false) else { continue };
                let (one, two) = (minimal(quorums.phase1, n), minimal(quorums.phase2, n));
                assert!(quorums.intersect() && !one.is_empty() && !two.is_empty());
                assert!(one.iter().all(|a| two.iter().all(|b| !a.and(*b).is_empty())), "{quorums:?}");
                // Sizes and failures tolerated, counted rather than reckoned.
                for (system, all) in [(quorums.phase1, &one), (quorums.phase2, &two)] {
                    assert_eq!(Some(system.need()), all.iter().map(|set| set.len()).min(), "{system:?}");
                    let everybody = NodeSet::first(n);
                    let fatal = (0..1 << n).map(NodeSet).filter(|lost| !system.is_quorum(everybody.minus(*lost)));
                    assert_eq!(Some(system.tolerates(n) + 1), fatal.map(|lost| lost.len()).min(), "{system:?}");
                    for me in everybody.iter() {
                        let mine = system.smallest_from(me, n);
                        assert!(mine.has(me) && system.is_quorum(mine) && mine.len() == system.need(), "{system:?}");
                        assert_eq!(system.smallest_within(me, mine.without(me), n), None);
                    }
                }
                looked_at += usize::from(shape > 0);
            }
            for quorums in (1..4).filter_map(|shape| chosen(n, shape, 0, true).ok()) {
                let (one, two) = (minimal(quorums.phase1, n), minimal(quorums.phase2, n));
                assert!(!quorums.intersect() && one.iter().any(|a| two.iter().any(|b| a.and(*b).is_empty())));
            }
        }
        assert!(looked_at >= 36, "{looked_at}");
    }

    #[test]
    fn missing_is_the_fewest_that_complete_a_quorum() {
        for (n, shape) in [(4, 1), (6, 1), (6, 2), (9, 1), (9, 2), (9, 3), (8, 3), (7, 0)] {
            let quorums = chosen(n, shape, 0, false).expect("it fits");
            for system in [quorums.phase1, quorums.phase2] {
                let all = minimal(system, n);
                for set in (0..1 << n).map(NodeSet) {
                    let fewest = all.iter().map(|quorum| quorum.minus(set).len()).min();
                    assert_eq!(Some(system.missing(set)), fewest, "{system:?} {set:?}");
                }
            }
        }
    }

    #[test]
    fn nine_replicas_in_three_groups_survive_what_the_chapter_says() {
        let quorums = chosen(9, 3, 0, false).expect("three groups of three");
        let surviving = |lost: u8| {
            let sets = (0..1 << 9).map(NodeSet).filter(|set| set.len() == lost);
            sets.filter(|set| quorums.phase2.is_quorum(NodeSet::first(9).minus(*set))).count()
        };
        assert_eq!(quorums.phase2.need(), 4);
        assert_eq!((surviving(3), surviving(4), surviving(5)), (84, 99, 27));
    }

    #[test]
    fn replicas_that_fill_no_grid_are_refused_by_the_name_of_the_setting() {
        for n in [1, 2, 3, 5, 7, 11] {
            assert_eq!(chosen(n, 1, 0, false).map_err(|(key, _)| key), Err("quorums"), "{n}");
        }
        for (n, rows) in [(9, 2), (9, 9), (6, 4), (6, 1)] {
            assert_eq!(chosen(n, 3, rows, false).map_err(|(key, _)| key), Err("rows"), "{n} in {rows} rows");
        }
        assert_eq!(chosen(6, 1, 3, false).map(|quorums| quorums.phase2.need()), Ok(3));
        assert_eq!(chosen(6, 1, 0, false).map(|quorums| quorums.phase2.need()), Ok(2));
    }

    #[test]
    fn two_majorities_always_share_a_member() {
        for n in 1..=9 {
            assert!(2 * majority(n) > n);
            assert!(2 * (majority(n) - 1) <= n);
        }
    }

    #[test]
    fn set_iterates_over_its_members_from_the_lowest_id() {
        let set: NodeSet = [NodeId(4), NodeId(0), NodeId(63)].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [NodeId(0), NodeId(4), NodeId(63)]);
        assert_eq!(set.len(), 3);
        assert!(NodeSet::first(5).majority_in(NodeSet::first(3)));
        assert!(!NodeSet::first(5).majority_in(NodeSet::first(2)));
        assert_eq!(NodeSet::first(64).len(), 64);
    }
}
