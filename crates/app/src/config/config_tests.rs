//! Precedence, faults with their places, and what stays hidden.

use crate::config::*;

fn no_environment(_: &str) -> Option<String> {
    None
}

fn with_file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("allclear.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    let (_folder, path) = with_file(
        "listen = \"127.0.0.1:3\"\nlog = 'debug'\nper_target_limit = 9\nquarantine = true\nallow-private-targets = ['10.0.0.0/8', 'fd00::/8']\n",
    );
    let flags = BTreeMap::from([("listen", "127.0.0.1:1".to_owned())]);
    let environment = |name: &str| match name {
        "ALLCLEAR_LISTEN" => Some("127.0.0.1:2".to_owned()),
        "ALLCLEAR_PER_TARGET_LIMIT" => Some("7".to_owned()),
        _ => None,
    };
    let resolved = resolve(&flags, environment, Some(&path)).unwrap();
    let config = Config::read(&resolved).unwrap();
    assert_eq!(config.listen.port(), 1);
    assert_eq!(config.outbox.per_target, 7);
    assert_eq!(config.log, Level::DEBUG);
    assert!(config.quarantine);
    assert!(config.guard.admits("10.1.1.1".parse().unwrap()) && config.guard.admits("fd00::1".parse().unwrap()));
    assert_eq!(config.limits.idle, Duration::from_secs(75));
    let printed = resolved.print();
    let origin = |name: &str| {
        printed.lines().find(|line| line.split(' ').next() == Some(name)).unwrap().split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(origin("listen"), "--listen");
    assert_eq!(origin("per-target-limit"), "ALLCLEAR_PER_TARGET_LIMIT");
    assert!(origin("log").ends_with("allclear.toml:2"), "{printed}");
    assert_eq!(origin("idle-timeout"), "default");
}

#[test]
fn faults_say_where_and_what_would_work() {
    let (_folder, path) = with_file("log = \"info\"\n\nlisen = \"x\"\n");
    let why = resolve(&BTreeMap::new(), no_environment, Some(&path)).unwrap_err().to_string();
    assert!(why.contains("allclear.toml:3: `lisen` is no setting") && why.contains("listen"), "{why}");
    let (_folder, path) = with_file("log = \n");
    assert!(resolve(&BTreeMap::new(), no_environment, Some(&path)).unwrap_err().to_string().contains("allclear.toml:1:"));
    let missing = resolve(&BTreeMap::new(), no_environment, Some(Path::new("/nowhere/allclear.toml")));
    assert!(missing.is_err(), "a file that was named must be there");
    for (name, text) in [
        ("listen", "8080"),
        ("base-url", "allclear.example"),
        ("base-url", "https://u:p@x/"),
        ("base-url", "https://x/oncall"),
        ("base-url", "https://x/oncall/"),
        ("base-url", "https://x//"),
        ("base-url", "https://x/?a"),
        ("per-target-limit", "-1"),
        ("send-limit", "0"),
        ("log", "loud"),
        ("log-format", "xml"),
        ("quarantine", "maybe"),
        ("header-timeout", "0"),
        ("idle-timeout", "5 parsecs"),
        ("allow-private-targets", "10.0.0.0/99"),
        ("smtp", "mail"),
    ] {
        let flags = BTreeMap::from([(find(name).unwrap().name, text.to_owned())]);
        let resolved = resolve(&flags, no_environment, Some(&with_file("").1)).or_else(|_| resolve(&flags, no_environment, None)).unwrap();
        let why = Config::read(&resolved).unwrap_err().to_string();
        assert!(why.contains(name) && why.contains(&format!("--{name}")), "{name}: {why}");
    }
}

#[test]
fn secrets_are_never_shown() {
    let flags = BTreeMap::from([
        ("admin-token", "hush1".to_owned()),
        ("smtp", "smtps://me:hush2@mail.example".to_owned()),
        ("database", "postgres://me:hu@sh3@db/x?password=hush4&sslmode=require".to_owned()),
    ]);
    let resolved = resolve(&flags, no_environment, None).unwrap();
    let all = format!("{}{}", resolved.print(), resolved.json());
    assert!(!all.contains("hush") && !all.contains("sh3"), "{all}");
    assert!(all.contains("postgres://me:********@db/x?password=********&sslmode=require"), "{all}");
    let mut flags = flags;
    flags.insert("smtp", "smtp:/x:hush5@y z".to_owned());
    let resolved = resolve(&flags, no_environment, None).unwrap();
    assert!(Config::read(&resolved).is_err());
}

#[test]
fn the_telephones_settings_go_together_and_its_token_is_never_shown() {
    let all = [("twilio-account", "AC1"), ("twilio-token", "hush9"), ("twilio-from", "+4930000000, MG12")];
    let read = |given: &[(&'static str, &str)]| {
        let flags = given.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        let resolved = resolve(&flags, no_environment, None).unwrap();
        assert!(!format!("{}{}", resolved.print(), resolved.json()).contains("hush"));
        Config::read(&resolved).map_err(|why| why.to_string())
    };
    assert!(read(&[]).unwrap().telephone.is_none());
    let config = read(&all).unwrap();
    assert!(config.telephone.is_some() && !format!("{config:?}").contains("hush"));
    for left_out in 0..all.len() {
        let given: Vec<_> = all.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, one)| *one).collect();
        let why = read(&given).unwrap_err();
        assert!(why.contains(&format!("need --{} as well", all[left_out].0)) && !why.contains("hush"), "{why}");
    }
    for (name, text) in [
        ("twilio-url", "api.twilio.com"),
        ("twilio-url", "https://me:hush9@t.example"),
        ("twilio-url", "https://t.example/?a=1"),
        ("twilio-account", "AC 1"),
        ("twilio-token", "hush1,hush2,hush3"),
        ("twilio-token", ","),
        ("twilio-from", "ALLCLEAR"),
        ("twilio-from", "030 1234567"),
        ("twilio-from", "MG1,MG2"),
        ("twilio-from", "+4930000000,x"),
    ] {
        let mut given: Vec<_> = all.iter().copied().filter(|(own, _)| *own != name).collect();
        given.push((name, text));
        let why = read(&given).unwrap_err();
        assert!(why.contains(&format!("--{name}")) && !why.contains("hush"), "{why}");
    }
}

#[test]
fn slack_needs_its_token_and_shows_no_secret() {
    let all = [
        ("slack-token", "xoxb-1234567890-hush"),
        ("slack-signing-secret", "hush8f742231b10e8888abcd99, hush0000000000000000"),
        ("slack-app-token", "xapp-1-A0-1-hush"),
    ];
    let read = |given: &[(&'static str, &str)]| {
        let flags = given.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        let resolved = resolve(&flags, no_environment, None).unwrap();
        assert!(!format!("{}{}", resolved.print(), resolved.json()).contains("hush"));
        Config::read(&resolved).map_err(|why| why.to_string())
    };
    assert!(read(&[]).unwrap().slack.is_none() && read(&all[..1]).unwrap().slack.is_some(), "without a signing secret it only tells");
    let config = read(&all).unwrap();
    assert!(config.slack.is_some() && !format!("{config:?}").contains("hush"));
    assert!(read(&all[1..]).unwrap_err().contains("needs --slack-token as well"));
    assert!(read(&all[2..]).unwrap_err().contains("needs --slack-token as well"));
    for (name, text) in [
        ("slack-app-token", "xoxb-1234567890-hush"),
        ("slack-app-token", "xapp-hush"),
        ("slack-url", "slack.com/api"),
        ("slack-url", "https://slack.com/api?a=1"),
        ("slack-token", "hush"),
        ("slack-token", "xoxb 1234567890 hush hush"),
        ("slack-signing-secret", "hush"),
        ("slack-signing-secret", "hush000000000000,hush000000000001,hush000000000002"),
    ] {
        let mut given: Vec<_> = all.iter().copied().filter(|(own, _)| *own != name).collect();
        given.push((name, text));
        let why = read(&given).unwrap_err();
        assert!(why.contains(&format!("--{name}")) && !why.contains("hush"), "{why}");
    }
}

#[test]
fn defaults_are_those_of_the_parts() {
    let config = Config::read(&resolve(&BTreeMap::new(), no_environment, None).unwrap()).unwrap();
    let parts = OutboxSettings::default();
    assert_eq!((config.outbox.per_target, config.outbox.at_once, config.outbox.bundle), (parts.per_target, parts.at_once, parts.bundle));
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.workers, 2);
}

#[test]
fn operators_addresses_come_from_several_flags_or_one_variable_and_keep_their_secrets() {
    let flags = BTreeMap::from([("operator-alarm", "https://hooks.example/T0/secret mailto:ops@example.org".to_owned())]);
    let smtp = |name: &str| (name == "ALLCLEAR_SMTP").then(|| "smtp://127.0.0.1:25".to_owned());
    let resolved = resolve(&flags, smtp, None).unwrap();
    assert_eq!(Config::read(&resolved).unwrap().operators.0.len(), 2);
    let printed = resolved.print();
    assert!(
        !printed.contains("T0") && printed.contains("https://hooks.example/********") && printed.contains("ops@example.org"),
        "{printed}"
    );
    let without = resolve(&flags, no_environment, None).unwrap();
    let why = Config::read(&without).unwrap_err().to_string();
    assert!(why.contains("give --smtp") && !why.contains("T0"), "{why}");
    let variable = |name: &str| (name == "ALLCLEAR_OPERATOR_ALARM").then(|| "http://10.0.0.1/a, http://10.0.0.2/b".to_owned());
    assert_eq!(Config::read(&resolve(&BTreeMap::new(), variable, None).unwrap()).unwrap().operators.0.len(), 2);
}
