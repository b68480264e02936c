//! A server in front of an empty store: it waits until somebody who has the one-time code has the store filled.
//!
//! Here is who may do so, and how often one may guess. What they see is `src/console/set_up.rs`; what all others are
//! answered meanwhile is `src/http/waiting.rs`.

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

/// How often the store is asked whether somebody else has filled it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The longest that an answer waits for the server to serve.
const SERVES_WITHIN: Duration = Duration::from_secs(5);

/// For so long the administrator's key is shown again to whoever sends the same code again.
const SHOWN_AGAIN: Duration = Duration::from_secs(60);

/// What wrong codes are counted under.
const GUESSES: &str = "set-up";

/// An empty store, and the code that it takes to have it filled.
#[derive(Debug)]
pub struct SetUp {
    /// What the bootstrap needs.
    pub context: BootstrapContext,
    code: CodeHash,
    throttle: Throttle,
    completed: Notify,
    is_over: watch::Sender<bool>,
    /// Of whoever was shown the administrator's key.
    receipt: Mutex<Option<CodeHash>>,
    /// What was completed here within the last minute. Of two who complete it at once the second waits.
    recent: tokio::sync::Mutex<Option<Arc<CompletedSetUp>>>,
}

/// A store that has just been filled.
#[derive(Debug)]
pub struct CompletedSetUp {
    /// The administrator's key.
    pub admin: PlainKey,
    /// What [`SetUp::saved`] takes.
    pub receipt: Code,
}

/// Why a store was not filled.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// It takes another code.
    #[error("the code is not correct")]
    WrongCode,
    /// Too many wrong codes; with the seconds to wait.
    #[error("too many incorrect codes; try again in {0} seconds")]
    TooMany(i64),
    /// The bootstrap.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
}

impl From<EntropyError> for SetUpError {
    fn from(error: EntropyError) -> Self {
        Self::Bootstrap(error.into())
    }
}

impl SetUp {
    /// Of this store, for whoever has `code`.
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

    /// Fills the store for somebody who has the code. Until [`SetUp::saved`] the administrator's key is in its file
    /// as well: an answer can get lost. Whoever sends the same code again within a minute is shown the same.
    ///
    /// # Errors
    /// [`SetUpError`]; [`BootstrapError::Done`] when somebody else was faster.
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

    /// What was completed here within the last minute, for somebody who has the code.
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

    /// Removes the file of the administrator's key, for whoever has the receipt of it, and shows the key no more.
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

    /// Comes back when the store has been filled here, and once in a while: it may have been filled elsewhere.
    pub async fn reason_to_look(&self) {
        let _ = tokio::time::timeout(LOOK_EVERY, self.completed.notified()).await;
    }

    /// Tells everybody that nothing is waited for any more.
    pub fn end(&self) {
        self.is_over.send_replace(true);
    }

    /// Comes back after [`SetUp::end`]; in any case soon.
    pub async fn ended(&self) {
        let mut is_over = self.is_over.subscribe();
        let _ = tokio::time::timeout(SERVES_WITHIN, is_over.wait_for(|is_over| *is_over)).await;
    }

    /// Removes the file with the code, unless it holds another server's.
    pub fn withdraw(&self, file: &Path) {
        let code = key_file::read(file).ok().and_then(|text| text.parse().ok());
        if code.is_some_and(|code| self.code.is_of(&code)) {
            let _ = remove_file(file);
        }
    }
}

/// Where the code is, when no terminal shows it.
pub fn code_file(keys_dir: &Path) -> PathBuf {
    keys_dir.join("setup.code")
}
