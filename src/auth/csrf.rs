//! What shows that a page of ours makes a request, and not another site through the browser of somebody who is signed in.
//!
//! It is derived from the secret of the session, which no script can read: so it takes no memory, holds on every node, and
//! ends with the secret.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::Secret;

/// What a request shows beside the cookie with this secret.
#[must_use]
pub fn token(secret: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update("havre csrf ").chain_update(secret.reveal()).finalize())
}

/// Compares what was shown, in a time that does not tell how much of it is right.
#[must_use]
pub fn matches(secret: &Secret, shown: &[u8]) -> bool {
    verify_slices_are_equal(token(secret).as_bytes(), shown).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{matches, token};
    use crate::auth::{Secret, SecretKind};

    #[test]
    fn a_token_goes_with_one_secret_and_does_not_tell_it() {
        let [one, other] = [[1; 32], [2; 32]].map(|bytes| Secret::new(SecretKind::Session, bytes));
        let shown = token(&one);
        assert!(matches(&one, shown.as_bytes()) && !matches(&other, shown.as_bytes()));
        assert!(!one.reveal().contains(&shown));
        for wrong in [&shown[1..], "", &format!("{shown}A")] {
            assert!(!matches(&one, wrong.as_bytes()));
        }
    }
}
