//! `/device`: a program asks to act in the visitor's name; the visitor compares, and answers (RFC 8628 section 3.3).

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rescind_authority::Error;
use rescind_domain::{DeviceRequest, UserCode};

use crate::answers::{page, page_with};
use crate::app::App;
use crate::errors::{Fault, sentence};
use crate::forms::Submission;
use crate::frame::{Frame, Section};
use crate::problems::Problems;
use crate::times::{Age, Moment};
use crate::visitors::Visitor;
use crate::words;

/// Asks for the code.
#[derive(Template)]
#[template(path = "device/ask.html")]
struct Ask {
    frame: Frame,
    code: String,
    problems: Problems,
}

/// Shows what is asked, with both answers.
#[derive(Template)]
#[template(path = "device/confirm.html")]
struct Confirm {
    frame: Frame,
    code: String,
    program: String,
    host: String,
    address: String,
    agent: String,
    asked: Age,
    expires: Moment,
    name: String,
    role: &'static str,
}

/// Says what came of it.
#[derive(Template)]
#[template(path = "device/answered.html")]
struct Answered {
    frame: Frame,
    program: String,
    is_approved: bool,
}

const TITLE: &str = "Log in a device";

/// `GET /device?user_code=…`: a code in the address still has to be compared and confirmed.
pub(crate) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Fault> {
    let typed = visitor.browser.query.text("user_code").to_owned();
    if typed.is_empty() {
        return ask(&app, &visitor, typed, StatusCode::OK, Problems::default());
    }
    match find(&app, &visitor, &typed).await? {
        Ok(request) => confirm(&app, &visitor, request),
        Err(problems) => ask(&app, &visitor, typed, StatusCode::UNPROCESSABLE_ENTITY, problems),
    }
}

/// `POST /device`: the answer.
pub(crate) async fn submit(State(app): State<Arc<App>>, mut form: Submission) -> Result<Response, Fault> {
    let visitor = form.visitor.clone();
    let typed = form.fields.text("user_code").to_owned();
    let request = match find(&app, &visitor, &typed).await? {
        Ok(request) => request,
        Err(problems) => {
            return ask(&app, &visitor, typed, StatusCode::UNPROCESSABLE_ENTITY, problems);
        }
    };
    let is_approved = match form.fields.text("answer") {
        "approve" => true,
        "deny" => false,
        _ => return confirm(&app, &visitor, request),
    };
    match app
        .authority
        .answer_device(&visitor.caller, &request.user_code, is_approved)
        .await
    {
        Ok(request) => {
            let words = match is_approved {
                true => format!("{} is logged in as you for 1 hour.", request.client_id),
                false => format!("{} was denied, and told so.", request.client_id),
            };
            form.remember("/profile", &words);
            page(&Answered {
                frame: visitor.frame(&app, Section::None, TITLE),
                program: request.client_id,
                is_approved,
            })
        }
        Err(error) => match problems_of(&error) {
            Some(problems) => ask(&app, &visitor, typed, StatusCode::UNPROCESSABLE_ENTITY, problems),
            None => Err(error.into()),
        },
    }
}

async fn find(app: &App, visitor: &Visitor, typed: &str) -> Result<Result<DeviceRequest, Problems>, Fault> {
    let code: UserCode = match typed.parse() {
        Ok(code) => code,
        Err(error) => {
            let mut problems = Problems::default();
            problems.add("user_code", sentence(&format!("{error}")));
            return Ok(Err(problems));
        }
    };
    match app.authority.device_request(&visitor.caller, &code).await {
        Ok(request) => Ok(Ok(request)),
        Err(error) => match problems_of(&error) {
            Some(problems) => Ok(Err(problems)),
            None => Err(error.into()),
        },
    }
}

/// What a person can do something about.
fn problems_of(error: &Error) -> Option<Problems> {
    let words = match error {
        Error::NotFound { .. } => {
            "No program waits for this code. It may have been answered, or its ten minutes are over: start the login again."
                .to_owned()
        }
        Error::Conflict(reason) => sentence(reason),
        _ => return None,
    };
    let mut problems = Problems::default();
    problems.add("user_code", words);
    Some(problems)
}

fn ask(
    app: &App,
    visitor: &Visitor,
    code: String,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Fault> {
    let frame = visitor.frame(app, Section::None, TITLE);
    page_with(
        status,
        &Ask {
            frame,
            code,
            problems,
        },
    )
}

fn confirm(app: &App, visitor: &Visitor, request: DeviceRequest) -> Result<Response, Fault> {
    page(&Confirm {
        frame: visitor.frame(app, Section::None, TITLE),
        code: request.user_code.to_string(),
        program: request.client_id,
        host: request.host,
        address: request.client.address.to_string(),
        agent: request.client.agent.to_string(),
        asked: Age {
            at: request.created_at,
            now: visitor.now,
        },
        expires: Moment(request.expires_at),
        name: crate::people::full_name(&visitor.user),
        role: words::role(visitor.user.role),
    })
}
