//! Policies, explanations, analyses and simulations through the program itself, as a person sees
//! them.

mod explanations;
mod lists;
mod policies;
mod program;
mod runs;
mod simulations;
