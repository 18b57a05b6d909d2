//! The form of every entry, and look-ups.

use std::collections::HashSet;

use pop3_providers::{PasswordKind, RefusalKind, Tls, UserForm, provider_of, provider_of_host, providers};

#[test]
fn every_entry_has_its_form() {
    assert!(providers().len() >= 40, "the table is parsed");
    let mut domains = HashSet::new();
    for provider in providers() {
        let name = &provider.name;
        for domain in &provider.domains {
            let is_domain = domain.contains('.')
                && domain.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
            assert!(is_domain, "{name}: {domain}");
            assert!(domains.insert(domain), "{name}: {domain} is there twice");
        }
        assert!(provider.source.starts_with("https://"), "{name}: a fact without a source");
        assert!(provider.help.as_ref().is_none_or(|help| help.starts_with("https://")), "{name}");
        let is_date = provider.checked.len() >= 7
            && provider.checked.starts_with("20")
            && provider.checked.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        assert!(is_date, "{name}: {}", provider.checked);
        let sentences = [provider.switch_on.as_deref(), provider.deletion.as_deref(), provider.unavailable()];
        assert!(sentences.into_iter().flatten().all(|sentence| sentence.ends_with('.')), "{name}");
        match provider.pop3() {
            Some(pop3) => {
                assert!(pop3.host.contains('.') && !pop3.host.contains(' '), "{name}: {}", pop3.host);
                let expected = if pop3.tls == Tls::Implicit { 995 } else { 110 };
                assert_eq!(pop3.port, expected, "{name}");
                // Whoever needs another password must be told where to get it.
                assert!(pop3.password == PasswordKind::Account || provider.switch_on.is_some(), "{name}");
            }
            None => assert!(provider.unavailable().is_some(), "{name}"),
        }
        let wants_token = provider.pop3().is_some_and(|pop3| pop3.password == PasswordKind::Token);
        assert!(!wants_token || provider.oauth.is_some(), "{name}: a token, and no way to get one");
        if let Some(oauth) = &provider.oauth {
            let urls = [Some(&oauth.authorize_url), Some(&oauth.token_url), oauth.device_url.as_ref()];
            assert!(urls.into_iter().flatten().all(|url| url.starts_with("https://")), "{name}");
            assert!(!oauth.scopes.is_empty() && oauth.scopes.iter().all(|scope| !scope.contains(' ')), "{name}");
            assert!(oauth.register.ends_with('.') && oauth.register.contains("https://"), "{name}");
        }
        assert!(provider.refusals.iter().all(|refusal| refusal.contains.len() >= 8), "{name}: a text too short to mean anything");
    }
}

#[test]
fn an_address_has_the_provider_of_its_domain() {
    let host = |address| provider_of(address).and_then(|provider| provider.pop3()).map(|pop3| pop3.host.as_str());
    for (address, expected) in [
        ("you@163.com", Some("pop.163.com")),
        ("you@vip.163.com", Some("pop.vip.163.com")),
        ("You@GMail.com", Some("pop.gmail.com")),
        ("\"odd@name\"@qq.com", Some("pop.qq.com")),
        ("you@hotmail.co.uk", Some("outlook.office365.com")),
        ("you@icloud.com", None),
        ("you@example.org", None),
        ("163.com", None),
        ("@163.com", None),
        ("you@evil163.com", None),
        ("you@163.com.example.org", None),
    ] {
        assert_eq!(host(address), expected, "{address}");
    }
}

#[test]
fn a_host_has_the_provider_whose_server_it_is() {
    assert_eq!(provider_of_host("POP.gmail.com").map(|provider| provider.name.as_str()), Some("Google Workspace"));
    assert_eq!(provider_of_host("pop.163.com").map(|provider| provider.name.as_str()), Some("NetEase 163"));
    assert!(provider_of_host("outlook.office365.com").unwrap().oauth.as_ref().unwrap().device_url.is_some());
    assert_eq!(provider_of_host("pop.example.org"), None);
}

#[test]
fn user_names_have_the_form_that_the_provider_wants() {
    let user = |address| provider_of(address).unwrap().pop3().unwrap().user.of(address);
    assert_eq!(user("you@web.de"), "you");
    assert_eq!(user("you@gmx.de"), "you@gmx.de");
    assert_eq!(UserForm::LocalPart.of("you"), "you");
}

#[test]
fn texts_of_refusals_are_known() {
    let gmail = provider_of("you@gmail.com").unwrap();
    assert_eq!(gmail.meaning("[AUTH] application-specific password REQUIRED: https://…"), Some(RefusalKind::OtherPassword));
    assert_eq!(gmail.meaning("Your account is not enabled for POP access."), Some(RefusalKind::PopOff));
    assert_eq!(gmail.meaning("something new"), None);
}
