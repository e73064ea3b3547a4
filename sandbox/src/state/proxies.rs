//! The catalogue of proxies, and those an account has authorised.

use crate::plan::Plan;
use crate::state::refused::Refused;

/// The port every proxy listens on.
pub(crate) const PORT: &str = "31280";
const DOMAIN: &str = ".proxymesh.com";

const CATALOGUE: [&str; 16] = [
    "us-ca", "us-ny", "us-il", "us-fl", "us-wa", "us-dc", "uk", "de", "nl", "fr", "jp", "au", "in", "sg",
    "open", "world",
];

/// The first of the catalogue are authorised from the start.
const AT_THE_START: usize = 3;

#[derive(Debug)]
pub(crate) struct Proxies {
    most: usize,
    authorised: Vec<&'static str>,
}

impl Proxies {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { most: plan.proxies(), authorised: CATALOGUE.into_iter().take(AT_THE_START).collect() }
    }

    /// `DOMAIN:PORT` of each authorised proxy, in the order they were added.
    pub(crate) fn list(&self) -> Vec<String> {
        let hosts = self.authorised.iter();
        hosts.map(|host| format!("{host}{DOMAIN}:{PORT}")).collect()
    }

    /// Authorises a proxy and tells its domain; one that is authorised already stays so.
    pub(crate) fn add(&mut self, proxy: &str) -> Result<String, Refused> {
        let host = recognise(proxy)?;
        if !self.authorised.contains(&host) {
            if self.authorised.len() >= self.most {
                return Err(Refused::ProxyLimit(self.most));
            }
            self.authorised.push(host);
        }
        Ok(format!("{host}{DOMAIN}"))
    }

    /// Withdraws a proxy; one that is not authorised stays so.
    pub(crate) fn delete(&mut self, proxy: &str) -> Result<(), Refused> {
        let host = recognise(proxy)?;
        self.authorised.retain(|known| *known != host);
        Ok(())
    }
}

/// Reads `us-ca`, `us-ca.proxymesh.com` and `us-ca.proxymesh.com:31280`.
fn recognise(proxy: &str) -> Result<&'static str, Refused> {
    let wanted = proxy.to_ascii_lowercase();
    let of = |host: &str| {
        let Some(rest) = wanted.strip_prefix(host) else {
            return false;
        };
        let Some(port) = rest.strip_prefix(DOMAIN) else {
            return rest.is_empty();
        };
        port.is_empty() || port.strip_prefix(':') == Some(PORT)
    };
    let mut hosts = CATALOGUE.into_iter();
    hosts.find(|host| of(host)).ok_or_else(|| Refused::UnknownProxy(proxy.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_recognised_in_its_three_forms_only() {
        for form in ["us-ca", "us-ca.proxymesh.com", "US-CA.proxymesh.com:31280"] {
            assert_eq!(recognise(form), Ok("us-ca"), "{form}");
        }
        for form in [
            "",
            "us",
            "us-ca.",
            "us-ca:31280",
            "us-ca.proxymesh.com:",
            "us-ca.proxymesh.com:80",
            "us-ca.example.com",
        ] {
            let refused = Err(Refused::UnknownProxy(form.to_owned()));
            assert_eq!(recognise(form), refused, "{form}");
        }
    }

    #[test]
    fn the_plan_limits_how_many_are_authorised_but_not_adding_one_again() {
        let mut proxies = Proxies::new(Plan::FreeTrial);
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
