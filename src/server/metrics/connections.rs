//! The public listener: its requests, its connections and its certificate.

use std::fmt;

use crate::listener::Connections;
use crate::metrics::{Exposition, HttpDurations};

pub(super) fn write(to: &mut Exposition<'_>, http: &HttpDurations, connections: &Connections) -> fmt::Result {
    to.durations(
        "http_server_request_duration_seconds",
        "The time from a request's head to its response's head, by the route's template",
        http.read().map(|([route, method, status], durations)| {
            let labels = [
                ("http_request_method", method),
                ("http_route", route),
                ("http_response_status_code", status),
            ];
            (labels, durations)
        }),
    )?;
    to.gauge("claviger_connections_open", "The open connections", connections.open() as f64)?;
    to.gauge("claviger_connections_limit", "The most open connections", f64::from(connections.limit()))?;
    to.counter("claviger_connections_accepted_total", "The accepted connections", connections.accepted())?;
    to.gauge(
        "claviger_tls_certificate_expiry_timestamp_seconds",
        "When the certificate in use expires; absent if the server does not terminate TLS",
        connections.certificate_expires_at().map(|at| at.unix() as f64),
    )
}
