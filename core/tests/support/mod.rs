//! Helpers for the integration tests: a recording server, and every call with its arguments.
#![allow(dead_code, missing_docs, unreachable_pub)]

pub mod calls;
pub mod capture;
pub mod server;

use proxymesh::{Client, Settings, blocking};
use server::Server;

pub const USERNAME: &str = "me+1@ex.com";
/// Contains characters that must be encoded somewhere: a non-ASCII letter, a quote, form and header delimiters, a space.
pub const PASSWORD: &str = "pä:ss&w=o\"rd 1";
/// `me+1@ex.com:pä:ss&w=o"rd 1` in UTF-8 and base64, as RFC 7617 prescribes. Another program computed it.
pub const BASIC: &str = "Basic bWUrMUBleC5jb206cMOkOnNzJnc9byJyZCAx";
pub const TOKEN: &str = "pm_Abc123";

/// Settings with username and password for this server.
pub fn basic(server: &Server) -> Settings {
    Settings::new().username(USERNAME).password(PASSWORD).base_url(server.base_url())
}

/// Settings with a token for this server.
pub fn bearer(server: &Server) -> Settings {
    Settings::new().token(TOKEN).base_url(server.base_url())
}

pub fn asynchronous(settings: Settings) -> Client {
    Client::new(settings).unwrap()
}

pub fn blocking(settings: Settings) -> blocking::Client {
    blocking::Client::new(settings).unwrap()
}
