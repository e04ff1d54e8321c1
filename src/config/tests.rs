use std::fs;
use std::time::Duration;

use clap::{Args as _, Command, FromArgMatches as _};

use super::*;

/// Reads a configuration from the text of a file, variables and flags. The file is called `havre.toml` in messages.
fn load(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<(Config, Origins), Vec<String>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("havre.toml");
    fs::write(&path, file).unwrap();
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let sources = Sources { file: Some(path), env: own(env), flags: own(flags) };
    let prefix = format!("{}/", directory.path().display());
    Config::load(sources)
        .map_err(|error| error.problems().iter().map(|problem| problem.to_string().replace(&prefix, "")).collect())
}

#[track_caller]
fn config(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Config {
    load(file, env, flags).unwrap().0
}

#[track_caller]
fn problems(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
    load(file, env, flags).unwrap_err()
}

/// Parses arguments as a command with [`Flags`] does.
fn flags(arguments: &[&str]) -> Result<Flags, clap::Error> {
    let command = Flags::augment_args(Command::new("havre").no_binary_name(true));
    Flags::from_arg_matches(&command.try_get_matches_from(arguments)?)
}

#[test]
fn without_any_source_everything_is_default() {
    let (config, origins) = Config::load(Sources { file: None, env: [], flags: Vec::new() }).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.server.listen, ["127.0.0.1:5000".parse().unwrap()]);
    assert_eq!(config.sqlite_path(), Path::new("havre-data/havre.db"));
    assert_eq!(config.database.url, DatabaseUrl::Embedded);
    assert_eq!(config.storage.durability, Durability::Full);
    assert_eq!(config.registry.missing_references, MissingReferences::Refuse);
    assert_eq!(config.registry.max_blob_size, None);
    assert!(!config.server.open);
    for option in options() {
        assert_eq!(origins.get(option.key), &Origin::Default);
    }
}

#[test]
fn flags_override_variables_and_variables_override_the_file() {
    let file = "[server]\nidle_timeout = '1m'\nheader_timeout = '2s'\nshutdown_timeout = '3s'\n";
    let env = [("HAVRE_SERVER_HEADER_TIMEOUT", "20s"), ("HAVRE_SERVER_SHUTDOWN_TIMEOUT", "30s")];
    let (config, origins) = load(file, &env, &[("server.shutdown_timeout", "300s")]).unwrap();
    assert_eq!(config.server.idle_timeout, Duration::from_secs(60));
    assert_eq!(config.server.header_timeout, Duration::from_secs(20));
    assert_eq!(config.server.shutdown_timeout, Duration::from_secs(300));
    assert!(matches!(origins.get("server.idle_timeout"), Origin::File { line: 2, .. }));
    assert_eq!(origins.get("server.header_timeout").to_string(), "env HAVRE_SERVER_HEADER_TIMEOUT");
    assert_eq!(origins.get("server.shutdown_timeout").to_string(), "flag --set server.shutdown_timeout");
    assert_eq!(origins.get("server.max_connections"), &Origin::Default);
}

#[test]
fn every_option_is_read_from_each_source() {
    for option in options() {
        // The example of a secret is not masked, and the text of a list is what a variable holds.
        let text = match &option.example {
            Literal::List(items) => items.iter().filter_map(Literal::text).collect::<Vec<_>>().join(","),
            Literal::Text(text) => text.clone(),
            example => example.to_string(),
        };
        // Some only come as a pair.
        let pair = match option.key {
            "server.tls_cert" => "server.tls_key = '/k'\n",
            "server.tls_key" => "server.tls_cert = '/c'\n",
            "acme.eab_key_id" => "acme.eab_key = 'a2V5'\n",
            "acme.eab_key" => "acme.eab_key_id = 'id'\n",
            _ => "",
        };
        let by_file = config(&format!("{pair}{} = {}\n", option.key, option.example), &[], &[]);
        let by_variable = config(pair, &[(&option.variable(), &text)], &[]);
        let by_flag = config(pair, &[], &[(option.key, &text)]);
        assert_eq!(by_file, by_variable, "{}", option.key);
        assert_eq!(by_file, by_flag, "{}", option.key);
        if !option.secret {
            assert_eq!(option.get(&by_file), option.example, "{}", option.key);
        }
    }
}

#[test]
fn what_is_shown_can_be_read_again() {
    let file = "data_dir = '/srv/\"x\"'\n[server]\nlisten = ['0.0.0.0:1', '[::1]:2']\ntrusted_proxies = '10.1.2.3/8'\n\
                public_url = 'https://r.example'\n[storage]\nupload_expiry = '1h 30m'\n[registry]\nmax_blob_size = '3 GB'";
    let first = config(file, &[], &[]);
    let shown: String = options().iter().map(|option| format!("{} = {}\n", option.key, option.get(&first))).collect();
    assert_eq!(config(&shown, &[], &[]), first);
}

#[test]
fn dotted_keys_and_sections_are_the_same() {
    assert_eq!(config("server.open = true", &[], &[]), config("[server]\nopen = true", &[], &[]));
}

#[test]
fn lists_come_in_several_forms() {
    let both = ["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()];
    let ways = [
        config("server.listen = ['127.0.0.1:1', '[::1]:2']", &[], &[]),
        config("server.listen = '127.0.0.1:1, [::1]:2'", &[], &[]),
        config("", &[("HAVRE_LISTEN", "127.0.0.1:1,[::1]:2")], &[]),
        config("server.listen = '0.0.0.0:9'", &[], &[("server.listen", "127.0.0.1:1"), ("server.listen", "[::1]:2")]),
    ];
    for way in ways {
        assert_eq!(way.server.listen, both);
    }
}

#[test]
fn a_single_proxy_is_a_network_of_one() {
    let proxies = config("", &[("HAVRE_SERVER_TRUSTED_PROXIES", "192.0.2.1, fd00::/8")], &[]).server.trusted_proxies;
    assert!(proxies[0].contains(&"192.0.2.1".parse::<std::net::IpAddr>().unwrap()));
    assert!(!proxies[0].contains(&"192.0.2.2".parse::<std::net::IpAddr>().unwrap()));
    assert_eq!(proxies[1].to_string(), "fd00::/8");
}

#[test]
fn zero_is_no_limit() {
    for value in ["0", "'0'", "'0 MiB'"] {
        assert_eq!(config(&format!("registry.max_blob_size = {value}"), &[], &[]).registry.max_blob_size, None);
    }
    let limited = config("registry.max_blob_size = 1024", &[], &[]);
    assert_eq!(limited.registry.max_blob_size, Some(ByteSize::kib(1)));
}

#[test]
fn a_domain_has_the_server_listen_where_clients_look_for_it() {
    let domain = &[("acme.domains", "Registry.Example.org")];
    let listening = config("", &[], domain);
    assert_eq!(listening.server.listen, ["[::]:443".parse().unwrap(), "0.0.0.0:443".parse().unwrap()]);
    assert_eq!(listening.public_base().as_deref(), Some("https://registry.example.org"));
    assert_eq!(listening.public_host().as_deref(), Some("registry.example.org"));
    assert!(listening.speaks_tls() && listening.acme.directory_url().starts_with("https://acme-v02."));
    let elsewhere = config("[server]\nlisten = '127.0.0.1:8443'\n[acme]\nstaging = true", &[], domain);
    assert_eq!(elsewhere.server.listen, ["127.0.0.1:8443".parse().unwrap()]);
    assert_eq!(elsewhere.public_host().as_deref(), Some("registry.example.org:8443"));
    assert!(elsewhere.acme.directory_url().contains("staging"));
    for (listen, port) in [
        ("['127.0.0.1:8443', '0.0.0.0:443']", ""),
        ("['127.0.0.1:8443', '0.0.0.0:9443', '[::]:7443']", ":9443"),
        ("['127.0.0.1:8443', '[::1]:9443']", ":8443"),
    ] {
        let several = config(&format!("server.listen = {listen}"), &[], domain);
        assert_eq!(several.public_host(), Some(format!("registry.example.org{port}")), "{listen}");
    }
    let named = config("server.public_url = 'https://hub.example.org/'", &[], domain);
    assert_eq!(named.public_base().as_deref(), Some("https://hub.example.org"));
    let nothing = Config::default();
    assert!(!nothing.speaks_tls() && nothing.public_base().is_none() && nothing.public_host().is_none());
}

#[test]
fn domains_are_names_that_a_certificate_can_be_for() {
    for wrong in
        ["*.example.org", "192.0.2.1", "[::1]", "a..b", "-a.org", "a_b.org", "a.org:443", "https://a.org", "é.org"]
    {
        let said = problems("", &[], &[("acme.domains", wrong)]);
        assert!(said.len() == 1 && said[0].contains("without wildcards or addresses"), "{wrong}: {said:?}");
    }
    let twice = config("acme.domains = ['a.org', 'A.org', 'b.org']", &[], &[]);
    assert_eq!(twice.acme.names(), ["a.org", "b.org"]);
}

#[test]
fn a_certificate_comes_from_one_place() {
    for (file, said) in [
        ("server.tls_cert = '/c'\nserver.tls_key = '/k'\nacme.domains = 'a.org'", "does not go with `server.tls_cert`"),
        ("server.public_url = 'http://a.org'\nacme.domains = 'a.org'", "does not go with `acme.domains`"),
        ("acme.staging = true\nacme.directory = 'https://ca.example'", "does not go with `acme.directory`"),
        ("acme.directory = 'http://ca.example'", "by https only"),
        ("acme.challenge = 'http-01'\nacme.http = false", "answered over plain HTTP"),
        ("acme.eab_key_id = 'id'", "needs `acme.eab_key`"),
        ("acme.eab_key_id = 'id'\nacme.eab_key = 'not base64!'", "base64url"),
        ("acme.email = 'nobody'", "an e-mail address"),
    ] {
        let found = problems(file, &[], &[]);
        assert!(found.len() == 1 && found[0].contains(said) && !found[0].contains("not base64!"), "{file}: {found:?}");
    }
    let bound = config("acme.eab_key_id = 'id'\nacme.eab_key = 'a2V5MQ=='", &[], &[]).acme.external_account();
    assert_eq!(bound, Some(("id".to_owned(), b"key1".to_vec())));
}

#[test]
fn unknown_keys_name_the_nearest_one_and_their_line() {
    let cases = [
        ("\n\nlisten = 'x'", "havre.toml:3: unknown key `listen`; did you mean `server.listen`?"),
        ("[server]\nlissten = 'x'", "havre.toml:2: unknown key `server.lissten`; did you mean `server.listen`?"),
        ("[sever]\nopen = true", "havre.toml:2: unknown key `sever.open`; did you mean `server.open`?"),
        ("data-dir = 'x'", "havre.toml:1: unknown key `data-dir`; did you mean `data_dir`?"),
        (
            "[storage]\nmax-manifest-size = 1",
            "havre.toml:2: unknown key `storage.max-manifest-size`; did you mean `registry.max_manifest_size`?",
        ),
        ("xyzzy = 1", "havre.toml:1: unknown key `xyzzy`; `havre config reference` lists all"),
        ("[journal]", "havre.toml:1: unknown key `journal`; `havre config reference` lists all"),
        ("[server.tls]\ncert = 'x'", "havre.toml:1: unknown key `server.tls`; did you mean `server.tls_key`?"),
    ];
    for (file, message) in cases {
        assert_eq!(problems(file, &[], &[]), [message], "{file}");
    }
}

#[test]
fn unknown_variables_name_the_nearest_one() {
    let found = problems("", &[("HAVRE_SERVER_LISTN", "x"), ("HAVRE_DATADIR", "x"), ("PATH", "x")], &[]);
    assert_eq!(
        found,
        [
            "unknown environment variable HAVRE_DATADIR; did you mean `HAVRE_DATA_DIR`?",
            "unknown environment variable HAVRE_SERVER_LISTN; did you mean `HAVRE_SERVER_LISTEN`?",
        ]
    );
}

#[test]
fn variables_that_are_not_ours_are_passed_over() {
    let foreign = [
        ("HAVRE_TEST_POSTGRES_URL", "x"),
        ("HAVRE_CONFIG", "x"),
        ("HAVRE_SERVICE_HOST", "10.0.0.1"),
        ("HAVRE_SERVICE_PORT_HTTP", "5000"),
        ("HAVRE_PORT", "tcp://10.0.0.1:5000"),
        ("HAVRE_PORT_5000_TCP_ADDR", "10.0.0.1"),
        ("havre_server_listen", "x"),
    ];
    assert_eq!(config("", &foreign, &[]), Config::default());
}

#[test]
fn both_names_of_one_variable_are_a_contradiction() {
    let both = [("HAVRE_LISTEN", "127.0.0.1:1"), ("HAVRE_SERVER_LISTEN", "127.0.0.1:2")];
    let message =
        "environment variables HAVRE_LISTEN and HAVRE_SERVER_LISTEN both set `server.listen`; keep one of them";
    assert_eq!(problems("", &both, &[]), [message]);
}

#[test]
fn refusals_say_where_what_was_expected_and_an_example() {
    let cases = [
        (
            "[server]\nidle_timeout = 60",
            "havre.toml:2: server.idle_timeout = 60: expected a duration with its unit from 1s to 24h, such as \"2m\"",
        ),
        (
            "[registry]\nmax_manifest_size = '1 MiB'",
            "havre.toml:2: registry.max_manifest_size = \"1 MiB\": expected a size from 4 MiB to 64 MiB, such as \"8 MiB\"",
        ),
        (
            "storage.durability = 'fast'",
            "havre.toml:1: storage.durability = \"fast\": expected one of `full`, `relaxed`, such as \"full\"",
        ),
        (
            "server.listen = []",
            "havre.toml:1: server.listen = []: expected at least one address with its port, such as [\"0.0.0.0:5000\", \"[::]:5000\"]",
        ),
        ("server = 3", "havre.toml:1: `server` is a section, expected `[server]` and its keys below, such as `listen`"),
        (
            "[server.listen]",
            "havre.toml:1: server.listen = a table: expected at least one address with its port, such as [\"0.0.0.0:5000\", \"[::]:5000\"]",
        ),
        ("server.tls_cert = '/c'", "havre.toml:1: `server.tls_cert` needs `server.tls_key` as well"),
        ("log.level = 'inof'", "havre.toml:1: log.level = \"inof\": expected"),
    ];
    for (file, message) in cases {
        let found = problems(file, &[], &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(message), "{}\n{message}", found[0]);
    }
}

#[test]
fn values_out_of_bounds_are_refused() {
    let refused = [
        ("database.pool_size", "0"),
        ("database.pool_size", "-1"),
        ("server.listen", "localhost:5000"),
        ("server.listen", ":5000"),
        ("server.public_url", "ftp://r.example"),
        ("server.public_url", "https://r.example/?a=b"),
        ("server.public_url", "https://u:p@r.example/"),
        ("server.public_url", "r.example"),
        ("server.trusted_proxies", "10.0.0.0/33"),
        ("server.max_header_bytes", "1 GiB"),
        ("server.open", "yes"),
        ("registry.max_manifest_size", "65 MiB"),
        ("storage.upload_expiry", "0s"),
        ("data_dir", ""),
        ("log.format", "xml"),
        ("log.level", ""),
    ];
    for (key, value) in refused {
        assert_eq!(problems("", &[], &[(key, value)]).len(), 1, "{key} = {value}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let file = "open = true\n[server]\nheader_timeout = 1\n";
    let found = problems(file, &[("HAVRE_NOPE", "")], &[("storage.durability", "x"), ("nope", "x")]);
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let found = problems("[server]\nopen = \n", &[], &[]);
    assert!(found[0].starts_with("havre.toml:2: not valid TOML: "), "{found:?}");
    assert_eq!(found.len(), 1);
    assert!(problems("a = 1\na = 2", &[], &[])[0].starts_with("havre.toml:2: not valid TOML: "));
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let sources = Sources { file: Some(PathBuf::from("/nonexistent/havre.toml")), env: [], flags: Vec::new() };
    let error = Config::load(sources).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/havre.toml: cannot be read: "), "{error}");
}

#[test]
fn an_endless_file_is_not_read() {
    let spaces = " ".repeat((1 << 20) + 1);
    assert_eq!(problems(&spaces, &[], &[]), ["havre.toml: larger than 1 MiB; this is not a configuration file"]);
}

#[test]
fn a_refused_secret_is_not_repeated() {
    let found = problems("", &[("HAVRE_DATABASE_URL", "mysql://u:hush@h/db")], &[]);
    assert!(!found[0].contains("hush") && found[0].contains("HAVRE_DATABASE_URL"), "{found:?}");
}

#[test]
fn the_password_is_masked_wherever_a_configuration_is_printed() {
    let config = config("database.url = 'postgres://u:hush@h/db'", &[], &[]);
    assert!(!format!("{config:?}").contains("hush"));
    assert_eq!(find("database.url").unwrap().get(&config).to_string(), "\"postgres://u:********@h/db\"");
    let DatabaseUrl::Postgres(url) = config.database.url else { panic!("another database") };
    assert_eq!(url.reveal(), "postgres://u:hush@h/db");
}

#[test]
fn a_long_value_is_cut_in_messages() {
    let long = "é".repeat(10_000);
    assert!(problems("", &[], &[("log.format", &long)])[0].chars().count() < 300);
    assert!(problems("", &[], &[(&long, "x")])[0].chars().count() < 300);
}

#[test]
fn flags_of_options_are_parsed() {
    let arguments = [
        "--open",
        "--listen",
        "127.0.0.1:1",
        "--listen=127.0.0.1:2",
        "--data-dir",
        "/d",
        "--durability=relaxed",
        "--set",
        "log.access=false",
        "--set=database.url=postgres://h/db?a=b",
    ];
    let (config, origins) = flags(&arguments).unwrap().load_with(std::iter::empty(), |_| false).unwrap();
    assert!(config.server.open && !config.log.access);
    assert_eq!(config.server.listen.len(), 2);
    assert_eq!(config.data_dir, Path::new("/d"));
    assert_eq!(config.storage.durability, Durability::Relaxed);
    assert!(matches!(config.database.url, DatabaseUrl::Postgres(_)));
    assert_eq!(origins.get("server.open").to_string(), "flag --open");
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    for arguments in [&["--set", "log.access"][..], &["--nope"], &["--data-dir", "a", "--data-dir", "b"]] {
        assert!(flags(arguments).is_err(), "{arguments:?}");
    }
    let closed = flags(&["--open=false"]).unwrap().load_with(std::iter::empty(), |_| false).unwrap().0;
    assert!(!closed.server.open);
}

#[test]
fn flags_show_no_secret() {
    let flags = flags(&["--database-url", "postgres://u:hush@h/db", "--set", "database.url=hush"]).unwrap();
    assert!(!format!("{flags:?}").contains("hush"));
}

#[test]
fn the_agreed_flags_are_there() {
    let expected = [
        "acme-email",
        "acme-staging",
        "config",
        "data-dir",
        "database-url",
        "domain",
        "durability",
        "insecure-http",
        "listen",
        "log-format",
        "log-level",
        "open",
        "public-url",
        "set",
        "tls-cert",
        "tls-key",
    ];
    let command = Flags::augment_args(Command::new("havre"));
    let mut found: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    command.debug_assert();
}

#[test]
fn the_file_is_the_one_named_else_the_first_default() {
    let named = Some(PathBuf::from("a.toml"));
    assert_eq!(choose_file(named.clone(), |_| false), named);
    assert_eq!(choose_file(None, |_| true), Some(PathBuf::from(DEFAULT_FILES[0])));
    assert_eq!(choose_file(None, Path::is_absolute), Some(PathBuf::from(DEFAULT_FILES[1])));
    assert_eq!(choose_file(None, |_| false), None);
}

#[test]
fn the_variable_names_a_file_and_the_flag_overrides_it() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("1.toml"), directory.path().join("2.toml"));
    fs::write(&first, "data_dir = '/1'").unwrap();
    fs::write(&second, "data_dir = '/2'").unwrap();
    let env = || [("HAVRE_CONFIG".into(), first.clone().into_os_string())].into_iter();
    let (config, origins) = flags(&[]).unwrap().load_with(env(), |_| false).unwrap();
    assert_eq!((config.data_dir.as_path(), origins.file()), (Path::new("/1"), Some(first.as_path())));
    let second = second.to_str().unwrap();
    let (config, _) = flags(&["--config", second]).unwrap().load_with(env(), |_| false).unwrap();
    assert_eq!(config.data_dir, Path::new("/2"));
}

#[cfg(unix)]
#[test]
fn variables_that_are_not_text_matter_only_if_they_are_ours() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let broken = || OsString::from_vec(vec![0xff]);
    let foreign = [("LANG".into(), broken()), (broken(), broken()), ("HAVRE_TEST_X".into(), broken())];
    assert!(Flags::default().load_with(foreign.into_iter(), |_| false).is_ok());
    let ours = [("HAVRE_DATA_DIR".into(), broken())];
    let error = Flags::default().load_with(ours.into_iter(), |_| false).unwrap_err();
    assert!(error.to_string().contains("env HAVRE_DATA_DIR: is not UTF-8 text"), "{error}");
}

#[test]
fn every_option_is_documented() {
    for option in options() {
        assert!(option.doc().ends_with('.'), "{}", option.key);
        assert!(reference().contains(&format!("### `{}`", option.key)));
    }
}

#[test]
fn the_page_in_the_documentation_is_the_reference() {
    let page = include_str!("../../docs/configuration.md");
    assert!(page == reference(), "run `havre config reference > docs/configuration.md`");
}
