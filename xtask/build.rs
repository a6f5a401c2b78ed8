//! Lists the corpus, so that the program carries it wherever it is copied.

use std::{env, fmt::Write, fs, path::Path};

const CORPUS: &str = "../scenarios/corpus";

fn main() {
    println!("cargo::rerun-if-changed={CORPUS}");
    let folder = fs::canonicalize(CORPUS).expect("the corpus is in the repository");
    let entries = fs::read_dir(&folder).expect("it is a folder");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "json"));
    files.sort();
    let mut list = "/// The names and texts of the saved failures that every run begins with.\n\
                    pub const CORPUS: &[(&str, &str)] = &[\n"
        .to_owned();
    for file in files {
        let name = file.file_name().expect("it is a file").to_str().expect("UTF-8");
        // Relative to the package, so that a checkout that has moved builds with what it has built before.
        let path = format!("/{CORPUS}/{name}");
        writeln!(
            list,
            "({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),"
        )
        .expect("a string takes everything");
    }
    list.push_str("];\n");
    let out = env::var_os("OUT_DIR").expect("cargo says where");
    fs::write(Path::new(&out).join("corpus.rs"), list).expect("it can be written");
}
