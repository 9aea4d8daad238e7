//! Names with `${env.NAME}` in them: parsed once, filled per environment. No other form exists, and a mistyped
//! one is refused: a check that looks for the literal text would be missing everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::problem::Fault;

/// A text whose variables are known to be well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    text: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Parameter(Arc<str>),
}

/// The environment does not set a parameter that a template uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingParameter(pub(crate) Arc<str>);

impl Template {
    /// Parses a text; `field` is its path in the object.
    pub(crate) fn parse(text: &str, field: &str) -> Result<Self, Fault> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let variable = after.split_once('}').map(|(inside, after)| (inside.strip_prefix("env."), after));
            let Some((Some(name), after)) = variable.filter(|(name, _)| name.is_some_and(is_parameter_name))
            else {
                return Err(Fault::new(
                    "BadVariable",
                    format!(
                        "{field}: expected variables of the form ${{env.NAME}} (a letter, then letters and digits), found {text:?}"
                    ),
                ));
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            parts.push(Part::Parameter(name.into()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Self { parts, text: text.into() })
    }

    /// The text for an environment with these parameters.
    pub(crate) fn fill(&self, parameters: &BTreeMap<Arc<str>, Arc<str>>) -> Result<String, MissingParameter> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Parameter(name) => {
                    filled.push_str(parameters.get(name).ok_or_else(|| MissingParameter(name.clone()))?);
                }
            }
        }
        Ok(filled)
    }

    /// As it was written.
    pub(crate) fn as_written(&self) -> &Arc<str> {
        &self.text
    }
}

/// The rule of `Environment.spec.parameters`.
fn is_parameter_name(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<String, String> {
        let parameters =
            BTreeMap::from([("site".into(), "jp1".into()), ("fqdn".into(), "jp1.example.com".into())]);
        let template = Template::parse(text, "name").map_err(|fault| fault.message().to_owned())?;
        template.fill(&parameters).map_err(|MissingParameter(name)| format!("no {name}"))
    }

    #[test]
    fn variables_are_filled_and_everything_else_is_text() {
        assert_eq!(fill("check-cert-${env.site}").as_deref(), Ok("check-cert-jp1"));
        assert_eq!(fill("${env.site}${env.fqdn}").as_deref(), Ok("jp1jp1.example.com"));
        assert_eq!(fill("cost in $ { } $x").as_deref(), Ok("cost in $ { } $x"));
        assert_eq!(fill("${env.nobody}"), Err("no nobody".to_owned()));
    }

    #[test]
    fn any_other_form_is_refused() {
        for text in
            ["${site}", "${env.}", "${env.site", "${ env.site }", "${env.a-b}", "${env.1a}", "${${env.site}}"]
        {
            assert!(fill(text).is_err_and(|e| e.contains("${env.NAME}")), "{text}");
        }
    }
}
