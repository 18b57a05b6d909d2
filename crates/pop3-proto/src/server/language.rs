//! The languages of the reply texts (RFC 6856 §3).

use core::fmt;

/// A language of the reply texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// `en`
    #[default]
    English,
    /// `es`
    Spanish,
    /// `zh-Hans`
    SimplifiedChinese,
    /// `zh-Hant`
    TraditionalChinese,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::SimplifiedChinese, Self::TraditionalChinese];

    /// Returns the language tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::SimplifiedChinese => "zh-Hans",
            Self::TraditionalChinese => "zh-Hant",
        }
    }

    /// Returns the language's own name for itself.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Spanish => "Español",
            Self::SimplifiedChinese => "简体中文",
            Self::TraditionalChinese => "繁體中文",
        }
    }

    /// Returns the language that best fits a language range: the range is shortened from its end until a language fits (RFC 4647
    /// §3.4). If the range names Chinese by region, the region determines the script.
    ///
    /// ```
    /// use pop3_proto::server::Language;
    /// assert_eq!(Language::find(b"es-MX"), Some(Language::Spanish));
    /// assert_eq!(Language::find(b"zh-TW"), Some(Language::TraditionalChinese));
    /// assert_eq!(Language::find(b"uga"), None);
    /// ```
    pub fn find(range: &[u8]) -> Option<Self> {
        const PLACES: [(&str, Language); 6] = [
            ("zh", Language::SimplifiedChinese),
            ("zh-CN", Language::SimplifiedChinese),
            ("zh-SG", Language::SimplifiedChinese),
            ("zh-TW", Language::TraditionalChinese),
            ("zh-HK", Language::TraditionalChinese),
            ("zh-MO", Language::TraditionalChinese),
        ];
        let tags = || Self::ALL.into_iter().map(|language| (language.tag(), language)).chain(PLACES);
        let mut range = range;
        loop {
            if let Some((_, language)) = tags().find(|(tag, _)| tag.as_bytes().eq_ignore_ascii_case(range)) {
                return Some(language);
            }
            range = range.get(..range.iter().rposition(|byte| *byte == b'-')?)?;
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s55_ranges_are_shortened_until_a_language_fits() {
        let cases: [(&str, Option<Language>); 12] = [
            ("en", Some(Language::English)),
            ("EN-gb-oed", Some(Language::English)),
            ("es-419", Some(Language::Spanish)),
            ("zh", Some(Language::SimplifiedChinese)),
            ("zh-hans-CN", Some(Language::SimplifiedChinese)),
            ("zh-Hant-HK", Some(Language::TraditionalChinese)),
            ("zh-hk", Some(Language::TraditionalChinese)),
            ("MUL", None),
            ("e", None),
            ("", None),
            ("-", None),
            ("x-en", None),
        ];
        for (range, expected) in cases {
            assert_eq!(Language::find(range.as_bytes()), expected, "{range:?}");
        }
    }
}
