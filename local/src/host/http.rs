//! Requests that a component sends: only to where `allowed_outbound_hosts` lets it.

use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::allowed_hosts::AllowedHosts;

type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Done), Error>> + Send>;

/// Checks, then sends.
pub(super) struct OutgoingHttp {
    allowed_hosts: AllowedHosts,
}

impl OutgoingHttp {
    pub(super) fn new(allowed_hosts: AllowedHosts) -> OutgoingHttp {
        OutgoingHttp { allowed_hosts }
    }

    fn permits(&self, uri: &http::Uri) -> Result<bool, Error> {
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        self.allowed_hosts
            .check(uri.scheme_str().unwrap_or("https"), authority.as_str())
            .map_err(|reason| Error::InternalError(Some(reason)))
    }
}

impl WasiHttpHooks for OutgoingHttp {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _consumed: Done,
    ) -> Sent {
        let permitted = self.permits(request.uri());
        Box::new(async move {
            if !permitted? {
                return Err(Error::HttpRequestDenied);
            }
            let (response, done) = default_send_request(request, options).await?;
            Ok((response.map(BodyExt::boxed_unsync), Box::new(done) as Done))
        })
    }
}
