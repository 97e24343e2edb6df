//! Everything that the original was asked over HTTP, asked of the fixture.

use std::collections::BTreeSet;

use blazelink_tests::app::TestApp;
use blazelink_tests::deviations::Deviations;
use blazelink_tests::recordings;

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_answered_as_recorded_or_as_the_list_says() {
    let app = TestApp::fixture().await;
    let deviations = Deviations::load();
    let mut wrong = Vec::new();
    for (name, exchange) in recordings::exchanges() {
        let answer = exchange.request.send(app.address()).await;
        let recorded = &exchange.response;
        let listed = deviations.answer(&name, None, recorded);
        let expected = listed.as_ref().unwrap_or(recorded);
        if listed.is_some() && answer.is_like(recorded) {
            wrong.push(format!("{name} is answered as recorded: list it no more"));
        } else if !answer.is_like(expected) {
            let scenario = &exchange.scenario;
            wrong.push(format!(
                "{name}, {scenario}\n  expected {expected:?}\n  answered {answer:?}"
            ));
        }
    }
    app.stop().await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_entry_of_the_list_names_what_there_is() {
    let all: BTreeSet<String> = recordings::names()
        .iter()
        .map(|file| recordings::short(file).to_owned())
        .collect();
    let Deviations {
        deviations,
        defects,
    } = Deviations::load();
    let numbers: Vec<u32> = defects.iter().map(|defect| defect.number).collect();
    let counted: Vec<u32> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, counted, "defects are numbered one by one");
    let mut entries = BTreeSet::new();
    let mut listed = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for deviation in &deviations {
        let id = &deviation.id;
        assert!(ids.insert(id), "{id} is there twice");
        assert!(!deviation.defects.is_empty(), "{id} has no reason");
        for number in &deviation.defects {
            assert!(numbers.contains(number), "{id}: no defect {number}");
        }
        for name in &deviation.recordings {
            assert!(all.contains(name), "{id}: no recording {name}");
        }
        let answers = deviation.answers.iter();
        let answers = answers.map(|it| ("answer", &it.recording, it.step, None));
        let frames = deviation.frames.iter();
        let frames = frames.map(|it| ("frames", &it.recording, Some(it.step), Some(&it.who)));
        let ends = deviation.close.iter();
        let ends = ends.map(|it| ("close", &it.recording, Some(it.step), None));
        for entry in answers.chain(frames).chain(ends) {
            let (_, recording, ..) = entry;
            let named = deviation.recordings.contains(recording);
            assert!(named, "{id}: {recording} is not among its recordings");
            assert!(entries.insert(entry), "{id}: {entry:?} is there twice");
            listed.insert(recording);
        }
    }
    for deviation in &deviations {
        // Those of the browser's client are compared where they are replayed.
        let names = deviation.recordings.iter();
        for name in names.filter(|name| !name.starts_with("js-client-")) {
            let id = &deviation.id;
            assert!(listed.contains(name), "{id}: no entry of {name}");
        }
    }
}
