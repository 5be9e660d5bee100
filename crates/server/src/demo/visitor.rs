//! Someone at the Admin UI without a browser: keeps cookies and fills in forms.

use std::collections::BTreeMap;

use ureq::http::StatusCode;

use crate::demo::client::{Answer, Client};
use crate::failure::Failure;

/// Somebody, signed in or not.
pub(crate) struct Visitor {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// Somebody unknown, with a browser of this name.
    pub(crate) fn new(url: &str, browser: &str) -> Self {
        Self {
            client: Client::new(url, browser),
            cookies: BTreeMap::new(),
        }
    }

    /// Opens the page at `path`, fills in its form that is sent to the path `action`, and sends that. `what` is done so,
    /// in words: the paths may hold a secret, and pages what others typed.
    pub(crate) fn fill_in(
        &mut self,
        what: &str,
        (path, action): (&str, &str),
        fields: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let page = self.send(what, ("GET", path), "")?;
        let expected = |answer: &Answer| {
            let fits = answer.status == StatusCode::OK || answer.status == StatusCode::SEE_OTHER;
            fits.then_some(())
                .ok_or_else(|| Failure::new(format!("{what}: the Admin UI answered {}", answer.status)))
        };
        expected(&page)?;
        let hidden = hidden_fields(&page.body, action)
            .ok_or_else(|| Failure::new(format!("{what}: the page has no form for it")))?;
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(hidden.iter().map(|(name, value)| (*name, *value)))
            .extend_pairs(fields)
            .finish();
        let answer = self.send(what, ("POST", action), &form)?;
        expected(&answer)?;
        Ok(answer)
    }

    fn send(&mut self, what: &str, request: (&str, &str), form: &str) -> Result<Answer, Failure> {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = self
            .client
            .request(request)
            .header("cookie", pairs.join("; "))
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = match form.is_empty() {
            true => self.client.answer(request, ()),
            false => self.client.answer(request, form),
        };
        let answer = answer.map_err(|e| Failure::because(format!("{what}: no answer"), e))?;
        for cookie in answer.headers.get_all("set-cookie") {
            let pair = cookie
                .to_str()
                .unwrap_or_default()
                .split(';')
                .next()
                .unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// The fields that prove where a form comes from: of the form that is sent to `action`. Their values are hexadecimal.
fn hidden_fields<'a>(page: &'a str, action: &str) -> Option<Vec<(&'a str, &'a str)>> {
    let target = format!(" action=\"{action}\"");
    let form = page.split("<form").skip(1).find(|form| {
        let tag = form.split('>').next().unwrap_or_default();
        tag.contains(&target)
    })?;
    let form = form.split("</form>").next()?;
    let inputs = form
        .split("<input")
        .skip(1)
        .filter_map(|input| input.split('>').next());
    let proofs = inputs.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)));
    Some(
        proofs
            .filter(|(name, _)| matches!(*name, "csrf" | "once"))
            .collect(),
    )
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_form_is_found() {
        let page = r#"<form method="post" action="/a"><input name="csrf" value="11"></form>
            <form action="/b" method="post"><input type="hidden" name="csrf" value="22">
            <input name="typed" value="x"><input name="once" value="33"></form>"#;
        assert_eq!(
            hidden_fields(page, "/b"),
            Some(vec![("csrf", "22"), ("once", "33")])
        );
        assert_eq!(hidden_fields(page, "/c"), None);
    }
}
