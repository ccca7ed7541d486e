//! Sample models of our own making: their cards lie in `tests/samples`, their weights are made here.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A sample model and how it is published.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Whose it is: the nation's code.
    pub nation: &'static str,
    /// The publisher.
    pub org: &'static str,
    /// The model's name, and its folder's.
    pub name: &'static str,
    /// The version.
    pub version: &'static str,
    /// Its license.
    pub license: &'static License,
    /// How many bytes of weights are made.
    pub weights: usize,
}

/// A license of the samples.
#[derive(Debug)]
pub struct License {
    /// The name of the terms.
    pub name: &'static str,
    /// The template of `chancery license new`.
    pub template: &'static str,
    /// Titles by language.
    pub titles: &'static [&'static str],
    /// Texts by language: `LANG=FILE` in `tests/samples/licenses`.
    pub texts: &'static [(&'static str, &'static str)],
}

/// Anyone may use, change and pass on.
pub const OPEN: License = License {
    name: "sample-open",
    template: "open",
    titles: &["en=Sample Open License"],
    texts: &[("en", "open.txt")],
};

/// For research only, in two languages.
pub const RESEARCH: License = License {
    name: "sample-research",
    template: "research",
    titles: &["en=Sample Research License", "fr=Licence de recherche (échantillon)"],
    texts: &[("en", "research.txt"), ("fr", "recherche.fr.txt")],
};

const fn sample(nation: &'static str, org: &'static str, name: &'static str, license: &'static License) -> Sample {
    Sample { nation, org, name, version: "1.0", license, weights: 256 << 10 }
}

/// What the demonstration publishes: three models of each of three nations. One has weights of
/// several chunks.
pub const SAMPLES: [Sample; 9] = [
    Sample { weights: 20 << 20, ..sample("FR", "voltaire", "voltaire-petit", &OPEN) },
    sample("FR", "voltaire", "cartographe", &RESEARCH),
    sample("FR", "diwan", "diwan-traduction", &OPEN),
    sample("KE", "umoja", "umoja-base", &OPEN),
    sample("KE", "umoja", "shamba-vision", &RESEARCH),
    sample("KE", "afya", "afya-sauti", &RESEARCH),
    sample("BR", "ipe", "ipe-2b", &OPEN),
    sample("BR", "ipe", "jurisprudencia", &OPEN),
    sample("BR", "amazonia", "amazonia-ouvido", &OPEN),
];

impl Sample {
    /// Where its card lies.
    #[must_use]
    pub fn card(&self) -> PathBuf {
        folder().join(self.nation.to_lowercase()).join(self.name).join("README.md")
    }

    /// Lays the model's folder out at `folder`: card and weights.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn lay_out(&self, folder: &Path) -> anyhow::Result<()> {
        let attempted = || format!("failed to lay out the sample {} in {}", self.name, folder.display());
        std::fs::create_dir_all(folder).with_context(attempted)?;
        std::fs::copy(self.card(), folder.join("README.md")).with_context(attempted)?;
        let seed = self.name.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        std::fs::write(folder.join("model.safetensors"), safetensors(seed, self.weights)).with_context(attempted)
    }
}

impl License {
    /// The arguments of `chancery license new` that draw it up.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["--template".to_owned(), self.template.to_owned()];
        for title in self.titles {
            arguments.extend(["--title".to_owned(), (*title).to_owned()]);
        }
        for (language, file) in self.texts {
            let path = folder().join("licenses").join(file);
            arguments.extend(["--text".to_owned(), format!("{language}={}", path.display())]);
        }
        arguments
    }
}

/// A valid safetensors file: one tensor of `bytes` bytes of numbers that mean nothing, the same for
/// the same seed.
#[must_use]
pub fn safetensors(seed: u64, bytes: usize) -> Vec<u8> {
    let bytes = bytes / 4 * 4;
    let header = format!(r#"{{"sample":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{bytes}]}}}}"#, bytes / 4);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    let mut state = seed;
    while file.len() < 8 + header.len() + bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let fraction = f32::from(u16::try_from(state >> 48).unwrap_or_default()) / 65536.0 - 0.5;
        file.extend(fraction.to_le_bytes());
    }
    file
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}
