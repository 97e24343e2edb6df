//! `embed!`: the files of a project's folders, inside a program that is built for release.
//!
//! The folders are read when the app is compiled; what is written names each file by
//! `include_bytes!`, so cargo compiles anew when one of them changes or goes.

use std::fs;
use std::path::{Component, Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{LitStr, Token};

/// The folders that are named.
pub(crate) struct Folders(Punctuated<LitStr, Token![,]>);

impl Parse for Folders {
    fn parse(input: ParseStream<'_>) -> syn::Result<Folders> {
        if input.is_empty() {
            let sentence = "name the folders to embed: embed!(\"templates\", \"static\")";
            return Err(input.error(sentence));
        }
        Punctuated::parse_terminated(input).map(Folders)
    }
}

/// What stands in the place of the macro, for a package in `project`.
pub(crate) fn expand(folders: &Folders, project: &Path) -> syn::Result<TokenStream> {
    let mut paths = Vec::new();
    for folder in &folders.0 {
        collect(folder, project, &mut paths)?;
    }
    // The program looks them up by halving.
    paths.sort_unstable();
    paths.dedup();
    let files = paths.iter().map(|path| {
        let from = format!("/{path}");
        quote! {
            (#path, ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #from)))
        }
    });
    Ok(quote! {{
        #[cfg(debug_assertions)]
        let embedded = ::blazelink::Embedded::none();
        #[cfg(not(debug_assertions))]
        let embedded = {
            static FILES: &[(&str, &[u8])] = &[#(#files),*];
            ::blazelink::Embedded::of(FILES)
        };
        embedded
    }})
}

/// The files below a folder, from the project's folder on, with slashes.
fn collect(folder: &LitStr, project: &Path, paths: &mut Vec<String>) -> syn::Result<()> {
    let refused = |sentence: String| Err(syn::Error::new(folder.span(), sentence));
    let named = PathBuf::from(folder.value());
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if named.as_os_str().is_empty() || !named.components().all(plain) {
        return refused(
            "name a folder inside of the project, such as \"static\": no `..`, no `/` in front"
                .to_owned(),
        );
    }
    let mut open = vec![named];
    while let Some(inner) = open.pop() {
        let entries = match fs::read_dir(project.join(&inner)) {
            Ok(entries) => entries,
            Err(error) => {
                return refused(format!(
                    "folder `{}` cannot be read ({error}): it belongs beside Cargo.toml",
                    inner.display()
                ));
            }
        };
        for entry in entries.flatten() {
            let path = inner.join(entry.file_name());
            if project.join(&path).is_dir() {
                open.push(path);
                continue;
            }
            let parts = path.iter().map(|part| part.to_str());
            match parts.collect::<Option<Vec<_>>>() {
                Some(parts) => paths.push(parts.join("/")),
                None => {
                    return refused(format!(
                        "a file's name is no UTF-8: rename `{}`",
                        path.display()
                    ));
                }
            }
        }
    }
    Ok(())
}
