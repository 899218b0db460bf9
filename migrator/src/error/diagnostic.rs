//! The form of every error: message, kind, details and hint are at its variant.

use super::kind::Kind;

/// Everything about an error.
pub(crate) struct Report {
    pub(crate) kind: Kind,
    /// One line, also the `Display` of the error.
    pub(crate) message: String,
    /// Lines below the message: every problem, the place in the file, the state that is left.
    pub(crate) details: Vec<String>,
    /// The next thing to do, where there is one.
    pub(crate) hint: Option<String>,
}

/// An error that can be shown.
pub(crate) trait Diagnostic: std::error::Error {
    fn report(&self) -> Report;
}

/// One text, several lines, or none.
pub(crate) trait Text {
    fn lines(self) -> Vec<String>;
}

impl Text for &str {
    fn lines(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl Text for String {
    fn lines(self) -> Vec<String> {
        vec![self]
    }
}

impl Text for Vec<String> {
    fn lines(self) -> Vec<String> {
        self
    }
}

impl<T: Text> Text for Option<T> {
    fn lines(self) -> Vec<String> {
        self.map(Text::lines).unwrap_or_default()
    }
}

/// Defines an enum of errors. `#[error]` has the message, as `format!` takes it. `#[diagnostic]` has
/// the [`Kind`] and, if there are any, the details and the hint: expressions of the variant's fields,
/// of which that of a tuple has a name here too. A variant without them forwards to its field.
macro_rules! diagnostics {
    (
        $(#[doc = $about:expr])+
        pub enum $name:ident {
            $(
                $(#[doc = $doc:expr])+
                $(
                    #[error($($message:tt)+)]
                    #[diagnostic($kind:expr $(, details = $details:expr)? $(, hint = $hint:expr)? $(,)?)]
                )?
                $variant:ident
                $(( $(#[$from:ident])? $inner:ident: $inner_type:ty ))?
                $({ $( $(#[doc = $field_doc:expr])* $field:ident: $type:ty ),+ $(,)? })?
            ),+ $(,)?
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, thiserror::Error)]
        #[allow(missing_docs, reason = "the message shows the fields of a variant")]
        #[non_exhaustive]
        pub enum $name {
            $(
                $(#[doc = $doc])+
                $variant
                $(( $(#[$from])? $inner_type ))?
                $({ $( $(#[doc = $field_doc])* $field: $type ),+ })?
            ),+
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::error::diagnostic::Diagnostic::report(self).message)
            }
        }

        #[allow(unused_variables, reason = "most texts need some of the fields only")]
        impl $crate::error::diagnostic::Diagnostic for $name {
            fn report(&self) -> $crate::error::diagnostic::Report {
                match self {
                    $(
                        Self::$variant $(($inner))? $({ $($field),+ })? => {
                            diagnostics!(
                                @report $($inner)?
                                $(, $kind; [$($message)+]; [$($details)?]; [$($hint)?])?
                            )
                        }
                    )+
                }
            }
        }
    };
    (@report $inner:ident) => { $inner.report() };
    (
        @report $($inner:ident)?,
        $kind:expr; [$($message:tt)+]; [$($details:expr)?]; [$($hint:expr)?]
    ) => {
        $crate::error::diagnostic::Report {
            kind: $kind,
            message: format!($($message)+),
            details: diagnostics!(@lines $($details)?),
            hint: diagnostics!(@lines $($hint)?).pop(),
        }
    };
    (@lines) => { Vec::new() };
    (@lines $text:expr) => { $crate::error::diagnostic::Text::lines($text) };
}

pub(crate) use diagnostics;
