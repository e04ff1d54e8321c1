//! The decision: pure, and made here alone.

use oci::RepositoryName;

use super::{Pattern, Permissions, Visibility};

/// What is known of a principal when it is decided about. Put together from the database, or by a test.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Whether it is a user who is signed in.
    pub user: bool,
    /// Whether it is anybody at all: a user or a robot.
    pub signed_in: bool,
    /// Whether the user administers the instance.
    pub admin: bool,
    /// Whether the repository's namespace is the user's own.
    pub own_namespace: bool,
    /// Whether the namespace asks for a second factor, and the user has none. A robot needs none.
    pub factor_missing: bool,
    /// Who may see the repository; nothing while it does not exist.
    pub visibility: Option<Visibility>,
    /// The roles that it holds in the repository's namespace, whether or not they are about this repository.
    pub bindings: Vec<Held>,
}

/// A role that a principal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The role's name.
    pub role: String,
    /// What it allows.
    pub permissions: Permissions,
    /// Which repositories it is about.
    pub on: Pattern,
    /// The team through which it is held, if it is.
    pub team: Option<String>,
}

/// Why something is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// The user administers the instance.
    Administrator,
    /// The namespace is the user's own.
    OwnNamespace,
    /// A role.
    Binding(Held),
    /// Anyone may see it.
    Public,
    /// Any signed-in user may see it.
    Internal,
}

impl Ground {
    /// What it allows.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        match self {
            Self::Administrator => Permissions::ALL,
            Self::OwnNamespace => Permissions::NAMESPACE,
            Self::Binding(held) => held.permissions,
            Self::Public | Self::Internal => Permissions::READ,
        }
    }
}

/// Lists the grounds on which a principal may do anything in a repository, by its canonical name.
///
/// Where a second factor is asked for and missing, roles count no more, and being signed in does not either: such a user is
/// let in as somebody unknown is. Administrators are, for they could lift the demand; the instance may ask all for one.
#[must_use]
pub fn grounds(facts: &Facts, name: &RepositoryName) -> Vec<Ground> {
    let mut grounds = Vec::new();
    if facts.admin {
        grounds.push(Ground::Administrator);
    }
    if facts.own_namespace {
        grounds.push(Ground::OwnNamespace);
    }
    let bindings = if facts.factor_missing { &[] } else { facts.bindings.as_slice() };
    grounds.extend(bindings.iter().filter(|held| held.on.matches(name)).cloned().map(Ground::Binding));
    match facts.visibility {
        Some(Visibility::Public) => grounds.push(Ground::Public),
        Some(Visibility::Internal) if facts.user && !facts.factor_missing => grounds.push(Ground::Internal),
        Some(Visibility::Internal | Visibility::Private) | None => {}
    }
    grounds
}

/// What a principal may do in a repository.
#[must_use]
pub fn rights(facts: &Facts, name: &RepositoryName) -> Permissions {
    grounds(facts, name).iter().map(Ground::permissions).collect()
}

/// What a principal could do in a repository with the second factor that it lacks.
#[must_use]
pub fn rights_with_factor(facts: &Facts, name: &RepositoryName) -> Permissions {
    rights(&Facts { factor_missing: false, ..facts.clone() }, name)
}

/// What a principal may do in everything that a pattern matches: what its roles there allow, each of them about all of
/// it. Who may see a repository says nothing of others, so visibility does not count.
#[must_use]
pub fn rights_over(facts: &Facts, pattern: &Pattern) -> Permissions {
    let mark = |held, ground: Ground| if held { ground.permissions() } else { Permissions::NONE };
    let marks = mark(facts.admin, Ground::Administrator) | mark(facts.own_namespace, Ground::OwnNamespace);
    let bindings = if facts.factor_missing { &[] } else { facts.bindings.as_slice() };
    let covering = bindings.iter().filter(|held| held.on.covers(pattern)).map(|held| held.permissions);
    covering.fold(marks, Permissions::with)
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allow,
    /// Nobody is named who could be allowed: sign in first.
    SignIn,
    /// The credential does not reach that far, whatever its principal may do.
    BeyondCredential,
    /// The principal sees the repository and may not do this there.
    Forbidden,
    /// The principal may not know whether there is such a repository.
    Hidden,
}

/// Decides. `rights` are what the principal may do there, `reach` is how far its credential goes, `needed` is what the
/// action takes.
///
/// Who is not signed in is asked to be, whether the repository exists or not. A credential that does not reach is refused
/// before anything of the repository is looked at, so that this refusal tells nothing either.
#[must_use]
pub fn check(signed_in: bool, rights: Permissions, reach: Permissions, needed: Permissions) -> Decision {
    if (rights & reach).contains(needed) {
        Decision::Allow
    } else if !signed_in {
        Decision::SignIn
    } else if !reach.contains(needed) {
        Decision::BeyondCredential
    } else if rights.contains(Permissions::READ) {
        Decision::Forbidden
    } else {
        Decision::Hidden
    }
}

#[cfg(test)]
mod tests;
