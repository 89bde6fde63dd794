//! What is made of what benches, edges, the Master and DNS servers answer, each of them played by a small server on loopback.

mod dns;
mod fake;
mod key;
mod probe;
mod registry;
mod strange;
mod tls;
