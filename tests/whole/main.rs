//! The whole system from outside: what the contract promises, over HTTP.

mod selection;
