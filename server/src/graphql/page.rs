//! Pages of lists, after the Relay cursor connections
//! <https://relay.dev/graphql/connections.htm>.

use async_graphql::connection::PageInfo;
use async_graphql::{Result, SimpleObject};
use chancery_registry::{self as registry, Page, PageOf};

use super::error::{ErrorCode, Fault, OrFault as _};
use super::limits::{PAGE_DEFAULT, PAGE_MAX};
use super::object::{Model, Record};
use super::scalar::Count;

/// Models, a page at a time.
#[derive(SimpleObject)]
pub struct ModelConnection {
    /// The models of this page.
    edges: Vec<ModelEdge>,
    /// Whether more follow.
    page_info: PageInfo,
    /// How many there are in all.
    total_count: Count,
}

/// A model on a page.
#[derive(SimpleObject)]
pub struct ModelEdge {
    /// Continues after this model.
    cursor: String,
    /// The model.
    node: Model,
}

/// Records, a page at a time.
#[derive(SimpleObject)]
pub struct RecordConnection {
    /// The records of this page.
    edges: Vec<RecordEdge>,
    /// Whether more follow.
    page_info: PageInfo,
    /// How many there are in all.
    total_count: Count,
}

/// A record on a page.
#[derive(SimpleObject)]
pub struct RecordEdge {
    /// Continues after this record.
    cursor: String,
    /// The record.
    node: Record,
}

/// Reads the arguments of a page.
///
/// # Errors
/// When `first` is not 1 to 100.
pub fn page(first: Option<i32>, after: Option<String>) -> Result<Page> {
    Ok(Page { first: count(first)?, after })
}

/// Reads `first`.
///
/// # Errors
/// When it is not 1 to 100.
pub fn count(first: Option<i32>) -> Result<u32> {
    let first = first.unwrap_or(PAGE_DEFAULT);
    let count = u32::try_from(first).ok().filter(|_| (1..=PAGE_MAX).contains(&first));
    count.ok_or_else(|| Fault::new(ErrorCode::BadInput, format!("first is {first}, not 1 to {PAGE_MAX}")).into())
}

/// The page that the archive answers. All that it may find wrong in what was asked is the cursor.
///
/// # Errors
/// When the cursor continues no such list, or the archive fails.
pub fn answered<T>(answer: registry::Result<PageOf<T>>) -> Result<PageOf<T>> {
    match answer {
        Err(registry::Error::Invalid(problem)) => {
            Err(Fault::new(ErrorCode::BadInput, format!("after: {problem}")).into())
        }
        answer => answer.or_fault(),
    }
}

/// What a page costs: the items it may have, times the cost of one.
pub fn cost(first: Option<i32>, item: usize) -> usize {
    let items = first.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    1 + usize::try_from(items).unwrap_or(1) * item
}

impl ModelConnection {
    /// The page as it is answered.
    pub fn new(page: PageOf<registry::ModelSummary>, after: bool) -> Self {
        let page_info = info(&page, after);
        let edges = page.items.into_iter().map(|(cursor, model)| ModelEdge { cursor, node: Model(model) });
        Self { edges: edges.collect(), page_info, total_count: Count(page.total) }
    }
}

impl RecordConnection {
    /// The page as it is answered.
    pub fn new(page: PageOf<registry::RecordSummary>, after: bool) -> Self {
        let page_info = info(&page, after);
        let edges = page.items.into_iter().map(|(cursor, record)| RecordEdge { cursor, node: Record(record) });
        Self { edges: edges.collect(), page_info, total_count: Count(page.total) }
    }
}

fn info<T>(page: &PageOf<T>, after: bool) -> PageInfo {
    PageInfo {
        has_previous_page: after,
        has_next_page: page.has_next,
        start_cursor: page.items.first().map(|(cursor, _)| cursor.clone()),
        end_cursor: page.items.last().map(|(cursor, _)| cursor.clone()),
    }
}
