//! Which folders a project is built from: its own, and those of the packages on this disk that its
//! programs need.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use crate::build;
use crate::project::Project;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    manifest_path: PathBuf,
    /// None for packages on this disk.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// None for what the package itself needs, `build`, `dev`.
    kind: Option<String>,
}

/// The folders besides the project's own; none if cargo cannot say.
pub(crate) async fn of(project: &Project) -> Vec<PathBuf> {
    let programs = [Some(&project.app), project.migration.as_ref()];
    let mut roots = Vec::new();
    let mut workspaces: Vec<&PathBuf> = Vec::new();
    for program in programs.into_iter().flatten() {
        if workspaces.contains(&&program.workspace) {
            continue;
        }
        workspaces.push(&program.workspace);
        let mut command = Command::from(build::cargo());
        command
            .args(["metadata", "--format-version=1", "--manifest-path"])
            .arg(&program.manifest)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let Ok(output) = command.output().await else {
            continue;
        };
        let Ok(metadata) = serde_json::from_slice::<Metadata>(&output.stdout) else {
            continue;
        };
        let needed: Vec<PathBuf> = programs
            .into_iter()
            .flatten()
            .map(|program| program.manifest.clone())
            .collect();
        for folder in folders(&metadata, &needed) {
            if !folder.starts_with(&project.folder) && !roots.contains(&folder) {
                roots.push(folder);
            }
        }
    }
    without_nested(roots)
}

/// The folders of the packages on this disk that these need, theirs included.
fn folders(metadata: &Metadata, manifests: &[PathBuf]) -> Vec<PathBuf> {
    let nodes: HashMap<&str, &Node> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let local: HashMap<&str, &Package> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_none())
        .map(|package| (package.id.as_str(), package))
        .collect();
    let mut waiting: Vec<&str> = local
        .values()
        .filter(|package| manifests.contains(&package.manifest_path))
        .map(|package| package.id.as_str())
        .collect();
    let mut needed = HashSet::new();
    while let Some(id) = waiting.pop() {
        // What comes from a registry needs nothing on this disk.
        if !local.contains_key(id) || !needed.insert(id) {
            continue;
        }
        let dependencies = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let built = dependencies.filter(|dependency| {
            let kinds = &dependency.dep_kinds;
            kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"))
        });
        waiting.extend(built.map(|dependency| dependency.pkg.as_str()));
    }
    let mut folders: Vec<PathBuf> = needed
        .into_iter()
        .filter_map(|id| Some(local.get(id)?.manifest_path.parent()?.to_owned()))
        .collect();
    folders.sort();
    folders
}

/// A folder is watched with all that is in it.
fn without_nested(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    folders.sort();
    let mut kept: Vec<PathBuf> = Vec::new();
    for folder in folders {
        if !kept.iter().any(|known| folder.starts_with(known)) {
            kept.push(folder);
        }
    }
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_alone_need_and_what_others_wrote_is_not_watched() {
        let metadata: Metadata = serde_json::from_value(serde_json::json!({
            "packages": [
                {"id": "app", "manifest_path": "/w/app/Cargo.toml", "source": null},
                {"id": "lib", "manifest_path": "/w/lib/Cargo.toml", "source": null},
                {"id": "macros", "manifest_path": "/w/lib/macros/Cargo.toml", "source": null},
                {"id": "testing", "manifest_path": "/w/testing/Cargo.toml", "source": null},
                {"id": "tokio", "manifest_path": "/r/tokio/Cargo.toml", "source": "registry"},
                {"id": "other", "manifest_path": "/w/other/Cargo.toml", "source": null},
            ],
            "resolve": {"nodes": [
                {"id": "app", "deps": [
                    {"pkg": "lib", "dep_kinds": [{"kind": null}]},
                    {"pkg": "tokio", "dep_kinds": [{"kind": null}]},
                    {"pkg": "testing", "dep_kinds": [{"kind": "dev"}]},
                ]},
                {"id": "lib", "deps": [{"pkg": "macros", "dep_kinds": [{"kind": null}]}]},
                {"id": "other", "deps": []},
            ]},
        }))
        .unwrap();
        let found = folders(&metadata, &[PathBuf::from("/w/app/Cargo.toml")]);
        assert_eq!(
            found,
            ["/w/app", "/w/lib", "/w/lib/macros"].map(PathBuf::from)
        );
        assert_eq!(
            without_nested(found),
            ["/w/app", "/w/lib"].map(PathBuf::from)
        );
    }
}
