//! Nothing is counted: the program is built without the feature `metrics`.

use poem::http::StatusCode;

/// Counts nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meters(());

/// Takes no time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer;

#[allow(
    clippy::unused_self,
    reason = "the other `Meters` has the same functions, and counts"
)]
impl Meters {
    #[inline]
    pub(crate) fn timer(&self) -> Timer {
        Timer
    }

    #[inline]
    pub(crate) fn committed(&self, _changes: usize) {}

    #[inline]
    pub(crate) fn told(&self, _notices: usize) {}

    #[inline]
    pub(crate) fn overflowed(&self) {}

    #[inline]
    pub(crate) fn started_over(&self) {}

    #[inline]
    pub(crate) fn visible_after(&self, _timer: Timer) {}

    #[inline]
    pub(crate) fn answered(&self, _route: &'static str, _status: StatusCode, _timer: Timer) {}
}
