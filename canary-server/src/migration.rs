//! The schema, step by step; steps are only ever added.
//!
//! They form two lineages. `public` is what all organizations have in common: organizations and
//! keys, in the place of `default`. `org` is the tables that every organization has in a place of
//! its own.
//!
//! Each lineage has a table of its own that says which of its steps were applied. On PostgreSQL the
//! schema of a place is changed by one at a time.

mod lineage;
mod org;
mod public;
#[cfg(test)]
mod tests;

use crate::config::Settings;
use crate::organization::OrganizationName;
use crate::store::{Place, Registry, Store, StoreError};

/// A line of steps, each on the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lineage {
    /// What all organizations have in common.
    Public,
    /// What every organization has of its own.
    Org,
}

impl Lineage {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Org => "org",
        }
    }
}

/// Which part of the schema is meant; all of it by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// One lineage; both if `None`.
    pub lineage: Option<Lineage>,
    /// One organization; all if `None`. The lineage `public` is with `default`.
    pub organization: Option<OrganizationName>,
}

impl Which {
    fn means(&self, lineage: Lineage) -> bool {
        self.lineage.is_none_or(|wanted| wanted == lineage)
    }
}

/// One step of the schema, in the place of one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The lineage it is of.
    pub lineage: Lineage,
    /// The organization in whose place it is; `default` for the lineage `public`.
    pub organization: OrganizationName,
    /// Its name, which is also its place in the order.
    pub name: String,
    /// Whether the database has it.
    pub is_applied: bool,
}

/// How far a lineage is, in the place of one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// The lineage.
    pub lineage: Lineage,
    /// The organization in whose place it is; `default` for the lineage `public`.
    pub organization: OrganizationName,
    /// The newest step that was applied, if any was.
    pub step: Option<String>,
}

/// Brings the schema up to date; the steps that were missing.
///
/// The lineage `public` comes first: it says which organizations there are.
///
/// # Errors
///
/// [`StoreError`] if the database cannot be reached, or is newer than this program.
pub async fn upgrade(settings: &Settings, which: &Which) -> Result<Vec<Step>, StoreError> {
    let mut applied = Vec::new();
    let default = OrganizationName::default_one();
    let is_default_meant = which.organization.as_ref().is_none_or(OrganizationName::is_default);
    if which.means(Lineage::Public) && is_default_meant {
        let store = Store::connect(&Place::of_default(&settings.database)).await?;
        let steps = store.upgrade(Lineage::Public).await;
        store.close().await?;
        applied.extend(marked(Lineage::Public, &default, true, steps?));
    }
    if !which.means(Lineage::Org) {
        return Ok(applied);
    }
    for organization in organizations(settings, which).await? {
        let store = Store::connect(&Place::of(&settings.database, &organization)).await?;
        let steps = store.upgrade(Lineage::Org).await;
        store.close().await?;
        applied.extend(marked(Lineage::Org, &organization, true, steps?));
    }
    Ok(applied)
}

/// The steps of the schema, and which of them the database has.
///
/// # Errors
///
/// [`StoreError`] if the database cannot be reached, or is newer than this program.
pub async fn status(settings: &Settings, which: &Which) -> Result<Vec<Step>, StoreError> {
    let mut all = Vec::new();
    for organization in organizations(settings, which).await? {
        let store = Store::connect(&Place::of(&settings.database, &organization)).await?;
        for lineage in store.place().lineages().iter().filter(|lineage| which.means(**lineage)) {
            let (lineage, steps) = (*lineage, store.schema_steps(*lineage).await?);
            all.extend(steps.into_iter().map(|step| Step {
                lineage,
                organization: organization.clone(),
                name: step.name,
                is_applied: step.is_applied,
            }));
        }
        store.close().await?;
    }
    Ok(all)
}

/// The newest step that was applied, of each lineage in each place.
///
/// # Errors
///
/// [`StoreError`] if the database cannot be reached, or is newer than this program.
pub async fn current(settings: &Settings, which: &Which) -> Result<Vec<Current>, StoreError> {
    let mut all: Vec<Current> = Vec::new();
    for Step { lineage, organization, name, is_applied } in status(settings, which).await? {
        let is_next = |last: &Current| last.lineage != lineage || last.organization != organization;
        if all.last().is_none_or(is_next) {
            all.push(Current { lineage, organization, step: None });
        }
        if let Some(last) = all.last_mut().filter(|_| is_applied) {
            last.step = Some(name);
        }
    }
    Ok(all)
}

/// Takes back the newest steps, at most so many of each lineage in each place, with what is stored
/// in the tables and columns that they made; the steps that were taken back.
///
/// The lineage `public` comes last: it says which organizations there are.
/// No server may run on the database meanwhile.
///
/// # Errors
///
/// [`StoreError`] if the database cannot be reached, or is newer than this program;
/// [`StoreError::InUse`], with nothing changed, if the lineage `public` would lose keys, or
/// organizations beside `default`.
pub async fn downgrade(
    settings: &Settings,
    which: &Which,
    steps: u32,
) -> Result<Vec<Step>, StoreError> {
    let organizations = organizations(settings, which).await?;
    let with_public =
        which.means(Lineage::Public) && organizations.iter().any(OrganizationName::is_default);
    if with_public {
        refuse_loss(settings, steps).await?;
    }
    let mut undone = Vec::new();
    for organization in organizations.iter().filter(|_| which.means(Lineage::Org)) {
        let store = Store::connect(&Place::of(&settings.database, organization)).await?;
        let names = store.downgrade(Lineage::Org, steps).await;
        store.close().await?;
        undone.extend(marked(Lineage::Org, organization, false, names?));
    }
    if with_public {
        let store = Store::connect(&Place::of_default(&settings.database)).await?;
        let names = store.downgrade(Lineage::Public, steps).await;
        store.close().await?;
        let default = OrganizationName::default_one();
        undone.extend(marked(Lineage::Public, &default, false, names?));
    }
    Ok(undone)
}

/// The organizations that are meant; `default` alone while there is no table of them.
async fn organizations(
    settings: &Settings,
    which: &Which,
) -> Result<Vec<OrganizationName>, StoreError> {
    let store = Store::connect(&Place::of_default(&settings.database)).await?;
    let names = if store.has_common_tables().await? {
        let registry = Registry::of(store.into());
        let organizations = registry.organizations().await;
        registry.close().await?;
        organizations?.into_iter().map(|organization| organization.name).collect()
    } else {
        store.close().await?;
        vec![OrganizationName::default_one()]
    };
    match &which.organization {
        None => Ok(names),
        Some(wanted) if names.contains(wanted) => Ok(vec![wanted.clone()]),
        Some(unknown) => Err(StoreError::UnknownOrganization(unknown.to_string())),
    }
}

/// Refuses to take back the first step of the lineage `public` while its tables hold something.
async fn refuse_loss(settings: &Settings, steps: u32) -> Result<(), StoreError> {
    let store = Store::connect(&Place::of_default(&settings.database)).await?;
    let outcome = async {
        let applied = store.schema_steps(Lineage::Public).await?;
        let applied = applied.iter().filter(|step| step.is_applied).count();
        if applied == 0 || (steps as usize) < applied {
            return Ok(());
        }
        let (keys, organizations) = store.count_common().await?;
        if keys > 0 || organizations > 0 {
            return Err(StoreError::InUse { keys, organizations });
        }
        Ok(())
    };
    let outcome = outcome.await;
    store.close().await?;
    outcome
}

fn marked(
    lineage: Lineage,
    organization: &OrganizationName,
    is_applied: bool,
    names: Vec<String>,
) -> impl Iterator<Item = Step> {
    let organization = organization.clone();
    let step = move |name| Step { lineage, organization: organization.clone(), name, is_applied };
    names.into_iter().map(step)
}
