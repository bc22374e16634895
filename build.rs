//! Has the linker leave its relocations in the page's program: they tell `scripts/split.mjs`, which divides it into chunks, who uses what.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-bin=quorumscope-app=--emit-relocs");
    }
}
