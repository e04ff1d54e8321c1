//! Configs and manifests of every shape.

use oci::media_type::{OCI_INDEX, OCI_MANIFEST};
use oci::{Algorithm, Digest};
use serde_json::{Value, json};

use super::config::Config;
use super::outline::Outline;
use super::{Kind, platform};

fn digest(seed: &str) -> Digest {
    Algorithm::Sha256.digest(seed.as_bytes())
}

fn descriptor(media_type: &str, seed: &str) -> Value {
    json!({ "mediaType": media_type, "digest": digest(seed).to_string(), "size": 10 })
}

#[test]
fn a_config_tells_how_an_image_runs_and_how_it_was_made() {
    let json = json!({
        "architecture": "arm64", "variant": "v8", "os": "linux", "created": "2024-05-06T07:08:09.123456789Z", "author": "me",
        "config": {
            "Entrypoint": ["/app"], "Cmd": "serve --token hunter22", "User": "app", "WorkingDir": "/srv",
            "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}, "StopSignal": "SIGTERM",
            "Env": ["PATH=/bin", "DB_PASSWORD=hunter22", "FLAG"], "Labels": {"a": "b", "n": 1, "x": {}},
            "Healthcheck": {"Test": ["CMD", "true"]},
        },
        "history": [
            {"created_by": "/bin/sh -c #(nop) ADD file:a in / "},
            {"created_by": "ENV API_TOKEN=hunter22", "empty_layer": true},
            {"comment": "by hand"},
        ],
    });
    let config = Config::read(json.to_string().as_bytes());
    assert_eq!(platform(&config.platform).as_deref(), Some("linux/arm64/v8"));
    assert_eq!(config.created, Some(1_714_979_289_123_456));
    assert_eq!(config.entrypoint.shown, ["/app"]);
    assert_eq!(config.command.shown, ["serve --token ••••••"]);
    assert_eq!(
        (config.ports.shown.as_slice(), config.volumes.shown.as_slice()),
        (&["80/tcp".to_owned()][..], &["/data".to_owned()][..])
    );
    assert_eq!(config.health.shown, ["CMD", "true"]);
    let environment: Vec<_> =
        config.environment.shown.iter().map(|one| (one.name.as_str(), one.value.as_deref())).collect();
    assert_eq!(environment, [("PATH", Some("/bin")), ("DB_PASSWORD", None), ("FLAG", Some(""))]);
    let labels: Vec<_> = config.labels.shown.iter().map(|one| (one.name.as_str(), one.value.as_deref())).collect();
    assert_eq!(labels, [("a", Some("b")), ("n", Some("1"))]);
    let steps: Vec<_> = config.history.shown.iter().map(|step| (step.instruction.as_str(), step.empty)).collect();
    assert_eq!(steps, [("ADD file:a in /", false), ("ENV API_TOKEN=••••••", true), ("by hand", false)]);
}

#[test]
fn a_config_of_any_other_shape_tells_nothing_and_takes_no_room() {
    for other in [
        "",
        "null",
        "[]",
        "12",
        "\"x\"",
        "{",
        "{\"config\":[]}",
        "{\"config\":{\"Env\":{},\"Labels\":[],\"Cmd\":12}}",
        "{\"history\":{\"a\":1},\"created\":12,\"os\":[]}",
        "{\"history\":[1,null,[],\"x\"]}",
        "\u{0}",
    ] {
        let config = Config::read(other.as_bytes());
        assert!(config.environment.is_empty() && config.labels.is_empty() && config.command.is_empty(), "{other}");
        assert_eq!(platform(&config.platform), None, "{other}");
    }
    assert_eq!(Config::read(&[0xff, 0xfe]), Config::default());
    let deep = format!("{{\"config\":{}1{},\"os\":\"linux\"}}", "{\"a\":".repeat(200_000), "}".repeat(200_000));
    assert_eq!(platform(&Config::read(deep.as_bytes()).platform).as_deref(), Some("linux"));
    let steps = vec![json!({"created_by": "RUN x", "empty_layer": true}); 100_000];
    let environment = vec![format!("A={}", "v".repeat(50)); 20_000];
    let many = json!({"history": steps, "config": {"Env": environment, "User": "u".repeat(1_000_000)}}).to_string();
    let config = Config::read(many.as_bytes());
    assert_eq!((config.history.shown.len(), config.history.more), (200, 99_800));
    assert_eq!((config.environment.shown.len(), config.environment.more), (100, 19_900));
    assert!(config.weight() < 100_000, "{}", config.weight());
    let turned = Config::read("{\"os\":\"linux\u{202e}\",\"architecture\":\"<b>\"}".as_bytes());
    assert_eq!(platform(&turned.platform).as_deref(), Some("linux\u{fffd}/<b>"));
}

#[test]
fn an_index_tells_its_platforms_and_what_speaks_of_them_apart() {
    let platformed = |seed: &str, os: &str, architecture: &str| {
        let mut child = descriptor(OCI_MANIFEST, seed);
        child["platform"] = json!({"os": os, "architecture": architecture});
        child
    };
    let mut statement = platformed("statement", "unknown", "unknown");
    statement["annotations"] = json!({
        "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest("arm").to_string(),
    });
    let children = [platformed("arm", "linux", "arm64"), platformed("amd", "linux", "amd64"), statement];
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children});
    let outline = Outline::read(index.to_string().as_bytes(), OCI_INDEX).unwrap();
    assert_eq!(outline.kind, Kind::Index);
    let platforms: Vec<_> = outline.runnable().filter_map(|child| child.platform.as_deref()).collect();
    assert_eq!(platforms, ["linux/arm64", "linux/amd64"]);
    assert_eq!(outline.children.shown[2].about, Some(digest("arm")));
    let chosen = |platform: &str| outline.child(platform).map(|child| child.digest);
    assert_eq!(chosen("linux/arm64"), Some(digest("arm")));
    assert_eq!([chosen(""), chosen("plan9/vax"), chosen("unknown/unknown")], [Some(digest("amd")); 3]);
}

#[test]
fn what_a_manifest_says_of_its_layers_is_cut_but_counted() {
    let mut layers = vec![descriptor("application/vnd.oci.image.layer.v1.tar+gzip", "l"); 1_000];
    layers[0]["size"] = json!(i64::MAX);
    layers[1]["size"] = json!(i64::MAX);
    layers[2]["size"] = json!(i64::MAX);
    layers[0]["annotations"] = json!({"org.opencontainers.image.title": "a\u{202e}\n".repeat(1_000)});
    let config = descriptor("application/vnd.oci.image.config.v1+json", "c");
    let image = json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers});
    let outline = Outline::read(image.to_string().as_bytes(), OCI_MANIFEST).unwrap();
    assert_eq!((outline.kind.clone(), outline.layer_count(), outline.layers.shown.len()), (Kind::Image, 1_000, 200));
    assert_eq!(outline.bytes, u64::MAX);
    let title = outline.layers.shown[0].title.as_deref().unwrap();
    assert!(title.chars().count() <= 301 && !title.contains(['\u{202e}', '\n']));
}
