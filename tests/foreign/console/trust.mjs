// Trusting workloads: the ways in of a key, trusted issuers, and a pasted token, which the browser reads and no request
// carries. Axe looks at each page.
import crypto from "node:crypto";
import { check, complaints, end, issuer, look, page, press, text } from "./browse.mjs";

const adminKey = process.env.CLAVIGER_ADMIN_KEY;
const org = `${issuer}/console/orgs/default`;

async function api(method, path, body) {
  const answer = await fetch(`${issuer}/v1/orgs/default${path}`, {
    method, headers: { "X-Api-Key": adminKey, "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.status === 204 ? null : answer.json();
}

// The tokens of platforms, all signed by one key.
const { privateKey, publicKey } = crypto.generateKeyPairSync("ed25519");
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "EdDSA" }] });
const encoded = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
function token(claims) {
  const signed = `${encoded({ alg: "EdDSA", kid: "1" })}.${encoded(claims)}`;
  return `${signed}.${crypto.sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
}

// Everything that the browser sends, and that it keeps.
const requests = [];
page.on("request", (request) => requests.push(`${request.url()} ${request.postData() ?? ""} ${JSON.stringify(request.headers())}`));
const kept = () => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state, location.href]));
function carriesNone(of) {
  const pieces = of.split(".").filter((piece) => piece.length > 20).flatMap((piece) => [piece, piece.slice(0, 20)]);
  const found = requests.find((request) => pieces.some((piece) => request.includes(piece) || request.includes(encodeURIComponent(piece))));
  return found ?? "";
}

const key = await api("POST", "/keys", { name: "Deploy", project: "default", environment: "prd", preset: "query_only" });
const own = `${org}/keys/${key.id}`;
await page.goto(own);
await page.type("#key", adminKey);
await press("button[type=submit]");

// An issuer whose keys are in the record.
await press(".tabs a[href$='/issuers']");
check("no issuer is trusted at first", (await text()).includes("No trusted issuers"));
await look("issuers-none");
await page.type("#id", "ci");
await page.type("#issuer", "https://ci.example.com");
check("the key set has no field yet", !(await page.$eval("#jwks", (field) => field.checkVisibility())));
await page.click("input[name=keys][value=jwks]");
check("it has one for keys in the record", await page.$eval("#jwks", (field) => field.checkVisibility()));
await page.type("#jwks", "{");
await press("main form button[type=submit]");
check("a broken key set is said first", (await text("[data-summary]")).includes("key set"), await text());
check("and the choice is still there", await page.$eval("#jwks", (field) => field.checkVisibility() && field.value === "{"));
await look("issuers-error");
complaints.length = 0;
await page.$eval("#jwks", (field, set) => { field.value = set; }, jwks);
for (const name of ["RS256", "ES256", "EdDSA"]) await page.click(`input[name=algorithm][value=${name}]`);
await press("main form button[type=submit]");
check("an issuer is added", page.url() === `${org}/issuers/ci` && (await text()).includes("Issuer added."), await text());
await look("issuer");
await page.goto(`${org}/issuers`);
await look("issuers");
await page.goto(`${org}/issuers/ci/edit`);
await look("issuer-edit");
await page.goto(`${org}/issuers/ci/remove`);
await look("issuer-remove");
await page.goto(`${org}/issuers?platform=github`);
check("the form knows GitHub’s issuer", (await page.$eval("#issuer", (field) => field.value)) === "https://token.actions.githubusercontent.com");
await press("main form button[type=submit]");
for (const [id, url] of [["gitlab", "https://gitlab.com"], ["google", "https://accounts.google.com"],
  ["entra", "https://login.microsoftonline.com/t/v2.0"], ["cluster", "https://kubernetes.default.svc.cluster.local"],
  ["cluster-2", "https://kubernetes.default.svc.cluster.local"]]) {
  await api("POST", "/issuers", { id, issuer: url, keys: { discovery: true } });
}

// A pasted token fills in the form.
await page.goto(own);
await press("a[href$='/trust-rules/new']");
await look("trust");
const paste = async (typed) => {
  await page.$eval("#sample", (field, value) => {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, typed);
};
// What the form would send, without what is empty, hidden or nobody's input.
const filled = () => page.$eval("#rule", (form) => Object.fromEntries([...new FormData(form)].filter(([name, value]) => value !== "" && name !== "token")));
const same = (found, wanted) => JSON.stringify(Object.entries(found).sort()) === JSON.stringify(Object.entries(wanted).sort());

const shapes = [
  ["github", { iss: "https://token.actions.githubusercontent.com", aud: issuer, sub: "repo:octo/web:ref:refs/heads/main", repository_id: "74", repository_owner_id: "65", ref: "refs/heads/main", event_name: "push" },
    { platform: "github", issuer: "github", subject: "repo:octo/web:ref:refs/heads/main", "github-repository_id": "74", "github-repository_owner_id": "65" }, "GitHub Actions"],
  ["gitlab", { iss: "https://gitlab.com", aud: ["https://aud.example"], sub: "project_path:g/p:ref_type:branch:ref:main", project_id: "20", namespace_id: "72" },
    { platform: "gitlab", issuer: "gitlab", audience: "https://aud.example", subject: "project_path:g/p:ref_type:branch:ref:main", "gitlab-project_id": "20", "gitlab-namespace_id": "72" }, "GitLab"],
  ["kubernetes", { iss: "https://kubernetes.default.svc.cluster.local", aud: [issuer], sub: "system:serviceaccount:web:api", "kubernetes.io": { namespace: "web", serviceaccount: { name: "api", uid: "3c9e" } } },
    { platform: "kubernetes", issuer: "cluster-2", subject: "system:serviceaccount:web:api", "kubernetes-namespace": "web", "kubernetes-serviceaccount_uid": "3c9e" }, "2 trusted issuers have the URL"],
  ["google", { iss: "https://accounts.google.com", aud: issuer, sub: "102030405060708090100", email: "ci@example.com" },
    { platform: "google", issuer: "google", subject: "102030405060708090100" }, "Google Cloud"],
  ["entra", { iss: "https://login.microsoftonline.com/t/v2.0", aud: "app", sub: "o", tid: "t", oid: "o" },
    { platform: "entra", issuer: "entra", audience: "app", subject: "o", "entra-tid": "t", "entra-oid": "o" }, "Microsoft Entra ID"],
  // A GitLab of one's own: its claims tell.
  ["gitlab", { iss: "https://gitlab.acme.example", aud: issuer, sub: "p", project_id: 20, namespace_id: 9007199254740993 },
    { platform: "gitlab", subject: "p", "gitlab-project_id": "20" }, "does not trust an issuer with the URL https://gitlab.acme.example"],
  ["other", { iss: "https://ci.example.com", aud: issuer, sub: "project:web:7", build: 7 },
    { platform: "other", issuer: "ci", subject: "project:web:7" }, "subject and audience"],
];
for (const [platform, claims, wanted, told] of shapes) {
  await page.goto(`${own}/trust-rules/new`);
  // Digits beyond what a number holds are kept.
  const big = claims.namespace_id === 9007199254740993;
  if (big) wanted["gitlab-namespace_id"] = "9007199254740993";
  const sample = big ? `${encoded({ alg: "x" })}.${encoded(JSON.stringify(claims).replace("9007199254740992", "9007199254740993"))}.c2lnbmF0dXJl` : token(claims);
  await paste(sample);
  const found = await filled();
  check(`a token of ${platform} fills in the form`, same(found, wanted), JSON.stringify(found));
  check(`and its platform is chosen, ${platform}`, (await page.$eval("#rule [aria-current]", (link) => link.dataset.platform)) === platform);
  check(`it is told what it is, ${platform}`, (await text("#reading")).includes(told), await text("#reading"));
  check(`what it says is shown, ${platform}`, (await text("#said")).includes(claims.sub) && (await text("#said")).includes("/iss"));
  const visible = await page.$$eval("#rule fieldset.platform", (sets) => sets.filter((set) => set.checkVisibility()).map((set) => set.dataset.onlyFor));
  check(`only its own fields are there, ${platform}`, visible.length === (["google", "other"].includes(platform) ? 0 : 1), visible.join(" "));
  check(`no request has carried it, ${platform}`, carriesNone(sample) === "", carriesNone(sample));
}
await page.goto(`${own}/trust-rules/new?platform=gitlab`);
await paste(token(shapes[5][1]));
check("an issuer that is not trusted can be added from there", (await page.$eval("#reading a", (link) => link.href)) === `${org}/issuers?issuer=${encodeURIComponent("https://gitlab.acme.example")}`);
await look("trust-unknown-issuer");
await paste(token(shapes[0][1]));
await look("trust-filled");

// Links to other platforms keep what was pasted.
await page.click("#rule a[data-platform=other]");
check("another platform can be chosen in place", (await page.$eval("#claims", (field) => field.checkVisibility())) && (await page.$eval("#sample", (field) => field.value)) !== "");

// What is no token.
const hostile = '<img src=x onerror="alert(1)">';
for (const [typed, told] of [
  ["hello", "three parts"], ["a.b", "three parts"], ["a.b.c.d.e", "encrypted"], ["%.%.%", "damaged"],
  [`${encoded({ alg: "x" })}.${encoded("{")}.x`, "damaged"], [`${encoded({ alg: "x" })}.${encoded("[1]")}.x`, "no claims"],
  [`${encoded({ alg: "x" })}.${encoded("null")}.x`, "no claims"], [token({ sub: "x" }), "does not name its issuer"],
  [`${encoded({ alg: "x" })}.${Buffer.from([0xff, 0xfe]).toString("base64url")}.x`, "damaged"],
]) {
  await paste(typed);
  check(`what is no token is told so: ${told}`, (await text("#reading")).includes(told), await text("#reading"));
  check("and nothing else is shown", await page.$eval("#said", (element) => element.hidden));
}
await look("trust-broken");
await paste(token({ iss: hostile, aud: [hostile, "x"], sub: hostile, [hostile]: hostile, __proto__x: 1 }));
check("what a token says stays text", (await page.$("main img")) === null && (await text("#said")).includes(hostile));
check("two audiences are told", (await text("#reading")).includes("2 audiences"), await text("#reading"));
await paste(`  Bearer ${token({ iss: "https://ci.example.com", aud: issuer, sub: "a" }).replace(/(.{40})/g, "$1\n")} `);
check("a token that was wrapped is read", (await filled()).subject === "a");
await paste("");
check("without a token nothing is said", (await text("#reading")) === "");

// From a pasted token to a token of the key.
const now = Math.floor(Date.now() / 1000);
const clock = Number(process.env.CLAVIGER_NOW ?? now);
const real = token({ iss: "https://ci.example.com", aud: issuer, sub: "project:web:7", iat: clock, exp: clock + 600, build: 7, secret_marker: "marker-that-is-nowhere-else" });
await page.goto(own);
await press("a[href$='/trust-rules/new']");
await page.focus("#sample");
await page.evaluate((value) => document.execCommand("insertText", false, value), real);
await page.type("#claims", "/build = 7");
await page.focus("#audience");
await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
check("the rule is added", page.url() === own && (await text()).includes("Trust rule added."), await text());
check("the form did not carry the token", carriesNone(real) === "", carriesNone(real));
check("nor does anything keep it", !(await kept()).includes(real.split(".")[1].slice(0, 30)), await kept());
check("the forms were sent, so this was looked at", requests.some((request) => request.includes("project%3Aweb%3A7") && request.includes("trust-rules/new")));
check("the rule is among the ways in", (await text("#ways-in")).includes("subject = project:web:7") && (await text("#ways-in")).includes("/build = 7"));
await look("ways-in");
const grant = new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", client_id: key.id, assertion: real });
const got = await fetch(`${issuer}/oauth/token`, { method: "POST", body: grant });
check("the workload gets a token", got.status === 200, await got.text());

// A check sends the token, and says so.
await page.goto(`${org}/issuers/ci/check?key=${key.id}`);
check("the page says that the token is sent", (await text()).includes("The token is sent to this server"));
await look("issuer-check");
await page.evaluate((value) => { document.getElementById("workload_token").value = value; }, real);
await press("main form button[type=submit]");
check("a check says what it found", (await text()).includes("The token fulfils it."), await text());
check("and does not show the token again", !(await page.content()).includes(real));
await look("issuer-checked");

// Taking the rule away.
await page.goto(own);
await press("a[href*='/trust-rules/'][href$='/remove']");
await look("trust-remove");
await press("button.danger");
check("the rule is removed", (await text()).includes("Trust rule removed."), await text());

// Without scripts, by typing.
await page.setJavaScriptEnabled(false);
await page.goto(`${own}/trust-rules/new`);
check("without scripts there is no field for a token", !(await page.$eval("#sample", (field) => field.checkVisibility())));
await press("#rule a[data-platform=kubernetes]");
check("another platform is another page", page.url().endsWith("?platform=kubernetes"), page.url());
check("with the fields of that platform", (await page.$$eval("#rule fieldset.platform", (sets) => sets.filter((set) => set.checkVisibility()).length)) === 1);
await page.select("#issuer", "cluster");
await page.type("#kubernetes-namespace", "web");
await press("#rule button[type=submit]");
check("what is missing is said", (await text("[data-summary]")).includes("serviceaccount_uid"), await text());
complaints.length = 0;
await page.click("[data-summary] a");
check("with a link to its field", (await page.evaluate(() => document.activeElement.id)) === "kubernetes-serviceaccount_uid");
check("and what was typed is still there", (await page.$eval("#kubernetes-namespace", (field) => field.value)) === "web");
await page.type("#kubernetes-serviceaccount_uid", "3c9e");
await press("#rule button[type=submit]");
check("a rule is added by typing", (await text("#ways-in")).includes("/kubernetes.io/serviceaccount/uid = 3c9e"), await text());
await page.goto(`${org}/issuers`);
check("all of an issuer’s form is there without scripts", await page.$eval("#jwks", (field) => field.checkVisibility()));
await page.setJavaScriptEnabled(true);

await end();
