//! Messages that overtake each other cost the time they are late by, and no more: what came too early is kept, and what is only late is not
//! taken for lost.

use quorumscope::lab::run::Run;
use quorumscope::lab::text;

/// How many commands 200 clients have answered within a second, if every other message is late by so much at most.
fn answered(late: &str) -> u64 {
    let document = format!(
        "variant = \"raft\"\nsettings = {{ batch = 16 }}\nsites = [\"s\"]\nrtt_ms = [[10]]\nduration = \"1s\"\n\
         replicas = [\"s\", \"s\", \"s\", \"s\", \"s\"]\nclients = [{{ site = \"s\", sessions = 200 }}]\n\
         script = [{{ at = \"0s\", do = \"reordering\", share = \"50%\", extra = \"{late}\" }}]\n"
    );
    let document = text::from_toml(&document).expect("a scenario");
    let report = Run::to_end(&document).expect("a good one");
    assert_eq!((report.leaders.len(), report.violations.len()), (1, 0), "{late}");
    report.commands.answered
}

#[test]
fn what_comes_out_of_order_is_not_sent_again() {
    let in_order = answered("0s");
    // A command takes 20 ms, and so much more: with half of the messages late, one of many before a command is, on nearly every link.
    for (late, percent) in [("1ms", 94), ("5ms", 80), ("10ms", 66)] {
        let answered = answered(late);
        assert!(answered * 100 >= in_order * percent, "late by {late}: {answered}, in order: {in_order}");
        println!("late by {late}: {answered}, in order: {in_order}");
    }
}
