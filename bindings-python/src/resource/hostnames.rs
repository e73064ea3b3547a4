//! `client.hostnames`: `/api/hostname…`

use super::{handle, of};
use crate::input::text;
use pyo3::{prelude::*, types::PyString};

handle! {
    /// Hostnames that may use the proxies without credentials. See `client.hostnames`.
    Hostnames, AsyncHostnames {
        /// Authorises a hostname: `POST /api/hostname/add/`. If the response is lost, the client looks the hostname up. The call
        /// succeeds if the hostname is there.
        ///
        /// Args:
        ///     domain: The hostname, such as `crawler.example.com`.
        ///     username: The sub-account to authorise it for; by default, your own account.
        ///
        /// Returns:
        ///     The hostname.
        ///
        /// Raises:
        ///     BadRequestError: The hostname is already authorised.
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such sub-account.
        ///     OutcomeUnknownError: The response was lost, and `username` was given. A sub-account's hostnames cannot be looked up.
        #[pyo3(signature = (domain: "str", *, username: "str | None" = None) -> "str")]
        fn add(py, caller, domain: &Bound<'_, PyString>,
            username: Option<&Bound<'_, PyString>>) {
            of(caller.hostnames(), username)?.add(text("domain", domain)?)
        }

        /// Deauthorises a hostname: `POST /api/hostname/delete/`.
        ///
        /// Args:
        ///     domain: The hostname.
        ///     username: The sub-account that it belongs to; by default, your own account.
        ///
        /// Raises:
        ///     BadRequestError: The hostname is not authorised.
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such sub-account.
        ///     OutcomeUnknownError: The response was lost, and `username` was given. A sub-account's hostnames cannot be looked up.
        #[pyo3(signature = (domain: "str", *, username: "str | None" = None) -> "None")]
        fn delete(py, caller, domain: &Bound<'_, PyString>,
            username: Option<&Bound<'_, PyString>>) {
            of(caller.hostnames(), username)?.delete(text("domain", domain)?)
        }

        /// Lists your own authorised hostnames: `GET /api/hostnames/`. The service does not list a sub-account's hostnames.
        #[pyo3(signature = () -> "builtins.list[str]")]
        fn list(py, caller) {
            caller.hostnames().list()
        }
    }
}
