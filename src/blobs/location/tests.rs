use oci::Algorithm;

use super::*;

const ID: &str = "0b1f7f0e-6f7e-4b0a-9a53-7a2d1c3e4f50";

fn location(algorithm: Algorithm) -> Location {
    Location::new(&algorithm.digest(b"x"), UploadId::parse(ID).unwrap())
}

#[test]
fn upload_id_prints_as_it_is_read() {
    assert_eq!(UploadId::parse(ID).unwrap().to_string(), ID);
    let drawn = UploadId::random();
    assert_eq!(UploadId::parse(&drawn.to_string()), Some(drawn));
    assert_ne!(drawn, UploadId::random());
}

#[test]
fn upload_id_in_another_spelling_is_refused() {
    for text in [
        "",
        "0B1F7F0E-6F7E-4B0A-9A53-7A2D1C3E4F50",
        "0b1f7f0e6f7e4b0a9a537a2d1c3e4f50",
        "{0b1f7f0e-6f7e-4b0a-9a53-7a2d1c3e4f50}",
        "urn:uuid:0b1f7f0e-6f7e-4b0a-9a53-7a2d1c3e4f50",
        "0b1f7f0e-6f7e-4b0a-9a53-7a2d1c3e4f5",
        "../0b1f7f0e-6f7e-4b0a-9a53-7a2d1c3e4f50",
    ] {
        assert_eq!(UploadId::parse(text), None, "{text}");
    }
}

#[test]
fn location_parses_what_it_prints() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let location = location(algorithm);
        assert_eq!(Location::parse(location.as_str()), Some(location.clone()));
        assert_eq!(*location.digest(), algorithm.digest(b"x"));
        assert_eq!(location.upload().to_string(), ID);
    }
}

#[test]
fn location_of_another_grammar_is_refused() {
    let good = location(Algorithm::Sha256).to_string();
    let hex = Algorithm::Sha256.digest(b"x").hex();
    let bad = [
        String::new(),
        format!("/{good}"),
        format!("{good}/"),
        format!("{good}/x"),
        format!("./{good}"),
        format!("../{good}"),
        format!("sha256/../{hex}.{ID}"),
        format!("sha256/zz/{hex}.{ID}"),
        format!("sha512/{}/{hex}.{ID}", &hex[..2]),
        format!("md5/{}/{hex}.{ID}", &hex[..2]),
        good.to_uppercase(),
        format!("{good}\0"),
        format!("{good}."),
        good.replace('.', "/"),
    ];
    for text in bad {
        assert_eq!(Location::parse(&text), None, "{text}");
    }
}

#[test]
fn locations_order_as_their_texts() {
    let mut locations: Vec<_> =
        (0..50).map(|n: u8| Location::new(&Algorithm::Sha256.digest(&[n]), UploadId::random())).collect();
    let mut texts: Vec<_> = locations.iter().map(ToString::to_string).collect();
    locations.sort();
    texts.sort();
    assert!(locations.iter().map(Location::as_str).eq(texts));
}
