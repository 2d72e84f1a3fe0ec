//! `canary key`: who may do what.
//!
//! Works on the database, not on a server: that is how the first key is made.

use canary_server::clock::{Clock as _, System};
use canary_server::key::{self, CreatedKey, Key, KeyId, KeyName, NewKey, Rotation};
use canary_server::organization::{self, OrganizationName};
use canary_server::{Scopes, Settings};
use clap::Subcommand;

use self::flags::{Create, List, Owner, Revoke, Rotate};
use self::show::{CreatedLine, KeyLine};
use super::serve::block_on;
use crate::failure::{Ending, Failure};
use crate::output::{self, Output};

mod expiry;
mod find;
mod flags;
mod show;

pub(crate) const EXAMPLES: &str = "\
Examples:
  canary key create --name operator --scope admin
  canary key create --name worker --scope signal --expires 90d
  canary key list
  canary key rotate worker --overlap 2h
  canary key revoke canary_ab12cd34";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Create),
    List(List),
    Rotate(Rotate),
    Revoke(Revoke),
}

pub(crate) fn run(command: Command, output: &mut Output<'_>) -> Result<Ending, Failure> {
    match command {
        Command::Create(create) => create.run(output)?,
        Command::List(list) => list.run(output)?,
        Command::Rotate(rotate) => rotate.run(output)?,
        Command::Revoke(revoke) => revoke.run(output)?,
    }
    Ok(Ending::Done)
}

impl Create {
    fn run(self, output: &mut Output<'_>) -> Result<(), Failure> {
        let now = System.now();
        let name = KeyName::parse(self.name).map_err(|error| Failure::usage(error.to_string()))?;
        let scopes = Scopes::of(self.scopes).map_err(|error| Failure::usage(error.to_string()))?;
        let expires_at = self.expires.map(|expiry| expiry.after(now)).transpose()?;
        let new = NewKey { name, scopes, expires_at };
        let Owner { organization, database } = self.owner;
        let settings = database.settings([])?;
        let (is_first, created) = block_on(async {
            let is_first = is_first(&settings).await?;
            Ok((is_first, key::create(&settings, &organization, new, now).await?))
        })?;
        show(&created, output)?;
        output::aside(&show::note_of_created(&created.key, &organization));
        if is_first {
            output::aside(&show::warning_of_first(&created.key));
        }
        Ok(())
    }
}

impl List {
    fn run(self, output: &mut Output<'_>) -> Result<(), Failure> {
        let Owner { organization, database } = self.owner;
        let keys = keys(&database.settings([])?, &organization)?;
        let lines: Vec<KeyLine> = keys.iter().map(Into::into).collect();
        output.show(&lines, |_| show::table(&keys, System.now()))
    }
}

impl Rotate {
    fn run(self, output: &mut Output<'_>) -> Result<(), Failure> {
        let now = System.now();
        let expires_at = self.expires.map(|expiry| expiry.after(now)).transpose()?;
        let rotation = Rotation { overlap: self.overlap, expires_at };
        let Owner { organization, database } = self.owner;
        let settings = database.settings([])?;
        let all = keys(&settings, &organization)?;
        // Keys that were replaced keep their name.
        let old = find::find(&all, &self.key, now, |key| key.replaced_by.is_none())?;
        let created = block_on(async {
            Ok(key::rotate(&settings, &organization, old.id, rotation, now).await?)
        })?;
        show(&created, output)?;
        output::aside(&show::note_of_created(&created.key, &organization));
        let old = again(&settings, &organization, old.id)?;
        output::aside(&show::note_of_replaced(&old, now));
        Ok(())
    }
}

impl Revoke {
    fn run(self, output: &mut Output<'_>) -> Result<(), Failure> {
        let now = System.now();
        let Owner { organization, database } = self.owner;
        let settings = database.settings([])?;
        let all = keys(&settings, &organization)?;
        let id = find::find(&all, &self.key, now, |key| !key.has_expired(now))?.id;
        block_on(async { Ok(key::revoke(&settings, &organization, id, now).await?) })?;
        let revoked = again(&settings, &organization, id)?;
        output.show(&KeyLine::from(&revoked), |_| show::revoked(&revoked))
    }
}

/// Shows a key that was made. As text it is the key alone, so that a script can take it.
fn show(created: &CreatedKey, output: &mut Output<'_>) -> Result<(), Failure> {
    output.show(&CreatedLine::from(created), |_| created.secret.reveal().to_owned())
}

fn keys(settings: &Settings, organization: &OrganizationName) -> Result<Vec<Key>, Failure> {
    block_on(async { Ok(key::list(settings, organization).await?) })
}

/// A key as it is after a change.
fn again(settings: &Settings, organization: &OrganizationName, id: KeyId) -> Result<Key, Failure> {
    let found = keys(settings, organization)?.into_iter().find(|key| key.id == id);
    found.ok_or_else(|| Failure::refused(format!("key `{id}` is not there any more")))
}

/// Whether no organization has a key yet: then everybody may do everything.
async fn is_first(settings: &Settings) -> Result<bool, Failure> {
    for organization in organization::list(settings).await? {
        if !key::list(settings, &organization.name).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}
