//! The body of a request, read within its limits of size and time by the endpoint.
//!
//! What must stay true: a client that sends too much hears of it. A connection that ends while
//! bytes are still coming is reset, and the answer on it may be lost; so what is too much is read
//! to its end, and let go, as far as [`limits::BODY_DISCARDED`].

use blazelink_codes::limits;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use poem::Body;
use tokio::time::timeout;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is larger than it may be.
    TooLarge,
    /// It took longer than [`limits::BODY_TIMEOUT`].
    TooSlow,
    /// It ended before its end.
    Broken,
}

/// A body of at most `limit` bytes.
///
/// # Errors
///
/// Why it was not read.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, Unread> {
    let read = timeout(limits::BODY_TIMEOUT, collect(body, limit)).await;
    read.unwrap_or(Err(Unread::TooSlow))
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, Unread> {
    let mut parts = body.into_bytes_stream();
    let mut collected = BytesMut::new();
    let mut discarded = 0;
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Unread::Broken)?;
        if discarded == 0 && collected.len() + part.len() <= limit {
            collected.extend_from_slice(&part);
            continue;
        }
        collected = BytesMut::new();
        discarded += part.len();
        if discarded > limits::BODY_DISCARDED {
            break;
        }
    }
    if discarded > 0 {
        return Err(Unread::TooLarge);
    }
    Ok(collected.freeze())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Error, Result};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::stream;
    use tokio::time::Instant;

    use super::*;

    fn body(parts: impl IntoIterator<Item = Result<Bytes>>) -> Body {
        let parts: Vec<_> = parts.into_iter().collect();
        Body::from_bytes_stream(stream::iter(parts))
    }

    fn part(text: &'static str) -> Result<Bytes> {
        Ok(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test]
    async fn a_body_is_read_whole_up_to_its_limit() {
        let read = read(body([part("ab"), part("c")]), 3).await;
        assert_eq!(read.unwrap(), "abc");
        let broken = [part("ab"), Err(Error::other("gone"))];
        assert_eq!(super::read(body(broken), 3).await, Err(Unread::Broken));
    }

    #[tokio::test]
    async fn what_is_too_much_is_read_to_its_end_up_to_a_limit() {
        for (parts, expected) in [(3, 3), (1_000_000, limits::BODY_DISCARDED / 1_000 + 2)] {
            let taken = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&taken);
            let sent = stream::iter(0..parts).map(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Error>(Bytes::from_static(&[b' '; 1_000]))
            });
            let body = Body::from_bytes_stream(sent);
            assert_eq!(read(body, 1_999).await, Err(Unread::TooLarge));
            assert_eq!(taken.load(Ordering::Relaxed), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let never = Body::from_bytes_stream(stream::pending::<Result<Bytes>>());
        let begun = Instant::now();
        assert_eq!(read(never, 1).await, Err(Unread::TooSlow));
        assert_eq!(begun.elapsed(), limits::BODY_TIMEOUT);
    }
}
