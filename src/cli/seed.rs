//! `havre seed`: fills a registry with believable data, for demonstrations and for tests.

mod client;
mod image;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use http::Method;
use serde_json::{Value, json};
use url::Url;

use client::Client;
use image::Spec;

// Not a doc comment: clap would show it as the help of the command.
#[derive(Debug, Args)]
pub(super) struct SeedArgs {
    /// Where the registry answers
    #[arg(long, default_value = "http://127.0.0.1:5000")]
    url: Url,
    /// The name of the administrator whose token is used; leave it out at a registry that was started with --open
    #[arg(long, requires = "token_file")]
    user: Option<String>,
    /// A file that holds a personal token of theirs with the scopes read, write and admin; - reads it from the input
    #[arg(long, requires = "user", value_name = "FILE")]
    token_file: Option<String>,
    /// How many versions the busiest repository gets
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=500), value_name = "N")]
    versions: u16,
}

/// A repository that is made.
struct Repository {
    name: &'static str,
    program: &'static str,
    base: &'static str,
    kilobytes: usize,
    description: &'static str,
    visibility: &'static str,
    /// How many of the versions it has, in percent.
    share: u32,
}

const REPOSITORIES: [Repository; 7] = [
    Repository {
        name: "acme/shop/api",
        program: "api",
        base: "debian",
        kilobytes: 420,
        description: "The API of the shop: orders, carts and payments.",
        visibility: "public",
        share: 100,
    },
    Repository {
        name: "acme/shop/web",
        program: "web",
        base: "alpine",
        kilobytes: 260,
        description: "What customers see of the shop.",
        visibility: "public",
        share: 60,
    },
    Repository {
        name: "acme/shop/worker",
        program: "worker",
        base: "debian",
        kilobytes: 310,
        description: "Sends mails and invoices, and cleans up at night.",
        visibility: "internal",
        share: 40,
    },
    Repository {
        name: "acme/tools/migrate",
        program: "migrate",
        base: "alpine",
        kilobytes: 90,
        description: "Moves the databases from one schema to the next.",
        visibility: "private",
        share: 25,
    },
    Repository {
        name: "harbourmaster/tides",
        program: "tides",
        base: "alpine",
        kilobytes: 120,
        description: "High and low water for every harbour, as JSON.",
        visibility: "public",
        share: 50,
    },
    Repository {
        name: "harbourmaster/pilot",
        program: "pilot",
        base: "debian",
        kilobytes: 200,
        description: "Brings ships in, and tells who is next.",
        visibility: "public",
        share: 30,
    },
    Repository {
        name: "library/hello-harbour",
        program: "hello",
        base: "alpine",
        kilobytes: 20,
        description: "Says hello, to show that a pull works.",
        visibility: "public",
        share: 20,
    },
];

const README: &str = "# shop/api\n\nThe API of the shop: orders, carts and payments.\n\n## Run it\n\n```sh\ndocker run --rm -p 8080:8080 acme/shop/api:1\n```\n\n| Variable | Default | What it does |\n|---|---|---|\n| `PORT` | `8080` | where it listens |\n| `DATABASE_URL` | – | where orders are kept |\n\n## Versions\n\n- `1` moves with every release of the first line\n- `1.4` moves with its patches\n- `-alpine` is the same, smaller\n\n> Signed, and with a list of what is in it.\n";

/// Fills the registry.
pub(super) fn run(args: SeedArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let credential = match (args.user, args.token_file) {
        (Some(user), Some(file)) => Some((user, read_token(&file)?)),
        _ => None,
    };
    runtime.block_on(fill(&args.url, credential, u32::from(args.versions), out))?;
    writeln!(out, "done: look at {}", args.url)?;
    Ok(ExitCode::SUCCESS)
}

fn read_token(file: &str) -> anyhow::Result<String> {
    let text = match file {
        "-" => std::io::read_to_string(std::io::stdin())?,
        _ => std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?,
    };
    Ok(text.trim().to_owned())
}

async fn fill(
    url: &Url,
    credential: Option<(String, String)>,
    versions: u32,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let with_accounts = credential.is_some();
    let mut client = Client::connect(url, credential).await?;
    if with_accounts {
        people(&mut client).await?;
        writeln!(out, "organisations, people and roles")?;
    }
    for repository in &REPOSITORIES {
        let count = (versions * repository.share).div_ceil(100);
        push_versions(&mut client, repository, count).await?;
        writeln!(out, "{}: {count} versions", repository.name)?;
        if with_accounts {
            let change = json!({ "visibility": repository.visibility });
            client.call(Method::PATCH, &format!("/repositories/{}", repository.name), &change).await?;
        }
    }
    extras(&mut client).await?;
    writeln!(out, "a chart, a model, lists of contents and a signature")?;
    Ok(())
}

/// Organisations and who works there. Nobody of them has a password: they are there to be looked at.
async fn people(client: &mut Client) -> anyhow::Result<()> {
    for (name, display_name) in [("acme", "Acme"), ("harbourmaster", "The Harbour Master’s Office")] {
        client.call(Method::PUT, &format!("/organisations/{name}"), &json!({ "display_name": display_name })).await?;
    }
    for name in ["ann", "benoit", "chidi"] {
        client.call(Method::PUT, &format!("/users/{name}"), &json!({})).await?;
    }
    client.call(Method::PUT, "/namespaces/acme/teams/shop", &Value::Null).await?;
    for name in ["ann", "benoit"] {
        client.call(Method::PUT, &format!("/namespaces/acme/teams/shop/members/{name}"), &Value::Null).await?;
    }
    for binding in
        ["on=acme&role=maintainer&team=shop", "on=acme&role=guest&user=chidi", "on=harbourmaster&role=owner&user=chidi"]
    {
        client.call(Method::PUT, &format!("/bindings?{binding}"), &Value::Null).await?;
    }
    let robot = json!({ "description": "Pushes what the pipeline has built" });
    client.call(Method::PUT, "/namespaces/acme/robots/ci", &robot).await?;
    client.call(Method::PUT, "/bindings?on=acme/shop/*&role=developer&robot=acme%2Bci", &Value::Null).await
}

/// The tags under which release `n` of `count` is pushed: 1.4.2, and those that move with it.
fn tags(n: u32, count: u32) -> (String, Vec<String>) {
    let (minor, patch) = (n / 4, n % 4);
    let version = format!("1.{minor}.{patch}");
    let mut tags = vec![version.clone()];
    let last = n + 1 == count;
    if patch == 3 || last {
        tags.push(format!("1.{minor}"));
    }
    if last {
        tags.extend(["1".to_owned(), "latest".to_owned()]);
    }
    (version, tags)
}

fn spec(repository: &Repository, version: String, base: &'static str, days: i64) -> Spec {
    let source = format!("https://git.example.org/{}", repository.name);
    let Repository { program, kilobytes, description, .. } = *repository;
    Spec { program, version, base, kilobytes, days, source, description }
}

async fn push_versions(client: &mut Client, repository: &Repository, count: u32) -> anyhow::Result<()> {
    for n in 0..count {
        let (version, names) = tags(n, count);
        let days = i64::from(count - n) * 6;
        image::push(client, repository.name, &spec(repository, version.clone(), repository.base, days), &names).await?;
        if repository.share == 100 {
            let names: Vec<String> =
                names.iter().filter(|name| *name != "latest").map(|name| format!("{name}-alpine")).collect();
            image::push(client, repository.name, &spec(repository, version, "alpine", days), &names).await?;
        }
        // The newer, the more it is pulled.
        for _ in 0..n % 7 + u32::from(n + 1 == count) * 20 {
            client.pull(repository.name, names.first().map_or("latest", String::as_str)).await?;
        }
    }
    if repository.share == 100 {
        let next = format!("1.{}.0-rc.1", count / 4 + 1);
        image::push(client, repository.name, &spec(repository, next.clone(), repository.base, 0), &[next]).await?;
    }
    Ok(())
}

/// What is no image: a chart, a model, and what refers to an image.
async fn extras(client: &mut Client) -> anyhow::Result<()> {
    let [api, ..] = &REPOSITORIES;
    let next = spec(api, "1.9.0".to_owned(), "debian", 1);
    let digest = image::push(client, api.name, &next, &["staging".to_owned()]).await?;
    let list =
        json!({ "spdxVersion": "SPDX-2.3", "name": "api", "packages": [{ "name": "api", "versionInfo": "1.9.0" }] });
    image::attach(client, api.name, &digest, 900, "application/spdx+json", &list).await?;
    let statement =
        json!({ "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1" });
    image::attach(client, api.name, &digest, 900, "application/vnd.in-toto+json", &statement).await?;
    let signature = json!({ "critical": { "type": "example signature, which nobody made" } });
    image::attach(client, api.name, &digest, 900, "application/vnd.dev.cosign.artifact.sig.v1+json", &signature)
        .await?;
    let files = [("tides.onnx", vec![7; 200_000]), ("README.md", README.as_bytes().to_vec())];
    image::push_files(client, "harbourmaster/models/tides", "2024-11-05", "application/vnd.example.model", &files).await
}

#[cfg(test)]
mod tests {
    use super::tags;

    #[test]
    fn releases_move_the_tags_that_stand_for_the_newest() {
        assert_eq!(tags(0, 6), ("1.0.0".to_owned(), vec!["1.0.0".to_owned()]));
        assert_eq!(tags(3, 6).1, ["1.0.3", "1.0"]);
        assert_eq!(tags(5, 6).1, ["1.1.1", "1.1", "1", "latest"]);
        assert_eq!(tags(0, 1).1, ["1.0.0", "1.0", "1", "latest"]);
    }
}
