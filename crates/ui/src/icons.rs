//! The few drawings that pages use, on a grid of 16 units, in the colour of the text around them.

use std::fmt;

use askama::filters::HtmlSafe;

/// A drawing, to be put into a page as it is. It says nothing that the text beside it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Icon(&'static str);

impl HtmlSafe for Icon {}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{}</svg>"#,
            self.0
        )
    }
}

/// The drawing of this name; an empty one for any other.
pub(crate) fn icon(name: &str) -> Icon {
    let found = ICONS.iter().find(|(known, _)| *known == name);
    Icon(found.map_or("", |(_, drawing)| drawing))
}

const ICONS: &[(&str, &str)] = &[
    (
        "overview",
        r#"<path d="M2.5 13.5h11M4.5 11V7.5M8 11V3.5M11.5 11V6"/>"#,
    ),
    (
        "database",
        r#"<ellipse cx="8" cy="4" rx="5" ry="2"/><path d="M3 4v8c0 1.1 2.2 2 5 2s5-.9 5-2V4M3 8c0 1.1 2.2 2 5 2s5-.9 5-2"/>"#,
    ),
    (
        "table",
        r#"<rect x="2.5" y="3" width="11" height="10" rx="1.5"/><path d="M2.5 6.5h11M2.5 9.75h11M6.5 6.5V13"/>"#,
    ),
    (
        "key",
        r#"<circle cx="5.5" cy="10.5" r="3"/><path d="m7.75 8.25 5.75-5.75M11 5l2 2"/>"#,
    ),
    (
        "shield",
        r#"<path d="M8 1.75 13 3.5v4c0 3.2-2 5.5-5 6.75C5 13 3 10.7 3 7.5v-4z"/><circle cx="8" cy="7" r="1.5"/><path d="M8 8.5v2.25"/>"#,
    ),
    (
        "users",
        r#"<circle cx="6" cy="5.5" r="2.5"/><path d="M1.75 13.25c0-2.4 1.9-3.75 4.25-3.75s4.25 1.35 4.25 3.75M10.5 3.25a2.5 2.5 0 0 1 0 4.5M12 9.75c1.4.5 2.25 1.7 2.25 3.5"/>"#,
    ),
    (
        "user",
        r#"<circle cx="8" cy="5.5" r="2.75"/><path d="M2.75 13.75c.4-2.6 2.5-4 5.25-4s4.85 1.4 5.25 4"/>"#,
    ),
    (
        "log",
        r#"<path d="M3.5 2.5h6l3 3v8h-9z"/><path d="M5.75 8h4.5M5.75 10.75h4.5M9.25 2.75V5.5h3"/>"#,
    ),
    (
        "node",
        r#"<rect x="2.5" y="2.75" width="11" height="4.5" rx="1"/><rect x="2.5" y="8.75" width="11" height="4.5" rx="1"/><path d="M5 5h.01M5 11h.01M8 5h3M8 11h3"/>"#,
    ),
    (
        "help",
        r#"<circle cx="8" cy="8" r="6"/><path d="M6.25 6.25c.1-1 .8-1.6 1.8-1.6s1.8.65 1.8 1.6c0 1.35-1.85 1.4-1.85 2.75M8 11.25h.01"/>"#,
    ),
    (
        "account",
        r#"<path d="M2.5 13.5V3.75a1 1 0 0 1 1-1h4a1 1 0 0 1 1 1v9.75M8.5 6.5h4a1 1 0 0 1 1 1v6M1.5 13.5h13M5 5.5h1M5 8h1M5 10.5h1M11 9.25h.01M11 11.5h.01"/>"#,
    ),
    (
        "cluster",
        r#"<path d="m8 1.75 5.5 3.1v6.3L8 14.25l-5.5-3.1v-6.3z"/><path d="m2.75 5 5.25 3 5.25-3M8 8v6"/>"#,
    ),
    (
        "search",
        r#"<circle cx="7" cy="7" r="4.25"/><path d="m10.25 10.25 3.25 3.25"/>"#,
    ),
    ("filter", r#"<path d="M2.5 4h11M4.75 8h6.5M6.75 12h2.5"/>"#),
    ("plus", r#"<path d="M8 3v10M3 8h10"/>"#),
    (
        "dots",
        r#"<g fill="currentColor" stroke="none"><circle cx="8" cy="3.5" r="1.25"/><circle cx="8" cy="8" r="1.25"/><circle cx="8" cy="12.5" r="1.25"/></g>"#,
    ),
    ("check", r#"<path d="m3 8.5 3.25 3.25L13 5"/>"#),
    (
        "check-circle",
        r#"<circle cx="8" cy="8" r="6"/><path d="m5.25 8.25 2 2 3.5-4"/>"#,
    ),
    (
        "clock",
        r#"<circle cx="8" cy="8" r="6"/><path d="M8 4.75V8l2.25 1.5"/>"#,
    ),
    ("ban", r#"<circle cx="8" cy="8" r="6"/><path d="m4 4 8 8"/>"#),
    (
        "dashed",
        r#"<circle cx="8" cy="8" r="6" stroke-dasharray="2.5 2"/>"#,
    ),
    (
        "info",
        r#"<circle cx="8" cy="8" r="6"/><path d="M8 7.25v3.5M8 5.25h.01"/>"#,
    ),
    (
        "warning",
        r#"<path d="M8 2.25 14.25 13H1.75z"/><path d="M8 6.5v3M8 11.25h.01"/>"#,
    ),
    (
        "copy",
        r#"<rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5"/>"#,
    ),
    ("cross", r#"<path d="m4 4 8 8M12 4l-8 8"/>"#),
    ("up", r#"<path d="M8 12.5v-9M4.25 7.25 8 3.5l3.75 3.75"/>"#),
    ("down", r#"<path d="M8 3.5v9M4.25 8.75 8 12.5l3.75-3.75"/>"#),
    ("left", r#"<path d="M10 3.5 5.5 8l4.5 4.5"/>"#),
    ("right", r#"<path d="M6 3.5 10.5 8 6 12.5"/>"#),
    ("expand", r#"<path d="m5 6 3-3 3 3M5 10l3 3 3-3"/>"#),
    (
        "pencil",
        r#"<path d="M10.5 3 13 5.5 5.75 12.75l-3.25.75.75-3.25zM9 4.5 11.5 7"/>"#,
    ),
    (
        "trash",
        r#"<path d="M2.75 4.25h10.5M6 4V2.75h4V4M4 4.5l.6 8a1 1 0 0 0 1 .95h4.8a1 1 0 0 0 1-.95l.6-8M6.75 7v4M9.25 7v4"/>"#,
    ),
    (
        "restore",
        r#"<path d="M2.75 8A5.25 5.25 0 1 0 4.5 4.1L2.75 5.75M2.75 2.75v3h3"/>"#,
    ),
    (
        "download",
        r#"<path d="M8 2.5v7.75M4.75 7.25 8 10.5l3.25-3.25M2.75 13.25h10.5"/>"#,
    ),
    (
        "mail",
        r#"<rect x="2" y="3.5" width="12" height="9" rx="1.5"/><path d="m2.5 4.5 5.5 4.25 5.5-4.25"/>"#,
    ),
    (
        "theme",
        r#"<circle cx="8" cy="8" r="5.75"/><path d="M8 2.25a5.75 5.75 0 0 1 0 11.5z" fill="currentColor"/>"#,
    ),
    (
        "fold",
        r#"<rect x="2.25" y="3" width="11.5" height="10" rx="1.5"/><path d="M6.25 3v10M11 6.5 9.5 8l1.5 1.5"/>"#,
    ),
    ("menu", r#"<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11"/>"#),
    (
        "leave",
        r#"<path d="M6.5 2.75h-3a1 1 0 0 0-1 1v8.5a1 1 0 0 0 1 1h3M10 5l3 3-3 3M6 8h7"/>"#,
    ),
    (
        "keyboard",
        r#"<rect x="1.75" y="4" width="12.5" height="8" rx="1.5"/><path d="M4.25 6.75h.01M6.75 6.75h.01M9.25 6.75h.01M11.75 6.75h.01M5 9.5h6"/>"#,
    ),
];
