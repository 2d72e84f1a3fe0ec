//! How canaries are judged: policies, what the judge sees, and what another policy would have done.

use super::{Client, Target};
use crate::error::Result;
use crate::transport::{Body, Request};
use crate::types::analysis::Analysis;
use crate::types::policy::Policy;
use crate::types::simulation::{NewSimulation, Simulation};

/// # How canaries are judged
impl Client {
    /// The policy, in full, of new releases of a product that say nothing of their own.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::Error::NotFound) if there is no such product,
    /// [`Error::Invalid`](crate::Error::Invalid) if the id is no UUID.
    pub fn product_policy(&self, id: &str) -> Result<Policy> {
        self.get(&Target::of(&["product", id, "policy"])?)
    }

    /// Sets the policy of releases of a product that are registered from now on, and gives it in
    /// full. What is not set is as it is for a team that sets nothing: what was set before is
    /// forgotten, and `Policy::default()` forgets all.
    ///
    /// # Errors
    ///
    /// As [`product_policy`](Self::product_policy), and
    /// [`Error::Invalid`](crate::Error::Invalid) if a value is not acceptable.
    pub fn set_product_policy(&self, id: &str, policy: &Policy) -> Result<Policy> {
        let target = Target::of(&["product", id, "policy"])?;
        self.read(&self.ask(&Request::put(target.0, Body::json(policy, None)))?)
    }

    /// What the judge sees of a canary; of one that has ended, what it saw last.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`](crate::Error::NotFound) if there is no such release,
    /// [`Error::Conflict`](crate::Error::Conflict) if it never was a canary.
    pub fn analysis(&self, id: &str) -> Result<Analysis> {
        self.get(&Target::of(&["release", id, "analysis"])?)
    }

    /// What would have become of a canary with another policy, given the runs that were. Nothing
    /// is changed by it.
    ///
    /// # Errors
    ///
    /// As [`analysis`](Self::analysis); [`Error::Conflict`](crate::Error::Conflict) also if there
    /// was no version to compare it with, [`Error::Invalid`](crate::Error::Invalid) if a value is
    /// not acceptable.
    pub fn simulate(&self, id: &str, simulation: &NewSimulation) -> Result<Simulation> {
        // Nothing is changed, so that repeating it needs no key.
        let body = Body::json(simulation, None);
        self.post_body(&Target::of(&["release", id, "simulate"])?, body)
    }
}
