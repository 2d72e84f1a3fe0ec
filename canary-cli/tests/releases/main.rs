//! Policies, explanations, analyses and simulations through the program itself, as a person sees
//! them.

mod explanations;
mod policies;
mod program;
mod simulations;
