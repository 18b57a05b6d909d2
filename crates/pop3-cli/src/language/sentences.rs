//! Sentences of data in other languages: the steps of the guides and the facts about providers. The folder `guides` has a file for each language
//! with each English sentence and its translation.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::Language;

type Texts = BTreeMap<String, String>;

static SPANISH: LazyLock<Texts> =
    LazyLock::new(|| read([include_str!("../../guides/es.toml"), include_str!("../../guides/providers.es.toml")]));
static SIMPLIFIED_CHINESE: LazyLock<Texts> =
    LazyLock::new(|| read([include_str!("../../guides/zh-Hans.toml"), include_str!("../../guides/providers.zh-Hans.toml")]));
static TRADITIONAL_CHINESE: LazyLock<Texts> =
    LazyLock::new(|| read([include_str!("../../guides/zh-Hant.toml"), include_str!("../../guides/providers.zh-Hant.toml")]));

fn read(files: [&str; 2]) -> Texts {
    // A test finds every sentence in the files, so they can be parsed.
    files.into_iter().flat_map(|text| toml::from_str::<Texts>(text).unwrap_or_default()).collect()
}

/// Returns the translations into a language; `None` for English.
pub fn texts(language: Language) -> Option<&'static Texts> {
    match language {
        Language::English => None,
        Language::Spanish => Some(&SPANISH),
        Language::SimplifiedChinese => Some(&SIMPLIFIED_CHINESE),
        Language::TraditionalChinese => Some(&TRADITIONAL_CHINESE),
    }
}

/// Returns a sentence in the language of this run. Labels and values that a program shows have no translation, and stay as they are.
pub fn translated(text: &str) -> &str {
    texts(Language::chosen()).and_then(|texts| texts.get(text)).map_or(text, String::as_str)
}
