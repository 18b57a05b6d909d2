//! The files of texts, in the format of Project Fluent.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use super::Language;

type Texts = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| read(Language::English));
static SPANISH: LazyLock<Texts> = LazyLock::new(|| read(Language::Spanish));
static SIMPLIFIED_CHINESE: LazyLock<Texts> = LazyLock::new(|| read(Language::SimplifiedChinese));
static TRADITIONAL_CHINESE: LazyLock<Texts> = LazyLock::new(|| read(Language::TraditionalChinese));

const fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../../texts/en.ftl"),
        Language::Spanish => include_str!("../../texts/es.ftl"),
        Language::SimplifiedChinese => include_str!("../../texts/zh-Hans.ftl"),
        Language::TraditionalChinese => include_str!("../../texts/zh-Hant.ftl"),
    }
}

fn read(language: Language) -> Texts {
    let tag = match language {
        Language::English => "en",
        Language::Spanish => "es",
        Language::SimplifiedChinese => "zh-Hans",
        Language::TraditionalChinese => "zh-Hant",
    };
    let mut texts = Texts::new_concurrent(vec![LanguageIdentifier::from_bytes(tag.as_bytes()).unwrap_or_default()]);
    // The texts go to terminals, which show the marks around arguments as boxes.
    texts.set_use_isolating(false);
    // A test reads the files, so all of each is readable.
    let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(source(language).to_owned());
    texts.add_resource_overriding(resource);
    texts
}

/// Returns a text with its arguments; its name if there is no such text, which a test excludes.
pub fn format(language: Language, id: &str, arguments: &[(&str, String)]) -> String {
    let texts = match language {
        Language::English => &*ENGLISH,
        Language::Spanish => &*SPANISH,
        Language::SimplifiedChinese => &*SIMPLIFIED_CHINESE,
        Language::TraditionalChinese => &*TRADITIONAL_CHINESE,
    };
    let Some(pattern) = texts.get_message(id).and_then(|message| message.value()) else { return id.to_owned() };
    let mut args = FluentArgs::new();
    for (name, value) in arguments {
        match value.parse::<u64>() {
            // A number selects the plural form. It is written as the caller wrote it, without separators of thousands.
            Ok(number) if number.to_string() == *value => args.set(*name, number),
            _ => args.set(*name, value.as_str()),
        }
    }
    texts.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;

    use clap::ValueEnum;
    use fluent_syntax::ast::Entry;
    use fluent_syntax::parser;

    use super::*;

    /// Returns the arguments of each text, and its source.
    fn texts(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let parsed = parser::parse(source(language)).unwrap_or_else(|(_, errors)| panic!("{language:?}: {errors:?}"));
        let mut texts = BTreeMap::new();
        for entry in parsed.body {
            let Entry::Message(message) = entry else { continue };
            let words = format!("{:?}", message.value);
            let arguments = words.split("VariableReference { id: Identifier { name: \"").skip(1);
            let arguments = arguments.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect();
            let id = message.id.name.to_owned();
            assert_eq!(texts.insert(id.clone(), arguments), None, "{language:?}: {id} is there twice");
        }
        texts
    }

    #[test]
    fn every_language_has_every_text_with_the_same_arguments() {
        let english = texts(Language::English);
        for language in Language::value_variants() {
            let texts = texts(*language);
            for (id, arguments) in &english {
                assert_eq!(texts.get(id), Some(arguments), "{language:?}: {id}");
            }
            for id in texts.keys() {
                assert!(english.contains_key(id), "{language:?}: {id} is not English");
            }
        }
    }

    fn read(folder: &Path, sources: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, sources);
            } else {
                sources.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn every_text_is_used_and_every_used_text_exists() {
        let mut sources = String::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
        let used: BTreeSet<_> = sources.split("Message::new(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let english = texts(Language::English);
        let known: BTreeSet<_> = english.keys().map(String::as_str).collect();
        assert_eq!(used, known);
    }

    #[test]
    fn numbers_select_the_plural_and_texts_stay_texts() {
        let told = |count: &str| {
            format(Language::English, "doctor-mailbox", &[("messages", count.to_owned()), ("octets", "7".to_owned())])
        };
        assert!(told("1").starts_with("1 message,"), "{}", told("1"));
        assert!(told("20000").starts_with("20000 messages,"), "{}", told("20000"));
    }
}
