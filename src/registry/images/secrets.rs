//! Values that look secret: who may pull an image can read them anyway, but a page should not be what puts them on a
//! screen that others see.

use super::text;

/// What stands in place of a value.
pub const MASK: &str = "••••••";

/// Parts of a name that make its value a secret, wherever they stand in it.
const TELLING: [&str; 8] =
    ["password", "passwd", "passphrase", "secret", "credential", "token", "apikey", "privatekey"];
/// Words that do so when they stand alone in a name.
const TELLING_WORDS: [&str; 6] = ["key", "keys", "pass", "pwd", "pat", "creds"];
/// Words of a name that say that its value is public, however random it looks.
const PUBLIC_WORDS: [&str; 16] = [
    "public",
    "gpg",
    "ref",
    "sha",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "checksum",
    "hash",
    "sum",
    "commit",
    "digest",
    "revision",
    "rev",
    "fingerprint",
];
/// Words of a name whose value is a place and not what lies there.
const PLACES: [&str; 6] = ["file", "path", "dir", "url", "uri", "name"];
/// What secrets of well-known services begin with.
const PREFIXES: [&str; 20] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "dckr_pat_",
    "npm_",
    "pypi-",
    "hvs.",
    "AKIA",
    "ASIA",
    "AIza",
    "sk_live_",
    "sk-",
    "havre_",
];
/// From how many characters on a value without a pattern counts as random.
const RANDOM: usize = 24;
/// At most this many characters of a value are looked at.
const LOOKED_AT: usize = 4096;

/// Whether the value of a variable or label looks secret, by its name or by its own shape.
pub fn is_secret(name: &str, value: &str) -> bool {
    let value = bare(value);
    if is_plain(value) {
        return false;
    }
    let words = words(name);
    if has(&words, &PUBLIC_WORDS) {
        return has_password(value);
    }
    is_told(name, &words, value) || looks_secret(value)
}

fn bare(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

/// Whether a value tells nothing, whatever it is called.
fn is_plain(value: &str) -> bool {
    value.len() < 4 || matches!(value, "true" | "false" | "none" | "null") || value == MASK
}

fn has(words: &[String], list: &[&str]) -> bool {
    words.iter().any(|word| list.contains(&word.as_str()))
}

/// Whether the name says that the value is a secret, and not merely where one lies.
fn is_told(name: &str, words: &[String], value: &str) -> bool {
    let squeezed: String = name.chars().take(256).filter(char::is_ascii_alphanumeric).collect();
    let squeezed = squeezed.to_ascii_lowercase();
    let told = TELLING.iter().any(|part| squeezed.contains(part)) || has(words, &TELLING_WORDS);
    told && !has(words, &PLACES) && !value.starts_with(['/', '$'])
}

/// The same within a line of a build, where hexadecimal text is nearly always a digest or a commit, which has to be seen.
fn is_secret_in_line(name: &str, value: &str) -> bool {
    let value = bare(value);
    let hexadecimal = value.bytes().all(|b| b.is_ascii_hexdigit());
    is_secret(name, value) && (!hexadecimal || is_told(name, &words(name), value))
}

/// The words of a name: parts of `SNAKE_CASE`, `kebab-case`, `dotted.case` and `camelCase`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars().take(256) {
        if !c.is_ascii_alphanumeric() || (small && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        small = c.is_ascii_lowercase();
        if let Some(last) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            last.push(c.to_ascii_lowercase());
        }
    }
    words
}

/// Whether a value has the shape of a secret, whatever it is called.
fn looks_secret(value: &str) -> bool {
    if value.contains("-----BEGIN ") || has_password(value) {
        return true;
    }
    if PREFIXES.iter().any(|prefix| value.strip_prefix(prefix).is_some_and(|rest| rest.len() >= 16 && is_token(rest))) {
        return true;
    }
    // A JSON Web Token.
    if value.starts_with("eyJ") && value.matches('.').count() == 2 {
        return true;
    }
    is_token(value) && is_random(value)
}

fn is_token(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=_-.".contains(&b))
}

/// Whether there is a password in a URL: `scheme://user:password@host`.
fn has_password(value: &str) -> bool {
    let value = value.get(..LOOKED_AT).unwrap_or(value);
    value.match_indices("://").any(|(at, mark)| {
        let rest = &value[at + mark.len()..];
        let authority = rest.split(['/', '?', '#', ' ', '"', '\'']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':'))
            .is_some_and(|(_, password)| !password.is_empty() && !password.starts_with('$') && password != MASK)
    })
}

/// Whether a value is long and mixed as only what a machine drew by lot is.
fn is_random(value: &str) -> bool {
    if value.len() < RANDOM || value.len() > LOOKED_AT {
        return false;
    }
    let hexadecimal = value.len() >= 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    let kinds = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
    let mixed = kinds.iter().all(|kind| value.bytes().any(|b| kind(&b)));
    // A path or a version has its kinds in stretches, and its marks often.
    let marks = value.bytes().filter(|b| b"/._-".contains(b)).count();
    let turns = value.as_bytes().windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    hexadecimal || (mixed && marks * 8 <= value.len() && turns * 5 >= value.len() * 2)
}

fn class(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' => 1,
        b'a'..=b'z' => 2,
        b'0'..=b'9' => 3,
        _ => 4,
    }
}

/// Masks what looks secret within a line of a build or a shell: `NAME=value` anywhere in it, URLs with passwords, and what
/// has the shape of a secret.
pub fn masked(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let ends =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '|' | '(' | ')' | ',' | '`' | '[' | ']');
    // The name whose value comes next: of `--password value` and of `PASSWORD="value"`.
    let mut name = "";
    for word in line.split_inclusive(ends) {
        let (core, end) = match word.char_indices().next_back() {
            Some((at, last)) if ends(last) => word.split_at(at),
            _ => (word, ""),
        };
        let pair = core.trim_start_matches('-').split_once(['=', ':']).filter(|(name, value)| {
            // What ends in `=` may be Base64 as well.
            !name.is_empty() && !value.trim_matches('=').is_empty()
        });
        if core.contains("://") && has_password(core) {
            out.push_str(&without_password(core));
        } else if let Some((_, value)) = pair.filter(|(name, value)| is_secret_in_line(name, value)) {
            out.push_str(&core[..core.len() - value.len()]);
            out.push_str(MASK);
        } else if (pair.is_none() || !name.is_empty()) && is_secret_in_line(name, core) {
            out.push_str(MASK);
        } else {
            out.push_str(core);
        }
        out.push_str(end);
        if let Some(before) = core.strip_suffix('=') {
            name = before;
        } else if !core.is_empty() {
            name = if core.starts_with("--") && !core.contains('=') { core } else { "" };
        }
    }
    out
}

fn without_password(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return MASK.to_owned() };
    let Some((user, host)) = rest.rsplit_once('@') else { return MASK.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:{MASK}@{host}")
}

/// A variable as `NAME=value`, its value masked where it looks secret.
pub fn masked_variable(variable: &str, limit: usize) -> String {
    match variable.split_once('=') {
        Some((name, value)) if is_secret(name, value) => format!("{}={MASK}", text::line(name, limit)),
        _ => text::shown(variable, limit),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_secret, masked};

    #[test]
    fn a_secret_is_known_by_its_name_or_by_its_shape() {
        for (name, value) in [
            ("DB_PASSWORD", "hunter22"),
            ("password", "12345"),
            ("API_KEY", "abcd1234"),
            ("apiKey", "abcd1234"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
            ("GITHUB_TOKEN", "whatever"),
            ("MY_CREDENTIALS", "user:pass"),
            ("DATABASE_URL", "postgres://app:hunter2@db/app"),
            ("X", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
            ("X", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"),
            ("X", "-----BEGIN PRIVATE KEY-----\nMIIE"),
            ("SESSION", "9f86d081884c7d659a2feaa0c55ad015"),
            ("X", "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY"),
            ("GPG_MIRROR_PUBLIC", "https://a:b@c/"),
        ] {
            assert!(is_secret(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"),
            ("GPG_KEY", "7169605F62C751356D054A26A821E680E5FA6305"),
            ("PYTHON_SHA256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            ("GIT_COMMIT", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
            ("POSTGRES_PASSWORD_FILE", "/run/secrets/password"),
            ("TOKEN_URL", "https://sts.example.org/token"),
            ("KEYBOARD", "azerty"),
            ("PWD", "/srv"),
            ("ALLOW_EMPTY_PASSWORD", "true"),
            ("PASSWORD", ""),
            ("NODE_VERSION", "20.11.1"),
            ("JAVA_HOME", "/opt/java/openjdk"),
            ("LANG", "C.UTF-8"),
            ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1"),
            ("NGINX_ENTRYPOINT_WORKER_PROCESSES_AUTOTUNE", "worker_processes_autotune_mode"),
            ("DATABASE_URL", "postgres://db.example.org/app"),
        ] {
            assert!(!is_secret(name, value), "{name}={value}");
        }
    }

    #[test]
    fn within_a_line_only_the_secret_is_masked() {
        for (line, expected) in [
            ("ENV A=1 API_TOKEN=s3cr3tvalue B=2", "ENV A=1 API_TOKEN=•••••• B=2"),
            ("RUN export PASSWORD=\"hunter22\"; make", "RUN export PASSWORD=\"••••••\"; make"),
            (
                "RUN git clone https://bot:hunter22@example.org/a.git",
                "RUN git clone https://bot:••••••@example.org/a.git",
            ),
            ("RUN login --password hunter22 now", "RUN login --password •••••• now"),
            ("RUN login --password=hunter22", "RUN login --password=••••••"),
            ("RUN curl -H 'Authorization: ghp_abcdefghijklmnopqrstuvwxyz'", "RUN curl -H 'Authorization: ••••••'"),
            (
                "ADD file:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 in /",
                "ADD file:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 in /",
            ),
            (
                "ENV GIT_COMMIT=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
                "ENV GIT_COMMIT=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
            ),
            ("CMD [\"nginx\" \"-g\" \"daemon off;\"]", "CMD [\"nginx\" \"-g\" \"daemon off;\"]"),
        ] {
            assert_eq!(masked(line), expected);
        }
    }
}
