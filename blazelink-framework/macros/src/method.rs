//! One method of a `#[fields]` block: what it takes and gives, and the field that is written of it.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericParam, Ident, ImplItemFn, Lit, LitStr, Pat, PatType,
    Result, ReturnType, Signature, Token, Type,
};

use crate::attributes::{check_name, unraw};

/// The attributes that are ours, and go before the block is compiled.
pub(crate) const OWN: [&str; 3] = ["arg", "batch", "computed"];

/// What the methods of a block have in common.
pub(crate) struct Owner<'a> {
    /// The type that has the methods.
    pub(crate) ty: &'a Type,
    /// The trait that they are of, for an entity; a virtual table has none.
    pub(crate) of: Option<&'a Ident>,
}

/// A method as a field.
pub(crate) struct Method<'a> {
    signature: &'a Signature,
    conditions: Vec<&'a Attribute>,
    name: LitStr,
    on: Option<LitStr>,
    subject: Subject,
    parameters: Vec<Parameter>,
    output: Type,
}

/// What a method is called on.
#[derive(PartialEq)]
enum Subject {
    /// `&self`.
    Own,
    /// All rows of a batch.
    Batch,
    /// Nothing.
    None,
}

enum Parameter {
    /// The rows of a batch.
    Rows,
    /// What the framework gives.
    Given,
    /// An argument of the field.
    Argument {
        name: LitStr,
        ty: Box<Type>,
        default: Option<Box<Expr>>,
    },
}

impl<'a> Method<'a> {
    pub(crate) fn of(function: &'a ImplItemFn, owner: &Owner<'_>) -> Result<Method<'a>> {
        let signature = &function.sig;
        check_signature(signature)?;
        let said = Said::of(&function.attrs)?;
        if said.batch && owner.of.is_none() {
            return Err(syn::Error::new(
                signature.ident.span(),
                "a virtual table is one object, so its fields have no batch: remove `#[batch]`",
            ));
        }
        let own = LitStr::new(&unraw(&signature.ident), signature.ident.span());
        let name = said.name.unwrap_or(own);
        check_name(&name)?;
        let mut inputs = signature.inputs.iter();
        let mut parameters = Vec::new();
        let subject = match (said.batch, signature.receiver()) {
            (true, None) => {
                rows(inputs.next(), signature)?;
                parameters.push(Parameter::Rows);
                Subject::Batch
            }
            (true, Some(receiver)) => {
                return Err(syn::Error::new_spanned(
                    receiver,
                    "a field with `#[batch]` is called once for many rows: write \
                     `users: &[user::Model]` instead of `&self`",
                ));
            }
            (false, Some(receiver)) => {
                if receiver.reference.is_none() || receiver.mutability.is_some() {
                    return Err(syn::Error::new_spanned(
                        receiver,
                        "a field looks at its row: write `&self`",
                    ));
                }
                inputs.next();
                Subject::Own
            }
            (false, None) => Subject::None,
        };
        for input in inputs {
            if let FnArg::Typed(typed) = input {
                parameters.push(Parameter::of(typed, owner.ty)?);
            }
        }
        let output = match &signature.output {
            ReturnType::Type(_, ty) => of_owner(ty, owner.ty)?,
            ReturnType::Default => {
                return Err(syn::Error::new(
                    signature.ident.span(),
                    "a field has a value: write what the method returns, such as `-> i64` or \
                     `-> FieldResult<i64>`",
                ));
            }
        };
        let conditions = function.attrs.iter();
        Ok(Method {
            signature,
            conditions: conditions.filter(|it| it.path().is_ident("cfg")).collect(),
            name,
            on: said.on,
            subject,
            parameters,
            output,
        })
    }

    /// The field's name in GraphQL.
    pub(crate) fn name(&self) -> &LitStr {
        &self.name
    }

    /// The statement that adds the field to `fields`.
    pub(crate) fn field(&self, owner: &Owner<'_>) -> TokenStream {
        let own = owner.ty;
        let answer = self.answer(owner);
        let (name, conditions, output) = (&self.name, &self.conditions, &self.output);
        let value_type = match self.subject {
            Subject::Batch => quote_spanned! { output.span()=>
                <#output as ::blazelink::table::BatchReturn<#own>>::value_type()
            },
            _ => quote_spanned! { output.span()=>
                <#output as ::blazelink::table::FieldReturn>::value_type()
            },
        };
        let rows = match (&self.subject, owner.of) {
            (Subject::Own, Some(_)) => quote!(let field = field.of_row::<#own>();),
            (Subject::Batch, _) => quote!(let field = field.of_rows::<#own>();),
            _ => TokenStream::new(),
        };
        let arguments = self
            .parameters
            .iter()
            .filter_map(|parameter| match parameter {
                Parameter::Argument {
                    name,
                    ty,
                    default: None,
                } => Some(quote_spanned! { ty.span()=>
                    let field = field.argument::<#ty>(#name);
                }),
                Parameter::Argument {
                    name,
                    ty,
                    default: Some(default),
                } => {
                    let default = default_value(default);
                    Some(quote_spanned! { ty.span()=>
                        let default: #ty = #default;
                        let field = field.argument_or::<#ty>(#name, &default);
                    })
                }
                _ => None,
            });
        let on = self
            .on
            .iter()
            .map(|on| quote!(let field = field.depends_on(#on);));
        quote! {
            #(#conditions)*
            {
                #answer
                let field = ::blazelink::table::Field::answering(#name, #value_type, answer);
                #rows
                #(#arguments)*
                #(#on)*
                fields.push(field);
            }
        }
    }

    /// The function that answers the field.
    fn answer(&self, owner: &Owner<'_>) -> TokenStream {
        let own = owner.ty;
        let method = &self.signature.ident;
        let mut names = Vec::new();
        let mut taken = Vec::new();
        for (at, parameter) in self.parameters.iter().enumerate() {
            let local = format_ident!("argument_{at}");
            taken.push(match parameter {
                Parameter::Rows => quote! {
                    let #local = ::blazelink::table::Call::models::<#own>(&call)?;
                },
                Parameter::Given => quote! {
                    let #local = ::blazelink::table::Given::of(&call);
                },
                Parameter::Argument {
                    name,
                    ty,
                    default: None,
                } => quote_spanned! { ty.span()=>
                    let #local = ::blazelink::table::Call::argument::<#ty>(&call, #name)?;
                },
                Parameter::Argument {
                    name,
                    ty,
                    default: Some(default),
                } => {
                    let default = default_value(default);
                    quote_spanned! { ty.span()=>
                        let #local = ::blazelink::table::Call::argument_or::<#ty>(
                            &call,
                            #name,
                            || #default,
                        )?;
                    }
                }
            });
            names.push(local);
        }
        let (subject, receiver) = match (&self.subject, owner.of) {
            (Subject::Own, Some(_)) => (
                quote!(let own = ::blazelink::table::Call::model::<#own>(&call)?;),
                Some(quote!(own,)),
            ),
            (Subject::Own, None) => (
                quote!(let own = ::blazelink::table::Call::instance::<#own>(&call)?;),
                Some(quote!(own,)),
            ),
            _ => (TokenStream::new(), None),
        };
        let path = match owner.of {
            Some(of) => quote!(<#own as #of>::#method),
            None => quote!(<#own>::#method),
        };
        let wait = self.signature.asyncness.map(|_| quote!(.await));
        let output = &self.output;
        let result = match self.subject {
            Subject::Batch => quote_spanned! { output.span()=>
                ::blazelink::table::BatchReturn::<#own>::into_outputs(value, argument_0)
                    .map(::blazelink::table::Answer::Values)
            },
            _ => quote_spanned! { output.span()=>
                ::blazelink::table::FieldReturn::into_answer(value)
            },
        };
        quote! {
            fn answer<'call>(
                call: ::blazelink::table::Call<'call>,
            ) -> ::blazelink::table::Answered<'call> {
                ::std::boxed::Box::pin(async move {
                    #subject
                    #(#taken)*
                    let value = #path(#receiver #(#names),*) #wait;
                    #result
                })
            }
        }
    }

    /// The method as the trait declares it.
    pub(crate) fn declaration(function: &ImplItemFn) -> TokenStream {
        let kept = |attribute: &&Attribute| {
            ["cfg", "doc", "must_use"]
                .iter()
                .any(|name| attribute.path().is_ident(name))
        };
        let attributes = function.attrs.iter().filter(kept);
        let mut signature = function.sig.clone();
        for input in &mut signature.inputs {
            match input {
                FnArg::Receiver(receiver) => receiver.attrs.clear(),
                FnArg::Typed(typed) => {
                    typed.attrs.clear();
                    if let Pat::Ident(pattern) = &mut *typed.pat {
                        pattern.mutability = None;
                    }
                }
            }
        }
        quote!(#(#attributes)* #signature;)
    }
}

impl Parameter {
    fn of(typed: &PatType, own: &Type) -> Result<Parameter> {
        let given = Argument::of(&typed.attrs)?;
        if let Type::Reference(reference) = &*typed.ty {
            if matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str")) {
                return Err(syn::Error::new_spanned(
                    reference,
                    "an argument is taken by value: write `String` for `&str`",
                ));
            }
            if matches!(&*reference.elem, Type::Slice(_)) {
                return Err(syn::Error::new_spanned(
                    reference,
                    "an argument is taken by value: write `Vec<..>` for a list, or `#[batch]` on \
                     the method if these are its rows",
                ));
            }
            return Ok(Parameter::Given);
        }
        if let Type::ImplTrait(of) = &*typed.ty {
            return Err(syn::Error::new_spanned(
                of,
                "the schema names each argument's type: write a type for `impl ..`",
            ));
        }
        let Pat::Ident(pattern) = &*typed.pat else {
            return Err(syn::Error::new_spanned(
                &typed.pat,
                "an argument of a field has a name: write `kind: String`",
            ));
        };
        let plain = LitStr::new(&unraw(&pattern.ident), pattern.ident.span());
        let name = given.name.unwrap_or(plain);
        check_name(&name)?;
        if ["page", "size", "identifier"].contains(&name.value().as_str()) {
            return Err(syn::Error::new(
                name.span(),
                format!(
                    "`{}` is an argument of the framework's own: give this one another name; the \
                     page of a `Select` or `Page` is cut by itself",
                    name.value()
                ),
            ));
        }
        Ok(Parameter::Argument {
            name,
            ty: Box::new(of_owner(&typed.ty, own)?),
            default: given.default.map(Box::new),
        })
    }
}

/// What is said on a method.
#[derive(Default)]
struct Said {
    batch: bool,
    name: Option<LitStr>,
    on: Option<LitStr>,
}

impl Said {
    fn of(attributes: &[Attribute]) -> Result<Said> {
        let mut said = Said::default();
        for attribute in attributes {
            if attribute.path().is_ident("batch") {
                attribute.meta.require_path_only().map_err(|error| {
                    syn::Error::new(error.span(), "a batch has no settings: write `#[batch]`")
                })?;
                said.batch = true;
            } else if attribute.path().is_ident("computed") {
                attribute.parse_nested_meta(|meta| {
                    if meta.path.is_ident("name") {
                        said.name = Some(meta.value()?.parse()?);
                    } else if meta.path.is_ident("on") {
                        said.on = Some(meta.value()?.parse()?);
                    } else {
                        return Err(meta.error(
                            "a field knows `#[computed(name = \"..\")]` and \
                             `#[computed(on = \"game_event(player_id = id)\")]`",
                        ));
                    }
                    Ok(())
                })?;
            } else if attribute.path().is_ident("arg") {
                return Err(syn::Error::new_spanned(
                    attribute,
                    "`#[arg(..)]` stands on a parameter: write \
                     `#[arg(default = 10)] count: i32`",
                ));
            }
        }
        Ok(said)
    }
}

/// What is said on a parameter.
#[derive(Default)]
struct Argument {
    name: Option<LitStr>,
    default: Option<Expr>,
}

impl Argument {
    fn of(attributes: &[Attribute]) -> Result<Argument> {
        let mut said = Argument::default();
        for attribute in attributes.iter().filter(|it| it.path().is_ident("arg")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("default") {
                    if !meta.input.peek(Token![=]) {
                        return Err(
                            meta.error("a default has a value: write `#[arg(default = 10)]`")
                        );
                    }
                    said.default = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("name") {
                    said.name = Some(meta.value()?.parse()?);
                } else {
                    return Err(meta.error(
                        "an argument knows `#[arg(default = 10)]` and `#[arg(name = \"..\")]`",
                    ));
                }
                Ok(())
            })?;
        }
        Ok(said)
    }
}

/// A text stands for the owned `String`; what else a default is, its author says.
fn default_value(default: &Expr) -> TokenStream {
    match default {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => {
            quote_spanned!(text.span()=> ::core::convert::Into::into(#text))
        }
        other => other.to_token_stream(),
    }
}

fn check_signature(signature: &Signature) -> Result<()> {
    if let Some(parameter) = signature.generics.params.first() {
        let what = match parameter {
            GenericParam::Lifetime(_) => {
                "the schema has no lifetimes: let the method return what it owns, such as `String`"
            }
            _ => "the schema names each type: write a type instead of a parameter",
        };
        return Err(syn::Error::new_spanned(parameter, what));
    }
    if let Some(mark) = &signature.unsafety {
        let sentence = "a field is called by the framework, which calls nothing unsafe: remove it";
        return Err(syn::Error::new_spanned(mark, sentence));
    }
    if let ReturnType::Type(_, ty) = &signature.output
        && let Type::ImplTrait(of) = &**ty
    {
        return Err(syn::Error::new_spanned(
            of,
            "the schema names each field's type: write a type for `impl ..`; a method that waits \
             is `async fn`",
        ));
    }
    Ok(())
}

fn rows(first: Option<&FnArg>, signature: &Signature) -> Result<()> {
    if let Some(FnArg::Typed(typed)) = first
        && let Type::Reference(reference) = &*typed.ty
        && let Type::Slice(_) = &*reference.elem
    {
        return Ok(());
    }
    let sentence = "a field with `#[batch]` takes its rows first: write \
                    `users: &[user::Model]` as the first parameter";
    Err(match first {
        Some(first) => syn::Error::new_spanned(first, sentence),
        None => syn::Error::new(signature.ident.span(), sentence),
    })
}

/// The type with the owner's name for `Self`, which is not known outside of the block.
fn of_owner(ty: &Type, own: &Type) -> Result<Type> {
    fn replaced(tokens: TokenStream, own: &Type) -> TokenStream {
        let each = tokens.into_iter().map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => own.to_token_stream(),
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replaced(group.stream(), own));
                inner.set_span(group.span());
                TokenTree::Group(inner).into()
            }
            other => other.into(),
        });
        each.collect()
    }
    syn::parse2(replaced(ty.to_token_stream(), own))
}
