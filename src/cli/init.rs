//! `claviger init`: a bootstrap and nothing else.

use super::CliError;
use super::output::say;
use super::serve::{foundation, open_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;

/// Bootstraps an empty store. The last line on standard output is the administrator's key.
pub(super) async fn init(config: Config) -> Result<(), CliError> {
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let store = open_store(&config).await?;
    let deployment = config.deployment(config.listen);
    let foundation = foundation(&config, &store, &deployment, &clock, &entropy);
    let laid = foundation.lay(None).await;
    store.close().await;
    let (_, admin) = laid.map_err(CliError::failed)?;
    say(&format!(
        "The store is ready, with an organization \"default\" and a project \"default\" in it.\n\
         The master key is in {}. Back it up: without it the store is worth nothing.\n\
         The administrator's key, shown this once:",
        foundation.master_key
    ));
    say(admin.expose());
    Ok(())
}
