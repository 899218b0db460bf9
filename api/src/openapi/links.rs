//! Where a new task leads: to every operation on one task.

use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::{OpenApi, RefOr};

/// Adds the links to the response that brings the new task.
pub(super) fn add_to_new_tasks(document: &mut OpenApi) {
    let paths = &mut document.paths.paths;
    let of_a_task = paths.iter_mut().filter(|(path, _)| path.contains("{id}"));
    let names: Vec<String> = of_a_task
        .flat_map(|(_, item)| super::operations(item))
        .filter_map(|operation| operation.operation_id.clone())
        .collect();
    let mut operations = paths.values_mut().flat_map(super::operations);
    let created = operations.find_map(|operation| operation.responses.responses.get_mut("201"));
    let Some(RefOr::T(created)) = created else { panic!("no operation makes a task") };
    for name in names {
        let link = LinkBuilder::new()
            .operation_id(&name)
            .parameter("user_id", "$request.path.user_id")
            .parameter("id", "$response.body#/id")
            .build();
        created.links.insert(name, link.into());
    }
}
