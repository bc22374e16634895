//! The laboratory: the run, the stage and everything around it.

use crate::components::legend::Legend;
use crate::components::stage::Stage;
use crate::components::transport::Transport;
use crate::intent::{Intent, Target};
use crate::run::{Engine, Film, Ground, Shared, Shown};
use crate::web::browser;
use quorumscope::lab::{Clients, Scenario, Session, Site};
use std::rc::Rc;
use yew::prelude::*;

/// What happens to the page.
pub enum Msg {
    /// Texts should be looked at again.
    Look,
    /// Somebody wants something.
    Do(Intent),
}

/// The page.
pub struct Lab {
    film: Shared,
    ground: Rc<Ground>,
    shown: Rc<Shown>,
    menu: Option<Target>,
    dark: bool,
    says: Option<String>,
}

impl Component for Lab {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Lab>) -> Lab {
        let session = Session::new(first()).expect("fits");
        let ground = Rc::new(Ground::of(&session));
        let shown = Rc::new(Shown::of(&session));
        let mut engine = Engine::new(session);
        engine.play(true);
        let film = Film::start(engine, ctx.link().callback(|()| Msg::Look));
        Lab { film, ground, shown, menu: None, dark: browser::matches("(prefers-color-scheme: dark)"), says: None }
    }

    fn update(&mut self, _: &Context<Lab>, message: Msg) -> bool {
        if let Msg::Do(intent) = message {
            self.carry_out(intent);
        }
        self.shown = Rc::new(Shown::of(self.film.borrow().engine.session()));
        true
    }

    fn view(&self, ctx: &Context<Lab>) -> Html {
        let on = ctx.link().callback(Msg::Do);
        let film = self.film.borrow();
        let shown = &self.shown;
        html! {
            <main class="lab">
                <h1>{ "Quorumscope" }</h1>
                <p class="sentence">{ &shown.sentence }</p>
                <Stage ground={self.ground.clone()} shown={shown.clone()} menu={self.menu} dark={self.dark} film={self.film.clone()} on={on.clone()} />
                <Legend kinds={self.ground.variant.kinds} seen={shown.by_kind.iter().map(|count| *count > 0).collect::<Vec<_>>()} />
                <Transport playing={film.engine.playing()} pace={film.engine.pace} time={shown.time} events={shown.events} {on} />
                <p role="status">{ self.says.clone() }</p>
            </main>
        }
    }

    fn destroy(&mut self, _: &Context<Lab>) {
        self.film.borrow_mut().stop();
    }
}

impl Lab {
    fn carry_out(&mut self, intent: Intent) {
        let mut film = self.film.borrow_mut();
        film.touch();
        let engine = &mut film.engine;
        match intent {
            Intent::Play(playing) => engine.play(playing),
            Intent::Step => {
                engine.step();
            }
            Intent::Back => engine.back(),
            Intent::Restart => engine.restart(),
            Intent::Pace(pace) => engine.pace = pace,
            Intent::Seek(time) => engine.seek(time),
            Intent::Act(actions) => {
                for action in actions {
                    if let Err(refusal) = engine.act(action) {
                        self.says = Some(refusal.to_string());
                    }
                }
            }
            Intent::Menu(target) => self.menu = target,
            Intent::Run(scenario, _) => {
                if let Err(problems) = engine.run(*scenario) {
                    self.says = Some(problems.to_string());
                }
            }
            Intent::Say(text) => self.says = Some(text),
        }
    }
}

fn first() -> Scenario {
    let sites = ["us-west-2", "us-east-1", "eu-west-1"];
    Scenario {
        variant: quorumscope::universe::variants()[0].card.key.to_owned(),
        matrix: Some("aws".to_owned()),
        sites: sites.map(Site::named).to_vec(),
        replicas: ["us-east-1", "us-east-1", "us-west-2", "eu-west-1", "eu-west-1"].map(str::to_owned).to_vec(),
        clients: sites.map(|site| Clients { site: site.to_owned(), ..Clients::default() }).to_vec(),
        ..Scenario::default()
    }
}
