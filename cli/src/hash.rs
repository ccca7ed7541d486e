//! Hashing folders of weights: each file once, flat and by chunks, on all cores, in little memory.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use chancery_schema::digest::Digest;
use chancery_schema::limits::{CHUNK_BYTES, FILES_MAX};
use chancery_schema::record::{Format, WeightsFile, chunk_hash, chunk_root, path_problem};
use chancery_schema::word::Word;
use sha2::{Digest as _, Sha256};

use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::visible::visible;

/// Threads that read at once: more than this a disk does not serve better.
const THREADS_MAX: usize = 8;

/// A file of a folder and its hashes.
#[derive(Clone, Debug)]
pub struct Hashed {
    /// As a manifest lists it.
    pub file: WeightsFile,
    /// The leaf hashes of its chunks.
    pub chunks: Vec<[u8; 32]>,
}

/// The files of a folder, and what is left out of it.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Path in the manifest and on disk, and the size in bytes, by path.
    pub files: Vec<(String, PathBuf, u64)>,
    /// Files and folders that were left out.
    pub ignored: Vec<String>,
}

/// Lists the regular files under `folder`. What is hidden is left out and named.
///
/// # Errors
/// When a path means different files on different systems, leads out of the folder, or is no file.
pub fn list(folder: &Path) -> Outcome<Listing> {
    list_but(folder, &|path| path.rsplit('/').next().is_some_and(|name| name.starts_with('.')))
}

/// As [`list`], and what is left out is what `leaves_out` says of a path.
///
/// # Errors
/// As [`list`].
pub fn list_but(folder: &Path, leaves_out: &dyn Fn(&str) -> bool) -> Outcome<Listing> {
    let mut listing = Listing::default();
    walk(folder, "", leaves_out, &mut listing)?;
    listing.files.sort();
    listing.ignored.sort();
    if listing.files.len() > FILES_MAX {
        let hint = "publish parts of it as several weights records";
        return fail(Exit::Usage, format!("{} holds more than {FILES_MAX} files; {hint}", folder.display()));
    }
    Ok(listing)
}

fn walk(folder: &Path, prefix: &str, leaves_out: &dyn Fn(&str) -> bool, listing: &mut Listing) -> Outcome {
    let attempted = || format!("failed to read the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).or_exit(Exit::Usage, attempted)? {
        let entry = entry.or_exit(Exit::Usage, attempted)?;
        let shown = visible(&entry.path().display().to_string());
        let Ok(name) = entry.file_name().into_string() else {
            return fail(Exit::Usage, format!("the name of {shown} is not UTF-8; rename it"));
        };
        let path = format!("{prefix}{name}");
        if leaves_out(&path) {
            listing.ignored.push(path);
            continue;
        }
        if let Some(problem) = path_problem(&path) {
            return fail(Exit::Usage, format!("the path {shown} {problem}; rename it"));
        }
        let kind = entry.file_type().or_exit(Exit::Usage, attempted)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), leaves_out, listing)?;
        } else if kind.is_file() {
            let size = entry.metadata().or_exit(Exit::Usage, attempted)?.len();
            listing.files.push((path, entry.path(), size));
        } else {
            return fail(Exit::Usage, format!("{shown} is a link or a device; put the file itself in its place"));
        }
        if listing.files.len() > 2 * FILES_MAX {
            return Ok(());
        }
    }
    Ok(())
}

/// Hashes every file of a listing, in its order. `progress` hears of bytes as they are read.
///
/// # Errors
/// When a file cannot be read, or changes while it is.
pub fn hash_all(listing: &Listing, progress: &(dyn Fn(u64) + Sync)) -> Outcome<Vec<Hashed>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(listing.files.len()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, THREADS_MAX);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(listing.files.len()) {
            scope.spawn(|| {
                while let Some((path, on_disk, size)) = listing.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hashed = hash_one(path, on_disk, *size, progress);
                    let failed = hashed.is_err();
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(hashed);
                    if failed {
                        next.store(listing.files.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut hashed = done.into_iter().collect::<Outcome<Vec<_>>>()?;
    hashed.sort_by(|one, other| one.file.path.cmp(&other.file.path));
    Ok(hashed)
}

fn hash_one(path: &str, on_disk: &Path, size: u64, progress: &(dyn Fn(u64) + Sync)) -> Outcome<Hashed> {
    let attempted = || format!("failed to read {}", on_disk.display());
    let mut file = File::open(on_disk).or_exit(Exit::Usage, attempted)?;
    let mut chunk = Vec::with_capacity(usize::try_from(size.min(CHUNK_BYTES)).unwrap_or_default());
    let (mut flat, mut chunks, mut read, mut format) = (Sha256::new(), Vec::new(), 0, None);
    loop {
        chunk.clear();
        let count = file.by_ref().take(CHUNK_BYTES).read_to_end(&mut chunk).with_context(attempted)? as u64;
        if count == 0 {
            break;
        }
        if read == 0 {
            format = Some(guess(path, &chunk));
        }
        flat.update(&chunk);
        chunks.push(*chunk_hash(&chunk).as_bytes());
        read += count;
        progress(count);
    }
    if read != size {
        return fail(Exit::Other, format!("{} changed while it was read; try again", on_disk.display()));
    }
    let sha256 = Digest::from_bytes(flat.finalize().into());
    let file = WeightsFile {
        path: path.to_owned(),
        size_bytes: size,
        sha256,
        chunk_root: chunk_root(&chunks),
        format: format.map(Word::from),
    };
    Ok(Hashed { file, chunks })
}

/// The flat SHA-256 of a file.
///
/// # Errors
/// When it cannot be read.
#[cfg(feature = "node")]
pub fn file_digest(path: &Path) -> Outcome<Digest> {
    let attempted = || format!("failed to read {}", path.display());
    let mut file = File::open(path).or_exit(Exit::Usage, attempted)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).or_exit(Exit::Other, attempted)? {
            0 => return Ok(Digest::from_bytes(hash.finalize().into())),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// What a file seems to be, by its name and first bytes.
fn guess(path: &str, start: &[u8]) -> Format {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "safetensors" => Format::Safetensors,
        "gguf" => Format::Gguf,
        "onnx" => Format::Onnx,
        "pkl" | "pickle" | "pt" | "pth" | "ckpt" | "bin" if is_pickle(start) => Format::Pickle,
        "py" | "sh" | "js" | "exe" | "so" | "dll" | "jar" | "wasm" => Format::Script,
        "json" => Format::Json,
        _ if start.starts_with(b"GGUF") => Format::Gguf,
        _ if is_pickle(start) => Format::Pickle,
        _ if start.starts_with(b"#!") || start.starts_with(b"\x7fELF") => Format::Script,
        _ if !start.contains(&0) && std::str::from_utf8(&start[..start.len().min(1024)]).is_ok_and(|_| true) => {
            Format::Text
        }
        _ => Format::Other,
    }
}

/// Python's pickle, alone (protocol 2 and later) or in the zip archive that `PyTorch` writes.
fn is_pickle(start: &[u8]) -> bool {
    matches!(start, [0x80, 2..=5, ..]) || start.starts_with(b"PK\x03\x04")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folder
    }

    #[test]
    fn files_are_listed_in_the_order_of_a_manifest_and_hidden_ones_are_named() {
        let folder = folder(&[("b", b"1"), ("a/z", b"2"), ("a-b", b"3"), (".git/x", b"4")]);
        let listing = list(folder.path()).unwrap();
        let paths: Vec<&str> = listing.files.iter().map(|(path, _, _)| path.as_str()).collect();
        assert_eq!(paths, ["a-b", "a/z", "b"]);
        assert_eq!(listing.ignored, [".git"]);
    }

    #[test]
    fn a_file_of_several_chunks_has_one_leaf_for_each() {
        let bytes = vec![7; usize::try_from(CHUNK_BYTES).unwrap() + 1];
        let folder = folder(&[("w", &bytes), ("empty", b"")]);
        let hashed = hash_all(&list(folder.path()).unwrap(), &|_| ()).unwrap();
        assert_eq!((hashed[0].chunks.len(), hashed[1].chunks.len()), (0, 2));
        assert_eq!(hashed[1].file.sha256, Digest::of(&bytes));
        assert_eq!(hashed[0].file.sha256, Digest::of(b""));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_refused_by_name() {
        let folder = folder(&[("a", b"1")]);
        std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link")).unwrap();
        let failure = list(folder.path()).unwrap_err();
        assert!(failure.error.to_string().contains("link"), "{}", failure.error);
    }

    #[test]
    fn a_pickle_is_known_by_its_bytes() {
        assert_eq!(guess("model.bin", &[0x80, 4, 0]), Format::Pickle);
        assert_eq!(guess("model.bin", b"PK\x03\x04"), Format::Pickle);
        assert_eq!(guess("model.bin", &[0, 1, 2]), Format::Other);
        assert_eq!(guess("vocab.txt", b"a\nb"), Format::Text);
    }
}
