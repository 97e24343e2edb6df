//! What a computed field says it depends on: `game_event(player_id = id, kind = 'kill'), team`.
//!
//! A table by its name in Postgres or in GraphQL, and in parentheses the columns that its rows
//! count by. On the right of each stands a column of the field's own row, an argument of the field,
//! or a literal. Nothing at all stands for the own row. The registry binds names at start-up; each
//! call asks what that is for its row.

use std::str::Chars;

use super::operand::Operand;
use super::shape::Reads;
use crate::table::TableDef;

/// One dependency, with the places of what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The table that it is on.
    pub(crate) reads: crate::object_id::TableId,
    equal: Vec<(usize, Term)>,
}

/// The right side of an equality.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// A column of the field's own table, by position.
    Column(usize),
    /// An argument of the field.
    Argument(&'static str),
    /// A value that is written there.
    Literal(String),
}

/// What a term is in one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// As Postgres prints it.
    Text(String),
    /// No row is equal to that.
    Null,
    /// Not known, so that any row may count.
    Unknown,
}

/// The text as a list of tables, each with its equalities.
type Parsed = Vec<(String, Vec<(String, Word)>)>;

/// A name, or a literal.
enum Word {
    Name(String),
    Literal(String),
}

/// Binds what a field of `own` with these arguments says.
///
/// # Errors
///
/// A sentence that names what cannot be understood.
pub(crate) fn bind(
    text: &str,
    own: &TableDef,
    arguments: &[&'static str],
    tables: &[TableDef],
) -> Result<Vec<Declared>, String> {
    let parsed = Parser::new(text).all()?;
    let each = parsed.into_iter().map(|(name, equalities)| {
        let table = tables
            .iter()
            .find(|table| table.table == name || table.entity == name)
            .ok_or_else(|| format!("names `{name}`, which is no exposed table"))?;
        let equal = equalities.into_iter().map(|(column, word)| {
            let at = table
                .column(&column)
                .ok_or_else(|| format!("names `{column}`, which is no column of `{name}`"))?;
            let term = match word {
                Word::Literal(text) => Term::Literal(text),
                Word::Name(said) => match own.column(&said) {
                    Some(own) => Term::Column(own),
                    None => {
                        let argument = arguments.iter().find(|argument| **argument == said);
                        let argument = argument.ok_or_else(|| {
                            format!("names `{said}`, which is neither a column nor an argument")
                        })?;
                        Term::Argument(argument)
                    }
                },
            };
            Ok((at, term))
        });
        Ok(Declared {
            reads: table.id,
            equal: equal.collect::<Result<_, String>>()?,
        })
    });
    each.collect()
}

impl Declared {
    /// The positions of the own columns that it needs.
    pub(crate) fn columns(&self) -> impl Iterator<Item = usize> {
        self.equal.iter().filter_map(|(_, term)| match term {
            Term::Column(at) => Some(*at),
            Term::Argument(_) | Term::Literal(_) => None,
        })
    }

    /// What it depends on in a call in which terms are what `said` says. Wider where a value is not
    /// known, or where equal values may print differently.
    pub(crate) fn dependencies(
        &self,
        table: &TableDef,
        own: &TableDef,
        said: impl Fn(&Term) -> Said,
    ) -> Vec<crate::subscription::Dependency> {
        let mut equal = Vec::new();
        for (at, term) in &self.equal {
            let column = &table.columns[*at];
            let text = match said(term) {
                Said::Null => return Vec::new(),
                Said::Unknown => continue,
                Said::Text(text) => text,
            };
            let prints_alike = match term {
                Term::Column(from) => {
                    let from = &own.columns[*from];
                    from.kind.is_integer() && column.kind.is_integer()
                        || from.kind == column.kind && from.sql_type == column.sql_type
                }
                Term::Argument(_) | Term::Literal(_) => Operand::is_printed(&text, column),
            };
            if column.exact && !column.generated && prints_alike {
                equal.push((*at, Operand::Printed(text)));
            }
        }
        let reads = Reads {
            table: self.reads,
            equal,
        };
        reads.bind(table, &[])
    }
}

struct Parser<'t> {
    rest: Chars<'t>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Parser<'t> {
        Parser { rest: text.chars() }
    }

    fn all(mut self) -> Result<Parsed, String> {
        let mut parsed = Parsed::new();
        while !self.is_over() {
            if !parsed.is_empty() {
                self.expect(',')?;
            }
            let table = self.name()?;
            let mut equalities = Vec::new();
            if self.take('(') {
                loop {
                    let column = self.name()?;
                    self.expect('=')?;
                    equalities.push((column, self.word()?));
                    if !self.take(',') {
                        break;
                    }
                }
                self.expect(')')?;
            }
            parsed.push((table, equalities));
        }
        Ok(parsed)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.as_str().trim_start().chars();
    }

    fn is_over(&mut self) -> bool {
        self.skip_blanks();
        self.rest.as_str().is_empty()
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let mut rest = self.rest.clone();
        let found = rest.next() == Some(wanted);
        if found {
            self.rest = rest;
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.take(wanted) {
            true => Ok(()),
            false => Err(format!("lacks a `{wanted}` {}", self.place())),
        }
    }

    fn place(&self) -> String {
        match self.rest.as_str() {
            "" => "at its end".to_owned(),
            rest => format!("before `{rest}`"),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        self.skip_blanks();
        let text = self.rest.as_str();
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
        if end == 0 || text.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(format!("lacks a name {}", self.place()));
        }
        self.rest = text[end..].chars();
        Ok(text[..end].to_owned())
    }

    fn word(&mut self) -> Result<Word, String> {
        self.skip_blanks();
        let text = self.rest.as_str();
        if self.take('\'') {
            return self.quoted().map(Word::Literal);
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let length = digits
            .find(|digit: char| !digit.is_ascii_digit())
            .unwrap_or(digits.len());
        if length > 0 {
            let end = text.len() - digits.len() + length;
            self.rest = text[end..].chars();
            return Ok(Word::Literal(text[..end].to_owned()));
        }
        Ok(match self.name()?.as_str() {
            "true" => Word::Literal("t".to_owned()),
            "false" => Word::Literal("f".to_owned()),
            name => Word::Name(name.to_owned()),
        })
    }

    /// The rest of a literal, in which a doubled quote stands for one.
    fn quoted(&mut self) -> Result<String, String> {
        let mut literal = String::new();
        while let Some(letter) = self.rest.next() {
            if letter == '\'' && !self.rest.as_str().starts_with('\'') {
                return Ok(literal);
            }
            if letter == '\'' {
                self.rest.next();
            }
            literal.push(letter);
        }
        Err("has a literal without its closing quote".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, String> {
        let shown = Parser::new(text).all()?.into_iter().map(|(table, equal)| {
            let equal = equal.into_iter().map(|(column, word)| match word {
                Word::Name(name) => format!("{column}={name}"),
                Word::Literal(text) => format!("{column}='{text}'"),
            });
            format!("{table}({})", equal.collect::<Vec<_>>().join(","))
        });
        Ok(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn tables_are_listed_with_what_their_rows_count_by() {
        for (text, expected) in [
            ("", ""),
            ("team", "team()"),
            ("game_event(player_id = id)", "game_event(player_id=id)"),
            (
                " game_event ( player_id=id,kind = 'it''s' ) , team(id = -3)",
                "game_event(player_id=id,kind='it's') team(id='-3')",
            ),
            ("t(on = true)", "t(on='t')"),
        ] {
            assert_eq!(parsed(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_place() {
        for (text, expected) in [
            ("game_event(", "lacks a name at its end"),
            ("game_event(a = id", "lacks a `)` at its end"),
            ("game_event(a, b)", "lacks a `=` before `, b)`"),
            (
                "game_event(a = 'x)",
                "has a literal without its closing quote",
            ),
            ("a b", "lacks a `,` before `b`"),
            ("1a", "lacks a name before `1a`"),
        ] {
            assert_eq!(parsed(text), Err(expected.to_owned()), "{text}");
        }
    }
}
