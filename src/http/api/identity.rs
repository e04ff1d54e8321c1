//! Who the caller is, and why somebody may do something.

use http::Method;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Parameter, Route};
use crate::auth::Permissions;
use crate::auth::policy::{Decision, Ground};
use crate::registry::Identity;
use crate::registry::access::explain::explain;
use crate::registry::access::{Denial, Why};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Method::GET, "/me", "Who the credential stands for", Needs::Anybody, Permissions::NONE, |call| {
        Box::pin(me(call))
    })
    .group("access")
    .answers::<Me>(200),
    Route::new(
        Method::GET,
        "/access",
        "Whether somebody may do something in a repository, and why",
        Needs::On,
        Permissions::MEMBERS,
        |call| Box::pin(access(call)),
    )
    .group("access")
    .query(&[
        Parameter { name: "on", about: "the repository, such as acme/app; it need not exist", required: true },
        Parameter { name: "action", about: "pull, push, or a permission such as delete-tag", required: true },
        Parameter { name: "who", about: "a user, or a robot such as acme+ci; nobody when left out", required: false },
    ])
    .answers::<Explained>(200),
];

/// Who a credential stands for.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// `user` or `robot`.
    kind: &'static str,
    /// The name.
    name: String,
    /// The id, which outlives a change of name.
    id: String,
    /// Whether it administers the instance.
    admin: bool,
    /// How far the credential reaches.
    scopes: Vec<&'static str>,
}

async fn me(call: Call) -> Result<Reply, Refused> {
    let (kind, account) = match &call.ctx().identity {
        Identity::User(account) => ("user", account),
        Identity::Robot(account) => ("robot", account),
        Identity::Anonymous | Identity::System => return Err(Refused::NoRoute),
    };
    let reach = call.ctx().credential.as_ref().map_or(Permissions::NONE, |held| held.reach);
    Ok(Reply::json(
        200,
        &Me {
            kind,
            name: account.name.to_string(),
            id: account.public_id.to_string(),
            admin: account.admin,
            scopes: reach.scopes().collect(),
        },
    ))
}

/// What was decided, and on what grounds.
#[derive(Debug, Serialize, ToSchema)]
struct Explained {
    /// Whether it may be done.
    allowed: bool,
    /// How a request would be answered: `allow`, `sign-in`, `forbidden` or `hidden`.
    decision: &'static str,
    /// What allows it, such as a role.
    allowing: Vec<GroundOut>,
    /// What allows other things there.
    other: Vec<GroundOut>,
    /// What waits for a second factor, which the namespace asks for; told to administrators, to oneself, and of who holds a
    /// role there.
    waiting: Vec<GroundOut>,
    /// Whether nothing is allowed until a second factor is set up, which everybody has to have; told as `waiting` is.
    shut_out: bool,
}

/// Why something is allowed.
#[derive(Debug, Serialize, ToSchema)]
struct GroundOut {
    /// `administrator`, `own-namespace`, `role`, `public` or `internal`.
    kind: &'static str,
    /// The role's name.
    role: Option<String>,
    /// What the role is about.
    on: Option<String>,
    /// The team through which it is held.
    team: Option<String>,
    /// What it allows.
    permissions: Vec<&'static str>,
}

impl From<Ground> for GroundOut {
    fn from(ground: Ground) -> Self {
        let permissions = ground.permissions().words().collect();
        let plain = |kind| Self { kind, role: None, on: None, team: None, permissions };
        match ground {
            Ground::Administrator => plain("administrator"),
            Ground::OwnNamespace => plain("own-namespace"),
            Ground::Public => plain("public"),
            Ground::Internal => plain("internal"),
            Ground::Binding(held) => {
                let on = Some(held.on.to_string());
                Self { role: Some(held.role), on, team: held.team, ..plain("role") }
            }
        }
    }
}

async fn access(call: Call) -> Result<Reply, Refused> {
    let word = call.query("action").unwrap_or_default();
    let needed = match word {
        "pull" => Some(Permissions::READ),
        "push" => Some(Permissions::WRITE),
        word => Permissions::parse(word),
    };
    let needed =
        needed.ok_or_else(|| Refused::invalid(format!("{word:?} is no action; say pull, push, or a permission")))?;
    let repository = call.on_repository()?;
    // Whether there is a robot of another namespace is that namespace's to tell.
    let elsewhere = call.query("who").and_then(|who| who.split_once('+')).map(|(namespace, _)| namespace);
    if elsewhere.is_some_and(|namespace| namespace != repository.namespace()) && !call.ctx().may_administer() {
        return Err(Denial::of(Why::Hidden).into());
    }
    let explanation = explain(call.registry(), call.ctx(), call.query("who"), needed, &repository).await?;
    let decision = match explanation.decision {
        Decision::Allow => "allow",
        Decision::SignIn => "sign-in",
        Decision::BeyondCredential => "beyond-credential",
        Decision::Forbidden => "forbidden",
        Decision::Hidden => "hidden",
    };
    Ok(Reply::json(
        200,
        &Explained {
            allowed: explanation.decision == Decision::Allow && !explanation.shut_out,
            decision,
            allowing: explanation.allowing.into_iter().map(Into::into).collect(),
            other: explanation.other.into_iter().map(Into::into).collect(),
            waiting: explanation.waiting.into_iter().map(Into::into).collect(),
            shut_out: explanation.shut_out,
        },
    ))
}
