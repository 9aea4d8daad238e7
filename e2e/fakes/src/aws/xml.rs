//! Writes XML the plain way: strings, escaped, into one buffer.
//!
//! Only what EC2, RDS and STS answers need: elements with text or children, no attributes but the root's namespace.

/// A buffer of XML.
#[derive(Debug, Default)]
pub struct Xml(String);

impl Xml {
    /// An empty buffer with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.0
    }

    /// `<name>text</name>`.
    pub fn text(&mut self, name: &str, text: impl AsRef<str>) -> &mut Self {
        self.open(name);
        escape(text.as_ref(), &mut self.0);
        self.close(name)
    }

    /// As [`Xml::text`]; nothing at all for `None`, as AWS leaves absent fields out.
    pub fn maybe(&mut self, name: &str, text: Option<impl AsRef<str>>) -> &mut Self {
        if let Some(text) = text {
            self.text(name, text);
        }
        self
    }

    /// `<name>true</name>` or false.
    pub fn flag(&mut self, name: &str, flag: bool) -> &mut Self {
        self.text(name, if flag { "true" } else { "false" })
    }

    /// `<name>number</name>`.
    pub fn number(&mut self, name: &str, number: impl Into<i64>) -> &mut Self {
        self.text(name, number.into().to_string())
    }

    /// `<name>children</name>`.
    pub fn nest(&mut self, name: &str, children: impl FnOnce(&mut Self)) -> &mut Self {
        self.open(name);
        children(self);
        self.close(name)
    }

    /// A list, EC2's way: `<name><item>…</item>…</name>`, empty when there are no items.
    pub fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        each: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.members(name, "item", items, each)
    }

    /// A list, the way of the older Query services: each member has the name of its kind.
    pub fn members<T>(
        &mut self,
        name: &str,
        member: &str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.nest(name, |xml| {
            for item in items {
                xml.nest(member, |xml| each(xml, item));
            }
        })
    }

    /// XML that was written before.
    pub fn raw(&mut self, xml: &str) -> &mut Self {
        self.0.push_str(xml);
        self
    }

    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) -> &mut Self {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        self
    }
}

/// Escapes what XML 1.0 reserves. Characters that XML cannot carry at all become U+FFFD; tags refuse them on entry.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            c if carried_by_xml(c) => out.push(c),
            _ => out.push('\u{FFFD}'),
        }
    }
}

/// Whether XML 1.0 can carry this character (its `Char` production).
#[must_use]
pub fn carried_by_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_unicode_is_kept() {
        let mut xml = Xml::default();
        xml.nest("tag", |xml| {
            xml.text("key", "環境 <a&b>").text("value", "\u{0}\r\"☃\"").maybe("gone", None::<&str>);
        });
        assert_eq!(
            xml.finish(),
            "<tag><key>環境 &lt;a&amp;b&gt;</key><value>\u{FFFD}&#xD;&quot;☃&quot;</value></tag>"
        );
    }

    #[test]
    fn lists_are_items_and_may_be_empty() {
        let mut xml = Xml::default();
        xml.list("set", [1, 2], |xml, n| {
            xml.number("n", n);
        });
        xml.list("none", [0; 0], |xml, n| {
            xml.number("n", n);
        });
        assert_eq!(xml.finish(), "<set><item><n>1</n></item><item><n>2</n></item></set><none></none>");
    }
}
