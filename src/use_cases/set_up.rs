//! A server with an empty store. It waits until somebody with the one-time code fills the store.
//!
//! This module decides who may fill it, and how often one may guess. `src/console/set_up.rs` is what they see.
//! `src/http/waiting.rs` answers all other requests meanwhile.

mod code;

pub use code::{Code, CodeError, CodeHash};

use std::fs::remove_file;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::base::entropy::EntropyError;
use crate::base::key_file;
use crate::base::lock::Mutex;
use crate::domain::address::CallerAddress;
use crate::domain::api_key::PlainKey;
use crate::node::Throttle;
use crate::use_cases::bootstrap::{BootstrapContext, BootstrapError};

/// How often the store is checked, in case another process has filled it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The longest that an answer waits for the server to be ready.
const SERVES_WITHIN: Duration = Duration::from_secs(5);

/// How long the administrator's key is shown again for the same code.
const SHOWN_AGAIN: Duration = Duration::from_secs(60);

/// The name under which wrong codes are counted.
const GUESSES: &str = "set-up";

/// An empty store, and the code that is needed to fill it.
#[derive(Debug)]
pub struct SetUp {
    /// What the bootstrap needs.
    pub context: BootstrapContext,
    code: CodeHash,
    throttle: Throttle,
    completed: Notify,
    is_over: watch::Sender<bool>,
    /// The receipt of the client that was shown the administrator's key.
    receipt: Mutex<Option<CodeHash>>,
    /// The outcome of the last minute. Of two concurrent attempts, the second waits for the lock.
    recent: tokio::sync::Mutex<Option<Arc<CompletedSetUp>>>,
}

/// A store that has just been filled.
#[derive(Debug)]
pub struct CompletedSetUp {
    /// The administrator's key, with its secret.
    pub admin: PlainKey,
    /// The receipt for [`SetUp::saved`].
    pub receipt: Code,
}

/// Why a store was not filled.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The code is wrong.
    #[error("the code is not correct")]
    WrongCode,
    /// There were too many wrong codes. The value is the wait in seconds.
    #[error("too many incorrect codes; try again in {0} seconds")]
    TooMany(i64),
    /// The bootstrap failed.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}

impl From<EntropyError> for SetUpError {
    fn from(error: EntropyError) -> Self {
        Self::Bootstrap(error.into())
    }
}

impl SetUp {
    /// Waits to fill this store for a client with `code`.
    pub fn new(context: BootstrapContext, code: &Code) -> Self {
        Self {
            context,
            code: code.hash(),
            throttle: Throttle::default(),
            completed: Notify::new(),
            is_over: watch::Sender::new(false),
            receipt: Mutex::default(),
            recent: tokio::sync::Mutex::default(),
        }
    }

    /// Fills the store for a client with the code. An answer can get lost, so the administrator's key is also in its
    /// file until [`SetUp::saved`], and the same code gets the same answer again within a minute.
    ///
    /// # Errors
    /// [`SetUpError`]. [`BootstrapError::Done`] when another process was faster.
    pub async fn complete(
        self: &Arc<Self>,
        code: &Code,
        from: CallerAddress,
    ) -> Result<Arc<CompletedSetUp>, SetUpError> {
        self.check(code, from)?;
        let mut recent = self.recent.lock().await;
        if let Some(completed) = &*recent {
            return Ok(Arc::clone(completed));
        }
        let receipt = Code::generate(&self.context.entropy)?;
        let (_, admin) = self.context.bootstrapper().bootstrap(Some(&self.context.admin_file())).await?;
        tracing::info!(address = %from, key = %admin.id(), "the store has been set up");
        *self.receipt.lock() = Some(receipt.hash());
        self.completed.notify_one();
        let completed = Arc::new(CompletedSetUp { admin, receipt });
        *recent = Some(Arc::clone(&completed));
        let set_up = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(SHOWN_AGAIN).await;
            set_up.recent.lock().await.take();
        });
        Ok(completed)
    }

    /// The outcome of the last minute, for a client with the code.
    ///
    /// # Errors
    /// [`SetUpError`].
    pub async fn completed_recently(
        &self,
        code: &Code,
        from: CallerAddress,
    ) -> Result<Option<Arc<CompletedSetUp>>, SetUpError> {
        self.check(code, from)?;
        Ok(self.recent.lock().await.clone())
    }

    fn check(&self, code: &Code, from: CallerAddress) -> Result<(), SetUpError> {
        let now = self.context.clock.now();
        if let Some(seconds) = self.throttle.wait(GUESSES, from.known(), now) {
            return Err(SetUpError::TooMany(seconds));
        }
        if !self.code.is_of(code) {
            self.throttle.failed(GUESSES, from.known(), now);
            return Err(SetUpError::WrongCode);
        }
        Ok(())
    }

    /// Removes the file of the administrator's key, for a client with the receipt, and no longer shows the key.
    pub async fn saved(&self, receipt: &Code) {
        let is_shown = self.receipt.lock().take_if(|expected| expected.is_of(receipt)).is_some();
        if !is_shown {
            return;
        }
        self.recent.lock().await.take();
        if let Err(error) = remove_file(self.context.admin_file()) {
            tracing::warn!(%error, "the administrator's key file cannot be removed");
        }
    }

    /// Returns when this process has filled the store, and after `LOOK_EVERY` in any case: another process may have
    /// filled it.
    pub async fn wait_to_look_again(&self) {
        let _ = tokio::time::timeout(LOOK_EVERY, self.completed.notified()).await;
    }

    /// Ends the wait of [`SetUp::ended`].
    pub fn end(&self) {
        self.is_over.send_replace(true);
    }

    /// Returns after [`SetUp::end`], or after a few seconds at the latest.
    pub async fn ended(&self) {
        let mut is_over = self.is_over.subscribe();
        let _ = tokio::time::timeout(SERVES_WITHIN, is_over.wait_for(|is_over| *is_over)).await;
    }

    /// Removes the file with the code, unless the file holds another server's code.
    pub fn withdraw(&self, file: &Path) {
        let code = key_file::read(file).ok().and_then(|text| text.parse().ok());
        if code.is_some_and(|code| self.code.is_of(&code)) {
            let _ = remove_file(file);
        }
    }
}

/// The file of the code, for when no terminal shows it.
pub fn code_file(keys_dir: &Path) -> PathBuf {
    keys_dir.join("setup.code")
}
