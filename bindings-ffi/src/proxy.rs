//! A proxy as a value: its address, its URLs and its headers. And a check of it.

use crate::{
    bridge::{Operation, number, wire},
    calls::functions,
    model::response,
};
use proxymesh::{
    binding::{self, seconds},
    secrecy::ExposeSecret,
};
use std::{collections::HashMap, net::IpAddr};

/// A proxy server that the account may use.
#[derive(uniffi::Record)]
pub struct Proxy {
    /// The domain, such as `us-ca.proxymesh.com`.
    pub host: String,
    /// The port, from 1 to 65535.
    pub port: i32,
    /// The host to connect to. It differs from the domain only for the sandbox's proxies.
    pub address_host: String,
    /// The first part of the domain, such as `us-ca`.
    pub name: String,
    /// The URL without credentials, for a machine whose IP or hostname is authorised.
    pub plain_url: String,
    /// The country of its exit IPs as an ISO 3166 code, if the name contains it: `US` for `us-ca`, `GB` for `uk`.
    pub country: Option<String>,
    /// Whether an exit choice can choose the country: true for `open` and `world`, which have exit IPs in many countries.
    pub chooses_country: bool,
    /// The credentials, the exit choice and whether it rotates, if it has any of these.
    pub access: Option<Access>,
}

/// How to authenticate to a proxy, and which exit IPs to use.
#[derive(uniffi::Record)]
pub struct Access {
    /// The credentials, if there are any.
    pub credentials: Option<Credentials>,
    /// The exit choice.
    pub exit: ExitChoice,
    /// Whether each https request opens a new tunnel.
    pub rotating: bool,
}

response!(proxymesh::Proxy => Proxy);

impl From<proxymesh::Proxy> for Proxy {
    fn from(core: proxymesh::Proxy) -> Self {
        Self {
            host: core.host().to_owned(),
            port: core.port().into(),
            address_host: core.address().0.to_owned(),
            name: core.name().to_owned(),
            plain_url: core.plain_url(),
            country: core.country(),
            chooses_country: core.chooses_country(),
            access: Access::of(&core),
        }
    }
}

impl Access {
    fn of(core: &proxymesh::Proxy) -> Option<Self> {
        let (credentials, rotating) = (core.credentials().map(Credentials::of), core.is_rotating());
        let has_any = credentials.is_some() || rotating || !core.exit_choice().is_empty();
        has_any.then(|| Self { credentials, exit: ExitChoice::of(core.exit_choice()), rotating })
    }
}

/// A proxy, as another language passes it.
#[derive(uniffi::Record)]
pub struct ProxyInput {
    /// The domain.
    pub host: String,
    /// The port, from 1 to 65535.
    pub port: i32,
    /// The credentials, the exit choice and whether it rotates, if it has any of these.
    pub access: Option<Access>,
}

impl ProxyInput {
    pub(crate) fn check(self) -> proxymesh::Result<proxymesh::Proxy> {
        let proxy = proxymesh::Proxy::at(&self.host, Some(self.port.into()))?;
        let Some(Access { credentials, exit, rotating }) = self.access else { return Ok(proxy) };
        let proxy = proxy.using(credentials.map(Credentials::check).transpose()?);
        // A proxy that holds an exit IP does not rotate, whatever it did before.
        let proxy = if rotating { proxy.rotating() } else { proxy };
        proxy.steer(exit.check()?)
    }
}

functions! {
    /// Returns the proxy at this host and port. The host may include the port. Fails with `Validation` if they are invalid.
    fn proxy_of(host: String, port: Option<i32>) -> Proxy {
        Ok(proxymesh::Proxy::at(&host, port.map(i64::from))?.into())
    }

    /// Returns the proxy with its credentials and its exit choice in the core's spelling. Fails with `Config` if the credentials are
    /// invalid, and with `Validation` if this proxy cannot choose the country.
    fn proxy_with(proxy: ProxyInput) -> Proxy {
        Ok(proxy.check()?.into())
    }

    /// Returns the same proxy, with a new tunnel for each https request.
    fn proxy_rotating(proxy: ProxyInput) -> Proxy {
        Ok(proxy.check()?.rotating().into())
    }

    /// Returns why a request did not go through the exit IP that the proxy holds, if the proxy's response says that. `used` is the
    /// value of its header `X-ProxyMesh-IP`, and `missing` that of `X-ProxyMesh-IP-Not-Found`.
    fn proxy_lost_exit(proxy: ProxyInput, used: Option<String>, missing: Option<String>) -> Option<String> {
        Ok(proxy.check()?.lost_exit(used.as_deref(), missing.as_deref()))
    }

    /// Returns the URL of the proxy with its credentials, which are percent-encoded. Fails with `Validation` if they are a token.
    fn proxy_url(proxy: ProxyInput) -> String {
        Ok(proxy.check()?.url()?.expose_secret().to_owned())
    }

    /// Returns the URL of the proxy with this username and password.
    fn proxy_url_with(proxy: ProxyInput, username: String, password: String) -> String {
        Ok(proxy.check()?.url_with(&username, &password))
    }

    /// Returns the headers to send to the proxy.
    fn proxy_headers(proxy: ProxyInput) -> HashMap<String, String> {
        let headers = proxy.check()?.headers();
        Ok(headers.into_iter().map(|(name, value)| (name.to_owned(), value.expose_secret().to_owned())).collect())
    }

    /// Returns the same choice in the core's spelling, so that equal choices compare as equal. Fails with `Validation` if it is
    /// malformed.
    fn exit_choice_of(choice: ExitChoice) -> ExitChoice {
        Ok(ExitChoice::of(&choice.check()?))
    }
}

/// The result of a check of a proxy.
#[derive(uniffi::Record)]
pub struct ProxyCheck {
    /// Whether the proxy can be used: it responded with 200.
    pub ok: bool,
    /// Whether the proxy responded.
    pub reachable: bool,
    /// The status of its response.
    pub status: Option<i32>,
    /// The exit IP.
    pub exit_ip: Option<String>,
    /// Whether the proxy does not have the exit IP that the exit choice prefers.
    pub preferred_ip_is_gone: bool,
    /// Why the proxy refused, in its own words.
    pub error: Option<String>,
    /// The seconds from the start of the connection to the response or the failure.
    pub latency: f64,
    /// What the result means, and what to do about it.
    pub meaning: String,
}

impl From<proxymesh::Check> for ProxyCheck {
    fn from(core: proxymesh::Check) -> Self {
        Self {
            ok: core.ok(),
            reachable: core.reachable,
            status: core.status.map(i32::from),
            exit_ip: core.exit_ip,
            preferred_ip_is_gone: core.preferred_ip_is_gone,
            error: core.error,
            latency: core.latency.as_secs_f64(),
            meaning: core.meaning,
        }
    }
}

#[cfg(feature = "description")]
mod description {
    use super::{Proxy, ProxyCheck, ProxyInput};
    use crate::error::Failure;

    /// Returns the same proxy, which then holds one exit IP. `timeout` is in seconds. Needs no client.
    #[allow(unused_variables)]
    #[uniffi::export]
    fn proxy_session(proxy: ProxyInput, target: String, timeout: f64) -> Result<Proxy, Failure> {
        crate::calls::described()
    }

    /// Checks whether a proxy accepts a connection to `target`, which is `host:port`. `timeout` is in seconds. Needs no client.
    #[allow(unused_variables)]
    #[uniffi::export]
    fn proxy_check(proxy: ProxyInput, target: String, timeout: f64) -> Result<ProxyCheck, Failure> {
        crate::calls::described()
    }
}

/// An operation with the arguments of a check, and what it returns.
macro_rules! checking {
    ($name:literal $response:literal, $call:literal, |$proxy:ident, $target:ident, $timeout:ident| $result:expr) => {
        Operation {
            #[cfg(test)]
            name: $name,
            number: number(concat!($name, "(proxy:ProxyInput,target:String,timeout:f64,)", $response)),
            call: $call,
            is_interruptible: true,
            make: |_, _, input| {
                let proxy: ProxyInput = wire::read(input)?;
                let ($target, timeout): (String, f64) = (wire::read(input)?, wire::read(input)?);
                let ($proxy, $timeout) = (proxy.check()?, seconds("timeout", timeout)?);
                Ok(Box::pin(async move { Ok(wire::value($result)) }))
            },
        }
    };
}

pub(crate) const OPERATIONS: &[Operation] = &[
    checking!("proxy_check" "ProxyCheck", "Proxy.check", |proxy, target, timeout| {
        ProxyCheck::from(proxy.check(&target, timeout).await?)
    }),
    checking!("proxy_session" "Proxy", "proxies.session", |proxy, target, timeout| {
        Proxy::from(proxy.session(&target, timeout).await?)
    }),
];

/// How to authenticate to a proxy.
#[derive(uniffi::Enum)]
pub enum Credentials {
    /// A username and password.
    Basic {
        /// The username of the account or of a sub-account.
        username: String,
        /// The password for the username.
        password: String,
    },
    /// A token.
    Bearer {
        /// The token.
        token: String,
    },
}

impl Credentials {
    fn of(core: &proxymesh::Credentials) -> Self {
        match core.username_and_password() {
            Some((username, password)) => {
                Self::Basic { username: username.to_owned(), password: password.expose_secret().to_owned() }
            }
            None => Self::Bearer {
                token: core.token().map(|token| token.expose_secret().to_owned()).unwrap_or_default(),
            },
        }
    }

    fn check(self) -> proxymesh::Result<proxymesh::Credentials> {
        match self {
            Self::Basic { username, password } => proxymesh::Credentials::basic(username, password),
            Self::Bearer { token } => proxymesh::Credentials::bearer(token),
        }
    }
}

/// Which exit IP to ask a proxy for. The proxy chooses what you leave open.
#[derive(uniffi::Record)]
pub struct ExitChoice {
    /// A two-letter country code. Only the proxies `open` and `world` can choose a country.
    pub country: Option<String>,
    /// The exit IP to use if the proxy has it.
    pub prefer_ip: Option<String>,
    /// The exit IP to hold, instead of `prefer_ip`.
    pub hold_ip: Option<String>,
    /// The exit IPs to avoid.
    pub not_ips: Vec<String>,
}

impl ExitChoice {
    fn of(core: &proxymesh::ExitChoice) -> Self {
        Self {
            country: core.wanted_country().map(str::to_owned),
            prefer_ip: core.preferred_ip().filter(|_| core.held_ip().is_none()).map(|ip| ip.to_string()),
            hold_ip: core.held_ip().map(|ip| ip.to_string()),
            not_ips: core.unwanted_ips().iter().map(IpAddr::to_string).collect(),
        }
    }

    fn check(self) -> proxymesh::Result<proxymesh::ExitChoice> {
        let not_ips = self.not_ips.iter().map(String::as_str);
        let (country, prefer_ip) = (self.country.as_deref(), self.prefer_ip.as_deref());
        binding::exit_choice(country, prefer_ip, self.hold_ip.as_deref(), not_ips)
    }
}
