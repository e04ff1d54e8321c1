//! The second factor of who is signed in. Also for a session that opens nothing else until one is set up.

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use qrcode::{Color, QrCode};

use super::{Wrong, prove_first, refuse_open, tabs};
use crate::auth::{Permissions, csrf};
use crate::http::cookie;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::frame::Tab;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::Account;
use crate::registry::access::manage::Target;
use crate::registry::access::{Denial, Why, sessions};
use crate::registry::accounts::second_factor::{self, Begun};

pub(super) const ROUTES: &[Route] = &[
    Route::get(HOME, |visit| Box::pin(status(visit))),
    Route::post(HOME, |visit| Box::pin(begin(visit))),
    Route::get(SET_UP, |visit| Box::pin(set_up(visit))),
    Route::post(SET_UP, |visit| Box::pin(confirm(visit))),
    Route::get("/-/account/second-factor/codes", |visit| Box::pin(codes_form(visit))),
    Route::post("/-/account/second-factor/codes", |visit| Box::pin(new_codes(visit))),
    Route::get("/-/account/second-factor/off", |visit| Box::pin(off_form(visit))),
    Route::post("/-/account/second-factor/off", |visit| Box::pin(turn_off(visit))),
];

const HOME: &str = "/-/account/second-factor";
const SET_UP: &str = "/-/account/second-factor/set-up";
/// With fewer recovery codes than this, new ones are proposed.
const FEW: i64 = 3;
/// Blank modules around a code (ISO/IEC 18004).
const QUIET: usize = 4;

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct StatusPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    on: bool,
    since: i64,
    codes_left: i64,
    few: bool,
    /// Whether nothing else opens until there is one.
    asked_for: bool,
}

#[derive(Template)]
#[template(path = "account/second_factor_set_up.html")]
struct SetUpPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    begun: &'a Begun,
    typed: String,
    qr: Option<Drawing>,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "account/recovery_codes.html")]
struct CodesPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    codes: &'a [String],
    all: String,
    file: String,
}

#[derive(Template)]
#[template(path = "account/second_factor_codes.html")]
struct NewCodesPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
}

#[derive(Template)]
#[template(path = "account/second_factor_off.html")]
struct OffPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
}

/// A QR code: how many modules wide, and the dark ones as the path of an SVG.
struct Drawing {
    size: usize,
    path: String,
}

fn draw(text: &str) -> Option<Drawing> {
    let code = QrCode::new(text).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in modules.chunks(width.max(1)).enumerate() {
        let mut x = 0;
        // One rectangle for modules that stand side by side.
        for run in row.chunk_by(|one, next| one == next) {
            if run.first() == Some(&Color::Dark) {
                let _ = write!(path, "M{} {}h{}v1h-{}z", x + QUIET, y + QUIET, run.len(), run.len());
            }
            x += run.len();
        }
    }
    Some(Drawing { size: width + 2 * QUIET, path })
}

/// Lets in who shows a session, also one that opens nothing else until there is a second factor.
async fn enter(visit: &mut Visit) -> Result<Arc<Account>, Failure> {
    refuse_open(visit)?;
    match visit.session.pending {
        // The code comes first.
        Some(Why::FactorPending) => return Err(Denial::of(Why::FactorPending).into()),
        Some(_) => {}
        None => drop(visit.user()?),
    }
    visit.manage(Target::Session(None), Permissions::NONE).await?;
    visit.user()
}

/// Where nothing else opens yet, there is nowhere else to go.
fn tabs_of(visit: &Visit, v: &View) -> Vec<Tab> {
    if visit.session.pending.is_some() { Vec::new() } else { tabs(v, HOME) }
}

async fn status(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit).await?;
    let status = second_factor::status(visit.registry(), &user.name).await?;
    let v = visit.view();
    let asked_for = visit.session.pending.is_some();
    Ok(Answer::ok(&StatusPage {
        tabs: tabs_of(&visit, &v),
        v: &v,
        on: status.since.is_some(),
        since: status.since.unwrap_or_default(),
        codes_left: status.codes_left,
        few: status.codes_left < FEW,
        asked_for,
    }))
}

async fn begin(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit).await?;
    Box::pin(second_factor::begin(visit.registry(), visit.ctx(), &user.name)).await?;
    Ok(Answer::redirect(SET_UP))
}

fn set_up_page<'a>(visit: &Visit, v: &'a View, begun: &'a Begun, wrong: Wrong) -> SetUpPage<'a> {
    // In groups of four, as apps ask for it.
    let mut typed = String::new();
    for (at, letter) in begun.secret.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            typed.push(' ');
        }
        typed.push(letter);
    }
    SetUpPage { tabs: tabs_of(visit, v), v, begun, typed, qr: draw(&begun.link), wrong }
}

async fn set_up(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit).await?;
    let Some(begun) = second_factor::begun(visit.registry(), visit.ctx(), &user.name).await? else {
        return Ok(Answer::redirect(HOME));
    };
    let v = visit.view();
    Ok(Answer::ok(&set_up_page(&visit, &v, &begun, Wrong::default())))
}

/// Turns it on with the first code. The session goes on under another secret, and the recovery codes are shown this once.
async fn confirm(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit).await?;
    let (registry, ctx) = (visit.registry(), visit.ctx());
    let (row, _) = sessions::look(registry, ctx).await?;
    let code = visit.form.get("code").trim();
    let confirmed = match Box::pin(second_factor::confirm(registry, ctx, &user.name, code)).await {
        Ok(confirmed) => confirmed,
        Err(error) => {
            let v = visit.view();
            let wrong = Wrong::of(&v, error.into(), &["code"])?;
            let Some(begun) = second_factor::begun(registry, ctx, &user.name).await? else {
                return Ok(Answer::redirect(HOME));
            };
            return Ok(Answer::again(&set_up_page(&visit, &v, &begun, wrong)));
        }
    };
    let mut v = visit.view();
    if let Some(secret) = &confirmed.session {
        v.csrf = csrf::token(secret);
    }
    let answer = Answer::ok(&codes_page(&v, &user.name, &confirmed.codes));
    let seconds = row.expires_at.saturating_sub(ctx.now).div_euclid(1_000_000);
    Ok(match &confirmed.session {
        Some(secret) => answer.with_cookie(&cookie::set(visit.exchange.scheme, Some(secret), seconds)),
        None => answer,
    })
}

fn codes_page<'a>(v: &'a View, name: &str, codes: &'a [String]) -> CodesPage<'a> {
    let all = codes.join("\n");
    let file = format!("{} {name} {}\n\n{all}\n", v.t("product"), v.host);
    CodesPage { tabs: tabs(v, HOME), v, codes, all, file }
}

async fn codes_form(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit).await?;
    if !user.second_factor {
        return Ok(Answer::redirect(HOME));
    }
    prove_first(&visit).await?;
    let v = visit.view();
    Ok(Answer::ok(&NewCodesPage { tabs: tabs_of(&visit, &v), v: &v }))
}

async fn new_codes(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit).await?;
    let codes = Box::pin(second_factor::new_codes(visit.registry(), visit.ctx(), &user.name)).await?;
    Ok(Answer::ok(&codes_page(&visit.view(), &user.name, &codes)))
}

async fn off_form(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit).await?;
    if !user.second_factor {
        return Ok(Answer::redirect(HOME));
    }
    prove_first(&visit).await?;
    let v = visit.view();
    Ok(Answer::ok(&OffPage { tabs: tabs_of(&visit, &v), v: &v }))
}

async fn turn_off(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit).await?;
    Box::pin(second_factor::disable(visit.registry(), visit.ctx(), &user.name)).await?;
    Ok(Answer::redirect("/-/account/second-factor?done=factor-off"))
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn a_code_has_its_finders_and_a_quiet_zone() {
        let drawing = draw("otpauth://totp/registry.example.org:alice?secret=ABC").unwrap();
        // The first row of the finder at the left: seven dark modules.
        assert!(drawing.path.starts_with("M4 4h7v1h-7z"), "{}", drawing.path);
        assert!((21 + 8..100).contains(&drawing.size));
        assert!(draw(&"x".repeat(5000)).is_none());
    }
}
