//! Failover and repair, message by message.

use super::*;
use crate::core::ClientId;
use crate::protocols::manual_network::{ManualNetwork, write};

type Network = ManualNetwork<ManualFailover>;

#[test]
fn nothing_yet() {
    let _ = (Network::new(3, &[], None), write(1), ClientId(1));
}
