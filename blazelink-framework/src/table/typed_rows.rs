//! Rows as values of an entity's `Model`, for fields that are methods of it. The entity's type is
//! known to the field and its author only; in between travels [`TypedRows`].

use std::any::Any;
use std::fmt;

use sea_orm::sea_query::{Expr, Iden, PostgresQueryBuilder, Query};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, FromQueryResult, IdenStatic, Iterable, ModelTrait,
    QueryResult, RuntimeErr, sqlx,
};

/// How the rows of one entity are read as its `Model`.
#[derive(Clone, Copy)]
pub(crate) struct Codec {
    /// The columns as SQL reads them from a table `t`, each with the name that decoding looks for.
    pub(crate) projection: fn() -> String,
    /// Decodes rows.
    pub(crate) decode: fn(&[QueryResult]) -> Decoded,
}

/// Rows as they were decoded.
pub(crate) struct Decoded {
    /// A `Vec` of the `Model`.
    models: Box<dyn Any + Send + Sync>,
    /// For each row its position among the models, or why it is none.
    of: Vec<Result<usize, String>>,
}

/// The rows of a batch as values of the entity's `Model`.
pub(crate) struct TypedRows {
    models: Box<dyn Any + Send + Sync>,
    /// By row of the batch.
    of: Vec<Result<usize, String>>,
}

/// The row was read for the answer, and is gone.
pub(crate) const GONE: &str = "The row was deleted while it was read";

impl Codec {
    pub(crate) fn of<M>() -> Codec
    where
        M: ModelTrait + FromQueryResult + Send + Sync + 'static,
    {
        Codec {
            projection: projection::<M::Entity>,
            decode: decode::<M>,
        }
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codec")
    }
}

fn projection<E: EntityTrait>() -> String {
    let columns = E::Column::iter().map(|column| {
        let own = Expr::col(("t", Iden::unquoted(&column).to_owned()));
        let expression = column.select_as(own);
        let alias = column.as_str();
        let mut select = Query::select();
        select.expr_as(expression, alias);
        let sql = select.to_string(PostgresQueryBuilder);
        sql.strip_prefix("SELECT ").unwrap_or(&sql).to_owned()
    });
    columns.collect::<Vec<_>>().join(", ")
}

fn decode<M>(rows: &[QueryResult]) -> Decoded
where
    M: ModelTrait + FromQueryResult + Send + Sync + 'static,
{
    let mut models: Vec<M> = Vec::with_capacity(rows.len());
    let of = rows.iter().map(|row| match M::from_query_result(row, "") {
        Ok(model) => {
            models.push(model);
            Ok(models.len() - 1)
        }
        Err(error) => Err(misfit::<M::Entity>(&error)),
    });
    Decoded {
        of: of.collect(),
        models: Box::new(models),
    }
}

/// The column's name only: the error may quote the value.
fn misfit<E: EntityTrait>(error: &DbErr) -> String {
    let column = match error {
        DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error)) => {
            match &**error {
                sqlx::Error::ColumnDecode { index, .. } => Some(index.trim_matches('"').to_owned()),
                _ => None,
            }
        }
        error => {
            let text = error.to_string();
            let quoted = |name: &str| text.ends_with(name);
            let mut names = E::Column::iter().map(|column| column.as_str());
            names.find(|name| quoted(name)).map(str::to_owned)
        }
    };
    match column {
        Some(column) => format!("The column `{column}` holds what its Rust type cannot"),
        None => "A column holds what its Rust type cannot".to_owned(),
    }
}

impl TypedRows {
    /// The decoded rows, given for each row of a batch which of them it is; nothing if it is none.
    pub(crate) fn new(decoded: Decoded, rows: impl Iterator<Item = Option<usize>>) -> TypedRows {
        let of = rows.map(|row| match row.and_then(|row| decoded.of.get(row)) {
            Some(Ok(at)) => Ok(*at),
            Some(Err(misfit)) => Err(misfit.clone()),
            None => Err(GONE.to_owned()),
        });
        TypedRows {
            of: of.collect(),
            models: decoded.models,
        }
    }

    /// All models, each once.
    pub(crate) fn all<M: 'static>(&self) -> Option<&[M]> {
        self.models.downcast_ref::<Vec<M>>().map(Vec::as_slice)
    }

    /// Position of a row's model among all, or why there is none.
    pub(crate) fn position(&self, row: usize) -> Result<usize, &str> {
        match self.of.get(row) {
            Some(Ok(at)) => Ok(*at),
            Some(Err(misfit)) => Err(misfit),
            None => Err(GONE),
        }
    }
}

impl fmt::Debug for TypedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedRows({})", self.of.len())
    }
}
