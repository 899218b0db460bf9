//! Runtimes for the component.

mod local;
mod local_process;
mod server_process;
mod spin;
mod spin_version;

use std::net::{SocketAddr, TcpListener};

use ::local::postgres::Watchdog;
use tokio::process::Child;

use self::local::Local;
pub(crate) use self::local_process::serve;
pub(crate) use self::server_process::ServerProcess;
use self::spin::Spin;
pub(crate) use self::spin_version::{check_spin, spin_version};
use crate::app::Options;
use crate::settings::{RuntimeKind, SETTINGS};

/// Any port on loopback.
const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A running service, which has to be stopped.
pub(crate) enum Running {
    Local(Local),
    Process(ServerProcess),
    Spin(Box<Spin>),
}

impl Running {
    /// Starts the runtime that the environment selects.
    pub(crate) async fn start(options: &Options) -> Self {
        Self::start_at(options, ANY_PORT).await
    }

    /// The same, on this address.
    pub(crate) async fn start_at(options: &Options, listen: SocketAddr) -> Self {
        match &SETTINGS.runtime {
            // Spin does not count instructions.
            _ if options.counts_instructions => Self::Local(Local::start(options, listen).await),
            RuntimeKind::Local if options.has_own_process => {
                Self::Process(local_process::start(options, listen))
            }
            RuntimeKind::Local => Self::Local(Local::start(options, listen).await),
            RuntimeKind::Spin { program } => {
                Self::Spin(Box::new(Spin::start(program, options, listen).await))
            }
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Local(local) => local.address(),
            Self::Process(process) => process.address(),
            Self::Spin(spin) => spin.address(),
        }
    }

    /// The number of running component instances; `None` where the runtime does not report it.
    pub(crate) fn instances(&self) -> Option<usize> {
        match self {
            Self::Local(local) => Some(local.instances()),
            Self::Process(_) | Self::Spin(_) => None,
        }
    }

    /// The instructions of the component; `None` where they are not counted.
    pub(crate) fn instructions(&self) -> Option<&::local::Instructions> {
        match self {
            Self::Local(local) => local.instructions(),
            Self::Process(_) | Self::Spin(_) => None,
        }
    }

    /// The process group of the service, unless it runs in this process.
    pub(crate) fn process_group(&self) -> Option<u32> {
        match self {
            Self::Local(_) => None,
            Self::Process(process) => Some(process.id()),
            Self::Spin(spin) => spin.process_group(),
        }
    }

    /// The component's standard error.
    pub(crate) fn log(&self) -> String {
        match self {
            Self::Local(local) => local.log(),
            Self::Process(process) => process.log(),
            Self::Spin(spin) => spin.log(),
        }
    }

    /// Stops it and waits until it has ended.
    pub(crate) async fn stop(self) {
        match self {
            Self::Local(local) => local.stop().await,
            Self::Process(process) => drop(process),
            Self::Spin(spin) => spin.stop().await,
        }
    }
}

/// An address on loopback that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(ANY_PORT).expect("find a free port");
    listener.local_addr().expect("the address of a listener")
}

/// Ends the process group of this program when this process ends, however it ends.
pub(crate) fn watch(leader: &Child) -> Watchdog {
    let mut watchdog = Watchdog::for_group().expect("start a watchdog");
    let id = leader.id().expect("a process that was not waited for");
    watchdog.watch_group(id).expect("watch the program");
    watchdog
}
