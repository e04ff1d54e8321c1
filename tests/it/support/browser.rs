//! A browser that is signed in: a cookie, what shows that a page of ours makes a request, and an app of one-time passwords.

use havre::clock;
use http::Method;
use serde_json::{Value, json};

use super::accounts::PASSWORD;
use super::answer::Answer;
use super::client::{Call, Client};

/// Signs in, with what the body says.
pub async fn sign_in(client: &Client, body: &Value) -> Answer {
    client.post("/api/v1/session").header("content-type", "application/json").body(body.to_string()).await
}

/// The code that an app shows so many steps of thirty seconds from now.
pub fn code(secret: &str, steps: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
    let at = u64::try_from(clock::now() / 1_000_000 + 30 * steps).unwrap();
    totp.generate(at).to_string()
}

/// A browser that is signed in as somebody.
#[derive(Debug, Clone)]
pub struct Browser {
    client: Client,
    user: String,
    cookie: String,
    csrf: String,
}

impl Browser {
    /// Signs in with the password, and what a second factor asks for.
    pub async fn sign_in(client: &Client, user: &str, code: Option<&str>) -> Self {
        let body = json!({ "name": user, "password": PASSWORD, "code": code });
        Self::of(client, user, &sign_in(client, &body).await.expect(201))
    }

    /// A browser that was given this answer.
    pub fn of(client: &Client, user: &str, answer: &Answer) -> Self {
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { client: client.clone(), user: user.to_owned(), cookie, csrf: answer.string("csrf_token") }
    }

    /// The secret of the session.
    pub fn secret(&self) -> String {
        self.cookie.split_once('=').unwrap().1.to_owned()
    }

    /// The same browser with another secret in its cookie, and what would show that a page of ours knows it.
    pub fn holding(&self, secret: &str) -> Self {
        let csrf = havre::auth::Secret::parse(secret).map_or(String::new(), |secret| havre::auth::csrf::token(&secret));
        Self { cookie: format!("havre_session={}", secret.replace(' ', "+")), csrf, ..self.clone() }
    }

    /// The same browser as another site makes it send a request.
    pub fn forged(&self, method: Method, path: &str) -> Call {
        self.client.call(method, format!("/api/v1{path}")).header("cookie", &self.cookie)
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        self.forged(method, path).header("x-csrf-token", &self.csrf)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        self.call(method, path).header("content-type", "application/json").body(body.to_string()).await
    }

    /// Shows what is missing; goes on with the cookie that it is given.
    pub async fn prove(&mut self, body: Value) {
        let answer = self.send(Method::PUT, "/session", body).await.expect(200);
        *self = Self::of(&self.client, &self.user, &answer);
    }

    /// Sets a second factor up; returns its secret and the recovery codes.
    pub async fn set_up(&mut self) -> (String, Vec<String>) {
        let path = format!("/users/{}/second-factor", self.user);
        let secret = self.call(Method::POST, &path).await.expect(201).string("secret");
        let answer = self.send(Method::PUT, &path, json!({ "code": code(&secret, 0) })).await.expect(200);
        *self = Self::of(&self.client, &self.user, &answer);
        (secret, answer.strings("recovery_codes"))
    }
}
