//! One entry of a script that is to be done now.

use super::Fault;
use crate::lab::document::link::tree_from_json;
use crate::lab::document::problem::ProblemCollector;
use crate::lab::document::read::read;
use crate::lab::document::{Checked, Problem, Problems};
use crate::sim::Action;
use crate::universe::Universe;

impl Checked {
    /// Reads an entry of a script as JSON without its time, such as `{"do": "crash", "node": "leader"}`. Roles are those of this moment. Errors: what makes
    /// no sense, and roles that no node has.
    pub fn action(&self, text: &str, universe: &dyn Universe) -> Result<Action, Problems> {
        let mut tree = tree_from_json(text)?;
        let Some(entry) = tree.as_object_mut() else {
            return Err(
                Problem::whole("this is no entry of a script; {\"do\": \"crash\", \"node\": 1} would do").into()
            );
        };
        entry.entry("at").or_insert_with(|| "0s".into());
        let fault: Fault = read(tree)?;
        let sites = self.sites();
        let mut problems = ProblemCollector::default();
        let timed = fault.read("action", self.names(&sites), usize::from(universe.nodes()), &mut problems);
        let timed = problems.into_result(timed)?;
        Ok(universe.resolve(timed).map_err(|refusal| Problem::whole(refusal.to_string()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::NodeId;
    use crate::lab::{Session, presets};

    fn session() -> Session {
        let mut session = Session::new(presets::first()).unwrap();
        session.seek_time(3_000_000);
        session
    }

    fn read(session: &Session, text: &str) -> Result<Action, String> {
        session.checked().action(text, session.universe()).map_err(|problems| problems.to_string())
    }

    #[test]
    fn the_leader_is_whoever_leads_now() {
        let session = session();
        let leader = session.universe().leader().unwrap();
        assert_eq!(read(&session, r#"{"do": "crash", "node": "leader"}"#), Ok(Action::Crash(leader)));
        assert_eq!(read(&session, r#"{"at": "9s", "do": "restart", "node": 2}"#), Ok(Action::Restart(NodeId(1))));
        let early = Session::new(presets::first()).unwrap();
        let problem = read(&early, r#"{"do": "crash", "node": "leader"}"#).unwrap_err();
        assert!(problem.contains("nobody leads now"), "{problem}");
    }

    #[test]
    fn what_makes_no_sense_is_told_with_what_would_do() {
        let session = session();
        for (text, says) in [
            ("", "EOF"),
            ("[]", "would do"),
            (r#"{"do": "crush"}"#, "crash"),
            (r#"{"do": "crash", "node": 99}"#, "99"),
            (r#"{"do": "crash", "nod": 1}"#, "nod"),
        ] {
            let problem = read(&session, text).unwrap_err();
            assert!(problem.contains(says), "{text}: {problem}");
        }
    }
}
