//! Test settings from the environment.

use std::path::PathBuf;
use std::sync::LazyLock;

use local::InstanceReuse;
use neon_url::DatabaseUrl;

use crate::component::Component;

/// Read once; an invalid value panics with the variable's name.
pub(crate) static SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::read);

pub(crate) struct Settings {
    /// The runtime that [`crate::App::start_with`] starts, and [`crate::App::start`] without a `service`.
    pub(crate) runtime: RuntimeKind,
    /// The build of the components that it starts.
    pub(crate) component: Component,
    /// The reuse of its instances, where a test does not set it.
    pub(crate) reuse: InstanceReuse,
    /// A running service.
    pub(crate) service: Option<Service>,
    /// A server on which tests may create and drop databases.
    pub(crate) server: Option<DatabaseUrl>,
    /// Databases with all migrations are adopted ones of the API's predecessor.
    pub(crate) adopted: bool,
    /// The services that the harness starts connect through PgBouncer, over TLS.
    pub(crate) pooled: bool,
}

pub(crate) enum RuntimeKind {
    Local,
    Spin { program: PathBuf },
}

pub(crate) struct Service {
    /// Without a slash at the end.
    pub(crate) url: String,
    pub(crate) database: DatabaseUrl,
    pub(crate) jwt_secret: String,
}

impl Settings {
    fn read() -> Self {
        let runtime = match variable("TASKIE_RUNTIME").as_deref() {
            None | Some("local") => RuntimeKind::Local,
            Some("spin") => {
                let program = variable("SPIN").unwrap_or_else(|| "spin".to_owned());
                RuntimeKind::Spin { program: program.into() }
            }
            Some(other) => panic!("TASKIE_RUNTIME must be `local` or `spin`, not `{other}`"),
        };
        let component = match variable("TASKIE_COMPONENT").as_deref() {
            None | Some("wasip3") => Component::Wasip3,
            Some("wasip2") => Component::Wasip2,
            Some(other) => panic!("TASKIE_COMPONENT must be `wasip3` or `wasip2`, not `{other}`"),
        };
        let reuse = match variable("TASKIE_REUSE").as_deref() {
            None | Some("default") => InstanceReuse::default(),
            Some("single") => InstanceReuse { max_reuse: 1, ..InstanceReuse::default() },
            Some("random") => InstanceReuse { at_random: true, ..InstanceReuse::default() },
            Some(other) => {
                panic!("TASKIE_REUSE must be `default`, `single` or `random`, not `{other}`")
            }
        };
        let service = variable("TASKIE_URL").map(|url| Service {
            url: url.trim_end_matches('/').to_owned(),
            database: database("TASKIE_DATABASE_URL")
                .expect("TASKIE_URL needs TASKIE_DATABASE_URL"),
            jwt_secret: variable("TASKIE_JWT_SECRET").expect("TASKIE_URL needs TASKIE_JWT_SECRET"),
        });
        let adopted = variable("TASKIE_ADOPTED").is_some();
        let pooled = variable("TASKIE_POOLED").is_some();
        let server = database("TEST_DATABASE_URL");
        assert!(!pooled || server.is_none(), "TASKIE_POOLED needs a throwaway server");
        Self { runtime, component, reuse, service, server, adopted, pooled }
    }
}

/// An empty variable counts as not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn database(name: &str) -> Option<DatabaseUrl> {
    variable(name).map(|value| match value.parse() {
        Ok(url) => url,
        Err(err) => panic!("{name} is not a connection string: {err}"),
    })
}
