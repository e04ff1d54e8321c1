//! One-time passwords that an app shows (TOTP, RFC 6238): SHA-1, six digits, thirty seconds, as all apps have them.

use totp_rs::{Builder, Secret, Totp};

/// Bytes of a secret: 160 bits (RFC 4226, 4).
pub const SECRET_LEN: usize = 20;

/// The secret is not one, or the names that the app shows cannot stand in a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no one-time passwords can be made of this secret and name")]
pub struct Unusable;

fn totp(secret: &[u8], issuer: &str, account: &str) -> Result<Totp, Unusable> {
    let builder = Builder::new().with_secret(Secret::new(secret.into()));
    // A colon stands between the two in the link.
    let (issuer, account) = (issuer.replace(':', " "), account.replace(':', " "));
    builder.with_issuer(Some(issuer)).with_account_name(account).build().map_err(|_| Unusable)
}

/// The `otpauth://` link that an app reads. It holds the secret: shown once, and never logged.
pub fn link(secret: &[u8; SECRET_LEN], issuer: &str, account: &str) -> Result<String, Unusable> {
    totp(secret, issuer, account)?.to_url().map_err(|_| Unusable)
}

/// The secret as an app takes it that cannot read the link: base 32.
#[must_use]
pub fn typed(secret: &[u8; SECRET_LEN]) -> String {
    Secret::new(secret.as_slice().into()).to_base32()
}

/// The step whose code this is, at `now` in microseconds since 1970, one step to either side included. A step up to
/// `last` was used already: a code that somebody has looked at over a shoulder opens nothing. The caller keeps the step
/// in the transaction of what the code opened.
#[must_use]
pub fn accepted(secret: &[u8], code: &str, last: i64, now: i64) -> Option<i64> {
    let plain = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = u64::try_from(now / 1_000_000).ok().filter(|_| plain)?;
    let step = totp(secret, "Havre", "x").ok()?.check(code, seconds)?;
    i64::try_from(step).ok().filter(|step| *step > last)
}

#[cfg(test)]
mod tests {
    use super::{accepted, link, typed};

    /// RFC 6238, appendix B, the last six of its eight digits.
    const SECRET: &[u8; 20] = b"12345678901234567890";
    const SECOND: i64 = 1_000_000;

    #[test]
    fn the_codes_are_those_of_the_specification() {
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(accepted(SECRET, code, 0, at * SECOND), Some(at / 30), "{at}");
        }
    }

    #[test]
    fn a_code_is_taken_one_step_early_or_late_and_once() {
        for (at, step) in [(0, Some(1)), (59, Some(1)), (89, Some(1)), (90, None)] {
            assert_eq!(accepted(SECRET, "287082", 0, at * SECOND), step, "{at}");
        }
        assert_eq!(accepted(SECRET, "287082", 1, 59 * SECOND), None);
        for wrong in ["287083", "", "28708", "2870822", "28708é", " 87082"] {
            assert_eq!(accepted(SECRET, wrong, 0, 59 * SECOND), None, "{wrong}");
        }
    }

    #[test]
    fn the_link_names_registry_and_account_whatever_they_hold() {
        let link = link(SECRET, "registry.example.org:5000", "alice").unwrap();
        assert!(link.starts_with("otpauth://totp/"), "{link}");
        assert_eq!(typed(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(link.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") && link.contains("alice"), "{link}");
    }
}
