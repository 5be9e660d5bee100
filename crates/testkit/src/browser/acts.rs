//! What a person does in a browser, by what that person sees: buttons, links and fields by their names.

use serde_json::{Value, json};

use super::session::{Element, Fault};
use super::{Browser, Key};

const FINDER: &str = include_str!("finder.js");

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Something to click: a button, a link, an entry of a menu, a disclosure.
    Act,
    /// Something to fill in or read from.
    Field,
    /// Something to tick.
    Box,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Field => "field",
            Self::Box => "box",
        }
    }
}

/// A row of a table or list, found by a text that it holds; acts in it are found by name.
pub struct Row<'a> {
    browser: &'a Browser,
    text: &'a str,
}

impl Row<'_> {
    /// Clicks the button, link or menu entry of this name in the row.
    pub fn click(&self, name: &str) {
        self.browser.click_in(Some(self.text), name);
    }

    /// Ticks or unticks the box of this name in the row.
    pub fn tick(&self, name: &str) {
        self.browser.tick_in(Some(self.text), name);
    }
}

impl Browser {
    /// The row of a table or list that holds this text.
    pub fn row<'a>(&'a self, text: &'a str) -> Row<'a> {
        Row { browser: self, text }
    }

    /// Clicks the button, link, menu entry or disclosure of this name, when it can be clicked. Where several have the
    /// name, one in the open dialog comes before one in a menu, in the main part, anywhere.
    ///
    /// # Panics
    /// When after a while there is still none, more than one, or it cannot be clicked.
    pub fn click(&self, name: &str) {
        self.click_in(None, name);
    }

    /// Replaces what stands in the field of this label. A date is given as `2030-12-31`, a time as `23:45`.
    ///
    /// # Panics
    /// As [`Self::click`].
    pub fn fill(&self, label: &str, text: &str) {
        let act = format!("fill {label:?}");
        self.until(&act, || {
            let field = self.find(Kind::Field, None, label)?;
            let kind = self.property(&field, "type")?;
            let keys = typed(kind.as_str().unwrap_or_default(), text);
            self.session
                .post(&path(&field, "clear"), &json!({}))
                .map_err(Trouble::from)?;
            let typed = self
                .session
                .post(&path(&field, "value"), &json!({ "text": keys }));
            typed.map(drop).map_err(Trouble::from)
        });
    }

    /// Chooses an option of the list of this label, by the option's text.
    ///
    /// # Panics
    /// As [`Self::click`].
    pub fn choose(&self, label: &str, option: &str) {
        // The driver's own click on an option tells the page of `change` but not of `input`; a person's tells both.
        const CHOOSE: &str = "const [list, name] = arguments; \
             const option = [...list.options].find((option) => option.label.trim() === name); \
             if (!option || list.disabled || option.disabled) return false; \
             list.focus(); option.selected = true; \
             for (const event of ['input', 'change']) list.dispatchEvent(new Event(event, { bubbles: true })); \
             return true";
        self.until(&format!("choose {option:?} of {label:?}"), || {
            let field = self.find(Kind::Field, None, label)?;
            match self.session.run(CHOOSE, &json!([field.to_value(), option]))? {
                Value::Bool(true) => Ok(()),
                _ => Err(Trouble::Wait("there is no such option".to_owned())),
            }
        });
    }

    /// Clicks the checkbox, switch or radio button of this name.
    ///
    /// # Panics
    /// As [`Self::click`].
    pub fn tick(&self, name: &str) {
        self.tick_in(None, name);
    }

    /// Whether the box of this name is ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.until(&format!("look at the box {name:?}"), || {
            let element = self.find(Kind::Box, None, name)?;
            Ok(self.property(&element, "checked")? == Value::Bool(true))
        })
    }

    /// Whether the button of this name cannot be clicked.
    pub fn is_disabled(&self, name: &str) -> bool {
        self.until(&format!("look at {name:?}"), || {
            let element = self.find(Kind::Act, None, name)?;
            Ok(self.property(&element, "disabled")? == Value::Bool(true))
        })
    }

    /// What stands in the field of this label.
    pub fn value_of(&self, label: &str) -> String {
        self.until(&format!("read {label:?}"), || {
            let element = self.find(Kind::Field, None, label)?;
            let value = self.property(&element, "value")?;
            Ok(value.as_str().unwrap_or_default().to_owned())
        })
    }

    /// Whether there is something to click of this name, at this moment.
    pub fn offers(&self, name: &str) -> bool {
        match self.find(Kind::Act, None, name) {
            Ok(_) | Err(Trouble::Stop(_)) => true,
            Err(Trouble::Wait(_)) => false,
        }
    }

    /// Presses and releases a key, wherever the focus is.
    pub fn press(&self, key: Key) {
        let mut actions = Vec::new();
        let (held, value) = key.codes();
        let pair = |value: char| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": value.to_string() }))
        };
        actions.extend(pair(value));
        if let Some(held) = held {
            let [down, up] = pair(held);
            actions.insert(0, down);
            actions.push(up);
        }
        let asked = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.expect("press a key", self.session.post("/actions", &asked));
    }

    /// Types a text, wherever the focus is.
    pub fn type_text(&self, text: &str) {
        for letter in text.chars() {
            self.press(Key::Letter(letter));
        }
    }

    fn click_in(&self, row: Option<&str>, name: &str) {
        self.until(&format!("click {name:?}"), || {
            let element = self.find(Kind::Act, row, name)?;
            if self.property(&element, "disabled")? == Value::Bool(true) {
                return Err(Trouble::Wait("it is disabled".to_owned()));
            }
            self.session
                .post(&path(&element, "click"), &json!({}))
                .map(drop)
                .map_err(Trouble::from)
        });
    }

    fn tick_in(&self, row: Option<&str>, name: &str) {
        self.until(&format!("tick {name:?}"), || {
            let element = self.find(Kind::Box, row, name)?;
            self.session
                .post(&path(&element, "click"), &json!({}))
                .map(drop)
                .map_err(Trouble::from)
        });
    }

    fn property(&self, element: &Element, name: &str) -> Result<Value, Trouble> {
        let asked = self.session.get(&path(element, &format!("property/{name}")));
        asked.map_err(Trouble::from)
    }

    fn find(&self, kind: Kind, row: Option<&str>, name: &str) -> Result<Element, Trouble> {
        let answer = self.session.run(FINDER, &json!([kind.word(), name, row]))?;
        let found: Vec<Element> = answer["found"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Element::of)
            .collect();
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(Trouble::Wait(format!(
                "there is none; there are {}",
                answer["seen"]
            ))),
            several => Err(Trouble::Stop(format!("there are {} of that name", several.len()))),
        }
    }
}

/// Why something could not be done yet, or at all.
pub(super) enum Trouble {
    /// It may be possible in a moment.
    Wait(String),
    /// Waiting does not help.
    Stop(String),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        if fault.may_pass() {
            Self::Wait(fault.to_string())
        } else {
            Self::Stop(fault.to_string())
        }
    }
}

/// The keys by which a person enters this text into a field of this type, in a browser that speaks American English.
fn typed(kind: &str, text: &str) -> String {
    let number = |part: &str| part.parse::<u32>().expect("a date is 2030-12-31, a time 23:45");
    match kind {
        "date" => {
            let parts: Vec<&str> = text.split('-').collect();
            let &[year, month, day] = parts.as_slice() else {
                panic!("{text:?} is no date such as 2030-12-31");
            };
            format!("{month}{day}{year}")
        }
        "time" => {
            let (hour, minute) = text.split_once(':').expect("a time is 23:45");
            let half = if number(hour) < 12 { "AM" } else { "PM" };
            let hour = (number(hour) + 11) % 12 + 1;
            format!("{hour:02}{minute}{half}")
        }
        _ => text.to_owned(),
    }
}

fn path(element: &Element, act: &str) -> String {
    format!("/element/{}/{act}", element.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_typed_as_americans_do() {
        assert_eq!(typed("date", "2030-12-31"), "12312030");
        assert_eq!(typed("time", "23:45"), "1145PM");
        assert_eq!(typed("time", "00:05"), "1205AM");
        assert_eq!(typed("time", "12:00"), "1200PM");
        assert_eq!(typed("text", "23:45"), "23:45");
    }
}
