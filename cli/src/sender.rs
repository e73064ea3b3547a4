//! Sends calls, or says what would be sent.

use crate::{
    output::{Column, Record, Row, column},
    progress::Progress,
};
use clap::Args;
use proxymesh::{
    Error, Result,
    blocking::Client,
    endpoint::{Endpoint, Request},
    resource::{Dispatch, Hostnames, Ips, Proxies, SubAccounts, Tokens},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The option of every command that changes something.
#[derive(Args)]
pub(crate) struct Change {
    /// Show what would be sent, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The options of every command that cannot be undone.
#[derive(Args)]
pub(crate) struct Irrevocable {
    #[command(flatten)]
    pub(crate) change: Change,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

pub(crate) struct Sender {
    client: Client,
    pub(crate) dry_run: bool,
    pub(crate) progress: Progress,
}

/// What became of a call.
pub(crate) enum Sent<T> {
    Response(T),
    /// It was not sent.
    Planned(Planned),
}

/// A request that would be sent.
#[derive(Serialize)]
pub(crate) struct Planned {
    call: &'static str,
    method: String,
    url: String,
    parameters: BTreeMap<String, String>,
}

impl Record for Planned {
    const COLUMNS: &'static [Column] = &[
        column("call", "CALL"),
        column("method", "METHOD"),
        column("url", "URL"),
        column("parameters", "PARAMETERS"),
    ];
}

impl Sender {
    pub(crate) fn new(client: Client, dry_run: bool) -> Self {
        Self { client, dry_run, progress: Progress::start() }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn proxies(&self) -> Proxies<'_, Self> {
        Proxies::new(self)
    }

    pub(crate) fn sub_accounts(&self) -> SubAccounts<'_, Self> {
        SubAccounts::new(self)
    }

    /// The IPs of the account, or of a sub-account.
    pub(crate) fn ips(&self, sub: Option<&str>) -> Result<Ips<'_, Self>> {
        let own = Ips::new(self);
        match sub {
            Some(sub) => own.of(sub),
            None => Ok(own),
        }
    }

    pub(crate) fn hostnames(&self) -> Hostnames<'_, Self> {
        Hostnames::new(self)
    }

    /// The tokens of the account, or of a sub-account.
    pub(crate) fn tokens(&self, sub: Option<&str>) -> Result<Tokens<'_, Self>> {
        let own = Tokens::new(self);
        match sub {
            Some(sub) => own.of(sub),
            None => Ok(own),
        }
    }
}

impl Dispatch for Sender {
    type Reply<T: Send + 'static> = Result<Sent<T>>;

    fn dispatch<E: Endpoint>(&self, endpoint: Result<E, Error>) -> Result<Sent<E::Response>> {
        let endpoint = endpoint?;
        if !self.dry_run {
            return self.client.call(endpoint).map(Sent::Response);
        }
        let request = Request::of(&endpoint);
        Ok(Sent::Planned(Planned {
            call: request.call().name,
            method: request.call().method.to_string(),
            url: format!("{}{}", self.client.base_url(), request.call().path),
            parameters: request.parameters().into_iter().collect(),
        }))
    }
}

impl<T> Sent<T> {
    /// The record of the response, or what would be sent.
    pub(crate) fn row<R: Record>(self, record: impl FnOnce(T) -> R) -> Row {
        match self {
            Self::Response(response) => record(response).into(),
            Self::Planned(planned) => planned.into(),
        }
    }
}

/// A write that has no other result.
#[derive(Serialize)]
pub(crate) struct Changed {
    name: String,
    change: &'static str,
}

impl Changed {
    pub(crate) fn added(name: impl Into<String>) -> Self {
        Self { name: name.into(), change: "added" }
    }

    pub(crate) fn deleted(name: impl Into<String>) -> Self {
        Self { name: name.into(), change: "deleted" }
    }
}

impl Record for Changed {
    const COLUMNS: &'static [Column] = &[column("name", "NAME"), column("change", "CHANGE")];
}
