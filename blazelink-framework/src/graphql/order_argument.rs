//! `orderBy`: the argument that puts a page in an order, from a client's value to [`Term`]s. Pure;
//! its input types are in `page_inputs`.

use async_graphql_value::ConstValue;

use super::where_argument::not_ordered;
use crate::data::Term;
use crate::table::TableDef;

/// The directions of a column, by the names of the enum's values. NULLs come last where smaller
/// values come first, and first where larger ones do, as Postgres has it.
pub(super) const DIRECTIONS: &[(&str, bool, bool)] = &[
    ("ASC", false, false),
    ("ASC_NULLS_FIRST", false, true),
    ("ASC_NULLS_LAST", false, false),
    ("DESC", true, true),
    ("DESC_NULLS_FIRST", true, true),
    ("DESC_NULLS_LAST", true, false),
];

/// Reads the order; without terms if none is asked for.
///
/// # Errors
///
/// The message for the field's error.
pub(super) fn read(table: &TableDef, value: &ConstValue) -> Result<Vec<Term>, String> {
    let items = match value {
        ConstValue::Null => return Ok(Vec::new()),
        ConstValue::List(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut terms: Vec<Term> = Vec::new();
    for item in items {
        let ConstValue::Object(fields) = item else {
            return Err("`orderBy` is a list of objects, one for each column".to_owned());
        };
        let mut fields = fields.iter();
        let (Some((name, direction)), None) = (fields.next(), fields.next()) else {
            return Err(
                "Each object in `orderBy` names one column: write [{a: ASC}, {b: DESC}]".to_owned(),
            );
        };
        let term = term(table, name, direction)?;
        if terms.iter().any(|known| known.column == term.column) {
            return Err(format!("`orderBy` names `{name}` twice"));
        }
        terms.push(term);
    }
    Ok(terms)
}

fn term(table: &TableDef, name: &str, direction: &ConstValue) -> Result<Term, String> {
    let mut columns = table.exposed();
    let Some((at, column)) = columns.find(|(_, column)| column.field() == name) else {
        return Err(format!("`orderBy` knows no column `{name}`"));
    };
    if !column.ordered {
        return Err(not_ordered(column));
    }
    let ConstValue::Enum(direction) = direction else {
        return Err(format!(
            "`{name}` in `orderBy` needs a direction, such as ASC"
        ));
    };
    let mut directions = DIRECTIONS.iter();
    let Some((_, descending, nulls_first)) = directions.find(|it| it.0 == direction.as_str())
    else {
        return Err(format!(
            "`{name}` in `orderBy` needs a direction, such as ASC"
        ));
    };
    Ok(Term {
        column: at,
        descending: *descending,
        nulls_first: *nulls_first,
    })
}
