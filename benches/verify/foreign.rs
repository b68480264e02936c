//! Measures libraries of other languages, if they are installed.

use std::path::Path;
use std::process::Command;

use crate::issuer::Issuer;

/// Reads tokens from the first file and the key set from the second, and prints µs per token.
const PYTHON: &str = r#"
import json, sys, time
import jwt
tokens, jwks, issuer, audience, algorithm = sys.argv[1:]
tokens = open(tokens).read().split()
key = jwt.PyJWKSet.from_dict(json.load(open(jwks))).keys[0].key
def turn():
    begun = time.perf_counter()
    for token in tokens:
        jwt.decode(token, key, algorithms=[algorithm], issuer=issuer, audience=audience)
    return (time.perf_counter() - begun) * 1e6 / len(tokens)
print(sorted(turn() for _ in range(5))[2])
"#;

const NODE: &str = r#"
import { readFileSync } from "node:fs";
import { createLocalJWKSet, jwtVerify } from "jose";
const [tokens, jwks, issuer, audience, algorithm] = process.argv.slice(1);
const all = readFileSync(tokens, "utf8").trim().split("\n");
const keys = createLocalJWKSet(JSON.parse(readFileSync(jwks, "utf8")));
const options = { issuer, audience, algorithms: [algorithm], typ: "at+jwt" };
const turns = [];
for (let turn = 0; turn < 5; turn++) {
  const begun = performance.now();
  for (const token of all) await jwtVerify(token, keys, options);
  turns.push(((performance.now() - begun) * 1e3) / all.length);
}
console.log(turns.sort((a, b) => a - b)[2]);
"#;

/// Prints the times of PyJWT and jose for these tokens.
pub(crate) fn measure(issuer: &Issuer, tokens: &[String], jwks: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (tokens_file, jwks_file) = (folder.path().join("tokens"), folder.path().join("jwks"));
    std::fs::write(&tokens_file, tokens.join("\n")).expect("a file");
    std::fs::write(&jwks_file, jwks).expect("a file");
    let foreign = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
    let mut python = Command::new(foreign.join("python/.venv/bin/python"));
    python.args(["-c", PYTHON]);
    let mut node = Command::new("node");
    node.args(["--input-type=module", "-e", NODE]).current_dir(foreign.join("node"));
    for (name, mut program) in [("PyJWT", python), ("jose", node)] {
        program.args([&tokens_file, &jwks_file]);
        program.args([&issuer.url, &issuer.audience(), issuer.algorithm.as_str()]);
        match program.output() {
            Ok(output) if output.status.success() => {
                let text = String::from_utf8_lossy(&output.stdout);
                println!("{name:<25} {:8.2} µs", text.trim().parse::<f64>().expect("a number"));
            }
            _ => println!("{name:<25} left out: tests/foreign/prepare was not there"),
        }
    }
}
