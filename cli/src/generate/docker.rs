//! `blazelink generate docker`: what a server runs the app with. Pure.

use blazelink_codes::Result;
use blazelink_templates::generated;
use serde_json::json;

use super::Generated;
use super::changes::Changes;
use super::words;

/// Plans it.
pub(super) fn plan(changes: &mut Changes<'_>) -> Result<Generated> {
    let package = changes.sources.package.clone();
    let values = json!({
        "package": package,
        "title": words::title(&package.replace('-', "_")),
        "rust_version": env!("CARGO_PKG_RUST_VERSION"),
    });
    let service = format!("deploy/{package}.service");
    for (template, path) in [
        ("Dockerfile.j2", "Dockerfile"),
        ("dockerignore.j2", ".dockerignore"),
        ("systemd.service.j2", service.as_str()),
    ] {
        changes.create(path.to_owned(), generated::render(template, &values)?);
    }
    let mut generated =
        Generated::new(["Dockerfile".to_owned(), service, ".env.example".to_owned()]);
    let manifest = changes.sources.text("Cargo.toml").unwrap_or_default();
    let manifest: toml::Table = manifest.parse().unwrap_or_default();
    let framework = || {
        let dependencies = manifest.get("workspace")?.get("dependencies")?;
        dependencies.get("blazelink")?.get("path")?.as_str()
    };
    if let Some(path) = framework() {
        let what = format!(
            "the app is built on the checkout in {path}, which an image does not have: \
             depend on a release or a git repository first"
        );
        generated.notes.push(("docker", what));
    }
    Ok(generated)
}
