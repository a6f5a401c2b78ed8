//! Addresses by name: in a run, the hosts of the topology replace a name service.
//!
//! A lookup takes no time and never fails by chance.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use super::held;
use crate::world::Host;

/// An argument for socket addresses, as in `tokio::net`: an address, or the name of a host with a port (`"server:80"`,
/// `("server", 80)`). The trait cannot be implemented elsewhere.
pub trait ToSocketAddrs: sealed::Resolve {}

impl<T: sealed::Resolve + ?Sized> ToSocketAddrs for T {}

/// Looks up the addresses of a host.
///
/// # Errors
/// Fails with `NotFound` if no host of the topology has that name; also fails outside a run.
///
/// # Example
///
/// ```
/// # async fn code() -> std::io::Result<()> {
/// for address in sleet::app::net::lookup_host("server:80").await? {
///     assert_eq!(address.port(), 80);
/// }
/// # Ok(())
/// # }
/// ```
pub async fn lookup_host<T: ToSocketAddrs>(host: T) -> io::Result<impl Iterator<Item = SocketAddr>> {
    let here = held::here("lookup_host")?;
    Ok(host.resolve(&here)?.into_iter())
}

/// Returns the addresses of `name` as seen from `here`.
fn addresses(here: &Host, name: &str) -> io::Result<Vec<IpAddr>> {
    if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse() {
        return Ok(vec![address]);
    }
    if name == "localhost" {
        return Ok(vec![Ipv4Addr::LOCALHOST.into()]);
    }
    match here.sim().find_host(name) {
        Some(host) => Ok(host.addresses().to_vec()),
        None => Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("the topology of the run has no host '{name}'"),
        )),
    }
}

/// Returns the result for the first of `addresses` for which `open` works, else the last error.
pub(super) async fn first_that_works<T, F>(
    addresses: Vec<SocketAddr>,
    mut open: impl FnMut(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address");
    for address in addresses {
        match open(address).await {
            Ok(opened) => return Ok(opened),
            Err(error) => last = error,
        }
    }
    Err(last)
}

pub(super) mod sealed {
    //! The private trait that keeps `ToSocketAddrs` from being implemented elsewhere.

    use std::{
        io,
        net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    };

    use super::addresses;
    use crate::world::Host;

    /// Resolves to addresses.
    pub trait Resolve {
        /// Returns the addresses as seen from `here`.
        fn resolve(&self, here: &Host) -> io::Result<Vec<SocketAddr>>;
    }

    macro_rules! resolve_by_conversion {
        ($($plain:ty),*) => {$(
            impl Resolve for $plain {
                fn resolve(&self, _: &Host) -> io::Result<Vec<SocketAddr>> {
                    Ok(vec![(*self).into()])
                }
            }
        )*};
    }

    resolve_by_conversion!(
        SocketAddr,
        SocketAddrV4,
        SocketAddrV6,
        (IpAddr, u16),
        (Ipv4Addr, u16),
        (Ipv6Addr, u16)
    );

    impl Resolve for [SocketAddr] {
        fn resolve(&self, _: &Host) -> io::Result<Vec<SocketAddr>> {
            Ok(self.to_vec())
        }
    }

    impl Resolve for (&str, u16) {
        fn resolve(&self, here: &Host) -> io::Result<Vec<SocketAddr>> {
            let with_port = |ip| SocketAddr::new(ip, self.1);
            Ok(addresses(here, self.0)?.into_iter().map(with_port).collect())
        }
    }

    impl Resolve for (String, u16) {
        fn resolve(&self, here: &Host) -> io::Result<Vec<SocketAddr>> {
            (self.0.as_str(), self.1).resolve(here)
        }
    }

    impl Resolve for str {
        fn resolve(&self, here: &Host) -> io::Result<Vec<SocketAddr>> {
            let bad = |what: &'static str| io::Error::new(io::ErrorKind::InvalidInput, what);
            let (name, port) = self
                .rsplit_once(':')
                .ok_or_else(|| bad("invalid socket address"))?;
            let port = port.parse::<u16>().map_err(|_| bad("invalid port value"))?;
            (name, port).resolve(here)
        }
    }

    impl Resolve for String {
        fn resolve(&self, here: &Host) -> io::Result<Vec<SocketAddr>> {
            self.as_str().resolve(here)
        }
    }

    impl<T: Resolve + ?Sized> Resolve for &T {
        fn resolve(&self, here: &Host) -> io::Result<Vec<SocketAddr>> {
            (**self).resolve(here)
        }
    }
}
