//! `__schema` and `__type`: async-graphql answers them; their JSON is put among the other roots.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dynamic::Schema;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{CacheControl, Name, Pos, Positioned, ServerError, ValidationResult, Value};

use super::query_limits::QueryLimits;
use super::response::Fault;
use super::schema;
use super::variables::Variables;
use crate::error::Result;
use crate::table::TableManager;

/// Lists of an introspected type within lists of its types that are followed. Each level
/// multiplies the answer by the number of fields of a type.
const LEVELS: usize = 3;

/// Answers what is asked about the schema itself.
#[derive(Debug)]
pub(super) struct Introspection {
    schema: Schema,
}

impl Introspection {
    pub(super) fn new(manager: &TableManager, limits: &QueryLimits) -> Result<Introspection> {
        let builder = schema::builder(manager, limits).extension(AlreadyValid);
        Ok(Introspection {
            schema: schema::finish(builder)?,
        })
    }

    /// The value of one introspection root; `fields` merge into it.
    ///
    /// # Errors
    ///
    /// The message for the root's error.
    pub(super) async fn answer(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        fields: &[Positioned<Field>],
        variables: &Variables,
    ) -> Result<Value, String> {
        let items = fields
            .iter()
            .map(|field| Positioned::new(Selection::Field(field.clone()), field.pos))
            .collect();
        let set = SelectionSet { items };
        let mut operation = operation.clone();
        operation.selection_set = Positioned::new(set, Pos::default());
        let mut request = async_graphql::Request::new("").variables(variables.to_request());
        request.set_parsed_query(ExecutableDocument {
            operations: DocumentOperations::Single(Positioned::new(operation, Pos::default())),
            fragments: document.fragments.clone(),
        });
        let mut answer = self.schema.execute(request).await;
        if let Some(error) = answer.errors.pop() {
            return Err(error.message);
        }
        match answer.data {
            Value::Object(mut roots) => Ok(roots.pop().map(|(_, root)| root).unwrap_or_default()),
            _ => Ok(Value::Null),
        }
    }
}

/// Refuses introspection whose lists nest so deep that its answer would explode.
pub(super) fn check(document: &ExecutableDocument, field: &Positioned<Field>) -> Result<(), Fault> {
    let set = &field.node.selection_set.node;
    if levels(document, set, &mut HashMap::new()) > LEVELS {
        return Err(Fault::new(
            "Maximum introspection depth exceeded",
            [field.pos],
        ));
    }
    Ok(())
}

/// How many lists of types nest in a selection. Each fragment is looked at once; validation has
/// seen that none uses itself.
fn levels<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    known: &mut HashMap<&'a str, usize>,
) -> usize {
    let selections = set.items.iter().map(|selection| match &selection.node {
        Selection::Field(field) => {
            let lists = ["fields", "inputFields", "interfaces", "possibleTypes"];
            let own = usize::from(lists.contains(&field.node.name.node.as_str()));
            own + levels(document, &field.node.selection_set.node, known)
        }
        Selection::InlineFragment(inline) => {
            levels(document, &inline.node.selection_set.node, known)
        }
        Selection::FragmentSpread(spread) => {
            let name: &Name = &spread.node.fragment_name.node;
            if let Some(&levels) = known.get(name.as_str()) {
                return levels;
            }
            let fragment = document.fragments.get(name);
            let inside = fragment.map_or(0, |fragment| {
                levels(document, &fragment.node.selection_set.node, known)
            });
            known.insert(name, inside);
            inside
        }
    });
    selections.max().unwrap_or(0)
}

/// The document has been validated as a whole; the part that is left here need not stand alone.
struct AlreadyValid;

impl ExtensionFactory for AlreadyValid {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(AlreadyValid)
    }
}

#[async_trait::async_trait]
impl Extension for AlreadyValid {
    async fn validation(
        &self,
        _: &ExtensionContext<'_>,
        _: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        Ok(ValidationResult {
            cache_control: CacheControl::default(),
            complexity: 0,
            depth: 0,
        })
    }
}
