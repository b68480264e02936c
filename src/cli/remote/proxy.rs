//! Finds the proxy in the environment, by curl's rules.

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::cli::CliError;
use crate::cli::failure::UsageError;
use crate::cli::variables::variable;
use crate::client::{BaseUrl, Proxy};

/// The default port of an http:// proxy, as in curl.
const DEFAULT_PORT: u16 = 1080;

/// The proxy for `server`: from `https_proxy` or `http_proxy`, otherwise from `all_proxy`, unless `no_proxy` lists the
/// server. Lower-case names take precedence. Loopback never uses a proxy, because the credential would leave the
/// machine.
pub(super) fn find_proxy(server: &BaseUrl) -> Result<Option<Proxy>, CliError> {
    let own = if server.is_https() { ["https_proxy", "HTTPS_PROXY"] } else { ["http_proxy", "HTTP_PROXY"] };
    let named = match first(own)? {
        Some(named) => Some(named),
        None => first(["all_proxy", "ALL_PROXY"])?,
    };
    let Some((variable, url)) = named.filter(|_| !server.is_loopback()) else { return Ok(None) };
    let destination: Uri = server.to_string().parse().map_err(CliError::failed)?;
    let intercept = Matcher::builder().all(&url).build().intercept(&destination);
    let proxy = intercept.as_ref().and_then(as_proxy);
    let (url, authorization) = proxy.ok_or(UsageError::Proxy(variable))?;
    // curl also accepts spaces between the names.
    let exceptions = first(["no_proxy", "NO_PROXY"])?.map(|(_, list)| list.replace(' ', ","));
    let may_pass = Matcher::builder().all("http://proxy").no(exceptions.unwrap_or_default()).build();
    if may_pass.intercept(&destination).is_none() {
        return Ok(None);
    }
    Ok(Some(Proxy::new(url, authorization)?))
}

/// The first variable that is set and not empty, with its name.
fn first(names: [&'static str; 2]) -> Result<Option<(&'static str, String)>, CliError> {
    for name in names {
        if let Some(value) = variable(name)? {
            return Ok(Some((name, value)));
        }
    }
    Ok(None)
}

fn as_proxy(intercept: &Intercept) -> Option<(BaseUrl, Option<hyper::header::HeaderValue>)> {
    let uri = intercept.uri();
    let mut url = uri.to_string();
    if uri.scheme_str() == Some("http") && uri.port().is_none() {
        url = format!("http://{}:{DEFAULT_PORT}", uri.host()?);
    }
    Some((url.parse().ok()?, intercept.basic_auth().cloned()))
}
