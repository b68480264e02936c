//! The master key: which one is active, the takeover of the next one, and the end of a replaced one's tags.
//!
//! A takeover is one transaction. It seals all signing keys again, so after it the replaced master key opens nothing in
//! the store. The tags that the replaced one made stay good until an operator ends them: a tag tells only whether a key
//! was issued here, and proves nothing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ApiError, Conflict, carry_out, reading};
use crate::base::clock::Timestamp;
use crate::base::master_key::DerivedKeys;
use crate::domain::audit::AuditEvent;
use crate::domain::scope::Verb;
use crate::node::keyring::seal_again;
use crate::node::master_keys::hex;
use crate::node::{MasterKeys, Records, Signer};
use crate::store::{ChangeKind, SealedSigningKey, StoredMasterKey, Takeover, Write};
use crate::use_cases::access::Caller;

const PATH: [&str; 1] = ["master-key"];

/// The master keys as the API shows them. The keys themselves appear nowhere.
#[derive(Debug, Serialize)]
pub struct MasterKeyView {
    /// The one that seals and tags now.
    pub active: ActiveView,
    /// The check value of the one that is to take over, if the node that answers has it.
    pub next: Option<String>,
    /// The nodes that run.
    pub nodes: Vec<NodeView>,
    /// The ones that were replaced, the newest first.
    pub replaced: Vec<ReplacedView>,
}

/// The active master key.
#[derive(Debug, Serialize)]
pub struct ActiveView {
    /// Its number, from 1.
    pub number: i64,
    /// Its check value, in hexadecimal.
    pub check: String,
    /// When it became active.
    pub activated_at: Timestamp,
}

/// A node, and whether it can take part in the takeover.
#[derive(Debug, Serialize)]
pub struct NodeView {
    /// The id of its run.
    pub id: String,
    /// The version of its binary.
    pub version: String,
    /// When it last reported itself.
    pub seen_at: Timestamp,
    /// Whether it has the active master key.
    pub has_active: bool,
    /// Whether it has the one that is to take over. `false` if the node that answers knows of none.
    pub has_next: bool,
}

/// A replaced master key.
#[derive(Debug, Serialize)]
pub struct ReplacedView {
    /// Its number.
    pub number: i64,
    /// Its check value, in hexadecimal.
    pub check: String,
    /// When it became active.
    pub activated_at: Timestamp,
    /// When its successor took over.
    pub replaced_at: Timestamp,
    /// When its tags ended. `None` while they are accepted.
    pub tags_ended_at: Option<Timestamp>,
    /// The live secrets that have its tags. It counts up to 10,000.
    pub secrets: i64,
}

/// The body of a takeover. An empty one requests an ordinary takeover.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// Whether the active master key has leaked. Then all signing keys are replaced and withdrawn as well.
    #[serde(default)]
    compromised: bool,
}

/// The parts of a node that have to do with the master key.
#[derive(Clone, Debug)]
pub struct MasterKeyParts {
    /// The id of the node that answers.
    pub node: String,
    /// The stored records.
    pub records: Arc<Records>,
    /// The signing keys, which the master key seals.
    pub signer: Arc<Signer>,
    /// The master keys at hand.
    pub master_keys: Arc<MasterKeys>,
}

/// The master keys of the store, and who has them.
///
/// # Errors
/// [`ApiError`].
pub async fn read(parts: &MasterKeyParts, caller: &Caller) -> Result<MasterKeyView, ApiError> {
    caller.may(Verb::Read, &PATH)?;
    view(parts, caller).await
}

/// Makes the next master key the active one. Every running node must have it. Returns the master keys after that.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed.
pub async fn rotate(
    parts: MasterKeyParts,
    caller: &Caller,
    request: RotateRequest,
) -> Result<MasterKeyView, ApiError> {
    caller.may(Verb::Admin, &PATH)?;
    if request.compromised {
        caller.may(Verb::Admin, &["signing-keys"])?;
    }
    let (mutation, mutating) = (parts.clone(), caller.clone());
    carry_out(async move { take_over(&mutation, &mutating, request).await }).await?;
    view(&parts, caller).await
}

/// Ends the tags of a replaced master key. No live secret may have one of them. Returns the master keys after that.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed.
pub async fn end_tags(
    parts: MasterKeyParts,
    caller: &Caller,
    number: i64,
) -> Result<MasterKeyView, ApiError> {
    caller.may(Verb::Admin, &PATH)?;
    let (mutation, mutating) = (parts.clone(), caller.clone());
    carry_out(async move {
        let records = &mutation.records;
        let mut write = records.store.write(records.clock.now(), &mutating.actor()).await?;
        let secrets = write.secrets_of_master_key(number).await?;
        if !write.end_tag_key(number).await? {
            return Err(ApiError::NotFound);
        }
        if secrets > 0 {
            return Err(Conflict::TagsInUse(secrets).into());
        }
        write.record(ChangeKind::MasterKey, event("master_key.end_tags", number, None, None)).await?;
        records.commit(write).await?;
        mutation.apply().await
    })
    .await?;
    view(&parts, caller).await
}

async fn view(parts: &MasterKeyParts, caller: &Caller) -> Result<MasterKeyView, ApiError> {
    let store = &parts.records.store;
    let now = parts.records.clock.now();
    let stored = store.master_keys().await?;
    let active = stored.iter().find(|key| key.is_active());
    let active = active.ok_or_else(|| ApiError::internal("the store names no master key"))?;
    let next = parts.master_keys.next().map(|next| hex(&next.check));
    let own = NodeView {
        id: parts.node.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        seen_at: now,
        has_active: true,
        has_next: next.is_some(),
    };
    let others = store.live_nodes().await?.into_iter().filter(|node| node.id != parts.node);
    let check = hex(&active.check);
    let others = others.map(|node| NodeView {
        has_active: node.master_keys.contains(&check),
        has_next: next.as_ref().is_some_and(|next| node.master_keys.contains(next)),
        id: node.id,
        version: node.version,
        seen_at: node.seen_at,
    });
    let nodes = std::iter::once(own).chain(others).collect();
    let mut replaced = Vec::new();
    for key in stored.iter().rev() {
        let Some(replaced_at) = key.replaced_at else { continue };
        replaced.push(ReplacedView {
            number: key.number,
            check: hex(&key.check),
            activated_at: key.activated_at,
            replaced_at,
            tags_ended_at: key.tag_ended_at,
            secrets: reading(&parts.records, caller).await?.secrets_of_master_key(key.number, now).await?,
        });
    }
    let active = ActiveView { number: active.number, check, activated_at: active.activated_at };
    Ok(MasterKeyView { active, next, nodes, replaced })
}

async fn take_over(parts: &MasterKeyParts, caller: &Caller, request: RotateRequest) -> Result<(), ApiError> {
    let MasterKeyParts { records, master_keys, .. } = parts;
    let mut write = records.store.write(records.clock.now(), &caller.actor()).await?;
    let stored = write.master_keys().await?;
    let active = master_keys.active();
    let known = stored.iter().find(|key| key.is_active()).filter(|key| key.check == active.check);
    let known =
        known.ok_or_else(|| ApiError::Unavailable("the master key was replaced a moment ago".into()))?;
    let next = master_keys.next().filter(|next| stored.iter().all(|key| key.check != next.check));
    let next = next.ok_or(Conflict::NoNextMasterKey)?;
    let check = hex(&next.check);
    let nodes = write.live_nodes().await?.into_iter().filter(|node| node.id != parts.node);
    let without: Vec<_> =
        nodes.filter(|node| !node.master_keys.contains(&check)).map(|node| node.id).collect();
    if !without.is_empty() {
        return Err(Conflict::NodesWithoutNextMasterKey(without).into());
    }
    let signing_keys = write.signing_keys().await?;
    let takeover = parts.takeover(known.number, &stored, &signing_keys, &active, &next)?;
    let number = write.replace_master_key(&takeover).await?;
    let state = |number: i64, check: &[u8]| serde_json::json!({ "number": number, "check": hex(check) });
    let before = Some(state(known.number, &known.check));
    let mut after = state(number, &next.check);
    after["compromised"] = request.compromised.into();
    write.record(ChangeKind::MasterKey, event("master_key.rotate", number, before, Some(after))).await?;
    if request.compromised {
        parts.replace_signing_keys(&mut write, &signing_keys, &next).await?;
    }
    records.commit(write).await?;
    parts.apply().await
}

impl MasterKeyParts {
    /// Everything that the active master key seals, sealed under the next one.
    fn takeover(
        &self,
        number: i64,
        stored: &[StoredMasterKey],
        signing_keys: &[SealedSigningKey],
        active: &DerivedKeys,
        next: &DerivedKeys,
    ) -> Result<Takeover, ApiError> {
        let entropy = &self.records.entropy;
        let resealed = signing_keys.iter().map(|row| {
            seal_again(row, &self.master_keys, next, entropy).map(|sealed| (row.kid.clone(), sealed))
        });
        let signing_keys = resealed.collect::<Result<_, _>>().map_err(ApiError::internal)?;
        let seal = |number: i64, tag_key: &[u8; 32]| {
            let sealed = next.seal_tag_key(number, tag_key, entropy).map_err(ApiError::internal)?;
            Ok::<_, ApiError>((number, sealed))
        };
        let mut tag_keys = vec![seal(number, &active.tag)?];
        for row in stored {
            let Some(sealed) = &row.sealed_tag_key else { continue };
            let tag_key = active.open_tag_key(row.number, sealed).map_err(ApiError::internal)?;
            tag_keys.push(seal(row.number, &tag_key)?);
        }
        Ok(Takeover { check: next.check, signing_keys, tag_keys })
    }

    /// Withdraws every signing key, the waiting one included, and adds one that signs at once. Whoever has the old
    /// master key and the database has all of them.
    async fn replace_signing_keys(
        &self,
        write: &mut Write,
        signing_keys: &[SealedSigningKey],
        under: &DerivedKeys,
    ) -> Result<(), ApiError> {
        let new = self.signer.rotation(&self.records.store, write.at()).new_key(0, under)?;
        Ok(write.replace_signing_keys(signing_keys, &new).await?)
    }

    /// Applies to memory what the store holds now. A dry run has changed nothing, and applies the same again.
    async fn apply(&self) -> Result<(), ApiError> {
        let store = &self.records.store;
        self.master_keys.update(&store.master_keys().await?).map_err(ApiError::internal)?;
        let reloaded = self.signer.keyring.reload(store).await;
        self.records.wake_follower();
        reloaded.map_err(ApiError::internal)
    }
}

fn event(
    action: &'static str,
    number: i64,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
) -> AuditEvent {
    AuditEvent { action, organization: None, key: None, subject: number.to_string(), before, after }
}
