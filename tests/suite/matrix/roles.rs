//! What keys may do that have exactly the scopes of a role.

use claviger::domain::member::Role;
use reqwest::Method;
use serde_json::json;

use super::operations::{Fixture, Needs, Operation};
use super::{operations, shown, stored};
use crate::support::{Answer, Backend, Client, Server, on_both};
use crate::table::check_table;

on_both!(every_operation_is_open_to_the_roles_of_its_row);

/// `yes`: it is done, and a list shows what there is. `none`: a list shows nothing. `no`: it is refused for want of a scope.
/// `hidden`: there is no such thing, as far as the role may know. The organization's roles are of the organization that the
/// operation is about, and the developer of its project `web`. The configuration that is applied changes nothing: each change in
/// one needs its own scope as well.
const TABLE: &str = "
                                                           owner  admin  developer  auditor  operator
GET /v1/self                                               yes    yes    yes        yes      yes
GET /v1/orgs                                               yes    yes    yes        yes      yes
POST /v1/orgs                                              no     no     no         no       yes
GET /v1/orgs/{org}                                         yes    yes    yes        yes      yes
PATCH /v1/orgs/{org}                                       no     no     no         no       yes
DELETE /v1/orgs/{org}                                      no     no     no         no       yes
GET /v1/orgs/{org}/configuration                           yes    no     no         yes      yes
PUT /v1/orgs/{org}/configuration                           yes    no     no         yes      yes
GET /v1/orgs/{org}/projects                                yes    yes    yes        yes      yes
POST /v1/orgs/{org}/projects                               yes    yes    no         no       yes
GET /v1/orgs/{org}/projects/web                            yes    yes    yes        yes      yes
PATCH /v1/orgs/{org}/projects/web                          yes    yes    no         no       yes
DELETE /v1/orgs/{org}/projects/web                         yes    yes    no         no       yes
GET /v1/orgs/{org}/issuers                                 yes    yes    none       yes      yes
POST /v1/orgs/{org}/issuers                                yes    yes    no         no       yes
GET /v1/orgs/{org}/issuers/gh                              yes    yes    no         yes      yes
PATCH /v1/orgs/{org}/issuers/gh                            yes    yes    no         no       yes
DELETE /v1/orgs/{org}/issuers/gh                           yes    yes    no         no       yes
POST /v1/orgs/{org}/issuers/gh/check                       yes    yes    no         yes      yes
GET /v1/scopes                                             none   none   none       none     yes
POST /v1/scopes                                            no     no     no         no       yes
GET /v1/scopes/of-{org}                                    no     no     no         no       yes
PATCH /v1/scopes/of-{org}                                  no     no     no         no       yes
DELETE /v1/scopes/of-{org}                                 no     no     no         no       yes
GET /v1/orgs/{org}/scopes                                  yes    yes    yes        yes      yes
POST /v1/orgs/{org}/scopes                                 yes    yes    no         no       yes
GET /v1/orgs/{org}/scopes/all                              yes    yes    yes        yes      yes
PATCH /v1/orgs/{org}/scopes/all                            yes    yes    no         no       yes
DELETE /v1/orgs/{org}/scopes/all                           yes    yes    no         no       yes
GET /v1/members                                            none   none   none       none     yes
POST /v1/members                                           no     no     no         no       yes
GET /v1/members/{operator}                                 no     no     no         no       yes
PATCH /v1/members/{operator}                               no     no     no         no       yes
DELETE /v1/members/{operator}                              no     no     no         no       yes
POST /v1/members/{operator}/invitation                     no     no     no         no       yes
GET /v1/members/{operator}/keys                            no     no     no         no       yes
GET /v1/orgs/{org}/members                                 yes    none   none       yes      yes
POST /v1/orgs/{org}/members                                yes    no     no         no       yes
GET /v1/orgs/{org}/members/{usr}                           yes    no     no         yes      yes
PATCH /v1/orgs/{org}/members/{usr}                         yes    no     no         no       yes
DELETE /v1/orgs/{org}/members/{usr}                        yes    no     no         no       yes
POST /v1/orgs/{org}/members/{usr}/invitation               yes    no     no         no       yes
GET /v1/orgs/{org}/members/{usr}/keys                      yes    no     no         yes      yes
POST /v1/orgs/{org}/portal-sessions                        yes    yes    no         no       yes
POST /v1/orgs/{org}/portal-sessions/end                    yes    yes    no         no       yes
GET /v1/keys?prefix={key}                                  yes    yes    yes        yes      yes
GET /v1/orgs/{org}/keys                                    yes    yes    yes        yes      yes
POST /v1/orgs/{org}/keys                                   yes    yes    yes        no       yes
POST /v1/orgs/{org}/keys/revoke                            yes    yes    yes        no       yes
POST /v1/orgs/{org}/keys/disable                           yes    yes    yes        no       yes
POST /v1/orgs/{org}/keys/enable                            yes    yes    yes        no       yes
POST /v1/orgs/{org}/keys/rescope                           yes    yes    yes        no       yes
GET /v1/orgs/{org}/keys/{key}                              yes    yes    yes        yes      yes
PATCH /v1/orgs/{org}/keys/{key}                            yes    yes    yes        no       yes
DELETE /v1/orgs/{org}/keys/{key}                           yes    yes    yes        no       yes
POST /v1/orgs/{org}/keys/{key}/rotate                      yes    yes    yes        no       yes
POST /v1/orgs/{org}/keys/{key}/revoke                      yes    yes    yes        no       yes
DELETE /v1/orgs/{org}/keys/{key}/secrets/{secret}          yes    yes    yes        no       yes
POST /v1/orgs/{org}/keys/{key}/public-keys                 yes    yes    yes        no       yes
DELETE /v1/orgs/{org}/keys/{key}/public-keys/{public_key}  yes    yes    yes        no       yes
POST /v1/orgs/{org}/keys/{key}/trust-rules                 yes    yes    yes        no       yes
DELETE /v1/orgs/{org}/keys/{key}/trust-rules/{trust_rule}  yes    yes    yes        no       yes
GET /v1/orgs/{org}/keys/{key}/usage                        yes    yes    yes        yes      yes
GET /v1/orgs/{org}/usage                                   yes    yes    no         yes      yes
GET /v1/orgs/{org}/audit                                   yes    yes    no         yes      yes
GET /v1/audit                                              no     no     no         no       yes
GET /v1/signing-keys                                       no     no     no         no       yes
POST /v1/signing-keys/rotate                               no     no     no         no       yes
GET /v1/master-key                                         no     no     no         no       yes
POST /v1/master-key/rotate                                 no     no     no         no       yes
DELETE /v1/master-key/{number}/tags                        no     no     no         no       yes
";

const ROLES: [Role; 5] = [Role::Owner, Role::Admin, Role::Developer, Role::Auditor, Role::Operator];

async fn every_operation_is_open_to_the_roles_of_its_row(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs", &json!({ "id": "callers" })).await.done(201);
    server.admin().post_json("/v1/orgs/callers/projects", &json!({ "id": "callers" })).await.done(201);
    let mut rows = Vec::new();
    for (at, operation) in operations().enumerate() {
        rows.push((operation.named(), outcomes(&server, at, &operation).await));
    }
    check_table(TABLE, &ROLES.map(Role::as_str), &rows);
}

async fn outcomes(server: &Server, at: usize, operation: &Operation) -> Vec<String> {
    let (mut words, mut untouched) = (Vec::new(), None);
    for role in ROLES {
        // What is done for one role is not in the way of the next.
        let fixture = match untouched.take() {
            Some(fixture) => fixture,
            None => fresh(server, &format!("acme-{at}-{role}"), operation).await,
        };
        let client = with_role(server, &fixture.org, role).await;
        let before = stored(server).await;
        let answer = operation.ask(&fixture, &client).await;
        let word = word(operation, &answer);
        if word != "yes" || operation.method == Method::GET {
            assert_eq!(stored(server).await, before, "{} did something for {role}", operation.named());
            untouched = Some(fixture);
        }
        words.push(word.to_owned());
    }
    words
}

/// A fixture with nothing in the way of the operation, which is not to hide whether a role may.
async fn fresh<'a>(server: &'a Server, org: &str, operation: &Operation) -> Fixture<'a> {
    let fixture = Fixture::create(server, org).await;
    fixture.clear_for(operation).await;
    fixture
}

fn word(operation: &Operation, answer: &Answer) -> &'static str {
    let is_list = matches!(operation.needs, Needs::ToSee(_));
    match answer.status {
        status if status == operation.done && is_list && shown(answer) == 0 => "none",
        status if status == operation.done => "yes",
        403 => "no",
        404 => "hidden",
        _ => panic!("{}: {answer:?}", operation.named()),
    }
}

/// A client with a key of the role's scopes in this organization. The key is of another organization, because its own may be
/// what is ended.
async fn with_role(server: &Server, org: &str, role: Role) -> Client {
    let of = (!role.is_of_deployment()).then(|| org.parse().unwrap());
    let scopes = role.scopes(of.as_ref(), &["web".parse().unwrap()]);
    let scopes: Vec<_> = scopes.iter().map(|scope| serde_json::to_value(scope).unwrap()).collect();
    let body = json!({ "name": "x", "project": "callers", "environment": "prd", "scopes": scopes });
    let made = server.admin().post_json("/v1/orgs/callers/keys", &body).await.done(201);
    server.client().bearer(made["key"].as_str().unwrap())
}
