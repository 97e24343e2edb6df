//! Random statements from a grammar: joins of every kind, subqueries, set operations, WITH, views,
//! aggregates, limits; values as parameters and literals, in usual and in tricky spellings.

use std::fmt::Write;

use sea_orm::Value;
use sea_orm::prelude::{Date, Uuid};
use sea_orm::sea_query::ArrayType;

use crate::random::Random;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    Int,
    Small,
    Big,
    Text,
    Varchar,
    Citext,
    Pad,
    Uuid,
    Date,
    Mood,
    Numeric,
    Bool,
}

type Columns = &'static [(&'static str, Ty)];

/// The columns of a table or view, its key first.
pub fn columns(source: &str) -> Columns {
    match source {
        "player" => &[
            ("id", Ty::Int),
            ("name", Ty::Text),
            ("team_id", Ty::Int),
            ("code", Ty::Uuid),
            ("born", Ty::Date),
            ("mood", Ty::Mood),
            ("tag", Ty::Citext),
            ("pad", Ty::Pad),
            ("rank", Ty::Numeric),
            ("active", Ty::Bool),
            ("note", Ty::Varchar),
            ("twice", Ty::Int),
        ],
        "event" | "kills" | "public.event" => &[
            ("id", Ty::Big),
            ("player_id", Ty::Int),
            ("kind", Ty::Text),
            ("game_id", Ty::Small),
            ("at", Ty::Date),
            ("score", Ty::Big),
        ],
        "team" | "other.team" => &[
            ("id", Ty::Int),
            ("name", Ty::Varchar),
            ("parent_id", Ty::Int),
        ],
        "link" => &[("a", Ty::Int), ("b", Ty::Text), ("c", Ty::Int)],
        "counted" => &[("id", Ty::Int), ("n", Ty::Big)],
        _ => &[("id", Ty::Int), ("name", Ty::Text), ("team_id", Ty::Int)],
    }
}

const SOURCES: &[&str] = &[
    "player",
    "player",
    "player",
    "event",
    "event",
    "event",
    "team",
    "team",
    "link",
    "part",
    "kills",
    "members",
    "deep",
    "part_odd",
    "public.event",
    "other.team",
    "counted",
];

const UUIDS: &[&str] = &[
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "00000000-0000-0000-0000-000000000000",
];
const DATES: &[&str] = &[
    "2024-02-29",
    "0999-01-01",
    "2024-03-01",
    "infinity",
    "12024-01-01",
];
const TEXTS: &[&str] = &["kill", "Kill", "a", "a ", "01", "1", "it's", "t"];
const MOODS: &[&str] = &["sad", "ok", "very happy"];
const NUMBERS: &[&str] = &["1", "1.0", "1.50", "1.5", "2"];

/// A value's text, as the type may print it.
fn text(random: &mut Random, ty: Ty) -> String {
    match ty {
        // Some values are more common, so that rows meet conditions.
        Ty::Int | Ty::Small | Ty::Big => [1, 1, 1, 2, 2, 3, 4, 5][random.below(8)].to_string(),
        Ty::Text | Ty::Varchar | Ty::Citext if random.one_in(2) => "kill".to_owned(),
        Ty::Text | Ty::Varchar | Ty::Citext => random.of(TEXTS).to_owned(),
        Ty::Pad => random.of(&["a", "b", "ab"]).to_owned(),
        Ty::Uuid => random.of(UUIDS).to_owned(),
        Ty::Date => random.of(DATES).to_owned(),
        Ty::Mood => random.of(MOODS).to_owned(),
        Ty::Numeric => random.of(NUMBERS).to_owned(),
        Ty::Bool => random.of(&["t", "f"]).to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A literal that the type reads.
pub fn literal(random: &mut Random, ty: Ty) -> String {
    quoted(&text(random, ty))
}

/// A statement as an author sends it.
pub struct Statement {
    pub text: String,
    /// Each a letter for its type, and its text.
    pub values: Vec<String>,
}

/// The value that a notation says.
pub fn value(notation: &str) -> Value {
    let (ty, text) = notation.split_at(1);
    match ty {
        "i" => Value::Int(text.parse().ok()),
        "b" => Value::BigInt(text.parse().ok()),
        "t" => Value::String(Some(text.to_owned())),
        "n" => Value::String(None),
        "u" => Value::Uuid(Uuid::parse_str(text).ok()),
        "d" => Value::ChronoDate(date(text)),
        "o" => Value::Bool(Some(text == "t")),
        "f" => Value::Double(text.parse().ok()),
        "I" => {
            let items = text.split(',').map(|item| Value::Int(item.parse().ok()));
            Value::Array(ArrayType::Int, Some(Box::new(items.collect())))
        }
        _ => {
            let items = text
                .split(',')
                .map(|item| Value::String(Some(item.to_owned())));
            Value::Array(ArrayType::String, Some(Box::new(items.collect())))
        }
    }
}

impl Statement {
    /// The same with its values written into the text, with the types that they are sent with.
    pub fn with_literals(&self) -> String {
        let mut text = self.text.clone();
        for (at, value) in self.values.iter().enumerate().rev() {
            let (ty, value) = value.split_at(1);
            let literal = match ty {
                "i" => format!("({}::int4)", quoted(value)),
                "b" => format!("({}::int8)", quoted(value)),
                "t" => format!("({}::text)", quoted(value)),
                "n" => "(NULL::text)".to_owned(),
                "u" => format!("({}::uuid)", quoted(value)),
                "d" => format!("({}::date)", quoted(value)),
                "o" => format!("({}::bool)", quoted(value)),
                "f" => format!("({}::float8)", quoted(value)),
                "I" => format!("('{{{value}}}'::int4[])"),
                _ => format!("('{{{value}}}'::text[])"),
            };
            text = text.replace(&format!("${}", at + 1), &literal);
        }
        text
    }
}

/// Any statement.
pub fn any(random: &mut Random) -> Statement {
    let mut writer = Writer {
        random,
        values: Vec::new(),
        aliases: 0,
    };
    let text = writer.query(2);
    Statement {
        text,
        values: writer.values,
    }
}

/// A source in a FROM: what it is called by, and its columns.
struct Named {
    alias: String,
    columns: Columns,
}

struct Writer<'r> {
    random: &'r mut Random,
    values: Vec<String>,
    aliases: usize,
}

impl Writer<'_> {
    fn query(&mut self, depth: usize) -> String {
        match self.random.below(12) {
            0 if depth > 0 => {
                let op = self
                    .random
                    .of(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
                let (one, other) = (self.ids(depth - 1), self.ids(depth - 1));
                format!("{one} {op} {other}")
            }
            1 if depth > 0 => {
                let table = self.random.of(&["player", "event", "team"]);
                // Sometimes the name hides a table's.
                let name = self.random.of(&["w", "w", "player", "team"]);
                let condition = self.condition(&[named(table, table)], 0);
                let rest = match self.random.one_in(2) {
                    true => format!("SELECT * FROM {name} WHERE id = {}", self.operand(Ty::Int)),
                    false => {
                        let event = named("event", "e");
                        let condition = self.condition(&[event], depth - 1);
                        format!(
                            "SELECT count(*) FROM {name} x JOIN event e ON e.player_id = x.id \
                             WHERE {condition}"
                        )
                    }
                };
                format!("WITH {name} AS (SELECT * FROM {table} WHERE {condition}) {rest}")
            }
            2 => {
                let condition = self.condition(&[named("player", "p")], 0);
                format!(
                    "WITH RECURSIVE t AS (SELECT id, parent_id FROM team WHERE id = {} UNION \
                     SELECT n.id, n.parent_id FROM team n JOIN t ON n.parent_id = t.id) \
                     SELECT t.id, count(p.id) FROM t LEFT JOIN player p ON p.team_id = t.id \
                     AND {condition} GROUP BY t.id",
                    self.operand(Ty::Int)
                )
            }
            _ => self.select(depth),
        }
    }

    /// A SELECT of one integer.
    fn ids(&mut self, depth: usize) -> String {
        let (from, sources) = self.from(depth);
        let column = self.column_of(&sources, |ty| matches!(ty, Ty::Int | Ty::Big));
        let column = column.unwrap_or_else(|| "1".to_owned());
        let condition = self.condition(&sources, depth);
        format!("SELECT {column} FROM {from} WHERE {condition}")
    }

    fn select(&mut self, depth: usize) -> String {
        let (from, sources) = self.from(depth);
        let condition = self.condition(&sources, depth);
        let column = self
            .column_of(&sources, |_| true)
            .unwrap_or_else(|| "1".to_owned());
        match self.random.below(7) {
            0 => format!("SELECT count(*) FROM {from} WHERE {condition}"),
            1 => format!(
                "SELECT {column}::text AS x, count(*) FROM {from} WHERE {condition} \
                 GROUP BY {column} HAVING count(*) > {}",
                self.random.below(2)
            ),
            2 => format!(
                "SELECT array_agg({column}::text ORDER BY {column}::text) FROM {from} \
                 WHERE {condition}"
            ),
            3 if depth > 0 => {
                let scalar = self.ids(depth - 1);
                format!(
                    "SELECT {column}::text AS x, (SELECT max(m) FROM ({scalar}) AS s(m)) AS y \
                     FROM {from} WHERE {condition}"
                )
            }
            4 => format!(
                "SELECT DISTINCT {column}::text AS x FROM {from} WHERE {condition} \
                 ORDER BY 1 LIMIT {} OFFSET {}",
                1 + self.random.below(3),
                self.random.below(2)
            ),
            5 => format!(
                "SELECT count(*) FROM (SELECT {column} FROM {from} WHERE {condition}) AS sub_query"
            ),
            _ => {
                let rows: Vec<String> = sources
                    .iter()
                    .map(|source| format!("{}.*::text", source.alias))
                    .collect();
                let rows: Vec<String> = rows
                    .iter()
                    .enumerate()
                    .map(|(at, row)| format!("({}) AS c{at}", row.replace(".*", "")))
                    .collect();
                format!("SELECT {} FROM {from} WHERE {condition}", rows.join(", "))
            }
        }
    }

    fn from(&mut self, depth: usize) -> (String, Vec<Named>) {
        let (mut from, first) = self.source(depth);
        let mut sources = vec![first];
        for _ in 0..[0, 0, 0, 1, 1, 2][self.random.below(6)] {
            let (text, source) = self.source(depth);
            let on = |writer: &mut Self, sources: &[Named]| match writer.random.below(4) {
                0 => writer.condition(sources, 0),
                1 => format!(
                    "{} AND {}",
                    writer.equation(sources),
                    writer.condition(sources, 0)
                ),
                _ => writer.equation(sources),
            };
            match self.random.below(8) {
                0 => {
                    write!(from, ", {text}").unwrap();
                    sources.push(source);
                }
                1 => {
                    write!(from, " CROSS JOIN {text}").unwrap();
                    sources.push(source);
                }
                kind => {
                    let join = [
                        "JOIN",
                        "INNER JOIN",
                        "LEFT JOIN",
                        "LEFT JOIN",
                        "RIGHT JOIN",
                        "FULL JOIN",
                    ][kind - 2];
                    sources.push(source);
                    let mut on = on(self, &sources);
                    if join == "FULL JOIN" {
                        on = self.equation(&sources);
                    }
                    write!(from, " {join} {text} ON {on}").unwrap();
                }
            }
        }
        (from, sources)
    }

    fn source(&mut self, depth: usize) -> (String, Named) {
        self.aliases += 1;
        let alias = format!("t{}", self.aliases);
        if depth > 0 && self.random.one_in(8) {
            let table = self.random.of(&["player", "event", "part"]);
            let condition = self.condition(&[named(table, table)], depth - 1);
            let text = format!("(SELECT * FROM {table} WHERE {condition}) {alias}");
            let source = Named {
                alias,
                columns: columns(table),
            };
            return (text, source);
        }
        if self.random.one_in(20) {
            // Columns that are called otherwise.
            let text = format!("team AS {alias}(parent_id, name, id)");
            let columns: Columns = &[
                ("parent_id", Ty::Int),
                ("name", Ty::Varchar),
                ("id", Ty::Int),
            ];
            return (text, Named { alias, columns });
        }
        let table = self.random.of(SOURCES);
        let text = match self.random.one_in(30) {
            true => format!("{table} AS {alias} TABLESAMPLE bernoulli (100)"),
            false => format!("{table} AS {alias}"),
        };
        // A view cannot be sampled: Postgres refuses it.
        let columns = columns(table);
        (text, Named { alias, columns })
    }

    fn column_of(&mut self, sources: &[Named], fits: impl Fn(Ty) -> bool) -> Option<String> {
        let source = &sources[self.random.below(sources.len())];
        let fitting: Vec<_> = source.columns.iter().filter(|(_, ty)| fits(*ty)).collect();
        let (name, _) = fitting.get(self.random.below(fitting.len().max(1)))?;
        Some(match self.random.below(6) {
            // May be ambiguous, and then Postgres refuses it.
            0 if sources.len() == 1 => (*name).to_owned(),
            1 => format!("{}.\"{name}\"", source.alias.to_uppercase()),
            _ => format!("{}.{name}", source.alias),
        })
    }

    /// Columns of two sources that are equal, or of one.
    fn equation(&mut self, sources: &[Named]) -> String {
        let at = sources.len() - 1;
        let other = self.random.below(at.max(1));
        let kinds: &[&[Ty]] = &[
            &[Ty::Int, Ty::Big, Ty::Small],
            &[Ty::Text, Ty::Varchar, Ty::Citext],
        ];
        let kinds = kinds[usize::from(self.random.one_in(5))];
        let mut of = |source: &Named| {
            let fitting: Vec<_> = source
                .columns
                .iter()
                .filter(|(_, ty)| kinds.contains(ty))
                .collect();
            let (name, _) = fitting.get(self.random.below(fitting.len().max(1)))?;
            Some(format!("{}.{name}", source.alias))
        };
        match (of(&sources[other]), of(&sources[at])) {
            (Some(one), Some(other)) => format!("{one} = {other}"),
            _ => "TRUE".to_owned(),
        }
    }

    fn condition(&mut self, sources: &[Named], depth: usize) -> String {
        if self.random.one_in(4) {
            return self.equalities(sources);
        }
        let mut conjuncts = vec![self.conjunct(sources, depth)];
        while self.random.one_in(3) && conjuncts.len() < 3 {
            conjuncts.push(self.conjunct(sources, depth));
        }
        conjuncts.join(" AND ")
    }

    /// Two columns of one source that dependencies look for, neither of them the first, which is the
    /// key; each with what it equals.
    fn equalities(&mut self, sources: &[Named]) -> String {
        let source = &sources[self.random.below(sources.len())];
        let exact = |(_, ty): &&(&str, Ty)| !matches!(ty, Ty::Citext | Ty::Numeric);
        let columns: Vec<_> = source.columns[1..].iter().filter(exact).collect();
        let first = self.random.below(columns.len());
        let each = [first, first + 1].map(|at| {
            let (name, ty) = *columns[at % columns.len()];
            let column = format!("{}.{name}", source.alias);
            match self.random.below(4) {
                0 => format!("{column} IN ({}, {})", self.operand(ty), self.operand(ty)),
                _ => format!("{column} = {}", self.operand(ty)),
            }
        });
        each.join(" AND ")
    }

    fn conjunct(&mut self, sources: &[Named], depth: usize) -> String {
        let source = &sources[self.random.below(sources.len())];
        let (name, ty) = source.columns[self.random.below(source.columns.len())];
        let column = match self.random.below(8) {
            0 => format!("({}.{name})", source.alias),
            1 if sources.len() == 1 => name.to_owned(),
            _ => format!("{}.{name}", source.alias),
        };
        match self.random.below(24) {
            0 => format!("{} = {column}", self.operand(ty)),
            1 => format!("{column} IN ({}, {})", self.operand(ty), self.operand(ty)),
            2 => self.any_of(&column, ty),
            3 => format!(
                "({column} = {} OR {column} = {})",
                self.operand(ty),
                self.operand(ty)
            ),
            4 => {
                let other = self.conjunct(sources, depth.saturating_sub(1));
                format!("({column} = {} OR {other})", self.operand(ty))
            }
            5 => format!("NOT ({column} = {})", self.operand(ty)),
            6 => format!("{column} <> {}", self.operand(ty)),
            7 => format!("{column} IS NOT DISTINCT FROM {}", self.operand(ty)),
            8 => format!("{column} IS NULL"),
            9 if ty == Ty::Bool => column,
            10 if ty == Ty::Bool => format!("NOT {column}"),
            11 if ty == Ty::Bool => format!("{column} IS NOT TRUE"),
            12 => format!("{column}::text = {}", self.operand(Ty::Text)),
            13 => format!("lower({column}::text) = {}", self.operand(Ty::Text)),
            14 => format!("({column}, 1) = ({}, 1)", self.operand(ty)),
            15 if depth > 0 => {
                let ids = self.ids(depth - 1);
                let not = self.random.of(&["", "", "NOT "]);
                format!("{}.id {not}IN ({ids})", source.alias)
            }
            16 if depth > 0 => {
                let (from, inner) = self.from(depth - 1);
                let condition = self.condition(&inner, depth - 1);
                let not = self.random.of(&["", "", "NOT "]);
                // The columns of the outer one are seen from inside.
                format!(
                    "{not}EXISTS (SELECT 1 FROM {from} WHERE {condition} AND {column} IS NOT NULL)"
                )
            }
            17 => self.equation(sources),
            18 if self.random.one_in(4) => match self.random.below(3) {
                0 => format!("looks_pure({}.id::int) > 0", source.alias),
                1 => format!("{}.id::int === {}", source.alias, self.operand(Ty::Text)),
                _ => format!("{}.score_of > 1", source.alias),
            },
            19 => format!("({column} = {}) IS TRUE", self.operand(ty)),
            20 => format!("{column} = {} COLLATE \"C\"", self.operand(ty)),
            _ => format!("{column} = {}", self.operand(ty)),
        }
    }

    fn any_of(&mut self, column: &str, ty: Ty) -> String {
        match ty {
            Ty::Int | Ty::Small | Ty::Big if self.random.one_in(2) => {
                self.values.push(format!(
                    "I{},{}",
                    self.random.below(5),
                    self.random.below(5)
                ));
                format!("{column} = ANY(${})", self.values.len())
            }
            Ty::Text | Ty::Varchar if self.random.one_in(2) => {
                self.values.push("Tkill,a".to_owned());
                format!("{column} = ANY(${})", self.values.len())
            }
            _ => format!(
                "{column} = ANY(ARRAY[{}, {}])",
                self.operand(ty),
                self.operand(ty)
            ),
        }
    }

    /// A value to compare a column with: in most cases as one would write it.
    fn operand(&mut self, ty: Ty) -> String {
        let text = text(self.random, ty);
        if self.random.one_in(2) {
            let notation = match ty {
                Ty::Int | Ty::Small | Ty::Numeric => "i",
                Ty::Big => "b",
                Ty::Uuid => "u",
                Ty::Date => "d",
                Ty::Bool => "o",
                _ => "t",
            };
            let parseable =
                !matches!(ty, Ty::Numeric) && !matches!(text.as_str(), "infinity" | "12024-01-01");
            if parseable {
                let notation = match self.random.below(12) {
                    0 if ty == Ty::Int => "f",
                    1 => "n",
                    _ => notation,
                };
                self.values.push(format!("{notation}{text}"));
                let parameter = format!("${}", self.values.len());
                return match ty {
                    Ty::Mood => format!("CAST({parameter} AS mood)"),
                    _ if self.random.one_in(10) => self.cast(&parameter, ty),
                    _ => parameter,
                };
            }
        }
        match (ty, self.random.below(10)) {
            (Ty::Int | Ty::Small | Ty::Big, 0) => format!("'0{text}'"),
            (Ty::Int | Ty::Small | Ty::Big, 1) => format!("00{text}"),
            (Ty::Int | Ty::Small | Ty::Big, 2) => format!("' {text}'"),
            (Ty::Int | Ty::Small | Ty::Big, 3) => format!("{text}.0"),
            (Ty::Int | Ty::Small | Ty::Big, 4..8) => text,
            (Ty::Uuid, 0) => quoted(&text.to_uppercase()),
            (Ty::Uuid, 1) => quoted(&text.replace('-', "")),
            (Ty::Date, 0) => quoted(&text.replace('-', "")),
            (Ty::Bool, 0) => quoted(if text == "t" { "yes" } else { "no" }),
            (Ty::Bool, 1) => quoted(if text == "t" { "true" } else { "false" }),
            (Ty::Bool, 2) => (if text == "t" { "true" } else { "false" }).to_owned(),
            (Ty::Mood, 0..3) => format!("{}::mood", quoted(&text)),
            (Ty::Pad, 0) => quoted(&format!("{text}  ")),
            (Ty::Text | Ty::Varchar | Ty::Citext, 0) => format!("E{}", quoted(&text)),
            (Ty::Text | Ty::Varchar | Ty::Citext, 1) => format!("U&{}", quoted(&text)),
            (_, 3) => {
                let literal = quoted(&text);
                self.cast(&literal, ty)
            }
            _ => quoted(&text),
        }
    }

    fn cast(&mut self, value: &str, ty: Ty) -> String {
        let to = match ty {
            Ty::Int | Ty::Small | Ty::Big => self.random.of(&["int", "numeric", "text::int"]),
            Ty::Text | Ty::Varchar => self.random.of(&["varchar(2)", "citext", "char(4)"]),
            Ty::Citext => "citext",
            Ty::Pad => "text",
            Ty::Uuid => "uuid",
            Ty::Date => self.random.of(&["date", "timestamp"]),
            Ty::Mood => "mood",
            Ty::Numeric => "numeric",
            Ty::Bool => "bool",
        };
        format!("{value}::{to}")
    }
}

fn named(table: &'static str, alias: &str) -> Named {
    Named {
        alias: alias.to_owned(),
        columns: columns(table),
    }
}

/// A date as Postgres prints it, with years that Rust prints otherwise.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-').map(str::parse);
    let mut next = || parts.next()?.ok();
    Date::from_ymd_opt(next()?, next()?.unsigned_abs(), next()?.unsigned_abs())
}
