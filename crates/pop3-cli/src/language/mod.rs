//! Texts for people, in four languages. The texts are in the folder `texts`, one file for each language.

pub mod sentences;
mod texts;

use std::env;
use std::fmt;
use std::sync::OnceLock;

use clap::ValueEnum;
pub use sentences::translated;

/// A language of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    #[value(name = "en")]
    English,
    #[value(name = "es")]
    Spanish,
    #[value(name = "zh-Hans", alias = "zh-CN")]
    SimplifiedChinese,
    #[value(name = "zh-Hant", alias = "zh-TW")]
    TraditionalChinese,
}

/// The language of this run. English until it is chosen.
static CHOSEN: OnceLock<Language> = OnceLock::new();

impl Language {
    /// Chooses the language of this run: the given one, or the environment's.
    pub fn choose(given: Option<Self>) {
        // The first choice stays.
        let _ = CHOSEN.set(given.unwrap_or_else(Self::of_environment));
    }

    /// Returns the language of this run.
    fn chosen() -> Self {
        CHOSEN.get().copied().unwrap_or(Self::English)
    }

    /// Returns the language of the first variable of POSIX that is set.
    fn of_environment() -> Self {
        let variables = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(env::var_os);
        variables
            .into_iter()
            .find(|value| !value.is_empty())
            .map_or(Self::English, |value| Self::of_locale(&value.to_string_lossy()))
    }

    /// Returns the language of a locale such as `zh_TW.UTF-8`; English if the program has no such language.
    fn of_locale(locale: &str) -> Self {
        let tag = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-").to_ascii_lowercase();
        let mut parts = tag.split('-');
        match parts.next() {
            Some("es") => Self::Spanish,
            Some("zh") if parts.any(|part| matches!(part, "hant" | "tw" | "hk" | "mo")) => Self::TraditionalChinese,
            Some("zh") => Self::SimplifiedChinese,
            _ => Self::English,
        }
    }
}

/// A text with its arguments. `Display` writes it in the language of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    id: &'static str,
    arguments: Vec<(&'static str, String)>,
}

impl Message {
    /// Returns the text with this name in the files of texts.
    pub const fn new(id: &'static str) -> Self {
        Self { id, arguments: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }

    /// Returns the name of the text, which is the same in every language.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Returns the text in a language.
    pub fn in_language(&self, language: Language) -> String {
        texts::format(language, self.id, &self.arguments)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_language(Language::chosen()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_selects_the_language() {
        for (locale, language) in [
            ("es_MX.UTF-8", Language::Spanish),
            ("zh_CN.GB18030", Language::SimplifiedChinese),
            ("zh_TW", Language::TraditionalChinese),
            ("zh-Hant-HK", Language::TraditionalChinese),
            ("zh_SG.UTF-8@radical", Language::SimplifiedChinese),
            ("C.UTF-8", Language::English),
            ("estonian", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
    }
}
