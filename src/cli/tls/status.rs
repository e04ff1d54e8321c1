//! `havre tls status`: how the certificates are doing that the server obtains by itself.

use std::io::Write;

use anyhow::ensure;
use serde_json::json;

use crate::cli::operator::{Common, Operator, time};
use crate::registry::certificates::{self, Status};

/// Microseconds in a day.
const DAY: i64 = 86_400 * 1_000_000;

pub(super) fn run(common: Common, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(common)?;
    let (domains, directory) = domains(&operator)?;
    for domain in domains {
        let status = operator.run(certificates::status(&operator.registry, &directory, &domain))?;
        let days = status.not_after.map(|at| at.saturating_sub(operator.ctx.now).div_euclid(DAY));
        let value = json!({
            "domain": domain,
            "authority": directory,
            "not_after": status.not_after.map(time),
            "days_left": days,
            "failures": status.failures,
            "next_try": status.next_at.map(time),
            "error": status.error,
            "renewal_asked": status.asked,
        });
        operator.say(out, &value, &told(&domain, &status, days))?;
    }
    Ok(())
}

/// The domains of the server, and the directory of its authority.
pub(super) fn domains(operator: &Operator) -> anyhow::Result<(Vec<String>, String)> {
    let acme = &operator.config().acme;
    let domains = acme.names();
    ensure!(!domains.is_empty(), "no domain is configured: name those of the server with --domain or acme.domains");
    Ok((domains, acme.directory_url()))
}

fn told(domain: &str, status: &Status, days: Option<i64>) -> String {
    let holds = match (status.not_after, days) {
        (Some(at), Some(days)) if days >= 0 => format!("until {}, {days} days", time(at)),
        (Some(at), _) => format!("ended {}", time(at)),
        (None, _) => "no certificate yet".to_owned(),
    };
    let asked = if status.asked { "; another one was asked for with `havre tls renew`" } else { "" };
    match (&status.error, status.next_at) {
        (Some(why), Some(at)) => {
            format!(
                "{domain}: {holds}; failed {} times{asked}, tried again after {}: {why}\n  to try again at once: \
                 havre tls renew --domain {domain}",
                status.failures,
                time(at)
            )
        }
        _ => format!("{domain}: {holds}{asked}"),
    }
}
