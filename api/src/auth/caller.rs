//! The caller of a request: the user whom its token, or in `insecure-none` its path, names.

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::{AccountHint, verifier};
use crate::config::{self, Auth};
use crate::error::ApiError;
use crate::http::path::TaskPath;

/// The user whose tasks this request is about, recognised and allowed.
///
/// A token's user in another user's path gets the answer for an absent task, without a statement.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The owner of every row that the request may touch.
    pub(crate) user_id: String,
    /// The email address from the token, with which a first task creates the user's account.
    pub(crate) email: Option<String>,
    /// Whether the account has that address, as far as this instance knows.
    pub(crate) account: AccountHint,
}

impl Caller {
    /// Recognises the caller of a request to a task route.
    pub(crate) async fn of(parts: &Parts) -> Result<Self, ApiError> {
        recognise(*config::auth().await?, parts).await
    }
}

async fn recognise(auth: Auth, parts: &Parts) -> Result<Caller, ApiError> {
    let caller = match auth {
        Auth::Jwt => Some(verifier::verify(bearer_token(&parts.headers)?).await?),
        Auth::InsecureNone => None,
    };
    let path_user = TaskPath::of(parts.uri.path()).user_id().ok_or(ApiError::TaskNotFound)?;
    match caller {
        Some(caller) if caller.user_id == path_user => Ok(caller),
        Some(_) => Err(ApiError::TaskNotFound),
        // `/api//tasks`: an empty user id is not a user.
        None if path_user.is_empty() => Err(ApiError::TaskNotFound),
        None if path_user.contains('\0') => {
            Err(ApiError::field("user_id", "user_id must not contain the character U+0000"))
        }
        // An address of a reserved domain, so that a first task can create the account.
        None => Ok(Caller {
            email: Some(format!("{path_user}@example.com")),
            user_id: path_user,
            account: AccountHint::default(),
        }),
    }
}

/// The token of the one `Authorization: Bearer …` header (RFC 6750, section 2.1).
fn bearer_token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value: &HeaderValue =
        values.next().ok_or(ApiError::TokenMissing("no token: no `Authorization`"))?;
    if values.next().is_some() {
        return Err(ApiError::TokenInvalid("more than one `Authorization`"));
    }
    let text = value.to_str().map_err(|_| ApiError::TokenInvalid("malformed token"))?;
    // Another scheme, or nothing after this one, brings no token that could be invalid.
    match text.split_once(' ').map(|(scheme, token)| (scheme, token.trim())) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => {
            Ok(token)
        }
        _ => Err(ApiError::TokenMissing("no token: `Authorization` is not `Bearer` with a token")),
    }
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;
    use http::{HeaderMap, HeaderValue};

    use super::bearer_token;
    use crate::error::ApiError;

    #[test]
    fn only_one_bearer_header_counts() {
        for (label, values, token) in [
            ("plain", &["Bearer abc"][..], Some("abc")),
            ("any case", &["bEARER abc"], Some("abc")),
            ("more space", &["Bearer   abc "], Some("abc")),
            ("another scheme", &["Basic abc"], None),
            ("no scheme", &["abc"], None),
            ("scheme alone", &["Bearer"], None),
            ("scheme and space", &["Bearer  "], None),
            ("two headers", &["Bearer abc", "Bearer abc"], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(bearer_token(&headers).ok(), token, "{label}");
        }
    }

    #[test]
    fn no_token_is_told_from_a_bad_one() {
        assert!(matches!(bearer_token(&HeaderMap::new()), Err(ApiError::TokenMissing(_))));
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
        assert!(matches!(bearer_token(&headers), Err(ApiError::TokenMissing(_))));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert!(matches!(bearer_token(&headers), Err(ApiError::TokenInvalid(_))));
    }
}
