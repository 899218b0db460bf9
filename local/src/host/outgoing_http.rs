//! Requests that a component sends, to hosts in its `allowed_outbound_hosts`.

use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use crate::config::AllowedHosts;

type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Done), Error>> + Send>;

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
    /// A write of the component is copied as a whole, and waits in the host's memory for a client that does not read.
    /// This version of the library would copy pieces of 1 MiB; that of Spin 4.1, one version older, does not.
    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        usize::MAX
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ComponentContext;

    #[test]
    fn a_write_of_any_size_is_taken_whole() {
        let hosts = ComponentContext::for_test(None).allowed_hosts;
        assert_eq!(OutgoingHttp::new(hosts).p3_outgoing_body_chunk_size(), usize::MAX);
    }
}
