//! `claviger init`: bootstraps a store and exits.

use super::CliError;
use super::output::{Stream, say};
use super::serve::{bootstrap_context, open_store};
use super::welcome::keep_unseen;
use crate::server::config::Config;

/// Bootstraps an empty store. The last line on standard output is the administrator's key.
pub(super) async fn init(config: Config) -> Result<(), CliError> {
    let context = bootstrap_context(&config, open_store(&config).await?, config.listen).await?;
    let bootstrapper = context.bootstrapper();
    let bootstrapped = bootstrapper.bootstrap(None).await;
    context.store.close().await;
    let (_, admin) = bootstrapped?;
    let told = say(&format!(
        "The store is ready. It has an organization \"default\" with a project \"default\".\n\
         The master key is in {}. Back it up: the store is useless without it.\n\
         The administrator's key, shown only once:",
        bootstrapper.master_key
    ));
    told.and_then(|()| Stream::Out.only_copy(admin.expose()))
        .map_err(|lost| keep_unseen(&admin, &context, lost).into())
}
