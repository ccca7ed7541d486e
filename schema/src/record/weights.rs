//! The weights: which files a model is made of, and the digests that prove them.
//!
//! Every file has two digests: the flat SHA-256 that hubs and `sha256sum` print, and the root of an
//! RFC 6962 tree over its chunks of 8 MiB. The leaf hashes of all trees are one blob beside the
//! record; they prove themselves against the roots, so a verifier works on all cores and can say
//! which bytes are wrong.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::is_nfc;

use super::{
    BlobRef, Body, Header, Invalid, Kind, check_blob, check_count, check_each, check_known, check_media_type,
    check_uri, check_version, is_bidi_control,
};
use crate::digest::Digest;
use crate::limits::{CHUNK_BYTES, FILES_MAX, JSON_INTEGER_MAX, PATH_BYTES_MAX, PATH_PARTS_MAX};
use crate::log::tree;
use crate::name::{ModelId, Name};
use crate::statement::Subject;
use crate::word::Word;

/// The media type of the blob of chunk hashes.
pub const CHUNK_HASHES_MEDIA_TYPE: &str = "application/octet-stream";

/// The files of one version of a model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Weights {
    /// Who publishes the model.
    pub org: Name,
    /// What the model is called.
    pub name: Name,
    /// Which version of it.
    pub version: Name,
    /// The files, in the order of their paths' bytes.
    pub files: Vec<WeightsFile>,
    /// The sum of the files' sizes, in bytes.
    pub total_bytes: u64,
    /// The size of a chunk, in bytes: 8388608.
    pub chunk_bytes: u64,
    /// The RFC 6962 leaf hashes of all chunks of all files, one after the other, 32 bytes each.
    pub chunk_hashes: BlobRef,
    /// SHA-256 of the manifest: `chancery.manifest/v1` and a line `<sha256> <size> <path>` for each
    /// file in order, every line ended by a line feed.
    pub manifest: Digest,
    /// SHA-256 of the files' raw SHA-256 digests one after the other, in the order of the paths'
    /// components: what the `OpenSSF` Model Signing specification v1.0 signs.
    pub oms_root: Digest,
    /// Where the files can be had. A node never fetches them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// Paths of the folder that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
}

/// One file of the weights.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeightsFile {
    /// Where it lies in the folder: relative, with `/` between its parts, in Unicode form NFC.
    pub path: String,
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// The RFC 6962 root over its chunks.
    pub chunk_root: Digest,
    /// What it seems to be, by its name and first bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Word<Format>>,
}

/// What a file seems to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Tensors and nothing else.
    Safetensors,
    /// Tensors and metadata for llama.cpp.
    Gguf,
    /// An ONNX graph.
    Onnx,
    /// A Python pickle, alone or in an archive: reading it runs what it says.
    Pickle,
    /// Source code or a program: what it says may be run.
    Script,
    /// JSON.
    Json,
    /// Other text.
    Text,
    /// None of these.
    Other,
}

impl Format {
    /// Whether reading such a file with the usual software can run code of whoever made it.
    #[must_use]
    pub const fn can_run_code(self) -> bool {
        matches!(self, Self::Pickle | Self::Script)
    }
}

/// A place where the files can be had.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Its address.
    pub uri: String,
    /// What is found there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

impl Weights {
    /// The identity of this version: `urn:chancery:<nation>:<org>:<name>@<version>`.
    #[must_use]
    pub fn version_urn(&self, header: &Header) -> String {
        let model = ModelId { nation: header.nation.clone(), org: self.org.clone(), name: self.name.clone() };
        format!("{model}@{}", self.version)
    }
}

/// How many chunks a file of `size_bytes` has: none when it is empty.
#[must_use]
pub const fn chunk_count(size_bytes: u64) -> u64 {
    size_bytes.div_ceil(CHUNK_BYTES)
}

/// The text whose SHA-256 is the manifest digest.
#[must_use]
pub fn manifest_text(files: &[WeightsFile]) -> String {
    files.iter().fold("chancery.manifest/v1\n".to_owned(), |mut text, file| {
        writeln!(text, "{} {} {}", file.sha256, file.size_bytes, file.path)
            .expect("a string takes all that is written");
        text
    })
}

/// The files as the OpenSSF Model Signing specification v1.0 lists them.
/// Its order is by path components: `a/b` stands before `a-b`, unlike in the order of bytes.
#[must_use]
pub fn oms_order(files: &[WeightsFile]) -> Vec<&WeightsFile> {
    let mut files: Vec<&WeightsFile> = files.iter().collect();
    files.sort_by(|one, other| one.path.split('/').cmp(other.path.split('/')));
    files
}

/// The digest that the OpenSSF Model Signing specification v1.0 signs for these files. It binds neither
/// their names nor their sizes, so it is an alias by which others know them and never their identity.
#[must_use]
pub fn oms_root(files: &[WeightsFile]) -> Digest {
    let digests: Vec<&[u8]> = oms_order(files).iter().map(|file| file.sha256.as_bytes().as_slice()).collect();
    Digest::of_parts(&digests)
}

/// The RFC 6962 leaf hash of a chunk.
#[must_use]
pub fn chunk_hash(chunk: &[u8]) -> Digest {
    tree::leaf_hash(chunk)
}

/// The RFC 6962 root over the leaf hashes of a file's chunks.
#[must_use]
pub fn chunk_root(leaves: &[[u8; 32]]) -> Digest {
    match leaves {
        [] => tree::EMPTY_ROOT,
        [leaf] => Digest::from_bytes(*leaf),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            tree::node_hash(&chunk_root(left), &chunk_root(right))
        }
    }
}

/// Chunk hashes that are not those of the weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkHashesError {
    /// Too few or too many.
    #[error("the chunk hashes are {found} bytes long; the files need {expected}")]
    Length {
        /// 32 bytes for each chunk of each file.
        expected: u64,
        /// What was given.
        found: u64,
    },
    /// The hashes do not lead to a file's root.
    #[error("the chunk hashes of {path} do not lead to its chunk root")]
    Root {
        /// Whose.
        path: String,
    },
}

/// Proves the blob of chunk hashes against the chunk root of every file, and gives each file its own.
///
/// # Errors
/// When the blob is not that of these weights.
pub fn check_chunk_hashes<'a>(weights: &Weights, blob: &'a [u8]) -> Result<Vec<&'a [[u8; 32]]>, ChunkHashesError> {
    let expected = weights.files.iter().map(|file| 32 * u128::from(chunk_count(file.size_bytes))).sum::<u128>();
    if expected != blob.len() as u128 {
        let expected = u64::try_from(expected).unwrap_or(u64::MAX);
        return Err(ChunkHashesError::Length { expected, found: blob.len() as u64 });
    }
    let (mut rest, _) = blob.as_chunks::<32>();
    let split = |file: &WeightsFile| {
        let count = usize::try_from(chunk_count(file.size_bytes)).unwrap_or(usize::MAX);
        let (own, after) = rest.split_at(count.min(rest.len()));
        rest = after;
        if chunk_root(own) == file.chunk_root {
            Ok(own)
        } else {
            Err(ChunkHashesError::Root { path: file.path.clone() })
        }
    };
    weights.files.iter().map(split).collect()
}

/// What is wrong with a path of a manifest, if anything: it must mean one file, inside the folder,
/// on every system.
#[must_use]
pub fn path_problem(path: &str) -> Option<&'static str> {
    if path.len() > PATH_BYTES_MAX {
        return Some("is longer than 1024 bytes");
    }
    if path.contains('\\') || path.chars().any(char::is_control) {
        return Some("has a backslash or a control character");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Some("is not relative to the folder, or has an empty part, `.` or `..`");
    }
    if path.split('/').count() > PATH_PARTS_MAX {
        return Some("has more than 32 parts");
    }
    None
}

/// The first path that, once folded, is another one or lies inside it as if that were a folder.
#[must_use]
pub fn path_clash<'a>(paths: impl IntoIterator<Item = &'a str>, fold: fn(&str) -> String) -> Option<&'a str> {
    let mut folded: Vec<(String, &str)> = paths.into_iter().map(|path| (fold(path), path)).collect();
    folded.sort_unstable();
    let is_file = |path: &str| folded.binary_search_by(|(file, _)| file.as_str().cmp(path)).is_ok();
    let inside = |path: &str| path.match_indices('/').any(|(end, _)| is_file(&path[..end]));
    let twice = folded.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1);
    twice.or_else(|| folded.iter().find(|(path, _)| inside(path)).map(|(_, path)| *path))
}

impl Body for Weights {
    const KIND: Kind = Kind::Weights;

    fn validate(&self, _: &Header) -> Result<(), Invalid> {
        check_version("/version", &self.version)?;
        self.check_files()?;
        if self.chunk_bytes != CHUNK_BYTES {
            return Err(Invalid::at("/chunkBytes", format!("is not {CHUNK_BYTES}")));
        }
        let chunks: u64 = self.files.iter().map(|file| chunk_count(file.size_bytes)).sum();
        if self.chunk_hashes.size_bytes != 32 * chunks {
            let expected = 32 * chunks;
            return Err(Invalid::at(
                "/chunkHashes/sizeBytes",
                format!("is not {expected}: 32 for each of {chunks} chunks"),
            ));
        }
        check_blob("/chunkHashes", &self.chunk_hashes)?;
        if self.manifest != Digest::of(manifest_text(&self.files).as_bytes()) {
            return Err(Invalid::at("/manifest", "is not the digest of these files"));
        }
        if self.oms_root != oms_root(&self.files) {
            return Err(Invalid::at("/omsRoot", "is not the digest of these files"));
        }
        check_each("/locations", &self.locations, |pointer, location| {
            let media_type = location.media_type.as_ref();
            media_type.map_or(Ok(()), |text| check_media_type(&format!("{pointer}/mediaType"), text))?;
            check_uri(&format!("{pointer}/uri"), &location.uri)
        })?;
        check_each("/ignored", &self.ignored, |pointer, path| check_path(pointer, path))
    }

    fn validate_new(&self, _: &Header) -> Result<(), Invalid> {
        for (index, file) in self.files.iter().enumerate() {
            if file.path.contains(is_bidi_control) {
                return Err(Invalid::at(
                    format!("/files/{index}/path"),
                    "has a character that turns the text around it",
                ));
            }
            if !is_nfc(&file.path) {
                return Err(Invalid::at(format!("/files/{index}/path"), "is not in Unicode form NFC"));
            }
            file.format.as_ref().map_or(Ok(()), |format| check_known(&format!("/files/{index}/format"), format))?;
        }
        self.check_clash(str::to_lowercase)
    }

    fn subjects(&self, header: &Header) -> Vec<Subject> {
        vec![Subject::new(self.version_urn(header), self.manifest)]
    }

    fn blobs(&self) -> Vec<BlobRef> {
        vec![self.chunk_hashes.clone()]
    }

    fn scope(&self) -> Option<String> {
        Some(format!("{}:{}", self.org, self.name))
    }
}

impl Weights {
    fn check_files(&self) -> Result<(), Invalid> {
        check_count("/files", self.files.len(), FILES_MAX)?;
        let mut total: u64 = 0;
        for (index, file) in self.files.iter().enumerate() {
            check_path(&format!("/files/{index}/path"), &file.path)?;
            total = total.saturating_add(file.size_bytes);
            if total > JSON_INTEGER_MAX {
                return Err(Invalid::at(format!("/files/{index}/sizeBytes"), "makes more than 2^53 - 1 bytes in all"));
            }
        }
        if let Some(index) = self.files.windows(2).position(|pair| pair[0].path >= pair[1].path) {
            let pointer = format!("/files/{}/path", index + 1);
            return Err(Invalid::at(pointer, "does not come after the path before it; sort the files by path"));
        }
        self.check_clash(str::to_ascii_lowercase)?;
        if total == 0 || total != self.total_bytes {
            return Err(Invalid::at("/totalBytes", format!("is not the sum of the sizes, {total}, or that is zero")));
        }
        Ok(())
    }
}

impl Weights {
    /// No two paths are one where case, as `fold` takes it, does not count.
    fn check_clash(&self, fold: fn(&str) -> String) -> Result<(), Invalid> {
        match path_clash(self.files.iter().map(|file| file.path.as_str()), fold) {
            Some(path) => {
                Err(Invalid::at("/files", format!("{path:?} clashes with another path where case does not count")))
            }
            None => Ok(()),
        }
    }
}

fn check_path(pointer: &str, path: &str) -> Result<(), Invalid> {
    path_problem(path).map_or(Ok(()), |problem| Err(Invalid::at(pointer, problem)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size_bytes: u64) -> WeightsFile {
        let sha256 = Digest::of(path.as_bytes());
        WeightsFile { path: path.to_owned(), size_bytes, sha256, chunk_root: sha256, format: None }
    }

    #[test]
    fn paths_mean_one_file_inside_the_folder() {
        for path in ["a", "a/b.safetensors", ".hidden", "été", "a b", &"x".repeat(1024)] {
            assert_eq!(path_problem(path), None, "{path:?} should be taken");
        }
        let long = "x".repeat(1025);
        for path in ["", "/a", "a/", "a//b", ".", "./a", "a/../b", "..", "a\\b", "a\nb", "a\0", &"a/".repeat(40), &long]
        {
            assert!(path_problem(path).is_some(), "{path:?} should be refused");
        }
    }

    #[test]
    fn paths_that_some_file_system_takes_for_one_clash() {
        for paths in [["README", "readme"], ["É", "é"], ["a", "a/b"], ["A", "a/b"], ["a/b", "A"], ["x", "x"]] {
            assert!(path_clash(paths, str::to_lowercase).is_some(), "{paths:?} should clash");
        }
        assert_eq!(path_clash(["a/b", "a/c", "a-b", "ab"], str::to_lowercase), None);
    }

    #[test]
    fn chunks_begin_every_eight_mebibytes() {
        let chunk = CHUNK_BYTES;
        for (size, count) in [(0, 0), (1, 1), (chunk, 1), (chunk + 1, 2), (2 * chunk, 2), (u64::MAX, 1 << 41)] {
            assert_eq!(chunk_count(size), count, "{size}");
        }
    }

    #[test]
    fn the_root_is_that_of_rfc_6962() {
        let leaf = |n: u8| *chunk_hash(&[n]).as_bytes();
        let node = |left: Digest, right: Digest| Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()]);
        let root = |n: u8| chunk_root(&(0..n).map(leaf).collect::<Vec<_>>());
        assert_eq!(root(0), Digest::of(b""));
        assert_eq!(root(1), chunk_hash(&[0]));
        assert_eq!(root(3), node(root(2), chunk_hash(&[2])));
        assert_eq!(root(6), node(root(4), node(chunk_hash(&[4]), chunk_hash(&[5]))));
    }

    #[test]
    fn the_oms_root_sorts_by_components() {
        let (folder, dash) = (file("a/b", 1), file("a-b", 1));
        let expected = Digest::of_parts(&[folder.sha256.as_bytes(), dash.sha256.as_bytes()]);
        assert_eq!(oms_root(&[dash, folder]), expected);
    }

    #[test]
    fn the_manifest_is_text_that_anyone_can_write() {
        let text = manifest_text(&[file("a", 7)]);
        assert_eq!(text, format!("chancery.manifest/v1\n{} 7 a\n", Digest::of(b"a")));
    }
}
