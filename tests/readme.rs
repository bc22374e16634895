//! Every command of README's that can run by itself does, and ends as it should.

use std::process::{Command, Output};

/// The lines of a document's shell blocks that call the command, without their comments.
fn commands(document: &str) -> Vec<String> {
    let blocks = document.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).filter(|line| line.starts_with("quorumscope "));
    lines.map(|line| line.split(" #").next().unwrap_or(line).trim().to_owned()).collect()
}

fn run(line: &str) -> Output {
    let mut words = line.split_whitespace().skip(1);
    Command::new(env!("CARGO_BIN_EXE_quorumscope")).args(&mut words).output().expect("the command starts")
}

#[test]
fn every_command_shown_in_the_readme_runs() {
    let readme = std::fs::read_to_string("README.md").expect("README.md");
    let all = commands(&readme);
    assert!(all.len() >= 6, "{all:?}");
    for line in all {
        let Output { status, stdout, stderr } = run(&line);
        // Only where a rule is taken away is a violation what is shown.
        let expected = if line.contains("--without") { 1 } else { 0 };
        assert_eq!(status.code(), Some(expected), "{line}\n{}", String::from_utf8_lossy(&stderr));
        assert!(!stdout.is_empty(), "{line}: it prints nothing");
    }
}

#[test]
fn every_file_that_the_readme_links_to_is_there() {
    let readme = std::fs::read_to_string("README.md").expect("README.md");
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.contains("://")) {
        assert!(std::path::Path::new(link).exists(), "{link} is not there");
    }
}
