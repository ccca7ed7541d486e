//! Who asks, as far as the network tells: what one of them may hold at once is bounded.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::HttpRequest;

/// An address, or the network of an IPv6 address: one household has 2^64 of those.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Client(IpAddr);

impl Client {
    /// Whoever sent the request. Behind a reverse proxy it is the address that the proxy itself has
    /// seen, which it appends to `X-Forwarded-For`; what stands before is anyone's claim.
    pub fn of(request: &HttpRequest, behind_proxy: bool) -> Self {
        let forwarded = || request.headers().get_all("x-forwarded-for").last()?.to_str().ok();
        let seen = if behind_proxy { forwarded().and_then(last) } else { None };
        let peer = || request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip());
        Self::from(seen.unwrap_or_else(peer))
    }
}

fn last(forwarded: &str) -> Option<IpAddr> {
    forwarded.rsplit(',').next()?.trim().parse().ok()
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(address: &str) -> Client {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn addresses_of_one_network_are_one_client() {
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.2"), client("192.0.2.1"));
    }

    #[test]
    fn only_a_proxy_is_believed_and_only_what_it_has_seen() {
        let request = TestRequest::default()
            .peer_addr("192.0.2.1:1".parse().unwrap())
            .insert_header(("x-forwarded-for", "198.51.100.1, 203.0.113.9"))
            .to_http_request();
        assert_eq!(Client::of(&request, false), client("192.0.2.1"));
        assert_eq!(Client::of(&request, true), client("203.0.113.9"));
        let bare = TestRequest::default().peer_addr("192.0.2.1:1".parse().unwrap()).to_http_request();
        assert_eq!(Client::of(&bare, true), client("192.0.2.1"));
    }
}
