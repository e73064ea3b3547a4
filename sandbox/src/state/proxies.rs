//! The catalogue of proxies, and the proxies that an account has authorised.

use crate::plan::Plan;
use crate::state::refused::Refused;

/// The port every proxy of the service listens on.
const PORT: u16 = 31280;
const DOMAIN: &str = ".proxymesh.com";
/// The domain of the sandbox's own proxies. Names under it mean this machine (RFC 6761, section 6.3).
const LOCAL_DOMAIN: &str = ".localhost";

/// All proxies, by the first label of their domain.
pub(crate) const CATALOGUE: [&str; 16] = [
    "us-ca", "us-ny", "us-il", "us-fl", "us-wa", "us-dc", "uk", "de", "nl", "fr", "jp", "au", "in", "sg",
    "open", "world",
];

/// How many proxies are authorised from the start. They are the first ones in the catalogue.
const AT_THE_START: usize = 3;

/// The ports of the proxies that the sandbox runs, in the catalogue's order.
pub(crate) type Ports = [u16; CATALOGUE.len()];

#[derive(Debug)]
pub(crate) struct Proxies {
    most: usize,
    authorised: Vec<&'static str>,
    ports: Option<Ports>,
}

impl Proxies {
    pub(crate) fn new(plan: Plan, ports: Option<Ports>) -> Self {
        let authorised = CATALOGUE.into_iter().take(AT_THE_START).collect();
        Self { most: plan.proxies(), authorised, ports }
    }

    /// `DOMAIN:PORT` of each authorised proxy, in the order they were added.
    pub(crate) fn list(&self) -> Vec<String> {
        let hosts = self.authorised.iter();
        hosts.map(|host| format!("{}:{}", self.domain(host), self.port(host))).collect()
    }

    pub(crate) fn is_authorised(&self, host: &str) -> bool {
        self.authorised.contains(&host)
    }

    fn domain(&self, host: &str) -> String {
        format!("{host}{}", if self.ports.is_some() { LOCAL_DOMAIN } else { DOMAIN })
    }

    fn port(&self, host: &str) -> u16 {
        let mut local = CATALOGUE.iter().zip(self.ports.iter().flatten());
        local.find(|(known, _)| **known == host).map_or(PORT, |(_, port)| *port)
    }

    /// Authorises a proxy and returns its domain. It may be authorised already.
    pub(crate) fn add(&mut self, proxy: &str) -> Result<String, Refused> {
        let host = self.recognise(proxy)?;
        if !self.authorised.contains(&host) {
            if self.authorised.len() >= self.most {
                return Err(Refused::ProxyLimit(self.most));
            }
            self.authorised.push(host);
        }
        Ok(self.domain(host))
    }

    /// Ends the authorisation of a proxy, if it is authorised.
    pub(crate) fn delete(&mut self, proxy: &str) -> Result<(), Refused> {
        let host = self.recognise(proxy)?;
        self.authorised.retain(|known| *known != host);
        Ok(())
    }

    /// Reads `us-ca`, `us-ca.proxymesh.com` and `us-ca.proxymesh.com:31280`, and the same forms of the sandbox's own
    /// domains.
    fn recognise(&self, proxy: &str) -> Result<&'static str, Refused> {
        let wanted = proxy.to_ascii_lowercase();
        let of = |host: &str| {
            let local = self.domain(host);
            let names = [host.to_owned(), format!("{host}{DOMAIN}"), format!("{host}{DOMAIN}:{PORT}")];
            names.contains(&wanted) || wanted == local || wanted == format!("{local}:{}", self.port(host))
        };
        let mut hosts = CATALOGUE.into_iter();
        hosts.find(|host| of(host)).ok_or_else(|| Refused::UnknownProxy(proxy.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_recognised_in_its_three_forms_only() {
        let proxies = Proxies::new(Plan::default(), None);
        for form in ["us-ca", "us-ca.proxymesh.com", "US-CA.proxymesh.com:31280"] {
            assert_eq!(proxies.recognise(form), Ok("us-ca"), "{form}");
        }
        for form in [
            "",
            "us",
            "us-ca.",
            "us-ca:31280",
            "us-ca.proxymesh.com:",
            "us-ca.proxymesh.com:80",
            "us-ca.example.com",
            "us-ca.localhost",
        ] {
            let refused = Err(Refused::UnknownProxy(form.to_owned()));
            assert_eq!(proxies.recognise(form), refused, "{form}");
        }
    }

    #[test]
    fn proxies_that_the_sandbox_serves_are_on_this_machine() {
        let ports = std::array::from_fn(|index| 40_000 + u16::try_from(index).unwrap());
        let mut proxies = Proxies::new(Plan::default(), Some(ports));
        assert_eq!(
            proxies.list(),
            ["us-ca.localhost:40000", "us-ny.localhost:40001", "us-il.localhost:40002"]
        );
        assert_eq!(proxies.add("uk.localhost:40006"), Ok("uk.localhost".to_owned()));
        assert_eq!(proxies.add("de.proxymesh.com"), Ok("de.localhost".to_owned()));
        assert!(proxies.add("uk.localhost:40007").is_err());
    }

    #[test]
    fn the_plan_limits_how_many_are_authorised_but_not_adding_one_again() {
        let mut proxies = Proxies::new(Plan::FreeTrial, None);
        assert_eq!(proxies.add("us-ca"), Ok("us-ca.proxymesh.com".to_owned()));
        assert_eq!(proxies.add("uk"), Err(Refused::ProxyLimit(3)));
        proxies.delete("us-ca").unwrap();
        proxies.delete("us-ca").unwrap();
        assert_eq!(proxies.add("uk"), Ok("uk.proxymesh.com".to_owned()));
    }

    #[test]
    fn the_largest_plan_allows_the_whole_catalogue_and_the_default_does_not() {
        assert_eq!(Plan::ProxyMesh100.proxies(), CATALOGUE.len());
        assert!(Plan::default().proxies() < CATALOGUE.len());
    }
}
