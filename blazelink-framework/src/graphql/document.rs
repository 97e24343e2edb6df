//! Documents: parsed, validated, and kept, so that a text seen before costs a look-up.
//!
//! Documents that differ in the keys that they write into their text are kept once: as their
//! [`Template`], with variables in the place of the keys.
//!
//! A kept verdict must not depend on variables: validation runs without their values, and the
//! executor coerces them itself. Documents that are not valid are not kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_graphql::dynamic::Schema;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use async_graphql::{Name, Positioned, ServerError, ValidationResult};
use async_graphql_value::ConstValue;
use blazelink_codes::limits;

use super::plan::Plan;
use super::response::{Fault, Response};
use super::template::{self, Template};
use super::types::Types;
use super::{check, measure, schema};
use crate::error::Result;
use crate::table::TableManager;

/// A valid document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) parsed: ExecutableDocument,
    /// The plans of operations whose plan is the same for all variables, by operation name.
    pub(super) plans: HashMap<Option<Name>, OnceLock<Arc<Plan>>>,
}

/// The documents of all requests.
#[derive(Debug)]
pub(super) struct Documents {
    validator: Schema,
    types: Types,
    kept: Mutex<Kept>,
}

impl Documents {
    pub(super) fn new(manager: &TableManager) -> Result<Documents> {
        let builder = schema::builder(manager).extension(StopAfterValidation);
        let validator = schema::finish(builder)?;
        Ok(Documents {
            types: Types::read(&validator.sdl())?,
            validator,
            kept: Mutex::new(Kept::default()),
        })
    }

    /// The types of the schema.
    pub(super) fn types(&self) -> &Types {
        &self.types
    }

    /// The document of a text, and the keys that its variables of [`template::variable`] stand for.
    ///
    /// # Errors
    ///
    /// The answer to send instead, if the text is not valid, or if the operation is none that is
    /// served.
    pub(super) async fn get(
        &self,
        text: &str,
        operation_name: Option<&str>,
    ) -> Result<(Arc<Document>, Vec<ConstValue>), Response> {
        let keep = text.len() <= limits::DOCUMENT_BYTES && !template::is_one(text);
        if keep && let Some(document) = self.kept().get(text) {
            return Ok((document, Vec::new()));
        }
        let template = if keep { Template::of(text) } else { None };
        if let Some(template) = &template
            && let Some(document) = self.kept().get(&template.text)
        {
            return Ok((document, template.keys.clone()));
        }
        let mut document = self.read(text, operation_name).await?;
        if let Some(Template { text, keys }) = template {
            let mut opened = document.parsed.clone();
            if template::open(&mut opened, &keys) {
                document.parsed = opened;
                let document = Arc::new(document);
                self.kept().insert(&text, Arc::clone(&document));
                return Ok((document, keys));
            }
        }
        let document = Arc::new(document);
        if keep {
            self.kept().insert(text, Arc::clone(&document));
        }
        Ok((document, Vec::new()))
    }

    async fn read(&self, text: &str, operation_name: Option<&str>) -> Result<Document, Response> {
        let invalid = |fault| Response::invalid(&[fault]);
        measure::check_text(text).map_err(invalid)?;
        let parsed = parse_query(text).map_err(|error| invalid(fault(&error.into())))?;
        if let Ok((_, operation)) = operation(&parsed, operation_name) {
            refuse_other_than_queries(operation)?;
        }
        measure::check_document(&parsed).map_err(invalid)?;
        check::check(&self.types, text, &parsed).map_err(invalid)?;
        let request = async_graphql::Request::new(text);
        let mut request = match operation_name {
            Some(name) => request.operation_name(name),
            None => request,
        };
        request.set_parsed_query(parsed.clone());
        let verdict = self.validator.execute(request).await;
        if !verdict.errors.is_empty() {
            let faults: Vec<Fault> = verdict.errors.iter().map(fault).collect();
            return Err(Response::invalid(&faults));
        }
        let names = parsed.operations.iter().map(|(name, _)| name.cloned());
        Ok(Document {
            plans: names.map(|name| (name, OnceLock::new())).collect(),
            parsed,
        })
    }

    /// Held for a look-up, never across an await. A panic inside leaves the map whole.
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The operation that a request means, with its name in the document.
///
/// # Errors
///
/// If it names none of several, or one that is not there.
pub(super) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<&'a Name>, &'a Positioned<OperationDefinition>), Fault> {
    let unknown = |name: &str| Fault::new(format!("Unknown operation named '{name}'."), []);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok((None, operation)),
        (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get_key_value(name).map_or_else(
                || Err(unknown(name)),
                |(name, operation)| Ok((Some(name), operation)),
            )
        }
        (DocumentOperations::Multiple(operations), None) => {
            let mut operations = operations.iter();
            match (operations.next(), operations.next()) {
                (Some((name, operation)), None) => Ok((Some(name), operation)),
                _ => Err(Fault::new(
                    "Must provide operation name if query contains multiple operations.",
                    [],
                )),
            }
        }
    }
}

fn refuse_other_than_queries(operation: &Positioned<OperationDefinition>) -> Result<(), Response> {
    let kind = match operation.node.ty {
        OperationType::Query => return Ok(()),
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let message = format!("Schema is not configured to execute {kind} operation.");
    Err(Response::failed(&[Fault::new(message, [operation.pos])]))
}

fn fault(error: &ServerError) -> Fault {
    Fault::new(error.message.clone(), error.locations.iter().copied())
}

/// Ends a request where its execution would begin. No error then means a valid document.
struct StopAfterValidation;

impl ExtensionFactory for StopAfterValidation {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(StopAfterValidation)
    }
}

#[async_trait::async_trait]
impl Extension for StopAfterValidation {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(context).await?;
        Err(Vec::new())
    }
}

/// The documents used last, at most [`limits::DOCUMENTS`].
#[derive(Debug, Default)]
struct Kept {
    by_text: HashMap<Arc<str>, (Arc<Document>, u64)>,
    by_use: BTreeMap<u64, Arc<str>>,
    uses: u64,
}

impl Kept {
    fn get(&mut self, text: &str) -> Option<Arc<Document>> {
        let (document, used) = self.by_text.get_mut(text)?;
        self.uses += 1;
        if let Some(text) = self.by_use.remove(used) {
            self.by_use.insert(self.uses, text);
        }
        *used = self.uses;
        Some(Arc::clone(document))
    }

    fn insert(&mut self, text: &str, document: Arc<Document>) {
        if self.by_text.len() >= limits::DOCUMENTS
            && !self.by_text.contains_key(text)
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.by_text.remove(&oldest);
        }
        self.uses += 1;
        let text: Arc<str> = text.into();
        let earlier = self
            .by_text
            .insert(Arc::clone(&text), (document, self.uses));
        if let Some((_, used)) = earlier {
            self.by_use.remove(&used);
        }
        self.by_use.insert(self.uses, text);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[allow(unreachable_pub)]
    mod user {
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
        #[sea_orm(table_name = "user")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i32,
            pub name: String,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    #[tokio::test]
    async fn texts_that_differ_in_their_keys_share_a_document() {
        let manager = TableManager::builder().table::<user::Entity>();
        let documents = Documents::new(&manager.build().unwrap()).unwrap();
        let get = async |key: &str| {
            let text = format!("{{user(identifier:{{obj_id:{key}}}){{name}}}}");
            documents.get(&text, None).await.unwrap()
        };
        let (first, keys) = get("1").await;
        assert_eq!(keys, [ConstValue::Number(1.into())]);
        let (second, keys) = get("2").await;
        assert_eq!(keys, [ConstValue::Number(2.into())]);
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(documents.kept().by_text.len(), 1);
        assert!(!Arc::ptr_eq(&first, &get("\"2\"").await.0));
        assert!(Arc::ptr_eq(&get("\"ab\"").await.0, &get("\"cd\"").await.0));

        let (told, keys) = documents.get("{users{count}}", None).await.unwrap();
        assert!(keys.is_empty());
        let again = documents.get("{users{count}}", None).await.unwrap().0;
        assert!(Arc::ptr_eq(&told, &again));
    }

    #[tokio::test]
    async fn what_stands_for_documents_is_none_itself() {
        let manager = TableManager::builder().table::<user::Entity>();
        let documents = Documents::new(&manager.build().unwrap()).unwrap();
        let text = "{user(identifier:{obj_id:1}){name}}";
        documents.get(text, None).await.unwrap();
        let template = Template::of(text).unwrap().text;
        assert!(documents.kept().get(&template).is_some());
        assert!(documents.get(&template, None).await.is_err());
    }

    fn document() -> Arc<Document> {
        Arc::new(Document {
            parsed: parse_query("{__typename}").unwrap(),
            plans: HashMap::new(),
        })
    }

    #[test]
    fn least_recently_used_document_is_let_go() {
        let mut kept = Kept::default();
        for at in 0..limits::DOCUMENTS {
            kept.insert(&format!("{at}"), document());
        }
        assert!(kept.get("0").is_some());
        kept.insert("new", document());
        kept.insert("new", document());
        assert!(kept.get("0").is_some());
        assert!(kept.get("1").is_none());
        assert_eq!(kept.by_text.len(), limits::DOCUMENTS);
        assert_eq!(kept.by_use.len(), limits::DOCUMENTS);
    }
}
