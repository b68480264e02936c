//! Migrations are embedded with `include_str!`; without this line a new file would go unseen.
fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
