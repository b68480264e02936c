//! A guard in front of routes, for every service that is built on tower.

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
use crate::domain::gate_mapping::GateMapping;
use crate::domain::scope::{Resource, Verb};

/// Finds the address at the other end of a request's connection.
type Peer = Arc<dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync>;

/// A layer that refuses requests without a valid credential, and adds an [`Access`] to the extensions of all others. It
/// also serves [`super::ResourceMetadata`] at the URL that its challenges name.
///
/// Put the layer around the whole service, and use [`Protect::open`] for paths that need no credential. A layer sees
/// only the requests that reach it: around a part of the routes, it would not see requests for the metadata. With axum,
/// a merge also drops the layer of a fallback.
///
/// ```
/// use axum::{Router, body::Body, http::Request, routing::get};
/// use claviger::verify::{Access, Verifier};
/// use tower_service::Service;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let verifier = Verifier::builder("http://127.0.0.1:8080", "https://api.example.com")
/// #     .any_organization()
/// #     .environments(["prd"])
/// #     .build()?;
/// async fn whoami(access: Access) -> String {
///     access.subject().to_owned()
/// }
///
/// let mut app = Router::new()
///     .route("/whoami", get(whoami))
///     .route("/health", get(|| async { "ok" }))
///     .layer(verifier.layer().open(["/health"]));
///
/// let response = app.call(Request::get("/whoami").body(Body::empty())?).await?;
/// assert_eq!(response.status(), 401);
/// let response = app.call(Request::get("/health").body(Body::empty())?).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Protect {
    verifier: Verifier,
    peer: Peer,
    requirement: Requirement,
    open: BTreeSet<String>,
}

/// What a layer requires of an authenticated caller.
#[derive(Clone, Debug)]
enum Requirement {
    /// Nothing. The handlers call [`Access::require`].
    Nothing,
    /// A scope that allows this action, for every request.
    Scope(Verb, Resource),
    /// A scope that allows the action that the method and the path stand for, as at the issuer's gate.
    Mapping(GateMapping),
}

/// A service behind [`Protect`].
///
/// ```
/// use std::convert::Infallible;
/// use std::future::{Ready, ready};
/// use std::task::{Context, Poll};
///
/// use claviger::verify::{Guard, Verifier};
/// use http::{Request, Response};
/// use tower_layer::Layer;
/// use tower_service::Service;
///
/// #[derive(Clone)]
/// struct Hello;
///
/// impl Service<Request<()>> for Hello {
///     type Response = Response<String>;
///     type Error = Infallible;
///     type Future = Ready<Result<Response<String>, Infallible>>;
///
///     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
///         Poll::Ready(Ok(()))
///     }
///
///     fn call(&mut self, _: Request<()>) -> Self::Future {
///         ready(Ok(Response::new("hello".to_owned())))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let verifier = Verifier::builder("http://127.0.0.1:8080", "https://api.example.com")
/// #     .any_organization()
/// #     .environments(["prd"])
/// #     .build()?;
/// let mut guarded: Guard<Hello> = verifier.layer().layer(Hello);
/// let response = guarded.call(Request::new(())).await?;
/// assert_eq!(response.status(), 401);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Guard<S> {
    inner: S,
    protect: Arc<Protect>,
}

impl Verifier {
    /// A layer with this verifier. Tell it with [`Protect::peer`] how to find the peer's address.
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
    /// How to find the address at the other end of a connection. With axum, it is in the extension `ConnectInfo`.
    /// Without it, every credential that is bound to address ranges is refused.
    #[must_use]
    pub fn peer(self, peer: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self { peer: Arc::new(peer), ..self }
    }

    /// Lets requests for exactly these paths through without a credential, for example for health checks. Paths are
    /// compared without decoding.
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

    /// Requires a scope that allows the action that `mapping` derives from a request's method and path. Paths are not
    /// decoded: a path that is not literals joined by slashes is refused.
    #[must_use]
    pub fn require_by(self, mapping: GateMapping) -> Self {
        Self { requirement: Requirement::Mapping(mapping), ..self }
    }

    /// Answers a request, or lets it through with the [`Access`] of its sender.
    async fn check<B: From<String>>(&self, parts: &mut Parts) -> Result<(), Response<B>> {
        if let Some(metadata) = self.metadata(parts) {
            return Err(metadata);
        }
        if self.open.contains(parts.uri.path()) {
            return Ok(());
        }
        let peer = (self.peer)(parts);
        let access = self.verifier.authenticate_request(parts, peer).await;
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
        // `poll_ready` was called on this instance, so this one is called, and the clone replaces it.
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
