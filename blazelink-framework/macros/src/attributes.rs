//! What the derives of structs and virtual tables share: names and members.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, LitStr, Result};

/// `#[blazelink(..)]` on a struct or on a member of it.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) name: Option<LitStr>,
    pub(crate) hide: bool,
}

impl Said {
    /// What the attributes say; `known` is the sentence about everything else.
    pub(crate) fn of(attributes: &[Attribute], hideable: bool, known: &str) -> Result<Said> {
        let mut said = Said::default();
        for attribute in attributes
            .iter()
            .filter(|it| it.path().is_ident("blazelink"))
        {
            attribute.parse_nested_meta(|meta| said.take(&meta, hideable, known))?;
        }
        Ok(said)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>, hideable: bool, known: &str) -> Result<()> {
        if meta.path.is_ident("name") {
            let name: LitStr = meta.value()?.parse()?;
            check_name(&name)?;
            self.name = Some(name);
            return Ok(());
        }
        if hideable && meta.path.is_ident("hide") {
            self.hide = true;
            return Ok(());
        }
        Err(meta.error(known))
    }

    /// The name in GraphQL of what Rust calls so.
    pub(crate) fn name_of(&self, ident: &Ident) -> LitStr {
        let own = || LitStr::new(&unraw(ident), ident.span());
        self.name.clone().unwrap_or_else(own)
    }
}

/// The name without the mark of a keyword.
pub(crate) fn unraw(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// Refuses what is no name in GraphQL.
pub(crate) fn check_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    let sound = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .chars()
            .all(|rest| rest.is_ascii_alphanumeric() || rest == '_')
        && !text.starts_with("__");
    if sound {
        return Ok(());
    }
    Err(syn::Error::new(
        name.span(),
        "a name in GraphQL has only letters, digits and `_`, and does not begin with a digit or \
         `__`: write `name = \"best_streak\"`",
    ))
}

/// The members of a struct without type parameters; `unit` says whether it may have none.
pub(crate) fn members<'a>(
    input: &'a DeriveInput,
    unit: bool,
    instead: &str,
) -> Result<Vec<(&'a Ident, &'a Field)>> {
    if let Some(parameter) = input.generics.params.first() {
        return Err(syn::Error::new_spanned(
            parameter,
            format!("a type of the schema has no parameters: {instead}"),
        ));
    }
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => return Err(refused(data.enum_token.span, "an enum", instead)),
        Data::Union(data) => return Err(refused(data.union_token.span, "a union", instead)),
    };
    match fields {
        Fields::Named(named) if unit || !named.named.is_empty() => Ok(named
            .named
            .iter()
            .filter_map(|field| Some((field.ident.as_ref()?, field)))
            .collect()),
        Fields::Unit if unit => Ok(Vec::new()),
        Fields::Unnamed(_) => Err(refused(input.ident.span(), "a tuple", instead)),
        Fields::Unit | Fields::Named(_) => Err(refused(
            input.ident.span(),
            "a struct without members",
            instead,
        )),
    }
}

fn refused(span: proc_macro2::Span, what: &str, instead: &str) -> syn::Error {
    syn::Error::new(span, format!("{what} is no type of the schema: {instead}"))
}
