//! A guard in front of routes, for whatever is built on tower.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::access::Access;
use super::denied::Denied;
use super::verifier::Verifier;
use crate::domain::gateway::GateMapping;
use crate::domain::scope::{Resource, Verb};

/// Tells the address at the other end of a request's connection.
type Peer = Arc<dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync>;

/// A layer that lets nobody through whom its verifier refuses, and puts an [`Access`] into the extensions of everybody
/// else's request. It also serves [`super::ResourceMetadata`], at the URL that its challenges name.
///
/// It belongs around the whole service, with [`Protect::open`] for what needs no credential: a layer sees only the
/// requests that come to it. Around a part of the routes it would see none for the metadata's path, and with axum a
/// merge drops the layer of a fallback.
#[derive(Clone)]
pub struct Protect {
    verifier: Verifier,
    peer: Peer,
    requirement: Requirement,
    open: BTreeSet<String>,
}

/// What a layer requires of a caller who is known.
#[derive(Clone, Debug)]
enum Requirement {
    /// Nothing: it is for the handlers to call [`Access::require`].
    Nothing,
    /// A scope that allows this, for every request.
    Scope(Verb, Resource),
    /// A scope that allows what method and path say, as at the gate of the issuer's.
    Mapping(GateMapping),
}

/// A service behind [`Protect`].
#[derive(Clone)]
pub struct Guard<S> {
    inner: S,
    protect: Arc<Protect>,
}

impl Verifier {
    /// A layer with this verifier. Where the address of the peer is to be had is for [`Protect::peer`] to say.
    pub fn layer(&self) -> Protect {
        Protect {
            verifier: self.clone(),
            peer: Arc::new(|_| None),
            requirement: Requirement::Nothing,
            open: BTreeSet::new(),
        }
    }
}

impl Protect {
    /// Where the address of a connection's other end is found: with axum, in the extension `ConnectInfo`. As long as
    /// nothing is, a credential that is bound to ranges passes nowhere.
    #[must_use]
    pub fn peer(self, peer: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self { peer: Arc::new(peer), ..self }
    }

    /// Lets requests for exactly these paths through without a credential, such as those of health checks. Nothing of
    /// a path is decoded.
    #[must_use]
    pub fn open(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.open.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Requires a scope that allows `action` on `resource`, for every request.
    #[must_use]
    pub fn require(self, action: Verb, resource: Resource) -> Self {
        Self { requirement: Requirement::Scope(action, resource), ..self }
    }

    /// Requires a scope that allows what a request's method and path are by `mapping`. Nothing of a path is decoded:
    /// what is not literals joined by slashes is refused.
    #[must_use]
    pub fn require_by(self, mapping: GateMapping) -> Self {
        Self { requirement: Requirement::Mapping(mapping), ..self }
    }

    /// Answers a request, or lets it through with what its sender may.
    async fn check<B: From<String>>(&self, parts: &mut Parts) -> Result<(), Response<B>> {
        if let Some(metadata) = self.metadata(parts) {
            return Err(metadata);
        }
        if self.open.contains(parts.uri.path()) {
            return Ok(());
        }
        let peer = (self.peer)(parts);
        let access = self.verifier.authenticate_request(&parts.headers, peer).await;
        let access = access.map_err(|refusal| self.verifier.refuse(&refusal))?;
        self.requirement.check(&access, parts).map_err(|denied| denied.response())?;
        parts.extensions.insert(access);
        Ok(())
    }

    fn metadata<B: From<String>>(&self, parts: &Parts) -> Option<Response<B>> {
        let metadata = self.verifier.resource_metadata()?;
        let is_asked = [Method::GET, Method::HEAD].contains(&parts.method);
        if !is_asked || parts.uri.path() != metadata.path() {
            return None;
        }
        let mut response = Response::new(B::from(metadata.json().to_owned()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Some(response)
    }
}

impl Requirement {
    fn check(&self, access: &Access, parts: &Parts) -> Result<(), Denied> {
        match self {
            Self::Nothing => Ok(()),
            Self::Scope(action, resource) => access.require_resource(*action, resource),
            Self::Mapping(mapping) => {
                let action = mapping.verb(parts.method.as_str());
                match (action, mapping.resource(parts.uri.path())) {
                    (Some(action), Some(resource)) => access.require_resource(action, &resource),
                    _ => Err(access.no_resource()),
                }
            }
        }
    }
}

impl fmt::Debug for Protect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protect").field("requirement", &self.requirement).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for Protect {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, protect: Arc::new(self.clone()) }
    }
}

impl<S, B, R> Service<Request<B>> for Guard<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that said it is ready is the one to call; its clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let protect = Arc::clone(&self.protect);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match protect.check(&mut parts).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(response) => Ok(response),
            }
        })
    }
}
