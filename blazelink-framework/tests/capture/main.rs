//! Capture against Postgres: whenever a commit changes a statement's result, one of the
//! dependencies that were captured for the statement is hit by it.
//!
//! Random statements and random commits, with Postgres as the judge. A short run by default;
//! `BLAZELINK_CAPTURE_PAIRS=1000000 cargo test --release -p blazelink-framework --test capture`
//! tries as many pairs of a statement and a commit, `BLAZELINK_CAPTURE_SEED` others.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod commits;
mod entities;
mod holes;
mod random;
mod statements;
mod world;

use blazelink::subscription::Dependency;
use random::Random;
use world::World;

/// Statements that are judged together.
const STATEMENTS: usize = 160;

/// Commits after which they are judged.
const COMMITS: usize = 25;

fn number(name: &str, default: u64) -> u64 {
    let said = std::env::var(name).ok();
    said.map_or(default, |said| said.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_changes_a_result_hits_what_was_captured_for_it() {
    let wanted = number("BLAZELINK_CAPTURE_PAIRS", 12_000);
    let mut seed = number("BLAZELINK_CAPTURE_SEED", 1);
    let world = World::start().await;
    let (mut pairs, mut changed, mut valid, mut tried) = (0, 0_u64, 0_u64, 0_u64);
    let mut hit = 0_u64;
    // Of statements that depend on further equalities: all, by one equality alone, and changed.
    let (mut further, mut by_one_alone, mut changed_further) = (0_u64, 0_u64, 0_u64);
    while pairs < wanted {
        let mut random = Random::new(seed);
        world.refill(&mut random).await;
        let mut watched = Vec::new();
        for _ in 0..STATEMENTS {
            let statement = statements::any(&mut random);
            tried += 1;
            watched.extend(world.watch(statement).await);
        }
        valid += watched.len() as u64;
        // A generator that makes nothing of consequence proves nothing.
        assert!(
            valid * 10 > tried * 6,
            "{valid} of {tried} statements are valid"
        );
        let mut index = world.index(&watched, Dependency::clone);
        let mut by_one = world.index(&watched, world::by_one);
        let mut before = world.results(&watched).await;
        for _ in 0..COMMITS {
            let (sql, transaction) = world.commit(&mut random).await;
            let told = world.told(&transaction, &mut index);
            let told_by_one = world.told(&transaction, &mut by_one);
            assert!(told.is_subset(&told_by_one), "seed {seed}: {sql}");
            let after = world.results(&watched).await;
            for (at, (was, is)) in before.iter().zip(&after).enumerate() {
                let (Some(was), Some(is)) = (was, is) else {
                    continue;
                };
                pairs += 1;
                hit += u64::from(told.contains(&(at as u32)));
                if watched[at].has_residual() {
                    further += u64::from(told.contains(&(at as u32)));
                    by_one_alone += u64::from(told_by_one.contains(&(at as u32)));
                    changed_further += u64::from(was != is);
                }
                if was == is {
                    continue;
                }
                changed += 1;
                assert!(
                    told.contains(&(at as u32)),
                    "seed {seed}: missed by\n  {}\nwhich depends on {:?}\nafter\n  {sql}",
                    watched[at].text,
                    watched[at].dependencies,
                );
            }
            before = after;
        }
        seed += 1;
    }
    println!(
        "{pairs} pairs, {changed} changed, {hit} hit; {valid} of {tried} statements valid; \
         of those with further equalities {changed_further} changed, {further} hit, \
         {by_one_alone} by one equality alone"
    );
    assert!(
        changed * 50 > pairs,
        "{changed} of {pairs} results have changed"
    );
    assert!(
        hit * 10 < pairs * 9,
        "{hit} of {pairs} are hit: nothing is narrowed"
    );
    assert!(
        0 < changed_further && further * 10 < by_one_alone * 9,
        "{further} of {by_one_alone} are hit: further equalities do not narrow"
    );
}
