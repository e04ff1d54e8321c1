//! Language and colours, as a reader chooses them.

use super::answer::Answer;
use super::failure::Failure;
use super::route::Route;
use super::visit::{Visit, back};
use super::words;

pub(super) const ROUTES: &[Route] = &[Route::post("/-/preferences", |visit| Box::pin(choose(visit)))];

async fn choose(visit: Visit) -> Result<Answer, Failure> {
    let mut answer = Answer::redirect(back(visit.form.get("back")));
    if let Some(language) = words::language(visit.form.get("lang")) {
        answer = answer.with_cookie(&visit.remember_language(language));
    }
    if let Some(theme) = visit.form.text("theme") {
        answer = answer.with_cookie(&visit.remember_theme(theme));
    }
    Ok(answer)
}
