//! Files with which mail programs set themselves up: Thunderbird, Outlook and Apple Mail.

use pop3_providers::Tls;

use super::document::escaped_html as escaped;
use super::settings::Settings;
use crate::language::Message;

/// A file, and where it belongs.
#[derive(Debug)]
pub struct File {
    pub path: String,
    pub text: String,
    pub place: Message,
}

/// Returns the files for the domain of the address.
pub fn files(settings: &Settings) -> Vec<File> {
    let domain = settings.address.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
    vec![
        File {
            path: "mail/config-v1.1.xml".to_owned(),
            text: thunderbird(settings, &domain),
            place: Message::new("guide-place-thunderbird").with("domain", &domain),
        },
        File {
            path: "autodiscover/autodiscover.xml".to_owned(),
            text: outlook(settings),
            place: Message::new("guide-place-outlook").with("domain", &domain),
        },
        File {
            path: format!("{}.mobileconfig", file_name(&settings.address)),
            text: apple(settings),
            place: Message::new("guide-place-apple").with("domain", &domain),
        },
    ]
}

/// Returns the address as the name of a file.
fn file_name(address: &str) -> String {
    let address = address.to_lowercase();
    let is_safe = address.chars().all(|char| char.is_alphanumeric() || "@.-_+".contains(char)) && !address.starts_with('.');
    if is_safe { address } else { identifier(&address, "file") }
}

/// Returns the form of the user name in Mozilla's format: Thunderbird replaces the words between percent signs.
fn user_form(settings: &Settings) -> String {
    match settings.address.rsplit_once('@') {
        _ if settings.user == settings.address => "%EMAILADDRESS%".to_owned(),
        Some((local_part, _)) if local_part == settings.user => "%EMAILLOCALPART%".to_owned(),
        _ => escaped(&settings.user),
    }
}

/// Returns the file in Mozilla's format, version 1.1.
fn thunderbird(settings: &Settings, domain: &str) -> String {
    let security = if settings.tls == Tls::Stls { "STARTTLS" } else { "SSL" };
    let user = user_form(settings);
    let smtp = settings.smtp.as_ref().map_or_else(String::new, |smtp| {
        format!(
            "    <outgoingServer type=\"smtp\">\n      <hostname>{}</hostname>\n      <port>587</port>\n      <socketType>STARTTLS</socketType>\n      \
             <authentication>password-cleartext</authentication>\n      <username>{user}</username>\n    </outgoingServer>\n",
            escaped(smtp)
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n  <emailProvider id=\"{domain}\">\n    <domain>{domain}</domain>\n    \
         <displayName>{domain}</displayName>\n    <displayShortName>{domain}</displayShortName>\n    <incomingServer type=\"pop3\">\n      \
         <hostname>{host}</hostname>\n      <port>{port}</port>\n      <socketType>{security}</socketType>\n      \
         <authentication>password-cleartext</authentication>\n      <username>{user}</username>\n      <pop3>\n        \
         <leaveMessagesOnServer>true</leaveMessagesOnServer>\n      </pop3>\n    </incomingServer>\n{smtp}  </emailProvider>\n</clientConfig>\n",
        domain = escaped(domain),
        host = escaped(&settings.host),
        port = settings.port,
    )
}

/// Returns the answer of the Autodiscover service in Microsoft's “POX” format.
fn outlook(settings: &Settings) -> String {
    let encryption = if settings.tls == Tls::Stls { "TLS" } else { "SSL" };
    // Whether the user name has the domain in it.
    let domain = if settings.user == settings.address { "on" } else { "off" };
    let smtp = settings.smtp.as_ref().map_or_else(String::new, |smtp| {
        format!(
            "      <Protocol>\n        <Type>SMTP</Type>\n        <Server>{}</Server>\n        <Port>587</Port>\n        <SPA>off</SPA>\n        \
             <Encryption>TLS</Encryption>\n        <AuthRequired>on</AuthRequired>\n      </Protocol>\n",
            escaped(smtp)
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n  \
         <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">\n    <Account>\n      \
         <AccountType>email</AccountType>\n      <Action>settings</Action>\n      <Protocol>\n        <Type>POP3</Type>\n        \
         <Server>{host}</Server>\n        <Port>{port}</Port>\n        <DomainRequired>{domain}</DomainRequired>\n        <SPA>off</SPA>\n        <SSL>on</SSL>\n        \
         <Encryption>{encryption}</Encryption>\n        <AuthRequired>on</AuthRequired>\n      </Protocol>\n{smtp}    </Account>\n  </Response>\n\
         </Autodiscover>\n",
        host = escaped(&settings.host),
        port = settings.port,
    )
}

/// Returns a configuration profile of Apple's, for one address. Its identifiers depend on the address alone, so a newer profile replaces it.
fn apple(settings: &Settings) -> String {
    let smtp = settings.smtp.as_ref().map_or_else(String::new, |smtp| {
        format!(
            "      <key>OutgoingMailServerHostName</key><string>{}</string>\n      <key>OutgoingMailServerPortNumber</key><integer>587</integer>\n      \
             <key>OutgoingMailServerUseSSL</key><true/>\n      <key>OutgoingMailServerAuthentication</key><string>EmailAuthPassword</string>\n      \
             <key>OutgoingPasswordSameAsIncomingPassword</key><true/>\n",
            escaped(smtp)
        )
    });
    let address = escaped(&settings.address);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n  <key>PayloadType</key><string>Configuration</string>\n  \
         <key>PayloadVersion</key><integer>1</integer>\n  <key>PayloadIdentifier</key><string>pop3.{profile}</string>\n  \
         <key>PayloadUUID</key><string>{profile}</string>\n  <key>PayloadDisplayName</key><string>{address}</string>\n  \
         <key>PayloadContent</key>\n  <array>\n    <dict>\n      <key>PayloadType</key><string>com.apple.mail.managed</string>\n      \
         <key>PayloadVersion</key><integer>1</integer>\n      <key>PayloadIdentifier</key><string>pop3.{profile}.mail</string>\n      \
         <key>PayloadUUID</key><string>{mail}</string>\n      <key>EmailAccountType</key><string>EmailTypePOP</string>\n      \
         <key>EmailAddress</key><string>{address}</string>\n      <key>IncomingMailServerAuthentication</key><string>EmailAuthPassword</string>\n      \
         <key>IncomingMailServerHostName</key><string>{host}</string>\n      <key>IncomingMailServerPortNumber</key><integer>{port}</integer>\n      \
         <key>IncomingMailServerUseSSL</key><true/>\n      <key>IncomingMailServerUsername</key><string>{user}</string>\n{smtp}    </dict>\n  </array>\n\
         </dict>\n</plist>\n",
        profile = identifier(&settings.address, "profile"),
        mail = identifier(&settings.address, "mail"),
        host = escaped(&settings.host),
        port = settings.port,
        user = escaped(&settings.user),
    )
}

/// Returns a UUID for an address, of version 8 (RFC 9562 §5.8).
fn identifier(address: &str, what: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new().chain_update(address.to_lowercase()).chain_update([0]).chain_update(what).finalize();
    let hex: String = digest.iter().take(16).map(|octet| format!("{octet:02X}")).collect();
    format!("{}-{}-8{}-A{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
