//! What a line of the route table is.

use axum::http::Method;

/// An operation of the server's.
#[derive(Debug)]
pub struct Route {
    /// Its method, if it does not take any. What takes GET also takes HEAD.
    pub method: Option<Method>,
    /// Its path below the issuer's, with the names of its parameters in braces. One with a `*` is all of the rest.
    pub path: &'static str,
}

/// Makes of one table both [`super::ROUTES`], for whoever wants to walk over all operations, and the router
/// that serves them. Each group says who answers the methods that are not in it, and may have something around it.
/// `ANY` is every method.
macro_rules! routes {
    (@method ANY) => { None };
    (@method $method:ident) => { Some(axum::http::Method::$method) };
    (@serve ANY $handler:path) => { axum::routing::any($handler) };
    (@serve $method:ident $handler:path) => { axum::routing::on(axum::routing::MethodFilter::$method, $handler) };
    ($(other methods: $refuse:ident $(, around: $around:path)? { $($method:ident $path:expr => $handler:path,)+ })+) => {
        /// Every operation, in the order of the table.
        pub const ROUTES: &[Route] =
            &[$($(Route { method: routes!(@method $method), path: $path },)+)+];

        /// The routes of the API, without the console's.
        pub(crate) fn endpoints() -> axum::Router<Arc<Node>> {
            axum::Router::new()$(.merge(
                axum::Router::new()
                    $(.route($path, routes!(@serve $method $handler)))+
                    .method_not_allowed_fallback($refuse)
                    $(.route_layer(axum::middleware::from_fn($around)))?,
            ))+
        }
    };
}
pub(crate) use routes;
