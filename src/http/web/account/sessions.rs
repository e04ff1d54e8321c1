//! Where a user is signed in with a browser.

use askama::Template;

use super::{device, enter, tabs};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::frame::Tab;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::access::sessions;

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/account/sessions", |visit| Box::pin(list(visit))),
    Route::post("/-/account/sessions/end", |visit| Box::pin(end(visit))),
    Route::post("/-/account/sessions/end-others", |visit| Box::pin(end_others(visit))),
];

#[derive(Template)]
#[template(path = "account/sessions.html")]
struct SessionsPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    sessions: Vec<Line>,
    others: bool,
}

/// A session, as the list shows it.
struct Line {
    id: String,
    own: bool,
    pending: bool,
    device: String,
    user_agent: String,
    address: String,
    since: i64,
    last_seen: i64,
    ends: i64,
}

fn words(v: &View, user_agent: &str) -> String {
    match device::described(user_agent) {
        (Some(browser), Some(system)) => v.tx("sessions-device", &[("browser", browser), ("system", system)]),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => v.t("sessions-device-unknown"),
    }
}

async fn list(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::READ).await?;
    let rows = sessions::list(visit.registry(), visit.ctx(), &user.name).await?;
    let v = visit.view();
    let line = |(row, own): (_, bool)| {
        let row: sessions::SessionRow = row;
        let user_agent = row.user_agent.as_deref().unwrap_or_default();
        Line {
            own,
            pending: row.is_pending(),
            device: words(&v, user_agent),
            user_agent: user_agent.chars().take(200).collect(),
            since: row.created_at,
            last_seen: row.last_seen_at,
            ends: row.expires_at,
            id: row.public_id,
            address: row.address.unwrap_or_default(),
        }
    };
    let mut lines: Vec<Line> = rows.into_iter().map(line).collect();
    // The own one first, then those that were used last.
    lines.sort_by_key(|line| (!line.own, std::cmp::Reverse(line.last_seen)));
    let others = lines.iter().any(|line| !line.own);
    Ok(Answer::ok(&SessionsPage { tabs: tabs(&v, "/-/account/sessions"), v: &v, sessions: lines, others }))
}

async fn end(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    sessions::end(visit.registry(), visit.ctx(), &user.name, visit.form.get("session")).await?;
    Ok(Answer::redirect("/-/account/sessions?done=session-ended"))
}

async fn end_others(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    sessions::end_all(visit.registry(), visit.ctx(), &user.name).await?;
    Ok(Answer::redirect("/-/account/sessions?done=sessions-ended"))
}
