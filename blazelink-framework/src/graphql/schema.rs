//! The GraphQL types of all tables, as async-graphql's dynamic schema: the truth for SDL,
//! introspection and validation. It never reads a row; its resolvers answer nothing.

use async_graphql::dynamic::{
    Field, FieldFuture, InputObject, InputValue, Object, Scalar, Schema, SchemaBuilder, TypeRef,
};
use async_graphql::{Number, Value};
use blazelink_codes::Code;

use super::mutation_schema;
use super::page_inputs;
use super::query_limits::QueryLimits;
use crate::error::{Error, ErrorKind, Result};
use crate::table::{self, InputStruct, InputType, StructType, TableDef, TableManager, ValueType};
use crate::value::Kind;

/// A schema builder with all types of the registry; its caller adds an extension and finishes it.
pub(super) fn builder(manager: &TableManager, limits: &QueryLimits) -> SchemaBuilder {
    let mutation = manager.has_writes().then_some("Mutation");
    let mut schema = Schema::build("Query", mutation, None)
        .register(key_scalar())
        .register(big_int_scalar())
        .register(json_scalar())
        .register(object_id())
        .register(object_id_input())
        .limit_recursive_depth(limits.depth)
        .limit_depth(limits.depth)
        .limit_complexity(limits.fields);
    let mut query = Object::new("Query");
    schema = page_inputs::register(schema);
    for table in manager.tables() {
        schema = page_inputs::register_table(schema, table);
        let identifier = InputValue::new("identifier", TypeRef::named("ObjectIdInput"));
        query = query
            .field(field(table.row_root(), &table.entity).argument(identifier))
            .field(many(table.page_root(), table, table.list));
        schema = schema
            .register(row_type(manager, table))
            .register(ref_type(table))
            .register(page_type(table));
    }
    for table in manager.virtual_tables() {
        let identifier = InputValue::new("identifier", TypeRef::named("ObjectIdInput"));
        let root = field(table.row_root(), &table.entity);
        query = query.field(root.argument(identifier));
        schema = schema.register(row_type(manager, table));
    }
    for of in manager.value_types().structs.values() {
        schema = schema.register(struct_type(manager, of));
    }
    for of in manager.value_types().inputs.values() {
        schema = schema.register(input_struct(of));
    }
    for (name, item) in &manager.value_types().pages {
        let items = TypeRef::List(Box::new(value_type(manager, item)));
        let page = Object::new(name).field(Field::new("items", items, nothing));
        schema = schema.register(page.field(field("count", "Int")));
    }
    if manager.has_writes() {
        schema = mutation_schema::register(schema, manager);
    }
    schema.register(query)
}

/// Finishes a schema.
///
/// # Errors
///
/// If async-graphql refuses it; the manager's checks should have refused it before.
pub(super) fn finish(builder: SchemaBuilder) -> Result<Schema> {
    builder.finish().map_err(|source| {
        Error::new(
            ErrorKind::Setup,
            Code::SchemaDefinition,
            "The tables make no valid GraphQL schema",
        )
        .with_source(source)
    })
}

fn row_type(manager: &TableManager, table: &TableDef) -> Object {
    let mut object = Object::new(&table.entity);
    for computed in &table.computed {
        object = object.field(computed_field(manager, computed));
    }
    for (_, column) in table.exposed() {
        object = object.field(Field::new(column.field(), type_ref(&column.kind), nothing));
    }
    for relation in &table.relations {
        let target = manager.table(relation.target);
        object = object.field(match relation.shape.is_single() {
            true => field(&relation.name, &target.ref_type()),
            false => many(&relation.name, target, relation.list),
        });
    }
    object
}

/// Its own arguments stand before those of its page.
fn computed_field(manager: &TableManager, computed: &table::Field) -> Field {
    let mut field = Field::new(computed.name, value_type(manager, &computed.ty), nothing);
    for argument in &computed.arguments {
        let input = InputValue::new(argument.name, input_type(&argument.ty));
        field = field.argument(match &argument.default {
            Some(default) => input.default_value(default.clone()),
            None => input,
        });
    }
    match computed.ty {
        ValueType::Page(_) => paged(field),
        _ => field,
    }
}

fn input_type(ty: &InputType) -> TypeRef {
    match ty {
        InputType::Scalar(scalar) => TypeRef::named(scalar.name()),
        InputType::Row(_) => TypeRef::named("Key"),
        InputType::Struct(of) => TypeRef::named(of.name),
        InputType::List(item) => TypeRef::List(Box::new(input_type(item))),
    }
}

fn input_struct(of: &InputStruct) -> InputObject {
    let members = (of.members)();
    let members = members.iter();
    members.fold(InputObject::new(of.name), |object, member| {
        object.field(InputValue::new(member.name, input_type(&member.ty)))
    })
}

fn struct_type(manager: &TableManager, of: &StructType) -> Object {
    let members = (of.members)();
    members.iter().fold(Object::new(of.name), |object, member| {
        let ty = value_type(manager, &member.ty);
        object.field(Field::new(member.name, ty, nothing))
    })
}

fn value_type(manager: &TableManager, ty: &ValueType) -> TypeRef {
    match ty {
        ValueType::Scalar(scalar) => TypeRef::named(scalar.name()),
        ValueType::Struct(of) => TypeRef::named(of.name),
        ValueType::Virtual(_) => TypeRef::named("ObjectId"),
        ValueType::List(item) => TypeRef::List(Box::new(value_type(manager, item))),
        ValueType::Page(item) => TypeRef::named(page_type_name(manager, item)),
        ValueType::Row(of) => TypeRef::named(
            manager
                .by_type(of.entity)
                .map_or_else(String::new, TableDef::ref_type),
        ),
    }
}

/// Name of the type of pages of such items.
pub(super) fn page_type_name(manager: &TableManager, item: &ValueType) -> String {
    let of_table = match item {
        ValueType::Row(of) => manager.by_type(of.entity).map(TableDef::page_type),
        item => table::value_page_type(item),
    };
    of_table.unwrap_or_default()
}

fn ref_type(table: &TableDef) -> Object {
    identity(Object::new(table.ref_type())).field(field("row", &table.entity))
}

fn page_type(table: &TableDef) -> Object {
    let items = TypeRef::named_list(table.ref_type());
    Object::new(table.page_type())
        .field(Field::new("items", items, nothing))
        .field(field("count", "Int"))
        .field(field("next", "String").description(
            "The cursor behind which `after` continues the page; null if nothing follows, and on \
             computed pages.",
        ))
}

fn object_id() -> Object {
    identity(Object::new("ObjectId"))
}

fn identity(object: Object) -> Object {
    let dependencies = TypeRef::named_list("ObjectId");
    object
        .field(field("obj_id", "Key"))
        .field(field("entity", "String"))
        .field(field("modifiers", "String"))
        .field(Field::new("dependencies", dependencies, nothing))
}

fn object_id_input() -> InputObject {
    let input = |name: &str, ty: &str| InputValue::new(name, TypeRef::named(ty));
    let dependencies = TypeRef::named_list("ObjectIdInput");
    InputObject::new("ObjectIdInput")
        .field(input("entity", "String"))
        .field(input("obj_id", "Key"))
        .field(input("modifiers", "String"))
        .field(InputValue::new("dependencies", dependencies))
}

pub(super) fn field(name: &str, ty: &str) -> Field {
    Field::new(name, TypeRef::named(ty), nothing)
}

pub(super) fn nothing(_: async_graphql::dynamic::ResolverContext<'_>) -> FieldFuture<'_> {
    FieldFuture::Value(None)
}

/// Many rows of a table, as a page or a list.
fn many(name: &str, table: &TableDef, list: bool) -> Field {
    if list {
        let items = TypeRef::named_list(table.ref_type());
        return page_inputs::list_of(Field::new(name, items, nothing), table);
    }
    page_inputs::page_of(field(name, &table.page_type()), table)
}

fn paged(field: Field) -> Field {
    field
        .argument(InputValue::new("page", TypeRef::named("Int")))
        .argument(InputValue::new("size", TypeRef::named("Int")))
}

pub(super) fn type_ref(kind: &Kind) -> TypeRef {
    TypeRef::named(match kind {
        Kind::Int => "Int",
        Kind::BigInt => "BigInt",
        Kind::Float => "Float",
        Kind::Bool => "Boolean",
        Kind::Json => "JSON",
        Kind::Char | Kind::Text => "String",
        Kind::Array(element) => return TypeRef::List(Box::new(type_ref(element))),
    })
}

fn key_scalar() -> Scalar {
    Scalar::new("Key")
        .description(
            "A primary key: a number or a string; a list of them, in the key's order, for a key of \
             several columns.",
        )
        .validator(|value| match value {
            Value::List(values) => values.iter().all(is_key_part),
            value => is_key_part(value),
        })
}

/// Whether the value may be one column of a key.
pub(super) fn is_key_part(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_i64(),
        Value::String(_) | Value::Boolean(_) => true,
        _ => false,
    }
}

fn big_int_scalar() -> Scalar {
    Scalar::new("BigInt")
        .description("An integer: a number within plus and minus 2^53 - 1, else a string.")
        .validator(|value| match value {
            Value::Number(number) => Number::is_i64(number),
            Value::String(text) => text.parse::<i64>().is_ok(),
            _ => false,
        })
}

fn json_scalar() -> Scalar {
    Scalar::new("JSON").description("Any JSON value, with numbers as they are stored.")
}
