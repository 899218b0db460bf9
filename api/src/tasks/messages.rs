//! Messages about the fields of a task that a request's body and a constraint of the schema can cause.

/// More than 255 characters.
pub(crate) const TITLE_TOO_LONG: &str = "Title must be 255 characters or less";
/// More than 5000 characters.
pub(crate) const DESCRIPTION_TOO_LONG: &str = "Description must be 5000 characters or less";
/// None of the three priorities.
pub(crate) const PRIORITY_UNKNOWN: &str = "Priority must be 'low', 'medium', or 'high'";
/// Neither of the two states.
pub(crate) const STATUS_UNKNOWN: &str = "Invalid status value. Must be 'incomplete' or 'complete'";
