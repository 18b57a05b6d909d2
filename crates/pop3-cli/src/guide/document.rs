//! A short document, as text, as Markdown and as a page.

use textwrap::core::display_width;

use crate::language::Message;
use crate::terminal::wrap;

/// A document with a title.
#[derive(Debug)]
pub struct Document {
    title: String,
    blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Debug)]
pub enum Block {
    Heading(String),
    Paragraph(String),
    /// Names and values.
    Fields(Vec<(String, String)>),
    /// Numbered steps.
    Steps(Vec<Step>),
}

/// A sentence to do, and the fields to fill in.
#[derive(Debug)]
pub struct Step {
    pub text: String,
    pub fields: Vec<(String, String)>,
}

impl Document {
    pub fn new(title: &Message) -> Self {
        Self { title: title.to_string(), blocks: Vec::new() }
    }

    pub fn add(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Returns lines of at most `width` columns, unless one word is wider.
    pub fn text(&self, width: usize) -> String {
        let mut parts = vec![wrap(&self.title, width, "", "")];
        for block in &self.blocks {
            parts.push(match block {
                Block::Heading(text) | Block::Paragraph(text) => wrap(text, width, "", ""),
                Block::Fields(fields) => aligned(fields, "  ", width),
                Block::Steps(steps) => {
                    let step = |(number, step): (usize, &Step)| {
                        let first = format!("{number:>2}. ");
                        let text = wrap(&step.text, width, &first, "    ");
                        match step.fields.is_empty() {
                            true => text,
                            false => format!("{text}\n{}", aligned(&step.fields, "      ", width)),
                        }
                    };
                    (1..).zip(steps).map(step).collect::<Vec<_>>().join("\n")
                }
            });
        }
        parts.join("\n\n") + "\n"
    }

    pub fn markdown(&self) -> String {
        let mut parts = vec![format!("# {}", escaped_markdown(&self.title))];
        for block in &self.blocks {
            parts.push(match block {
                Block::Heading(text) => format!("## {}", escaped_markdown(text)),
                Block::Paragraph(text) => escaped_markdown(text),
                Block::Fields(fields) => markdown_table(fields, ""),
                Block::Steps(steps) => {
                    let step = |(number, step): (usize, &Step)| {
                        let text = format!("{number}. {}", escaped_markdown(&step.text));
                        match step.fields.is_empty() {
                            true => text,
                            false => format!("{text}\n\n{}", markdown_table(&step.fields, "   ")),
                        }
                    };
                    (1..).zip(steps).map(step).collect::<Vec<_>>().join("\n\n")
                }
            });
        }
        parts.join("\n\n") + "\n"
    }

    /// Returns a page that needs nothing else and can be printed.
    pub fn html(&self) -> String {
        let title = escaped_html(&self.title);
        let mut body = format!("<h1>{title}</h1>\n");
        for block in &self.blocks {
            body += &match block {
                Block::Heading(text) => format!("<h2>{}</h2>\n", escaped_html(text)),
                Block::Paragraph(text) => format!("<p>{}</p>\n", escaped_html(text)),
                Block::Fields(fields) => html_table(fields),
                Block::Steps(steps) => {
                    let step = |step: &Step| {
                        let fields = if step.fields.is_empty() { String::new() } else { html_table(&step.fields) };
                        format!("<li>{}\n{fields}</li>\n", escaped_html(&step.text))
                    };
                    format!("<ol>\n{}</ol>\n", steps.iter().map(step).collect::<String>())
                }
            };
        }
        format!(
            "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>\nbody {{ font-family: sans-serif; max-width: 45em; margin: 2em auto; padding: 0 1em; }}\n\
             td {{ padding: 0.2em 1em 0.2em 0; vertical-align: top; }}\ntd + td {{ font-family: monospace; }}\n\
             li {{ margin-bottom: 1em; break-inside: avoid; }}\n</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
        )
    }
}

/// Returns names and values in two columns, or under each other where the terminal is narrow.
fn aligned(fields: &[(String, String)], margin: &str, width: usize) -> String {
    let widest = fields.iter().map(|(name, _)| display_width(name)).filter(|name| *name <= width / 2).max().unwrap_or_default();
    let line = |(name, value): &(String, String)| {
        let under = format!("{margin}  ");
        if display_width(name) > widest {
            let name = wrap(name, width, margin, &under);
            return format!("{name}\n{}", wrap(value, width, &under, &under));
        }
        let start = format!("{margin}{name}{}  ", " ".repeat(widest - display_width(name)));
        let rest = " ".repeat(display_width(&start));
        wrap(value, width, &start, &rest)
    };
    fields.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn markdown_table(fields: &[(String, String)], margin: &str) -> String {
    let row =
        |(name, value): &(String, String)| format!("{margin}| {} | `{}` |", escaped_markdown(name), value.replace('`', "'"));
    let rows: Vec<_> = fields.iter().map(row).collect();
    format!("{margin}| | |\n{margin}| --- | --- |\n{}", rows.join("\n"))
}

fn html_table(fields: &[(String, String)]) -> String {
    let row =
        |(name, value): &(String, String)| format!("<tr><td>{}</td><td>{}</td></tr>\n", escaped_html(name), escaped_html(value));
    format!("<table>\n{}</table>\n", fields.iter().map(row).collect::<String>())
}

fn escaped_markdown(text: &str) -> String {
    text.chars().flat_map(|char| "\\`*_<>#|[]".contains(char).then_some('\\').into_iter().chain([char])).collect()
}

/// Returns a text for HTML and XML, outside of tags and in attributes.
pub fn escaped_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let mut document = Document { title: "A <b> & `c` | d".to_owned(), blocks: Vec::new() };
        let fields =
            vec![("Name".to_owned(), "<joe@example.org>".to_owned()), ("A much longer name".to_owned(), "x|`y`".to_owned())];
        document.add(Block::Steps(vec![Step { text: "Do *this*.".to_owned(), fields }]));
        document
    }

    #[test]
    fn no_value_is_taken_for_markup() {
        let html = document().html();
        assert!(html.contains("<h1>A &lt;b&gt; &amp; `c` | d</h1>") && html.contains("&lt;joe@example.org&gt;"), "{html}");
        let markdown = document().markdown();
        assert!(markdown.contains("1. Do \\*this\\*.") && markdown.contains("# A \\<b\\> & \\`c\\` \\| d"), "{markdown}");
    }

    #[test]
    fn names_and_values_are_in_columns_where_there_is_room() {
        assert!(document().text(80).contains("      Name                <joe@example.org>\n"), "{}", document().text(80));
        let narrow = document().text(30);
        assert!(narrow.lines().all(|line| display_width(line) <= 30), "{narrow}");
    }
}
