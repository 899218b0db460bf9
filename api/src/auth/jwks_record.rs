//! The record about an issuer's key set that instances share.

/// Lifetime of a claim: longer than a fetch may take. After it, other instances no longer wait for an
/// instance that was stopped during its fetch.
pub(super) const CLAIM_MILLIS: u64 = 8_000;

/// Interval without requests to the issuer after a failure, and after a search for an unknown key: a
/// forged token can name any.
pub(super) const INTERVAL_MILLIS: u64 = 30_000;

/// State of an issuer's key set. Times are milliseconds since 1970, by the hosts' clocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// URL of the set: a record of another URL is ignored.
    pub(super) url: String,
    /// The document that was fetched last.
    pub(super) document: Option<String>,
    /// When it was asked for.
    pub(super) fetched_at: u64,
    /// Number of fetched sets.
    pub(super) number: u64,
    /// Start of the current fetch, if there is one.
    fetching_since: Option<u64>,
    /// Time of the last search for an unknown key.
    searched_at: Option<u64>,
    /// When the last fetch failed, if it did.
    pub(super) failed_at: Option<u64>,
    /// Error of the last fetch.
    failure: Option<String>,
}

impl Record {
    /// Nothing is known about the set at this address.
    pub(super) fn new(url: &str) -> Self {
        Self { url: url.to_owned(), ..Self::default() }
    }

    /// Reads the output of [`Record::to_bytes`].
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.splitn(4, '\n');
        let (url, times, failure) = (lines.next()?, lines.next()?, lines.next()?);
        let document = lines.next()?;
        let mut times = times.split(' ').map(str::parse);
        let mut time = || times.next()?.ok();
        let some = |time: u64| Some(time).filter(|time| *time > 0);
        Some(Self {
            url: url.to_owned(),
            fetched_at: time()?,
            number: time()?,
            fetching_since: some(time()?),
            searched_at: some(time()?),
            failed_at: some(time()?),
            failure: Some(failure.to_owned()).filter(|failure| !failure.is_empty()),
            document: Some(document.to_owned()).filter(|document| !document.is_empty()),
        })
    }

    /// Three lines and the document: address, numbers (0 for those that are not there), failure.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let or_zero = Option::unwrap_or_default;
        format!(
            "{}\n{} {} {} {} {}\n{}\n{}",
            self.url,
            self.fetched_at,
            self.number,
            or_zero(self.fetching_since),
            or_zero(self.searched_at),
            or_zero(self.failed_at),
            self.failure.as_deref().unwrap_or_default().replace('\n', " "),
            self.document.as_deref().unwrap_or_default(),
        )
        .into_bytes()
    }

    /// True while an instance is fetching.
    pub(super) fn is_fetching(&self, now: u64) -> bool {
        is_recent(self.fetching_since, now, CLAIM_MILLIS)
    }

    /// Error of the last fetch, if it failed.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Claims the fetch of the set after number `seen`, unless it was fetched since, is being fetched, or
    /// the issuer has just failed.
    pub(super) fn claim(&mut self, seen: u64, now: u64) -> bool {
        let free = self.number == seen
            && !self.is_fetching(now)
            && !is_recent(self.failed_at, now, INTERVAL_MILLIS);
        if free {
            self.fetching_since = Some(now);
        }
        free
    }

    /// Claims a fetch that searches for a key, unless there was such a search just before.
    pub(super) fn claim_search(&mut self, seen: u64, now: u64) -> bool {
        let free = !is_recent(self.searched_at, now, INTERVAL_MILLIS) && self.claim(seen, now);
        if free {
            self.searched_at = Some(now);
        }
        free
    }

    /// Takes in what was asked for at `at`. `in_vain` when the key that was needed is not in it.
    pub(super) fn fetched(&mut self, document: &str, at: u64, in_vain: bool) {
        *self = Self {
            url: std::mem::take(&mut self.url),
            document: Some(document.to_owned()),
            fetched_at: at,
            number: self.number + 1,
            searched_at: if in_vain { Some(at) } else { self.searched_at },
            ..Self::default()
        };
    }

    /// Takes in that a fetch failed.
    pub(super) fn failed(&mut self, failure: &str, now: u64) {
        self.fetching_since = None;
        self.failed_at = Some(now);
        self.failure = Some(failure.to_owned());
    }
}

/// True if the time is less than `millis` away.
pub(super) fn is_recent(time: Option<u64>, now: u64, millis: u64) -> bool {
    time.is_some_and(|time| now.abs_diff(time) < millis)
}

#[cfg(test)]
mod tests {
    use super::Record;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let new = Record::new("https://id.example/jwks");
        let mut claimed = new.clone();
        assert!(claimed.claim_search(0, 1_000_000));
        let mut fetched = claimed.clone();
        fetched.fetched("{\n  \"keys\": []\n}\n", 1_000_000, true);
        let mut failed = fetched.clone();
        failed.failed("status 500", 1_030_000);
        for record in [new, claimed, fetched, failed] {
            assert_eq!(Record::from_bytes(&record.to_bytes()), Some(record));
        }
        for bytes in [&b""[..], b"\xff", b"a\nb\nc", b"a\n1 2 3 4 x\n\n", b"{}"] {
            assert_eq!(Record::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
