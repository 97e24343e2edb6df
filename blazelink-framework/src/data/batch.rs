//! `Batch`: the rows of one statement as one text and the places of the cells in it. What rows
//! come from one statement is loaded further together.

use blazelink_codes::Code;
use sea_orm::QueryResult;
use sea_orm::sqlx::Row as _;
use sea_orm::sqlx::postgres::PgRow;

use super::printed;
use crate::change::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::table::Read;
use crate::visibility::Visible;

/// Rows of one statement. Cells are in the statement's order of columns, with NULL as `None`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    text: String,
    cells: Vec<Place>,
    width: usize,
    rows: usize,
}

/// Where a cell's text lies; NULL begins at `u32::MAX`.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    end: u32,
}

const NULL: Place = Place {
    start: u32::MAX,
    end: 0,
};

impl Batch {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The text of a cell as the column's type prints it, or nothing for NULL.
    pub(crate) fn text(&self, row: usize, slot: usize) -> Option<&str> {
        let place = self.cells.get(row * self.width + slot)?;
        self.text.get(place.start as usize..place.end as usize)
    }

    /// The texts of the last cells of a row, from this one on.
    pub(crate) fn last_texts(&self, row: usize, from: usize) -> impl Iterator<Item = Option<&str>> {
        (from..self.width).map(move |slot| self.text(row, slot))
    }

    /// Lets go of all rows but the first ones.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        self.cells.truncate(self.rows * self.width);
    }

    /// Keeps the rows of these positions, which ascend.
    pub(super) fn keep(&mut self, rows: &[u32]) {
        for (at, &row) in rows.iter().enumerate() {
            let start = row as usize * self.width;
            self.cells
                .copy_within(start..start + self.width, at * self.width);
        }
        self.truncate(rows.len());
    }

    /// Rows from elsewhere than Postgres: of each image the cells at these positions.
    pub(super) fn of_visible(rows: &[Visible<Row>], cells: &[usize]) -> Batch {
        let mut batch = Batch {
            width: cells.len(),
            rows: rows.len(),
            ..Batch::default()
        };
        for row in rows {
            for &cell in cells {
                let start = batch.text.len();
                let place = row.get().text(cell).map(|text| {
                    batch.text.push_str(text);
                    (u32::try_from(start), u32::try_from(batch.text.len()))
                });
                batch.cells.push(match place {
                    Some((Ok(start), Ok(end))) => Place { start, end },
                    _ => NULL,
                });
            }
        }
        batch
    }

    /// Copies what the driver received. `skip` leading columns are not cells.
    pub(super) fn read(rows: &[QueryResult], reads: &[Read], skip: usize) -> Result<Batch> {
        let mut batch = Batch {
            text: String::with_capacity(rows.len() * reads.len() * 8),
            cells: Vec::with_capacity(rows.len() * reads.len()),
            width: reads.len(),
            rows: rows.len(),
        };
        for row in rows {
            let row = driver_row(row)?;
            for (at, &read) in reads.iter().enumerate() {
                let place = batch.push(row, skip + at, read)?;
                batch.cells.push(place);
            }
        }
        Ok(batch)
    }

    fn push(&mut self, row: &PgRow, at: usize, read: Read) -> Result<Place> {
        let value = row.try_get_raw(at).map_err(unreadable)?;
        let Ok(bytes) = value.as_bytes() else {
            return Ok(NULL);
        };
        let start = self.text.len();
        print(read, bytes, &mut self.text)?;
        match (u32::try_from(start), u32::try_from(self.text.len())) {
            (Ok(start), Ok(end)) => Ok(Place { start, end }),
            _ => Err(Error::new(
                ErrorKind::Request,
                Code::DatabaseAnswer,
                "The rows of one statement have more than 4 GB of text",
            )),
        }
    }
}

/// Appends the text of a value that was read so.
fn print(read: Read, bytes: &[u8], out: &mut String) -> Result<()> {
    let printed = match read {
        Read::Plain | Read::Cast | Read::Format => return push_text(bytes, out),
        Read::Integer => {
            push_integer(integer(bytes)?, out);
            return Ok(());
        }
        Read::Bool => {
            out.push(if bytes == [1] { 't' } else { 'f' });
            return Ok(());
        }
        Read::Bytea => {
            printed::bytea(bytes, out);
            return Ok(());
        }
        Read::Jsonb => {
            return match printed::jsonb(bytes) {
                Ok(text) => push_text(text, out),
                Err(printed::Misfit) => Err(unexpected()),
            };
        }
        Read::Float4 => printed::float4(bytes, out),
        Read::Float8 => printed::float8(bytes, out),
        Read::Numeric => printed::numeric(bytes, out),
        Read::Date => printed::date(bytes, out),
        Read::Time => printed::time(bytes, out),
        Read::Timestamp => printed::timestamp(bytes, "", out),
        Read::TimestampTz => printed::timestamp(bytes, "+00", out),
        Read::Uuid => printed::uuid(bytes, out),
    };
    printed.map_err(|printed::Misfit| unexpected())
}

fn push_text(bytes: &[u8], out: &mut String) -> Result<()> {
    out.push_str(std::str::from_utf8(bytes).map_err(unreadable)?);
    Ok(())
}

/// The integer in a column that was read as it is.
pub(super) fn integer_at(row: &QueryResult, at: usize) -> Result<i64> {
    let value = driver_row(row)?.try_get_raw(at).map_err(unreadable)?;
    integer(value.as_bytes().map_err(|_| unexpected())?)
}

fn driver_row(row: &QueryResult) -> Result<&PgRow> {
    row.try_as_pg_row().ok_or_else(|| {
        Error::new(
            ErrorKind::Setup,
            Code::DatabaseAnswer,
            "The database connection is not one to Postgres",
        )
        .with_hint("Connect with a postgres:// URL")
    })
}

/// An integer in the binary form of `int2`, `int4` or `int8` (big-endian).
fn integer(bytes: &[u8]) -> Result<i64> {
    if let Ok(bytes) = bytes.try_into() {
        Ok(i64::from(i32::from_be_bytes(bytes)))
    } else if let Ok(bytes) = bytes.try_into() {
        Ok(i64::from_be_bytes(bytes))
    } else if let Ok(bytes) = bytes.try_into() {
        Ok(i64::from(i16::from_be_bytes(bytes)))
    } else {
        Err(unexpected())
    }
}

fn push_integer(number: i64, text: &mut String) {
    use std::fmt::Write;
    let written = write!(text, "{number}");
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
}

fn unexpected() -> Error {
    Error::new(
        ErrorKind::Protocol,
        Code::DatabaseAnswer,
        "Postgres sent a value of another type than was asked for",
    )
    .with_hint("The table has changed since the start: restart the application")
}

fn unreadable(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(
        ErrorKind::Protocol,
        Code::DatabaseAnswer,
        "Postgres sent a row that cannot be read",
    )
    .with_source(source)
    .with_hint("The table may have changed since the start: restart the application")
}
