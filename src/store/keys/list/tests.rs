use sqlx::{Postgres, QueryBuilder, Sqlite};

use super::*;
use crate::domain::api_key::KeyId;
use crate::domain::names::ProjectId;
use crate::store::Store;
use crate::store::db::{Either, plan};
use crate::store::keys::filter::StatusFilter;
use crate::store::keys::postgres_plans;
use crate::store::keys::{joined, select_key};
use crate::store::pool::Pool;

/// The orders, the table that provides each, and the index that the table has for it.
const ORDERS: [(KeySort, &str, &str); 4] = [
    (KeySort::Creation, "api_keys", "api_keys_by_organization"),
    (KeySort::Name, "api_keys", "api_keys_by_name"),
    (KeySort::End, "api_keys", "api_keys_by_end"),
    (KeySort::LastUse, "key_last_use", "key_last_use_by_time"),
];

const NOW: Timestamp = Timestamp::from_unix(1_000_000);

/// Each kind of filter alone, and all together.
fn filters() -> Vec<(&'static str, KeyFilter, VisibleKeys)> {
    let active = KeyFilter::all_of("acme".parse().unwrap());
    let with = |set: &dyn Fn(&mut KeyFilter)| {
        let mut filter = active.clone();
        set(&mut filter);
        filter
    };
    let project: Option<ProjectId> = Some("web".parse().unwrap());
    let key: Option<KeyId> = Some("key_0000000000000001".parse().unwrap());
    let everything = |filter: &mut KeyFilter| {
        filter.project.clone_from(&project);
        filter.environment = Some("prd".parse().unwrap());
        filter.status = StatusFilter::Expired;
        filter.name_contains = Some("ci".into());
        filter.or_elsewhere = true;
        filter.tags = vec!["team:billing".parse().unwrap(), "tier".parse().unwrap()];
        filter.owner = Some("Finance".parse().unwrap());
        filter.created_by = Some("bootstrap".into());
        filter.unused_since = Some(NOW);
        filter.expires_before = Some(NOW);
        filter.any_address = true;
    };
    let prefix = |filter: &mut KeyFilter| {
        filter.name_contains = Some("clv_prd_4f2a…".into());
        filter.or_elsewhere = true;
    };
    vec![
        ("active", active.clone(), VisibleKeys::All),
        ("a project", with(&|filter| filter.project.clone_from(&project)), VisibleKeys::All),
        ("unused", with(&|filter| filter.unused_since = Some(NOW)), VisibleKeys::All),
        ("a tag", with(&|filter| filter.tags = vec!["team:billing".parse().unwrap()]), VisibleKeys::All),
        ("everything", with(&everything), VisibleKeys::All),
        ("a prefix", with(&prefix), VisibleKeys::All),
        ("named keys", with(&|filter| filter.ids = Some(key.into_iter().collect())), VisibleKeys::All),
        ("one visible project", active.clone(), VisibleKeys::Only(vec![(project.clone(), None)])),
        (
            "a visible project and a key",
            active.clone(),
            VisibleKeys::Only(vec![(project, None), (None, key)]),
        ),
        ("a visible key", active, VisibleKeys::Only(vec![(None, key)])),
    ]
}

/// The second page by this order, with each filter.
fn queries(by: KeySort, is_descending: bool) -> Vec<(&'static str, KeyQuery)> {
    let order = KeyOrder { by, is_descending };
    let after = || Some(KeyPosition::example(by));
    let query =
        |(name, filter, visible)| (name, KeyQuery { visible, filter, order, after: after(), limit: 50 });
    filters().into_iter().map(query).collect()
}

/// A statement with a line for each clause.
fn in_lines(statement: &str) -> String {
    let mut text = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let whole = [select_key!(), joined!()].map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    text = text.replace(&whole[0], "SELECT … FROM").replace(&whole[1], "k JOIN … ");
    for clause in ["FROM", "CROSS JOIN", "WHERE", "AND", "ORDER BY", "LIMIT"] {
        text = text.replace(&format!(" {clause} "), &format!("\n  {clause} "));
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_order_has_one_statement_for_each_filter() {
    for (by, ..) in ORDERS {
        let mut statements = Vec::new();
        for is_descending in [true, false] {
            for (name, query) in queries(by, is_descending) {
                let direction = if is_descending { "down" } else { "up" };
                let end = select_stretch_end::<Postgres>(&query, 2_000);
                statements.push(format!(
                    "-- {name}, {direction}: the end of the stretch\n{}",
                    in_lines(end.sql().as_str())
                ));
                let stretch = Stretch { end: KeyPosition::example(by), length: 2_000 };
                let select = select_keys::<Postgres>(&query, Some(&stretch), NOW);
                statements
                    .push(format!("-- {name}, {direction}: the page\n{}", in_lines(select.sql().as_str())));
            }
        }
        insta::assert_snapshot!(format!("statements_by_{by:?}"), statements.join("\n\n"));
    }
}

#[test]
fn every_status_has_its_own_condition() {
    use StatusFilter as S;

    let conditions = [S::Active, S::Disabled, S::Expired, S::Revoked, S::Unrevoked, S::All].map(|status| {
        let filter = KeyFilter { status, ..KeyFilter::all_of("acme".parse().unwrap()) };
        let mut sql = QueryBuilder::<Postgres>::new("");
        filter.push(&mut sql, NOW);
        format!("{status:?}:{}", sql.sql().as_str())
    });
    insta::assert_snapshot!("conditions_by_status", conditions.join("\n"));
}

#[tokio::test]
async fn sqlite_plans_every_page_as_the_snapshots_say() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
    let Either::Sqlite(pool) = &store.db else { unreachable!() };
    for (by, ..) in ORDERS {
        let mut plans = Vec::new();
        for (name, query) in queries(by, true) {
            let stretch = Stretch { end: KeyPosition::example(by), length: 2_000 };
            let steps = plan(pool, select_keys::<Sqlite>(&query, Some(&stretch), NOW).sql().as_str()).await;
            plans.push(format!("{name}:\n  {}", steps.join("\n  ")));
        }
        insta::assert_snapshot!(format!("sqlite_plans_by_{by:?}"), plans.join("\n"));
    }
}

#[tokio::test]
async fn named_keys_are_found_by_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
    let Either::Sqlite(pool) = &store.db else { unreachable!() };
    let ids = Some(vec!["key_0000000000000001".parse().unwrap()]);
    let filter = KeyFilter { ids, ..KeyFilter::all_of("acme".parse().unwrap()) };
    let query =
        KeyQuery { visible: VisibleKeys::All, filter, order: KeyOrder::default(), after: None, limit: 50 };
    let steps = plan(pool, select_keys::<Sqlite>(&query, None, NOW).sql().as_str()).await;
    assert!(steps[1].contains("INDEX sqlite_autoindex_api_keys_1 (id=?)"), "{steps:?}");
}

#[tokio::test]
async fn a_count_scans_one_stretch_of_the_newest_keys() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
    let Either::Sqlite(pool) = &store.db else { unreachable!() };
    for (name, mut query) in queries(KeySort::Creation, true) {
        query.after = None;
        let stretch = Stretch { end: KeyPosition::example(KeySort::Creation), length: 12_000 };
        let steps =
            plan(pool, count_keys::<Sqlite>(&query, Some(&stretch), 10_001, NOW).sql().as_str()).await;
        let is_bounded = |step: &&String| {
            step.contains("INDEX api_keys_by_") && step.contains("created_seq>?") || step.contains("(id=?)")
        };
        assert!(steps.iter().any(|step| is_bounded(&step)), "{name}: {steps:?}");
        assert!(!steps.iter().any(|step| step.starts_with("SCAN api_keys")), "{name}: {steps:?}");
    }
}

#[tokio::test]
async fn every_order_is_read_off_an_index_from_any_position_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
    let Either::Sqlite(pool) = &store.db else { unreachable!() };
    for (by, index) in [
        (KeySort::Creation, "api_keys_by_organization (organization=? AND created_seq"),
        (KeySort::Name, "api_keys_by_name (organization=? AND (name_folded,created_seq)"),
        (KeySort::End, "api_keys_by_end (organization=? AND (ends_at,created_seq)"),
        (KeySort::LastUse, "key_last_use_by_time (organization=? AND (idle_since,created_seq)"),
    ] {
        for is_descending in [false, true] {
            let (filter, order) =
                (KeyFilter::all_of("acme".parse().unwrap()), KeyOrder { by, is_descending });
            let after = Some(KeyPosition::example(by));
            let query = KeyQuery { visible: VisibleKeys::All, filter, order, after, limit: 50 };
            let of_end = plan(pool, select_stretch_end::<Sqlite>(&query, 1_000).sql().as_str()).await;
            // A single step: the index also provides the order.
            assert!(of_end.len() == 1 && of_end[0].contains(index), "{of_end:?}");
            let select = select_keys::<Sqlite>(&query, None, Timestamp::from_unix(1));
            let of_page = plan(pool, select.sql().as_str()).await;
            let scan: Vec<_> = of_page.iter().take_while(|step| *step != "SCAN k").collect();
            assert!(scan[0] == "CO-ROUTINE k" && scan[1].contains(index), "{of_page:?}");
            assert!(!scan.iter().any(|step| step.contains("TEMP B-TREE")), "{of_page:?}");
        }
    }
}

#[tokio::test]
async fn how_long_a_key_was_idle_is_read_off_an_index_in_every_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
    let Either::Sqlite(pool) = &store.db else { unreachable!() };
    for (by, index) in [
        (KeySort::Creation, "COVERING INDEX key_last_use_by_creation (organization=? AND created_seq=? AND"),
        (KeySort::Name, "COVERING INDEX key_last_use_by_creation (organization=? AND created_seq=? AND"),
        (KeySort::End, "COVERING INDEX key_last_use_by_creation (organization=? AND created_seq=? AND"),
        (KeySort::LastUse, "INDEX key_last_use_by_time (organization=? AND idle_since<?"),
    ] {
        let unused_since = Some(Timestamp::from_unix(1));
        let filter = KeyFilter { unused_since, ..KeyFilter::all_of("acme".parse().unwrap()) };
        let order = KeyOrder { by, is_descending: true };
        let query = KeyQuery { visible: VisibleKeys::All, filter, order, after: None, limit: 50 };
        let stretch = Stretch { end: KeyPosition::example(by), length: 1_000 };
        let select = select_keys::<Sqlite>(&query, Some(&stretch), Timestamp::from_unix(1));
        let steps = plan(pool, select.sql().as_str()).await;
        assert!(steps.iter().any(|step| step.contains(index)), "{by:?}: {steps:?}");
    }
}

#[tokio::test]
async fn postgres_reads_every_order_off_its_index_from_any_position_on() {
    let Some(store) = postgres_plans::store("orders").await else { return };
    let Either::Postgres(pool) = &store.db else { unreachable!() };
    fill(pool).await;
    for (by, table, index) in ORDERS {
        for is_descending in [false, true] {
            let direction = if is_descending { " Backward" } else { "" };
            for (name, query) in queries(by, is_descending) {
                // PostgreSQL may find named keys by their ids, and sort those few.
                let is_named = matches!(&query.visible, VisibleKeys::Only(pairs) if pairs.iter().any(|(_, key)| key.is_some()));
                if is_named || query.filter.ids.is_some() {
                    continue;
                }
                // An index begins with the project where that confines a list by creation.
                let index = match query.project() {
                    Some(_) if by == KeySort::Creation => "api_keys_by_project",
                    _ => index,
                };
                let is_expected = |step: &str| {
                    [format!("Index Scan{direction}"), format!("Index Only Scan{direction}")]
                        .iter()
                        .any(|scan| step.contains(&format!("{scan} using {index} on {table}")))
                };
                let of_end =
                    postgres_plans::of(pool, select_stretch_end::<Postgres>(&query, 200).build()).await;
                assert!(of_end.iter().any(|step| is_expected(step)), "{by:?}, {name}: {of_end:#?}");
                assert!(!of_end.iter().any(|step| step.contains("Sort")), "{by:?}, {name}: {of_end:#?}");

                let stretch = Stretch { end: KeyPosition::example_far(by, is_descending), length: 200 };
                let of_page =
                    postgres_plans::of(pool, select_keys::<Postgres>(&query, Some(&stretch), NOW).build())
                        .await;
                // What is above the innermost limit joins and sorts the keys of one stretch.
                let stretch = below_the_last(&of_page, "Limit");
                assert!(stretch.iter().any(|step| is_expected(step)), "{by:?}, {name}: {of_page:#?}");
                assert!(!stretch.iter().any(|step| step.contains("Sort")), "{by:?}, {name}: {of_page:#?}");
                assert!(!of_page.iter().any(|step| is_whole_table(step)), "{by:?}, {name}: {of_page:#?}");
            }
        }
    }
}

/// Whether a step reads every row about keys.
fn is_whole_table(step: &str) -> bool {
    ["api_keys", "key_last_use"].iter().any(|table| step.contains(&format!("Seq Scan on {table}")))
}

/// The steps below the last one of this name.
fn below_the_last<'p>(steps: &'p [String], name: &str) -> &'p [String] {
    let indent = |step: &String| step.len() - step.trim_start().len();
    let last = steps.iter().rposition(|step| step.trim_start_matches([' ', '-', '>']) == name).unwrap();
    let below = &steps[last + 1..];
    let end = below.iter().position(|step| indent(step) <= indent(&steps[last]));
    &below[..end.unwrap_or(below.len())]
}

/// A thousand keys of one organization among forty thousand, in another order by each value.
async fn fill(pool: &Pool<Postgres>) {
    const KEYS: &str = "
        INSERT INTO organizations (id, name, created_at) VALUES ('acme', 'Acme', 0), ('other', 'Other', 0);
        INSERT INTO projects (organization, id, name, environments, created_at)
            SELECT id, project, project, 'prd', 0 FROM organizations, (VALUES ('web'), ('app')) AS t (project);
        INSERT INTO api_keys (id, created_seq, organization, project, environment, brand, name, name_folded, scopes,
                              cidrs, generation, created_at, created_by, expires_at, ends_at)
            SELECT 'key_' || lpad(n::text, 16, '0'), n, CASE n % 40 WHEN 0 THEN 'acme' ELSE 'other' END,
                   CASE n % 80 WHEN 0 THEN 'web' ELSE 'app' END, 'prd', 'clv',
                   'key ' || lpad((n * 7919 % 40000)::text, 5, '0'), 'key ' || lpad((n * 7919 % 40000)::text, 5, '0'),
                   'read:*', '0.0.0.0/0 ::/0', 1, n, 'bootstrap', 2000000 + n * 7907 % 40000, 2000000 + n * 7907 % 40000
            FROM generate_series(1, 40000) AS n;
        INSERT INTO key_secrets (id, key_id, hash, created_at)
            SELECT 'sec' || id, id, 'x', created_at FROM api_keys;
        INSERT INTO key_last_use (key_id, organization, created_seq, idle_since)
            SELECT id, organization, created_seq, created_seq * 7901 % 40000 FROM api_keys;
        ANALYZE;";
    sqlx::raw_sql(KEYS).execute(pool).await.unwrap();
}
