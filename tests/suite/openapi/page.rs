//! The document as it is served, and the page to read it on.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::Url;

use crate::support::openapi::operations;
use crate::support::{Backend, Options, Server, on_both};

on_both!(
    the_document_is_served_as_it_is,
    the_page_asks_nobody_else,
    every_file_that_is_described_is_there_and_no_other,
    the_index_leads_to_every_page_of_the_documentation,
);

async fn the_document_is_served_as_it_is(backend: Backend) {
    let server = Server::start(backend).await;
    let served = server.client().get("/openapi.yaml").await;
    assert_eq!(served.header("content-type"), "application/yaml");
    assert_eq!(served.text, include_str!("../../../openapi.yaml"));
    let again = server.client().with("if-none-match", served.header("etag")).get("/openapi.yaml").await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}

async fn the_page_asks_nobody_else(backend: Backend) {
    for (issuer, path) in [(None, ""), (Some("https://example.com/auth/v2"), "/auth/v2")] {
        let options = Options { issuer: issuer.map(str::to_owned), ..Options::default() };
        let server = Server::start_with(backend, options).await;
        let here = Url::parse(&server.url(&format!("{path}/docs"))).unwrap();
        let page = server.client().get(here.path()).await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(!page.text.contains("<script>") && !page.text.contains(" on"), "{}", page.text);
        let linked = addresses(&page.text);
        assert_eq!(linked.len(), 4, "{linked:?}");
        for address in linked {
            let target = here.join(address).unwrap();
            assert_eq!(target.origin(), here.origin(), "{address}");
            let file = server.client().get(target.path()).await;
            assert_eq!((file.status, file.header("x-content-type-options")), (200, "nosniff"), "{address}");
        }
    }
}

async fn every_file_that_is_described_is_there_and_no_other(backend: Backend) {
    let server = Server::start(backend).await;
    for (folder, name) in [("/docs/", "{file}"), ("/docs/operating/", "{page}")] {
        let path = format!("{folder}{name}");
        let operation = operations().iter().find(|operation| operation.path == path).unwrap();
        for name in operation.parameters[0].at("schema").at("enum").items() {
            let path = format!("{folder}{}", name.value.as_str().unwrap());
            assert_eq!(server.client().get(&path).await.status, 200, "{path}");
        }
    }
    for name in
        ["page.html", "..%2fpage.html", "..%2f..%2fLICENSE", "%ff", "swagger-ui/LICENSE", "operating/tour.md"]
    {
        assert_eq!(server.client().get(&format!("/docs/{name}")).await.status, 404, "{name}");
    }
}

async fn the_index_leads_to_every_page_of_the_documentation(backend: Backend) {
    for (issuer, path) in [(None, ""), (Some("https://example.com/auth/v2"), "/auth/v2")] {
        let options = Options { issuer: issuer.map(str::to_owned), ..Options::default() };
        let server = Server::start_with(backend, options).await;
        let here = Url::parse(&server.url(&format!("{path}/llms.txt"))).unwrap();
        let index = server.client().get(here.path()).await;
        assert_eq!((index.status, index.header("content-type")), (200, "text/plain; charset=utf-8"));
        let links = index.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let links: BTreeSet<&str> = links.collect();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folders = ["docs", "docs/operating"].map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
        let pages = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
        for page in pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
            let link = page.strip_prefix(root).unwrap().to_str().unwrap();
            assert!(links.contains(link), "{link}");
            let served = server.client().get(here.join(link).unwrap().path()).await;
            assert_eq!(served.header("content-type"), "text/markdown; charset=utf-8");
            assert_eq!(served.text, std::fs::read_to_string(&page).unwrap());
        }
        for link in links {
            let target = here.join(link).unwrap();
            assert_eq!(server.client().get(target.path()).await.status, 200, "{link}");
        }
    }
}

/// Where a page leads, but for what is in the address itself.
fn addresses(page: &str) -> Vec<&str> {
    let attributes = page.split([' ', '>']).filter_map(|word| word.split_once("=\""));
    let addresses = attributes.filter(|(name, _)| matches!(*name, "href" | "src"));
    addresses
        .map(|(_, address)| address.trim_end_matches('"'))
        .filter(|address| *address != "data:,")
        .collect()
}
