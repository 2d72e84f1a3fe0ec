//! What is proven of a canary, or is not yet.

use super::Story;
use super::numbers::{at_most, evidence_of};
use crate::judge::Test;
use crate::judge::rules::findings::{Carrier, Proof};
use crate::value::Plain;

impl Story<'_> {
    /// Why a canary was promoted before its period was over.
    pub(crate) fn promoted_early(&self) -> String {
        let runs = self.runs_failed();
        let others = match self.stable {
            Some(_) => format!(", and {}", self.others()),
            None => String::new(),
        };
        match self.proof() {
            Some((proof, p_value)) => {
                format!("{runs}{others}: {proof} (rule early_promotion, p {p_value})")
            }
            None => format!("{runs}{others}"),
        }
    }

    /// Why a canary was not promoted at the end of its period.
    pub(crate) fn unproven(&self, is_below: bool) -> String {
        let (runs, must) = (self.runs_succeeded(), self.must_succeed());
        let missing = if is_below { self.not_proven_bad() } else { self.not_proven_good() };
        format!("at the end of its period {runs}, {must}; that does not prove that it is {missing}")
    }

    /// "bad (evidence 13.5 of the 100 it needs)".
    fn not_proven_bad(&self) -> String {
        match self.evidence.findings.threshold {
            Some(Test::Threshold(test)) => {
                format!("bad (evidence {} it needs)", evidence_of(test.max_log_e, test.alpha))
            }
            // Nothing weighs it.
            Some(Test::Ratio(_)) | None => "bad".to_owned(),
        }
    }

    /// "good enough, namely that its failure rate is below 10 % (evidence 3.2 of the 20 it needs)".
    fn not_proven_good(&self) -> String {
        let Some(proof) = &self.evidence.findings.proof else { return "good enough".to_owned() };
        let what = match (self.stable, self.service(proof)) {
            (Some(_), None) => self.relative(proof),
            (Some(_), Some(service)) => format!("{} or that {service}", self.relative(proof)),
            (None, Some(service)) => service,
            (None, None) => {
                return "good enough, which nothing can without a stable version beside it or a q \
                        in its policy"
                    .to_owned();
            }
        };
        let evidence = evidence_of(proof.reading.max_log_e, proof.reading.alpha.get());
        format!("good enough, namely that {what} (evidence {evidence} it needs)")
    }

    /// What is proven of the canary, if it is, and how surely.
    pub(super) fn proof(&self) -> Option<(String, String)> {
        let proof = self.evidence.findings.proof.as_ref();
        let proof = proof.filter(|proof| proof.reading.is_crossed())?;
        let (carrier, p_value) = proof.carried();
        let relative = self.relative(proof);
        let what = match (self.service(proof), carrier) {
            (None, _) | (Some(_), Carrier::Relative) => relative,
            (Some(service), Carrier::Service) => service,
            (Some(service), Carrier::Each) => format!("{relative}, and {service}"),
            // Without a run of the stable version beside it there was nothing to compare.
            (Some(service), Carrier::Together) if self.evidence.judged_stable().judged() == 0 => {
                service
            }
            (Some(service), Carrier::Together) => format!("{relative}, or {service}"),
        };
        Some((what, at_most(p_value)))
    }

    /// "its odds of failing are less than 2 times those of 1.3.0".
    fn relative(&self, proof: &Proof) -> String {
        let (rho, stable) = (Plain(proof.rho), self.name_of_stable());
        format!("its odds of failing are less than {rho} times those of {stable}")
    }

    /// "its failure rate is below 2 %", if a rate is called acceptable.
    fn service(&self, proof: &Proof) -> Option<String> {
        proof.q.map(|q| format!("its failure rate is below {} %", Plain(q * 100.0)))
    }
}
