//! What names a session: to its client a secret, to people a label.
//!
//! In the original dialect the client makes up the id; whoever knows it receives the session's
//! updates. So it never reaches a log, an error or a page: those show the label.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use blazelink_codes::limits;

/// The secret by which a client names its session. Cheap to clone; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// The id that a client sent, or nothing if it is empty or longer than
    /// [`limits::SESSION_ID_BYTES`].
    pub fn new(text: &str) -> Option<SessionId> {
        let sound = !text.is_empty() && text.len() <= limits::SESSION_ID_BYTES;
        sound.then(|| SessionId(text.into()))
    }

    /// The secret itself, for the journal only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

/// What logs, pages and the command line show of a session: `s_` and six hex digits, in no relation
/// to the id. Sessions are told apart by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionLabel(u32);

/// How many labels there are.
const LABELS: u32 = 1 << 24;

impl SessionLabel {
    /// A label that none of the last 16 million sessions of this process has.
    pub fn fresh() -> SessionLabel {
        static NEXT: LazyLock<AtomicU32> = LazyLock::new(|| AtomicU32::new(rand::random()));
        SessionLabel::of(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Another for each number below [`LABELS`], and unlike that of the number before: factors are
    /// odd and shifts lead back, so that no two numbers meet.
    fn of(number: u32) -> SessionLabel {
        let spread = number.wrapping_mul(0x9e_3779) % LABELS;
        let folded = spread ^ (spread >> 12);
        SessionLabel(folded.wrapping_mul(0x5b_d1e5) % LABELS)
    }
}

impl fmt::Display for SessionLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s_{:06x}", self.0)
    }
}

/// No label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoLabel;

impl FromStr for SessionLabel {
    type Err = NoLabel;

    fn from_str(text: &str) -> Result<SessionLabel, NoLabel> {
        let digits = text.strip_prefix("s_").ok_or(NoLabel)?;
        let sound = (1..=6).contains(&digits.len()) && !digits.starts_with('+');
        let number = u32::from_str_radix(digits, 16).map_err(|_| NoLabel)?;
        sound.then_some(SessionLabel(number)).ok_or(NoLabel)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_length_and_never_print() {
        assert!(SessionId::new("").is_none());
        assert!(SessionId::new(&"x".repeat(limits::SESSION_ID_BYTES + 1)).is_none());
        let id = SessionId::new("secret").unwrap();
        assert_eq!(format!("{id:?}"), "SessionId(..)");
    }

    #[test]
    fn no_two_sessions_have_one_label() {
        let mut seen = vec![false; LABELS as usize];
        for number in 0..LABELS {
            let SessionLabel(label) = SessionLabel::of(number);
            assert!(!std::mem::replace(&mut seen[label as usize], true));
        }
        assert_eq!(SessionLabel::of(LABELS), SessionLabel::of(0));
    }

    #[test]
    fn labels_are_short_enough_to_be_said_aloud() {
        assert_eq!(SessionLabel(0x9f2).to_string(), "s_0009f2");
        let label = SessionLabel::fresh();
        assert_eq!(label.to_string().len(), 8);
        assert_eq!(label.to_string().parse(), Ok(label));
        assert_eq!("s_9f2".parse(), Ok(SessionLabel(0x9f2)));
        for none in ["9f2", "s_", "s_x", "s_+1", "s_1234567"] {
            assert_eq!(none.parse::<SessionLabel>(), Err(NoLabel), "{none}");
        }
    }
}
