//! Where this Blazelink answers otherwise than the original: `original/deviations.toml`, and the
//! defects that are the reasons, `original/defects.toml`. Read by the tests that walk the
//! recordings, and by the documentation that is made of both.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::recordings::Response;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/original");

/// Both lists.
#[derive(Clone, Debug, Serialize)]
pub struct Deviations {
    /// What is answered otherwise.
    pub deviations: Vec<Deviation>,
    /// Why.
    pub defects: Vec<Defect>,
}

/// One thing that is otherwise, and the recordings that show it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// Its name.
    pub id: String,
    /// The recordings that show it.
    pub recordings: Vec<String>,
    /// Numbers of the defects that it mends.
    pub defects: Vec<u32>,
    /// What the original does.
    pub original: String,
    /// What this one does.
    pub blazelink: String,
    /// Whom the original's way harms.
    pub harm: String,
    /// What is answered instead.
    #[serde(default, rename = "answer")]
    pub answers: Vec<Answer>,
    /// Which frames come instead.
    #[serde(default)]
    pub frames: Vec<Frames>,
    /// How sockets end instead.
    #[serde(default)]
    pub close: Vec<Close>,
}

/// An answer over HTTP. What it does not say is as recorded.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The recording.
    pub recording: String,
    /// Which entry of its conversation, counted from 1; none if it is an exchange.
    pub step: Option<usize>,
    /// The status.
    pub status: Option<u16>,
    /// The content type.
    pub content_type: Option<String>,
    /// The body.
    pub body: Option<String>,
    /// The file with the body, beside the list.
    pub file: Option<String>,
}

/// What a client hears of one entry of a conversation, in place of all that was recorded.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Frames {
    /// The recording.
    pub recording: String,
    /// Which entry of its conversation, counted from 1.
    pub step: usize,
    /// Who hears it.
    pub who: String,
    /// The frames' texts in order, without `msg_id`; none if nothing comes.
    pub frames: Vec<String>,
}

/// How a socket ends at one entry of a conversation.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// The recording.
    pub recording: String,
    /// Which entry of its conversation, counted from 1.
    pub step: usize,
    /// The server's close code; none if the server leaves it open.
    pub code: Option<u16>,
}

/// Something that the original does wrong.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// Its number.
    pub number: u32,
    /// What it is.
    pub title: String,
    /// Whom it harms.
    pub harm: String,
    /// The tests that show it gone here, each as `file::test`.
    pub tests: Vec<String>,
}

impl Deviations {
    /// Reads both lists.
    pub fn load() -> Deviations {
        #[derive(Deserialize)]
        struct Listed {
            deviation: Vec<Deviation>,
        }
        #[derive(Deserialize)]
        struct Numbered {
            defect: Vec<Defect>,
        }
        let listed: Listed = read("deviations.toml");
        let numbered: Numbered = read("defects.toml");
        Deviations {
            deviations: listed.deviation,
            defects: numbered.defect,
        }
    }

    /// What is answered instead of what an exchange, or a step of a conversation, has recorded, if
    /// the list says so.
    pub fn answer(
        &self,
        recording: &str,
        step: Option<usize>,
        recorded: &Response,
    ) -> Option<Response> {
        let mut answers = self.deviations.iter().flat_map(|one| &one.answers);
        let answer = answers.find(|a| a.recording == recording && a.step == step)?;
        let mut response = recorded.clone();
        if let Some(status) = answer.status {
            response.status = status;
        }
        if let Some(content_type) = &answer.content_type {
            let name = "content-type".to_owned();
            response.headers.insert(name, content_type.clone());
        }
        if let Some(body) = &answer.body {
            response.body = Some(body.clone());
        }
        if let Some(file) = &answer.file {
            response.body = Some(text(file));
        }
        Some(response)
    }

    /// What clients hear instead in a conversation, by step and client.
    pub fn frames(&self, recording: &str) -> BTreeMap<(usize, String), Vec<Value>> {
        let frames = self.deviations.iter().flat_map(|one| &one.frames);
        let frames = frames.filter(|frames| frames.recording == recording);
        frames
            .map(|frames| {
                let texts = frames.frames.iter();
                let parsed = texts.map(|text| serde_json::from_str(text).expect("frames are JSON"));
                ((frames.step, frames.who.clone()), parsed.collect())
            })
            .collect()
    }

    /// How sockets end instead in a conversation, by step.
    pub fn ends(&self, recording: &str) -> BTreeMap<usize, Option<u16>> {
        let ends = self.deviations.iter().flat_map(|one| &one.close);
        let ends = ends.filter(|end| end.recording == recording);
        ends.map(|end| (end.step, end.code)).collect()
    }
}

fn read<T: for<'a> Deserialize<'a>>(file: &str) -> T {
    toml::from_str(&text(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text(file: &str) -> String {
    let text = std::fs::read_to_string(Path::new(FOLDER).join(file));
    text.unwrap_or_else(|error| panic!("{file}: {error}"))
}
