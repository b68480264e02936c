//! Keys that were idle for long: in every order, beside other filters, page by page.

use claviger::base::clock::Timestamp;
use claviger::domain::api_key::KeyId;
use claviger::domain::principal::Principal;
use claviger::store::{KeyFilter, KeyOrder, KeyPosition, KeyQuery, KeySort, StatusFilter, VisibleKeys};

use crate::support::{Backend, START, Server, on_both};

on_both!(keys_idle_for_long_are_found_in_every_order_and_beside_other_filters);

async fn keys_idle_for_long_are_found_in_every_order_and_beside_other_filters(backend: Backend) {
    let server = Server::start(backend).await;
    let mut keys = Vec::new();
    for _ in 0..12 {
        server.advance(10).await;
        keys.push(server.stored_key().await.1);
    }
    // Each third key is used, the oldest one last.
    for key in keys.iter().rev().step_by(3) {
        server.advance(10).await;
        server.client().access_token(key, "").await;
    }
    server.flush().await;
    let project = || Some("default".parse().expect("a project"));
    let narrow = |name: Option<&str>, in_project: bool, status| KeyFilter {
        project: if in_project { project() } else { None },
        name_contains: name.map(str::to_owned),
        status,
        ..KeyFilter::all_of("default".parse().expect("an organization"))
    };
    for by in [KeySort::Creation, KeySort::Name, KeySort::End, KeySort::LastUse] {
        for order in [KeyOrder { by, is_descending: false }, KeyOrder { by, is_descending: true }] {
            for filter in [
                narrow(None, false, StatusFilter::All),
                narrow(Some("adm"), true, StatusFilter::Active),
                narrow(Some("nothing"), true, StatusFilter::All),
                narrow(None, true, StatusFilter::Revoked),
            ] {
                let all = pages(&server, &filter, order, 200).await;
                for seconds in [0, 55, 125, 500] {
                    let moment = START.plus(seconds);
                    let idle = KeyFilter { unused_since: Some(moment), ..filter.clone() };
                    let wanted: Vec<_> = all.iter().filter(|(_, since)| *since < moment).copied().collect();
                    for limit in [3, 200] {
                        let found = pages(&server, &idle, order, limit).await;
                        assert_eq!(found, wanted, "{order:?} {idle:?} {limit}");
                    }
                }
            }
        }
    }
}

/// All keys of a list, and since when each is idle.
async fn pages(server: &Server, filter: &KeyFilter, order: KeyOrder, limit: u16) -> Vec<(KeyId, Timestamp)> {
    let (mut keys, mut after) = (Vec::new(), None::<KeyPosition>);
    loop {
        let query = KeyQuery { visible: VisibleKeys::All, filter: filter.clone(), order, after, limit };
        let reading = server.node.records.store.reading(&Principal::default()).await.expect("a turn");
        let page = reading.keys(query, server.clock.now()).await.expect("a page");
        keys.extend(page.items.iter().map(|key| (key.id, key.last_used_at.unwrap_or(key.created_at))));
        match page.next {
            Some(next) => after = Some(next),
            None => return keys,
        }
    }
}
