//! The durations of HTTP requests, by route, method and status.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use super::{Durations, OTHER};

/// The methods that have routes. All others are [`OTHER`].
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", OTHER];

/// The statuses that the server answers with. RFC 9110 §15: another one counts as the x00 of its class.
const STATUSES: [(u16, &str); 26] = [
    (100, "100"),
    (200, "200"),
    (201, "201"),
    (202, "202"),
    (204, "204"),
    (300, "300"),
    (302, "302"),
    (303, "303"),
    (304, "304"),
    (307, "307"),
    (308, "308"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (408, "408"),
    (409, "409"),
    (412, "412"),
    (413, "413"),
    (415, "415"),
    (422, "422"),
    (429, "429"),
    (500, "500"),
    (503, "503"),
];

/// The durations of requests. Looking up a histogram reads two atomics. Histograms exist once they are needed.
#[derive(Debug)]
pub struct HttpDurations {
    /// The template of each route. The first one is [`OTHER`].
    templates: Vec<&'static str>,
    /// The index of the template that each path of the router stands for.
    routes: HashMap<String, RouteLabel>,
    by_route: Box<[ByMethod]>,
}

type ByMethod = [OnceLock<Box<ByStatus>>; METHODS.len()];
type ByStatus = [OnceLock<Box<Durations>>; STATUSES.len()];

/// A route as a label. The default stands for all paths without a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteLabel(usize);

/// A method as a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodLabel(usize);

impl From<&str> for MethodLabel {
    fn from(method: &str) -> Self {
        let known = METHODS.iter().position(|known| *known == method);
        Self(known.unwrap_or(METHODS.len() - 1))
    }
}

impl HttpDurations {
    /// For these paths of a router, each with the template that it is labelled with.
    pub fn new(paths: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let mut templates = vec![OTHER];
        let mut routes = HashMap::new();
        for (path, template) in paths {
            let known = templates.iter().position(|known| *known == template);
            let index = known.unwrap_or_else(|| {
                templates.push(template);
                templates.len() - 1
            });
            routes.insert(path, RouteLabel(index));
        }
        let by_route = templates.iter().map(|_| ByMethod::default()).collect();
        Self { templates, routes, by_route }
    }

    /// The label of the route with this path. `None` stands for a path without a route.
    pub fn route(&self, path: Option<&str>) -> RouteLabel {
        path.and_then(|path| self.routes.get(path)).copied().unwrap_or_default()
    }

    /// Adds the duration of a request that was answered with this status.
    pub fn record(&self, route: RouteLabel, method: MethodLabel, status: u16, duration: Duration) {
        let (RouteLabel(route), MethodLabel(method)) = (route, method);
        let by_status = self.by_route[route][method].get_or_init(Box::default);
        by_status[status_index(status)].get_or_init(Box::default).record(duration);
    }

    /// Each histogram, with its route, method and status.
    pub fn read(&self) -> impl Iterator<Item = ([&'static str; 3], &Durations)> {
        let by_route = self.templates.iter().zip(&self.by_route);
        let by_method = by_route.flat_map(|(route, by_method)| {
            METHODS
                .iter()
                .zip(by_method)
                .filter_map(move |(method, by_status)| Some((route, method, by_status.get()?)))
        });
        by_method.flat_map(|(route, method, by_status)| {
            let by_status = STATUSES.iter().zip(by_status.iter());
            by_status.filter_map(move |((_, status), durations)| {
                Some(([*route, *method, *status], &**durations.get()?))
            })
        })
    }
}

fn status_index(status: u16) -> usize {
    let find = |status| STATUSES.binary_search_by_key(&status, |(known, _)| *known).ok();
    find(status).or_else(|| find(status / 100 * 100)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_a_fixed_set_of_values() {
        let durations = HttpDurations::new([("/a/x".to_owned(), "/x"), ("/x".to_owned(), "/x")]);
        for (path, method, status) in [
            (Some("/x"), "GET", 200),
            (Some("/a/x"), "GET", 200),
            (Some("/unknown"), "BREW", 418),
            (None, "get", 599),
            (None, "", 99),
        ] {
            let route = durations.route(path);
            durations.record(route, method.into(), status, Duration::ZERO);
        }
        let read: Vec<_> = durations.read().map(|(labels, _)| labels).collect();
        assert_eq!(
            read,
            [[OTHER, OTHER, "100"], [OTHER, OTHER, "400"], [OTHER, OTHER, "500"], ["/x", "GET", "200"]]
        );
    }

    #[test]
    fn statuses_are_sorted_and_each_class_has_its_x00() {
        assert!(STATUSES.is_sorted());
        for class in 1..=5 {
            assert_eq!(STATUSES[status_index(class * 100 + 99)].0, class * 100);
        }
    }
}
