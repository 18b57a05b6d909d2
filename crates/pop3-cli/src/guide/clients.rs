//! The dialogs of mail programs, from the file `guides/clients.toml`.

use std::sync::LazyLock;

use pop3_providers::Tls;
use serde::Deserialize;

use super::document::Step;
use super::settings::Settings;
use crate::language::translated;

/// A mail program.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    pub id: String,
    pub name: String,
    /// The version that the steps were written for.
    pub checked: String,
    /// What is wrong with the program today.
    pub warning: Option<String>,
    #[serde(rename = "step")]
    steps: Vec<ClientStep>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientStep {
    #[serde(rename = "do")]
    text: String,
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Field {
    Always { field: String, value: String },
    BySecurity { field: String, tls: String, stls: String },
}

impl Client {
    /// Returns the steps with the settings filled in.
    pub fn steps(&self, settings: &Settings) -> Vec<Step> {
        let field = |field: &Field| match (field, settings.tls) {
            (Field::Always { field, value }, _) => (field.clone(), settings.fill(translated(value))),
            (Field::BySecurity { field, tls, .. }, Tls::Implicit) => (field.clone(), settings.fill(translated(tls))),
            (Field::BySecurity { field, stls, .. }, Tls::Stls) => (field.clone(), settings.fill(translated(stls))),
        };
        let step = |step: &ClientStep| Step {
            text: settings.fill(translated(&step.text)),
            fields: step.fields.iter().map(field).collect(),
        };
        self.steps.iter().map(step).collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clients {
    client: Vec<Client>,
}

/// Returns all clients.
pub fn clients() -> &'static [Client] {
    // A test reads the file, so it is never empty.
    static CLIENTS: LazyLock<Vec<Client>> = LazyLock::new(|| {
        toml::from_str(include_str!("../../guides/clients.toml")).map(|clients: Clients| clients.client).unwrap_or_default()
    });
    &CLIENTS
}

/// Returns the client with this name.
pub fn client(id: &str) -> Option<&'static Client> {
    clients().iter().find(|client| client.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pop3_providers::providers;

    use super::*;
    use crate::language::Language;
    use crate::language::sentences::texts;

    #[test]
    fn every_client_names_the_settings_that_a_login_needs() {
        let clients: Clients = toml::from_str(include_str!("../../guides/clients.toml")).unwrap();
        let ids: BTreeSet<_> = clients.client.iter().map(|client| client.id.as_str()).collect();
        assert_eq!((ids.len(), clients.client.len()), (14, 14), "{ids:?}");
        for client in &clients.client {
            let text = format!("{:?}", client.steps);
            for setting in ["{host}", "{port}", "{user", "{password}"] {
                assert!(text.contains(setting), "{}: {setting}", client.id);
            }
            let is_by_security = |field: &Field| matches!(field, Field::BySecurity { .. });
            let has_security =
                client.steps.iter().any(|step| step.fields.iter().any(is_by_security)) || client.id == "apple-mail";
            assert!(has_security, "{}", client.id);
        }
    }

    /// The settings that stand in a text, such as `{smtp}`.
    fn settings(text: &str) -> Vec<&str> {
        let mut settings: Vec<_> =
            text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
        settings.sort_unstable();
        settings
    }

    #[test]
    fn every_sentence_of_clients_and_providers_is_there_in_every_language_with_its_settings() {
        let steps = || clients().iter().flat_map(|client| &client.steps);
        let warnings = clients().iter().filter_map(|client| client.warning.as_deref());
        let facts = providers().iter().flat_map(|provider| {
            let register = provider.oauth.as_ref().map(|oauth| oauth.register.as_str());
            [provider.switch_on.as_deref(), provider.deletion.as_deref(), provider.unavailable(), register].into_iter().flatten()
        });
        let sentences: BTreeSet<&str> = steps().map(|step| step.text.as_str()).chain(warnings).chain(facts).collect();
        let values: BTreeSet<&str> = steps()
            .flat_map(|step| &step.fields)
            .flat_map(|field| match field {
                Field::Always { value, .. } => [value.as_str(), value],
                Field::BySecurity { tls, stls, .. } => [tls.as_str(), stls],
            })
            .collect();
        for language in [Language::Spanish, Language::SimplifiedChinese, Language::TraditionalChinese] {
            let texts = texts(language).unwrap();
            let missing: Vec<_> = sentences.iter().filter(|text| !texts.contains_key(**text)).collect();
            assert!(missing.is_empty(), "{language:?}: {missing:#?}");
            let is_used = |text: &str| sentences.contains(text) || values.contains(text);
            let unused: Vec<_> = texts.keys().filter(|text| !is_used(text)).collect();
            assert!(unused.is_empty(), "{language:?}: {unused:#?}");
            for (text, translation) in texts {
                assert_eq!(settings(text), settings(translation), "{language:?}: {text}");
                assert!(translation != text && !translation.is_empty(), "{language:?}: {text}");
            }
        }
    }
}
