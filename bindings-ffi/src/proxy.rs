//! A proxy as a value: its address, its URLs and its headers.

use crate::{calls::functions, model::response};
use proxymesh::{binding, secrecy::ExposeSecret};
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
    pub url: String,
    /// The country of its exit IPs as an ISO 3166 code, if the name contains it: `US` for `us-ca`, `GB` for `uk`.
    pub country: Option<String>,
    /// Whether an exit choice can choose the country: true for `open` and `world`, which have exit IPs in many countries.
    pub chooses_country: bool,
}

response!(proxymesh::Proxy => Proxy);

impl From<proxymesh::Proxy> for Proxy {
    fn from(core: proxymesh::Proxy) -> Self {
        Self {
            host: core.host().to_owned(),
            port: core.port().into(),
            address_host: core.address().0.to_owned(),
            name: core.name().to_owned(),
            url: core.plain_url(),
            country: core.country(),
            chooses_country: core.chooses_country(),
        }
    }
}

functions! {
    /// Returns the proxy at this host and port. The host may include the port. Fails with `Validation` if they are invalid.
    fn proxy_of(host: String, port: Option<i32>) -> Proxy {
        Ok(proxymesh::Proxy::at(&host, port.map(i64::from))?.into())
    }

    /// Returns the URL of the proxy with credentials, which are percent-encoded. Fails with `Validation` if the host or port is
    /// invalid.
    fn proxy_url_with(
        host: String,
        port: i32,
        username: String,
        password: String,
    ) -> String {
        Ok(core_proxy(&host, port)?.url_with(&username, &password))
    }

    /// Returns the headers to send to the proxy. Fails with `Config` if the credentials are invalid, and with `Validation` if this
    /// proxy cannot choose the country.
    fn proxy_headers(
        host: String,
        port: i32,
        credentials: Option<Credentials>,
        exit: ExitChoice,
    ) -> HashMap<String, String> {
        let credentials = credentials.map(Credentials::check).transpose()?;
        let proxy = core_proxy(&host, port)?.using(credentials).steer(exit.check()?)?;
        Ok(proxy.headers().into_iter().map(|(name, value)| (name.to_owned(), value.expose_secret().to_owned())).collect())
    }

    /// Returns the same choice in the core's spelling, so that equal choices compare as equal. Fails with `Validation` if it is
    /// malformed.
    fn exit_choice_of(choice: ExitChoice) -> ExitChoice {
        let exit = choice.check()?;
        Ok(ExitChoice {
            country: exit.wanted_country().map(str::to_owned),
            prefer_ip: exit.preferred_ip().map(|ip| ip.to_string()),
            not_ips: exit.unwanted_ips().iter().map(IpAddr::to_string).collect(),
        })
    }
}

fn core_proxy(host: &str, port: i32) -> proxymesh::Result<proxymesh::Proxy> {
    proxymesh::Proxy::at(host, Some(port.into()))
}

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
    /// The exit IPs to avoid.
    pub not_ips: Vec<String>,
}

impl ExitChoice {
    fn check(self) -> proxymesh::Result<proxymesh::ExitChoice> {
        let not_ips = self.not_ips.iter().map(String::as_str);
        binding::exit_choice(self.country.as_deref(), self.prefer_ip.as_deref(), not_ips)
    }
}
