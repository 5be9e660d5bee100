//! What stands around every page: the side bar, the selectors, the notice, the dialog.

use askama::Template;
use rescind_domain::{Cluster, ClusterState, Subject, Verb};

use crate::app::App;
use crate::assets::{ICON, SCRIPT, STYLE};
use crate::errors::Fault;
use crate::icons::{Icon, icon};
use crate::notices::Notice;
use crate::visitors::{Browser, Stranger, Visitor};
use crate::words;

/// Which entry of the side bar a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The state of the cluster.
    Overview,
    /// Databases.
    Databases,
    /// Tables.
    Tables,
    /// Database tokens.
    DatabaseTokens,
    /// Management tokens.
    ManagementTokens,
    /// Users and invitations.
    Users,
    /// The audit log.
    AuditLog,
    /// Nodes.
    Nodes,
    /// Help.
    Help,
    /// None of them.
    None,
}

/// An entry of the side bar.
#[derive(Debug, Clone)]
pub(crate) struct SideEntry {
    /// Its words.
    pub(crate) label: &'static str,
    /// Its drawing.
    pub(crate) icon: Icon,
    /// Where it leads.
    pub(crate) href: String,
    /// Whether the page belongs to it.
    pub(crate) is_current: bool,
}

/// One choice of a selector.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// Its name.
    pub(crate) name: String,
    /// Where choosing it leads.
    pub(crate) href: String,
    /// Whether it is chosen.
    pub(crate) is_current: bool,
}

/// One link of the way to a page.
#[derive(Debug, Clone)]
pub(crate) struct Crumb {
    /// Its words.
    pub(crate) label: String,
    /// Where it leads.
    pub(crate) href: String,
}

/// What stands around the page of a visitor.
pub(crate) struct Frame {
    /// Whether other nodes have points of their own, which sizes do not count.
    pub(crate) is_shared: bool,
    /// The page's title.
    pub(crate) title: String,
    /// `light`, `dark`, or empty.
    pub(crate) theme: &'static str,
    /// `narrow`, or empty.
    pub(crate) side: &'static str,
    /// The side bar.
    pub(crate) entries: Vec<SideEntry>,
    /// The way to the page, without the page itself.
    pub(crate) crumbs: Vec<Crumb>,
    /// The account's name.
    pub(crate) account: String,
    /// Where the account's page is.
    pub(crate) account_href: String,
    /// Where the list of all clusters is.
    pub(crate) clusters_href: String,
    /// The cluster's name; empty when there is none.
    pub(crate) cluster: String,
    /// Every cluster.
    pub(crate) clusters: Vec<Choice>,
    /// The visitor's name, or address without one.
    pub(crate) person: String,
    /// The visitor's address.
    pub(crate) email: String,
    /// The visitor's role, as people read it.
    pub(crate) role: &'static str,
    /// What was just done.
    pub(crate) notice: Option<Notice>,
    /// A dialog over the page, rendered.
    pub(crate) dialog: Option<String>,
    /// For forms of the page: proves where they come from.
    pub(crate) csrf: String,
    /// For forms of the page: its number.
    pub(crate) once: String,
}

impl Frame {
    /// The frame of a page of this section.
    pub(crate) fn new(app: &App, visitor: &Visitor, section: Section, title: String) -> Self {
        let here = visitor.cluster().ok().or_else(|| {
            let mut ready = visitor.clusters.iter();
            ready.find(|cluster| cluster.state == ClusterState::Ready)
        });
        let account_href = format!("/accounts/{}", visitor.account.id);
        let email = visitor.user.email.to_string();
        let name = format!("{} {}", visitor.user.first_name, visitor.user.last_name);
        let name = name.trim();
        Self {
            is_shared: app.authority.is_shared(),
            title,
            theme: visitor.browser.theme,
            side: visitor.browser.side,
            entries: entries(visitor, here, &account_href, section),
            crumbs: Vec::new(),
            account: visitor.account.name.clone(),
            clusters_href: format!("{account_href}/clusters"),
            account_href,
            cluster: here.map_or_else(String::new, |cluster| cluster.name.clone()),
            clusters: choices(visitor, here),
            person: if name.is_empty() {
                email.clone()
            } else {
                name.to_owned()
            },
            email,
            role: words::role(visitor.user.role),
            notice: visitor.browser.notice.clone(),
            dialog: None,
            csrf: visitor.seal.token(app),
            once: app.random_hex::<16>(),
        }
    }

    /// Opens this dialog over the page.
    pub(crate) fn open(&mut self, dialog: &impl Template) -> Result<(), Fault> {
        self.dialog = Some(dialog.render().map_err(|error| Fault::defect(&error))?);
        Ok(())
    }

    /// With one more link on the way to the page.
    pub(crate) fn under(mut self, label: impl Into<String>, href: impl Into<String>) -> Self {
        self.crumbs.push(Crumb {
            label: label.into(),
            href: href.into(),
        });
        self
    }

    /// Where the style sheet is.
    pub(crate) fn style(&self) -> String {
        STYLE.href()
    }

    /// Where the script is.
    pub(crate) fn script(&self) -> String {
        SCRIPT.href()
    }

    /// Where the tab's drawing is.
    pub(crate) fn tab_icon(&self) -> String {
        ICON.href()
    }
}

fn choices(visitor: &Visitor, here: Option<&Cluster>) -> Vec<Choice> {
    let choice = |cluster: &Cluster| Choice {
        name: cluster.name.clone(),
        href: format!("/clusters/{}", cluster.id),
        is_current: here.is_some_and(|here| here.id == cluster.id),
    };
    visitor.clusters.iter().map(choice).collect()
}

/// What a page of the side bar lies under.
#[derive(Clone, Copy)]
enum Under {
    Cluster,
    Account,
    Root,
}

type SidePage = (Section, &'static str, &'static str, Subject, Under, &'static str);

/// The pages of the side bar (contract, admin-ui section 1): words, drawing, what one must be allowed to read, address.
const PAGES: [SidePage; 9] = [
    (
        Section::Overview,
        "Overview",
        "overview",
        Subject::Cluster,
        Under::Cluster,
        "",
    ),
    (
        Section::Databases,
        "Databases",
        "database",
        Subject::Database,
        Under::Cluster,
        "/databases",
    ),
    (
        Section::Tables,
        "Tables",
        "table",
        Subject::Table,
        Under::Cluster,
        "/tables",
    ),
    (
        Section::DatabaseTokens,
        "Database Tokens",
        "key",
        Subject::DatabaseToken,
        Under::Cluster,
        "/database-tokens",
    ),
    (
        Section::ManagementTokens,
        "Management Tokens",
        "shield",
        Subject::ManagementToken,
        Under::Account,
        "/management-tokens",
    ),
    (
        Section::Users,
        "Users",
        "users",
        Subject::User,
        Under::Account,
        "/users",
    ),
    (
        Section::AuditLog,
        "Audit Log",
        "log",
        Subject::AuditEvent,
        Under::Account,
        "/audit-log",
    ),
    (
        Section::Nodes,
        "Nodes",
        "node",
        Subject::Node,
        Under::Root,
        "/nodes",
    ),
    (
        Section::Help,
        "Help",
        "help",
        Subject::Account,
        Under::Root,
        "/help",
    ),
];

fn entries(visitor: &Visitor, here: Option<&Cluster>, account: &str, section: Section) -> Vec<SideEntry> {
    let cluster = here.map(|cluster| format!("/clusters/{}", cluster.id));
    let readable = PAGES
        .iter()
        .filter(|(_, _, _, subject, _, _)| visitor.may(Verb::Read, *subject));
    readable
        .filter_map(|(own, label, drawing, _, under, path)| {
            let base = match under {
                Under::Cluster => cluster.as_deref()?,
                Under::Account => account,
                Under::Root => "",
            };
            Some(SideEntry {
                label,
                icon: icon(drawing),
                href: format!("{base}{path}"),
                is_current: *own == section,
            })
        })
        .collect()
}

/// What stands around a page for someone who is not signed in.
pub(crate) struct GateFrame {
    /// The page's title.
    pub(crate) title: String,
    /// `light`, `dark`, or empty.
    pub(crate) theme: &'static str,
    /// What was just done.
    pub(crate) notice: Option<Notice>,
    /// For the page's form.
    pub(crate) csrf: String,
}

impl GateFrame {
    /// The frame of a page for `stranger`.
    pub(crate) fn new(app: &App, stranger: &Stranger, title: impl Into<String>) -> Self {
        let browser: &Browser = &stranger.browser;
        Self {
            title: title.into(),
            theme: browser.theme,
            notice: browser.notice.clone(),
            csrf: stranger.seal.token(app),
        }
    }

    /// Where the style sheet is.
    pub(crate) fn style(&self) -> String {
        STYLE.href()
    }

    /// Where the script is.
    pub(crate) fn script(&self) -> String {
        SCRIPT.href()
    }

    /// Where the tab's drawing is.
    pub(crate) fn tab_icon(&self) -> String {
        ICON.href()
    }
}
