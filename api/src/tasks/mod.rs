//! The task routes. Each file has one route, or those that share a statement: input, SQL and handler.
//!
//! The component writes the JSON, which costs less than to have the server write it. A list crosses as one
//! value, because as rows each of its values would cross into the component by itself.

mod account;
#[cfg(feature = "bench")]
pub mod bench;
mod change;
mod create;
mod delete;
mod fields;
mod get;
mod list;
pub(crate) mod messages;
mod page;
#[cfg(test)]
mod properties;
mod records;
mod sql;
mod state;
mod status;
mod update;

pub(crate) use create::create_task;
pub(crate) use delete::delete_task;
#[cfg(test)]
pub(crate) use fields::{MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS, Priority, Status};
pub(crate) use get::get_task;
#[cfg(test)]
pub(crate) use list::SORT_UNKNOWN;
pub(crate) use list::list_tasks;
#[cfg(test)]
pub(crate) use page::{CURSOR_INVALID, LIMIT_INVALID};
pub(crate) use status::{complete_task, reopen_task, set_task_status};
pub(crate) use update::update_task;

/// The task routes' part of the OpenAPI document.
#[cfg(test)]
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    create::create_task,
    list::list_tasks,
    get::get_task,
    update::update_task,
    delete::delete_task,
    status::complete_task,
    status::reopen_task,
    status::set_task_status
))]
pub(crate) struct TaskRoutes;
