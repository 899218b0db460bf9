//! Messages of Neon's proxy to a connection that it refuses.

/// An error that the proxy answers instead of passing the connection on.
#[derive(Clone, Copy, Debug)]
pub struct NeonMessage {
    /// The SQLSTATE.
    pub code: &'static str,
    /// The message.
    pub text: &'static str,
}

/// The code that the proxy's source gives to all of its messages (`proxy/src/stream.rs`,
/// `SQLSTATE_INTERNAL_ERROR` in `proxy/src/pqproto.rs`).
const XX000: &str = "XX000";

const fn message(code: &'static str, text: &'static str) -> NeonMessage {
    NeonMessage { code, text }
}

impl NeonMessage {
    /// Messages that no time changes. Those about an endpoint, a quota or a role are the control plane's,
    /// which the proxy passes on (`proxy/src/control_plane/messages.rs` has their reasons); the codes other
    /// than XX000 are those that Neon has been seen to send in 2026.
    pub const PERMANENT: [Self; 17] = [
        message(
            XX000,
            "Your account or project has exceeded the compute time quota. Upgrade your plan to increase limits.",
        ),
        message(
            XX000,
            "Your project has exceeded the active time quota. Upgrade your plan to increase limits.",
        ),
        message(
            "53000",
            "Your project has exceeded the data transfer quota. Upgrade your plan to increase limits.",
        ),
        message(
            "53000",
            "Your project has exceeded the written data quota. Upgrade your plan to increase limits.",
        ),
        message(
            "53000",
            "Your project has exceeded the logical size quota. Upgrade your plan to increase limits.",
        ),
        message(
            XX000,
            "You've exceeded the compute time for this branch. Upgrade your plan to increase limits or connect to another branch.",
        ),
        message(
            XX000,
            "You have exceeded the limit of concurrently active endpoints. Please suspend some endpoints and try again.",
        ),
        message(XX000, "The endpoint has been disabled. Enable it using Neon API and retry."),
        message("28000", "The endpoint has been disabled. Enable it using the API and retry."),
        message(XX000, "Control plane request failed: endpoint is disabled"),
        message(
            XX000,
            "The requested endpoint could not be found, or you don't have access to it. Please check the provided ID and try again.",
        ),
        message(
            XX000,
            "The requested project could not be found, or you don't have access to it. Please check the provided ID and try again.",
        ),
        message(XX000, "Control plane request failed: endpoint cannot be found"),
        message(
            XX000,
            "The role you're attempting to use is protected and cannot be used for password-based authentication. Please pick a different role and try again.",
        ),
        message(
            XX000,
            "This IP address 192.0.2.1 is not allowed to connect to this endpoint. Please add it to the allowed list in the Neon console. Make sure to check for IPv4 or IPv6 addresses.",
        ),
        message(XX000, "This connection is trying to access this endpoint from a blocked network."),
        message(
            XX000,
            "VPC endpoint ID is not specified. This endpoint requires a VPC endpoint ID to connect.",
        ),
    ];

    /// Messages of a compute or a control plane that is busy (`proxy/src/compute/mod.rs`,
    /// `proxy/src/control_plane/errors.rs`, `proxy/src/auth/mod.rs`).
    pub const TEMPORARY: [Self; 9] = [
        message(XX000, "Couldn't connect to compute node"),
        message(XX000, "Control plane request failed"),
        message(
            XX000,
            "Control plane request failed: endpoint is temporarily unavailable. Check your quotas and/or contact our support.",
        ),
        message(XX000, "Too many connections attempts"),
        message(
            XX000,
            "Failed to acquire permit to connect to the database. Too many database connection attempts are currently ongoing.",
        ),
        message(XX000, "Too many connections to this endpoint. Please try again later."),
        message(XX000, "You've exceeded the rate limit. Please wait a moment and try again."),
        message(
            XX000,
            "Your project already has running operations. Please wait until they complete, and then try again.",
        ),
        // PgBouncer's, in front of the compute.
        message("08P01", "no more connections allowed (max_client_conn)"),
    ];

    /// The connection names no endpoint (`proxy/src/auth/mod.rs`).
    pub(super) const NO_ENDPOINT: Self = message(
        XX000,
        "Endpoint ID is not specified. Either please upgrade the postgres client library (libpq) for SNI support or pass the endpoint ID (first part of the domain name) as a parameter: '?options=endpoint%3D<endpoint-id>'. See more at https://neon.tech/sni",
    );

    /// The host and the parameter name different endpoints (`proxy/src/auth/credentials.rs`).
    pub(super) const TWO_ENDPOINTS: Self = message(
        XX000,
        "Inconsistent project name inferred from SNI ('ep-taskie') and project option ('ep-other').",
    );

    /// No such endpoint.
    pub(super) const NOT_FOUND: Self = Self::PERMANENT[10];

    /// The compute's port does not answer (`proxy/src/compute/mod.rs`).
    pub(super) const NO_COMPUTE: Self = Self::TEMPORARY[0];

    /// The pooled endpoint takes no settings; PgBouncer's message, to which the proxy adds the rest.
    pub(super) const UNSUPPORTED: Self = message(
        XX000,
        "unsupported startup parameter in options: statement_timeout. Please use unpooled connection or remove this parameter from the startup package. More details: https://neon.tech/docs/connect/connection-errors#unsupported-startup-parameter",
    );

    /// The protocol's message with this error.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let fields = format!("SERROR\0C{}\0M{}\0\0", self.code, self.text);
        let length = u32::try_from(fields.len() + 4).expect("a short message");
        [b"E".as_slice(), &length.to_be_bytes(), fields.as_bytes()].concat()
    }
}
