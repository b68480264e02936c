//! A line of the route table.

use axum::http::Method;

/// An operation of the server.
#[derive(Debug)]
pub struct Route {
    /// The method; `None` for every method. A route for GET also serves HEAD.
    pub method: Option<Method>,
    /// The path below the issuer's, with parameter names in braces. A parameter with `*` matches the rest of the path.
    pub path: &'static str,
}

/// Builds two things from one table: [`super::ROUTES`], which lists every operation, and the router that serves them.
/// Each group names the handler for its other methods, and may name middlewares, the outermost last. `ANY`
/// stands for every method.
macro_rules! routes {
    (@method ANY) => { None };
    (@method $method:ident) => { Some(axum::http::Method::$method) };
    (@serve ANY $handler:path) => { axum::routing::any($handler) };
    (@serve $method:ident $handler:path) => { axum::routing::on(axum::routing::MethodFilter::$method, $handler) };
    ($(other methods: $refuse:ident $(, around: $around:path)* { $($method:ident $path:expr => $handler:path,)+ })+) => {
        /// Every operation, in the order of the table.
        pub const ROUTES: &[Route] =
            &[$($(Route { method: routes!(@method $method), path: $path },)+)+];

        /// The routes of the API, without the console's.
        pub(crate) fn endpoints() -> axum::Router<Arc<Node>> {
            axum::Router::new()$(.merge(
                axum::Router::new()
                    $(.route($path, routes!(@serve $method $handler)))+
                    .method_not_allowed_fallback($refuse)
                    $(.route_layer(axum::middleware::from_fn($around)))*,
            ))+
        }
    };
}
pub(crate) use routes;
