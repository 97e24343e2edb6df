//! Fan-out: a change of one row that 1,000 sessions watch, with their confirmations, against the
//! baseline, and the baseline against plain writes; one change at a time and a hundred at a time.

use crate::broadcast::{Cost, How, Publisher, Scene};
use crate::report::{Bound, Report, median};

const SCENE: Scene = Scene {
    clients: 1_000,
    players: 1,
};

/// Changes that are published in all, in each round.
const CHANGES: usize = 200;
const ROUNDS: usize = 7;

pub(crate) async fn measure(report: &mut Report) {
    let hows = [How::Blazelink, How::Baseline, How::Plain];
    let mut publishers = Vec::new();
    for how in hows {
        let mut publisher = Publisher::start(how, SCENE).await;
        publisher.publish(CHANGES, 1).await;
        publishers.push(publisher);
    }
    for (at_once, ours, theirs) in [
        (
            1,
            "Fan-out of single changes to 1,000 sessions, messages per second, of the baseline's",
            "The baseline's own, of plain writes",
        ),
        (
            100,
            "Fan-out of a hundred changes at a time, messages per second, of the baseline's",
            "The baseline's own, of plain writes, a hundred changes at a time",
        ),
    ] {
        let mut costs = hows.map(|_| Costs::default());
        for _ in 0..ROUNDS {
            for (publisher, costs) in publishers.iter_mut().zip(&mut costs) {
                costs.add(publisher.publish(CHANGES / at_once, at_once).await);
            }
        }
        let [blazelink, baseline, plain] = costs.map(Costs::middle);
        add(report, ours, 0.6, blazelink, baseline);
        add(report, theirs, 0.8, baseline, plain);
    }
    for publisher in publishers {
        publisher.stop().await;
    }
}

fn add(report: &mut Report, what: &'static str, bound: f64, of: Cost, against: Cost) {
    report.add(
        what,
        of.rate / against.rate,
        Bound::AtLeast(bound),
        format!(
            "{:.0} per s at {:.2} us of the server's processor time each, against {:.0} at {:.2} us",
            of.rate, of.processor, against.rate, against.processor
        ),
    );
}

/// The costs of rounds.
#[derive(Default)]
struct Costs {
    rates: Vec<f64>,
    processor: Vec<f64>,
}

impl Costs {
    fn add(&mut self, cost: Cost) {
        self.rates.push(cost.rate);
        self.processor.push(cost.processor);
    }

    fn middle(mut self) -> Cost {
        Cost {
            rate: median(&mut self.rates),
            processor: median(&mut self.processor),
        }
    }
}
