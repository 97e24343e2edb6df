//! `where`: the argument that narrows a page, from a client's value to a [`Filter`], and what of it
//! narrows the changes that a page depends on. Pure; its input types are in `page_inputs`.

use async_graphql::Name;
use async_graphql::indexmap::IndexMap;
use async_graphql_value::ConstValue;
use blazelink_codes::limits;

use super::identifier::uuid;
use crate::data::{Comparison, Filter};
use crate::object_id::Atom;
use crate::table::{Column, TableDef};
use crate::value::Kind;

/// The names under which a table's conditions are joined, in the order and, or, not: with
/// underscores behind each as long as it is the name of a column.
pub(super) fn joining_names(table: &TableDef) -> [String; 3] {
    ["and", "or", "not"].map(|word| {
        let mut name = word.to_owned();
        while table.exposed().any(|(_, column)| column.field() == name) {
            name.push('_');
        }
        name
    })
}

/// Reads the condition on rows of a table; nothing if it holds for all rows.
///
/// # Errors
///
/// The message for the field's error.
pub(super) fn read(table: &TableDef, value: &ConstValue) -> Result<Option<Filter>, String> {
    let mut reader = Reader {
        table,
        joining: joining_names(table),
        parts: 0,
    };
    let filter = match value {
        ConstValue::Null => return Ok(None),
        value => reader.object(value)?,
    };
    Ok((filter != Filter::All(Vec::new())).then_some(filter))
}

struct Reader<'a> {
    table: &'a TableDef,
    joining: [String; 3],
    /// Objects and values so far.
    parts: usize,
}

impl Reader<'_> {
    fn object(&mut self, value: &ConstValue) -> Result<Filter, String> {
        self.count(1)?;
        let mut all = Vec::new();
        for (name, value) in fields(value)? {
            refuse_null(name, value)?;
            let [and, or, not] = &self.joining;
            let filter = if name == and {
                Filter::All(self.list(value)?)
            } else if name == or {
                Filter::Any(self.list(value)?)
            } else if name == not {
                Filter::Not(Box::new(self.object(value)?))
            } else {
                self.column(name, value)?
            };
            match filter {
                Filter::All(filters) => all.extend(filters),
                filter => all.push(filter),
            }
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Filter::All(all),
        })
    }

    /// A single object stands for a list of it (GraphQL October 2021, section 3.11).
    fn list(&mut self, value: &ConstValue) -> Result<Vec<Filter>, String> {
        let values = items(value);
        values.iter().map(|value| self.object(value)).collect()
    }

    fn column(&mut self, name: &str, value: &ConstValue) -> Result<Filter, String> {
        let mut columns = self.table.exposed();
        let Some((at, column)) = columns.find(|(_, column)| column.field() == name) else {
            return Err(format!("`where` knows no column `{name}`"));
        };
        self.count(1)?;
        let mut all = Vec::new();
        for (operator, value) in fields(value)? {
            refuse_null(operator, value)?;
            all.push(self.operator(at, column, operator, value)?);
        }
        Ok(Filter::All(all))
    }

    fn operator(
        &mut self,
        at: usize,
        column: &Column,
        operator: &str,
        value: &ConstValue,
    ) -> Result<Filter, String> {
        let compare = |comparison| {
            let text = text(column, value)?;
            Ok(Filter::Compare(at, comparison, text))
        };
        match operator {
            "is_null" => {
                return match value {
                    ConstValue::Boolean(wanted) => Ok(Filter::IsNull(at, *wanted)),
                    _ => Err(misfit(column)),
                };
            }
            "contains" => return like(at, column, value, ("%", "%"), false),
            "contains_ci" => return like(at, column, value, ("%", "%"), true),
            "starts_with" => return like(at, column, value, ("", "%"), false),
            "starts_with_ci" => return like(at, column, value, ("", "%"), true),
            "ends_with" => return like(at, column, value, ("%", ""), false),
            "ends_with_ci" => return like(at, column, value, ("%", ""), true),
            _ if !column.ordered => return Err(not_ordered(column)),
            _ => {}
        }
        match operator {
            "eq" => compare(Comparison::Equal),
            "ne" => compare(Comparison::Different),
            "lt" => compare(Comparison::Less),
            "lte" => compare(Comparison::LessOrEqual),
            "gt" => compare(Comparison::Greater),
            "gte" => compare(Comparison::GreaterOrEqual),
            "in" => Ok(Filter::OneOf(at, self.texts(column, value)?)),
            "not_in" => {
                let one_of = Filter::OneOf(at, self.texts(column, value)?);
                Ok(Filter::Not(Box::new(one_of)))
            }
            _ => Err(misfit(column)),
        }
    }

    fn texts(&mut self, column: &Column, value: &ConstValue) -> Result<Vec<String>, String> {
        let values = items(value);
        self.count(values.len())?;
        values.iter().map(|value| text(column, value)).collect()
    }

    fn count(&mut self, parts: usize) -> Result<(), String> {
        self.parts = self.parts.saturating_add(parts);
        match self.parts > limits::FILTER_PARTS {
            false => Ok(()),
            true => Err(format!(
                "`where` has more than {} conditions and values",
                limits::FILTER_PARTS
            )),
        }
    }
}

/// Why pages neither compare nor sort by a column.
pub(super) fn not_ordered(column: &Column) -> String {
    format!(
        "Postgres has no order for the values of `{}`",
        column.field()
    )
}

fn fields(value: &ConstValue) -> Result<&IndexMap<Name, ConstValue>, String> {
    match value {
        ConstValue::Object(fields) => Ok(fields),
        _ => Err("`where` is made of objects".to_owned()),
    }
}

fn items(value: &ConstValue) -> &[ConstValue] {
    match value {
        ConstValue::List(values) => values,
        single => std::slice::from_ref(single),
    }
}

fn refuse_null(name: &str, value: &ConstValue) -> Result<(), String> {
    match value {
        ConstValue::Null => Err(format!(
            "`{name}` in `where` must not be null: leave it out, or ask with `is_null`"
        )),
        _ => Ok(()),
    }
}

fn misfit(column: &Column) -> String {
    format!("`where` compares `{}` with no such value", column.field())
}

/// The value as Postgres prints it, as far as that is known.
fn text(column: &Column, value: &ConstValue) -> Result<String, String> {
    let text = match (&column.kind, value) {
        (Kind::Int | Kind::BigInt, ConstValue::Number(number)) => {
            number.as_i64().map(|number| number.to_string())
        }
        (Kind::BigInt, ConstValue::String(text)) => {
            text.parse::<i64>().ok().map(|number| number.to_string())
        }
        (Kind::Float, ConstValue::Number(number)) => Some(number.to_string()),
        (Kind::Bool, ConstValue::Boolean(truth)) => Some(if *truth { "t" } else { "f" }.to_owned()),
        (Kind::Text, ConstValue::String(text)) if column.sql_type == "uuid" => {
            // What is no uuid Postgres refuses in its own way.
            Some(uuid(text).map_or_else(|| text.clone(), |uuid| uuid.to_string()))
        }
        (Kind::Text | Kind::Char, ConstValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    text.ok_or_else(|| misfit(column))
}

fn like(
    at: usize,
    column: &Column,
    value: &ConstValue,
    (before, after): (&str, &str),
    loose: bool,
) -> Result<Filter, String> {
    let ConstValue::String(text) = value else {
        return Err(misfit(column));
    };
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push_str(before);
    for letter in text.chars() {
        if matches!(letter, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push_str(after);
    Ok(Filter::Like {
        column: at,
        pattern,
        loose,
    })
}

/// The columns, with the values of which every row that the filter is true of has one, that a
/// dependency can look for. Only equalities that all must hold are looked at.
pub(super) fn pinned(table: &TableDef, filter: &Filter) -> Vec<(usize, Vec<Atom>)> {
    let mut pins = Vec::new();
    let mut waiting = vec![filter];
    while let Some(filter) = waiting.pop() {
        let (column, values) = match filter {
            Filter::All(filters) => {
                waiting.extend(filters.iter().rev());
                continue;
            }
            Filter::Compare(column, Comparison::Equal, value) => {
                (*column, std::slice::from_ref(value))
            }
            Filter::OneOf(column, values) => (*column, values.as_slice()),
            _ => continue,
        };
        let atoms = atoms(&table.columns[column], values);
        pins.extend(atoms.map(|atoms| (column, atoms)));
    }
    pins
}

fn atoms(column: &Column, values: &[String]) -> Option<Vec<Atom>> {
    let printed = |text: &String| match (&column.kind, column.sql_type.as_str()) {
        (Kind::Int | Kind::BigInt | Kind::Bool | Kind::Char, _) => true,
        (Kind::Text, "text" | "character varying" | "varchar") => true,
        (Kind::Text, "uuid") => uuid(text).is_some(),
        _ => false,
    };
    let exact = column.exact && values.iter().all(printed);
    let atoms = values.iter().map(|text| column.kind.atom(text));
    exact.then(|| atoms.collect())
}
