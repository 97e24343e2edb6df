//! The app's own pages: minijinja templates from the project's `templates` folder.
//!
//! `routes` serves one [`PageEndpoint`] per page. Templates are read from disk and read again
//! when they change, so an edit shows without compiling; outside of development those inside of the
//! program go before the disk. Undefined variables are errors.

use std::path::Path;
use std::sync::Arc;

use blazelink_codes::Code;
use minijinja::{UndefinedBehavior, path_loader};
use poem::http::StatusCode;
use poem::{Endpoint, Request, Response};

use crate::config::{Config, Environment};
use crate::dev;
use crate::embedded::Embedded;
use crate::error::{Error, ErrorKind, Result};

/// Folder of a project that holds its templates.
pub(crate) const FOLDER: &str = "templates";

/// The templates of one project.
#[derive(Clone)]
pub(crate) struct Pages {
    templates: Arc<minijinja::Environment<'static>>,
    environment: Environment,
    /// Whether pages hold the script of `blazelink dev`.
    scripted: bool,
    /// Whether they hold its badge, which leads to the debugger.
    badged: bool,
}

impl Pages {
    /// The templates of the app with these settings.
    pub(crate) fn of(config: &Config, embedded: Embedded) -> Pages {
        let mut templates = minijinja::Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        if config.environment == Environment::Production && embedded.has_folder(Path::new(FOLDER)) {
            templates.set_loader(move |name| from_program(embedded, name));
        } else {
            templates.set_loader(path_loader(config.folder.join(FOLDER)));
        }
        Pages {
            templates: Arc::new(templates),
            environment: config.environment,
            scripted: config.dev.is_some(),
            badged: config.dev.is_some() && config.debugger.at.is_some(),
        }
    }

    /// Serves this template.
    ///
    /// # Errors
    ///
    /// If the template does not exist or does not parse.
    pub(crate) fn page(&self, template: &str) -> Result<PageEndpoint> {
        self.templates.get_template(template).map_err(|error| {
            let sentence = format!("Page `{FOLDER}/{template}` cannot be used");
            Error::new(ErrorKind::Setup, Code::Template, sentence)
                .with_source(error)
                .with_hint(
                    "start the app in the project's folder, the one with Blazelink.toml, or name the \
                     folder in embed!",
                )
        })?;
        Ok(PageEndpoint {
            pages: self.clone(),
            template: template.to_owned(),
        })
    }

    fn render(&self, template: &str) -> std::result::Result<String, minijinja::Error> {
        self.templates.get_template(template)?.render(())
    }

    fn html(&self, status: StatusCode, html: String) -> Response {
        let html = if self.scripted {
            dev::with_script(html)
        } else {
            html
        };
        let html = if self.badged {
            dev::with_badge(html)
        } else {
            html
        };
        Response::builder()
            .status(status)
            .content_type("text/html; charset=utf-8")
            .body(html)
    }

    /// A page in place of one that cannot be rendered, which loads again when that is mended.
    fn broken(&self, text: &str) -> Response {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>Broken page</title></head>\
             <body><pre>{text}</pre></body></html>"
        );
        self.html(StatusCode::INTERNAL_SERVER_ERROR, html)
    }
}

/// The template of this name inside of the program.
fn from_program(
    embedded: Embedded,
    name: &str,
) -> std::result::Result<Option<String>, minijinja::Error> {
    let Some(bytes) = embedded.file(&format!("{FOLDER}/{name}")) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let kind = minijinja::ErrorKind::InvalidOperation;
        minijinja::Error::new(kind, "the template is no UTF-8").with_source(error)
    })?;
    Ok(Some(text.to_owned()))
}

/// Answers a request with one rendered template.
pub(crate) struct PageEndpoint {
    pages: Pages,
    template: String,
}

impl Endpoint for PageEndpoint {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        match self.pages.render(&self.template) {
            Ok(html) => Ok(self.pages.html(StatusCode::OK, html)),
            Err(error) => {
                tracing::error!(template = self.template, %error, "page not rendered");
                let text = match self.pages.environment {
                    Environment::Development => {
                        let text = format!("{FOLDER}/{}: {error}", self.template);
                        if self.pages.scripted {
                            return Ok(self.pages.broken(&text));
                        }
                        text
                    }
                    Environment::Production => "This page is broken; its log says why".to_owned(),
                };
                Ok(Response::builder()
                    .status(StatusCode::INTERNAL_SERVER_ERROR)
                    .content_type("text/plain; charset=utf-8")
                    .body(text))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dev::DevChannel;

    /// A project with one template, and its settings.
    fn project(text: &str) -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(FOLDER)).unwrap();
        std::fs::write(folder.path().join(FOLDER).join("a.html"), text).unwrap();
        let mut config = Config::new("test", "postgres://nowhere");
        config.folder = folder.path().to_owned();
        (folder, config)
    }

    async fn get(endpoint: PageEndpoint) -> (StatusCode, String) {
        let answer = endpoint.get_response(Request::default()).await;
        let status = answer.status();
        (status, answer.into_body().into_string().await.unwrap())
    }

    #[tokio::test]
    async fn an_edit_shows_without_a_restart() {
        let (folder, config) = project("one");
        let pages = Pages::of(&config, Embedded::none());
        let first = get(pages.page("a.html").unwrap()).await;
        assert_eq!(first, (StatusCode::OK, "one".to_owned()));
        std::fs::write(folder.path().join(FOLDER).join("a.html"), "two").unwrap();
        assert_eq!(get(pages.page("a.html").unwrap()).await.1, "two");
    }

    #[tokio::test]
    async fn a_page_holds_the_script_where_dev_runs_the_app_even_when_it_is_broken() {
        let (folder, mut config) = project("<body>whole</body>");
        config.environment = Environment::Development;
        let plain = get(Pages::of(&config, Embedded::none()).page("a.html").unwrap())
            .await
            .1;
        assert_eq!(plain, "<body>whole</body>");
        config.dev = Some(DevChannel::default());
        let pages = Pages::of(&config, Embedded::none());
        let page = pages.page("a.html").unwrap();
        let scripted = get(page).await.1;
        assert!(scripted.contains(dev::SCRIPT), "{scripted}");
        let page = pages.page("a.html").unwrap();
        std::fs::write(folder.path().join(FOLDER).join("a.html"), "{{ <b> }}").unwrap();
        let (status, broken) = get(page).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(
            broken.contains(dev::SCRIPT) && broken.contains("templates/a.html"),
            "{broken}"
        );
    }

    #[tokio::test]
    async fn templates_inside_of_the_program_need_no_disk() {
        let embedded = Embedded::of(&[
            ("templates/a.html", b"{% include 'part.html' %}!"),
            ("templates/part.html", b"one"),
        ]);
        let mut config = Config::new("test", "postgres://nowhere");
        config.folder = "/nowhere".into();
        let pages = Pages::of(&config, embedded);
        let answer = get(pages.page("a.html").unwrap()).await;
        assert_eq!(answer, (StatusCode::OK, "one!".to_owned()));
        assert!(pages.page("b.html").is_err());
        let (_folder, mut config) = project("from disk");
        config.environment = Environment::Development;
        let pages = Pages::of(&config, embedded);
        assert_eq!(get(pages.page("a.html").unwrap()).await.1, "from disk");
    }
}
