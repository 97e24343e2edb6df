//! `#[fields]`: the methods of a block become fields of an entity's table or of a virtual table.
//!
//! The block stays where and as it is, but for the attributes that are ours, so that editors know
//! it. Beside it stands what the framework needs: for an entity a trait and a constant of one name,
//! since the two live in different name spaces.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{
    Attribute, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, LitStr, Path, Result, Token, Type,
};

use crate::attributes::{check_name, unraw};
use crate::method::{Method, OWN, Owner};

const KNOWN: &str = "a block of fields knows `hide(email)`, `rename(kind = \"type\")`, \
                     `read = only_visible`, `carry(user::Entity)`, `on_subscribe = ask`, and \
                     `virtual_table`";

/// What the macro writes for one block. The block is in it, also where there is an error.
pub(crate) fn expand(attributes: TokenStream, block: TokenStream) -> TokenStream {
    let mut item: ItemImpl = match syn::parse2(block.clone()) {
        Ok(item) => item,
        // Somebody is typing.
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #block);
        }
    };
    let written = written(attributes, &item);
    let declared = declared_trait(&item);
    strip(&mut item);
    if item.trait_.is_some() {
        // The trait is public, so that it can be; what it is about need not be.
        item.attrs
            .push(syn::parse_quote!(#[allow(private_interfaces)]));
    }
    let written = written.unwrap_or_else(syn::Error::into_compile_error);
    quote!(#declared #item #written)
}

fn written(attributes: TokenStream, item: &ItemImpl) -> Result<TokenStream> {
    let options = Options::of(attributes)?;
    if let Some(parameter) = item.generics.params.first() {
        return Err(syn::Error::new_spanned(
            parameter,
            "fields belong to one type: write the block without type parameters",
        ));
    }
    match &item.trait_ {
        Some((None, path, _)) => match (path.get_ident(), options.virtual_table) {
            (Some(name), None) => entity(item, name, &options),
            (Some(_), Some(span)) => Err(syn::Error::new(
                span,
                "a virtual table has its fields by itself: write `impl PlayerStats { .. }`",
            )),
            (None, _) => Err(syn::Error::new_spanned(
                path,
                "the macro writes this trait itself: give it a new name of one word, such as \
                 `impl UserFields for user::Model`",
            )),
        },
        Some((Some(not), ..)) => Err(syn::Error::new_spanned(
            not,
            "write `impl UserFields for user::Model { .. }`",
        )),
        None if options.virtual_table.is_some() => virtual_table(item, &options),
        None => Err(syn::Error::new_spanned(
            &item.self_ty,
            "fields of an entity are of a trait with a new name: write \
             `impl UserFields for user::Model { .. }`; for a virtual table write \
             `#[blazelink::fields(virtual_table)]`",
        )),
    }
}

fn entity(item: &ItemImpl, name: &Ident, options: &Options) -> Result<TokenStream> {
    let own = &*item.self_ty;
    let owner = Owner {
        ty: own,
        of: Some(name),
    };
    let fields = fields(item, &owner)?;
    let named = unraw(name);
    let doc = LitStr::new(
        &format!("What [`trait@{named}`] adds to its table, for `.extend({named})`."),
        name.span(),
    );
    let hide = &options.hide;
    let hide = (!hide.is_empty()).then(|| quote!(.hiding(&[#(#hide),*])));
    let (from, to): (Vec<_>, Vec<_>) = options.rename.iter().cloned().unzip();
    let rename = (!from.is_empty()).then(|| quote!(.renaming(&[#((#from, #to)),*])));
    let read = options.read.iter().map(|read| quote!(.visible(#read)));
    let carry = &options.carry;
    let carried = (!carry.is_empty()).then(|| {
        quote! {
            .carrying({
                fn carried() -> ::std::vec::Vec<::blazelink::table::Carried> {
                    ::std::vec![#(::blazelink::table::Carried::whole::<#carry>()),*]
                }
                carried
            })
        }
    });
    let ask = options.on_subscribe.iter().map(|ask| {
        quote! {
            .on_subscribe({
                fn asked<'call>(
                    context: &'call ::blazelink::BlazeContext,
                    object: &'call ::blazelink::object_id::ObjectId,
                ) -> ::blazelink::table::Asked<'call> {
                    ::std::boxed::Box::pin(async move {
                        #ask(context, object).await.map_err(::core::convert::Into::into)
                    })
                }
                asked
            })
        }
    });
    Ok(quote! {
        #[doc = #doc]
        #[allow(non_upper_case_globals)]
        pub const #name: ::blazelink::table::Extension = {
            #fields
            ::blazelink::table::Extension::of::<
                <#own as ::blazelink::table::sea_orm::ModelTrait>::Entity,
            >(fields)
            .named(::core::concat!(::core::module_path!(), "::", #named))
            #hide
            #rename
            #(#read)*
            #carried
            #(#ask)*
        };

        ::blazelink::table::inventory::submit! {
            ::blazelink::table::ExtensionRegistration {
                module: ::core::module_path!(),
                extension: #name,
            }
        }
    })
}

fn virtual_table(item: &ItemImpl, options: &Options) -> Result<TokenStream> {
    if let Some(span) = options.of_entity {
        return Err(syn::Error::new(
            span,
            "a virtual table has no columns, so there is nothing of it to hide, to rename or to \
             guard: write `#[blazelink::fields(virtual_table)]` alone",
        ));
    }
    let own = &*item.self_ty;
    let fields = fields(item, &Owner { ty: own, of: None })?;
    Ok(quote! {
        #[automatically_derived]
        impl ::blazelink::table::VirtualFields for #own {
            fn fields() -> ::std::vec::Vec<::blazelink::table::Field> {
                #fields
                fields()
            }
        }
    })
}

/// The function that makes the fields.
fn fields(item: &ItemImpl, owner: &Owner<'_>) -> Result<TokenStream> {
    let mut methods: Vec<Method<'_>> = Vec::new();
    for inner in &item.items {
        let function = match inner {
            ImplItem::Fn(function) => function,
            other => {
                return Err(syn::Error::new_spanned(
                    other,
                    "each item of the block is a method, and a field: write this in a block of \
                     its own",
                ));
            }
        };
        let method = Method::of(function, owner)?;
        let mut earlier = methods.iter();
        if earlier.any(|known| known.name().value() == method.name().value()) {
            return Err(syn::Error::new(
                method.name().span(),
                format!(
                    "two fields are called `{}` in GraphQL: give one of them another name",
                    method.name().value()
                ),
            ));
        }
        methods.push(method);
    }
    if methods.is_empty() && owner.of.is_none() {
        return Err(syn::Error::new_spanned(
            owner.ty,
            "a virtual table has at least one field: write a method",
        ));
    }
    let pushed = methods.iter().map(|method| method.field(owner));
    Ok(quote! {
        #[allow(unused_mut)]
        fn fields() -> ::std::vec::Vec<::blazelink::table::Field> {
            let mut fields = ::std::vec::Vec::new();
            #(#pushed)*
            fields
        }
    })
}

/// The trait that a block for an entity implements.
fn declared_trait(item: &ItemImpl) -> TokenStream {
    let Some(name) = item
        .trait_
        .as_ref()
        .and_then(|(_, path, _)| path.get_ident())
    else {
        return TokenStream::new();
    };
    let methods = item.items.iter().filter_map(|inner| match inner {
        ImplItem::Fn(function) => Some(Method::declaration(function)),
        _ => None,
    });
    let documented = |attribute: &&Attribute| attribute.path().is_ident("doc");
    let docs: Vec<_> = item.attrs.iter().filter(documented).collect();
    let docs = match docs.is_empty() {
        true => quote!(#[doc = "Computed fields of a table."]),
        false => quote!(#(#docs)*),
    };
    quote! {
        #docs
        #[allow(async_fn_in_trait, missing_docs, private_interfaces, clippy::wrong_self_convention)]
        pub trait #name: ::core::marker::Sized {
            #(#methods)*
        }
    }
}

/// Takes out the attributes that are ours.
fn strip(item: &mut ItemImpl) {
    let others = |attribute: &Attribute| !OWN.iter().any(|own| attribute.path().is_ident(own));
    for inner in &mut item.items {
        if let ImplItem::Fn(ImplItemFn { attrs, sig, .. }) = inner {
            attrs.retain(others);
            for input in &mut sig.inputs {
                match input {
                    FnArg::Receiver(receiver) => receiver.attrs.retain(others),
                    FnArg::Typed(typed) => typed.attrs.retain(others),
                }
            }
        }
    }
}

/// What is said of the block.
#[derive(Default)]
struct Options {
    virtual_table: Option<Span>,
    /// Where something is said that only a table of Postgres has.
    of_entity: Option<Span>,
    hide: Vec<LitStr>,
    rename: Vec<(LitStr, LitStr)>,
    read: Option<Path>,
    carry: Vec<Type>,
    on_subscribe: Option<Path>,
}

impl Options {
    fn of(attributes: TokenStream) -> Result<Options> {
        let mut options = Options::default();
        syn::meta::parser(|meta| options.take(&meta)).parse2(attributes)?;
        Ok(options)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let span = meta
            .path
            .get_ident()
            .map_or_else(Span::call_site, Ident::span);
        if meta.path.is_ident("virtual_table") {
            self.virtual_table = Some(span);
            return Ok(());
        }
        self.of_entity = Some(span);
        if meta.path.is_ident("hide") {
            self.hide(meta)
        } else if meta.path.is_ident("rename") {
            self.rename(meta)
        } else if meta.path.is_ident("carry") {
            let content;
            syn::parenthesized!(content in meta.input);
            let types = content.parse_terminated(<Type as syn::parse::Parse>::parse, Token![,])?;
            self.carry.extend(types);
            Ok(())
        } else if meta.path.is_ident("read") {
            self.read = Some(function(meta, "read = only_visible")?);
            Ok(())
        } else if meta.path.is_ident("on_subscribe") {
            self.on_subscribe = Some(function(meta, "on_subscribe = ask")?);
            Ok(())
        } else {
            Err(meta.error(KNOWN))
        }
    }

    fn hide(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if !meta.input.peek(syn::token::Paren) {
            return Err(meta.error("name what is hidden: write `hide(email, events)`"));
        }
        meta.parse_nested_meta(|field| {
            let ident = field.path.get_ident();
            let ident = ident.ok_or_else(|| field.error("write `hide(email)`"))?;
            self.hide.push(LitStr::new(&unraw(ident), ident.span()));
            Ok(())
        })
    }

    fn rename(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        const INSTEAD: &str = "name the column and its new name: write `rename(kind = \"type\")`";
        if !meta.input.peek(syn::token::Paren) {
            return Err(meta.error(INSTEAD));
        }
        meta.parse_nested_meta(|field| {
            let ident = field.path.get_ident();
            let ident = ident.ok_or_else(|| field.error(INSTEAD))?;
            let value = field.value().map_err(|_| field.error(INSTEAD))?;
            let name: LitStr = value.parse()?;
            check_name(&name)?;
            let ident = LitStr::new(&unraw(ident), ident.span());
            self.rename.push((ident, name));
            Ok(())
        })
    }
}

fn function(meta: &ParseNestedMeta<'_>, example: &str) -> Result<Path> {
    let value = meta.value();
    let value = value.map_err(|_| meta.error(format!("name a function: write `{example}`")))?;
    value.parse()
}
