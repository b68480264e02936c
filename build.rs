//! `include_str!` embeds the migrations. Without this line, Cargo would not notice a new file.
fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
