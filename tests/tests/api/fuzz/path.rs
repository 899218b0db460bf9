//! The path segments with the user id and the task id, alone and together with the token.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tests::Token;

use super::header::{Change, changed};
use super::{Request, Service, Verdict};

/// A method, and the path after `/api/{user_id}`. No DELETE: later cases need the task.
const ROUTES: [(&str, &str); 8] = [
    ("GET", "/tasks"),
    ("POST", "/tasks"),
    ("GET", "/tasks/{id}"),
    ("PUT", "/tasks/{id}"),
    ("PATCH", "/tasks/{id}"),
    ("PATCH", "/tasks/{id}/complete"),
    ("PATCH", "/tasks/{id}/incomplete"),
    ("PATCH", "/tasks/{id}/status"),
];

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// The bytes as a segment (RFC 3986): each one plain where that is allowed, or percent-encoded with
/// upper-case or lower-case digits.
fn percent_encoded(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = String> {
    let with_ways = bytes.prop_flat_map(|bytes| (vec(0..4, bytes.len()), Just(bytes)));
    with_ways.prop_map(|(ways, bytes)| {
        let write = |(byte, way): (u8, i32)| match way {
            0 => format!("%{byte:02X}"),
            1 => format!("%{byte:02x}"),
            _ if is_unreserved(byte) => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        bytes.into_iter().zip(ways).map(write).collect()
    })
}

/// `text` with one byte inserted, removed or replaced, or unchanged.
fn similar_to(text: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let bytes = text.as_bytes().to_vec();
    // Bytes that programs trim, decode or take for an end.
    let telling = select(b" \t\n\0/.%+".to_vec());
    let byte = prop_oneof![any::<u8>(), telling];
    (any::<Index>(), byte, 0..6).prop_map(move |(at, byte, what)| {
        let mut bytes = bytes.clone();
        let at = at.index(bytes.len());
        match what {
            0 => bytes.insert(at, byte),
            1 => bytes[at] = byte,
            2 => drop(bytes.remove(at)),
            3 => bytes.push(byte),
            4 => bytes.insert(0, byte),
            _ => {}
        }
        bytes
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let characters = vec(any::<char>(), 0..20).prop_map(|text| String::from_iter(text).into());
    prop_oneof![vec(any::<u8>(), 0..60), characters]
}

/// Unencoded text, allowed in a path or not; no spaces, which would end it.
fn raw() -> impl Strategy<Value = String> {
    prop_oneof!["[!-~]{0,30}", "[a-z/.%?#;]{0,12}", "[!-~é🦀\u{e000}]{0,12}"]
}

/// A segment as the service must decode it: `%` and two digits are a byte, the rest is literal.
fn decoded(segment: &str) -> Vec<u8> {
    let mut rest = segment.as_bytes();
    let mut bytes = Vec::new();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let encoded = digits
            .filter(|digits| *first == b'%' && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(encoded.unwrap_or(*first));
        rest = if encoded.is_some() { &behind[2..] } else { behind };
    }
    bytes
}

/// The user and the task that a request is about, if a task route has its path and its method. One
/// slash at the end makes no difference, and neither does how the fixed segments are encoded.
fn user_and_task(method: &str, target: &str) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let path = target.split(['?', '#']).next()?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<Vec<u8>> = path.split('/').map(decoded).collect();
    let segments: Vec<&[u8]> = segments.iter().map(Vec::as_slice).collect();
    match (method, &segments[..]) {
        ("GET" | "POST", [b"", b"api", user, b"tasks"]) => Some((user.to_vec(), None)),
        ("GET" | "PUT" | "PATCH", [b"", b"api", user, b"tasks", id])
        | ("PATCH", [b"", b"api", user, b"tasks", id, b"complete" | b"incomplete" | b"status"]) => {
            Some((user.to_vec(), Some(id.to_vec())))
        }
        _ => None,
    }
}

/// The verdict for Alice's token on this path. The host may reject unencoded text.
fn verdict_on(method: &str, target: &str, is_plain: bool, service: &Service) -> Verdict {
    let [hers, his] = [&service.hers, &service.his].map(|task| task["id"].to_string());
    let id = match user_and_task(method, target) {
        Some((user, id)) if user == service.alice.id.as_bytes() => id,
        _ => return Verdict::Bad,
    };
    let is_number = |id: &[u8]| !id.is_empty() && id.iter().all(u8::is_ascii_digit);
    match id {
        Some(id) if id == his.as_bytes() || !is_number(&id) => Verdict::Bad,
        // It may be a task that a `POST` of another case has created.
        Some(id) if id != hers.as_bytes() => Verdict::Own,
        _ if is_plain => Verdict::Good,
        _ => Verdict::Own,
    }
}

#[test]
fn only_ones_own_path_leads_to_ones_own_tasks() {
    let service = Service::start();
    let (alice, bob) = (service.alice.id.clone(), service.bob.id.clone());
    let (hers, his) = (service.hers["id"].to_string(), service.his["id"].to_string());
    let user = prop_oneof![
        4 => percent_encoded(Just(alice.clone().into_bytes())),
        1 => percent_encoded(Just(bob.into_bytes())),
        3 => percent_encoded(similar_to(&alice)),
        2 => percent_encoded(any_bytes()),
        1 => raw(),
        1 => raw().prop_map(move |raw| format!("{alice}{raw}")),
    ];
    let id = prop_oneof![
        4 => percent_encoded(Just(hers.clone().into_bytes())),
        1 => percent_encoded(Just(his.into_bytes())),
        1 => percent_encoded(similar_to(&hers)),
        1 => percent_encoded(any_bytes()),
        1 => "[-+]?0{0,3}[0-9]{0,12}(\\.0|e0)?",
        1 => raw(),
        1 => raw().prop_map(move |raw| format!("{hers}{raw}")),
    ];
    let fixed = |name: &'static str| {
        prop_oneof![Just(name.to_owned()), percent_encoded(Just(name.as_bytes().to_vec()))]
    };
    let end = select(vec!["", "", "/", "//"]);
    let route = (select(ROUTES.to_vec()), fixed("api"), fixed("tasks"), fixed("complete"), end);
    service.check((route, user, id), |service, (route, user, id)| {
        let ((method, rest), api, tasks, complete, end) = route;
        let rest = rest.replace("tasks", &tasks).replace("complete", &complete);
        let target = format!("/{api}/{user}{}{end}", rest.replace("{id}", &id));
        let is_plain =
            [&user, &id].iter().all(|s| s.bytes().all(|byte| is_unreserved(byte) || byte == b'%'));
        let verdict = verdict_on(method, &target, is_plain, service);
        let authorization = format!("Bearer {}", service.alice.token);
        let request = Request { method, target, authorization };
        service.send_and_check(&request, &service.alice.id, verdict);
    });
}

#[test]
fn a_token_counts_in_the_path_of_its_subject_and_nowhere_else() {
    let subject = prop_oneof![
        vec(any::<char>(), 1..63).prop_map(String::from_iter),
        "\\PC{1,60}",
        "[a-zA-Z0-9%/.+]{1,20}",
    ];
    let case = subject.prop_flat_map(|subject| {
        let user = prop_oneof![
            3 => Just(subject.clone().into_bytes()),
            2 => similar_to(&subject),
            1 => any_bytes(),
        ];
        let changes = prop_oneof![3 => Just(Vec::new()), 1 => vec(Change::any(), 1..3)];
        (Just(subject), percent_encoded(user), changes)
    });
    Service::start().check(case, |service, (subject, user, changes)| {
        let good = Token::new(&subject).signed(service.app.jwt_secret());
        let token = changed(&good, &changes, service);
        let counts = token.trim() == good && !subject.contains('\0');
        let is_own = decoded(&user) == subject.as_bytes();
        let verdict = match (counts, is_own) {
            (true, true) if token == good => Verdict::Good,
            (true, true) => Verdict::Own,
            _ => Verdict::Bad,
        };
        let target = format!("/api/{user}/tasks");
        let authorization = format!("Bearer {token}");
        let request = Request { method: "GET", target, authorization };
        let response = service.send_and_check(&request, &subject, verdict);
        // All paths of other users get the same response.
        if token == good && counts && !is_own {
            response.to_response().problem(404).says("Task not found");
        }
    });
}
