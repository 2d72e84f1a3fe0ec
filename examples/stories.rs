//! The stories are played, and what the server says of them is counted again by hand.
