//! What is told of a proof, and of how far it is.

use super::*;

/// The settings of a canary that is held until it is proven good.
fn holding(q: Option<f64>) -> Policy {
    policy(|settings| {
        settings.at_end = Some(AtEnd::Hold);
        settings.q = q;
    })
}

/// What is missing, of a canary that is held at the end of its period.
fn missing(product: &mut Product) -> String {
    product.end();
    let sentence = product.last_sentence();
    let told = sentence.split_once("; that does not prove that it is ").map(|(_, told)| told);
    let (missing, then) = told.unwrap_or_default().split_once(", so it stays").unwrap_or_default();
    assert_eq!(
        then,
        " a canary (rule at_end) until more runs decide, or somebody promotes it or rolls it back",
        "{sentence}"
    );
    missing.to_owned()
}

#[test]
fn what_is_held_says_how_far_the_proof_is_and_of_what() {
    let mut compared = Product::with_canary(holding(None));
    compared.by_turns(100, 10, 10);
    let odds = "its odds of failing are less than 2 times those of 0.0.1";
    assert_eq!(
        missing(&mut compared),
        format!("good enough, namely that {odds} (evidence 2.2 of the 20 it needs)")
    );

    let strict = policy(|settings| {
        settings.at_end = Some(AtEnd::Hold);
        settings.rho = Some(1.5);
        settings.beta = Some(0.01);
        settings.q = Some(0.025);
    });
    let mut acceptable = Product::with_canary(strict);
    acceptable.by_turns(100, 0, 0);
    assert_eq!(
        missing(&mut acceptable),
        "good enough, namely that its odds of failing are less than 1.5 times those of 0.0.1 or \
         that its failure rate is below 2.5 % (evidence 3.8 of the 100 it needs)"
    );
}

#[test]
fn what_is_held_without_a_stable_version_says_what_could_prove_it() {
    let first = |q: Option<f64>| {
        let mut product = Product::new();
        product.register("0.0.1", State::Running, holding(q));
        (0..30).for_each(|_| {
            product.report("0.0.1", Status::Success);
        });
        missing(&mut product)
    };
    assert_eq!(
        first(Some(0.1)),
        "good enough, namely that its failure rate is below 10 % (evidence 5.8 of the 20 it needs)"
    );
    assert_eq!(
        first(None),
        "good enough, which nothing can without a stable version beside it or a q in its policy"
    );
}

#[test]
fn what_is_below_its_threshold_says_how_far_the_proof_is_that_it_is_bad() {
    let below = |policy: Policy| {
        let mut product = Product::with_canary(policy);
        product.canary(5, 4);
        missing(&mut product)
    };
    assert_eq!(below(Policy::default()), "bad (evidence 1.4 of the 100 it needs)");
    assert_eq!(below(policy(|settings| settings.alpha_floor = Some(0.0))), "bad");
}

/// What is proven of a canary that is promoted early, of which so many of a hundred runs fail, and
/// of the stable version's.
fn proven(change: impl FnOnce(&mut Settings), canary: u64, stable: u64) -> String {
    let mut product = Product::with_canary(policy(|settings| {
        settings.early_promotion = Some(true);
        change(settings);
    }));
    product.by_turns(10_000, canary, stable);
    let sentence = product.decision_of("0.0.2").sentence.clone();
    let told = sentence.split_once(": ").and_then(|(_, told)| told.split_once(": "));
    let (proven, _) = told.unwrap_or_default().1.split_once("; ").unwrap_or_default();
    proven.to_owned()
}

#[test]
fn a_proof_names_the_half_that_carries_it() {
    let odds = "its odds of failing are less than 2 times those of 0.0.1";
    assert_eq!(
        proven(|settings| settings.q = Some(0.05), 10, 20),
        format!("{odds} (rule early_promotion, p ≤ 0.048)"),
        "the comparison alone: a tenth of its runs fail"
    );
    assert_eq!(
        proven(|settings| settings.q = Some(0.1), 2, 1),
        "its failure rate is below 10 % (rule early_promotion, p ≤ 0.05)",
        "what is acceptable alone: it fails more often than the stable version"
    );
    assert_eq!(
        proven(
            |settings| {
                settings.q = Some(0.3);
                settings.min_signals = Some(250);
            },
            10,
            20
        ),
        format!(
            "{odds}, and its failure rate is below 30 % (rule early_promotion, p ≤ 0.00000029)"
        ),
        "each of them"
    );
    assert_eq!(
        proven(|settings| settings.q = Some(0.09), 5, 5),
        format!("{odds}, or its failure rate is below 9 % (rule early_promotion, p ≤ 0.046)"),
        "one of them, neither surely enough"
    );
}
