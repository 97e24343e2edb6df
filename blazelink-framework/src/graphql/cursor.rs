//! Cursors: a row's place in an order, as a text that clients hand back in `after`. Pure.
//!
//! A cursor holds the values of the order's columns in the row behind which the next page starts,
//! and a sum over them and the order. The sum finds damage and cursors of another order; it is no
//! secret, since a cursor that somebody makes up asks for nothing that `where` could not ask for:
//! its values are bound and cast like those of `where`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::data::Ordered;

/// Bytes of the sum.
const SUM: usize = 8;

/// The cursor of the row with these values of the order's columns.
pub(super) fn write<'a>(
    order: &[Ordered<'_>],
    values: impl Iterator<Item = Option<&'a str>>,
) -> String {
    let values: Vec<Option<&str>> = values.collect();
    let json = serde_json::to_vec(&values).unwrap_or_default();
    let mut bytes = sum(order, &json).to_vec();
    bytes.extend_from_slice(&json);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The values in a cursor of this order.
///
/// # Errors
///
/// The message for the field's error.
pub(super) fn read(order: &[Ordered<'_>], cursor: &str) -> Result<Vec<Option<String>>, String> {
    let values = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| {
        let (sum, json) = bytes.split_at_checked(SUM)?;
        let values: Vec<Option<String>> = serde_json::from_slice(json).ok()?;
        let fits = sum == self::sum(order, json) && values.len() == order.len();
        fits.then_some(values)
    });
    values.ok_or_else(|| {
        "The cursor in `after` is damaged, or belongs to another order: take it from `next` of a \
         page with the same `orderBy`"
            .to_owned()
    })
}

fn sum(order: &[Ordered<'_>], json: &[u8]) -> [u8; SUM] {
    let mut hasher = Sha256::new();
    for column in order {
        hasher.update(column.name());
        hasher.update([0]);
    }
    hasher.update(json);
    let digest = hasher.finalize();
    let mut sum = [0; SUM];
    sum.copy_from_slice(&digest[..SUM]);
    sum
}
