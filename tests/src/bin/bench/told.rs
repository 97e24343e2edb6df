//! A change that one of 100,000 subscriptions matches, told to the one of 1,000 sessions that has
//! it, against the baseline's look-up in a hash map and send.
//!
//! Both are handed the change in their own process, behind where Postgres' log is read and
//! decoded, which is measured by itself. An order is as many changes as there are sessions, one
//! for each of them, so no message shares its wake-up, its write or its confirmation with another.

use crate::broadcast::{How, Publisher, Scene};
use crate::report::{Bound, Report, median};

const SCENE: Scene = Scene {
    clients: 1_000,
    players: 100_000,
};

const ORDERS: usize = 100;
const ROUNDS: usize = 9;

pub(crate) async fn measure(report: &mut Report) {
    let mut blazelink = Publisher::start(How::Blazelink, SCENE).await;
    let mut baseline = Publisher::start(How::Baseline, SCENE).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for (publisher, times) in [(&mut blazelink, &mut ours), (&mut baseline, &mut theirs)] {
            let cost = publisher.publish(ORDERS, SCENE.clients).await;
            // The first round warms up.
            if round > 0 {
                times.push(cost.processor);
            }
        }
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    report.add(
        "A change that one of 100,000 subscriptions matches, processor time of the server against \
         the baseline's",
        ours / theirs,
        Bound::AtMost(2.0),
        format!("{ours:.2} us against {theirs:.2} us, published in the process, confirmed"),
    );
    blazelink.stop().await;
    baseline.stop().await;
}
