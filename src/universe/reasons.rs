//! Reasons in words: the sentences of the rules that a handler call applied, filled with its facts.

use crate::core::{Fact, NodeId, Rule, RuleId, RuleSet, Sentence, Told};
use std::fmt::Write;

/// What a node did in a handler call and why, as full sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The node.
    pub node: NodeId,
    /// The sentences. The first names the node, further ones say "it".
    pub text: String,
    /// The rules that they are about.
    pub rules: RuleSet,
}

/// Sentences and rules of a protocol.
#[derive(Clone, Copy, Debug)]
pub struct Wording {
    /// Its rules.
    pub rules: &'static [Rule],
    /// The sentences of all rules.
    pub sentences: &'static [Sentence],
}

impl Wording {
    /// The reasons of a step, a paragraph for each node, in the order in which the nodes handled something.
    pub fn why(&self, reasons: &[(NodeId, Told)]) -> Vec<Why> {
        reasons.chunk_by(|(one, _), (other, _)| one == other).map(|of_node| self.of_node(of_node)).collect()
    }

    fn of_node(&self, reasons: &[(NodeId, Told)]) -> Why {
        let node = reasons.first().map_or(NodeId(0), |(node, _)| *node);
        let mut why = Why { node, text: String::new(), rules: RuleSet::EMPTY };
        // Whether the last sentence has a clause that says why.
        let mut explained = false;
        for alike in
            reasons.chunk_by(|(_, one), (_, other)| (one.sentence, one.in_force) == (other.sentence, other.in_force))
        {
            let Some((_, first)) = alike.first() else { continue };
            let Some(text) = self.filled(first) else { continue };
            why.rules.add(first.rule);
            match text.strip_prefix(": ") {
                Some(clause) if why.text.ends_with('.') => {
                    why.text.pop();
                    let _ = write!(why.text, "{} {clause}.", if explained { ", and" } else { ":" });
                    explained = true;
                    continue;
                }
                _ => explained = false,
            }
            if !why.text.is_empty() {
                why.text.push(' ');
            }
            let subject = if why.text.is_empty() { format!("Node {node:?}") } else { "It".to_owned() };
            let _ = match first.in_force {
                true => write!(why.text, "{subject} {text}."),
                false => write!(
                    why.text,
                    "The rule “{}” is taken away here; with it, this is what would be done: node {node:?} {text}.",
                    self.title(first.rule)
                ),
            };
            match alike.iter().skip(1).filter(|(_, told)| told.facts != first.facts).count() {
                0 => {}
                1 => why.text.push_str(" It does the same once more."),
                more => {
                    let _ = write!(why.text, " It does the same {more} times more.");
                }
            }
        }
        why
    }

    fn title(&self, rule: RuleId) -> &'static str {
        self.rules.get(usize::from(rule.0)).map_or("", |rule| rule.title)
    }

    /// A reason as a sentence of its own.
    pub fn sentence(&self, node: NodeId, told: &Told) -> String {
        let text = self.filled(told).unwrap_or_default();
        match text.strip_prefix(": ") {
            Some(clause) => format!("Node {node:?}: {clause}."),
            None => format!("Node {node:?} {text}."),
        }
    }

    /// A sentence with its facts in place, without subject and full stop.
    pub fn filled(&self, told: &Told) -> Option<String> {
        let sentence = self.sentences.get(usize::from(told.sentence))?;
        Some(fill(sentence, &told.facts))
    }
}

fn fill(sentence: &Sentence, facts: &[Fact]) -> String {
    let mut text = String::new();
    let mut rest = sentence.text;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, then)) = after.split_once('}') else { break };
        let fact = sentence.facts.iter().position(|fact| *fact == name).and_then(|place| facts.get(place));
        if let Some(fact) = fact {
            let _ = write!(text, "{fact}");
        }
        rest = then;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::rules! {
        /// A rule.
        ONE = {
            key: "one",
            title: "one vote",
            source: "here",
            says: "One.",
            without: None,
        } tells {
            VOTES(candidate) = "votes for {candidate}";
            IS_FREE(term) = ": it has not voted in term {term}";
            IS_NEW(slot) = ": the log ends with entry {slot}";
            EXECUTES(slot) = "executes slot {slot}";
        };
    }

    const WORDING: Wording = Wording { rules: RULES, sentences: SENTENCES };

    fn told<const FACTS: usize>(reason: crate::core::Reason<FACTS>, facts: [Fact; FACTS]) -> (NodeId, Told) {
        let told = Told { rule: reason.rule(), sentence: reason.sentence(), facts: facts.to_vec(), in_force: true };
        (NodeId(2), told)
    }

    #[test]
    fn clauses_join_their_sentence_and_further_sentences_follow() {
        let reasons = [
            told(VOTES, [NodeId(4).into()]),
            told(IS_FREE, [1_u32.into()]),
            told(IS_NEW, [7_u32.into()]),
            told(EXECUTES, [8_u32.into()]),
            told(EXECUTES, [9_u32.into()]),
            told(EXECUTES, [10_u32.into()]),
        ];
        let why = WORDING.why(&reasons);
        let expected = "Node 3 votes for node 5: it has not voted in term 1, and the log ends with entry 7. \
                        It executes slot 8. It does the same 2 times more.";
        assert_eq!(why, [Why { node: NodeId(2), text: expected.to_owned(), rules: RuleSet::just(ONE) }]);
    }

    #[test]
    fn sentence_of_rule_that_is_taken_away_says_so() {
        let (node, told) = told(VOTES, [NodeId(4).into()]);
        let why = WORDING.why(&[(node, Told { in_force: false, ..told })]);
        let expected =
            "The rule “one vote” is taken away here; with it, this is what would be done: node 3 votes for node 5.";
        assert_eq!(why[0].text, expected);
    }
}
