//! Text frames that are written together: they share one allocation.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// Bytes of an update of a small row.
const UPDATE_BYTES: usize = 192;

/// Frames, one after the other.
#[derive(Debug, Default)]
pub(super) struct Frames {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Frames {
    /// No frames yet, and room for about so many updates.
    pub(super) fn with_room(updates: usize) -> Frames {
        Frames {
            text: Vec::with_capacity(updates * UPDATE_BYTES),
            ends: Vec::with_capacity(updates),
        }
    }

    /// Appends the frame that `write` writes, which must be UTF-8.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    /// Bytes of the frames.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The frames as messages.
    pub(super) fn into_messages(self) -> Vec<Message> {
        let text = Bytes::from(self.text);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let frames = starts
            .zip(&self.ends)
            .map(|(start, &end)| text.slice(start..end));
        frames.filter_map(text_message).collect()
    }
}

/// Frames are assembled from `str`s and JSON, so they are always text.
fn text_message(text: Bytes) -> Option<Message> {
    let text = Utf8Bytes::try_from(text);
    debug_assert!(text.is_ok(), "frames are UTF-8");
    text.ok().map(Message::Text)
}
