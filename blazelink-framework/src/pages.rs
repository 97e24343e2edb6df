//! The app's own pages: minijinja templates from the project's `templates` folder.
//!
//! `routes` serves one [`PageEndpoint`] per page. Templates are read from disk and read again
//! when they change, so an edit shows without compiling. Undefined variables are errors.

use std::path::Path;
use std::sync::Arc;

use blazelink_codes::Code;
use minijinja::{UndefinedBehavior, path_loader};
use poem::http::StatusCode;
use poem::{Endpoint, Request, Response};

use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result};

/// Folder of a project that holds its templates.
pub(crate) const FOLDER: &str = "templates";

/// The templates of one project.
#[derive(Clone)]
pub(crate) struct Pages {
    templates: Arc<minijinja::Environment<'static>>,
    environment: Environment,
}

impl Pages {
    /// The templates below `project`.
    pub(crate) fn of(project: &Path, environment: Environment) -> Pages {
        let mut templates = minijinja::Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        templates.set_loader(path_loader(project.join(FOLDER)));
        Pages {
            templates: Arc::new(templates),
            environment,
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
                .with_hint("start the app in the project's folder, the one with Blazelink.toml")
        })?;
        Ok(PageEndpoint {
            pages: self.clone(),
            template: template.to_owned(),
        })
    }
}

/// Answers a request with one rendered template.
pub(crate) struct PageEndpoint {
    pages: Pages,
    template: String,
}

impl Endpoint for PageEndpoint {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        let page = self.pages.templates.get_template(&self.template);
        match page.and_then(|page| page.render(())) {
            Ok(html) => Ok(Response::builder()
                .content_type("text/html; charset=utf-8")
                .body(html)),
            Err(error) => {
                tracing::error!(template = self.template, %error, "page not rendered");
                let text = match self.pages.environment {
                    Environment::Development => format!("{FOLDER}/{}: {error}", self.template),
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
