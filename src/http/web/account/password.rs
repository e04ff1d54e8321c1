//! Another password.

use askama::Template;

use super::{Wrong, enter, tabs};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::frame::Tab;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::Error;
use crate::registry::access::{Why, check_password};
use crate::registry::accounts::users;

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/account/password", |visit| Box::pin(form(visit))),
    Route::post("/-/account/password", |visit| Box::pin(change(visit))),
];

#[derive(Template)]
#[template(path = "account/password.html")]
struct PasswordPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    name: &'a str,
    wrong: Wrong,
}

async fn form(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::READ).await?;
    let v = visit.view();
    let tabs = tabs(&v, "/-/account/password");
    Ok(Answer::ok(&PasswordPage { tabs, v: &v, name: &user.name, wrong: Wrong::default() }))
}

async fn change(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    let (current, new) = (visit.form.get("current"), visit.form.get("password"));
    let (registry, ctx) = (visit.registry(), visit.ctx());
    let v = visit.view();
    let wrong = match Box::pin(check_password(registry, ctx, &user.name, current)).await {
        Ok(()) => match Box::pin(users::set_password(registry, ctx, &user.name, new.to_owned())).await {
            Ok(()) => return Ok(Answer::redirect("/-/account/password?done=password-changed")),
            Err(error) => Wrong::of(&v, error.into(), &["password"])?,
        },
        Err(Error::Denied(denial)) if denial.why == Why::WrongCredentials => {
            Wrong::beside("current", v.t("password-current-wrong"))
        }
        Err(error) => Wrong::of(&v, error.into(), &[])?,
    };
    let tabs = tabs(&v, "/-/account/password");
    Ok(Answer::again(&PasswordPage { tabs, v: &v, name: &user.name, wrong }))
}
