//! The subcommand `pop3 guide`: how to set a mail program up for an address.

mod autoconfig;
mod clients;
mod document;
mod settings;

use std::fs;
use std::io::Write;
use std::path::Path;

use pop3_providers::Provider;

use crate::arguments::{Guide, GuideFormat};
use crate::failure::{Exit, Failure, say};
use crate::language::{Message, translated};
use crate::terminal;
use clients::{Client, client, clients};
use document::{Block, Document};
use settings::Settings;

pub fn run(arguments: &Guide) -> Result<(), Failure> {
    let settings = Settings::of(arguments)?;
    if let Some(folder) = &arguments.autoconfig {
        return write_autoconfig(&settings, folder);
    }
    let document = match &arguments.client {
        None => overview(&settings),
        Some(id) => {
            let client = client(id).ok_or_else(|| {
                let names: Vec<_> = clients().iter().map(|client| client.id.as_str()).collect();
                Failure::new(Exit::Usage, Message::new("guide-unknown-client").with("client", id))
                    .hint(&Message::new("guide-clients").with("names", names.join(", ")).to_string())
            })?;
            guide(client, &settings)
        }
    };
    let text = match arguments.format {
        GuideFormat::Text => document.text(terminal::width()),
        GuideFormat::Markdown => document.markdown(),
        GuideFormat::Html => document.html(),
    };
    match &arguments.output {
        None => say(text.trim_end()),
        Some(file) => {
            let written = fs::File::create(file).and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| Failure::file(file, &error))
        }
    }
}

/// Returns the settings of an address, and what its provider wants.
fn overview(settings: &Settings) -> Document {
    let names: Vec<_> = clients().iter().map(|client| client.id.as_str()).collect();
    let mut document = Document::new(&Message::new("guide-overview").with("address", &settings.address));
    document.add(Block::Fields(settings.fields()));
    for paragraph in settings.provider.map(advice).unwrap_or_default() {
        document.add(Block::Paragraph(paragraph));
    }
    document.add(Block::Paragraph(Message::new("guide-clients").with("names", names.join(", ")).to_string()));
    document
}

/// Returns the steps of a client.
fn guide(client: &Client, settings: &Settings) -> Document {
    let title = Message::new("guide-title").with("client", &client.name).with("address", &settings.address);
    let mut document = Document::new(&title);
    if let Some(warning) = &client.warning {
        document.add(Block::Paragraph(Message::new("guide-warning").with("text", translated(warning)).to_string()));
    }
    let advice = settings.provider.map(advice).unwrap_or_default();
    if !advice.is_empty() {
        document.add(Block::Heading(Message::new("guide-before").to_string()));
        for paragraph in advice {
            document.add(Block::Paragraph(paragraph));
        }
    }
    document.add(Block::Heading(Message::new("guide-steps").to_string()));
    document.add(Block::Steps(client.steps(settings)));
    document.add(Block::Paragraph(Message::new("guide-checked").with("version", &client.checked).to_string()));
    document
}

/// Returns what the owner of a mailbox must know of the provider.
fn advice(provider: &Provider) -> Vec<String> {
    let name = |message: Message| message.with("provider", &provider.name);
    let mut paragraphs = Vec::new();
    if let Some(text) = &provider.switch_on {
        paragraphs.push(name(Message::new("guide-switch-on")).with("text", translated(text)).to_string());
    }
    if let Some(minutes) = provider.poll_minutes {
        paragraphs.push(name(Message::new("guide-poll")).with("minutes", minutes).to_string());
    }
    if let Some(text) = &provider.deletion {
        paragraphs.push(name(Message::new("guide-deletion")).with("text", translated(text)).to_string());
    }
    if let Some(help) = &provider.help {
        paragraphs.push(name(Message::new("guide-help")).with("text", help).to_string());
    }
    let source = Message::new("guide-source").with("source", &provider.source).with("date", &provider.checked);
    paragraphs.push(source.to_string());
    paragraphs
}

fn write_autoconfig(settings: &Settings, folder: &Path) -> Result<(), Failure> {
    for file in autoconfig::files(settings) {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| Failure::file(parent, &error))?;
        fs::write(&path, &file.text).map_err(|error| Failure::file(&path, &error))?;
        say(format_args!("{}\n      {}", path.display(), file.place))?;
    }
    Ok(())
}
