//! The page of an image: what it shows to whom, and its deletion.

use bytes::Bytes;
use oci::Digest;
use serde_json::{Value, json};

use crate::support::{Client, Manifest, Pages, blob, descriptor, on_each_engine_with_accounts, sha256};

/// An image that tells how it was made.
fn config(seed: &str) -> Value {
    json!({
        "architecture": "amd64", "os": "linux", "seed": seed,
        "config": {
            "Entrypoint": ["/app", "--serve"], "ExposedPorts": {"8080/tcp": {}},
            "Env": ["PATH=/usr/bin", "DB_PASSWORD=hunter22"], "Labels": {"org.example.team": "harbour"},
        },
        "history": [
            {"created_by": "/bin/sh -c #(nop) ADD file:0a1b in / "},
            {"created_by": "ENV API_TOKEN=hunter22", "empty_layer": true},
            {"created_by": "RUN /bin/sh -c make all # buildkit"},
        ],
    })
}

/// Pushes an image of a config and layers under a tag, or by its digest.
async fn push(client: &Client, repository: &str, tag: Option<&str>, config: &Value, layers: &[Bytes]) -> Manifest {
    let config = config.to_string();
    client.push_blob(repository, config.clone()).await;
    for layer in layers {
        client.push_blob(repository, layer.clone()).await;
    }
    let layers: Vec<&[u8]> = layers.iter().map(AsRef::as_ref).collect();
    let manifest = Manifest::image(config.as_bytes(), &layers);
    let reference = tag.map_or_else(|| manifest.digest().to_string(), str::to_owned);
    client.push_manifest(repository, reference, &manifest).await.expect(201);
    manifest
}

async fn push_artifact(client: &Client, repository: &str, manifest: &Manifest, blobs: &[&[u8]]) -> Digest {
    client.push_blob(repository, Bytes::from_static(b"{}")).await;
    for bytes in blobs {
        client.push_blob(repository, Bytes::copy_from_slice(bytes)).await;
    }
    client.push_manifest(repository, manifest.digest(), manifest).await.expect(201);
    manifest.digest()
}

fn page(repository: &str, manifest: &Manifest) -> String {
    format!("/{repository}/-/images/{}", manifest.digest())
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

fn has_none(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "{part} is in\n{text}");
    }
}

#[tokio::test]
async fn an_image_is_shown_with_its_layers_and_configuration_to_who_may_see_it() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let image = push(&alice, "alice/app", Some("1.0"), &config("a"), &[blob(1, 3_000), blob(2, 1_000)]).await;
        alice.push_manifest("alice/app", "latest", &image).await.expect(201);
        let path = page("alice/app", &image);
        let mut pages = Pages::sign_in(app, "alice").await;
        let text = pages.get(&path).await.expect(200).text();
        let pull = format!("docker pull {}/alice/app@{}", app.address(), image.digest());
        has(&text, &["href=\"/alice/app/-/tags/1.0\"", "href=\"/alice/app/-/tags/latest\"", &pull, "2 layers"]);
        has(&text, &["<code>ADD file:0a1b in /</code>", "<code>RUN make all</code>", "width=\"75.00\"", "3.0\u{a0}kB"]);
        has(&text, &["8080/tcp", "/app", "org.example.team", "harbour", "PATH", "/usr/bin", "linux/amd64"]);
        // Neither in the environment nor in the history.
        has(&text, &["DB_PASSWORD", "API_TOKEN", "hidden, since it looks secret"]);
        has_none(&text, &["hunter22", " style="]);
        has(&text, &[&format!("{path}/delete")]);
        pages.language = "fr";
        has(&pages.get(&path).await.expect(200).text(), &["Couches", "Tirer par condensat", "masquée"]);
        // Whoever may not pull it does not learn of it.
        let mut bob = Pages::sign_in(app, "bob").await;
        bob.get(&path).await.expect(404);
        Pages::new(app).get(&path).await.expect(404);
        app.set_visibility("alice/app", "public").await;
        let public = Pages::new(app).get(&path).await.expect(200).text();
        has(&public, &["RUN make all"]);
        has_none(&public, &["/delete"]);
        for other in ["/alice/app/-/images/sha256:00", "/alice/app/-/images/latest"] {
            pages.get(other).await.expect(404);
        }
        pages.get(&format!("/alice/app/-/images/{}", sha256(b"none"))).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn documents_are_shown_coloured_and_kept_as_they_were_pushed() {
    on_each_engine_with_accounts(async |app| {
        let image = push(&app.as_user("alice"), "alice/app", Some("1"), &config("a"), &[blob(1, 30)]).await;
        let (path, mut pages) = (page("alice/app", &image), Pages::sign_in(app, "alice").await);
        let manifest = pages.get(&format!("{path}?show=manifest")).await.expect(200).text();
        has(&manifest, &["<span class=\"k\">&quot;schemaVersion&quot;</span>: <span class=\"n\">2</span>"]);
        let shown = pages.get(&format!("{path}?show=config")).await.expect(200).text();
        has(&shown, &["<span class=\"k\">&quot;architecture&quot;</span>", "DB_PASSWORD=•"]);
        has_none(&shown, &["hunter22"]);
        let kept = pages.get(&format!("{path}/manifest.json")).await.expect(200);
        assert_eq!(kept.text(), String::from_utf8(image.bytes().to_vec()).unwrap());
        assert!(kept.header("content-disposition").starts_with("attachment"));
        assert_eq!(pages.get(&format!("{path}/config.json")).await.expect(200).text(), config("a").to_string());
        Pages::new(app).get(&format!("{path}/config.json")).await.expect(404);
        // Looking is no pull.
        havre::registry::audit::flush(&app.app.registry, &havre::registry::Ctx::system(0)).await.unwrap();
        has_none(&pages.get(&path).await.expect(200).text(), &["pulled"]);
    })
    .await;
}

#[tokio::test]
async fn an_index_shows_the_platform_that_was_chosen() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let arm = json!({"architecture": "arm64", "os": "linux", "history": [{"created_by": "RUN /bin/sh -c for-arm"}]});
        let amd = json!({"architecture": "amd64", "os": "linux", "history": [{"created_by": "RUN /bin/sh -c for-amd"}]});
        let arm = push(&alice, "alice/app", None, &arm, &[blob(1, 10)]).await;
        let amd = push(&alice, "alice/app", None, &amd, &[blob(2, 10)]).await;
        let statement = b"{\"statement\":1}";
        let mut layer = descriptor("application/vnd.in-toto+json", statement);
        layer["annotations"] = json!({"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"});
        let says = Manifest::image(b"{}", &[]).with("layers", json!([layer]));
        push_artifact(&alice, "alice/app", &says, &[statement]).await;
        let child = |manifest: &Manifest, architecture: &str| {
            let mut child = descriptor(&manifest.media_type(), &manifest.bytes());
            child["platform"] = json!({"os": if architecture == "unknown" { "unknown" } else { "linux" }, "architecture": architecture});
            child
        };
        let mut third = child(&says, "unknown");
        third["annotations"] = json!({
            "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": arm.digest().to_string(),
        });
        let children = json!([child(&arm, "arm64"), child(&amd, "amd64"), third]);
        let index = Manifest::index(&[]).with("manifests", children);
        alice.push_manifest("alice/app", "1", &index).await.expect(201);
        let (path, mut pages) = (page("alice/app", &index), Pages::sign_in(app, "alice").await);
        let text = pages.get(&path).await.expect(200).text();
        has(&text, &["?platform=linux%2Farm64", "?platform=linux%2Famd64", "RUN for-amd", "Provenance (SLSA)"]);
        has_none(&text, &["RUN for-arm", "unknown/unknown", "?platform=unknown"]);
        has(&pages.get(&format!("{path}?platform=linux%2Farm64")).await.expect(200).text(), &["RUN for-arm"]);
        has(&pages.get(&format!("{path}?platform=%22%3E%3Cb%3E")).await.expect(200).text(), &["RUN for-amd"]);
        // The child tells of what it is part, and that is why it cannot go.
        let child = page("alice/app", &arm);
        has(&pages.get(&child).await.expect(200).text(), &["Part of", &path]);
        let refused = pages.get(&format!("{child}/delete")).await.expect(200).text();
        has(&refused, &["part of another one", &path]);
        has_none(&refused, &["<form class=\"danger-zone\""]);
        has(&pages.submit(&format!("{child}/delete"), &[]).await.expect(422).text(), &["part of another one"]);
        has(&pages.get(&format!("{path}/delete")).await.expect(200).text(), &["Images of the index that stay"]);
    })
    .await;
}

#[tokio::test]
async fn layers_are_said_to_be_shared_only_with_what_the_reader_may_see() {
    on_each_engine_with_accounts(async |app| {
        let (alice, bob) = (app.as_user("alice"), app.as_user("bob"));
        let base = blob(1, 900);
        let image = push(&alice, "alice/app", Some("1"), &config("a"), &[base.clone(), blob(2, 100)]).await;
        push(&bob, "bob/hidden", Some("1"), &config("b"), &[base.clone(), blob(3, 100)]).await;
        let (path, mut pages) = (page("alice/app", &image), Pages::sign_in(app, "alice").await);
        let alone = pages.get(&path).await.expect(200).text();
        has_none(&alone, &["shared by", "Shared with"]);
        push(&alice, "alice/other", Some("1"), &config("c"), &[base, blob(4, 100)]).await;
        has(&pages.get(&path).await.expect(200).text(), &["shared by one other repository", "Shared with other"]);
        app.set_visibility("bob/hidden", "public").await;
        has(&pages.get(&path).await.expect(200).text(), &["shared by 2 other repositories"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_attached_is_named_and_stands_in_a_tree() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let image = push(&alice, "alice/app", Some("1"), &config("a"), &[blob(1, 30)]).await;
        let sbom = Manifest::artifact("application/spdx+json").subject(&image);
        push_artifact(&alice, "alice/app", &sbom, &[]).await;
        let signature = Manifest::artifact("application/vnd.dev.cosign.artifact.sig.v1+json").subject(&sbom);
        push_artifact(&alice, "alice/app", &signature, &[]).await;
        let statement = Manifest::artifact("application/vnd.in-toto+json")
            .subject(&image)
            .annotation("in-toto.io/predicate-type", "https://cyclonedx.org/bom");
        push_artifact(&alice, "alice/app", &statement, &[]).await;
        let own = Manifest::artifact("application/x-<b>own</b>").subject(&image);
        push_artifact(&alice, "alice/app", &own, &[]).await;
        let old = Manifest::artifact("").annotation("old", "cosign");
        push_artifact(&alice, "alice/app", &old, &[]).await;
        let tag = format!("sha256-{}.sig", image.digest().hex());
        alice.push_manifest("alice/app", &tag, &old).await.expect(201);
        let mut pages = Pages::sign_in(app, "alice").await;
        let text = pages.get(&page("alice/app", &image)).await.expect(200).text();
        has(&text, &["SBOM (SPDX)", "SBOM (CycloneDX)", "Signature (cosign)", "application/x-&#60;b&#62;own", &tag]);
        let [below, above] = [signature, sbom.clone()].map(|one| text.find(&page("alice/app", &one)).unwrap());
        let between = &text[above.min(below)..above.max(below)];
        assert!(above < below && between.contains("<ul>"), "the signature of the SBOM stands below it");
        let text = pages.get(&page("alice/app", &sbom)).await.expect(200).text();
        has(&text, &["Refers to", &page("alice/app", &image)]);
    })
    .await;
}

#[tokio::test]
async fn a_manifest_goes_with_its_tags_once_it_was_said_what_goes() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let base = blob(1, 5_000);
        let image = push(&alice, "alice/app", Some("1"), &config("a"), &[base.clone(), blob(2, 2_000_000)]).await;
        alice.push_manifest("alice/app", "2", &image).await.expect(201);
        push(&alice, "alice/app", Some("keep"), &config("b"), &[base]).await;
        let path = format!("{}/delete", page("alice/app", &image));
        app.grant("guest", "bob", "alice/app").await;
        let mut bob = Pages::sign_in(app, "bob").await;
        bob.get(&path).await.expect(403);
        bob.submit(&path, &[]).await.expect(403);
        let mut pages = Pages::sign_in(app, "alice").await;
        let text = pages.get(&path).await.expect(200).text();
        // What the other image needs as well is not freed.
        has(&text, &["<bdi>1</bdi>", "<bdi>2</bdi>", "2.0\u{a0}MB", "danger-zone"]);
        has_none(&text, &["<bdi>keep</bdi>"]);
        pages.send(&path, &[("csrf", "wrong")], "same-origin").await.expect(403);
        let answer = pages.submit(&path, &[]).await.expect(303);
        assert_eq!(answer.header("location"), "/alice/app?done=image-deleted");
        has(&pages.get("/alice/app?done=image-deleted").await.expect(200).text(), &["The image was deleted."]);
        assert_eq!(alice.get("/v2/alice/app/tags/list").await.expect(200).strings("tags"), ["keep"]);
        pages.get(&path).await.expect(404);
        pages.submit(&path, &[]).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn an_image_that_somebody_made_to_do_harm_is_shown_harmless() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let evil = "</code><script>alert(1)</script>\u{202e}";
        let long = "x".repeat(1024 * 1024);
        let steps = vec![json!({"created_by": format!("RUN {evil}")}); 20_000];
        let config = json!({
            "architecture": evil, "os": [], "created": evil, "history": steps,
            "config": {"Entrypoint": {}, "User": evil, "Env": [evil, long, format!("{evil}={evil}")], "Labels": {evil: evil, "l": long},
                "Cmd": [evil], "ExposedPorts": {evil: 1}},
        });
        let manifest = push(&alice, "alice/app", Some("1"), &config, &[blob(1, 10)]).await;
        let annotated = manifest.clone().annotation(evil, evil).annotation("long", &"y".repeat(1_000_000));
        alice.push_manifest("alice/app", "2", &annotated).await.expect(201);
        let mut pages = Pages::sign_in(app, "alice").await;
        for query in ["", "?show=config", "?show=manifest"] {
            let text = pages.get(&format!("{}{query}", page("alice/app", &annotated))).await.expect(200).text();
            has_none(&text, &["<script>alert", "\u{202e}"]);
            assert!(text.len() < 1_000_000, "{query}: {}", text.len());
        }
        // A config of a shape that no image has.
        let nothing = format!("{{\"config\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        alice.push_blob("alice/app", nothing.clone()).await;
        let odd = Manifest::image(nothing.as_bytes(), &[&blob(1, 10)]);
        alice.push_manifest("alice/app", "3", &odd).await.expect(201);
        for query in ["", "?show=config"] {
            pages.get(&format!("{}{query}", page("alice/app", &odd))).await.expect(200);
        }
    })
    .await;
}

fn chart_archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let files = [("app/values.yaml", "replicas: 3 # <b>\n"), ("app/README.md", "# The harbour chart\n")];
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[tokio::test]
async fn a_chart_shows_its_values_and_its_readme() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let mut pages = Pages::sign_in(app, "alice").await;
        let about = json!({"name": "app", "version": "1.2.3", "appVersion": "9.9", "apiVersion": "v2"}).to_string();
        let archive = chart_archive();
        let chart = |archive: &[u8]| {
            Manifest::image(about.as_bytes(), &[])
                .with("config", descriptor("application/vnd.cncf.helm.config.v1+json", about.as_bytes()))
                .with("layers", json!([descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive)]))
        };
        let good = chart(&archive);
        push_artifact(&alice, "alice/chart", &good, &[about.as_bytes(), &archive]).await;
        // Twice: the second time from memory.
        for _ in 0..2 {
            let text = pages.get(&page("alice/chart", &good)).await.expect(200).text();
            has(&text, &["Helm chart", "appVersion", "9.9", "replicas: 3 # &#60;b&#62;", ">The harbour chart</h"]);
            has(&text, &["helm pull oci://"]);
        }
        let bad = chart(b"no archive");
        push_artifact(&alice, "alice/chart", &bad, &[b"no archive"]).await;
        has_none(&pages.get(&page("alice/chart", &bad)).await.expect(200).text(), &["README"]);
    })
    .await;
}

#[tokio::test]
async fn artifacts_have_a_view_of_their_own() {
    on_each_engine_with_accounts(async |app| {
        let alice = app.as_user("alice");
        let mut pages = Pages::sign_in(app, "alice").await;
        let file = b"one file";
        let mut layer = descriptor("text/plain", file);
        layer["annotations"] = json!({"org.opencontainers.image.title": "notes.txt"});
        let files = Manifest::artifact("application/x-notes").with("layers", json!([layer]));
        push_artifact(&alice, "alice/files", &files, &[file]).await;
        let path = page("alice/files", &files);
        let text = pages.get(&path).await.expect(200).text();
        has(&text, &["notes.txt", "oras pull ", "Text (text/plain)"]);
        // Who is not signed in to /v2 gets nothing there, so nothing is offered.
        has_none(&text, &["/v2/alice/files/blobs"]);
        app.set_visibility("alice/files", "public").await;
        let link = format!("/v2/alice/files/blobs/{}", sha256(file));
        has(&pages.get(&path).await.expect(200).text(), &[&link]);
        assert_eq!(app.get(link).await.expect(200).text(), "one file");

        let settings = json!({"config": {"format": "gguf", "parameters": "361.82 M"}}).to_string();
        let model = Manifest::image(settings.as_bytes(), &[])
            .with("config", descriptor("application/vnd.docker.ai.model.config.v0.1+json", settings.as_bytes()))
            .with("layers", json!([descriptor("application/vnd.docker.ai.gguf.v3", file)]));
        push_artifact(&alice, "alice/model", &model, &[settings.as_bytes(), file]).await;
        let text = pages.get(&page("alice/model", &model)).await.expect(200).text();
        has(&text, &["Model", "config.parameters", "361.82 M", "Weights"]);

        let sparse = Manifest::index(&[]).with("manifests", json!([]));
        alice.push_manifest("alice/model", "empty", &sparse).await.expect(201);
        pages.get(&page("alice/model", &sparse)).await.expect(200);
    })
    .await;
}
