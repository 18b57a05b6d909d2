//! The arguments of `pop3 guide`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Show how to set up a mail program for an address.
///
/// Without --client, shows the settings of the address and what its provider wants. With it, the fields of that program's dialogs in
/// their order, with the values to type.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 guide you@126.com --client thunderbird
      Show the steps for Thunderbird.

  pop3 guide joe@example.org --host pop.example.org \\
      --client outlook --format html --output outlook.html
      Write a page for the users of your own server.

  pop3 guide joe@example.org --host pop.example.org \\
      --autoconfig web
      Write the files with which mail programs set themselves up,
      and say where they belong.

Clients:
  thunderbird, outlook, new-outlook, apple-mail, foxmail, gmail-app,
  k9, fairemail, evolution, mutt, outlook-express, outlook-2003,
  foxmail-5, netscape")]
pub struct Guide {
    /// Mail address.
    pub address: String,

    /// Mail program.
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,

    /// Host name of your own server. By default, the server of the address's provider.
    #[arg(long)]
    pub host: Option<String>,

    /// Port of the server. Default: the provider's; otherwise 995, or 110 with --stls.
    #[arg(short, long)]
    pub port: Option<u16>,

    /// The server uses STLS (STARTTLS).
    #[arg(long)]
    pub stls: bool,

    /// User name. Default: what the provider wants; otherwise the address.
    #[arg(short, long)]
    pub user: Option<String>,

    /// Host name of the server for outgoing mail.
    #[arg(long, value_name = "HOST")]
    pub smtp_host: Option<String>,

    /// Format of the guide.
    #[arg(long, value_enum, default_value = "text")]
    pub format: GuideFormat,

    /// Write the guide to this file.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Write the files with which Thunderbird, Outlook and Apple Mail set themselves up, under this folder.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["client", "output"])]
    pub autoconfig: Option<PathBuf>,
}

/// The format of a guide.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum GuideFormat {
    Text,
    Markdown,
    /// A page that can be printed.
    Html,
}
