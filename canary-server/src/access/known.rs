//! The keys in force, by what they begin with; and whose key it is that a request has.

use std::collections::HashMap;
use std::sync::Arc;

use canary_core::time::Timestamp;
use subtle::ConstantTimeEq as _;

use super::{Hash, Scopes, hash_of, prefix_of};
use crate::key::KeyId;
use crate::organization::{Organization, OrganizationId};
use crate::store::{Registered, StoredKey};

/// Whose key it is, as people tell keys apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) key: KeyId,
    pub(crate) name: Box<str>,
    pub(crate) prefix: Box<str>,
}

/// Who a request is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) organization: OrganizationId,
    pub(crate) holder: Arc<Holder>,
    pub(crate) scopes: Scopes,
}

/// Why a key opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It never was one, or was revoked: which of the two, nobody is told.
    Unknown,
    /// It was one until then.
    Expired(Timestamp),
}

/// A key in force.
struct Valid {
    caller: Caller,
    hash: Hash,
    expires_at: Option<Timestamp>,
}

/// Organizations and keys, as they were at one moment.
pub(crate) struct Known {
    pub(super) revision: i64,
    /// Whether there ever was a key: if not, everybody may do everything.
    pub(crate) has_keys: bool,
    pub(crate) organizations: Vec<Organization>,
    by_prefix: HashMap<Box<str>, Valid>,
}

impl Known {
    pub(super) fn of(registered: Registered) -> Self {
        let Registered { revision, organizations, keys, has_keys } = registered;
        let by_prefix = keys.into_iter().map(|StoredKey { key, organization, hash }| {
            let prefix: Box<str> = key.prefix.into();
            let name = key.name.as_str().into();
            let holder = Arc::new(Holder { key: key.id, name, prefix: prefix.clone() });
            let caller = Caller { organization, holder, scopes: key.scopes };
            (prefix, Valid { caller, hash, expires_at: key.expires_at })
        });
        Self { revision, has_keys, organizations, by_prefix: by_prefix.collect() }
    }

    /// Whose key it is. Takes as long for one that is unknown as for one that is known.
    pub(crate) fn admit(&self, presented: &str, now: Timestamp) -> Result<Caller, Refusal> {
        /// What a key is compared with that nobody has: no key is known to have it.
        const NOBODY: Hash = [0; 32];
        let hash = hash_of(presented);
        let found = self.by_prefix.get(prefix_of(presented));
        let is_same = bool::from(hash.ct_eq(found.map_or(&NOBODY, |valid| &valid.hash)));
        let valid = found.filter(|_| is_same).ok_or(Refusal::Unknown)?;
        match valid.expires_at {
            Some(expires_at) if expires_at <= now => Err(Refusal::Expired(expires_at)),
            _ => Ok(valid.caller.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scope, Secret};
    use super::*;
    use crate::key::{Key, KeyName};
    use uuid::Uuid;

    fn stored(secret: &Secret, expires_at: Option<Timestamp>) -> StoredKey {
        let key = Key {
            id: KeyId::from_uuid(Uuid::from_u128(7)),
            name: KeyName::parse("worker").unwrap(),
            scopes: Scopes::of([Scope::Signal]).unwrap(),
            prefix: secret.prefix().to_owned(),
            created_at: Timestamp::from_seconds(0),
            expires_at,
            revoked_at: None,
            replaced_by: None,
        };
        StoredKey { key, organization: OrganizationId::DEFAULT, hash: secret.hash() }
    }

    fn known(keys: Vec<StoredKey>) -> Known {
        Known::of(Registered { revision: 1, organizations: Vec::new(), keys, has_keys: true })
    }

    #[test]
    fn a_key_opens_to_the_letter_and_until_it_expires() {
        let (secret, end) = (Secret::generate().unwrap(), Timestamp::from_seconds(100));
        let known = known(vec![stored(&secret, Some(end))]);
        let at = Timestamp::from_seconds;
        let caller = known.admit(secret.reveal(), at(99)).unwrap();
        assert_eq!(
            (caller.organization, caller.holder.key.to_string().len()),
            (OrganizationId::DEFAULT, 36)
        );
        assert_eq!(known.admit(secret.reveal(), at(100)), Err(Refusal::Expired(end)));

        let key = secret.reveal();
        let last = if key.ends_with('x') { "y" } else { "x" };
        let other = Secret::generate().unwrap();
        let with_same_prefix = format!("{}{}", &key[..16], &other.reveal()[16..]);
        let wrong = [
            format!("{}{last}", &key[..key.len() - 1]),
            format!("{key} "),
            format!(" {key}"),
            key.to_uppercase(),
            key[..key.len() - 1].to_owned(),
            key[..16].to_owned(),
            with_same_prefix,
            other.reveal().to_owned(),
            String::new(),
        ];
        for wrong in wrong {
            // After its end, too: only who has the key is told that it was one.
            for moment in [99, 100] {
                assert_eq!(known.admit(&wrong, at(moment)), Err(Refusal::Unknown), "{wrong}");
            }
        }
    }

    #[test]
    fn of_many_keys_each_opens_for_its_own() {
        let secrets: Vec<Secret> = (0..100).map(|_| Secret::generate().unwrap()).collect();
        let stored = secrets.iter().enumerate().map(|(number, secret)| {
            let mut stored = stored(secret, None);
            stored.organization = OrganizationId::from_uuid(Uuid::from_u128(number as u128));
            stored
        });
        let known = known(stored.collect());
        for (number, secret) in secrets.iter().enumerate() {
            let caller = known.admit(secret.reveal(), Timestamp::from_seconds(0)).unwrap();
            assert_eq!(caller.organization.as_uuid().as_u128(), number as u128);
        }
    }
}
