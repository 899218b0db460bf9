//! Keeps what is known about a key set where all instances find it: in Spin's key-value store. Where
//! the component has none, the instance keeps it for itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use responses::time::pause;
use sha2::{Digest, Sha256};

use super::jwks_record::Record;
use crate::host::key_value::{self, Bucket, Cas, CasError, Error};
use crate::log;

/// The store that every host of Spin has.
const STORE: &str = "default";

/// Number of attempts to change the record while others change it.
const TRIES: usize = 10;

/// Number of checks while another instance creates the record, and the pause between them.
const CREATION_LOOKS: usize = 50;
const CREATION_PAUSE: Duration = Duration::from_millis(20);

/// The record of the set at one address.
pub(super) struct JwksStore {
    url: String,
    /// The record's key.
    record: String,
    /// Key of the count of those who found no record: the first one creates it.
    creators: String,
    /// The instance's own record, where there is no store.
    memory: Mutex<Record>,
    /// True once the log has the warning that there is no store.
    reported: AtomicBool,
}

impl JwksStore {
    pub(super) fn new(url: String) -> Self {
        let memory = Mutex::new(Record::new(&url));
        let record = record_key(&url);
        let creators = format!("{record}/creators");
        Self { url, record, creators, memory, reported: AtomicBool::new(false) }
    }

    pub(super) async fn load(&self) -> Record {
        match key_value::open(STORE).and_then(|bucket| bucket.get(&self.record)) {
            Ok(bytes) => self.read(bytes).unwrap_or_else(|| Record::new(&self.url)),
            Err(error) => {
                self.report(&error).await;
                self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone()
            }
        }
    }

    /// Changes the record, unless `change` says that there is nothing to change. Others may do so at
    /// the same time: then `change` gets to see what they left.
    pub(super) async fn update(&self, change: impl Fn(&mut Record) -> bool + Send + Sync) -> bool {
        match self.update_shared(&change).await {
            Ok(changed) => changed,
            Err(error) => {
                self.report(&error).await;
                change(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }

    async fn update_shared(
        &self,
        change: &(impl Fn(&mut Record) -> bool + Send + Sync),
    ) -> Result<bool, Error> {
        let bucket = key_value::open(STORE)?;
        self.create(&bucket).await?;
        let mut cas = Cas::new(&bucket, &self.record)?;
        for _ in 0..TRIES {
            let mut record = self.read(cas.current()?).unwrap_or_else(|| Record::new(&self.url));
            if !change(&mut record) {
                return Ok(false);
            }
            match key_value::swap(cas, &record.to_bytes()) {
                Ok(()) => return Ok(true),
                Err(CasError::CasFailed(newer)) => cas = newer,
                Err(CasError::StoreError(error)) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Creates an empty record if there is none. Spin's own store lets everybody win who swaps a
    /// value that was not there, so the count of those who found none decides.
    async fn create(&self, bucket: &Bucket) -> Result<(), Error> {
        if bucket.exists(&self.record)? {
            return Ok(());
        }
        let first = key_value::increment(bucket, &self.creators, 1)? == 1;
        for _ in 0..CREATION_LOOKS {
            if first || bucket.exists(&self.record)? {
                break;
            }
            pause(CREATION_PAUSE).await;
        }
        // The first one may have been ended before it came to this.
        if first || !bucket.exists(&self.record)? {
            bucket.set(&self.record, &Record::new(&self.url).to_bytes())?;
        }
        Ok(())
    }

    fn read(&self, bytes: Option<Vec<u8>>) -> Option<Record> {
        Record::from_bytes(&bytes?).filter(|record| record.url == self.url)
    }

    async fn report(&self, error: &Error) {
        if self.reported.swap(true, Ordering::Relaxed) {
            return;
        }
        let reason = match error {
            Error::AccessDenied | Error::NoSuchStore => {
                "grant it with `key_value_stores = [\"default\"]`".to_owned()
            }
            Error::Other(text) => log::one_line(text),
        };
        log::warn(&format!(
            "the key-value store cannot be used, each instance fetches the issuer's keys for itself: {reason}"
        ))
        .await;
    }
}

/// The key of the record of the set at this address. Applications with different issuers may share a store, and
/// so do two versions of one while its configuration changes.
fn record_key(url: &str) -> String {
    let hash = Sha256::digest(url);
    let hash = hash.into_iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(byte));
    format!("taskie/jwks/{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::record_key;

    #[test]
    fn each_address_has_a_record_of_its_own() {
        let key = record_key("https://id.example/jwks");
        // Another one would cost every application a fetch when it is updated.
        assert_eq!(key, "taskie/jwks/7098f70e0b81c1ea");
        assert_ne!(key, record_key("https://id.example/jwks2"));
    }
}
