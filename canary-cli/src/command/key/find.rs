//! Which key a person means: by its id, its name or its prefix.

use canary_core::time::Timestamp;
use canary_server::key::{Key, KeyId};

use super::show::{prefix_of, state};
use crate::failure::Failure;

/// How every key begins.
const START: &str = "canary_";

/// Finds the key that is meant. Of several with one name it is the one that is not revoked and of
/// which `is_likely` is true.
pub(super) fn find<'a>(
    keys: &'a [Key],
    text: &str,
    now: Timestamp,
    is_likely: impl Fn(&Key) -> bool,
) -> Result<&'a Key, Failure> {
    let id = KeyId::parse(text).ok();
    if let Some(key) = keys.iter().find(|key| Some(key.id) == id) {
        return Ok(key);
    }
    let prefix = prefix_in(text);
    let is_named = |key: &&Key| key.name.as_str() == text || key.prefix == prefix;
    let named: Vec<&Key> = keys.iter().filter(is_named).collect();
    let likely = named.iter().filter(|key| key.revoked_at.is_none() && is_likely(key));
    let likely: Vec<&Key> = likely.copied().collect();
    match if likely.is_empty() { &named[..] } else { &likely[..] } {
        [only] => Ok(only),
        [] => Err(unknown(text)),
        several => Err(ambiguous(text, several, now)),
    }
}

/// The prefix in what a person gives: alone, behind `canary_`, or in the whole key.
fn prefix_in(text: &str) -> &str {
    let rest = text.strip_prefix(START).unwrap_or(text);
    rest.split('_').next().unwrap_or_default()
}

fn unknown(text: &str) -> Failure {
    // What looks like a key may be one, with a slip in it.
    let shown = match text.strip_prefix(START) {
        Some(_) => format!("{START}{}", prefix_in(text)),
        None => text.to_owned(),
    };
    Failure::refused(format!("no key has the id, name or prefix `{shown}`"))
        .hint("`canary key list` shows all of an organization, --organization says of which")
}

fn ambiguous(text: &str, keys: &[&Key], now: Timestamp) -> Failure {
    let each = keys.iter().map(|key| format!("{} ({})", prefix_of(key), state(key, now)));
    let each = each.collect::<Vec<_>>().join(", ");
    Failure::refused(format!("`{text}` names {} keys: {each}", keys.len()))
        .hint("give the prefix of one of them, or its id")
}

#[cfg(test)]
mod tests {
    use canary_server::Scopes;
    use canary_server::key::KeyName;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn key(number: u32, name: &str) -> Key {
        Key {
            id: KeyId::parse(&format!("01899999-0000-7000-8000-{number:012}")).unwrap(),
            name: KeyName::parse(name).unwrap(),
            scopes: Scopes::parse(["read"]).unwrap(),
            prefix: format!("prefix{number:02}"),
            created_at: Timestamp::from_seconds(1_600_000_000),
            expires_at: None,
            revoked_at: None,
            replaced_by: None,
        }
    }

    /// Keys 1 to 3 are `worker`: revoked, replaced, and in force. Key 4 has the prefix of 3 as name.
    fn keys() -> Vec<Key> {
        let mut keys =
            vec![key(1, "worker"), key(2, "worker"), key(3, "worker"), key(4, "prefix03")];
        keys[0].revoked_at = Some(NOW);
        keys[1].replaced_by = Some(keys[2].id);
        keys[1].expires_at = Some(NOW.after(std::time::Duration::from_secs(60)));
        keys
    }

    fn found(text: &str, is_likely: impl Fn(&Key) -> bool) -> Result<String, String> {
        let keys = keys();
        let found = find(&keys, text, NOW, is_likely);
        found.map(|key| key.prefix.clone()).map_err(|failure| failure.text())
    }

    #[test]
    fn a_key_is_found_by_its_id_its_prefix_and_its_name() {
        let in_force = |key: &Key| key.replaced_by.is_none();
        for text in ["prefix02", "canary_prefix02", "canary_prefix02_the-rest-of-it"] {
            assert_eq!(found(text, in_force).unwrap(), "prefix02", "{text}");
        }
        assert_eq!(found("01899999-0000-7000-8000-000000000001", in_force).unwrap(), "prefix01");
        assert_eq!(found("worker", in_force).unwrap(), "prefix03");
    }

    #[test]
    fn what_names_several_keys_is_refused_with_all_of_them() {
        let told = found("worker", |_| true).unwrap_err();
        let want = "error: `worker` names 2 keys: canary_prefix02 (replaced), canary_prefix03 (in \
            force)\nhint: give the prefix of one of them, or its id\n";
        assert_eq!(told, want);
        let told = found("prefix03", |_| true).unwrap_err();
        assert!(told.starts_with("error: `prefix03` names 2 keys: canary_prefix03"), "{told}");
        let told = found("worker", |_| false).unwrap_err();
        assert!(told.contains("names 3 keys: canary_prefix01 (revoked), "), "{told}");
    }

    #[test]
    fn a_key_that_is_not_found_is_not_shown() {
        let told = found("canary_ab12cd34_the-rest-of-it", |_| true).unwrap_err();
        assert!(told.contains("prefix `canary_ab12cd34`\n"), "{told}");
        assert!(found("Worker", |_| true).unwrap_err().contains("`Worker`"));
    }
}
