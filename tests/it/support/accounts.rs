//! A server with accounts: `admin`, `alice` and `bob`, who all have one password.

use havre::auth::Secret;
use havre::clock;
use havre::registry::Ctx;
use havre::registry::accounts::roles::Subject;
use havre::registry::accounts::{namespaces, robots, roles, tokens, users};
use oci::RepositoryName;

use super::app::{Setup, TestApp};
use super::client::Client;

pub const PASSWORD: &str = "correct horse battery";

/// Runs a test on a server with accounts, as [`super::on_each_engine`] does on an open one.
pub async fn on_each_engine_with_accounts(test: impl AsyncFn(&mut TestApp)) {
    on_each_engine_with_accounts_and(&[], test).await;
}

/// The same, with further options.
pub async fn on_each_engine_with_accounts_and(options: &[(&str, &str)], test: impl AsyncFn(&mut TestApp)) {
    let setup = Setup::default().set("server.open", "false").set("auth.admin_password", PASSWORD);
    options
        .iter()
        .fold(setup, |setup, (key, value)| setup.set(key, value))
        .on_each_engine(async |app| {
            for name in ["alice", "bob"] {
                let add = users::Add {
                    name: name.to_owned(),
                    email: None,
                    display_name: None,
                    admin: false,
                    password: Some(PASSWORD.to_owned()),
                };
                users::add(&app.app.registry, &ctx(), add).await.unwrap();
            }
            test(app).await;
        })
        .await;
}

fn ctx() -> Ctx {
    Ctx::system(clock::now())
}

fn user(name: &str) -> Subject {
    Subject::User(name.to_owned())
}

fn revealed(secret: &Secret) -> String {
    secret.reveal().to_owned()
}

impl TestApp {
    /// A client that signs in with its password.
    pub fn as_user(&self, name: &str) -> Client {
        self.as_pair(name, PASSWORD)
    }

    pub async fn grant(&self, role: &str, name: &str, on: &str) {
        roles::set(&self.app.registry, &ctx(), role, user(name), on, true).await.unwrap();
    }

    pub async fn revoke(&self, role: &str, name: &str, on: &str) {
        assert!(roles::set(&self.app.registry, &ctx(), role, user(name), on, false).await.unwrap());
    }

    pub async fn grant_robot(&self, role: &str, name: &str, on: &str) {
        roles::set(&self.app.registry, &ctx(), role, Subject::Robot(name.to_owned()), on, true).await.unwrap();
    }

    pub async fn set_visibility(&self, repository: &str, word: &str) {
        let name = RepositoryName::parse(repository).unwrap();
        namespaces::set_visibility(&self.app.registry, &ctx(), &name, word).await.unwrap();
    }

    pub async fn set_active(&self, name: &str, active: bool) {
        users::set_active(&self.app.registry, &ctx(), name, active).await.unwrap();
    }

    pub async fn set_password(&self, name: &str, password: &str) {
        users::set_password(&self.app.registry, &ctx(), name, password.to_owned()).await.unwrap();
    }

    /// Makes a personal token and returns its secret.
    pub async fn personal_token(&self, owner: &str, name: &str, scopes: &[&str]) -> String {
        self.limited_token(owner, name, scopes, &[]).await
    }

    /// Makes a personal token that is about some repositories only, and returns its secret.
    pub async fn limited_token(&self, owner: &str, name: &str, scopes: &[&str], limits: &[&str]) -> String {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let add = tokens::Add {
            user: owner.to_owned(),
            name: name.to_owned(),
            scopes: texts(scopes),
            limits: texts(limits),
            expires_at: None,
        };
        revealed(&tokens::add(&self.app.registry, &ctx(), add).await.unwrap().secret)
    }

    pub async fn revoke_token(&self, owner: &str, name: &str) {
        tokens::revoke(&self.app.registry, &ctx(), owner, name).await.unwrap();
    }

    /// Makes a robot and returns its secret.
    pub async fn robot(&self, name: &str) -> String {
        revealed(&robots::add(&self.app.registry, &ctx(), name, None, None).await.unwrap().0)
    }

    pub async fn rotate(&self, name: &str) -> String {
        revealed(&robots::rotate(&self.app.registry, &ctx(), name).await.unwrap())
    }

    pub async fn disable_robot(&self, name: &str, disabled: bool) {
        robots::set_disabled(&self.app.registry, &ctx(), name, disabled).await.unwrap();
    }
}
