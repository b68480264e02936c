//! Whatever somebody sends to the portal, somebody else at another address gets in.

use claviger::domain::address::AddressPolicy;
use tokio::task::JoinSet;

use super::browser::{code, session};
use crate::support::{Answer, Backend, Options, Server, forged, in_time, on_both};

on_both!(wrong_codes_and_sessions_without_end_stop_nobody_else);

/// Whoever makes noise, and whoever wants to get in.
const NOISY: &str = "192.0.2.1";
const QUIET: &str = "198.51.100.7";

/// Requests at once that somebody makes. Each is made so many times.
const AT_ONCE: usize = 16;
const TIMES: usize = 6;

async fn wrong_codes_and_sessions_without_end_stop_nobody_else(backend: Backend) {
    let proxies = "127.0.0.0/8".parse().unwrap();
    let addresses = AddressPolicy { proxies, ..AddressPolicy::default() };
    let server = Server::start_with(backend, Options { addresses, ..Options::default() }).await;
    let noisy = server.client().with("origin", &server.url("")).with("x-forwarded-for", NOISY);
    let quiet = server.client().with("origin", &server.url("")).with("x-forwarded-for", QUIET);
    let (vendor, used) = (server.admin(), code(&server.admin(), &session("noisy")).await);
    let mut noise = JoinSet::new();
    for at in 0..AT_ONCE {
        let (browser, vendor, used) = (noisy.clone(), vendor.clone(), used.clone());
        noise.spawn(async move {
            let mut statuses = Vec::new();
            for time in 0..TIMES {
                let code = match (at + time) % 4 {
                    0 => "wrong".to_owned(),
                    1 => forged(&used),
                    2 => used.clone(),
                    // Each session of a user beyond the twentieth ends another one.
                    _ => code(&vendor, &session("noisy")).await,
                };
                statuses.push(browser.post_form("/portal", &format!("code={code}")).await.status);
            }
            statuses
        });
    }
    let (mut round, mut seen) = (0, Vec::new());
    let shown = async |answer: &Answer| {
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        quiet.with("cookie", &cookie).get("/portal/orgs/default/keys").await.status
    };
    loop {
        let code = code(&server.admin(), &session("quiet")).await;
        let opened = in_time("the quiet one", quiet.post_form("/portal", &format!("code={code}"))).await;
        assert_eq!(opened.status, 303, "round {round}: {}", opened.text);
        assert_eq!(shown(&opened).await, 200, "round {round}");
        round += 1;
        while let Some(statuses) = noise.try_join_next() {
            seen.extend(statuses.expect("answers"));
        }
        if noise.is_empty() {
            break;
        }
    }
    assert!(seen.contains(&429) && seen.contains(&303) && !seen.contains(&500), "{seen:?}");
}
