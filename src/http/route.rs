//! What a line of the route table is.

use axum::http::Method;

/// An operation of the server's.
#[derive(Debug)]
pub struct Route {
    /// Its method. What takes GET also takes HEAD.
    pub method: Method,
    /// Its path below the issuer's, with the names of its parameters in braces.
    pub path: &'static str,
}

/// Makes of one table both [`super::ROUTES`], for whoever wants to walk over all operations, and the router
/// that serves them. Each group says who answers the methods that are not in it, and may have something around it.
macro_rules! routes {
    ($(other methods: $refuse:ident $(, around: $around:path)? { $($method:ident $path:expr => $handler:path,)+ })+) => {
        /// Every operation, in the order of the table.
        pub const ROUTES: &[Route] =
            &[$($(Route { method: axum::http::Method::$method, path: $path },)+)+];

        fn endpoints() -> Router<Arc<Node>> {
            Router::new()$(.merge(
                Router::new()
                    $(.route($path, axum::routing::on(axum::routing::MethodFilter::$method, $handler)))+
                    .method_not_allowed_fallback($refuse)
                    $(.route_layer(axum::middleware::from_fn($around)))?,
            ))+
        }
    };
}
pub(super) use routes;
