//! The `Authorization` header.
//!
//! Its bytes are always UTF-8: Spin answers anything else with its own 500, before any component sees
//! it (see `http/traps.rs`). And they contain no line break, which would end the header.

use std::time::{SystemTime, UNIX_EPOCH};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Value, json};
use tests::Token;

use super::{Request, Service, Verdict, was_answered_by_the_host};

/// A list of the caller's tasks.
fn list(service: &Service, authorization: String) -> Request {
    Request { method: "GET", target: service.alice.path("/tasks"), authorization }
}

/// Text of every kind, from control characters to text that looks like a token.
fn any_header() -> impl Strategy<Value = String> {
    let bytes = vec(any::<u8>(), 0..80).prop_map(|bytes| String::from_utf8_lossy(&bytes).into());
    let characters = vec(any::<char>(), 0..60).prop_map(String::from_iter);
    let value = prop_oneof![
        bytes,
        characters,
        "[ -~\t]{0,120}",
        "[A-Za-z0-9_=-]{0,80}(\\.[A-Za-z0-9_=-]{0,80}){0,4}",
        "(ey[A-Za-z0-9_-]{0,40}\\.){0,4}",
    ];
    let scheme = select(vec!["", "Bearer ", "Bearer ", "bearer  ", "Bearer\t", "Basic ", "Bearer"]);
    (scheme, value).prop_map(|(scheme, value)| format!("{scheme}{value}").replace(['\r', '\n'], ""))
}

#[test]
fn random_headers_are_rejected() {
    Service::start().check(any_header(), |service, header| {
        let is_http = header.chars().all(|c| c == '\t' || !c.is_ascii_control());
        let response =
            service.send_and_check(&list(service, header), &service.alice.id, Verdict::Bad);
        assert_eq!(was_answered_by_the_host(&response), !is_http, "{}", response.text);
        assert!(!is_http || response.status() == Some(401), "{}", response.text);
    });
}

/// A change of a valid token.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Flip(Index, char),
    /// Counted from the end. The last character of a signature has unused bits.
    FlipAtEnd(usize, char),
    Insert(Index, String),
    Cut(Index, Index),
    Repeat(Index, Index),
    /// Replaces all segments.
    Arrange(Vec<usize>),
    /// Writes one segment with the alphabet and the padding of standard base64.
    Reencode(usize),
    /// Percent-encodes one segment.
    Percent(usize),
    /// Takes one segment of another token.
    Graft(usize, Donor),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Donor {
    /// A valid token of another user.
    Bobs,
    /// The same claims in another JSON text, signed with another secret.
    Forged,
}

impl Change {
    pub(super) fn any() -> impl Strategy<Value = Self> {
        let printable = || prop_oneof!["[A-Za-z0-9_-]", "[!-~]"];
        let one = move || printable().prop_map(|text| text.chars().next().expect("a character"));
        prop_oneof![
            (any::<Index>(), one()).prop_map(|(at, to)| Self::Flip(at, to)),
            (0_usize..3, one()).prop_map(|(back, to)| Self::FlipAtEnd(back, to)),
            (any::<Index>(), "[ -~]{1,5}").prop_map(|(at, text)| Self::Insert(at, text)),
            any::<(Index, Index)>().prop_map(|(from, to)| Self::Cut(from, to)),
            any::<(Index, Index)>().prop_map(|(from, to)| Self::Repeat(from, to)),
            vec(0_usize..3, 0..5).prop_map(Self::Arrange),
            (0_usize..3).prop_map(Self::Reencode),
            (0_usize..3).prop_map(Self::Percent),
            (0_usize..3, select(vec![Donor::Bobs, Donor::Forged]))
                .prop_map(|(segment, donor)| Self::Graft(segment, donor)),
        ]
    }

    /// Tokens are ASCII before and after.
    fn apply(&self, token: &str, service: &Service) -> String {
        let length = token.len();
        let range = |from: &Index, to: &Index| {
            let (from, to) = (from.index(length + 1), to.index(length + 1));
            from.min(to)..from.max(to)
        };
        let replaced = |at: usize, with: char| {
            let mut characters: Vec<char> = token.chars().collect();
            characters.splice(at.min(length)..(at + 1).min(length), [with]);
            characters.into_iter().collect::<String>()
        };
        let in_segment = |segment: usize, change: &dyn Fn(&str) -> String| {
            let mut segments: Vec<String> = token.split('.').map(str::to_owned).collect();
            if let Some(found) = segments.get_mut(segment) {
                *found = change(found);
            }
            segments.join(".")
        };
        match self {
            Self::Flip(at, to) => replaced(at.index(length + 1), *to),
            Self::FlipAtEnd(back, to) => replaced(length.saturating_sub(back + 1), *to),
            Self::Insert(at, text) => {
                let (before, behind) = token.split_at(at.index(length + 1));
                format!("{before}{text}{behind}")
            }
            Self::Cut(from, to) => {
                let range = range(from, to);
                format!("{}{}", &token[..range.start], &token[range.end..])
            }
            Self::Repeat(from, to) => {
                let range = range(from, to);
                format!("{}{}", &token[..range.end], &token[range.start..])
            }
            Self::Arrange(order) => {
                let segments: Vec<&str> = token.split('.').collect();
                let chosen = order.iter().filter_map(|index| segments.get(*index).copied());
                chosen.collect::<Vec<_>>().join(".")
            }
            Self::Reencode(segment) => in_segment(*segment, &|text| {
                let padding = "=".repeat((4 - text.len() % 4) % 4);
                format!("{}{padding}", text.replace('-', "+").replace('_', "/"))
            }),
            Self::Percent(segment) => in_segment(*segment, &|text| {
                utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
            }),
            Self::Graft(segment, donor) => {
                let donor = match donor {
                    Donor::Bobs => service.bob.token.clone(),
                    Donor::Forged => forged(service),
                };
                let graft = donor.split('.').nth(*segment).expect("three segments").to_owned();
                in_segment(*segment, &|_| graft.clone())
            }
        }
    }
}

fn forged(service: &Service) -> String {
    let claims = format!("{{ \"sub\": {} , \"exp\": 99999999999 }}", json!(service.alice.id));
    Token::signed_texts("{ \"alg\": \"HS256\" }", &claims, "another secret, of more than 32 bytes")
}

/// A valid token after `changes`, with a scheme.
pub(super) fn changed(token: &str, changes: &[Change], service: &Service) -> String {
    changes.iter().fold(token.to_owned(), |token, change| change.apply(&token, service))
}

/// Only exactly the valid token after the scheme is accepted; additional spaces are allowed.
fn verdict_on(header: &str, good: &str) -> Verdict {
    match header.trim().split_once([' ', '\t']) {
        _ if header == format!("Bearer {good}") => Verdict::Good,
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && token.trim() == good => {
            Verdict::Own
        }
        _ => Verdict::Bad,
    }
}

#[test]
fn a_token_that_was_changed_is_refused() {
    let scheme = select(vec![
        "Bearer ", "Bearer ", "Bearer ", "bearer ", "BEARER  ", "Bearer\t", "Bearer", "Basic ", "",
    ]);
    Service::start().check((scheme, vec(Change::any(), 0..4)), |service, (scheme, changes)| {
        let good = &service.alice.token;
        let header = format!("{scheme}{}", changed(good, &changes, service));
        let verdict = verdict_on(&header, good);
        service.send_and_check(&list(service, header), &service.alice.id, verdict);
    });
}

/// Any JSON that is not too large.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        vec(any::<char>(), 0..5).prop_map(|characters| Value::from(String::from_iter(characters))),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[a-z0-9]{0,4}", inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// A JSON text: usually an object with all or some of `members`, in any order, and with additional ones,
/// duplicates included, with plausible values.
fn any_text(
    members: Vec<(&'static str, Value)>,
    names: Vec<&'static str>,
    values: Vec<Value>,
) -> impl Strategy<Value = String> {
    let usual: Vec<(String, Value)> =
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let some = subsequence(usual.clone(), 0..=usual.len());
    let name = prop_oneof![4 => select(names).prop_map(str::to_owned), 1 => "\\PC{0,8}"];
    let value = prop_oneof![3 => select(values), 1 => any_json()];
    let object = (prop_oneof![3 => Just(usual), 1 => some], vec((name, value), 0..3))
        .prop_map(|(members, more)| [members, more].concat())
        .prop_shuffle()
        .prop_map(|members| {
            let members = members.iter().map(|(name, value)| format!("{}:{value}", json!(name)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
    prop_oneof![
        12 => object,
        1 => any_json().prop_map(|value| value.to_string()),
        1 => "\\PC{0,40}",
        1 => "[\\[{\"]{0,300}",
    ]
}

/// The user of a token with these texts, if it is signed with the right secret (RFC 7519). Of members
/// with the same name, the last one counts, if any.
fn speaks_for(header: &str, claims: &str, now: f64) -> Option<String> {
    const LEEWAY: f64 = 61.0;
    let header: Value = serde_json::from_str(header).ok()?;
    let claims: Value = serde_json::from_str(claims).ok()?;
    let odd = ["crit", "jwk", "jku", "x5u", "x5c"].iter().any(|name| !header[name].is_null());
    let subject = claims["sub"].as_str()?;
    let good = header["alg"] == "HS256"
        && !odd
        && claims["exp"].as_f64()? > now - LEEWAY
        && claims["nbf"].as_f64().is_none_or(|nbf| nbf < now + LEEWAY)
        && (1..=255).contains(&subject.len())
        && !subject.contains('\0');
    good.then(|| subject.to_owned())
}

#[test]
fn a_signed_token_counts_by_its_claims() {
    let service = Service::start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let (alice, bob) = (service.alice.id.clone(), service.bob.id.clone());
    let usual_header = vec![("alg", json!("HS256")), ("typ", json!("JWT"))];
    let usual_claims = vec![("sub", json!(alice)), ("exp", json!(now + 3_600))];
    let values = vec![
        json!(alice),
        json!(alice.to_uppercase()),
        json!(format!("{alice}\0")),
        json!([alice]),
        json!(bob),
        json!(now + 3_600),
        json!(now - 3_600),
        json!((now + 3_600).to_string()),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(-1e300),
        json!(0),
        json!("HS256"),
        json!("none"),
        json!("HS512"),
        json!(["b64"]),
        json!({ "kty": "oct", "k": "AAAA" }),
        json!(null),
    ];
    let header_names =
        vec!["alg", "typ", "cty", "kid", "crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"];
    let claim_names = vec!["sub", "exp", "nbf", "iat", "iss", "aud", "email", "jti"];
    let exactly = |members: &[(&str, Value)]| {
        let members: serde_json::Map<String, Value> =
            members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Value::from(members)
    };
    let (good_header, good_claims) = (exactly(&usual_header), exactly(&usual_claims));
    let texts = (
        any_text(usual_header, header_names, values.clone()),
        any_text(usual_claims, claim_names, values),
    );
    #[expect(clippy::cast_precision_loss, reason = "before the year 285 million")]
    let now = now as f64;
    service.check(texts, |service, (header, claims)| {
        let is = |text: &str, value: &Value| {
            text.len() == value.to_string().len()
                && serde_json::from_str::<Value>(text).is_ok_and(|found| found == *value)
        };
        let verdict = match speaks_for(&header, &claims, now) {
            Some(_) if is(&header, &good_header) && is(&claims, &good_claims) => Verdict::Good,
            Some(subject) if subject == service.alice.id => Verdict::Own,
            _ => Verdict::Bad,
        };
        let token = Token::signed_texts(&header, &claims, service.app.jwt_secret());
        let request = list(service, format!("Bearer {token}"));
        service.send_and_check(&request, &service.alice.id, verdict);
    });
}
