//! Every sentence of a built-in scenario's caption is a claim about its run, and is checked on that run. A caption that changes, or a run that
//! no longer bears its caption out, fails here.

#![cfg(not(target_arch = "wasm32"))]

#[path = "captions/ben_or.rs"]
mod ben_or;
#[path = "captions/epaxos.rs"]
mod epaxos;
#[path = "captions/floodset.rs"]
mod floodset;
#[path = "captions/foils.rs"]
mod foils;
#[path = "captions/mencius.rs"]
mod mencius;
#[path = "captions/omni_paxos.rs"]
mod omni_paxos;
#[path = "captions/oral_messages.rs"]
mod oral_messages;
#[path = "captions/quorums.rs"]
mod quorums;
#[path = "captions/reads.rs"]
mod reads;
#[path = "captions/vrr.rs"]
mod vrr;
#[path = "captions/zab.rs"]
mod zab;

use quorumscope::core::NodeId;
use quorumscope::lab::presets::PRESETS;
use quorumscope::lab::run::{Report, Run};
use quorumscope::lab::{Fault, Scenario, Session, text};
use quorumscope::sim::{Action, Sample};

/// What happened in a run.
struct Facts {
    scenario: Scenario,
    report: Report,
    /// At its end.
    session: Session,
}

impl Facts {
    fn of(scenario: Scenario) -> Facts {
        let report = Run::to_end(&scenario.clone().into()).expect("it runs");
        let session = session_at(&scenario, report.time_us / 1000);
        Facts { scenario, report, session }
    }

    /// The same run with something changed in its document.
    fn with(&self, change: impl FnOnce(&mut Scenario)) -> Facts {
        let mut scenario = self.scenario.clone();
        change(&mut scenario);
        Facts::of(scenario)
    }

    fn at(&self, ms: u64) -> Session {
        session_at(&self.scenario, ms)
    }

    /// Index of a site.
    fn site(&self, id: &str) -> usize {
        let places = &self.session.checked().places;
        places.iter().position(|place| place.id == id).expect("a site of the scenario")
    }

    /// Answers that reached clients at a site in a time, ms.
    fn answers(&self, site: &str, from: u64, until: u64) -> Vec<Sample> {
        let samples = &self.session.universe().samples()[self.site(site)];
        let within = |sample: &Sample| (from * 1000..until * 1000).contains(&sample.at);
        samples.iter().map(|(_, sample)| *sample).filter(within).collect()
    }

    fn answers_anywhere(&self, from: u64, until: u64) -> Vec<Sample> {
        let places = self.session.checked().places.clone();
        places.iter().flat_map(|place| self.answers(&place.id, from, until)).collect()
    }

    /// Median latency at a site in a time, µs.
    fn median(&self, site: &str, from: u64, until: u64) -> u64 {
        let mut latencies: Vec<u64> = self.answers(site, from, until).iter().map(|sample| sample.latency).collect();
        latencies.sort_unstable();
        latencies[latencies.len() / 2]
    }

    /// Who leads the latest epoch at a time, ms, counted from 1; 0 for nobody.
    fn leader(&self, ms: u64) -> u8 {
        self.at(ms).universe().leader().map_or(0, |node| node.0 + 1)
    }

    fn violated(&self, property: &str) -> bool {
        self.report.violations.iter().any(|violation| violation.property == property)
    }

    fn round_trip(&self, a: usize, b: usize) -> u64 {
        self.session.checked().blueprint.topology.round_trip(a as u8, b as u8)
    }
}

fn session_at(scenario: &Scenario, ms: u64) -> Session {
    let mut session = Session::new(scenario.clone()).expect("it runs");
    session.run_until(ms * 1000, u64::MAX);
    session
}

fn is_up(session: &Session, node: u8) -> bool {
    session.universe().node(NodeId(node - 1)).status.is_some()
}

fn hand_over(at: &str, node: u8) -> Fault {
    Fault { at: at.into(), action: "hand-over".into(), node: Some(u32::from(node).into()), ..Fault::default() }
}

/// A sentence of a caption, and what it claims.
type Claim = (&'static str, fn(&Facts));

/// A sentence that says what to do with the scenario, or what a word means, and nothing about the run.
fn no_claim(_: &Facts) {}

fn claims(key: &str) -> &'static [Claim] {
    match key {
        "three-regions" => &[
            ("Raft over Virginia, Oregon and Ireland, with a client in each.", |run| {
                for site in ["us-east-1", "us-west-2", "eu-west-1"] {
                    assert!(run.answers(site, 3_000, 20_000).len() > 20, "{site}");
                }
            }),
            ("Move the leadership or a node to another region and see what it costs.", |run| {
                let mut session = run.at(5_000);
                let leader = session.universe().leader().expect("somebody leads");
                let elsewhere = (0..5)
                    .map(NodeId)
                    .find(|node| session.universe().node(*node).site != session.universe().node(leader).site);
                session.act(Action::HandOver(elsewhere.expect("three regions"))).expect("it may lead");
                session.run_until(20_000_000, u64::MAX);
                let last = |session: &Session, site: usize| {
                    let log = &session.universe().samples()[site];
                    log.get(log.last()).expect("answered").latency
                };
                for site in 0..3 {
                    let (moved, before) = (last(&session, site), last(&run.session, site));
                    assert!(moved.abs_diff(before) > 5_000, "site {site}: {before} and {moved} µs");
                }
            }),
        ],
        "leader-crash" => &[
            ("Node 1 takes the leadership, crashes five seconds later, and comes back.", |run| {
                assert_eq!((run.leader(4_500), run.leader(8_999)), (1, 1));
                assert!(is_up(&run.at(8_999), 1) && !is_up(&run.at(9_001), 1) && is_up(&run.at(14_001), 1));
            }),
            ("Clients wait until the others notice and elect a new leader.", |run| {
                let elected = run.report.leaders.last().expect("elected").at_us / 1000;
                assert!((9_000..10_000).contains(&elected) && ![0, 1].contains(&run.leader(elected + 1)));
                // An answer may have been under way when the node crashed.
                assert!(run.answers_anywhere(9_050, elected).is_empty());
                assert!(run.answers_anywhere(elected, elected + 500).len() > 2);
            }),
        ],
        "collisions" => &[
            ("Fast Paxos over five regions.", |run| {
                assert_eq!(run.scenario.variant, "fast-paxos");
                assert_eq!(run.session.checked().blueprint.placement, &[0, 1, 2, 3, 4]);
            }),
            (
                "A client in Japan asks alone at first: acceptors vote for what it sends them, with no leader in between, and it waits for less than with Multi-Paxos under any leader that is not in Japan.",
                |run| {
                    assert!(run.answers("JP", 3_000, 10_000).len() > 20 && run.answers("IRL", 0, 10_000).is_empty());
                    let alone = run.median("JP", 3_000, 10_000);
                    for leader in 2..=5 {
                        let led = run.with(|scenario| {
                            scenario.variant = "multi-paxos".to_owned();
                            scenario.script = vec![hand_over("2s", leader)];
                        });
                        assert_eq!(led.leader(9_000), leader);
                        assert!(led.median("JP", 5_000, 10_000) > alone, "leader {leader}");
                    }
                },
            ),
            ("After ten seconds a client in Ireland asks as well.", |run| {
                assert!(run.answers("IRL", 10_000, 24_000).len() > 20);
            }),
            (
                "Where their commands reach acceptors in different orders, votes collide, and both wait longer than alone.",
                |run| {
                    assert!(run.report.rules.contains(&"collision"));
                    let mean = |run: &Facts, site| {
                        let answers = run.answers(site, 11_000, 24_000);
                        answers.iter().map(|sample| sample.latency).sum::<u64>() / answers.len() as u64
                    };
                    for (place, site) in ["JP", "IRL"].into_iter().enumerate() {
                        let alone = run.with(|scenario| scenario.clients = vec![scenario.clients[place].clone()]);
                        assert!(!alone.report.rules.contains(&"collision"));
                        assert!(mean(run, site) > mean(&alone, site) + 20_000, "{site}");
                    }
                },
            ),
        ],
        "five-regions" => &[
            ("One replica and one client in each region.", |run| {
                let placement = &run.session.checked().blueprint.placement;
                assert_eq!(placement, &[0, 1, 2, 3, 4]);
                assert_eq!(run.scenario.clients.len(), 5);
            }),
            ("Everybody's command goes to the leader, which waits for the two nearest of the others.", |run| {
                let leader = usize::from(run.leader(10_000)) - 1;
                let mut others: Vec<u64> =
                    (0..5).filter(|site| *site != leader).map(|site| run.round_trip(leader, site)).collect();
                others.sort_unstable();
                for latency in &run.report.latency_us {
                    assert_eq!(latency.p50, run.round_trip(run.site(&latency.site), leader) + others[1]);
                }
            }),
        ],
        "no-leader" => &[
            (
                "Three Azure regions, one client in each, which reads its own key and changes it, over and over.",
                |run| {
                    assert_eq!(run.report.latency_us.len(), 3);
                },
            ),
            (
                "Every node changes registers itself, with the nearest other node, and prepares its next ballot along the way: one round trip a command, 21.8 ms in America.",
                |run| {
                    assert!(run.report.leaders.is_empty());
                    assert_eq!(
                        [run.median("westus2", 5_000, 20_000), run.median("westcentralus", 5_000, 20_000)],
                        [21_800; 2]
                    );
                    assert_eq!(run.median("southeastasia", 5_000, 20_000), 169_000);
                },
            ),
            ("Compare it with the leader in Asia.", no_claim),
        ],
        "far-leader" => &[
            (
                "Three Azure regions, one client in each, which reads its own key and changes it, over and over.",
                |run| {
                    assert_eq!(run.report.latency_us.len(), 3);
                },
            ),
            (
                "The leader happens to be in Southeast Asia: every command goes there, and from there to the nearest other node, 338 ms from the American coast.",
                |run| {
                    assert_eq!(run.leader(10_000), 3);
                    assert_eq!(run.median("westus2", 5_000, 20_000), 338_000);
                },
            ),
            ("Compare it with no leader at all.", no_claim),
        ],
        "link-replica" => &[
            ("Two replicas in the centre, two in Europe, and one in the east that both sides reach quickly.", |run| {
                assert_eq!(run.session.checked().blueprint.placement, [0, 0, 1, 2, 2]);
                assert!(run.round_trip(0, 1).max(run.round_trip(1, 2)) < run.round_trip(0, 2));
            }),
            ("When it crashes, every quorum spans the ocean: commits in the centre go from 45 ms to 105 ms.", |run| {
                assert!(!is_up(&run.session, 3));
                // A client in the centre is one ms from the leader there.
                let medians = [run.median("centre", 5_000, 12_000), run.median("centre", 12_200, 20_000)];
                assert_eq!(medians, [46_000, 106_000]);
            }),
        ],
        "cut-in-two" => &[
            ("Nodes 1 and 2, and the clients beside them, lose touch with 3, 4 and 5.", |run| {
                let cut = run.at(9_000);
                for node in [0, 1] {
                    assert_eq!(format!("{:?}", cut.universe().node(NodeId(node)).cut), "{3, 4, 5}");
                }
                let (requests, replies) = cut.universe().client_cuts(0);
                assert_eq!((format!("{requests:?}"), requests), ("{3, 4, 5}".to_owned(), replies));
            }),
            ("The side with three goes on; the side with two can answer nobody.", |run| {
                assert!(run.answers("eu-west-1", 10_000, 16_000).len() > 20);
                assert!(run.answers("eu-west-1", 10_000, 16_000).iter().all(|sample| sample.node.0 >= 2));
                assert!(run.answers("us-east-1", 8_100, 16_000).is_empty());
                assert!(run.answers_anywhere(8_100, 16_000).iter().all(|sample| sample.node.0 >= 2));
            }),
            ("Then the links come back.", |run| {
                assert!(run.answers("us-east-1", 16_000, 18_000).len() > 3);
            }),
        ],
        "bridge" => &[
            (
                "From 4 s on nodes 1 and 2 cannot talk with nodes 4 and 5; node 3 hears both sides, and each side has a majority with it.",
                |run| {
                    let cut = run.at(4_001);
                    assert_eq!(format!("{:?}", cut.universe().node(NodeId(0)).cut), "{4, 5}");
                    assert!(cut.universe().node(NodeId(2)).cut.is_empty());
                },
            ),
            (
                "Whichever side has no leader loses patience and takes node 3 away with a higher ballot: leadership goes back and forth until the links heal at 12 s.",
                |run| {
                    let begun = |from: u64, until: u64| -> Vec<bool> {
                        let within = |at: u64| (from * 1000..until * 1000).contains(&at);
                        let of = run.report.leaders.iter().filter(|leader| within(leader.at_us));
                        of.map(|leader| leader.node >= 4).collect()
                    };
                    let sides = begun(4_000, 12_000);
                    let changes = sides.windows(2).filter(|pair| pair[0] != pair[1]).count();
                    assert!(changes > 10, "{sides:?}");
                    assert!(begun(13_000, 15_000).is_empty());
                },
            ),
            (
                "With the poll before each election, as Multi-Paxos has it here unless it is switched off, or with Raft, a voter that hears from a leader does not listen to others, and the leader stays.",
                |run| {
                    for variant in ["multi-paxos", "raft"] {
                        let stays = run.with(|scenario| {
                            scenario.variant = variant.to_owned();
                            scenario.settings.clear();
                        });
                        assert_eq!((stays.leader(4_000), stays.leader(11_999)), (1, 1), "{variant}");
                        assert!(stays.report.leaders.iter().all(|leader| leader.at_us < 4_000_000), "{variant}");
                    }
                },
            ),
        ],
        "slow-disk" => &[
            (
                "Five replicas in one building: messages take no time to speak of, but each write to the disk takes 10 ms.",
                |run| {
                    assert_eq!(run.round_trip(0, 0), 500);
                },
            ),
            ("What one client can do in a second is what the disks allow.", |run| {
                assert!((10_000..12_000).contains(&run.median("dc", 2_000, 10_000)));
                assert!((80..100).contains(&run.answers("dc", 5_000, 6_000).len()));
            }),
        ],
        "wiped-replica" => &[
            ("Nodes 1 and 2 choose a value while node 3 is away.", |run| {
                let before = run.at(999);
                let committed = |node: u8| {
                    before.universe().node(NodeId(node)).status.is_some_and(|status| status.log.committed > 0)
                };
                assert_eq!([0, 1, 2].map(committed), [true, true, false]);
            }),
            (
                "Then node 2 comes back with an empty disk: it has forgotten its promise and its vote, and with node 3 it chooses another value.",
                |run| {
                    let reborn = run.at(1_101);
                    assert_eq!(reborn.universe().node(NodeId(1)).status.expect("up").log.committed, 0);
                    assert!(run.violated("Agreement"));
                },
            ),
            ("Paxos counts on disks that keep what was saved.", |run| {
                let kept = run.with(|scenario| scenario.script.retain(|fault| fault.action != "wipe-disk"));
                assert!(kept.report.violations.is_empty());
            }),
        ],
        "unsynced-disk" => &[
            ("From 4 s on the disk of node 2 keeps writes in its memory and says that they are done.", |run| {
                assert!(run.at(4_001).universe().node(NodeId(1)).disk.forgets);
            }),
            ("With its word, nodes 1 and 2 commit entries while node 3 is away.", |run| {
                let committed = |ms| run.at(ms).universe().node(NodeId(0)).status.expect("up").log.committed;
                assert!(committed(5_990) > committed(4_100) + 3);
                assert_eq!(format!("{:?}", run.at(5_990).universe().node(NodeId(2)).cut), "{1, 2}");
            }),
            (
                "Then the power of node 2 fails and node 1 is cut off: node 2 comes back without those entries, elects a leader with node 3, and what was committed is overwritten.",
                |run| {
                    let last = |ms| run.at(ms).universe().node(NodeId(1)).status.expect("up").log.last;
                    assert!(last(6_501) < last(5_990));
                    assert_eq!(run.leader(8_000), 3);
                    assert!(run.violated("Agreement") && run.violated("Leader Completeness"));
                },
            ),
        ],
        "suspended-leader" => &[
            ("Node 1 leads under a lease and answers reads without asking anybody.", |run| {
                assert_eq!((run.leader(2_500), run.leader(4_999)), (1, 1));
            }),
            ("At 5 s its machine is suspended, clock and all.", |run| {
                assert!(run.at(5_001).universe().node(NodeId(0)).paused.is_some());
            }),
            ("The others elect a new leader and write.", |run| {
                assert_eq!(run.leader(6_990), 3);
                assert!(!run.answers("us-west-2", 6_300, 7_000).is_empty());
            }),
            (
                "At 7 s node 1 goes on, its clock says that no time has passed, and for a moment it answers reads with old values.",
                |run| {
                    assert!(run.violated("Lease") && run.violated("Linearizability"));
                    assert!(run.answers("us-east-1", 7_000, 7_300).iter().any(|sample| sample.node.0 == 0));
                },
            ),
            ("Had its clock gone on, the lease would have been over.", |run| {
                let went_on =
                    run.with(|scenario| scenario.script.iter_mut().for_each(|fault| fault.clock_stops = false));
                assert!(went_on.report.violations.is_empty());
            }),
        ],
        "twins" => &[
            (
                "From 3 s on there are two of node 1, the leader, and neither knows of the other: nodes 2 and 3 talk with one, nodes 4 and 5 with the other.",
                |run| {
                    assert_eq!(run.leader(2_999), 1);
                    assert!(run.at(3_001).universe().node(NodeId(0)).twin);
                },
            ),
            ("Both are honest, both have a majority, and each has other commands chosen in the same slots.", |run| {
                assert!(run.violated("Agreement"));
            }),
            (
                "Multi-Paxos, like Raft, survives nodes that stop, not nodes that say one thing here and another there.",
                |run| {
                    let raft = run.with(|scenario| scenario.variant = "raft".to_owned());
                    assert!(raft.violated("Agreement"));
                    let stops = |scenario: &mut Scenario| {
                        scenario.script.iter_mut().filter(|fault| fault.action == "byzantine").for_each(|fault| {
                            (fault.action, fault.how, fault.to) = ("crash".to_owned(), None, None);
                        });
                    };
                    assert!(run.with(stops).report.violations.is_empty());
                },
            ),
        ],
        "lossy-network" => &[
            ("One message in ten gets lost and delays vary widely.", |run| {
                let [lost, sent] = [run.report.messages.lost, run.report.messages.total];
                assert!((8..13).contains(&(lost * 100 / sent)), "{lost} of {sent}");
            }),
            ("Nothing wrong is ever decided; it only takes longer.", |run| {
                assert!(run.report.violations.is_empty());
                let whole = run.with(|scenario| scenario.network = Default::default());
                for (lossy, whole) in run.report.latency_us.iter().zip(&whole.report.latency_us) {
                    assert!(lossy.mean > whole.mean, "{}", lossy.site);
                }
            }),
        ],
        "heartbeat-pair" => &[
            ("Two servers with heartbeats, one of them primary.", |run| assert_eq!(run.leader(1_000), 1)),
            ("From 2 s to 6 s Virginia is cut off from everything else.", |run| {
                assert_eq!(
                    [1_999, 2_001, 5_999, 6_001].map(|ms| run.at(ms).universe().partitioned().len()),
                    [0, 1, 1, 0]
                );
            }),
            ("Each server hears nothing, orders the other to be turned off, and takes over.", |run| {
                assert_eq!(run.report.leaders.iter().filter(|leader| leader.at_us > 2_000_000).count(), 2);
            }),
            ("An order goes over a wire of its own and arrives in half of all cases.", |run| {
                assert_eq!(format!("{:?}", run.scenario.settings["kill_arrives"]), "Number(500)");
            }),
            (
                "With this seed neither does: both are primaries and both take writes, even once the network is whole again.",
                |run| {
                    let at_end =
                        |node| run.session.universe().node(NodeId(node)).status.is_some_and(|status| status.leads);
                    assert_eq!([0, 1].map(at_end), [true, true]);
                    for (site, node) in [("us-east-1", 0), ("us-west-2", 1)] {
                        assert!(run.answers(site, 6_100, 10_000).iter().all(|sample| sample.node.0 == node), "{site}");
                        assert!(run.answers(site, 6_100, 10_000).len() > 10, "{site}");
                    }
                },
            ),
            ("With seed 6 both are off, with seed 7 one survives.", |run| {
                let up = |seed| {
                    let other = run.with(|scenario| scenario.seed = Some(seed));
                    (1..=2).filter(|node| is_up(&other.session, *node)).count()
                };
                assert_eq!([5, 6, 7].map(up), [2, 0, 1]);
            }),
        ],
        "duel" => &[
            (
                "Two nodes propose at once, and a proposer that is preempted always waits equally long before it goes higher.",
                |run| {
                    assert_eq!(run.report.commands.begun, 2);
                },
            ),
            ("Each preempts the other before it is done; nothing is ever chosen.", |run| {
                assert_eq!((run.report.commands.committed, run.report.commands.answered), (0, 0));
                let numbers =
                    [0, 1].map(|node| run.session.universe().node(NodeId(node)).status.expect("up").epoch.number);
                assert!(numbers[0].min(numbers[1]) > 50, "{numbers:?}");
            }),
            ("With random pauses one of them soon gets through.", |run| {
                let random = run.with(|scenario| {
                    scenario.settings.remove("backoff");
                });
                assert!(random.report.commands.committed > 0);
                assert!(random.answers_anywhere(0, 2_000).len() == 2);
            }),
        ],
        "two-winners" => &[
            ("The notes' algorithm, word for word.", |run| assert!(run.scenario.without.is_empty())),
            ("Worker 1 promises to follow 2, and 2 wins.", |run| assert_eq!(run.report.leaders[0].node, 2)),
            ("Then 2 promises to follow 3, and 3 wins as well.", |run| {
                assert_eq!(run.report.leaders[1].node, 3);
                assert!(run.violated("Agreement"));
            }),
        ],
        "one-winner" => &[
            (
                "The same workers with two more rules: a winner promises nobody, and a worker that follows somebody cannot win.",
                |run| {
                    assert_eq!(run.scenario.settings.len(), 3);
                },
            ),
            ("Worker 2 wins and refuses 3.", |run| {
                assert_eq!(run.report.leaders.iter().map(|leader| leader.node).collect::<Vec<_>>(), [2]);
                assert!(run.report.violations.is_empty());
            }),
        ],
        "lock-fenced" => &[
            ("Three clients share a lock.", |run| assert_eq!(run.scenario.clients[0].sessions, Some(3))),
            (
                "Now and then one stops for three seconds while it holds the lock, longer than its lease lasts; somebody else takes the lock meanwhile.",
                |run| {
                    // Without fencing the same stops let two hold it.
                    let unfenced = run.with(|scenario| scenario.clients[0].fenced = Some(false));
                    assert!(unfenced.violated("One holder at a time"));
                },
            ),
            ("When the first wakes up and writes, its token is old and the store refuses it.", |run| {
                assert!(run.report.violations.is_empty());
            }),
        ],
        "lock-unfenced" => &[
            ("The same lock, but the store does not look at the tokens.", |run| {
                assert_eq!(run.scenario.clients[0].fenced, Some(false));
            }),
            (
                "A client that was asleep longer than its lease lasts wakes up and writes, though another client holds the lock by now: two hold it at once, and the judge says so.",
                |run| {
                    assert!(run.violated("One holder at a time"));
                },
            ),
        ],
        "queue-lease" => &[
            ("Workers borrow items for two seconds and say when they are done.", |run| {
                assert_eq!(run.scenario.clients[1].lease.as_ref().map(|lease| lease.micros()), Some(Ok(2_000_000)));
            }),
            ("One in five dies at work.", |run| {
                assert_eq!(run.scenario.clients[1].dies.as_ref().map(|dies| dies.permille()), Some(Ok(200)));
            }),
            ("Its item is not lost: when the lease is over, the next worker gets it.", |run| {
                assert_eq!(run.report.history, Some("what a queue promises"));
            }),
        ],
        "barrier" => &[
            ("Six workers on two continents work for about half a second each, then wait for each other.", |run| {
                assert_eq!(run.scenario.clients[0].sessions, Some(6));
            }),
            (
                "Nobody goes on until all have come; the coordinator is the log, so that it survives the crash of the leader in the middle.",
                |run| {
                    assert!(run.report.violations.is_empty());
                    assert_eq!(run.leader(9_999), 1);
                    assert!(run.answers_anywhere(11_000, 13_999).len() > 20);
                },
            ),
        ],
        "made-up-values" => &[
            (
                "One write in five leaves it to each replica what to write, as a clock or a random number would.",
                |run| {
                    let share = run.scenario.clients[0].nondeterministic.as_ref().map(|share| share.permille());
                    assert_eq!(share, Some(Ok(200)));
                },
            ),
            (
                "All replicas execute the same commands in the same order, and still end up in different states.",
                |run| {
                    assert!(
                        run.violated("Same prefix, same state")
                            && !run.violated("Agreement")
                            && !run.violated("Applied prefix")
                    );
                },
            ),
            ("When the leader changes, clients read something else.", |run| {
                assert!(run.leader(7_999) == 1 && run.leader(12_999) > 1);
                assert!(run.violated("Linearizability"));
                let same = run.with(|scenario| scenario.clients[0].nondeterministic = None);
                assert!(same.report.violations.is_empty());
            }),
        ],
        "coordinator-crash" => &[
            ("Two-phase commit.", |run| assert_eq!(run.scenario.variant, "two-phase-commit")),
            (
                "Nodes 2 and 3 vote yes, and node 1 dies before a vote reaches it: they may neither commit nor abort, and wait until it is back, ten seconds later.",
                |run| {
                    let blocked = |ms: u64| {
                        let session = run.at(ms);
                        [1, 2].map(|node| {
                            session.universe().node(NodeId(node)).status.is_some_and(|status| status.blocked.is_some())
                        })
                    };
                    assert_eq!((blocked(6_000), blocked(14_999)), ([true; 2], [true; 2]));
                    assert!(!is_up(&run.at(14_999), 1) && is_up(&run.at(15_001), 1));
                    assert_eq!(blocked(17_000), [false; 2]);
                },
            ),
            ("Nobody is served meanwhile.", |run| {
                assert!(run.answers_anywhere(5_200, 15_000).is_empty());
                assert!(run.answers_anywhere(15_000, 25_000).len() > 20);
            }),
        ],
        "same-crash-with-raft" => &[(
            "Raft with the same nodes, clients and crash as in \"The coordinator crashes between the votes and the decision\": the other two are a majority, elect a leader, and go on.",
            |run| {
                let other = Facts::of(preset("coordinator-crash"));
                assert_eq!(
                    (&run.scenario.script, &run.scenario.clients),
                    (&other.scenario.script, &other.scenario.clients)
                );
                assert_eq!(run.leader(7_000), 3);
                assert!(run.answers_anywhere(8_000, 15_000).len() > 20);
            },
        )],
        _ => foils::claims(key)
            .or_else(|| ben_or::claims(key))
            .or_else(|| epaxos::claims(key))
            .or_else(|| mencius::claims(key))
            .or_else(|| floodset::claims(key))
            .or_else(|| oral_messages::claims(key))
            .or_else(|| reads::claims(key))
            .or_else(|| vrr::claims(key))
            .or_else(|| omni_paxos::claims(key))
            .or_else(|| zab::claims(key))
            .or_else(|| quorums::claims(key))
            .unwrap_or_else(|| panic!("{key}: write down what its caption claims")),
    }
}

fn preset(key: &str) -> Scenario {
    let preset = PRESETS.iter().find(|preset| preset.key == key).expect("a built-in scenario");
    text::from_json(preset.json).expect("it reads").scenario
}

#[test]
fn caption_of_every_built_in_scenario_is_what_its_run_does() {
    for built_in in PRESETS {
        let run = Facts::of(preset(built_in.key));
        let claims = claims(built_in.key);
        let told: Vec<&str> = claims.iter().map(|(sentence, _)| *sentence).collect();
        assert_eq!(told.join(" "), run.scenario.about, "{}: every sentence of the caption is a claim", built_in.key);
        for (sentence, holds) in claims {
            eprintln!("{}: {sentence}", built_in.key);
            holds(&run);
        }
    }
}
