//! Which keys of an organization are used most, on its page of use and as CSV.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, START, Server, on_both};

const USAGE: &str = "/console/orgs/default/usage";
const CSV: &str = "/console/orgs/default/usage-by-key.csv";
const DAY: i64 = 86_400;

on_both!(
    the_busiest_keys_come_first_and_are_counted_exactly,
    other_organizations_and_projects_stay_apart,
    totals_are_those_of_the_keys_below_them,
    names_are_for_those_who_may_read_the_key,
    one_goes_from_month_to_month,
    a_month_that_there_is_none_of_is_refused,
    a_download_has_more_and_no_formulas,
);

/// So many tokens of a key.
async fn use_it(server: &Server, key: &str, times: usize) {
    for _ in 0..times {
        server.client().access_token(key, "").await;
    }
}

async fn named(server: &Server, name: &str) -> (String, String) {
    server.key_from(json!({ "name": name, "preset": "query_only" })).await
}

/// The part of the page that is about keys.
fn part(page: &str) -> &str {
    page.split_once(r#"id="by-key""#).unwrap_or_else(|| panic!("no keys: {page}")).1
}

/// For each row its id, its name if it has one, and its numbers.
fn rows(page: &str) -> Vec<(String, Option<String>, [u64; 3])> {
    let table = part(page).split_once("<tbody>").map_or("", |(_, rest)| rest);
    let between = |text: &str, before: &str, after: &str| {
        Some(text.split_once(before)?.1.split_once(after)?.0.to_owned())
    };
    let row = |row: &str| {
        let name = between(row, "row-link", "</a>").and_then(|link| between(&link, "<bdi>", "</bdi>"));
        let numbers: Vec<u64> = row
            .split(r#"<td class="number">"#)
            .filter_map(|cell| cell.split('<').next()?.parse().ok())
            .collect();
        (between(row, "<code>", "</code>").unwrap(), name, numbers.try_into().unwrap())
    };
    table.split("<tr>").skip(1).map(row).collect()
}

async fn the_busiest_keys_come_first_and_are_counted_exactly(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for (span, period) in [("hours", "Today, 1 January 2026 (UTC)"), ("days", "January 2026 (UTC)")] {
        let page = browser.page(&format!("{USAGE}?span={span}")).await;
        assert!(part(&page).contains(&format!("By key: {period}</h2>")), "{page}");
        assert!(part(&page).contains("No key was used in this period."), "{page}");
        assert!(!page.contains("usage-by-key.csv"), "there is nothing in it: {page}");
    }
    let (quiet, quiet_key) = named(&server, "quiet").await;
    let (busy, busy_key) = named(&server, "<b>busy</b>").await;
    use_it(&server, &quiet_key, 2).await;
    use_it(&server, &busy_key, 3).await;
    server.flush().await;
    let expected = |busy_uses, refused| {
        vec![
            (busy.clone(), Some("&#60;b&#62;busy&#60;/b&#62;".to_owned()), [busy_uses, 0, refused]),
            (quiet.clone(), Some("quiet".to_owned()), [2, 0, 0]),
        ]
    };
    for span in ["hours", "days"] {
        let page = browser.page(&format!("{USAGE}?span={span}")).await;
        // The administrator has used a key as well, to sign in and to make these.
        let mut shown = rows(&page);
        shown.retain(|(_, name, _)| name.as_deref() != Some("Administrator"));
        assert_eq!(shown, expected(3, 0), "{span}");
    }

    // The order is that of all use, and what is flushed later is added.
    use_it(&server, &busy_key, 20).await;
    let overlap = json!({ "overlap_seconds": 0 });
    let rotate = format!("/v1/orgs/default/keys/{busy}/rotate");
    server.admin().post_json(&rotate, &overlap).await.done(201);
    assert_eq!(server.client().token(&busy_key, "").await.status, 401);
    server.flush().await;
    let page = browser.page(USAGE).await;
    assert_eq!(rows(&page)[0], expected(23, 1)[0]);
    assert!(page.contains(&format!(r#"href="/console/orgs/default/keys/{busy}""#)), "{page}");
    assert!(part(&page).contains(r#"value="100""#) && part(&page).contains("<td>default <"), "{page}");
    // The next day begins anew, and its month goes on.
    server.advance(DAY).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    use_it(&server, &quiet_key, 40).await;
    server.flush().await;
    let today = rows(&browser.page(&format!("{USAGE}?span=hours")).await);
    assert_eq!(today[0], (quiet.clone(), Some("quiet".to_owned()), [40, 0, 0]));
    assert!(today.iter().all(|(id, ..)| *id != busy));
    let month = rows(&browser.page(USAGE).await);
    assert_eq!((&month[0].0, month[0].2, &month[1].0, month[1].2), (&quiet, [42, 0, 0], &busy, [23, 0, 1]));
}

async fn other_organizations_and_projects_stay_apart(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs", &json!({ "id": "other" })).await.done(201);
    server.admin().post_json("/v1/orgs/other/projects", &json!({ "id": "web" })).await.done(201);
    let elsewhere =
        json!({ "name": "elsewhere", "project": "web", "environment": "prd", "preset": "query_only" });
    let elsewhere = server.admin().post_json("/v1/orgs/other/keys", &elsewhere).await.json();
    let (id, key) = named(&server, "here").await;
    use_it(&server, elsewhere["key"].as_str().unwrap(), 5).await;
    use_it(&server, &key, 1).await;
    server.flush().await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let here = rows(&browser.page(USAGE).await);
    assert!(here.contains(&(id, Some("here".to_owned()), [1, 0, 0])), "{here:?}");
    assert!(here.iter().all(|(_, name, _)| name.as_deref() != Some("elsewhere")), "{here:?}");
    let there = rows(&browser.page("/console/orgs/other/usage").await);
    let id = elsewhere["id"].as_str().unwrap().to_owned();
    assert_eq!(there, [(id, Some("elsewhere".to_owned()), [5, 0, 0])]);
    let of_project = browser.page(&format!("{USAGE}?project=default")).await;
    assert!(of_project.contains("This table covers all projects"), "{of_project}");
    assert!(!of_project.contains(r#"id="by-key""#), "{of_project}");
}

/// The numbers of the chart, which the legend has.
fn totals(page: &str) -> Vec<u64> {
    let (_, legend) = page.split_once(r#"<dl class="legend">"#).unwrap();
    let numbers = legend.split_once("</dl>").unwrap().0.split("<dd>").skip(1);
    numbers.map(|number| number.split('<').next().unwrap().parse().unwrap()).collect()
}

async fn totals_are_those_of_the_keys_below_them(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = named(&server, "steady").await;
    // On the last day of a month, and on the second and the third of the next.
    for (days, times) in [(30, 2), (2, 3), (1, 4)] {
        server.advance(days * DAY).await;
        use_it(&server, &key, times).await;
        server.flush().await;
    }
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for (query, tokens) in
        [("span=hours", 4), ("", 7), ("month=2026-01", 2), ("span=months&month=2026-01", 2)]
    {
        let page = browser.page(&format!("{USAGE}?{query}")).await;
        let of_keys = rows(&page);
        let sum = |at: usize| of_keys.iter().map(|(_, _, numbers)| numbers[at]).sum::<u64>();
        assert_eq!(totals(&page), [sum(0), sum(1), sum(2)], "{query}");
        assert_eq!(sum(0), tokens, "{query}");
    }
    let years = browser.page(&format!("{USAGE}?span=months")).await;
    assert_eq!(totals(&years)[0], 9);
    assert!(
        years.contains("Keys are compared within a day or a month.") && !years.contains(r#"id="by-key""#)
    );
    assert!(
        years.contains(r#"href="/console/orgs/default/usage?span=days&#38;month=2026-02#by-key""#),
        "{years}"
    );
}

async fn names_are_for_those_who_may_read_the_key(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs/default/projects", &json!({ "id": "web" })).await.done(201);
    let (here, here_key) = named(&server, "of default").await;
    let web = json!({ "name": "of web", "project": "web", "preset": "query_only" });
    let (there, there_key) = server.key_from(web).await;
    let (gone, gone_key) = named(&server, "gone").await;
    let usage = "read:claviger/orgs/default/usage";
    let (_, blind) = server.key(&[usage]).await;
    let (_, of_web) = server.key(&[usage, "read:claviger/orgs/default/projects/web/keys/*"]).await;
    for (key, times) in [(&gone_key, 30), (&there_key, 29), (&here_key, 28)] {
        use_it(&server, key, times).await;
    }
    server.flush().await;
    assert_eq!(server.admin().delete(&format!("/v1/orgs/default/keys/{gone}")).await.status, 204);
    for (reader, names) in [
        (&server.admin_key, [None, Some("of web"), Some("of default")]),
        (&of_web, [None, Some("of web"), None]),
        (&blind, [None, None, None]),
    ] {
        let browser = Browser::signed_in(&server, reader).await;
        let page = browser.page(USAGE).await;
        let expected: Vec<_> =
            [&gone, &there, &here].into_iter().cloned().zip(names).zip([30, 29, 28]).collect();
        let shown = rows(&page);
        let shown = shown.iter().take(3).map(|(id, name, used)| ((id.clone(), name.as_deref()), used[0]));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        let table = browser.get(CSV).await.text;
        for ((id, name), _) in expected {
            let is_named = name.is_some();
            assert_eq!(
                page.contains(&format!(r#"href="/console/orgs/default/keys/{id}""#)),
                is_named,
                "{page}"
            );
            assert_eq!(table.contains(&format!("\r\n{id},,,,")), !is_named, "{table}");
        }
        for hidden in ["of web", "of default", "gone"].iter().filter(|name| !names.contains(&Some(**name))) {
            assert!(!page.contains(&format!(">{hidden}<")) && !table.contains(hidden), "{page} {table}");
        }
    }
}

async fn one_goes_from_month_to_month(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = named(&server, "old").await;
    use_it(&server, &key, 7).await;
    server.flush().await;
    server.advance(40 * DAY).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let link = |span: &str, month: &str, rel: &str| {
        format!(r#"href="/console/orgs/default/usage?span={span}&#38;month={month}" rel="{rel}""#)
    };
    let now = browser.page(USAGE).await;
    assert!(
        now.contains("By key: February 2026 (UTC)") && now.contains(&link("days", "2026-01", "prev")),
        "{now}"
    );
    assert!(!now.contains(r#"rel="next""#), "{now}");
    assert!(!rows(&now).iter().any(|row| row.0 == id));
    let before = browser.page(&format!("{USAGE}?span=days&month=2026-01")).await;
    assert!(before.contains("By key: January 2026 (UTC)"), "{before}");
    assert!(before.contains(&link("days", "2025-12", "prev")), "{before}");
    assert!(before.contains(&link("days", "2026-02", "next")), "{before}");
    assert!(rows(&before).contains(&(id.clone(), Some("old".to_owned()), [7, 0, 0])), "{before}");
    assert!(before.contains(r#"href="/console/orgs/default/usage-by-key.csv?span=days&#38;month=2026-01""#));
    let table = browser.get(&format!("{CSV}?span=days&month=2026-01")).await;
    assert!(table.text.contains(&format!("{id},old,default,")), "{}", table.text);
    let name = table.header("content-disposition");
    assert_eq!(name, r#"attachment; filename="default-usage-by-key-2026-01.csv""#);
    let today = browser.page(&format!("{USAGE}?span=hours&month=2026-01")).await;
    assert!(today.contains("By key: Today, 10 February 2026 (UTC)"), "{today}");
    assert!(!today.contains(r#"rel="prev""#), "{today}");
    // The oldest month that there is something to know of has none before it.
    let oldest = browser.page(&format!("{USAGE}?month=2023-12")).await;
    assert!(
        !oldest.contains(r#"rel="prev""#) && oldest.contains(&link("days", "2024-01", "next")),
        "{oldest}"
    );
}

async fn a_month_that_there_is_none_of_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    assert_eq!(server.clock.now(), START);
    for (bad, said) in [
        ("month=2026", "Month: must be a month such as 2026-11."),
        ("month=2026-13", "Month: must be a month such as 2026-11."),
        ("month=2026-01-01", "Month: must be a month such as 2026-11."),
        ("month=%3Cb%3E", "Month: must be a month such as 2026-11."),
        ("month=2026-02", "2026-02 has not begun."),
        ("month=2023-09", "Totals of this length are available since 2023-10."),
        ("month=2026-01&month=2026-01", "Month appears twice."),
    ] {
        for path in [USAGE, CSV] {
            let refused = browser.get(&format!("{path}?{bad}")).await;
            assert_eq!(refused.status, 400, "{path} {bad}");
            assert!(refused.text.contains(said), "{path} {bad}: {}", refused.text);
        }
    }
    assert_eq!(browser.get(&format!("{CSV}?project=default")).await.status, 400);
    assert!(browser.page(&format!("{USAGE}?month=")).await.contains("By key: January 2026 (UTC)"));
}

async fn a_download_has_more_and_no_formulas(backend: Backend) {
    let server = Server::start(backend).await;
    let hostile = ["=1+1", "+1", "-1", "@a", "a,\"b\""];
    let mut expected = Vec::new();
    for (at, name) in hostile.iter().enumerate() {
        let (id, key) = named(&server, name).await;
        use_it(&server, &key, 40 - at).await;
        expected.push((id, 40 - at));
    }
    // More keys than the page shows.
    let mut others = Vec::new();
    for _ in 0..20 {
        let (id, key) = server.stored_key().await;
        use_it(&server, &key, 2).await;
        others.push(id.to_string());
    }
    server.flush().await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = browser.page(USAGE).await;
    assert_eq!(rows(&page).len(), 20);
    let answer = browser.get(CSV).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    let text = answer.text.strip_prefix('\u{feff}').expect("the mark that Excel needs");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    let columns = "key_id,name,project,environment,tokens,direct,refused_revoked,refused_expired,refused_disabled,\
                   refused_address,refused_secret,refused_proof";
    assert_eq!(lines[0], columns);
    for (at, name) in ["'=1+1", "'+1", "'-1", "'@a", "\"a,\"\"b\"\"\""].iter().enumerate() {
        let (id, times) = &expected[at];
        let line = lines.iter().find(|line| line.starts_with(id.as_str())).unwrap();
        assert_eq!(*line, format!("{id},{name},default,prd,{times},0,0,0,0,0,0,0"));
    }
    for id in &others {
        assert!(answer.text.contains(&format!("\r\n{id},")), "{id} is in the download: {}", answer.text);
    }
}
