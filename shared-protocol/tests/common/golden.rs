//! The golden bytes as input: what terminals in the field send, to be cut, changed and multiplied.

use std::path::Path;

/// All files of a folder of `fixtures/wire/v1/`, by name.
pub fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/wire/v1")
        .join(folder);
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(path)
        .expect("a folder of golden bytes")
        .map(|file| {
            let file = file.expect("a file of golden bytes");
            let name = file.file_name().to_string_lossy().trim_end_matches(".cbor").to_owned();
            (name, std::fs::read(file.path()).expect("golden bytes"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no golden bytes in {folder}");
    files
}
