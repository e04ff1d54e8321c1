//! Users.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply, given};
use super::problem::Refused;
use super::route::{Needs, Route};
use super::times::time;
use crate::auth::Permissions;
use crate::registry::access::{Denial, Why, check_password};
use crate::registry::accounts::UserRow;
use crate::registry::accounts::{AccountError, users};
use crate::registry::{Error, Identity};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Method::GET, "/users", "List users", Needs::Instance, Permissions::INSTANCE, |call| {
        Box::pin(list(call))
    })
    .group("users")
    .pages::<User>(),
    Route::new(Method::PUT, "/users/{user}", "Make a user", Needs::Instance, Permissions::INSTANCE, |call| {
        Box::pin(put(call))
    })
    .group("users")
    .takes_body::<NewUser>()
    .makes::<User>(),
    Route::new(Method::GET, "/users/{user}", "Show a user", Needs::Account, Permissions::READ, |call| {
        Box::pin(get(call))
    })
    .group("users")
    .answers::<User>(200),
    Route::new(Method::PATCH, "/users/{user}", "Change a user", Needs::Account, Permissions::SETTINGS, |call| {
        Box::pin(patch(call))
    })
    .group("users")
    .takes_body::<UserChange>()
    .answers::<User>(200),
    Route::new(
        Method::DELETE,
        "/users/{user}",
        "Erase what is known of a person; the name stays taken",
        Needs::Instance,
        Permissions::INSTANCE,
        |call| Box::pin(delete(call)),
    )
    .group("users")
    .answers_nothing(),
    Route::new(
        Method::PUT,
        "/users/{user}/password",
        "Change a password; what the earlier one proved proves nothing any more",
        Needs::Account,
        Permissions::SETTINGS,
        |call| Box::pin(password(call)),
    )
    .group("users")
    .takes_body::<NewPassword>()
    .answers_nothing(),
];

/// A user.
#[derive(Debug, Serialize, ToSchema)]
struct User {
    /// The name, which the user's namespace has too.
    name: String,
    /// The id, which outlives a change of name.
    id: String,
    /// The e-mail address.
    email: Option<String>,
    /// What people call the user.
    display_name: Option<String>,
    /// Whether the user administers the instance.
    admin: bool,
    /// Whether the user may sign in.
    active: bool,
    /// When the account was made.
    created_at: String,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            active: row.is_active(),
            name: row.name,
            id: row.public_id,
            email: row.email,
            display_name: row.display_name,
            admin: row.admin,
            created_at: time(row.created_at),
        }
    }
}

/// A user to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// The e-mail address.
    email: Option<String>,
    /// What people call the user.
    display_name: Option<String>,
    /// Whether the user administers the instance.
    #[serde(default)]
    admin: bool,
    /// The password; none when the user is to sign in with tokens only.
    password: Option<String>,
}

/// What is to change of a user; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    /// What people call the user; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    display_name: Option<Option<String>>,
    /// Whether the user administers the instance; for administrators.
    admin: Option<bool>,
    /// Whether the user may sign in; for administrators.
    active: Option<bool>,
}

/// A password to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The present one; administrators leave it out for others.
    current: Option<String>,
    /// The new one.
    new: String,
}

async fn list(call: Call) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let rows = users::list(call.registry(), &cursor.after, cursor.limit + 1).await?;
    Ok(call.page(&cursor.page(rows, |row| row.name.clone(), User::from), &cursor))
}

/// Sent again, it finds the user as it was made.
async fn put(call: Call) -> Result<Reply, Refused> {
    let (name, new) = (call.argument("user").to_owned(), call.body::<NewUser>()?);
    let add = users::Add {
        name: name.clone(),
        email: new.email.clone(),
        display_name: new.display_name.clone(),
        admin: new.admin,
        password: new.password.clone(),
    };
    let made = match users::add(call.registry(), call.ctx(), add).await {
        Ok(()) => true,
        Err(Error::Account(taken @ AccountError::Taken { .. })) => {
            let row = users::find(call.registry(), &name).await.map_err(|_| Error::from(taken.clone()))?;
            let same_email = row.email == new.email.map(|email| email.to_lowercase());
            let same = same_email && row.display_name == new.display_name && row.admin == new.admin;
            let same_password = match &new.password {
                Some(given) if same => users::has_password(call.registry(), &row, given).await?,
                Some(_) => false,
                None => row.password_hash.is_none(),
            };
            if !same || !same_password {
                return Err(taken.into());
            }
            false
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Reply::made(made, &User::from(users::find(call.registry(), &name).await?)))
}

async fn get(call: Call) -> Result<Reply, Refused> {
    let row = users::find(call.registry(), call.argument("user")).await?;
    Ok(Reply::json(200, &User::from(row)))
}

async fn patch(call: Call) -> Result<Reply, Refused> {
    let (name, change) = (call.argument("user"), call.body::<UserChange>()?);
    let (registry, ctx) = (call.registry(), call.ctx());
    let administers = ctx.may_administer();
    if (change.admin.is_some() || change.active.is_some()) && !administers {
        return Err(Denial { needed: Permissions::INSTANCE, ..Denial::of(Why::Forbidden) }.into());
    }
    // What may be refused comes first: a change that is refused has changed nothing.
    if let Some(admin) = change.admin {
        users::set_admin(registry, ctx, name, admin).await?;
    }
    if let Some(active) = change.active {
        users::set_active(registry, ctx, name, active).await?;
    }
    if let Some(display_name) = change.display_name {
        users::set_display_name(registry, ctx, name, display_name).await?;
    }
    Ok(Reply::json(200, &User::from(users::find(registry, name).await?)))
}

async fn delete(call: Call) -> Result<Reply, Refused> {
    users::erase(call.registry(), call.ctx(), call.argument("user")).await?;
    Ok(Reply::nothing())
}

async fn password(call: Call) -> Result<Reply, Refused> {
    let (name, body) = (call.argument("user"), call.body::<NewPassword>()?);
    let oneself = matches!(&call.ctx().identity, Identity::User(account) if &*account.name == name);
    if oneself || !call.ctx().may_administer() {
        let current = body.current.as_deref().unwrap_or_default();
        let checked = check_password(call.registry(), call.ctx(), name, current).await;
        checked.map_err(|error| match &error {
            Error::Denied(denial) if denial.why == Why::WrongCredentials => Refused::Password,
            _ => error.into(),
        })?;
    }
    users::set_password(call.registry(), call.ctx(), name, body.new).await?;
    Ok(Reply::nothing())
}
