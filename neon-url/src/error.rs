//! Errors of parsing. No message repeats a part of the string that could belong to a password.

use thiserror::Error;

/// Reasons why a string cannot be used as a connection string.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Nothing but white space, or quotes around nothing.
    #[error("the connection string is empty")]
    Empty,
    /// A quote at one end only.
    #[error("the connection string has a quote at one end only")]
    UnmatchedQuote,
    /// libpq's `host=… user=…` form.
    #[error(
        "the connection string is in `key=value` form; write it as `postgresql://USER:PASSWORD@HOST/DATABASE`"
    )]
    KeyValueForm,
    /// Another scheme, or none.
    #[error("the connection string does not start with `postgresql://` or `postgres://`")]
    Scheme,
    /// A line break or another control character, as a wrapped line leaves behind.
    #[error("the connection string contains a line break or another control character")]
    ControlCharacter,
    /// A `#`, which begins a fragment.
    #[error(
        "the connection string contains a `#`; write `%23` where it belongs to a name or a password"
    )]
    Fragment,
    /// An `@` behind the host, nearly always because of a `/` or `?` in the password.
    #[error(
        "the connection string has an `@` after the host; in a user name or password write `%2F` for `/`, `%3F` for `?` and `%40` for `@`"
    )]
    StrayAt,
    /// A `%` that does not begin an encoded byte, or bytes which are not UTF-8 text.
    #[error("the {part} is not validly percent-encoded; write `%25` for a `%`")]
    Encoding {
        /// Which part of the string.
        part: &'static str,
    },
    /// No user name anywhere.
    #[error(
        "the connection string names no user; write it as `postgresql://USER:PASSWORD@HOST/DATABASE`"
    )]
    MissingUser,
    /// No host anywhere.
    #[error(
        "the connection string names no host; write it as `postgresql://USER:PASSWORD@HOST/DATABASE`"
    )]
    MissingHost,
    /// A comma-separated list of hosts.
    #[error("the connection string names several hosts; name one")]
    SeveralHosts,
    /// Neither a host name nor an IP address nor a socket folder.
    #[error(
        "the host is neither a host name, an IP address (IPv6 in brackets) nor an absolute path"
    )]
    Host,
    /// Not a number from 1 to 65535.
    #[error(
        "the port is not a number from 1 to 65535; in a user name or password write `%3A` for `:`, `%2F` for `/` and `%3F` for `?`"
    )]
    Port,
    /// A path of more than one part.
    #[error(
        "the path is more than one database name; write `%2F` for a `/` that belongs to the name"
    )]
    Database,
    /// The same thing said twice.
    #[error("the connection string sets `{parameter}` more than once")]
    Repeated {
        /// Name of the repeated parameter.
        parameter: String,
    },
    /// Not a parameter of libpq, nor of any driver whose strings are known here.
    #[error("unknown connection parameter: `{parameter}`")]
    UnknownParameter {
        /// The name as written.
        parameter: String,
    },
    /// A parameter with a value that cannot be meant.
    #[error("bad value for the connection parameter `{parameter}`: expected {expected}")]
    Value {
        /// The parameter.
        parameter: &'static str,
        /// Accepted values.
        expected: &'static str,
    },
    /// Less than TLS with verification, for a host that is not this machine.
    #[error(
        "`{parameter}={mode}` is too weak for a remote host: TLS is required for every host but this machine; use `sslmode=require`"
    )]
    WeakTls {
        /// `sslmode` or its equivalent.
        parameter: &'static str,
        /// The mode that was asked for.
        mode: &'static str,
    },
    /// A parameter with a meaning that cannot be had here, and what to use for it.
    #[error("the connection parameter `{parameter}` is not supported: {instead}")]
    Unsupported {
        /// The parameter.
        parameter: String,
        /// Advice.
        instead: &'static str,
    },
}
