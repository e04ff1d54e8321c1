//! `GET /v2/<name>/referrers/<digest>`.

use std::collections::BTreeSet;

use oci::Digest;
use oci::media_type::{OCI_INDEX, OCI_MANIFEST};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Image, Manifest, descriptor, on_each_engine, sha256, sha512};

const SBOM: &str = "application/vnd.example.sbom";
const SIGNATURE: &str = "application/vnd.example.signature+json";

/// Pushes what refers to a subject; returns the answer.
async fn refer(client: &Client, referrer: &Manifest) -> Answer {
    client.push_blob("some/app", "{}").await;
    client.push_manifest("some/app", referrer.digest(), referrer).await.expect(201)
}

async fn list(client: &Client, query: &str) -> Answer {
    let answer = client.get(format!("/v2/some/app/referrers/{query}")).await.expect(200);
    assert_eq!(answer.header("content-type"), OCI_INDEX);
    let document = answer.json();
    assert_eq!((&document["schemaVersion"], &document["mediaType"]), (&json!(2), &json!(OCI_INDEX)));
    answer
}

fn entries(answer: &Answer) -> Vec<Value> {
    answer.json()["manifests"].as_array().expect("a list").clone()
}

fn digests(answer: &Answer) -> BTreeSet<String> {
    entries(answer).iter().map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_refers_to_a_manifest_is_listed() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        assert!(entries(&list(app, &image.digest().to_string()).await).is_empty());
        let referrer = Manifest::artifact(SBOM).subject(&image.manifest).annotation("org.example.a", "é \"1\"");
        let pushed = refer(app, &referrer).await;
        assert_eq!(pushed.header("oci-subject"), image.digest().to_string());
        let mut expected = descriptor(OCI_MANIFEST, &referrer.bytes());
        expected["artifactType"] = SBOM.into();
        expected["annotations"] = json!({ "org.example.a": "é \"1\"" });
        let answer = list(app, &image.digest().to_string()).await;
        assert_eq!(entries(&answer), [expected]);
        assert!(answer.find("oci-filters-applied").is_none() && answer.find("link").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_subject_need_not_have_been_pushed() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        let referrer = Manifest::artifact(SBOM).subject(&image.manifest);
        assert_eq!(refer(app, &referrer).await.header("oci-subject"), image.digest().to_string());
        assert_eq!(digests(&list(app, &image.digest().to_string()).await).len(), 1);
        // Nor does it change anything when it comes, or goes.
        app.push_image("some/app", "v1", "a").await;
        assert_eq!(digests(&list(app, &image.digest().to_string()).await).len(), 1);
        app.delete(format!("/v2/some/app/manifests/{}", image.digest())).await.expect(202);
        assert_eq!(digests(&list(app, &image.digest().to_string()).await).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn who_is_unknown_has_no_referrers() {
    on_each_engine(async |app| {
        let unknown = sha256(b"x").to_string();
        assert!(entries(&list(app, &unknown).await).is_empty());
        app.push_image("some/app", "v1", "a").await;
        assert!(entries(&list(app, &unknown).await).is_empty());
        app.get("/v2/some/app/referrers/v1").await.refused(400, "DIGEST_INVALID");
        app.get("/v2/some/app/referrers/md5:00").await.refused(400, "DIGEST_INVALID");
    })
    .await;
}

#[tokio::test]
async fn referrers_are_those_of_the_repository() {
    on_each_engine(async |app| {
        let image = app.push_image("some/other", "v1", "a").await;
        refer(app, &Manifest::artifact(SBOM).subject(&image.manifest)).await;
        let answer = app.get(format!("/v2/some/other/referrers/{}", image.digest())).await.expect(200);
        assert!(entries(&answer).is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_list_is_filtered_by_artifact_type() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let subject = image.digest();
        let sbom = Manifest::artifact(SBOM).subject(&image.manifest);
        let signature = Manifest::artifact(SIGNATURE).subject(&image.manifest);
        refer(app, &sbom).await;
        refer(app, &signature).await;
        assert_eq!(digests(&list(app, &subject.to_string()).await).len(), 2);
        let escaped = oci::encode_component(SIGNATURE);
        let answer = list(app, &format!("{subject}?artifactType={escaped}")).await;
        assert_eq!(digests(&answer), [signature.digest().to_string()].into());
        assert_eq!(answer.header("oci-filters-applied"), "artifactType");
        let answer = list(app, &format!("{subject}?artifactType=application/vnd.example.none")).await;
        assert!(entries(&answer).is_empty());
        assert_eq!(answer.header("oci-filters-applied"), "artifactType");
    })
    .await;
}

#[tokio::test]
async fn an_image_is_listed_by_the_type_of_its_config() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let other = Image::new("b");
        app.push_blobs_of("some/app", &other).await;
        let referrer = other.manifest.subject(&image.manifest);
        refer(app, &referrer).await;
        let config = "application/vnd.oci.image.config.v1+json";
        let answer = list(app, &format!("{}?artifactType={}", image.digest(), oci::encode_component(config))).await;
        assert_eq!(entries(&answer)[0]["artifactType"], config);
        // An index has no config, and no type unless it names one.
        let index = Manifest::index(&[]).subject(&image.manifest);
        refer(app, &index).await;
        let typed = Manifest::index(&[]).subject(&image.manifest).with("artifactType", SBOM);
        refer(app, &typed).await;
        let all = entries(&list(app, &image.digest().to_string()).await);
        let of =
            |manifest: &Manifest| all.iter().find(|entry| entry["digest"] == manifest.digest().to_string()).unwrap();
        assert_eq!(of(&index).get("artifactType"), None);
        assert_eq!(of(&typed)["artifactType"], SBOM);
    })
    .await;
}

#[tokio::test]
async fn a_subject_of_sha512_is_found_by_it() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        let digest = sha512(&image.manifest.bytes()).to_string();
        let subject = json!({ "mediaType": OCI_MANIFEST, "digest": digest, "size": 1 });
        let pushed = refer(app, &Manifest::artifact(SBOM).with("subject", subject)).await;
        assert_eq!(pushed.header("oci-subject"), digest);
        assert_eq!(digests(&list(app, &digest).await).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_referrer_that_was_deleted_is_not_listed() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let referrer = Manifest::artifact(SBOM).subject(&image.manifest);
        refer(app, &referrer).await;
        app.delete(format!("/v2/some/app/manifests/{}", referrer.digest())).await.expect(202);
        assert!(entries(&list(app, &image.digest().to_string()).await).is_empty());
    })
    .await;
}

/// Pushes so many referrers of a subject, of alternating types; returns their digests.
async fn push_many(client: &Client, subject: &Manifest, count: usize, annotation: usize) -> BTreeSet<String> {
    client.push_blob("some/app", "{}").await;
    let mut pushed = BTreeSet::new();
    for number in 0..count {
        let artifact_type = if number % 2 == 0 { SBOM } else { SIGNATURE };
        let referrer = Manifest::artifact(artifact_type)
            .subject(subject)
            .annotation("number", &number.to_string())
            .annotation("text", &"x".repeat(annotation));
        client.push_manifest("some/app", referrer.digest(), &referrer).await.expect(201);
        pushed.insert(referrer.digest().to_string());
    }
    pushed
}

/// Follows the links of a list to its end; returns how many entries each page has, and all digests.
async fn walk(client: &Client, first: String) -> (Vec<usize>, BTreeSet<String>) {
    let (mut next, mut counts, mut all) = (Some(first), Vec::new(), BTreeSet::new());
    while let Some(target) = next {
        let answer = client.get(target).await.expect(200);
        assert!(answer.body.len() <= 4 * 1024 * 1024);
        counts.push(entries(&answer).len());
        all.extend(digests(&answer));
        next = answer.next_page();
        assert!(counts.len() < 100, "the list has no end");
    }
    (counts, all)
}

#[tokio::test]
async fn a_long_list_is_cut_into_pages() {
    on_each_engine(async |app| {
        let subject = Image::new("a");
        let pushed = push_many(app, &subject.manifest, 205, 0).await;
        let first = format!("/v2/some/app/referrers/{}", subject.digest());
        let (counts, all) = walk(app, first.clone()).await;
        assert_eq!((counts, &all), (vec![100, 100, 5], &pushed));
        // The filter goes with the link.
        let target = format!("{first}?artifactType={}", oci::encode_component(SIGNATURE));
        let answer = app.get(&target).await.expect(200);
        assert_eq!(answer.header("oci-filters-applied"), "artifactType");
        assert!(answer.next_page().unwrap().contains("artifactType="));
        let (counts, filtered) = walk(app, target).await;
        assert_eq!((counts, filtered.len()), (vec![100, 2], 102));
    })
    .await;
}

#[tokio::test]
async fn a_page_is_cut_before_it_is_longer_than_a_manifest_may_be() {
    on_each_engine(async |app| {
        let subject = Image::new("a");
        let pushed = push_many(app, &subject.manifest, 6, 900_000).await;
        let (counts, all) = walk(app, format!("/v2/some/app/referrers/{}", subject.digest())).await;
        assert_eq!((counts, all), (vec![4, 2], pushed));
    })
    .await;
}

#[tokio::test]
async fn a_page_begins_behind_any_digest() {
    on_each_engine(async |app| {
        let subject = Image::new("a");
        let pushed = push_many(app, &subject.manifest, 5, 0).await;
        let unknown: Digest = sha256(b"x");
        let answer = list(app, &format!("{}?last={unknown}", subject.digest())).await;
        let behind: BTreeSet<_> = pushed.into_iter().filter(|digest| **digest > *unknown.to_string()).collect();
        assert_eq!(digests(&answer), behind);
        app.get(format!("/v2/some/app/referrers/{}?last=x", subject.digest())).await.refused(400, "DIGEST_INVALID");
    })
    .await;
}
