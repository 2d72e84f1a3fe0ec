//! The command line as people see it.

use clap::CommandFactory;

use super::*;

fn walk(command: &mut clap::Command, path: &str, see: &mut dyn FnMut(&mut clap::Command, &str)) {
    see(command, path);
    for sub in command.get_subcommands_mut() {
        if sub.get_name() != "help" {
            let path = format!("{path} {}", sub.get_name());
            walk(sub, &path, see);
        }
    }
}

#[test]
fn every_help_is_as_it_was_and_shows_examples() {
    let mut command = Cli::command().term_width(100);
    command.build();
    walk(&mut command, "canary", &mut |command, path| {
        let help = command.render_long_help().to_string();
        assert!(help.contains("Examples:"), "`{path} --help` has no examples");
        insta::assert_snapshot!(path.replace(' ', "_"), help);
    });
}

#[test]
fn every_example_can_be_read() {
    let mut command = Cli::command();
    command.build();
    let mut examples = Vec::new();
    walk(&mut command, "canary", &mut |command, _| {
        let help = command.render_long_help().to_string();
        let (_, text) = help.split_once("Examples:").unwrap();
        let text = text.replace("\\\n", " ");
        examples.extend(text.lines().filter(|line| line.contains("canary ")).map(str::to_owned));
    });
    for example in examples {
        let from = example.find("canary ").unwrap();
        let only = example[from..].split([')', '|', '&', '>']).next().unwrap();
        let words = only.replace("'", "\u{1}");
        // Quoted words are put together again: 'all rows loaded' is one.
        let words = words.split('\u{1}').enumerate().flat_map(|(place, part)| {
            let is_quoted = place % 2 == 1;
            if is_quoted { vec![part] } else { part.split_whitespace().collect() }
        });
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("{example}\n{error}");
        }
    }
}

#[test]
fn the_flags_of_the_seed_hold() {
    let lines = [
        "canary product create --name n --repository-url r --artifact-url a",
        "canary product create",
        "canary release create --semver-version 1 --artifact-url a",
        "canary signal create --status ok --description d --instance-id i --semver-version 1 \
         --artifact-url a",
    ];
    for line in lines {
        Cli::try_parse_from(line.split_whitespace()).unwrap();
    }
}

#[test]
fn a_release_is_named_by_its_id_or_by_product_and_version() {
    let cases = [
        ("canary release show r1", true),
        ("canary release show --product etl --version 1.0", true),
        ("canary release show", false),
        ("canary release show --product etl", false),
        ("canary release show --version 1.0", false),
        ("canary release show r1 --product etl --version 1.0", false),
    ];
    for (line, want) in cases {
        let parsed = Cli::try_parse_from(line.split_whitespace());
        assert_eq!(parsed.is_ok(), want, "{line}");
        if let Err(error) = parsed {
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}

#[test]
fn an_unknown_field_of_an_import_is_wrong_use() {
    let line = "canary signal import a.csv --map statsu=state";
    let error = Cli::try_parse_from(line.split_whitespace()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("did you mean `status`?"), "{error}");
}

#[test]
fn the_nearest_name_is_near() {
    assert_eq!(nearest("Statsu", ["status", "id"]), Some("status"));
    assert_eq!(nearest("xyzzy", ["status", "id"]), None);
}
