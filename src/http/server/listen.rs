//! The sockets that connections come in by.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

/// How many connections wait until they are accepted, as the standard library has it.
const BACKLOG: i32 = 128;

/// Listens on addresses.
///
/// `[::]` is IPv4 as well, where the system has it so, unless `0.0.0.0` stands beside it with the same port: each then
/// is what it says. On a system without IPv6, such a pair is the second of the two alone.
///
/// # Errors
///
/// The first address that cannot be listened on, and why.
pub fn listen(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, (SocketAddr, io::Error)> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let split = is_split(address, addresses);
        let listener = if split { listen_on_ipv6_only(address) } else { TcpListener::bind(address) };
        match listener {
            Ok(listener) => listeners.push(listener),
            Err(error) if split && has_no_ipv6(&error) => tracing::debug!(%address, %error, "this system has no IPv6"),
            Err(error) => return Err((*address, error)),
        }
    }
    Ok(listeners)
}

/// Whether it is `[::]` and the same port of `0.0.0.0` is listened on as well.
fn is_split(address: &SocketAddr, all: &[SocketAddr]) -> bool {
    let other = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
    address.ip() == Ipv6Addr::UNSPECIFIED && address.port() != 0 && all.contains(&other)
}

fn listen_on_ipv6_only(address: &SocketAddr) -> io::Result<TcpListener> {
    let socket: OwnedFd = socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // As the standard library does: the port may be listened on again while old connections linger.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_ipv6_v6only(&socket, true)?;
    bind(&socket, address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

fn has_no_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let absent = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL];
    error.raw_os_error().is_some_and(|code| absent.iter().any(|errno| errno.raw_os_error() == code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(ip: &str, port: u16) -> bool {
        std::net::TcpStream::connect((ip, port)).is_ok()
    }

    #[test]
    fn both_families_are_listened_on_with_one_port_in_either_order() {
        let free = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let [v4, v6] = ["0.0.0.0", "[::]"].map(|ip| format!("{ip}:{port}").parse::<SocketAddr>().unwrap());
        for both in [[v4, v6], [v6, v4]] {
            let listeners = listen(&both).unwrap();
            assert!(accepts("127.0.0.1", port));
            assert!(listeners.len() == 1 || accepts("::1", port));
        }
        let (address, error) = listen(&[v4, v4]).unwrap_err();
        assert_eq!((address, error.kind()), (v4, io::ErrorKind::AddrInUse));
    }

    #[test]
    fn ipv6_alone_is_what_the_system_makes_of_it() {
        let alone = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 5000));
        let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 5000));
        assert!(!is_split(&alone, &[alone, SocketAddr::from((Ipv4Addr::LOCALHOST, 5000))]));
        assert!(is_split(&alone, &[alone, v4]) && !is_split(&v4, &[alone, v4]));
    }
}
