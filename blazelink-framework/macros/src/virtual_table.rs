//! `#[derive(VirtualTable)]`: an object over the rows that its members name.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Result};

use crate::attributes::{Said, members};

const INSTEAD: &str = "write `#[derive(blazelink::VirtualTable)]` on \
                       `struct PlayerStats { user: Dep<user::Entity> }`";
const STRUCT: &str = "a virtual table knows `#[blazelink(name = \"PlayerStats\")]`";
const MEMBER: &str = "a member of a virtual table takes no attributes: it is what its client names";

/// What the derive writes for one struct.
pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let own = &input.ident;
    let name = Said::of(&input.attrs, false, STRUCT)?.name_of(own);
    let members = members(input, true, INSTEAD)?;
    for (_, field) in &members {
        if let Some(attribute) = field
            .attrs
            .iter()
            .find(|it| it.path().is_ident("blazelink"))
        {
            return Err(syn::Error::new_spanned(attribute, MEMBER));
        }
    }
    let parameters = members.iter().map(|(_, field)| {
        let ty = &field.ty;
        quote_spanned!(ty.span()=> <#ty as ::blazelink::table::Dependent>::parameter())
    });
    let entities: Vec<TokenStream> = members
        .iter()
        .map(|(_, field)| {
            let ty = &field.ty;
            quote!(<#ty as ::blazelink::table::Dependent>::entity())
        })
        .collect();
    let named = members.iter().enumerate().map(|(at, (ident, field))| {
        let ty = &field.ty;
        let (earlier, entity) = (&entities[..at], &entities[at]);
        quote! {
            #ident: <#ty as ::blazelink::table::Dependent>::named(
                call,
                ::blazelink::table::occurrences(&[#(#earlier),*], #entity),
            )?
        }
    });
    Ok(quote! {
        #[automatically_derived]
        impl ::blazelink::table::Named for #own {
            #[allow(unused_variables)]
            fn named(
                call: &::blazelink::table::Call<'_>,
            ) -> ::core::result::Result<Self, ::blazelink::table::FieldError> {
                ::core::result::Result::Ok(#own { #(#named),* })
            }
        }

        #[automatically_derived]
        impl ::blazelink::table::VirtualTable for #own {
            const NAME: &'static str = #name;

            fn parameters() -> ::std::vec::Vec<::blazelink::table::Parameter> {
                ::blazelink::table::Parameter::all([#(#parameters),*])
            }

            fn fields() -> ::std::vec::Vec<::blazelink::table::Field> {
                <#own as ::blazelink::table::VirtualFields>::fields()
            }
        }

        ::blazelink::table::inventory::submit! {
            ::blazelink::table::VirtualRegistration {
                module: ::core::module_path!(),
                define: ::blazelink::table::TableDef::of_virtual::<#own>,
            }
        }
    })
}
