//! The types of mutations: their inputs, made of the columns that may be written, and what they
//! answer. Part of `schema`.

use async_graphql::dynamic::{Field, InputObject, InputValue, Object, SchemaBuilder, TypeRef};

use super::schema::{field, nothing, type_ref};
use crate::table::{Column, Operation, TableDef, TableManager};

/// Adds `Mutation` and the types that it needs.
pub(super) fn register(mut schema: SchemaBuilder, manager: &TableManager) -> SchemaBuilder {
    let mut mutation = Object::new("Mutation");
    for table in manager.tables() {
        for operation in [Operation::Create, Operation::Update, Operation::Delete] {
            if !table.writes(operation) {
                continue;
            }
            let mut root = field(&table.mutation(operation), &table.answer_type(operation));
            if operation != Operation::Create {
                let identifier = TypeRef::named_nn("ObjectIdInput");
                root = root.argument(InputValue::new("identifier", identifier));
            }
            if let Some(input) = input(table, operation) {
                let ty = TypeRef::named_nn(table.input_type(operation));
                root = root.argument(InputValue::new("input", ty));
                schema = schema.register(input);
            }
            mutation = mutation.field(root);
        }
        if table.writes(Operation::Create) || table.writes(Operation::Update) {
            let written = answer(table, Operation::Create);
            schema = schema.register(written.field(field("row", &table.entity)));
        }
        if table.writes(Operation::Delete) {
            schema = schema.register(answer(table, Operation::Delete));
        }
    }
    schema.register(mutation)
}

/// The input of a mutation; nothing if there is no column that it could have.
fn input(table: &TableDef, operation: Operation) -> Option<InputObject> {
    let columns: Vec<(&Column, bool)> = match operation {
        Operation::Create => {
            let columns = table.creatable();
            columns.map(|(_, it)| (it, it.is_required())).collect()
        }
        Operation::Update => table.updatable().map(|(_, it)| (it, false)).collect(),
        Operation::Delete => Vec::new(),
    };
    if columns.is_empty() {
        return None;
    }
    let input = InputObject::new(table.input_type(operation));
    Some(columns.iter().fold(input, |input, (column, required)| {
        let ty = type_ref(&column.kind);
        let ty = match required {
            true => TypeRef::NonNull(Box::new(ty)),
            false => ty,
        };
        input.field(InputValue::new(column.field(), ty))
    }))
}

fn answer(table: &TableDef, operation: Operation) -> Object {
    let version = Field::new("version", TypeRef::named("String"), nothing).description(
        "The id of the transaction that wrote the row; null if there was nothing to write.",
    );
    Object::new(table.answer_type(operation))
        .field(field("obj_id", "Key"))
        .field(field("entity", "String"))
        .field(version)
}
