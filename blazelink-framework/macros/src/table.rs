//! `#[derive(Table)]`: an entity's declaration, and its entry in the list that `discover` reads.
//!
//! `#[sea_orm::model]` splits one struct into `Model` and `ModelEx` and hands our derive to both.
//! `Model` is then marked `model_ex` and gives nothing; `ModelEx` has the relation fields and
//! gives the table. A `Model` without the mark is a classic entity. Keys of `sea_orm(..)` that are
//! not ours to know are skipped in all their forms, so that a new one breaks nothing.

use heck::ToUpperCamelCase;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, GenericArgument, Ident, LitStr, Path,
    PathArguments, Result, Type, TypePath,
};

/// What the derive writes for one struct.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let fields = named_fields(input)?;
    let format = Format::of(input)?;
    if matches!(format, Format::DenseModel) {
        return Ok(TokenStream::new());
    }
    check_key(input)?;
    let TableAttributes {
        name,
        root,
        page_root,
        list: root_is_list,
        writes,
        public,
    } = TableAttributes::of(&input.attrs)?;
    let writes = match &writes {
        Some(operations) => quote! {
            ::core::option::Option::Some(&[#(::blazelink::table::Operation::#operations),*])
        },
        None => quote!(::core::option::Option::None),
    };
    let [name, root, page_root] = [name, root, page_root].map(|text| match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    });
    let mut hidden = Vec::new();
    let mut links = Vec::new();
    for field in fields {
        let Some(ident) = &field.ident else { continue };
        let FieldAttributes { hide, list } = FieldAttributes::of(&field.attrs)?;
        let field_name = ident.to_string().trim_start_matches("r#").to_owned();
        match relation_target(&field.ty) {
            Some(target) => {
                let is_list = list.is_some();
                let relation = RelationAttributes::of(&field.attrs)?;
                let path = relation.path(&target, &format);
                if let (Some(span), None) = (list, &path) {
                    return Err(syn::Error::new(
                        span,
                        "SeaORM declares no relation for this field: say \
                         `.list::<Entity>(\"..\")` where the app is declared",
                    ));
                }
                if let Some(path) = path {
                    links.push(quote! {
                        ::blazelink::table::Link {
                            field: #field_name, hidden: #hide, list: #is_list, path: #path
                        }
                    });
                }
            }
            None if list.is_some() => {
                return Err(syn::Error::new(
                    list.unwrap_or_else(Span::call_site),
                    "`list` stands on a relation that leads to many rows, or on the struct",
                ));
            }
            None if hide => hidden.push(field_name),
            None => {}
        }
    }
    Ok(quote! {
        #[automatically_derived]
        impl ::blazelink::table::Table for Entity {
            fn declaration() -> ::blazelink::table::Declaration {
                ::blazelink::table::Declaration {
                    name: #name,
                    root: #root,
                    page_root: #page_root,
                    list: #root_is_list,
                    public: #public,
                    hidden: &[#(#hidden),*],
                    writes: #writes,
                    links: ::std::vec![#(#links),*],
                }
            }
        }

        #[automatically_derived]
        impl ::blazelink::table::FieldType for Model {
            fn value_type() -> ::blazelink::table::ValueType {
                ::blazelink::table::ValueType::Row(::blazelink::table::RowType::of::<Entity>())
            }

            fn into_output(self) -> ::blazelink::table::Output {
                ::blazelink::table::reference::<Entity>(&self)
            }
        }

        ::blazelink::table::inventory::submit! {
            ::blazelink::table::Registration {
                module: ::core::module_path!(),
                define: ::blazelink::table::TableDef::of::<Entity>,
            }
        }
    })
}

/// Which of the structs that make up an entity the derive stands on.
enum Format {
    /// `Model` of a dense entity: its `ModelEx` speaks for it.
    DenseModel,
    /// `ModelEx` of a dense entity; `compact` if its relations are declared elsewhere.
    DenseModelEx { compact: bool },
    /// `Model` of an entity whose relations stand in a hand-written `Relation`.
    Classic,
}

impl Format {
    fn of(input: &DeriveInput) -> Result<Format> {
        let mut model_ex = false;
        let mut compact = false;
        for_each_sea_orm(&input.attrs, |meta| {
            model_ex |= meta.path.is_ident("model_ex");
            compact |= meta.path.is_ident("compact_model");
            skip(meta)
        })?;
        match input.ident.to_string().as_str() {
            "Model" if model_ex => Ok(Format::DenseModel),
            "Model" => Ok(Format::Classic),
            "ModelEx" => Ok(Format::DenseModelEx { compact }),
            other => Err(syn::Error::new(
                input.ident.span(),
                format!(
                    "`Table` is derived on the `Model` of a SeaORM entity, not on `{other}`: write \
                     `#[derive(DeriveEntityModel, blazelink::Table)]` on `pub struct Model`"
                ),
            )),
        }
    }
}

fn named_fields(input: &DeriveInput) -> Result<impl Iterator<Item = &Field>> {
    if let Data::Struct(data) = &input.data
        && let Fields::Named(fields) = &data.fields
    {
        return Ok(fields.named.iter());
    }
    Err(syn::Error::new(
        input.ident.span(),
        "`Table` is derived on the `Model` struct of a SeaORM entity, which has named fields: write \
         `#[derive(DeriveEntityModel, blazelink::Table)]` on `pub struct Model { .. }`",
    ))
}

/// Refuses an entity without a key, in a sentence that says more than SeaORM's. Where the struct does
/// not name its table, its key is declared beside it.
fn check_key(input: &DeriveInput) -> Result<()> {
    let mut table: Option<LitStr> = None;
    for_each_sea_orm(&input.attrs, |meta| {
        if meta.path.is_ident("table_name") {
            table = Some(meta.value()?.parse()?);
            return Ok(());
        }
        skip(meta)
    })?;
    let Some(table) = table else { return Ok(()) };
    let mut has_key = false;
    for field in named_fields(input)? {
        for_each_sea_orm(&field.attrs, |meta| {
            has_key |= meta.path.is_ident("primary_key");
            skip(meta)
        })?;
    }
    if has_key {
        return Ok(());
    }
    Err(syn::Error::new(
        table.span(),
        format!(
            "Table `{}` has no primary key, by which clients name its rows: write \
             `#[sea_orm(primary_key)]` over the field, or over each of the fields, that no two rows \
             have in common",
            table.value()
        ),
    ))
}

/// `#[blazelink(..)]` on the struct.
#[derive(Default)]
struct TableAttributes {
    name: Option<LitStr>,
    root: Option<LitStr>,
    page_root: Option<LitStr>,
    list: bool,
    /// Variants of `Operation`.
    writes: Option<Vec<Ident>>,
    public: bool,
}

impl TableAttributes {
    fn of(attributes: &[Attribute]) -> Result<TableAttributes> {
        let mut found = TableAttributes::default();
        for_each(attributes, "blazelink", |meta| {
            if meta.path.is_ident("name") {
                let name: LitStr = meta.value()?.parse()?;
                check_name(&name)?;
                found.name = Some(name);
                return Ok(());
            }
            if meta.path.is_ident("writes") {
                found.writes = Some(operations(&meta)?);
                return Ok(());
            }
            for (known, root) in [
                ("root", &mut found.root),
                ("page_root", &mut found.page_root),
            ] {
                if meta.path.is_ident(known) {
                    let name: LitStr = meta.value()?.parse()?;
                    check_root(&name, known)?;
                    *root = Some(name);
                    return Ok(());
                }
            }
            if meta.path.is_ident("list") {
                bare(&meta, "list")?;
                found.list = true;
                return Ok(());
            }
            if meta.path.is_ident("public") {
                bare(&meta, "public")?;
                found.public = true;
                return Ok(());
            }
            Err(meta.error(
                "A table knows `#[blazelink(name = \"Player\")]`, `root = \"player\"`, \
                 `page_root = \"players\"`, `list`, `public` and `writes`; `hide` stands on a field",
            ))
        })?;
        Ok(found)
    }
}

/// The operations that `writes` or `writes(create, ..)` names.
fn operations(meta: &ParseNestedMeta<'_>) -> Result<Vec<Ident>> {
    let span = meta.path.span();
    let variant = |name: &str| Ident::new(name, span);
    if !meta.input.peek(syn::token::Paren) {
        return Ok(["Create", "Update", "Delete"].map(variant).to_vec());
    }
    let mut found = Vec::new();
    meta.parse_nested_meta(|inner| {
        let known = [
            ("create", "Create"),
            ("update", "Update"),
            ("delete", "Delete"),
        ];
        match known.iter().find(|(name, _)| inner.path.is_ident(name)) {
            Some((_, operation)) => found.push(variant(operation)),
            None => {
                return Err(inner.error("Write `create`, `update` or `delete` in `writes(..)`"));
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// Refuses a value behind a word that takes none.
fn bare(meta: &ParseNestedMeta<'_>, word: &str) -> Result<()> {
    if meta.input.is_empty() || meta.input.peek(syn::Token![,]) {
        return Ok(());
    }
    Err(meta.error(format!(
        "`{word}` takes no value: write `#[blazelink({word})]`"
    )))
}

fn check_root(name: &LitStr, word: &str) -> Result<()> {
    let text = name.value();
    let mut chars = text.chars();
    let sound = chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && chars.all(|rest| rest.is_ascii_alphanumeric() || rest == '_');
    if sound {
        return Ok(());
    }
    Err(syn::Error::new(
        name.span(),
        format!(
            "A root's name begins with a letter and has only letters, digits and `_`: write \
             `#[blazelink({word} = \"people\")]`"
        ),
    ))
}

fn check_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    let mut chars = text.chars();
    let sound = chars.next().is_some_and(|first| first.is_ascii_uppercase())
        && chars.all(|rest| rest.is_ascii_alphanumeric() || rest == '_');
    if sound {
        return Ok(());
    }
    Err(syn::Error::new(
        name.span(),
        "A type's name begins with a capital letter and has only letters, digits and `_`: write \
         `#[blazelink(name = \"Player\")]`",
    ))
}

/// `#[blazelink(..)]` on a field.
#[derive(Default)]
struct FieldAttributes {
    hide: bool,
    list: Option<Span>,
}

impl FieldAttributes {
    fn of(attributes: &[Attribute]) -> Result<FieldAttributes> {
        let mut found = FieldAttributes::default();
        for_each(attributes, "blazelink", |meta| {
            if meta.path.is_ident("hide") {
                bare(&meta, "hide")?;
                found.hide = true;
                return Ok(());
            }
            if meta.path.is_ident("list") {
                bare(&meta, "list")?;
                found.list = Some(meta.path.segments.span());
                return Ok(());
            }
            Err(meta.error(
                "A field knows `#[blazelink(hide)]`, and a relation `#[blazelink(list)]`; `name` \
                 stands on the struct",
            ))
        })?;
        Ok(found)
    }
}

/// The keys of `#[sea_orm(..)]` on a relation field that say which relation it means.
#[derive(Default)]
struct RelationAttributes {
    /// Whether there is a `#[sea_orm(..)]` at all.
    present: bool,
    belongs_to: bool,
    has_one: bool,
    has_many: bool,
    self_ref: bool,
    reverse: bool,
    from_and_to: (bool, bool),
    relation_reverse: bool,
    relation_enum: Option<LitStr>,
    via: Option<LitStr>,
}

impl RelationAttributes {
    fn of(attributes: &[Attribute]) -> Result<RelationAttributes> {
        let mut found = RelationAttributes::default();
        for_each_sea_orm(attributes, |meta| {
            found.present = true;
            let Some(key) = meta.path.get_ident().map(Ident::to_string) else {
                return skip(meta);
            };
            match key.as_str() {
                "via" => {
                    found.via = Some(meta.value()?.parse()?);
                    return Ok(());
                }
                "relation_enum" => {
                    found.relation_enum = Some(meta.value()?.parse()?);
                    return Ok(());
                }
                "belongs_to" => found.belongs_to = true,
                "has_one" => found.has_one = true,
                "has_many" => found.has_many = true,
                "self_ref" => found.self_ref = true,
                "reverse" => found.reverse = true,
                "from" => found.from_and_to.0 = true,
                "to" => found.from_and_to.1 = true,
                "relation_reverse" => found.relation_reverse = true,
                _ => {}
            }
            skip(meta)
        })?;
        Ok(found)
    }

    /// The expression that gives the relation's path, or nothing where SeaORM declares none for
    /// the field; the registry then completes it from the other side.
    fn path(&self, target: &TypePath, format: &Format) -> Option<TokenStream> {
        match (format, &self.via) {
            (Format::DenseModelEx { compact: true }, _) if !self.present => {
                (!is_self(target)).then(|| related(target))
            }
            (_, Some(via)) if self.self_ref => self.self_junction(via),
            (_, Some(via)) if self.has_many => self.junction(via, target),
            _ if self.declares_variant() => {
                let variant = self.variant(target);
                Some(quote! {
                    ::blazelink::table::Path::direct(
                        ::blazelink::table::sea_orm::RelationTrait::def(&Relation::#variant)
                    )
                })
            }
            _ => None,
        }
    }

    /// Whether SeaORM writes a `Relation` variant for the field.
    fn declares_variant(&self) -> bool {
        self.belongs_to
            || self.has_one
            || self.has_many
            || (self.self_ref && (self.relation_reverse || self.from_and_to == (true, true)))
    }

    /// Named by the field, else after the module of its target.
    fn variant(&self, target: &TypePath) -> Ident {
        match &self.relation_enum {
            Some(name) => Ident::new(&name.value().to_upper_camel_case(), name.span()),
            None => {
                let mut segments = target.path.segments.iter().rev();
                let last = segments.next();
                let named = segments.next().or(last);
                let name = named.map_or(String::new(), |segment| segment.ident.to_string());
                Ident::new(&name.to_upper_camel_case(), Span::call_site())
            }
        }
    }

    fn junction(&self, via: &LitStr, target: &TypePath) -> Option<TokenStream> {
        let path: Path = via.parse().ok()?;
        let module = &path.segments.first()?.ident;
        let forward = self.variant(target);
        let to = quote! {
            ::blazelink::table::sea_orm::RelationTrait::def(&super::#module::Relation::#forward)
        };
        let from = match path.segments.get(1).map(|segment| &segment.ident) {
            Some(back) => quote! {
                ::blazelink::table::sea_orm::RelationTrait::def(&super::#module::Relation::#back)
            },
            None => quote! {
                <super::#module::Entity as ::blazelink::table::sea_orm::Related<Entity>>::to()
            },
        };
        Some(quote!(::blazelink::table::Path::through(#from.rev(), #to)))
    }

    fn self_junction(&self, via: &LitStr) -> Option<TokenStream> {
        let module: Ident = via.parse().ok()?;
        let related = quote! {
            <Entity as ::blazelink::table::sea_orm::RelatedSelfVia<super::#module::Entity>>
        };
        Some(if self.reverse {
            quote! {
                ::blazelink::table::Path::through(#related::to().rev(), #related::via().rev())
            }
        } else {
            quote!(::blazelink::table::Path::through(#related::via(), #related::to()))
        })
    }
}

fn related(target: &TypePath) -> TokenStream {
    quote! {
        ::blazelink::table::Path::related(
            <Entity as ::blazelink::table::sea_orm::Related<#target>>::to(),
            <Entity as ::blazelink::table::sea_orm::Related<#target>>::via(),
        )
    }
}

fn is_self(target: &TypePath) -> bool {
    target.path.is_ident("Entity")
}

/// The entity that a field of type `BelongsTo`, `HasOne` or `HasMany` leads to.
fn relation_target(ty: &Type) -> Option<TypePath> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    if !["BelongsTo", "HasOne", "HasMany"].contains(&segment.ident.to_string().as_str()) {
        return None;
    }
    let inner = generic_argument(&segment.arguments)?;
    let last = inner.path.segments.last()?;
    if last.ident == "Option" {
        return generic_argument(&last.arguments);
    }
    Some(inner)
}

fn generic_argument(arguments: &PathArguments) -> Option<TypePath> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(Type::Path(path)) => Some(path.clone()),
        _ => None,
    }
}

fn for_each(
    attributes: &[Attribute],
    name: &str,
    mut each: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
        .try_for_each(|attribute| attribute.parse_nested_meta(&mut each))
}

fn for_each_sea_orm(
    attributes: &[Attribute],
    each: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    for_each(attributes, "sea_orm", each)
}

/// Passes over what follows a key: nothing, `= value` or `(..)`.
fn skip(meta: ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<TokenStream>()?;
    }
    Ok(())
}
