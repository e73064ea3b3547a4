//! The exit IPs of each proxy. They are invented, from the range for benchmarks (RFC 2544), so no real host has them.

use std::net::{IpAddr, Ipv4Addr};

use crate::state::geo::{OPEN, WORLD};
use crate::state::proxies::CATALOGUE;

/// How many exit IPs a proxy has. `open` and `world` have this many in each country.
const PER_POOL: u8 = 8;

/// What a client asks for with `X-ProxyMesh-Country`, `-Prefer-IP` and `-Not-IP`.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) country: Option<String>,
    pub(crate) prefer: Vec<IpAddr>,
    pub(crate) not: Vec<IpAddr>,
}

/// The exit of one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) ip: IpAddr,
    /// The country, if the proxy has exits in several countries.
    pub(crate) country: Option<&'static str>,
    /// The preferred exit IP, if the proxy does not have it.
    pub(crate) missing: Option<IpAddr>,
}

/// Chooses the exit for a request through this proxy, or says why there is none.
pub(crate) fn choose(proxy: &str, wishes: &Wishes) -> Result<Exit, String> {
    let candidates = candidates(proxy, wishes.country.as_deref())?;
    let allowed: Vec<Exit> = candidates.into_iter().filter(|exit| !wishes.not.contains(&exit.ip)).collect();
    let count = allowed.len();
    let preferred = allowed.iter().position(|exit| wishes.prefer.contains(&exit.ip));
    let index = preferred.unwrap_or_else(|| if count == 0 { 0 } else { fastrand::usize(..count) });
    let chosen = allowed.into_iter().nth(index);
    let chosen = chosen.ok_or_else(|| "X-ProxyMesh-Not-IP excludes every exit IP.".to_owned())?;
    let missing = if preferred.is_none() { wishes.prefer.first().copied() } else { None };
    Ok(Exit { missing, ..chosen })
}

fn candidates(proxy: &str, country: Option<&str>) -> Result<Vec<Exit>, String> {
    let (second, countries) = match proxy {
        "open" => (18, &OPEN[..]),
        "world" => (19, &WORLD[..]),
        // Any other proxy has exits in one country only, and ignores the header.
        _ => {
            let place = CATALOGUE.iter().position(|known| *known == proxy).unwrap_or_default();
            return Ok(pool(18, 200 + place, None).collect());
        }
    };
    let wanted = |code: &str| country.is_none_or(|wanted| wanted.eq_ignore_ascii_case(code));
    let pools = countries.iter().enumerate().filter(|(_, (code, _))| wanted(code));
    let exits: Vec<Exit> = pools.flat_map(|(place, (code, _))| pool(second, place, Some(code))).collect();
    match country {
        Some(country) if exits.is_empty() => Err(format!("The proxy {proxy} has no exit in '{country}'.")),
        _ => Ok(exits),
    }
}

fn pool(second: u8, third: usize, country: Option<&'static str>) -> impl Iterator<Item = Exit> {
    let third = u8::try_from(third).unwrap_or(u8::MAX);
    (1..=PER_POOL).map(move |last| Exit {
        ip: Ipv4Addr::new(198, second, third, last).into(),
        country,
        missing: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(country: Option<&str>) -> Wishes {
        Wishes { country: country.map(str::to_owned), ..Wishes::default() }
    }

    #[test]
    fn a_country_is_honoured_where_there_are_several() {
        for _ in 0..50 {
            assert_eq!(choose("open", &wishes(Some("de"))).unwrap().country, Some("DE"));
            assert_eq!(choose("world", &wishes(Some("ZA"))).unwrap().country, Some("ZA"));
            assert_eq!(choose("uk", &wishes(Some("ZA"))).unwrap().country, None);
        }
        let refused = choose("open", &wishes(Some("ZA"))).unwrap_err();
        assert_eq!(refused, "The proxy open has no exit in 'ZA'.");
    }

    #[test]
    fn an_ip_is_preferred_or_avoided() {
        let all: Vec<IpAddr> = candidates("us-ca", None).unwrap().into_iter().map(|exit| exit.ip).collect();
        assert_eq!(all.len(), usize::from(PER_POOL));
        let (last, others) = all.split_last().unwrap();
        let prefer = Wishes { prefer: vec![*last], ..Wishes::default() };
        let avoid = Wishes { not: others.to_vec(), ..Wishes::default() };
        for _ in 0..50 {
            assert_eq!(choose("us-ca", &prefer).unwrap().ip, *last);
            assert_eq!(choose("us-ca", &avoid).unwrap().ip, *last);
        }
        assert_eq!(choose("us-ca", &prefer).unwrap().missing, None);
        assert_eq!(choose("uk", &prefer).unwrap().missing, Some(*last), "another proxy does not have it");
        let none = Wishes { not: all, ..Wishes::default() };
        assert!(choose("us-ca", &none).is_err());
    }

    #[test]
    fn no_two_proxies_or_countries_share_an_exit_ip() {
        let mut all: Vec<IpAddr> =
            CATALOGUE.iter().flat_map(|proxy| candidates(proxy, None).unwrap()).map(|exit| exit.ip).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
