use super::*;
use proptest::prelude::*;

const HEX: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const UUID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

fn get(path: &str) -> Result<Action, Refusal> {
    with(&Method::GET, path)
}

fn with(method: &Method, target: &str) -> Result<Action, Refusal> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    route(method, path, query)
}

fn repo(name: &str) -> Repository {
    repository(name).unwrap()
}

fn digest() -> Digest {
    Digest::parse(HEX).unwrap()
}

#[test]
fn every_path_of_the_specification_is_read() {
    let tag = |tag| Reference::parse(tag).unwrap();
    let id = UploadId::parse(UUID).unwrap();
    let cases = [
        (Method::GET, "/v2/".to_owned(), Action::Base),
        (Method::GET, "/v2".to_owned(), Action::Base),
        (Method::HEAD, "/v2/".to_owned(), Action::Base),
        (
            Method::GET,
            "/v2/_catalog?n=3&last=a".to_owned(),
            Action::Catalog(PageQuery { n: Some(3), last: Some("a".into()) }),
        ),
        (Method::GET, "/v2/_oci/ext/discover".to_owned(), Action::Discover),
        (Method::GET, "/v2/a/b/_oci/ext/discover".to_owned(), Action::Discover),
        (Method::GET, "/v2/a/b/tags/list".to_owned(), Action::Tags(repo("a/b"), PageQuery::default())),
        (Method::GET, "/v2/a/b/manifests/1.0".to_owned(), Action::ManifestGet(repo("a/b"), tag("1.0"))),
        (
            Method::HEAD,
            format!("/v2/a/b/manifests/{HEX}"),
            Action::ManifestHead(repo("a/b"), Reference::Digest(digest())),
        ),
        (Method::PUT, "/v2/a/b/manifests/x".to_owned(), Action::ManifestPut(repo("a/b"), tag("x"), vec![])),
        (
            Method::PUT,
            format!("/v2/a/b/manifests/{HEX}?tag=1&tag=2"),
            Action::ManifestPut(
                repo("a/b"),
                Reference::Digest(digest()),
                vec![Tag::parse("1").unwrap(), Tag::parse("2").unwrap()],
            ),
        ),
        (Method::DELETE, "/v2/a/b/manifests/x".to_owned(), Action::ManifestDelete(repo("a/b"), tag("x"))),
        (Method::GET, format!("/v2/a/b/blobs/{HEX}"), Action::BlobGet(repo("a/b"), digest())),
        (Method::GET, format!("/v2/a/b/blobs/{}", HEX.replace(':', "%3A")), Action::BlobGet(repo("a/b"), digest())),
        (Method::HEAD, format!("/v2/a/b/blobs/{HEX}"), Action::BlobHead(repo("a/b"), digest())),
        (Method::DELETE, format!("/v2/a/b/blobs/{HEX}"), Action::BlobDelete(repo("a/b"), digest())),
        (
            Method::POST,
            "/v2/a/b/blobs/uploads/".to_owned(),
            Action::UploadStart(repo("a/b"), Start::Session(Algorithm::Sha256)),
        ),
        (
            Method::POST,
            "/v2/a/b/blobs/uploads".to_owned(),
            Action::UploadStart(repo("a/b"), Start::Session(Algorithm::Sha256)),
        ),
        (
            Method::POST,
            "/v2/a/b/blobs/uploads/?digest-algorithm=sha512".to_owned(),
            Action::UploadStart(repo("a/b"), Start::Session(Algorithm::Sha512)),
        ),
        (
            Method::POST,
            format!("/v2/a/b/blobs/uploads/?digest={HEX}"),
            Action::UploadStart(repo("a/b"), Start::Monolithic(digest())),
        ),
        (
            Method::POST,
            format!("/v2/a/b/blobs/uploads/?mount={HEX}&from=c"),
            Action::UploadStart(
                repo("a/b"),
                Start::Mount { digest: digest(), from: Some(RepositoryName::parse("library/c").unwrap()) },
            ),
        ),
        (
            Method::POST,
            format!("/v2/a/b/blobs/uploads/?mount={HEX}"),
            Action::UploadStart(repo("a/b"), Start::Mount { digest: digest(), from: None }),
        ),
        (Method::GET, format!("/v2/a/b/blobs/uploads/{UUID}"), Action::UploadStatus(repo("a/b"), id)),
        (Method::PATCH, format!("/v2/a/b/blobs/uploads/{UUID}"), Action::UploadPatch(repo("a/b"), id)),
        (
            Method::PUT,
            format!("/v2/a/b/blobs/uploads/{UUID}?digest={HEX}"),
            Action::UploadPut(repo("a/b"), id, digest()),
        ),
        (Method::DELETE, format!("/v2/a/b/blobs/uploads/{UUID}"), Action::UploadCancel(repo("a/b"), id)),
        (
            Method::GET,
            format!("/v2/a/b/referrers/{HEX}?artifactType=x/y"),
            Action::Referrers(repo("a/b"), digest(), ReferrersQuery { artifact_type: Some("x/y".into()), last: None }),
        ),
    ];
    for (method, target, expected) in cases {
        assert_eq!(with(&method, &target), Ok(expected), "{method} {target}");
    }
}

#[test]
fn components_named_like_nouns_belong_to_the_name() {
    assert_eq!(get("/v2/tags/list/tags/list"), Ok(Action::Tags(repo("tags/list"), PageQuery::default())));
    assert_eq!(
        get("/v2/blobs/uploads/manifests/latest"),
        Ok(Action::ManifestGet(repo("blobs/uploads"), Reference::parse("latest").unwrap()))
    );
    assert_eq!(get(&format!("/v2/uploads/blobs/{HEX}")), Ok(Action::BlobGet(repo("uploads"), digest())));
}

#[test]
fn a_single_component_is_an_alias_of_library() {
    let Ok(Action::Tags(repository, _)) = get("/v2/mon-app/tags/list") else { panic!("a list of tags") };
    assert_eq!((repository.asked.as_str(), repository.name.as_str()), ("mon-app", "library/mon-app"));
}

#[test]
fn what_is_not_there_is_refused_by_kind() {
    assert_eq!(get("/v2/a/nothing"), Err(Refusal::NotFound));
    assert_eq!(get("/v2x"), Err(Refusal::NotFound));
    assert_eq!(get("/v2/a/b/manifests/x/y"), Err(Refusal::NotFound));
    assert_eq!(with(&Method::POST, "/v2/"), Err(Refusal::Method("GET, HEAD")));
    assert_eq!(with(&Method::PATCH, &format!("/v2/a/blobs/{HEX}")), Err(Refusal::Method("GET, HEAD, DELETE")));
    assert_eq!(get("/v2/a/blobs/uploads/not-an-id"), Err(Refusal::Upload));
    assert_eq!(get("/v2/a/tags/list?n=x"), Err(Refusal::PageSize("x".into())));
    assert_eq!(get("/v2/a/tags/list?n=-1"), Err(Refusal::PageSize("-1".into())));
    assert!(matches!(get("/v2/A/tags/list"), Err(Refusal::Syntax(_))));
    assert!(matches!(get("/v2/a/manifests/-x"), Err(Refusal::Syntax(_))));
    assert!(matches!(get("/v2/a/blobs/md5:abc"), Err(Refusal::Syntax(_))));
    assert!(matches!(get("/v2/../etc/tags/list"), Err(Refusal::Syntax(_))));
    assert_eq!(with(&Method::PUT, &format!("/v2/a/blobs/uploads/{UUID}")), Err(Refusal::DigestMissing));
    assert_eq!(with(&Method::PUT, "/v2/a/manifests/x?tag=y"), Err(Refusal::TagsBesideTag));
}

#[test]
fn fifty_tag_parameters_are_read_and_fifty_one_refused() {
    let target = |n: usize| {
        let tags: Vec<String> = (0..n).map(|i| format!("tag=t{i}")).collect();
        format!("/v2/a/b/manifests/{HEX}?{}", tags.join("&"))
    };
    assert!(with(&Method::PUT, &target(50)).is_ok());
    assert_eq!(with(&Method::PUT, &target(51)), Err(Refusal::TooManyTags(51)));
    assert_eq!(with(&Method::PUT, &target(500)), Err(Refusal::TooManyTags(500)));
}

#[test]
fn a_mount_from_an_impossible_repository_falls_back_to_an_upload() {
    let action = with(&Method::POST, &format!("/v2/a/blobs/uploads/?mount={HEX}&from=.."));
    assert_eq!(action, Ok(Action::UploadStart(repo("a"), Start::Session(Algorithm::Sha256))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_path_and_query_are_read_without_a_panic(path in "/v2[ -~]{0,80}", query in "[ -~]{0,80}") {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::PATCH, Method::DELETE] {
            let _ = route(&method, &path, Some(&query));
        }
    }
}
