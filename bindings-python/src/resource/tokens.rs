//! `client.tokens`: `/api/token…`

use super::{handle, of};
use crate::{
    error::Result,
    input::{some_text, text, whole},
};
use proxymesh::{TokenId, binding};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDate, PyString},
};

handle! {
    /// Bearer tokens. These calls require the parent account's username and password. With a token, they raise
    /// `BasicAuthRequiredError`, and nothing is sent. See `client.tokens`.
    Tokens, AsyncTokens {
        /// Lists the tokens, without their secrets: `GET /api/tokens/`.
        ///
        /// Args:
        ///     username: The sub-account whose tokens to list; by default, your own account.
        ///
        /// Raises:
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such sub-account.
        #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[Token]")]
        fn list(py, caller, username: Option<&Bound<'_, PyString>>) {
            of(caller.tokens(), username)?.list()
        }

        /// Creates a token: `POST /api/token/create/`. Only this response contains its secret. If the response is lost, the
        /// request is not sent again.
        ///
        /// Args:
        ///     label: A note to store with it, at most 100 characters.
        ///     expires_at: The date on which it expires, as a `date` or as a string in the form `YYYY-MM-DD`; by default, it
        ///         never expires.
        ///     username: The sub-account to create it for; by default, your own account.
        ///
        /// Raises:
        ///     PlanLimitError: The plan does not include tokens, or does not allow more.
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such sub-account.
        ///     OutcomeUnknownError: The response was lost. Call `list` to find out whether the token was created.
        #[pyo3(signature = (
            *,
            label: "str | None" = None,
            expires_at: "date | str | None" = None,
            username: "str | None" = None,
        ) -> "NewToken")]
        fn create(py, caller, label: Option<&Bound<'_, PyString>>,
            expires_at: Option<&Bound<'_, PyAny>>,
            username: Option<&Bound<'_, PyString>>) {
            let expires_at = expires_at.map(date).transpose()?;
            let request = binding::token_request(some_text("label", label)?, expires_at.as_deref())?;
            of(caller.tokens(), username)?.create(request)
        }

        /// Makes a deactivated token usable again: `POST /api/token/activate/`.
        ///
        /// Args:
        ///     id: The token's ID.
        ///     username: The sub-account that it belongs to; by default, your own account.
        ///
        /// Raises:
        ///     BadRequestError: The token has expired.
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such token or sub-account.
        #[pyo3(signature = (id: "int", *, username: "str | None" = None) -> "Token")]
        fn activate(py, caller, id: &Bound<'_, PyAny>,
            username: Option<&Bound<'_, PyString>>) {
            of(caller.tokens(), username)?.activate(number(id)?)
        }

        /// Makes a token unusable until it is activated again: `POST /api/token/deactivate/`.
        ///
        /// Args:
        ///     id: The token's ID.
        ///     username: The sub-account that it belongs to; by default, your own account.
        ///
        /// Raises:
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such token or sub-account.
        #[pyo3(signature = (id: "int", *, username: "str | None" = None) -> "Token")]
        fn deactivate(py, caller, id: &Bound<'_, PyAny>,
            username: Option<&Bound<'_, PyString>>) {
            of(caller.tokens(), username)?.deactivate(number(id)?)
        }

        /// Deletes a token permanently: `POST /api/token/delete/`.
        ///
        /// Args:
        ///     id: The token's ID.
        ///     username: The sub-account that it belongs to; by default, your own account.
        ///
        /// Raises:
        ///     PermissionDeniedError: The sub-account is not yours, or you are not the parent account.
        ///     NotFoundError: There is no such token or sub-account.
        #[pyo3(signature = (id: "int", *, username: "str | None" = None) -> "None")]
        fn delete(py, caller, id: &Bound<'_, PyAny>,
            username: Option<&Bound<'_, PyString>>) {
            of(caller.tokens(), username)?.delete(number(id)?)
        }
    }
}

fn number(id: &Bound<'_, PyAny>) -> Result<TokenId> {
    Ok(TokenId::new(whole("id", id)?)?)
}

/// A date as text. Text is passed on for the core to check; a `date` becomes ISO 8601.
fn date(date: &Bound<'_, PyAny>) -> Result<String> {
    if let Ok(date) = date.cast::<PyString>() {
        return text("expires_at", date).map(str::to_owned);
    }
    if !date.is_instance_of::<PyDate>() {
        let given = date.get_type().name()?;
        return Err(PyTypeError::new_err(format!("expires_at must be date or str, not {given}")).into());
    }
    Ok(date.call_method0("isoformat")?.extract()?)
}
