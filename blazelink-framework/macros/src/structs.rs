//! `#[derive(Struct)]`: an object of the schema, and an input where its members can be.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident, LitStr, Result, Type};

use crate::attributes::{Said, members};

const INSTEAD: &str = "write `#[derive(blazelink::Struct)]` on `struct Streak { best: i64 }`";
const STRUCT: &str = "a struct knows `#[blazelink(name = \"Streak\")]`; `hide` stands on a member";
const MEMBER: &str = "a member knows `#[blazelink(name = \"best\")]` and `#[blazelink(hide)]`";

struct Member<'a> {
    ident: &'a Ident,
    name: LitStr,
    ty: &'a Type,
}

/// What the derive writes for one struct.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let name = Said::of(&input.attrs, false, STRUCT)?.name_of(&input.ident);
    let mut shown = Vec::new();
    let mut hides = false;
    for (ident, field) in members(input, false, INSTEAD)? {
        let said = Said::of(&field.attrs, true, MEMBER)?;
        if let Type::Reference(reference) = &field.ty {
            return Err(syn::Error::new_spanned(
                reference,
                "a member is owned: write `String` for `&str`, and a `Model` for a reference to it",
            ));
        }
        if said.hide {
            hides = true;
            continue;
        }
        let name = said.name_of(ident);
        if let Some(other) = shown
            .iter()
            .find(|it: &&Member<'_>| it.name.value() == name.value())
        {
            return Err(syn::Error::new(
                name.span(),
                format!(
                    "`{}` and `{ident}` are both called `{}` in GraphQL: give one of them another \
                     name with `#[blazelink(name = \"..\")]`",
                    other.ident,
                    name.value()
                ),
            ));
        }
        shown.push(Member {
            ident,
            name,
            ty: &field.ty,
        });
    }
    if shown.is_empty() {
        return Err(syn::Error::new(
            input.ident.span(),
            "a struct of the schema has at least one member: remove a `#[blazelink(hide)]`",
        ));
    }
    let object = object(&input.ident, &name, &shown);
    let argument = match hides {
        true => TokenStream::new(),
        false => argument(&input.ident, &name, &shown),
    };
    Ok(quote!(#object #argument))
}

fn object(own: &Ident, name: &LitStr, members: &[Member<'_>]) -> TokenStream {
    let types = members.iter().map(|Member { name, ty, .. }| {
        quote_spanned!(ty.span()=> ::blazelink::table::Member::of::<#ty>(#name))
    });
    let values = members.iter().map(|Member { ident, ty, .. }| {
        quote_spanned!(ty.span()=> <#ty as ::blazelink::table::FieldType>::into_output(self.#ident))
    });
    quote! {
        #[automatically_derived]
        impl ::blazelink::table::Struct for #own {
            const NAME: &'static str = #name;

            fn members() -> ::std::vec::Vec<::blazelink::table::Member> {
                ::std::vec![#(#types),*]
            }

            fn into_members(self) -> ::std::vec::Vec<::blazelink::table::Output> {
                ::std::vec![#(#values),*]
            }
        }
    }
}

/// Holds where every member's type is an argument. The lifetime makes the compiler wait with its
/// verdict until somebody wants the struct as an argument.
fn argument(own: &Ident, name: &LitStr, members: &[Member<'_>]) -> TokenStream {
    let others = members.iter().filter(|member| !mentions(member.ty, own));
    let bounds = others
        .map(|Member { ty, .. }| quote!(for<'blazelink> #ty: ::blazelink::table::ArgumentType));
    let types = members
        .iter()
        .map(|Member { name, ty, .. }| quote!(::blazelink::table::InputMember::of::<#ty>(#name)));
    let taken = members.iter().map(|Member { ident, name, ty }| {
        quote!(#ident: ::blazelink::table::InputMember::take::<#ty>(value, #name)?)
    });
    let given = members.iter().map(|Member { ident, name, ty }| {
        quote!((#name, <#ty as ::blazelink::table::ArgumentType>::to_value(&self.#ident)))
    });
    let input = LitStr::new(&format!("{}Input", name.value()), name.span());
    quote! {
        #[automatically_derived]
        impl ::blazelink::table::ArgumentType for #own
        where
            #(#bounds,)*
        {
            fn input_type() -> ::blazelink::table::InputType {
                ::blazelink::table::InputType::Struct(::blazelink::table::InputStruct {
                    name: #input,
                    members: <#own as ::blazelink::table::ArgumentType>::input_members,
                    rust_name: ::core::any::type_name::<#own>,
                })
            }

            fn input_members() -> ::std::vec::Vec<::blazelink::table::InputMember> {
                ::std::vec![#(#types),*]
            }

            fn from_value(
                value: &::blazelink::table::ConstValue,
            ) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(#own { #(#taken),* })
            }

            fn to_value(&self) -> ::blazelink::table::ConstValue {
                ::blazelink::table::InputMember::object([#(#given),*])
            }
        }
    }
}

/// Whether a type names the struct itself, as a list of it does.
fn mentions(ty: &Type, own: &Ident) -> bool {
    fn within(tokens: TokenStream, own: &Ident) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == *own || ident == "Self",
            TokenTree::Group(group) => within(group.stream(), own),
            _ => false,
        })
    }
    within(ty.to_token_stream(), own)
}
