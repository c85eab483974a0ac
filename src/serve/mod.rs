//! The endpoint: AWS's command line tool, the SDKs and everything else that speaks to Kinesis works against the same world that the dashboard
//! shows.
//!
//! Requests are read and answers written on a thread of their own; the world is reached through one bounded queue, so that what clients ask
//! enters the run in one order. Invariants: every request is answered once; a client that is slow or wrong harms no other; nothing here changes
//! the world but by an AWS operation.

mod auth;
mod cbor;
mod chunked;
mod events;
mod http;
mod intake;
mod json;
mod lambda;
mod query;
mod queue;
mod s3;
mod wire;
mod xml;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::thread::Thread;

pub use auth::Credentials;
pub use queue::Queue;

/// Where an endpoint listens when nothing is said: the port that local AWS stand-ins use.
pub const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4566);

/// Reads `PORT`, `HOST:PORT` or `:PORT`. `remote`: other machines may connect, too.
///
/// # Errors
/// What was expected, or that only this machine may connect.
pub fn parse_address(text: &str, remote: bool) -> Result<SocketAddr, String> {
    let wanted = || format!("'{text}' is no address: expected PORT or 127.0.0.1:PORT, such as 4566");
    let address: SocketAddr = match text.trim_start_matches(':').parse::<u16>() {
        Ok(port) => SocketAddr::new(ADDRESS.ip(), port),
        Err(_) => text.replace("localhost", "127.0.0.1").parse().map_err(|_| wanted())?,
    };
    if !address.ip().is_loopback() && !remote {
        return Err(format!(
            "{}: the endpoint takes connections of this machine only (127.0.0.1 or ::1); for others it must verify signatures: kinlab serve {text} --strict-auth --allow-remote",
            address.ip()
        ));
    }
    Ok(address)
}

/// Listens, and answers on a thread of its own. `waker` is woken when a request waits; with `credentials`, only requests that are signed with
/// them are taken. Gives the address, the port chosen when it was 0, and the requests.
///
/// # Errors
/// Why the address cannot be used.
pub fn start(address: SocketAddr, waker: Thread, credentials: Option<Credentials>) -> io::Result<(SocketAddr, Queue)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let (entrance, queue) = queue::pair(waker);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    std::thread::Builder::new().name("endpoint".to_owned()).spawn(move || runtime.block_on(http::accept(listener, entrance, credentials)))?;
    Ok((address, queue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_this_machine() {
        assert_eq!(parse_address("4566", false).expect("good"), ADDRESS);
        assert_eq!(parse_address(":0", false).expect("good").port(), 0);
        assert_eq!(parse_address("localhost:80", false).expect("good").port(), 80);
        assert!(parse_address("[::1]:9", false).is_ok());
        assert!(parse_address("0.0.0.0:4566", false).expect_err("open to all").contains("this machine only"));
        assert!(parse_address("0.0.0.0:4566", true).is_ok());
        assert!(parse_address("x", false).expect_err("no port").contains("expected PORT"));
    }
}
