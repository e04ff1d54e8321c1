//! The tokens of `/token`: JWTs (RFC 7519, HS256) that say who asked and for what, never what is allowed.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::proof::{self, Proof};
use super::scope::{Access, Bound};
use super::seal::random;

/// The service that tokens are for, as challenges name it. The keys are the instance's own, so that one name will do.
pub const SERVICE: &str = "havre";

const SECOND: i64 = 1_000_000;

/// A key under which tokens are signed. `Debug` does not show it.
#[derive(Clone)]
pub struct SigningKey {
    /// Names it in the head of a token.
    pub id: String,
    sign: EncodingKey,
    verify: DecodingKey,
}

impl SigningKey {
    /// Takes a key of 32 random bytes.
    #[must_use]
    pub fn new(id: String, secret: &[u8]) -> Self {
        Self { id, sign: EncodingKey::from_secret(secret), verify: DecodingKey::from_secret(secret) }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// `user:ID`, `robot:ID` or `anonymous`.
    sub: String,
    /// `password:VERSION` or `token:ID`.
    #[serde(rename = "cred")]
    credential: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    access: Vec<Access>,
}

/// Why a token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It names a key that is not here.
    #[error("the token was signed with a key that this registry does not know")]
    UnknownKey,
    /// It is not a token of ours.
    #[error("the token is not one that this registry has given out")]
    Forged,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
}

/// Signs a token for a proof that reaches as far as its bound; `now` in microseconds, `lifetime` in seconds.
pub fn sign(key: &SigningKey, proof: &Proof, now: i64, lifetime: i64) -> Result<String, Invalid> {
    let seconds = now / SECOND;
    let scopes = match &proof.bound {
        Bound::Unbounded => &[][..],
        Bound::Scopes(scopes) => scopes,
    };
    let claims = Claims {
        iss: SERVICE.to_owned(),
        aud: SERVICE.to_owned(),
        sub: proof::principal_text(&proof.principal),
        credential: proof::credential_text(&proof.credential),
        iat: seconds,
        nbf: seconds,
        exp: seconds.saturating_add(lifetime),
        jti: uuid::Uuid::from_bytes(random()).simple().to_string(),
        access: scopes.iter().map(Access::from).collect(),
    };
    let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
    encode(&header, &claims, &key.sign).map_err(|_| Invalid::Forged)
}

/// Verifies a token; `keys` are all that may have signed it, `now` is in microseconds.
pub fn verify(keys: &[SigningKey], token: &str, now: i64) -> Result<Proof, Invalid> {
    let kid = decode_header(token).map_err(|_| Invalid::Forged)?.kid.ok_or(Invalid::Forged)?;
    let key = keys.iter().find(|key| key.id == kid).ok_or(Invalid::UnknownKey)?;
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_audience(&[SERVICE]);
    rules.set_issuer(&[SERVICE]);
    rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    // Compared below, with the time that the request was given.
    rules.validate_exp = false;
    let claims: Claims = decode(token, &key.verify, &rules).map_err(|_| Invalid::Forged)?.claims;
    let until = claims.exp.saturating_mul(SECOND);
    if until <= now {
        return Err(Invalid::Expired);
    }
    let principal = proof::parse_principal(&claims.sub).ok_or(Invalid::Forged)?;
    let credential = proof::parse_credential(&claims.credential).ok_or(Invalid::Forged)?;
    let scopes = claims.access.iter().filter_map(Access::scope).collect();
    Ok(Proof::new(principal, credential, Bound::Scopes(scopes), until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::scope::parse_all;
    use crate::auth::{Credential, Principal};

    fn key(id: &str) -> SigningKey {
        SigningKey::new(id.to_owned(), id.repeat(32).as_bytes())
    }

    fn proof() -> Proof {
        let scopes = parse_all(["repository:a/b:pull,push"].into_iter()).unwrap();
        Proof::new(Principal::User("1".into()), Credential::Password { version: 7 }, Bound::Scopes(scopes), i64::MAX)
    }

    #[test]
    fn a_token_proves_what_it_was_signed_for_until_it_expires() {
        let token = sign(&key("k1"), &proof(), 10 * SECOND, 300).unwrap();
        let keys = [key("k0"), key("k1")];
        let read = verify(&keys, &token, 11 * SECOND).unwrap();
        assert_eq!(
            (&read.principal, &read.credential, &read.bound),
            (&proof().principal, &proof().credential, &proof().bound)
        );
        assert_eq!(read.until, 310 * SECOND);
        assert_eq!(verify(&keys, &token, 310 * SECOND), Err(Invalid::Expired));
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_sent_makes_it_panic_or_proves_anything(head in ".{0,40}", claims in ".{0,60}", rest in "[!-~]{0,40}") {
            use base64::Engine as _;
            let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
            let kid = encode("{\"alg\":\"HS256\",\"kid\":\"k1\"}");
            for head in [encode(&head), kid] {
                for token in [format!("{head}.{}.{rest}", encode(&claims)), format!("{head}{rest}"), rest.clone()] {
                    proptest::prop_assert!(verify(&[key("k1")], &token, 0).is_err());
                }
            }
        }
    }

    #[test]
    fn the_longest_token_that_is_given_out_is_taken_back() {
        let mut longest: usize = 0;
        for pad in 0..120 {
            let texts: Vec<String> = (100..164).map(|n| format!("repository:{}{n}:*", "a".repeat(pad))).collect();
            let Ok(scopes) = parse_all(texts.iter().map(String::as_str)) else { break };
            let id = uuid::Uuid::from_bytes([255; 16]).to_string();
            let credential = Credential::Token(id.as_str().into());
            let proof = Proof::new(Principal::Robot(id.into()), credential, Bound::Scopes(scopes), i64::MAX);
            let token = sign(&key(&"k".repeat(32)), &proof, i64::MAX / 2, 86_400).unwrap();
            let header = format!("Bearer {token}");
            assert!(crate::auth::Presented::parse(Some(&header)).is_ok(), "{} bytes", token.len());
            longest = longest.max(token.len());
        }
        assert!(longest > 12 * 1024, "{longest}");
    }

    #[test]
    fn what_others_signed_or_altered_proves_nothing() {
        let token = sign(&key("k1"), &proof(), 0, 300).unwrap();
        assert_eq!(verify(&[key("k2")], &token, 0), Err(Invalid::UnknownKey));
        let impostor = SigningKey { id: "k1".to_owned(), ..key("k2") };
        assert_eq!(verify(&[impostor], &token, 0), Err(Invalid::Forged));
        let (head, rest) = token.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let none = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ";
        for forged in [
            format!("{head}.{claims}."),
            format!("{none}.{claims}."),
            format!("{none}.{claims}.{signature}"),
            format!("{head}.{}.{signature}", claims.replacen('e', "f", 1)),
            "x.y.z".to_owned(),
            String::new(),
        ] {
            assert_eq!(verify(&[key("k1")], &forged, 0), Err(Invalid::Forged), "{forged}");
        }
    }
}
