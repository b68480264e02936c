//! Finds the store's master key at startup, and handles an empty store.

use crate::base::master_key::MasterKey;
use crate::cli::CliError;
use crate::cli::welcome::{SecretDestination, keep_unseen};
use crate::server::config::BootstrapMode;
use crate::use_cases::bootstrap::{BootstrapContext, BootstrapError, Bootstrapper};
use crate::use_cases::set_up::code_file;

/// The store's master key, after a bootstrap if the store is empty and `mode` is `Auto`. `None` if a person sets the
/// store up at the console.
pub(super) async fn begin(
    mode: BootstrapMode,
    context: &BootstrapContext,
) -> Result<Option<MasterKey>, CliError> {
    let bootstrapper = context.bootstrapper();
    if let Some(master_key) = bootstrapper.find().await? {
        if mode == BootstrapMode::Console {
            // The code file of an earlier process that was killed.
            let _ = std::fs::remove_file(code_file(&context.keys_dir));
        }
        return Ok(Some(master_key));
    }
    match mode {
        BootstrapMode::Auto => fill(context, &bootstrapper).await.map(Some),
        BootstrapMode::Console => Ok(None),
        BootstrapMode::Off => Err(BootstrapError::Off.into()),
    }
}

async fn fill(context: &BootstrapContext, bootstrapper: &Bootstrapper<'_>) -> Result<MasterKey, CliError> {
    let showing = SecretDestination::choose(context.admin_file());
    match bootstrapper.bootstrap(showing.file()).await {
        Ok((master_key, admin)) => match showing.show_key(&admin, &context.deployment.issuer) {
            Ok(()) => Ok(master_key),
            Err(lost) => Err(keep_unseen(&admin, context, lost).into()),
        },
        // Another node has bootstrapped the store, so its master key is the right one.
        Err(BootstrapError::Done) => {
            let found = bootstrapper.find().await?;
            found.ok_or_else(|| BootstrapError::Done.into())
        }
        Err(error) => Err(error.into()),
    }
}
