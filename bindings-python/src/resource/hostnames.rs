//! `client.hostnames`: `/api/hostname…`

use super::{handle, of};
use crate::input::text;
use pyo3::{prelude::*, types::PyString};

handle! {
    /// Hostnames that may use the proxies without credentials. From `client.hostnames`.
    Hostnames, AsyncHostnames {
        /// Authorises a hostname: `POST /api/hostname/add/`.
        ///
        /// Args:
        ///     domain: The hostname, such as `crawler.example.com`.
        ///     username: The sub-account it is for, if not the caller.
        ///
        /// Returns:
        ///     The hostname.
        ///
        /// Raises:
        ///     BadRequestError: It is authorised already.
        ///     OutcomeUnknownError: The answer was lost, and the hostname is a sub-account's, which cannot be looked up.
        #[pyo3(signature = (domain: "str", *, username: "str | None" = None) -> "str")]
        fn add(py, caller, domain: &Bound<'_, PyString>,
            username: Option<&Bound<'_, PyString>>) {
            of(caller.hostnames(), username)?.add(text("domain", domain)?)
        }

        /// Takes a hostname away: `POST /api/hostname/delete/`.
        ///
        /// Args:
        ///     domain: The hostname.
        ///     username: The sub-account it belongs to, if not the caller.
        ///
        /// Raises:
        ///     BadRequestError: It is not authorised.
        ///     OutcomeUnknownError: The answer was lost, and the hostname is a sub-account's, which cannot be looked up.
        #[pyo3(signature = (domain: "str", *, username: "str | None" = None) -> "None")]
        fn delete(py, caller, domain: &Bound<'_, PyString>,
            username: Option<&Bound<'_, PyString>>) {
            of(caller.hostnames(), username)?.delete(text("domain", domain)?)
        }

        /// The caller's authorised hostnames: `GET /api/hostnames/`. The service does not list those of a sub-account.
        #[pyo3(signature = () -> "builtins.list[str]")]
        fn list(py, caller) {
            caller.hostnames().list()
        }
    }
}
