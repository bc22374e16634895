//! Fast Paxos: everything that three servers can do with commands that collide. Clients ask all servers, so each gets every command once, in
//! any order.

use super::safe;

#[test]
fn one_coordinator_and_two_commands_are_safe() {
    let bounds = "lost=Heartbeat+HeartbeatReply+Nack+CatchUp timers=1";
    assert_eq!(safe(&format!("fast-paxos 3 / {bounds} at=1+1+1")), (4_408, 16));
    assert_eq!(safe(&format!("fast-paxos 3 recovery=\"uncoordinated\" / {bounds} at=any+3")), (40_882, 29));
    // Of the coordinators only the first.
    assert_eq!(safe(&format!("fast-paxos 3 / {bounds} at=any+3 epoch=1")), (469_202, 27));
}
