//! From a SELECT's WHERE and ON to "this column of this source equals that": what narrows the rows
//! that count. For `analyse`.
//!
//! What must stay true: whatever is found holds for each row that the SELECT makes, or the column
//! is NULL in it because its source had no match. So a source's rows that fail it change nothing,
//! neither before a change nor after it.

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, Select, TableFactor,
    TableWithJoins, UnaryOperator,
};

use super::names;
use super::operand::Operand;
use crate::table::{Column, TableDef};
use crate::value::Kind;

/// One item of a FROM.
pub(super) struct Source<'a> {
    /// The name that its columns are called by; nothing if they cannot be.
    pub(super) alias: Option<String>,
    /// The schema, if it is called by one and has no alias.
    pub(super) schema: Option<String>,
    /// The table that it is; nothing if its columns are not known.
    pub(super) table: Option<&'a TableDef>,
}

/// A column of a source, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) source: usize,
    pub(super) column: usize,
}

/// What is found in one SELECT.
pub(super) struct Conditions<'s, 'a> {
    sources: &'s [Source<'a>],
    /// Whether a column without a source's name may be looked up.
    bare: bool,
    pub(super) equal: Vec<(Place, Operand)>,
    /// What the first equals, the second does in each row that has one.
    carried: Vec<(Place, Place)>,
}

/// How often constants are carried over equalities: as far as chains of joins reach.
const CARRIED: usize = 8;

impl<'s, 'a> Conditions<'s, 'a> {
    /// Those of a SELECT with these sources, which stand in the order of its FROM.
    pub(super) fn of(select: &Select, sources: &'s [Source<'a>]) -> Conditions<'s, 'a> {
        let joins = || select.from.iter().flat_map(|from| &from.joins);
        let nested = |factor: &TableFactor| matches!(factor, TableFactor::NestedJoin { .. });
        let factors = select.from.iter().map(|from| &from.relation);
        let mut factors = factors.chain(joins().map(|join| &join.relation));
        let has_nested = factors.any(nested);
        let mut found = Conditions {
            sources,
            bare: !has_nested && !joins().any(|join| merges(&join.join_operator)),
            equal: Vec::new(),
            carried: Vec::new(),
        };
        if let Some(condition) = &select.selection {
            found.add(condition, None);
        }
        let plain = |join: &Join| kind_of(&join.join_operator).is_some();
        if !has_nested && joins().all(plain) {
            found.add_joins(&select.from);
        }
        found.carry();
        found
    }

    /// The conditions of inner joins are as good as WHERE; those of left joins hold for what is
    /// joined. The sources are one per factor here.
    fn add_joins(&mut self, from: &[TableWithJoins]) {
        let mut source = 0;
        for item in from {
            source += 1;
            for join in &item.joins {
                match kind_of(&join.join_operator) {
                    Some((false, Some(on))) => self.add(on, None),
                    Some((true, Some(on))) => self.add(on, Some(source)),
                    _ => {}
                }
                source += 1;
            }
        }
    }

    /// What holds if the condition does. With `only` it holds for rows of that source alone.
    fn add(&mut self, condition: &Expr, only: Option<usize>) {
        for conjunct in conjuncts(condition) {
            let counts = |place: &Place| only.is_none_or(|only| only == place.source);
            if let Some((one, other)) = self.equation(conjunct) {
                if counts(&other) {
                    self.carried.push((one, other));
                }
                if counts(&one) {
                    self.carried.push((other, one));
                }
                continue;
            }
            let found = self.narrows(conjunct);
            self.equal
                .extend(found.into_iter().filter(|(place, _)| counts(place)));
        }
    }

    /// Two columns that are equal as text where they are equal.
    fn equation(&self, conjunct: &Expr) -> Option<(Place, Place)> {
        let Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } = conjunct
        else {
            return None;
        };
        let (one, other) = (self.place(left)?, self.place(right)?);
        let (left, right) = (self.column(one)?, self.column(other)?);
        let integers = left.kind.is_integer() && right.kind.is_integer();
        (integers || left.sql_type == right.sql_type && left.kind == right.kind)
            .then_some((one, other))
    }

    /// The columns that a conjunct compares with values.
    fn narrows(&self, conjunct: &Expr) -> Vec<(Place, Operand)> {
        match conjunct {
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } => self
                .equals(left, std::slice::from_ref(&**right))
                .or_else(|| self.equals(right, std::slice::from_ref(&**left))),
            Expr::InList {
                expr,
                list,
                negated: false,
            } if !list.is_empty() => self.equals(expr, list),
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => self
                .place(left)
                .zip(Operand::any_of(right))
                .map(|one| vec![one]),
            Expr::BinaryOp {
                op: BinaryOperator::Or,
                ..
            } => Some(self.either(conjunct)),
            Expr::IsTrue(expr) => self.truth(expr, true),
            Expr::IsFalse(expr) => self.truth(expr, false),
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => self.truth(expr, false),
            expr => self.truth(expr, true),
        }
        .unwrap_or_default()
    }

    /// A column, or a row of columns, that equals one of these.
    fn equals(&self, column: &Expr, values: &[Expr]) -> Option<Vec<(Place, Operand)>> {
        if let Some(place) = self.place(column) {
            let values = values.iter().map(Operand::of);
            let operand = either(values.collect::<Option<Vec<_>>>()?);
            return Some(vec![(place, operand)]);
        }
        let Expr::Tuple(columns) = unnested(column) else {
            return None;
        };
        let mut found = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let Some(place) = self.place(column) else {
                continue;
            };
            let of_tuple = |value| match unnested(value) {
                Expr::Tuple(items) if items.len() == columns.len() => Operand::of(&items[at]),
                _ => None,
            };
            if let Some(operands) = values.iter().map(of_tuple).collect() {
                found.push((place, either(operands)));
            }
        }
        Some(found)
    }

    /// The columns that every one of the alternatives compares with values.
    fn either(&self, disjunction: &Expr) -> Vec<(Place, Operand)> {
        let mut alternatives = split(disjunction, &BinaryOperator::Or).into_iter();
        let narrows = |alternative| {
            let conjuncts = conjuncts(alternative).into_iter();
            // Alternatives within alternatives say nothing here.
            let plain = conjuncts.filter(|conjunct| !is(conjunct, &BinaryOperator::Or));
            plain
                .flat_map(|conjunct| self.narrows(conjunct))
                .collect::<Vec<_>>()
        };
        let mut common = alternatives.next().map(narrows).unwrap_or_default();
        let mut common: Vec<(Place, Vec<Operand>)> = common
            .drain(..)
            .map(|(place, operand)| (place, vec![operand]))
            .collect();
        for alternative in alternatives {
            let narrows = narrows(alternative);
            common.retain_mut(|(place, operands)| {
                let found = narrows.iter().find(|(other, _)| other == place);
                operands.extend(found.map(|(_, operand)| operand.clone()));
                found.is_some()
            });
            if common.is_empty() {
                break;
            }
        }
        let common = common.into_iter();
        common
            .map(|(place, operands)| (place, either(operands)))
            .collect()
    }

    /// A boolean column that stands for itself.
    fn truth(&self, expr: &Expr, truth: bool) -> Option<Vec<(Place, Operand)>> {
        let place = self.place(expr)?;
        let column = self.column(place)?;
        (column.kind == Kind::Bool).then(|| vec![(place, Operand::Bool(truth))])
    }

    fn carry(&mut self) {
        for _ in 0..CARRIED {
            let mut new = Vec::new();
            for (from, to) in &self.carried {
                for (place, operand) in &self.equal {
                    let carried = (*to, operand.clone());
                    if place == from && !self.equal.contains(&carried) && !new.contains(&carried) {
                        new.push(carried);
                    }
                }
            }
            if new.is_empty() {
                return;
            }
            self.equal.append(&mut new);
        }
    }

    fn column(&self, place: Place) -> Option<&'a Column> {
        self.sources[place.source].table?.columns.get(place.column)
    }

    /// The column of a source that an expression is, if equality of its values is that of text.
    fn place(&self, expr: &Expr) -> Option<Place> {
        let place = match unnested(expr) {
            Expr::Identifier(name) => self.bare(name)?,
            Expr::CompoundIdentifier(names) => self.qualified(names)?,
            _ => return None,
        };
        let column = self.column(place)?;
        // What Postgres computes is not in the log.
        (column.exact && !column.generated).then_some(place)
    }

    /// A column without its source's name is of the only source that has one of this name. A source
    /// whose columns are not known has none, or the statement fails.
    fn bare(&self, name: &Ident) -> Option<Place> {
        let name = names::fold(name).filter(|_| self.bare)?;
        let mut places = self.sources.iter().enumerate().filter_map(|(at, source)| {
            let column = source.table?.column(&name)?;
            Some(Place { source: at, column })
        });
        places.next().filter(|_| places.next().is_none())
    }

    fn qualified(&self, names: &[Ident]) -> Option<Place> {
        let names: Vec<String> = names.iter().map(names::fold).collect::<Option<_>>()?;
        let (schema, alias, name) = match names.as_slice() {
            [alias, name] => (None, alias, name),
            [schema, alias, name] => (Some(schema), alias, name),
            _ => return None,
        };
        let mut named = self.sources.iter().enumerate().filter(|(_, source)| {
            source.alias.as_ref() == Some(alias)
                && (schema.is_none() || source.schema.as_ref() == schema)
        });
        let (at, source) = named.next().filter(|_| named.next().is_none())?;
        let column = source.table?.column(name)?;
        Some(Place { source: at, column })
    }
}

/// Whether a join is a left one, and its condition; nothing for joins whose conditions say nothing
/// of the rows that come out.
fn kind_of(join: &JoinOperator) -> Option<(bool, Option<&Expr>)> {
    use JoinOperator as J;
    let (left, constraint) = match join {
        J::Join(constraint) | J::Inner(constraint) | J::CrossJoin(constraint) => {
            (false, constraint)
        }
        J::Left(constraint) | J::LeftOuter(constraint) => (true, constraint),
        _ => return None,
    };
    match constraint {
        JoinConstraint::On(condition) => Some((left, Some(condition))),
        _ => Some((left, None)),
    }
}

/// Whether a join makes one column of two.
fn merges(join: &JoinOperator) -> bool {
    use JoinOperator as J;
    match join {
        J::Join(constraint)
        | J::Inner(constraint)
        | J::CrossJoin(constraint)
        | J::Left(constraint)
        | J::LeftOuter(constraint)
        | J::Right(constraint)
        | J::RightOuter(constraint)
        | J::FullOuter(constraint) => {
            !matches!(constraint, JoinConstraint::On(_) | JoinConstraint::None)
        }
        _ => true,
    }
}

fn either(mut operands: Vec<Operand>) -> Operand {
    match operands.len() {
        1 => operands.remove(0),
        _ => Operand::Either(operands),
    }
}

fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    split(condition, &BinaryOperator::And)
}

/// The parts that an operator connects, without recursion: there may be many.
fn split<'e>(expr: &'e Expr, by: &BinaryOperator) -> Vec<&'e Expr> {
    let mut parts = Vec::new();
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        match unnested(expr) {
            Expr::BinaryOp { left, op, right } if op == by => {
                waiting.push(right);
                waiting.push(left);
            }
            part => parts.push(part),
        }
    }
    parts
}

fn is(expr: &Expr, operator: &BinaryOperator) -> bool {
    matches!(expr, Expr::BinaryOp { op, .. } if op == operator)
}

fn unnested(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}
