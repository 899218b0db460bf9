//! What the task routes read and write. PostgreSQL writes a task's JSON and [`crate::http::json`] reads
//! bodies, so these types only describe; the black-box suite holds the answers against them.

use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder, ObjectBuilder, Schema, SchemaType};
use utoipa::openapi::{Object, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::tasks::{Priority, Status};

/// A task.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes")]
#[schema(example = json!({
    "id": 42,
    "user_id": "demo",
    "title": "Buy groceries",
    "description": null,
    "status": "incomplete",
    "priority": "medium",
    "created_at": "2026-11-22T08:00:00.123456Z",
    "updated_at": "2026-11-22T08:00:00.123456Z"
}))]
pub(crate) struct Task {
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    id: i32,
    /// The owner.
    user_id: String,
    /// Counted in Unicode scalar values.
    #[schema(min_length = 1, max_length = 255)]
    title: String,
    /// Counted in Unicode scalar values.
    #[schema(required = true, max_length = 5000)]
    description: Option<String>,
    status: Status,
    priority: Priority,
    /// In UTC, with microseconds. Never changes.
    #[schema(format = DateTime, pattern = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]
    created_at: String,
    /// Moves forward on every change, and only then.
    #[schema(format = DateTime, pattern = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]
    updated_at: String,
}

/// A task to be made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct NewTask {
    /// With a character that can be seen; no U+0000. Counted in Unicode scalar values.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000]*[^\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb][^\u0000]*$"
    )]
    title: String,
    /// No U+0000. Counted in Unicode scalar values.
    #[schema(max_length = 5000, pattern = r"^[^\u0000]*$")]
    description: Option<String>,
    /// `incomplete` when it is absent.
    #[schema(nullable = false)]
    status: Option<Status>,
    /// `low`, `medium` or `high`, in any case and with or without white space around it; `medium` when it
    /// is absent or null.
    #[schema(
        pattern = r"^[\t-\r\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*([Ll][Oo][Ww]|[Mm][Ee][Dd][Ii][Uu][Mm]|[Hh][Ii][Gg][Hh])[\t-\r\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$",
        example = "high"
    )]
    priority: Option<String>,
}

/// What an update may change.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes")]
struct Changes {
    /// With a character that can be seen; no U+0000. Counted in Unicode scalar values.
    #[schema(
        min_length = 1,
        max_length = 255,
        nullable = false,
        pattern = r"^[^\u0000]*[^\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb][^\u0000]*$"
    )]
    title: Option<String>,
    /// Null clears it. No U+0000. Counted in Unicode scalar values.
    #[schema(max_length = 5000, pattern = r"^[^\u0000]*$")]
    description: Option<String>,
    #[schema(nullable = false)]
    status: Option<Status>,
    /// `low`, `medium` or `high`, in any case and with or without white space around it.
    #[schema(
        nullable = false,
        pattern = r"^[\t-\r\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*([Ll][Oo][Ww]|[Mm][Ee][Dd][Ii][Uu][Mm]|[Hh][Ii][Gg][Hh])[\t-\r\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$",
        example = "high"
    )]
    priority: Option<String>,
}

/// The status of a task.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct StatusUpdate {
    status: Status,
}

/// An update: at least one of its members.
pub(crate) struct TaskUpdate;

impl PartialSchema for TaskUpdate {
    fn schema() -> RefOr<Schema> {
        // Without a type: of an object without properties, generated clients make one that takes none.
        let present = |member: &str| -> Object {
            ObjectBuilder::new().schema_type(SchemaType::AnyValue).required(member).build()
        };
        let one_of_them = ["title", "description", "status", "priority"]
            .into_iter()
            .fold(AnyOfBuilder::new(), |any, member| any.item(present(member)));
        AllOfBuilder::new()
            .description(Some("What to change: at least one of the members"))
            .item(Changes::schema())
            .item(one_of_them)
            .into()
    }
}

impl ToSchema for TaskUpdate {}

/// Whose tasks.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct OwnerInPath {
    /// The user whom the token names: at most 255 bytes, percent-encoded into one segment.
    #[param(min_length = 1, example = "demo")]
    user_id: String,
}

/// Which task.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct TaskInPath {
    /// The user whom the token names: at most 255 bytes, percent-encoded into one segment.
    #[param(min_length = 1, example = "demo")]
    user_id: String,
    /// The task.
    #[param(minimum = 1, maximum = 2_147_483_647, example = 42)]
    id: i32,
}

/// An order other than newest first.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes")]
enum Sort {
    Priority,
}

/// Which tasks.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct ListFilter {
    /// Only tasks of this status. Of several, the last one counts.
    #[param(nullable = false)]
    status: Option<Status>,
    /// `priority`: high to low, and newest first among equals. Absent: newest first.
    #[param(nullable = false, inline)]
    sort: Option<Sort>,
    /// How many tasks the page has at most. It also ends where its JSON would have more than 1 MiB.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<i32>,
    /// Where the page begins: from the `Link` of the page before.
    /// For the same `sort` only.
    #[param(
        nullable = false,
        pattern = "^[A-Za-z0-9_-]{16}([A-Za-z0-9_-]{2})?$",
        example = "AAZg3mwcSlAAAAAD"
    )]
    cursor: Option<String>,
}

/// What the task must be like for the request to count.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct ExpectedState {
    /// `*`, or the `ETag` of the state that the request is for; several with commas between them. A weak
    /// one never matches.
    #[param(
        rename = "If-Match",
        nullable = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*")*)$"#,
        example = "\"1-1795358272782796\""
    )]
    if_match: Option<String>,
}

/// States of the task in which the request does not count.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct ExcludedState {
    /// `*`, or the `ETag` of the state that the change is not for; several with commas between them.
    #[param(
        rename = "If-None-Match",
        nullable = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*")*)$"#,
        example = "\"1-1795358272782796\""
    )]
    if_none_match: Option<String>,
}

/// What makes the request good for sending again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct OnlyOnce {
    /// For 24 hours, the same key and task get the same answer, and make no second task.
    #[param(
        rename = "Idempotency-Key",
        nullable = false,
        pattern = "^[!#-~][!-~]{0,254}$",
        example = "8e03978e-40d5-43e8-bc93-6894a57f9324"
    )]
    idempotency_key: Option<String>,
}

/// What the client has already.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct KnownState {
    /// `*`, or the `ETag` of the state that the client has; several with commas between them.
    #[param(
        rename = "If-None-Match",
        nullable = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*")*)$"#,
        example = "\"1-1795358272782796\""
    )]
    if_none_match: Option<String>,
}

/// What the client has already.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes")]
pub(crate) struct KnownContent {
    /// The `ETag` of the content that the client has.
    #[param(rename = "If-None-Match", nullable = false)]
    if_none_match: Option<String>,
}
