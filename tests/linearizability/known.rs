//! Histories whose verdict is known.

use super::*;

/// Herlihy and Wing 1990, figure 1 and section 2: histories of a FIFO queue, H1 to H4 (E is enqueue, D is dequeue).
#[test]
fn queue_histories_of_herlihy_and_wing_have_published_verdicts() {
    let h1 = "A enqueue \"x\"\n B enqueue \"y\"\n B ok\n A ok\n B dequeue\n B ok \"x\"\n A dequeue\n A ok \"y\"\n A enqueue \"z\"";
    assert_eq!(conflict(h1, Model::Queue), None, "the enqueues overlap, so x may be first");
    let h2 = "A enqueue \"x\"\n A ok\n B enqueue \"y\"\n B ok\n A dequeue\n A ok \"y\"";
    assert_eq!(conflict(h2, Model::Queue), Some(vec![1, 3, 5]), "x was first, y is taken first");
    let h3 = "A enqueue \"x\"\n B dequeue\n B ok \"x\"";
    assert_eq!(conflict(h3, Model::Queue), None, "the enqueue took effect, though it was not answered");
    let h4 = "A enqueue \"x\"\n B enqueue \"y\"\n A ok\n B ok\n A dequeue\n C dequeue\n A ok \"y\"\n C ok \"y\"";
    assert_eq!(conflict(h4, Model::Queue), Some(vec![2, 5, 6]), "y is taken twice; x has nothing to do with it");
}

/// The same paper, section 1.2: a register that A and B write and read.
#[test]
fn register_histories_of_herlihy_and_wing_have_published_verdicts() {
    let overlapping = "A write 0\n A ok\n B write 1\n A read\n A ok 1\n C read\n C ok 1\n B ok";
    assert_eq!(conflict(overlapping, Model::Register), None);
    let back_again = "A write 0\n A ok\n B write 1\n A read\n A ok 1\n C read\n C ok 0\n B ok";
    assert_eq!(conflict(back_again, Model::Register), Some(vec![3, 4, 6]), "0 after 1, with no write of 0 between");
    let stale = "A write 1\n A ok\n B write 2\n B ok\n A read\n A ok 1";
    assert_eq!(conflict(stale, Model::Register), Some(vec![3, 5]));
    let unwritten = "A write 1\n B read\n B ok 7\n A ok";
    assert_eq!(conflict(unwritten, Model::Register), Some(vec![2]));
    let future = "B read\n B ok 1\n A write 1\n A ok";
    assert_eq!(conflict(future, Model::Register), Some(vec![1, 3]), "nobody had begun to write 1");
    let late = "A write 1\n A ok\n B read\n B ok null";
    assert_eq!(conflict(late, Model::Register), Some(vec![1, 3]));
}

/// With every value written twice, so that the search judges and not the zones.
#[test]
fn register_values_written_twice_search_gives_known_verdicts() {
    let twice = "Z write 0\n Z ok\n Z write 0\n Z ok\n Z write 1\n Z ok\n Z write 1\n Z ok\n";
    let overlapping = format!("{twice} A write 0\n A ok\n B write 1\n A read\n A ok 1\n C read\n C ok 1\n B ok");
    assert_eq!(conflict(&overlapping, Model::Register), None);
    let back_again = format!("{twice} A write 0\n A ok\n B write 1\n A read\n A ok 1\n C read\n C ok 0\n B ok");
    assert_eq!(conflict(&back_again, Model::Register), Some(vec![11, 12, 14]));
    assert_eq!(judged(&back_again, Model::Register).without_search, 0);
    let stale = format!("{twice} A write 0\n A ok\n A read\n A ok 1");
    assert_eq!(conflict(&stale, Model::Register), Some(vec![9, 11]));
}

/// What an unanswered operation may do: take effect at any later time, or never, but only once and not before it was asked for.
#[test]
fn pending_operation_takes_effect_once_after_invocation_or_never() {
    let late = "A write 1\n A info\n B read\n B ok null\n B read\n B ok 1";
    assert_eq!(conflict(late, Model::CasRegister), None);
    let never = "A write 1\n A info\n B read\n B ok null";
    assert_eq!(conflict(never, Model::CasRegister), None);
    let once = "A write 1\n A info\n B read\n B ok 1\n C write 2\n C ok\n B read\n B ok 1";
    assert!(conflict(once, Model::CasRegister).is_some());
    let twice = format!("D write 1\n D info\n {once}");
    assert_eq!(conflict(&twice, Model::CasRegister), None, "there are two writes of 1 now");
    let out_of_order = "B read\n B ok 1\n A write 1\n A info";
    assert!(conflict(out_of_order, Model::CasRegister).is_some());
    let failed = "A write 1\n A fail\n B read\n B ok 1";
    assert_eq!(conflict(failed, Model::CasRegister), Some(vec![3]));
    let gone = "A write 1\n A info\n A write 2\n A ok\n B read\n B ok 1";
    assert_eq!(conflict(gone, Model::CasRegister), None, "a process may go on after an info");
    let chain = "A write 1\n A info\n B cas [1,2]\n B info\n C cas [2,3]\n C info\n D read\n D ok 3\n D read\n D ok 3";
    assert_eq!(conflict(chain, Model::CasRegister), None);
    let backwards = "A write 1\n A info\n B cas [1,2]\n B info\n D read\n D ok 2\n D read\n D ok 1";
    assert!(conflict(backwards, Model::CasRegister).is_some());
}

/// The kind of history that Jepsen records of etcd: a compare-and-set register with time-outs.
#[test]
fn cas_register_concurrent_swaps_of_one_value_is_violation() {
    let good = "0 write 4\n 1 read\n 0 ok\n 2 cas [4,0]\n 1 ok 4\n 3 cas [0,2]\n 2 ok\n 3 info\n 1 read\n 1 ok 0\n 0 read\n 0 ok 2";
    assert_eq!(conflict(good, Model::CasRegister), None);
    let both = "0 write 0\n 0 ok\n 1 cas [0,1]\n 2 cas [0,2]\n 1 ok\n 2 ok";
    assert_eq!(conflict(both, Model::CasRegister), Some(vec![3, 4]), "each needs a 0, whatever was there before");
    let one = "0 write 0\n 0 ok\n 1 cas [0,1]\n 2 cas [0,2]\n 1 ok\n 2 fail\n 0 read\n 0 ok 1";
    assert_eq!(conflict(one, Model::CasRegister), None);
}

#[test]
fn key_value_append_lost_or_reordered_is_violation() {
    let texts = "A put \"x\"\n A ok\n B append \"y\"\n C append \"z\"\n B ok\n C ok\n A get\n A ok \"xzy\"";
    assert_eq!(conflict(texts, Model::KeyValue), None);
    let lost = "A put \"x\"\n A ok\n B append \"y\"\n B ok\n C append \"z\"\n C ok\n A get\n A ok \"xz\"";
    assert!(conflict(lost, Model::KeyValue).is_some());
    let swapped = "A put \"x\"\n A ok\n B append \"y\"\n B ok\n C append \"z\"\n C ok\n A get\n A ok \"xzy\"";
    assert!(conflict(swapped, Model::KeyValue).is_some());
    let from_nothing = "B append \"y\"\n B ok\n C cas [\"y\",\"w\"]\n C ok\n A get\n A ok \"w\"";
    assert_eq!(conflict(from_nothing, Model::KeyValue), None);
}

#[test]
fn lock_second_holder_or_foreign_release_is_violation() {
    let good = "A acquire\n B acquire\n A ok\n A release\n A ok\n B ok\n B release\n B ok\n A acquire\n A ok";
    assert_eq!(conflict(good, Model::Lock), None);
    let both = "A acquire\n A ok\n B acquire\n B ok\n A release\n A ok";
    assert_eq!(conflict(both, Model::Lock), Some(vec![1, 3]));
    let not_mine = "A acquire\n A ok\n B release\n B ok";
    assert_eq!(conflict(not_mine, Model::Lock), Some(vec![1, 3]));
    let lost_release = "A acquire\n A ok\n A release\n A info\n B acquire\n B ok";
    assert_eq!(conflict(lost_release, Model::Lock), None);
}

#[test]
fn fenced_lock_stale_or_duplicate_token_is_violation() {
    let expired = "A acquire\n A ok 1\n B acquire\n B ok 2\n B write 2\n B ok\n A write 1\n A fail\n A acquire\n A ok 3\n A write 3\n A ok";
    assert_eq!(conflict(expired, Model::FencedLock), None, "a lease may end at any time");
    let stale = "A acquire\n A ok 1\n B acquire\n B ok 2\n B write 2\n B ok\n A write 1\n A ok";
    assert_eq!(conflict(stale, Model::FencedLock), Some(vec![5, 7]), "an old token is taken");
    let both = "A acquire\n B acquire\n B ok 1\n A ok 1";
    assert_eq!(conflict(both, Model::FencedLock), Some(vec![1, 2]), "one token for two");
    let back = "A acquire\n A ok 2\n B acquire\n B ok 1";
    assert_eq!(conflict(back, Model::FencedLock), Some(vec![1, 3]), "a later holder has a smaller token");
    let unknown = "A acquire\n A info\n B acquire\n B ok 2\n A write 1\n A ok\n B release 2\n B ok";
    assert_eq!(conflict(unknown, Model::FencedLock), None);
    let invented = "A acquire\n A ok 1\n A write 2\n A ok";
    assert_eq!(conflict(invented, Model::FencedLock), Some(vec![1, 3]));
    let gaps = "A acquire\n A ok 17\n B acquire\n B ok 40\n B write 40\n B ok";
    assert_eq!(conflict(gaps, Model::FencedLock), None, "tokens need not be consecutive");
}

/// Keys are judged apart, and one that is wrong is enough.
#[test]
fn keys_are_checked_separately_and_one_violation_suffices() {
    let mut json = String::new();
    for (at, key) in ["x", "y", "x", "y"].iter().enumerate() {
        for kind in ["invoke", "ok"] {
            json +=
                &format!("{{\"process\":{at},\"type\":\"{kind}\",\"f\":\"put\",\"key\":\"{key}\",\"value\":{at}}}\n");
        }
    }
    let verdict = |json: &str| {
        let history = history::read(json, Model::KeyValue).expect("it is one");
        judge(&history, Model::KeyValue, Limits::default())
    };
    assert_eq!((verdict(&json).verdict, verdict(&json).keys), (Verdict::Linearizable, 2));
    json += "{\"process\":9,\"type\":\"invoke\",\"f\":\"get\",\"key\":\"y\"}\n";
    json += "{\"process\":9,\"type\":\"ok\",\"f\":\"get\",\"key\":\"y\",\"value\":1}\n";
    let Verdict::Violated(counterexample) = verdict(&json).verdict else { panic!("y holds 3") };
    assert_eq!(counterexample.operations.len(), 2);
}

/// Honest about what it does not know: a hard history with hardly any budget, and with hardly any memory.
#[test]
fn judge_without_steps_or_memory_is_undecided() {
    let mut short = String::new();
    for process in 0..14 {
        short += &format!("{process} enqueue {}\n", process % 7);
    }
    for process in 0..14 {
        short += &format!("{process} ok\n");
    }
    for process in [3, 1, 4, 0, 5, 2, 6, 5, 1, 6, 3, 4, 6] {
        short += &format!("r dequeue\n r ok {process}\n");
    }
    let history = history::read(&lines(&short), Model::Queue).expect("it is one");
    let with = |limits| judge(&history, Model::Queue, limits).verdict;
    assert!(matches!(with(Limits { steps: 1_000, ..Limits::default() }), Verdict::Undecided { .. }));
    assert!(matches!(with(Limits { bytes: 1_000, ..Limits::default() }), Verdict::Undecided { .. }));
    assert!(matches!(with(Limits { steps: 0, ..Limits::default() }), Verdict::Undecided { .. }));
}

#[test]
fn steps_of_a_search_that_is_taken_up_again_are_counted_once() {
    let mut short = String::new();
    for process in 0..24 {
        short += &format!("{process} enqueue {}\n", process % 7);
    }
    for process in 0..24 {
        short += &format!("{process} ok\n");
    }
    for process in [3, 1, 4, 0, 5, 2, 6, 5, 1, 6, 3, 4, 6, 6, 6, 6, 6] {
        short += &format!("r dequeue\n r ok {process}\n");
    }
    let history = history::read(&lines(&short), Model::Queue).expect("it is one");
    // Three slices.
    let steps = 3 << 16;
    let judgement = judge(&history, Model::Queue, Limits { steps, ..Limits::default() });
    assert!(matches!(judgement.verdict, Verdict::Undecided { .. }), "{:?}", judgement.verdict);
    assert!((steps..steps + 100).contains(&judgement.steps), "{}", judgement.steps);
}

/// A long history needs no deep stack and no time to speak of.
#[test]
fn judge_80_000_events_needs_no_deep_stack() {
    let mut short = String::new();
    for round in 0..20_000 {
        short += &format!("A write {}\n B read\n A ok\n B ok {}\n", round % 3, round % 3);
    }
    assert_eq!(conflict(&short, Model::CasRegister), None);
    short += "A write 0\n A ok\n B read\n B ok 1\n";
    assert_eq!(conflict(&short, Model::CasRegister), Some(vec![80_001, 80_003]));
}
