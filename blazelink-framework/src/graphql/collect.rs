//! Which fields a selection means (GraphQL October 2021, section 6.3.2): fragments opened,
//! `@skip` and `@include` applied, equal names merged, in document order.

use std::collections::{HashMap, HashSet};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Directive, Field, FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use async_graphql_value::{ConstValue, Value};

use super::variables::Variables;

/// Opens selections of one operation.
pub(super) struct Collector<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'a Variables,
    /// Whether a variable has decided about a field.
    pub(super) varies: bool,
}

/// The fields that merge into one.
pub(super) struct Merged<'a> {
    /// The name in the answer.
    pub(super) name: &'a str,
    /// At least one; validation has seen that they agree in field and arguments.
    pub(super) fields: Vec<&'a Positioned<Field>>,
}

impl<'a> Merged<'a> {
    /// The selections of all of them.
    pub(super) fn selections(&self) -> Vec<&'a SelectionSet> {
        let sets = self.fields.iter();
        sets.map(|field| &field.node.selection_set.node).collect()
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(
        fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
        variables: &'a Variables,
    ) -> Collector<'a> {
        Collector {
            fragments,
            variables,
            varies: false,
        }
    }

    /// The fields of these selections of the type `ty`.
    pub(super) fn fields(&mut self, sets: &[&'a SelectionSet], ty: &str) -> Vec<Merged<'a>> {
        let mut found = IndexMap::new();
        let mut opened = HashSet::new();
        for set in sets {
            self.open(set, ty, &mut opened, &mut found);
        }
        found
            .into_iter()
            .map(|(name, fields)| Merged { name, fields })
            .collect()
    }

    fn open(
        &mut self,
        set: &'a SelectionSet,
        ty: &str,
        opened: &mut HashSet<&'a str>,
        found: &mut IndexMap<&'a str, Vec<&'a Positioned<Field>>>,
    ) {
        for selection in &set.items {
            if !self.is_wanted(selection.node.directives()) {
                continue;
            }
            match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.response_key().node.as_str();
                    found.entry(name).or_default().push(field);
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref();
                    if on.is_none_or(|on| on.node.on.node == ty) {
                        self.open(&inline.node.selection_set.node, ty, opened, found);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    let Some(fragment) = self.fragments.get(name) else {
                        continue;
                    };
                    if fragment.node.type_condition.node.on.node == ty && opened.insert(name) {
                        self.open(&fragment.node.selection_set.node, ty, opened, found);
                    }
                }
            }
        }
    }

    fn is_wanted(&mut self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let wanted = match directive.node.name.node.as_str() {
                "include" => true,
                "skip" => false,
                _ => return true,
            };
            self.condition(&directive.node) == Some(wanted)
        })
    }

    fn condition(&mut self, directive: &Directive) -> Option<bool> {
        match &directive.get_argument("if")?.node {
            Value::Boolean(truth) => Some(*truth),
            Value::Variable(name) => {
                self.varies = true;
                match self.variables.get(name) {
                    Some(ConstValue::Boolean(truth)) => Some(*truth),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
