//! Client latency of Raft against the arithmetic of round trips, exact to the microsecond.

use super::*;

/// Round trips in µs between five places, uneven on purpose.
const ROUND_TRIPS: [[u32; 5]; 5] = [
    [301, 15_117, 74_003, 21_801, 168_999],
    [15_117, 401, 59_123, 33_007, 183_111],
    [74_003, 59_123, 207, 88_801, 97_013],
    [21_801, 33_007, 88_801, 499, 151_003],
    [168_999, 183_111, 97_013, 151_003, 611],
];

fn world(replicas: &[u8], reads: u64, read_percent: u8, extra: impl Fn(&mut Topology)) -> Blueprint {
    let flat: Vec<u32> = ROUND_TRIPS.concat();
    let mut topology = Topology::from_round_trips(5, &flat);
    extra(&mut topology);
    // One site after the other: reads that come while a ReadIndex round is under way would share the next one, and wait for it.
    let group = |site| ClientGroup {
        site,
        limit: 40,
        ..clients(Pace::Closed { sessions: 1, think: 7_001 }, read_percent, 20_000_000 * (1 + Micros::from(site)))
    };
    let clients = (0..5).map(group).collect();
    let blueprint = Blueprint { topology, placement: replicas.to_vec(), clients, ..quiet(0, 11) };
    with(blueprint, &[(raft::SETTING_READS, reads)])
}

/// From one place to the other and back.
fn round_trip(a: u8, b: u8) -> Micros {
    Micros::from(ROUND_TRIPS[usize::from(a)][usize::from(b)])
}

/// The time the leader waits for a quorum: the q-th smallest round trip to a replica, its own counting as 0.
fn quorum_time(replicas: &[u8], leader: NodeId) -> Micros {
    let here = replicas[usize::from(leader.0)];
    let trip = |id: NodeId| if id == leader { 0 } else { round_trip(here, replicas[usize::from(id.0)]) };
    let mut trips: Vec<Micros> = (0..replicas.len() as u8).map(NodeId).map(trip).collect();
    trips.sort_unstable();
    trips[replicas.len() / 2]
}

/// Leads from each replica in turn, and holds every sample of every site against the arithmetic.
fn check(replicas: &[u8], reads: u64, read_percent: u8, disk: Micros, expected: impl Fn(Micros) -> Micros) {
    for leader in (0..replicas.len() as u8).map(NodeId) {
        let mut lab = Lab::new(&world(replicas, reads, read_percent, |topology| topology.disk = disk));
        let first = lab.settle();
        lab.run_until(10_000_000);
        if first != leader {
            assert!(lab.act(Action::HandOver(leader)));
        }
        lab.run_until(120_000_000);
        assert_eq!(lab.leader(), Some(leader));
        let here = replicas[usize::from(leader.0)];
        for (site, samples) in (0..).zip(lab.world.samples()) {
            // The first command of a session is sent to the nearest replica, which sends it on.
            let direct: Vec<_> = samples.iter().map(|(_, sample)| *sample).skip(1).collect();
            assert!(direct.len() == 39, "{}", direct.len());
            for sample in direct {
                let latency = round_trip(site, here) + expected(quorum_time(replicas, leader));
                assert_eq!(sample.latency, latency, "site {site}, leader {leader:?} of {replicas:?}");
            }
        }
    }
}

#[test]
fn write_takes_the_round_trips_to_the_leader_and_to_its_quorum() {
    check(&[0, 1, 2], 0, 0, 0, |quorum| quorum);
    check(&[0, 1, 2, 3, 4], 0, 0, 0, |quorum| quorum);
    check(&[4, 2, 2, 0], 0, 0, 0, |quorum| quorum);
    check(&[0, 0, 1, 2, 3, 4, 4], 0, 0, 0, |quorum| quorum);
}

#[test]
fn read_index_takes_as_long_as_a_write() {
    check(&[0, 1, 2, 3, 4], 1, 100, 0, |quorum| quorum);
}

#[test]
fn lease_read_takes_the_round_trip_to_the_leader_only() {
    check(&[0, 1, 2, 3, 4], 2, 100, 0, |_| 0);
}
