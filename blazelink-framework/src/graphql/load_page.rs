//! Reads pages and lists: what their arguments ask for, what is watched for it, and the statements.
//! The part of `load` that is about many rows of a table.
//!
//! What is watched beside what `load` says:
//! - a page of a table that is narrowed to rows with some values of columns: the rows with these
//!   values, before or after a change; they are all that can enter, leave or move in it. Any other
//!   page of a table: the table;
//! - a narrowed or ordered page over a junction: the same of the target's rows, since each of them
//!   may enter the page by its columns;
//! - a page over a junction whose target has rows that the viewer does not see: the target, since
//!   each of them may come into sight;
//! - a chain of relations: the first table's rows as for other relations, and of the others all.

use async_graphql_value::ConstValue;
use blazelink_codes::limits;

use super::load::{Loader, Read};
use super::loaded::{Loaded, LoadedMany, LoadedPage, LoadedRoot};
use super::parents::{Parents, position};
use super::plan::{ManyField, PageArguments, PageRoot, PageSelection};
use super::window::{Window, window};
use super::{cursor, order_argument, where_argument};
use crate::data::{
    Batch, Children, Filter, Hop, Keys, Lookup, Onward, PageQuery, RowStatement, Way,
};
use crate::error::Result;
use crate::object_id::{ObjectId, TableId};
use crate::subscription::{Dependency, Role};
use crate::table::{Relation, Shape, TableDef, TableManager, narrowed_to};

/// What a page is asked for.
struct Asked<'a> {
    window: Option<Window>,
    /// Whether one row more is read, to know whether there is one.
    peeks: bool,
    /// Nothing if the plan's statements say it all.
    query: Option<PageQuery<'a>>,
}

impl<'a> Asked<'a> {
    fn filter(&self) -> Option<&Filter> {
        self.query.as_ref()?.filter.as_ref()
    }

    /// The cursor of the last of these rows.
    fn cursor<'t>(&self, place: impl Iterator<Item = Option<&'t str>>) -> Option<String> {
        let query = self.query.as_ref()?;
        Some(cursor::write(&query.order, place))
    }
}

/// A list is read whole or not at all.
pub(super) fn too_long() -> String {
    format!(
        "The list has more than {} rows: ask for fewer with `where`",
        limits::LIST_ROWS
    )
}

impl<'a> Loader<'a> {
    pub(super) async fn page(&mut self, root: &PageRoot) -> LoadedRoot {
        let way = Way {
            item: self.manager.table(root.table),
            lookup: None,
            hops: &[],
            onward: None,
        };
        let asked = match self.asked(&root.arguments, way, &root.selection) {
            Ok(asked) => asked,
            Err(message) => return LoadedRoot::Failed(message),
        };
        let selection = self.fingerprint(&root.fingerprint);
        let (table, object) = (self.manager.table(root.table), ObjectId::table(root.table));
        if let Err(message) = self.ask(table, &object, selection).await {
            return LoadedRoot::Failed(message);
        }
        let mut read = Read::begin(self, self.watch, object, selection);
        let page = read.page(root, &asked).await;
        match read.end(page) {
            Err(message) => LoadedRoot::Failed(message),
            Ok(page) if root.selection.list && page.more => LoadedRoot::Failed(too_long()),
            Ok(page) => LoadedRoot::Page(page),
        }
    }

    /// What a page's arguments ask for.
    fn asked<'w>(
        &self,
        arguments: &PageArguments,
        way: Way<'w>,
        selection: &PageSelection,
    ) -> Result<Asked<'w>, String> {
        let window = match selection.list {
            true => Some(Window {
                limit: limits::LIST_ROWS,
                offset: 0,
            }),
            false => window(arguments, self.variables, self.limits.page_size)?,
        };
        let target = way.target();
        let filter = match self.variables.resolve(arguments.filter.as_ref()) {
            Some(value) => where_argument::read(target, &value)?,
            None => None,
        };
        let terms = match self.variables.resolve(arguments.order.as_ref()) {
            Some(value) => order_argument::read(target, &value)?,
            None => Vec::new(),
        };
        if let Some(sight) = self.data.sight(target) {
            let mut columns: Vec<usize> = terms.iter().map(|term| term.column).collect();
            if let Some(filter) = &filter {
                filter.visit(&mut |column, _| columns.push(column));
            }
            if let Some(&hidden) = columns.iter().find(|&&column| sight.hides(column)) {
                let name = &target.columns[hidden].name;
                return Err(format!(
                    "`{name}` is hidden from whoever asks: it can neither narrow nor order a page"
                ));
            }
        }
        let after = match self.variables.resolve(arguments.after.as_ref()) {
            None | Some(ConstValue::Null) => None,
            Some(ConstValue::String(cursor)) => Some(cursor),
            Some(_) => return Err("The argument `after` must be a cursor".to_owned()),
        };
        if after.is_some() && self.variables.resolve(arguments.page.as_ref()).is_some() {
            return Err(
                "`page` and `after` exclude each other: count pages, or continue behind one"
                    .to_owned(),
            );
        }
        let with_place = selection.has_next();
        let plain = filter.is_none() && terms.is_empty() && after.is_none() && !with_place;
        let query = if plain && way.hops.is_empty() {
            None
        } else {
            let order = way.order(&terms);
            let after = after.map(|cursor| cursor::read(&order, &cursor));
            Some(PageQuery {
                joins_target: filter.is_some() || !terms.is_empty() || self.data.narrows(target),
                after: after.transpose()?,
                way,
                filter,
                order,
                with_place,
            })
        };
        Ok(Asked {
            window,
            peeks: selection.list || with_place,
            query,
        })
    }
}

impl<'a> Read<'_, 'a> {
    async fn page(&mut self, root: &PageRoot, asked: &Asked<'_>) -> Result<LoadedPage> {
        self.watch_filtered(Role::Declared, root.table, asked.filter())?;
        let data = self.loader.data;
        let mut page = LoadedPage::default();
        if let (Some(statement), Some(Window { limit, offset })) = (&root.items, asked.window) {
            self.allow(1, limit)?;
            let wanted = limit + i64::from(asked.peeks);
            let mut batch = match &asked.query {
                None => data.page(statement, wanted, offset).await?,
                Some(query) => {
                    let bound = query.rows(statement, None, wanted, offset);
                    data.page_rows(bound).await?
                }
            };
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            page.more = batch.len() > limit;
            batch.truncate(limit);
            if page.more && root.selection.has_next() {
                let last = batch.len().saturating_sub(1);
                page.next = asked.cursor(batch.last_texts(last, statement.width()));
            }
            page.items.selections = self
                .selections(&batch, statement, root.selection.rows())
                .await?;
            page.items.batch = batch;
        }
        page.count = match (&root.count, &asked.query) {
            (None, _) => None,
            (Some(_), Some(query)) if query.filter.is_some() => {
                Some(data.page_count(query.count(None)).await?)
            }
            (Some(statement), _) => Some(data.count(statement).await?),
        };
        Ok(page)
    }

    /// Watches the rows of a table that a filter may let through.
    fn watch_filtered(&self, role: Role, table: TableId, filter: Option<&Filter>) -> Result<()> {
        let definition = self.loader.manager.table(table);
        let pinned = filter.map(|filter| where_argument::pinned(definition, filter));
        let pinned = pinned.unwrap_or_default();
        let rows = narrowed_to(definition, pinned, limits::PINNED_VALUES);
        rows.into_iter()
            .try_for_each(|rows| self.reading.depend(role, rows))
    }

    /// A to-many relation.
    pub(super) async fn many(
        &mut self,
        table: &TableDef,
        parents: &Batch,
        read: &RowStatement,
        field: &ManyField,
    ) -> Result<Loaded> {
        let manager = self.loader.manager;
        let hops = hops(manager, &table.relations[field.relation]);
        let target = manager.table(field.target);
        let way = way(manager, table, field, &hops);
        let asked = match self.loader.asked(&field.arguments, way, &field.selection) {
            Ok(asked) => asked,
            Err(message) => return Ok(Loaded::Failed(message)),
        };
        let parents = Parents::all(parents, read, &field.from);
        let mut many = LoadedMany::default();
        if parents.keys.is_empty() {
            many.numbers = parents.numbers;
            return Ok(Loaded::Many(Box::new(many)));
        }
        self.watch_keys(table, &parents, (&field.from, field.holder, &field.to))?;
        self.watch_chain(&hops, field.target)?;
        let joins = asked.query.as_ref().is_some_and(|query| query.joins_target);
        let by_target = field.junction.is_some() && (joins || self.loader.data.narrows(target));
        if by_target {
            self.watch_filtered(Role::Derived, field.target, asked.filter())?;
        }
        if let Some(statement) = &field.count {
            let data = self.loader.data;
            let keys = parents.keys.clone();
            let narrowed = asked
                .query
                .as_ref()
                .filter(|query| query.filter.is_some() || !query.way.hops.is_empty());
            let counts = match narrowed {
                None => data.counts(statement, keys).await,
                Some(query) => {
                    let parents = keys.len();
                    data.children_counts(query.count(Some(keys)), parents).await
                }
            };
            match counts {
                Ok(counts) => many.counts = counts,
                Err(error) => return Ok(self.fail(&error)),
            }
        }
        if let (Some(statement), Some(window)) = (&field.items, asked.window) {
            if let Err(error) = self.allow(parents.keys.len(), window.limit) {
                return Ok(Loaded::Failed(error.sentence().to_owned()));
            }
            let items = self.children(statement, &asked, window, parents.keys).await;
            let mut items = match items {
                Ok(items) => items,
                Err(error) => return Ok(self.fail(&error)),
            };
            let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
            many.more = if asked.peeks {
                items.cut(limit)
            } else {
                Vec::new()
            };
            if field.selection.has_next() {
                let places = many.more.iter().map(|&parent| {
                    let last = items.rows(parent).last()?;
                    asked.cursor(items.batch.last_texts(last, statement.width()))
                });
                many.next = places.collect();
            }
            if let Some(failed) = self
                .items(field, statement, items, &mut many, by_target)
                .await?
            {
                return Ok(failed);
            }
        }
        many.numbers = parents.numbers;
        Ok(Loaded::Many(Box::new(many)))
    }

    async fn children(
        &self,
        statement: &RowStatement,
        asked: &Asked<'_>,
        Window { limit, offset }: Window,
        keys: Keys,
    ) -> Result<Children> {
        let data = self.loader.data;
        let limit = limit + i64::from(asked.peeks);
        match &asked.query {
            None => data.children(statement, keys, limit, offset).await,
            Some(query) => {
                let bound = query.rows(statement, Some(keys), limit, offset);
                data.children_rows(bound).await
            }
        }
    }

    /// Takes in the items of all parents, and loads further. Gives what the field is if that
    /// fails. `watched` says that changes of the target's rows are watched already.
    async fn items(
        &mut self,
        field: &ManyField,
        statement: &RowStatement,
        items: Children,
        many: &mut LoadedMany,
        watched: bool,
    ) -> Result<Option<Loaded>> {
        let Children { batch, of } = items;
        many.items.of = of;
        let Some(junction) = &field.junction else {
            many.rows.selections = self
                .selections(&batch, statement, field.selection.rows())
                .await?;
            many.rows.batch = batch;
            return Ok(None);
        };
        let mut of = Vec::new();
        if let Some(onward) = &junction.statement {
            let holder = self.loader.manager.table(field.holder);
            let target = self.loader.manager.table(field.target);
            let ends = Parents::distinct(&batch, statement, &junction.far);
            let numbers = ends.numbers.clone();
            if !ends.keys.is_empty() {
                if !watched {
                    self.watch_keys(holder, &ends, (&junction.far, field.target, &target.key))?;
                }
                let rows = match self.loader.data.lookup(onward, ends.keys).await {
                    Ok(rows) => rows,
                    Err(error) => return Ok(Some(self.fail(&error))),
                };
                let first = |number: u32| rows.rows(number).next().map(position);
                of = numbers.iter().map(|number| first((*number)?)).collect();
                many.rows.selections = self
                    .selections(&rows.batch, onward, field.selection.rows())
                    .await?;
                many.rows.batch = rows.batch;
            }
        }
        many.junction = Some((batch, of));
        Ok(None)
    }

    /// The rows that a chain of relations leads to, at most one for each key.
    pub(super) async fn chained(
        &self,
        table: &TableDef,
        relation: &Relation,
        statement: &RowStatement,
        keys: Keys,
    ) -> Result<Children> {
        let manager = self.loader.manager;
        let hops = hops(manager, relation);
        self.watch_chain(&hops, relation.target)?;
        let Shape::Linked { from, near, .. } = &relation.shape else {
            return self.loader.data.lookup(statement, keys).await;
        };
        let lookup = Lookup {
            columns: near,
            source: table,
            from,
        };
        let query = PageQuery {
            way: Way {
                item: manager.table(relation.target),
                lookup: Some(lookup),
                hops: &hops,
                onward: None,
            },
            filter: None,
            order: Vec::new(),
            after: None,
            with_place: false,
            joins_target: false,
        };
        let bound = query.lookup(statement, keys);
        self.loader.data.children_rows(bound).await
    }

    /// Watches the tables behind a chain's first one.
    fn watch_chain(&self, hops: &[Hop<'_>], target: TableId) -> Result<()> {
        if hops.is_empty() {
            return Ok(());
        }
        let tables = hops.iter().skip(1).map(|hop| hop.table.id).chain([target]);
        for table in tables {
            let whole = Dependency::Table(table);
            self.reading.depend(Role::Derived, whole)?;
        }
        Ok(())
    }
}

/// The tables between, of a chain.
fn hops<'m>(manager: &'m TableManager, relation: &'m Relation) -> Vec<Hop<'m>> {
    let Shape::Linked { hops, .. } = &relation.shape else {
        return Vec::new();
    };
    let hops = hops.iter().map(|hop| Hop {
        table: manager.table(hop.table),
        from: &hop.from,
        to: &hop.to,
    });
    hops.collect()
}

fn way<'w>(
    manager: &'w TableManager,
    table: &'w TableDef,
    field: &'w ManyField,
    hops: &'w [Hop<'w>],
) -> Way<'w> {
    let target = manager.table(field.target);
    let onward = field.junction.as_ref().map(|junction| Onward {
        target,
        far: &junction.far,
    });
    Way {
        item: match onward {
            Some(_) => manager.table(field.holder),
            None => target,
        },
        lookup: Some(Lookup {
            columns: &field.to,
            source: table,
            from: &field.from,
        }),
        hops,
        onward,
    }
}
