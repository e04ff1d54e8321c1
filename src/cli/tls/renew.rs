//! `havre tls renew`: has the server obtain a certificate now, due or not.

use std::io::Write;

use anyhow::ensure;
use serde_json::json;

use super::status::domains;
use crate::cli::operator::{Common, Operator};
use crate::registry::certificates;

pub(super) fn run(common: Common, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let operator = Operator::open(common)?;
    let (domains, directory) = domains(&operator)?;
    for domain in domains {
        let asked = operator.run(certificates::renew(&operator.registry, &operator.ctx, &directory, &domain))?;
        ensure!(
            asked,
            "no server has asked {directory} for a certificate of {domain} yet; it does so by itself when it starts with \
             this domain and this authority"
        );
        let value = json!({ "domain": domain, "authority": directory });
        let text = format!("{domain}: a running server obtains another certificate within seconds");
        operator.say(out, &value, &text)?;
    }
    operator.hint(out, "`havre tls status` tells how it went")?;
    Ok(())
}
