//! Refuses, by name, what Spin knows and this runner does not: a manifest runs here as it does there, or not at all.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::{Source, tables};
use crate::error::Error;

const TOP: &[&str] = &["spin_manifest_version", "application", "variables", "trigger", "component"];
const APPLICATION: &[&str] = &["name", "version", "description", "authors"];
const VARIABLE: &[&str] = &["default", "required", "secret", "description"];
const TRIGGER: &[&str] = &["id", "route", "component"];
const COMPONENT: &[&str] =
    &["description", "source", "variables", "allowed_outbound_hosts", "key_value_stores", "build"];
const BUILD: &[&str] = &["command", "workdir", "watch"];

/// Walks the whole manifest.
pub(super) fn check(source: &Source) -> Result<(), Error> {
    let manifest = source.table()?;
    let manifest = manifest.get_ref();
    source.only("", manifest, TOP)?;
    if let Some(DeValue::Table(application)) = manifest.get("application").map(Spanned::get_ref) {
        source.only("application", application, APPLICATION)?;
    }
    for (name, variable) in tables(manifest, "variables") {
        source.only(&format!("variables.{name}"), variable, VARIABLE)?;
    }
    for (name, component) in tables(manifest, "component") {
        check_component(source, name, component)?;
    }
    if let Some(DeValue::Table(triggers)) = manifest.get("trigger").map(Spanned::get_ref) {
        source.only("trigger", triggers, &["http"])?;
        if let Some(DeValue::Array(https)) = triggers.get("http").map(Spanned::get_ref) {
            for http in https.iter().filter_map(|http| http.get_ref().as_table()) {
                check_trigger(source, http)?;
            }
        }
    }
    Ok(())
}

fn check_component(source: &Source, name: &str, component: &DeTable<'_>) -> Result<(), Error> {
    let owner = format!("component.{name}");
    source.only(&owner, component, COMPONENT)?;
    if let Some(file) = component.get("source").filter(|v| !v.get_ref().is_str()) {
        return Err(source.unsupported(file.span(), &format!("{owner}.source.url")));
    }
    if let Some(DeValue::Table(build)) = component.get("build").map(Spanned::get_ref) {
        source.only(&format!("{owner}.build"), build, BUILD)?;
    }
    Ok(())
}

fn check_trigger(source: &Source, http: &DeTable<'_>) -> Result<(), Error> {
    source.only("trigger.http", http, TRIGGER)?;
    if let Some(inline) = http.get("component").filter(|v| !v.get_ref().is_str()) {
        return Err(source.unsupported(inline.span(), "trigger.http.component.source"));
    }
    let named_segment = http
        .get("route")
        .filter(|route| route.get_ref().as_str().is_some_and(|r| r.contains("/:")));
    if let Some(route) = named_segment {
        let message =
            "a route with a `:name` segment is not supported by this runner; use `spin up`";
        return Err(source.error(Some(route.span()), message));
    }
    Ok(())
}
