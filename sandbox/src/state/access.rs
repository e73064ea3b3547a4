//! The IP addresses and hostnames from which an account can be used without credentials.

use std::net::IpAddr;

use crate::state::refused::Refused;

/// The most IPs an account may have (docs/assumptions.md, A6).
pub(crate) const MOST_IPS: usize = 100;

#[derive(Debug)]
pub(crate) struct LabeledIp {
    pub(crate) ip: IpAddr,
    pub(crate) label: String,
}

/// The IPs and hostnames of one account, in the order they were added.
#[derive(Debug, Default)]
pub(crate) struct Access {
    pub(crate) ips: Vec<LabeledIp>,
    pub(crate) hostnames: Vec<String>,
}

impl Access {
    pub(crate) fn add_ip(&mut self, ip: IpAddr, label: String) -> Result<(), Refused> {
        if self.has_ip(ip) {
            return Err(Refused::AlreadyAuthenticated(ip.to_string()));
        }
        if self.ips.len() >= MOST_IPS {
            return Err(Refused::TooManyIps(MOST_IPS));
        }
        self.ips.push(LabeledIp { ip, label });
        Ok(())
    }

    pub(crate) fn has_ip(&self, ip: IpAddr) -> bool {
        self.ips.iter().any(|known| known.ip == ip)
    }

    pub(crate) fn delete_ip(&mut self, ip: IpAddr) -> Result<(), Refused> {
        let before = self.ips.len();
        self.ips.retain(|known| known.ip != ip);
        if self.ips.len() == before {
            return Err(Refused::NotAuthenticated(ip.to_string()));
        }
        Ok(())
    }

    pub(crate) fn add_hostname(&mut self, domain: &str) -> Result<(), Refused> {
        if self.hostnames.iter().any(|known| known == domain) {
            return Err(Refused::AlreadyAuthenticated(domain.to_owned()));
        }
        self.hostnames.push(domain.to_owned());
        Ok(())
    }

    pub(crate) fn delete_hostname(&mut self, domain: &str) -> Result<(), Refused> {
        let before = self.hostnames.len();
        self.hostnames.retain(|known| known != domain);
        if self.hostnames.len() == before {
            return Err(Refused::NotAuthenticated(domain.to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ip_is_authenticated_once_and_deleted_once() {
        let ip: IpAddr = "192.0.2.1".parse().unwrap();
        let mut access = Access::default();
        access.add_ip(ip, String::new()).unwrap();
        let twice = access.add_ip(ip, String::new()).unwrap_err();
        assert_eq!(twice.to_string(), "192.0.2.1 is already authenticated.");
        access.delete_ip(ip).unwrap();
        let gone = access.delete_ip(ip).unwrap_err();
        assert_eq!(gone.to_string(), "192.0.2.1 is not authenticated.");
    }

    #[test]
    fn the_hundred_and_first_ip_is_one_too_many() {
        let mut access = Access::default();
        for last in 0..100 {
            let ip = IpAddr::from([192, 0, 2, last]);
            access.add_ip(ip, String::new()).unwrap();
        }
        let ip = IpAddr::from([192, 0, 2, 100]);
        assert_eq!(access.add_ip(ip, String::new()), Err(Refused::TooManyIps(MOST_IPS)));
        access.delete_ip(IpAddr::from([192, 0, 2, 0])).unwrap();
        assert_eq!(access.add_ip(ip, String::new()), Ok(()));
    }
}
