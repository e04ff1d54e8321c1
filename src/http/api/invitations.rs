//! Invitations to an account, or to a role in an organisation.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Route};
use super::sign_up::language;
use super::times::time;
use crate::auth::Permissions;
use crate::registry::accounts::invitations::{self, InvitationRow, Invite};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Method::GET, "/invitations", "List all invitations", Needs::Instance, Permissions::INSTANCE, |call| {
        Box::pin(list(call))
    })
    .group("invitations")
    .pages::<Invitation>(),
    Route::new(
        Method::POST,
        "/invitations",
        "Invite somebody to an account; the link is shown now and never again",
        Needs::Instance,
        Permissions::INSTANCE,
        |call| Box::pin(create(call)),
    )
    .group("invitations")
    .takes_body::<NewInvitation>()
    .answers::<MadeInvitation>(201),
    Route::new(
        Method::DELETE,
        "/invitations/{invitation}",
        "Take an invitation back",
        Needs::Instance,
        Permissions::INSTANCE,
        |call| Box::pin(revoke(call)),
    )
    .group("invitations")
    .answers_nothing(),
    Route::new(
        Method::GET,
        "/namespaces/{namespace}/invitations",
        "List the invitations to an organisation",
        Needs::Namespace,
        Permissions::MEMBERS,
        |call| Box::pin(list(call)),
    )
    .group("invitations")
    .pages::<Invitation>(),
    Route::new(
        Method::POST,
        "/namespaces/{namespace}/invitations",
        "Invite somebody to a role in an organisation; the link is shown now and never again",
        Needs::Namespace,
        Permissions::MEMBERS,
        |call| Box::pin(create(call)),
    )
    .group("invitations")
    .takes_body::<NewInvitation>()
    .answers::<MadeInvitation>(201),
    Route::new(
        Method::DELETE,
        "/namespaces/{namespace}/invitations/{invitation}",
        "Take an invitation to an organisation back",
        Needs::Namespace,
        Permissions::MEMBERS,
        |call| Box::pin(revoke(call)),
    )
    .group("invitations")
    .answers_nothing(),
];

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
struct Invitation {
    /// Its id.
    id: String,
    /// The address that was invited.
    email: String,
    /// The name that the account shall have.
    name: Option<String>,
    /// The organisation in which a role is given.
    organisation: Option<String>,
    /// That role.
    role: Option<String>,
    /// When it was made.
    created_at: String,
    /// From when on it cannot be accepted.
    expires_at: String,
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        Self {
            id: row.public_id,
            email: row.email,
            name: row.name,
            organisation: row.organisation,
            role: row.role,
            created_at: time(row.created_at),
            expires_at: time(row.expires_at),
        }
    }
}

/// Somebody to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInvitation {
    /// The address.
    email: String,
    /// The name that the account shall have; the invited person chooses when left out.
    name: Option<String>,
    /// The role in the organisation of the path.
    role: Option<String>,
    /// The language of the mail: `en` or `fr`.
    language: Option<String>,
}

/// An invitation that was made.
#[derive(Serialize, ToSchema)]
struct MadeInvitation {
    /// Its id.
    id: String,
    /// What the invited person follows, shown now and never again.
    link: String,
    /// Whether a mail with the link is on its way.
    mailed: bool,
    /// From when on it cannot be accepted.
    expires_at: String,
}

fn organisation(call: &Call) -> Option<&str> {
    Some(call.argument("namespace")).filter(|name| !name.is_empty())
}

async fn list(call: Call) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let rows =
        invitations::list(call.registry(), call.ctx(), organisation(&call), cursor.number()?, cursor.limit + 1).await?;
    Ok(call.page(&cursor.page(rows, |row| row.id.to_string(), Invitation::from), &cursor))
}

async fn create(call: Call) -> Result<Reply, Refused> {
    let new = call.body::<NewInvitation>()?;
    let role = match (organisation(&call), new.role) {
        (Some(organisation), Some(role)) => Some((organisation.to_owned(), role)),
        (None, None) => None,
        (Some(_), None) => return Err(Refused::invalid("say which role: \"role\": \"developer\"".to_owned())),
        (None, Some(_)) => {
            return Err(Refused::invalid("a role is given at /namespaces/{namespace}/invitations".to_owned()));
        }
    };
    let invite = Invite { email: new.email, name: new.name, role, language: language(new.language.as_deref()) };
    let made = invitations::create(call.registry(), call.ctx(), invite).await?;
    let made = MadeInvitation { id: made.id, link: made.link, mailed: made.mailed, expires_at: time(made.expires_at) };
    Ok(Reply::json(201, &made))
}

async fn revoke(call: Call) -> Result<Reply, Refused> {
    invitations::revoke(call.registry(), call.ctx(), organisation(&call), call.argument("invitation")).await?;
    Ok(Reply::nothing())
}
