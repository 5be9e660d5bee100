//! One client's requests, each written down with its times.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rescind_testkit::{Http, Profile, Reply as Answer};
use serde_json::{Value, json};

use crate::histories::{
    Act, Change, Kind, Lapse, Moment, NodeNumber, Outcome, PersonAct, PersonNumber, Reply, Right, Rights,
    Stream, Timeline, TokenNumber, Treatment, Use,
};
use crate::populations::Presented;

/// The database that everything happens in, and its table.
pub(crate) const DATABASE: &str = "chaos";
/// The table of the points that are written.
pub(crate) const TABLE: &str = "points";
/// How long a client that uses tokens waits for a page.
const PAGE_PATIENCE: Duration = Duration::from_millis(500);
/// The number of the management token by which administrators act; it is never revoked.
pub(crate) const ROOT: TokenNumber = 0;

/// Where the nodes are, and how to administer them.
pub(crate) struct Site {
    /// Their addresses.
    pub(crate) urls: Vec<String>,
    /// How many of them, from the first, are asked for acts.
    pub(crate) asked: usize,
    /// The profile of the first start.
    pub(crate) profile: Profile,
    /// How long a client waits for any answer.
    pub(crate) patience: Duration,
    /// The next point's number.
    pub(crate) points: AtomicU64,
    /// What has happened so far, for people who watch.
    pub(crate) tally: Tally,
}

/// Counts of what happened.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Uses that were admitted.
    pub(crate) admitted: AtomicU64,
    /// Uses that were refused.
    pub(crate) refused: AtomicU64,
    /// Uses that were answered with 503.
    pub(crate) unavailable: AtomicU64,
    /// Uses that were not answered.
    pub(crate) broken: AtomicU64,
    /// Acts that were done.
    pub(crate) done: AtomicU64,
    /// Acts of which nobody knows.
    pub(crate) uncertain: AtomicU64,
}

/// One client: its connections, and what it wrote down.
pub(crate) struct Logbook<'a> {
    site: &'a Site,
    /// Where its times come from.
    pub(crate) timeline: Timeline,
    doors: Vec<Http>,
    /// The same for pages, which ask the catalog: at a node that is cut off nobody waits for one.
    page_doors: Vec<Http>,
    /// What it wrote down.
    pub(crate) pages: Pages,
}

/// What clients wrote down.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    /// Acts on tokens.
    pub(crate) acts: Vec<Act>,
    /// Acts on people.
    pub(crate) treatments: Vec<PersonAct>,
    /// Uses of tokens.
    pub(crate) uses: Vec<Use>,
    /// Queries without end.
    pub(crate) streams: Vec<Stream>,
    /// Receipts that name lapsed nodes.
    pub(crate) lapses: Vec<Lapse>,
}

/// An administrative request.
pub(crate) struct Request<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// The path.
    pub(crate) path: String,
    /// The body; empty for none.
    pub(crate) body: String,
    /// For how many seconds the node is asked to wait for others at most, if it is.
    pub(crate) wait: Option<u32>,
    /// How long the client waits for the answer, if not as long as always.
    pub(crate) patience: Option<Duration>,
}

impl<'a> Logbook<'a> {
    /// An empty one.
    pub(crate) fn new(site: &'a Site, timeline: Timeline) -> Self {
        let door = |url: &String| Http::with_patience(url.clone(), site.patience);
        let page_door = |url: &String| Http::with_patience(url.clone(), PAGE_PATIENCE);
        Self {
            site,
            timeline,
            doors: site.urls.iter().map(door).collect(),
            page_doors: site.urls.iter().map(page_door).collect(),
            pages: Pages::default(),
        }
    }

    /// What it wrote down.
    pub(crate) fn into_pages(self) -> Pages {
        self.pages
    }

    /// Uses a token once.
    pub(crate) fn try_token(&mut self, node: NodeNumber, token: &Presented, right: Right) -> Reply {
        let (name, credential) = match token.kind {
            Kind::Browser => ("cookie", token.secret.clone()),
            _ => ("authorization", format!("Bearer {}", token.secret)),
        };
        let headers = [(name, credential.as_str()), ("content-type", "application/json")];
        let mut point = None;
        let (method, path, body) = match right {
            Right::Write => {
                let number = self.site.points.fetch_add(1, Ordering::Relaxed);
                point = Some(number);
                let path = format!("/api/v3/write_lp?db={DATABASE}");
                ("POST", path, format!("{TABLE} number={number}i {number}"))
            }
            Right::Read => {
                let path = format!("/api/v3/query_sql?db={DATABASE}&format=csv&q=SELECT%201");
                ("GET", path, String::new())
            }
            // Whoever is admitted and has the role is told what is wrong with this. It asks nothing of the catalog, so that
            // a node which is cut off has to answer by what it knows.
            Right::Manage => {
                let path = format!("{}/invitations", self.site.account_path());
                let nobody = json!({"email": "nobody@example.org", "role": "admin", "firstName": "\u{7}"});
                ("POST", path, nobody.to_string())
            }
            Right::Visit => ("GET", "/profile".to_owned(), String::new()),
        };
        let began = self.timeline.now();
        let doors = match right {
            Right::Visit => &self.page_doors,
            _ => &self.doors,
        };
        let answer = doors[node].try_send(method, &path, &headers, body);
        let reply = match answer.map(|answer| answer.status) {
            Ok(200 | 204) => Reply::Admitted,
            Ok(400) if right == Right::Manage => Reply::Admitted,
            // To the page where one signs in.
            Ok(303) if right == Right::Visit => Reply::Refused(401),
            Ok(status @ (401 | 403)) => Reply::Refused(status),
            Ok(503) => Reply::Unavailable,
            Ok(status) => Reply::Odd(status),
            Err(_) => Reply::Broken,
        };
        self.note(node, token.number, right, (began, began), reply, point);
        reply
    }

    /// Asks for acts on these tokens by one request; the outcome, and what the answer said.
    pub(crate) fn act(
        &mut self,
        node: NodeNumber,
        tokens: &[TokenNumber],
        change: Change,
        request: &Request<'_>,
    ) -> (Outcome, Option<Value>) {
        let authorization = format!("Bearer {}", self.site.profile.mgmt_token);
        let wait = request.wait.map(|seconds| format!("wait={seconds}"));
        let is_json = request.body.starts_with('{');
        let form = "application/x-www-form-urlencoded";
        let mut headers = vec![("content-type", if is_json { "application/json" } else { form })];
        headers.extend(wait.as_deref().map(|wait| ("prefer", wait)));
        // Whoever has a session's token may end it, and needs no other.
        let is_roots = !request.path.starts_with("/oauth");
        headers.extend(is_roots.then_some(("authorization", authorization.as_str())));
        let began = self.timeline.now();
        let send = |door: &Http| door.try_send(request.method, &request.path, &headers, &request.body);
        let answer = match request.patience {
            Some(patience) => send(&Http::with_patience(self.site.urls[node].clone(), patience)),
            None => send(&self.doors[node]),
        };
        let ended = self.timeline.now();
        let (mut outcome, reply) = judge(&answer);
        if request.patience.is_some() && answer.is_err() {
            outcome = Outcome::Abandoned;
        }
        if let (Ok(answer), true) = (&answer, outcome.is_complete()) {
            self.note_lapses(began, ended, answer);
        }
        let count = match outcome {
            Outcome::Done { .. } => Some(&self.site.tally.done),
            Outcome::Uncertain(_) => Some(&self.site.tally.uncertain),
            Outcome::Rejected(_) | Outcome::Abandoned => None,
        };
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        for token in tokens {
            self.pages.acts.push(Act {
                token: *token,
                node,
                change,
                began,
                ended,
                outcome: outcome.clone(),
            });
        }
        if is_roots {
            self.note(node, ROOT, Right::Manage, (began, began), reply, None);
        }
        let said = answer
            .ok()
            .and_then(|answer| serde_json::from_slice(&answer.bytes).ok());
        (outcome, said)
    }

    /// Asks for something to be done to a person; what came of it.
    pub(crate) fn treat(
        &mut self,
        node: NodeNumber,
        person: PersonNumber,
        treatment: Treatment,
        request: &Request<'_>,
    ) -> Outcome {
        let began = self.timeline.now();
        let (outcome, _) = self.act(node, &[], Change::Revoke, request);
        self.note_treatment(node, person, treatment, began, outcome.clone());
        outcome
    }

    /// Writes down what was done to a person.
    pub(crate) fn note_treatment(
        &mut self,
        node: NodeNumber,
        person: PersonNumber,
        treatment: Treatment,
        began: Moment,
        outcome: Outcome,
    ) {
        self.pages.treatments.push(PersonAct {
            person,
            node,
            treatment,
            began,
            ended: self.timeline.now(),
            outcome,
        });
    }

    /// Asks a node for something that must be there; the answer's body.
    ///
    /// # Errors
    /// What came instead.
    pub(crate) fn get(&self, node: NodeNumber, path: &str) -> Result<Vec<u8>, String> {
        let authorization = format!("Bearer {}", self.site.profile.mgmt_token);
        self.get_as(node, path, &authorization)
    }

    /// The same with another credential.
    ///
    /// # Errors
    /// What came instead.
    pub(crate) fn get_as(
        &self,
        node: NodeNumber,
        path: &str,
        authorization: &str,
    ) -> Result<Vec<u8>, String> {
        let headers = [("authorization", authorization)];
        match self.doors[node].try_send("GET", path, &headers, "") {
            Ok(answer) if answer.status == 200 => Ok(answer.bytes),
            Ok(answer) => Err(format!("node {node} {path}: {answer}")),
            Err(error) => Err(format!("node {node} {path}: {error}")),
        }
    }

    /// Writes lines that are not looked for in the end.
    ///
    /// # Errors
    /// They were not stored.
    pub(crate) fn write(&self, node: NodeNumber, secret: &str, lines: &str) -> Result<(), String> {
        let path = format!("/api/v3/write_lp?db={DATABASE}");
        let authorization = format!("Bearer {secret}");
        let headers = [("authorization", authorization.as_str())];
        match self.doors[node].try_send("POST", &path, &headers, lines) {
            Ok(answer) if answer.status == 204 => Ok(()),
            Ok(answer) => Err(format!("node {node} {path}: {answer}")),
            Err(error) => Err(format!("node {node} {path}: {error}")),
        }
    }

    /// Writes a slow upload down.
    pub(crate) fn note_upload(
        &mut self,
        node: NodeNumber,
        token: TokenNumber,
        times: (Moment, Moment),
        reply: Reply,
        point: u64,
    ) {
        self.note(node, token, Right::Write, times, reply, Some(point));
    }

    /// Writes down which nodes hold no lease by what a complete receipt says.
    fn note_lapses(&mut self, began: Moment, ended: Moment, answer: &Answer) {
        // Where only one node holds a lease, its name is not worth a header.
        if let Some(states) = answer.header("rescind-node-states") {
            let nodes = lapsed(states, self.site.urls.len());
            if !nodes.is_empty() {
                self.pages.lapses.push(Lapse { began, ended, nodes });
            }
        }
    }

    /// Writes down what came of a query whose answer is read by somebody else.
    pub(crate) fn note_query(&mut self, node: NodeNumber, token: TokenNumber, began: Moment, reply: Reply) {
        self.note(node, token, Right::Read, (began, began), reply, None);
    }

    /// Writes down that a session began that every node knows.
    pub(crate) fn note_session(
        &mut self,
        node: NodeNumber,
        token: TokenNumber,
        rights: Rights,
        began: Moment,
    ) {
        self.pages.acts.push(Act {
            token,
            node,
            change: Change::Create(rights),
            began,
            ended: self.timeline.now(),
            outcome: Outcome::Done { complete: true },
        });
    }

    fn note(
        &mut self,
        node: NodeNumber,
        token: TokenNumber,
        right: Right,
        (began, sent): (Moment, Moment),
        reply: Reply,
        point: Option<u64>,
    ) {
        let tally = &self.site.tally;
        let count = match reply {
            Reply::Admitted => &tally.admitted,
            Reply::Refused(_) => &tally.refused,
            Reply::Unavailable => &tally.unavailable,
            Reply::Broken | Reply::Odd(_) => &tally.broken,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.pages.uses.push(Use {
            token,
            node,
            right,
            began,
            sent,
            ended: self.timeline.now(),
            reply,
            point,
        });
    }
}

/// Nodes of which a receipt does not say that they act by the change: their leases have lapsed, now or before the act. One
/// that was started anew has two rows for a while, of one name.
fn lapsed(states: &str, nodes: usize) -> Vec<NodeNumber> {
    let acts_by_it = |node: &NodeNumber| {
        let name = format!("\"node-{node}\";applied");
        states.split(", ").any(|state| state.starts_with(&name))
    };
    (0..nodes).filter(|node| !acts_by_it(node)).collect()
}

/// What an answer to an act says of the act, and of the token by which it was asked for.
fn judge<E: std::fmt::Display>(answer: &Result<Answer, E>) -> (Outcome, Reply) {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return (Outcome::Uncertain(error.to_string()), Reply::Broken),
    };
    let said = || Outcome::Uncertain(format!("{} {}", answer.status, answer.text()));
    match answer.status {
        200 | 204 => (Outcome::Done { complete: true }, Reply::Admitted),
        202 => (Outcome::Done { complete: false }, Reply::Admitted),
        503 => (said(), Reply::Unavailable),
        status @ (401 | 403) => (Outcome::Rejected(status), Reply::Refused(status)),
        status @ 400..500 => (Outcome::Rejected(status), Reply::Admitted),
        status => (said(), Reply::Odd(status)),
    }
}

impl Site {
    /// The path of the account.
    pub(crate) fn account_path(&self) -> String {
        format!("/api/v0/accounts/{}", self.profile.account_id)
    }

    /// The path of the cluster.
    pub(crate) fn cluster_path(&self) -> String {
        format!("{}/clusters/{}", self.account_path(), self.profile.cluster_id)
    }

    /// Where tokens of this kind are.
    pub(crate) fn tokens_path(&self, kind: Kind) -> String {
        match kind {
            Kind::Database => format!("{}/tokens", self.cluster_path()),
            Kind::Management | Kind::Session | Kind::Browser => {
                format!("{}/management-tokens", self.account_path())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_lapsed_that_does_not_act_by_the_change() {
        let states = "\"node-0\";applied=3, \"node-1\";lapsed, \"node-2\";applied=7, \"node-2\";lapsed";
        assert_eq!(lapsed(states, 3), [1]);
        assert_eq!(lapsed("\"node-10\";applied=1, \"node-0\";applied=1", 3), [1, 2]);
    }
}
