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
    let (domains, directory) = (operator.config().acme.names(), operator.config().acme.directory_url());
    ensure!(!domains.is_empty(), "no domain is configured: name those of the server with --domain or acme.domains");
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
        });
        operator.say(out, &value, &told(&domain, &status, days))?;
    }
    Ok(())
}

fn told(domain: &str, status: &Status, days: Option<i64>) -> String {
    let holds = match (status.not_after, days) {
        (Some(at), Some(days)) if days >= 0 => format!("until {}, {days} days", time(at)),
        (Some(at), _) => format!("ended {}", time(at)),
        (None, _) => "no certificate yet".to_owned(),
    };
    match (&status.error, status.next_at) {
        (Some(why), Some(at)) => {
            format!("{domain}: {holds}; failed {} times, tried again after {}: {why}", status.failures, time(at))
        }
        _ => format!("{domain}: {holds}"),
    }
}
