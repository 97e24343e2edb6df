//! The types of a page's arguments in the schema: `where` and `orderBy` of each table, and the
//! comparisons by kind of column that they share. They follow the entities alone, so that the
//! schema is the same with every database.

use async_graphql::dynamic::{Enum, Field, InputObject, InputValue, SchemaBuilder, TypeRef};

use super::order_argument::DIRECTIONS;
use super::where_argument::joining_names;
use crate::table::TableDef;
use crate::value::Kind;

const DIRECTION: &str = "OrderByDirection";

/// A kind's comparisons: the type's name, the type of what it compares with, and whether that is
/// ordered and searched in.
const COMPARISONS: &[(&str, Option<&str>, bool, bool)] = &[
    ("IntWhere", Some("Int"), true, false),
    ("BigIntWhere", Some("BigInt"), true, false),
    ("FloatWhere", Some("Float"), true, false),
    ("StringWhere", Some("String"), true, true),
    ("BooleanWhere", Some("Boolean"), false, false),
    ("JSONWhere", None, false, false),
];

/// Adds the types that all tables share.
pub(super) fn register(mut schema: SchemaBuilder) -> SchemaBuilder {
    for &(name, value, ordered, searched) in COMPARISONS {
        let mut object = InputObject::new(name);
        if let Some(value) = value {
            let mut operators = vec!["eq", "ne"];
            if ordered {
                operators.extend(["lt", "lte", "gt", "gte"]);
            }
            if searched {
                operators.extend(["contains", "contains_ci", "starts_with", "starts_with_ci"]);
                operators.extend(["ends_with", "ends_with_ci"]);
            }
            for operator in operators {
                object = object.field(InputValue::new(operator, TypeRef::named(value)));
            }
            for operator in ["in", "not_in"] {
                let values = TypeRef::named_nn_list(value);
                object = object.field(InputValue::new(operator, values));
            }
        }
        let is_null = InputValue::new("is_null", TypeRef::named("Boolean"));
        schema = schema.register(object.field(is_null));
    }
    let names = DIRECTIONS.iter().map(|(name, ..)| *name);
    schema.register(Enum::new(DIRECTION).items(names))
}

/// Adds the types of one table.
pub(super) fn register_table(schema: SchemaBuilder, table: &TableDef) -> SchemaBuilder {
    let filter = table.where_type();
    let mut narrowing = InputObject::new(&filter);
    let mut order = InputObject::new(table.order_type());
    let [and, or, not] = joining_names(table);
    for name in [and, or] {
        narrowing = narrowing.field(InputValue::new(name, TypeRef::named_nn_list(&filter)));
    }
    narrowing = narrowing.field(InputValue::new(not, TypeRef::named(&filter)));
    for (_, column) in table.exposed() {
        let ty = TypeRef::named(comparison(&column.kind));
        narrowing = narrowing.field(InputValue::new(column.field(), ty));
        if !matches!(column.kind, Kind::Json | Kind::Array(_)) {
            order = order.field(InputValue::new(column.field(), TypeRef::named(DIRECTION)));
        }
    }
    schema.register(narrowing).register(order)
}

/// Adds the arguments of a page of a table.
pub(super) fn page_of(field: Field, table: &TableDef) -> Field {
    list_of(
        field
            .argument(InputValue::new("page", TypeRef::named("Int")))
            .argument(InputValue::new("size", TypeRef::named("Int")))
            .argument(InputValue::new("after", TypeRef::named("String"))),
        table,
    )
}

/// Adds the arguments of a list of a table's rows.
pub(super) fn list_of(field: Field, table: &TableDef) -> Field {
    let order = TypeRef::named_nn_list(table.order_type());
    field
        .argument(InputValue::new("where", TypeRef::named(table.where_type())))
        .argument(InputValue::new("orderBy", order))
}

fn comparison(kind: &Kind) -> &'static str {
    match kind {
        Kind::Int => "IntWhere",
        Kind::BigInt => "BigIntWhere",
        Kind::Float => "FloatWhere",
        Kind::Bool => "BooleanWhere",
        Kind::Char | Kind::Text => "StringWhere",
        Kind::Json | Kind::Array(_) => "JSONWhere",
    }
}
