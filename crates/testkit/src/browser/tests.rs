//! The browser against a page of a few lines, served by a thread.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;

const PAGE: &str = r#"<!doctype html><html lang="en"><title>Tokens</title>
<link rel="icon" href="data:,">
<style>body { background: white } @media (prefers-color-scheme: dark) { body { background: black; color: white } }
p.wide { width: 300px }</style>
<main><h1 id="head">Scripts are off</h1><p class="wide">One   two
three <span hidden>never</span></p>
<table><thead><tr><th>Description <th>Options</thead><tbody>
<tr><td>First <td><a href="/revoke?which=1">Revoke  Token</a>
<tr><td>Second <td><a href="/revoke?which=2">Revoke Token</a></tbody></table>
<form action="/done"><label for="what">Token Description *</label><input id="what" name="what" value="old">
<label>Day <input name="day" type="date"></label><label>At <input name="at" type="time"></label>
<label>Database <select name="database"><option>a</option><option>b</option></select></label>
<label><input type="checkbox" name="sure"> I understand</label>
<button disabled id="later">Later</button> <button aria-label="Save Changes">Save</button></form>
<details><summary>See more details</summary><dl><dt>Last used<dd>5 minutes   ago</dl></details></main>"#;

const SCRIPT: &str = r#"<script>document.getElementById("head").textContent = "Scripts are on";
setTimeout(() => { later.disabled = false }, 300)</script>"#;

const DIALOG: &str = r#"<dialog open><p>Sure?</p><a href="/done?by=dialog">Revoke Token</a></dialog>"#;

/// Serves [`PAGE`], with a script, to whoever asks, for as long as the tests run. `/done` answers with what was asked.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    base
}

fn answer(mut stream: TcpStream) {
    let mut asked = String::new();
    let mut reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
    if reader.read_line(&mut asked).is_err() {
        return;
    }
    let mut rest = String::new();
    while reader.read_line(&mut rest).is_ok_and(|count| count > 2) {}
    let path = asked.split(' ').nth(1).unwrap_or_default();
    let (status, policy, body) = match path.split('?').next().unwrap_or_default() {
        "/" => (200, "", format!("{PAGE}{SCRIPT}")),
        "/strict" => (200, "default-src 'none'", format!("{PAGE}{SCRIPT}")),
        "/done" => (
            200,
            "",
            format!(
                "<title>Done</title><link rel=icon href=data:,><p>{}",
                path.replace('&', " ")
            ),
        ),
        "/revoke" => (200, "", format!("{PAGE}{DIALOG}")),
        _ => (404, "", "<title>Nothing</title>".to_owned()),
    };
    let policy = if policy.is_empty() {
        String::new()
    } else {
        format!("Content-Security-Policy: {policy}\r\n")
    };
    let length = body.len();
    // A browser that closed the page does not read the answer, which is no failure.
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n{policy}\
         Set-Cookie: id=1; Path=/; HttpOnly; SameSite=Strict; Max-Age=60\r\nConnection: close\r\n\r\n{body}"
    );
}

#[test]
fn acts_and_reads_by_what_is_seen() {
    let browser = Browser::start(serve());
    browser.goto("/");
    assert_eq!(browser.title(), "Tokens");
    browser.sees("Scripts are on");
    browser.sees("One two three");
    browser.does_not_see("never");
    assert_eq!(browser.column("Description"), ["First", "Second"]);
    assert_eq!(browser.text_of("p.wide"), "One two three");

    browser.fill("Token Description", "ne\u{308}w");
    assert_eq!(browser.value_of("Token Description"), "ne\u{308}w");
    browser.fill("Day", "2030-12-31");
    browser.fill("At", "23:45");
    browser.choose("Database", "b");
    assert!(!browser.is_ticked("I understand"));
    browser.tick("I understand");
    assert!(browser.is_ticked("I understand"));
    browser.click("See more details");
    assert_eq!(browser.fact("Last used"), "5 minutes ago");
    assert!(!browser.offers("Save"), "its name is Save Changes");
    browser.press(Key::BackTab);
    assert_eq!(browser.focused().to_string(), "button \"Save Changes\"");
    browser.press(Key::Enter);
    browser.sees("what=ne%CC%88w day=2030-12-31 at=23%3A45 database=b sure=on");
    browser.back();
    browser.click("Later");
    browser.sees("/done");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_dialog_comes_first_and_a_row_narrows() {
    let browser = Browser::start(serve());
    browser.goto("/");
    browser.row("Second").click("Revoke Token");
    browser.arrives_at("/revoke?which=2");
    browser.click("Revoke Token");
    browser.arrives_at("/done?by=dialog");
}

#[test]
fn works_where_scripts_are_off_or_forbidden() {
    let base = serve();
    for (browser, path) in [
        (BrowserSetup::default().without_scripts().start(&base), "/"),
        (BrowserSetup::default().start(&base), "/strict"),
    ] {
        browser.goto(path);
        browser.sees("Scripts are off");
        browser.fill("Token Description", "x");
        browser.tick("I understand");
        browser.click("Save Changes");
        browser.sees("what=x day= at= database=a sure=on");
    }
}

#[test]
fn complaints_cookies_sizes_schemes_and_pictures() {
    let base = serve();
    let browser = BrowserSetup::default()
        .size(360, 740)
        .scheme(Scheme::Dark)
        .start(base);
    browser.goto("/strict");
    let complaints = browser.complaints();
    assert!(
        complaints
            .iter()
            .any(|line| line.contains("Content Security Policy")),
        "{complaints:?}"
    );
    assert_eq!(browser.complaints(), Vec::<String>::new(), "each is told once");
    let cookies = browser.cookies();
    let [cookie] = cookies.as_slice() else {
        panic!("{cookies:?}")
    };
    assert_eq!((cookie.name.as_str(), cookie.value.as_str()), ("id", "1"));
    assert!(cookie.http_only && !cookie.secure && cookie.expiry.is_some());
    assert_eq!(cookie.same_site, "Strict");

    browser.goto("/");
    const LOOK: &str = "return [innerWidth, getComputedStyle(document.body).backgroundColor]";
    assert_eq!(browser.run_js(LOOK, &json!([])), json!([360, "rgb(0, 0, 0)"]));
    browser.scheme(Scheme::Light);
    browser.resize(1000, 500);
    assert_eq!(
        browser.run_js(LOOK, &json!([])),
        json!([1000, "rgb(255, 255, 255)"])
    );
    let picture = browser.picture().expect("a picture");
    assert!(picture.starts_with(b"\x89PNG"), "{:?}", &picture[..4]);
}

#[test]
fn the_audit_finds_what_is_wrong() {
    let browser = Browser::start(serve());
    browser.goto("/done");
    let broken: Vec<String> = browser
        .axe()
        .into_iter()
        .map(|violation| violation.rule)
        .collect();
    assert!(broken.contains(&"html-has-lang".to_owned()), "{broken:?}");
    browser.goto("/");
    assert_eq!(browser.axe(), Vec::new());
}

#[test]
#[should_panic(expected = "there are 2 of that name")]
fn what_is_ambiguous_is_not_guessed() {
    let browser = Browser::start(serve());
    browser.goto("/");
    browser.click("Revoke Token");
}
