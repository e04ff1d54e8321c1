//! How a user is called and written to.

use askama::Template;

use super::{Choice, Wrong, enter, prove_first, tabs};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::frame::Tab;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::http::web::words;
use crate::registry::accounts::users::{self, Profile};
use crate::registry::accounts::{Language, recovery};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/account", |visit| Box::pin(profile(visit))),
    Route::post("/-/account", |visit| Box::pin(change(visit))),
    Route::get("/-/account/email", |visit| Box::pin(email_form(visit))),
    Route::post("/-/account/email", |visit| Box::pin(change_email(visit))),
];

#[derive(Template)]
#[template(path = "account/profile.html")]
struct ProfilePage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    profile: &'a Profile,
    display_name: &'a str,
    languages: Vec<Choice>,
    mail: bool,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "account/email.html")]
struct EmailPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    email: &'a str,
    wrong: Wrong,
}

fn languages(v: &View, selected: Language) -> Vec<Choice> {
    let choice = |language: Language, text| Choice { value: language.as_str(), text, selected: language == selected };
    vec![choice(Language::En, v.t("language-en")), choice(Language::Fr, v.t("language-fr"))]
}

async fn profile(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::READ).await?;
    let profile = users::profile(visit.registry(), &user.name).await?;
    let v = visit.view();
    Ok(Answer::ok(&ProfilePage {
        tabs: tabs(&v, "/-/account"),
        display_name: profile.user.display_name.as_deref().unwrap_or_default(),
        languages: languages(&v, profile.language),
        mail: visit.registry().people.mail,
        profile: &profile,
        v: &v,
        wrong: Wrong::default(),
    }))
}

async fn change(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    let display_name = visit.form.text("display_name");
    let language = words::language(visit.form.get("language")).unwrap_or_default();
    let set =
        users::set_profile(visit.registry(), visit.ctx(), &user.name, display_name.map(str::to_owned), language).await;
    let Err(error) = set else { return Ok(Answer::redirect("/-/account?done=profile-saved")) };
    let v = visit.view();
    let wrong = Wrong::of(&v, error.into(), &["display_name"])?;
    let profile = users::profile(visit.registry(), &user.name).await?;
    Ok(Answer::again(&ProfilePage {
        tabs: tabs(&v, "/-/account"),
        display_name: display_name.unwrap_or_default(),
        languages: languages(&v, language),
        mail: visit.registry().people.mail,
        profile: &profile,
        v: &v,
        wrong,
    }))
}

async fn email_form(mut visit: Visit) -> Result<Answer, Failure> {
    enter(&mut visit, Permissions::SETTINGS).await?;
    prove_first(&visit).await?;
    let v = visit.view();
    Ok(Answer::ok(&EmailPage { tabs: tabs(&v, "/-/account"), v: &v, email: "", wrong: Wrong::default() }))
}

/// A link goes to the new address: until it is followed, the old one stays.
async fn change_email(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    let email = visit.form.get("email").trim();
    match Box::pin(recovery::change_email(visit.registry(), visit.ctx(), &user.name, email)).await {
        Ok(()) => Ok(Answer::redirect("/-/account?done=email-sent")),
        Err(error) => {
            let v = visit.view();
            let wrong = Wrong::of(&v, error.into(), &["email"])?;
            Ok(Answer::again(&EmailPage { tabs: tabs(&v, "/-/account"), v: &v, email, wrong }))
        }
    }
}
