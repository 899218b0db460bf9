//! The entry point by WASI 0.2. The body is written before the host gets the head: as two packets, the second
//! one would wait for the client's delayed acknowledgement.

use std::io::{Read as _, Write as _};

use spin_sdk_wasip2::pg4::{Connection, DbValue, ParameterValue};
use spin_sdk_wasip2::variables;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

use crate::{Answer, DATABASE_URL, Failure, Param};

/// Called by the host for its one request.
struct Component;

wasi::http::proxy::export!(Component);

impl Guest for Component {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let (status, body) = crate::response(serve(&request));
        send(response, status, &body).expect("only a measurement ever asks");
    }
}

fn send(to: ResponseOutparam, status: u16, text: &str) -> Result<(), Failure> {
    let headers = [
        ("content-type".to_owned(), b"application/json".to_vec()),
        ("content-length".to_owned(), text.len().to_string().into_bytes()),
    ];
    let head = OutgoingResponse::new(Fields::from_list(&headers)?);
    head.set_status_code(status).map_err(|()| "a status")?;
    let body = head.body().map_err(|()| "the body was taken")?;
    let mut stream = body.write().map_err(|()| "the stream was taken")?;
    let room = usize::try_from(stream.check_write()?)?.min(text.len());
    let (now, rest) = text.as_bytes().split_at(room);
    stream.write(now)?;
    if rest.is_empty() {
        drop(stream);
        OutgoingBody::finish(body, None)?;
        ResponseOutparam::set(to, Ok(head));
    } else {
        ResponseOutparam::set(to, Ok(head));
        stream.write_all(rest)?;
        drop(stream);
        OutgoingBody::finish(body, None)?;
    }
    Ok(())
}

fn serve(request: &IncomingRequest) -> Result<Option<String>, Failure> {
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut title = String::new();
    if crate::has_body(path) {
        let body = request.consume().map_err(|()| "the body was taken")?;
        body.stream().map_err(|()| "the stream was taken")?.read_to_string(&mut title)?;
    }
    match crate::answer(path, query, &title)? {
        Answer::Text(text) => Ok(Some(text.to_owned())),
        Answer::Query(statement, params) => {
            let params: Vec<ParameterValue> = params.into_iter().map(Into::into).collect();
            text(statement, &params)
        }
        Answer::NotFound => Ok(None),
    }
}

/// The one text that the statement gives, if it gives a row.
fn text(statement: &str, parameters: &[ParameterValue]) -> Result<Option<String>, Failure> {
    let address = if let Some(address) = DATABASE_URL.get() {
        address
    } else {
        let address = variables::get("database_url")?;
        DATABASE_URL.get_or_init(|| address)
    };
    let answer = Connection::open(address)?.query(statement, parameters)?;
    match answer.rows.into_iter().next().and_then(|row| row.into_iter().next()) {
        None => Ok(None),
        Some(DbValue::Str(text)) => Ok(Some(text)),
        Some(_) => Err("the statement gave no text".into()),
    }
}

impl From<Param<'_>> for ParameterValue {
    fn from(param: Param<'_>) -> Self {
        match param {
            Param::Text(text) => Self::Str(text.to_owned()),
            Param::Int4(number) => Self::Int32(number),
        }
    }
}
