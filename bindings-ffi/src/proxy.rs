//! A proxy as a value: where it is, and what is sent to it.

use crate::{error::Failure, model::Answer};
use proxymesh::{binding, secrecy::ExposeSecret};
use std::{collections::HashMap, net::IpAddr};

/// A proxy server that the account may use.
#[derive(uniffi::Record)]
pub struct Proxy {
    /// The domain.
    pub host: String,
    /// The port, from 1 to 65535.
    pub port: i32,
    /// The host to connect to, where it is not the domain: that of the sandbox's proxies.
    pub address_host: String,
    /// The first part of the domain.
    pub name: String,
    /// The URL without credentials.
    pub url: String,
    /// The country that its exits are in, if its name tells.
    pub country: Option<String>,
    /// Whether a request may choose the country.
    pub chooses_country: bool,
}

impl Answer for proxymesh::Proxy {
    type Given = Proxy;

    fn give(self) -> Proxy {
        Proxy {
            host: self.host().to_owned(),
            port: self.port().into(),
            address_host: self.address().0.to_owned(),
            name: self.name().to_owned(),
            url: self.url(),
            country: self.country(),
            chooses_country: self.chooses_country(),
        }
    }
}

/// The proxy at a host and port; the host may hold the port itself. `Validation` where they are none.
#[uniffi::export]
pub fn proxy_of(host: String, port: Option<i32>) -> Result<Proxy, Failure> {
    Ok(proxymesh::Proxy::at(&host, port.map(i64::from))?.give())
}

/// The URL of the proxy at a host and port with credentials, percent-encoded; `Validation` where they are none.
#[uniffi::export]
pub fn proxy_url_with(
    host: String,
    port: i32,
    username: String,
    password: String,
) -> Result<String, Failure> {
    Ok(core_proxy(&host, port)?.url_with(&username, &password))
}

/// The headers for the proxy at a host and port; `Config` where the credentials are unusable, `Validation` where the exit
/// cannot be chosen.
#[uniffi::export]
pub fn proxy_headers(
    host: String,
    port: i32,
    credentials: Option<Credentials>,
    exit: ExitChoice,
) -> Result<HashMap<String, String>, Failure> {
    let credentials = credentials.map(Credentials::check).transpose()?;
    let headers = core_proxy(&host, port)?.headers(credentials.as_ref(), &exit.check()?)?;
    Ok(headers.into_iter().map(|(name, value)| (name.to_owned(), value.expose_secret().to_owned())).collect())
}

fn core_proxy(host: &str, port: i32) -> proxymesh::Result<proxymesh::Proxy> {
    proxymesh::Proxy::at(host, Some(port.into()))
}

/// How one shows oneself to a proxy.
#[derive(uniffi::Enum)]
pub enum Credentials {
    /// A username and password.
    Basic {
        /// The account's, or a sub-account's.
        username: String,
        /// Its password.
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

/// Which exit IP a proxy is asked for. What is none, or empty, is for the proxy to choose.
#[derive(uniffi::Record)]
pub struct ExitChoice {
    /// Two letters.
    pub country: Option<String>,
    /// The exit IP that is wanted.
    pub prefer_ip: Option<String>,
    /// The exit IPs that are not.
    pub not_ips: Vec<String>,
}

impl ExitChoice {
    fn check(self) -> proxymesh::Result<proxymesh::ExitChoice> {
        let not_ips = self.not_ips.iter().map(String::as_str);
        binding::exit_choice(self.country.as_deref(), self.prefer_ip.as_deref(), not_ips)
    }
}

/// The same choice as the core writes it, so that equal choices are equal; `Validation` where it is none.
#[uniffi::export]
pub fn exit_choice_of(choice: ExitChoice) -> Result<ExitChoice, Failure> {
    let exit = choice.check()?;
    Ok(ExitChoice {
        country: exit.wanted_country().map(str::to_owned),
        prefer_ip: exit.preferred_ip().map(|ip| ip.to_string()),
        not_ips: exit.unwanted_ips().iter().map(IpAddr::to_string).collect(),
    })
}
