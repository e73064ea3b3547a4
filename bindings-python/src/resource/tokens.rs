//! `client.tokens`: `/api/token…`

use super::{checked, handle, text, whole};
use proxymesh::{
    TokenId, TokenRequest,
    resource::{self, Dispatch},
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDate, PyString},
};

handle! {
    /// Bearer tokens. These calls take the account's username and password only: with a token they raise
    /// `BasicAuthRequiredError`, and nothing is sent. From `client.tokens`.
    Tokens, AsyncTokens {
        /// The tokens, without their secrets: `GET /api/tokens/`.
        ///
        /// Args:
        ///     username: The sub-account whose tokens are meant, if not the caller's.
        #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[Token]")]
        fn list(py, caller, username: Option<&Bound<'_, PyString>>) {
            of(py, caller.tokens(), username)?.list()
        }

        /// Creates a token: `POST /api/token/create/`. Its secret is in the answer, this once. It is never sent twice.
        ///
        /// Args:
        ///     label: A note to keep with it, at most 100 characters.
        ///     expires_at: The date on which it expires, or text of the form `YYYY-MM-DD`; never by default.
        ///     username: The sub-account it is for, if not the caller.
        ///
        /// Raises:
        ///     PlanLimitError: The plan has no tokens, or no more.
        ///     OutcomeUnknownError: No answer came; `list` tells whether it was created.
        #[pyo3(signature = (
            *,
            label: "str | None" = None,
            expires_at: "date | str | None" = None,
            username: "str | None" = None,
        ) -> "NewToken")]
        fn create(py, caller, label: Option<&Bound<'_, PyString>>,
            expires_at: Option<&Bound<'_, PyAny>>,
            username: Option<&Bound<'_, PyString>>) {
            let mut request = TokenRequest::new();
            if let Some(label) = label {
                request = checked(py, request.label(text(py, "label", label)?))?;
            }
            if let Some(expires_at) = expires_at {
                request = checked(py, request.expires_at(date(py, expires_at)?.as_str()))?;
            }
            of(py, caller.tokens(), username)?.create(request)
        }

        /// Makes a token usable again: `POST /api/token/activate/`.
        ///
        /// Args:
        ///     id: The token's number.
        ///     username: The sub-account it belongs to, if not the caller.
        ///
        /// Raises:
        ///     BadRequestError: It has expired.
        #[pyo3(signature = (id: "int", *, username: "str | None" = None) -> "Token")]
        fn activate(py, caller, id: &Bound<'_, PyAny>,
            username: Option<&Bound<'_, PyString>>) {
            of(py, caller.tokens(), username)?.activate(number(py, id)?)
        }

        /// Makes a token unusable until it is activated: `POST /api/token/deactivate/`.
        ///
        /// Args:
        ///     id: The token's number.
        ///     username: The sub-account it belongs to, if not the caller.
        #[pyo3(signature = (id: "int", *, username: "str | None" = None) -> "Token")]
        fn deactivate(py, caller, id: &Bound<'_, PyAny>,
            username: Option<&Bound<'_, PyString>>) {
            of(py, caller.tokens(), username)?.deactivate(number(py, id)?)
        }

        /// Deletes a token for good: `POST /api/token/delete/`.
        ///
        /// Args:
        ///     id: The token's number.
        ///     username: The sub-account it belongs to, if not the caller.
        #[pyo3(signature = (id: "int", *, username: "str | None" = None) -> "None")]
        fn delete(py, caller, id: &Bound<'_, PyAny>,
            username: Option<&Bound<'_, PyString>>) {
            of(py, caller.tokens(), username)?.delete(number(py, id)?)
        }
    }
}

/// The caller's own tokens, or a sub-account's.
fn of<'a, D: Dispatch>(
    py: Python<'_>,
    tokens: resource::Tokens<'a, D>,
    username: Option<&Bound<'_, PyString>>,
) -> PyResult<resource::Tokens<'a, D>> {
    match username {
        None => Ok(tokens),
        Some(username) => checked(py, tokens.of(text(py, "username", username)?)),
    }
}

fn number(py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<TokenId> {
    checked(py, TokenId::new(whole(py, "id", id)?))
}

/// A date as text: text goes as it is, to be checked by the core, and a `date` in ISO form.
fn date(py: Python<'_>, date: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(date) = date.cast::<PyString>() {
        return text(py, "expires_at", date).map(str::to_owned);
    }
    if !date.is_instance_of::<PyDate>() {
        let given = date.get_type().name()?;
        return Err(PyTypeError::new_err(format!("expires_at must be date or str, not {given}")));
    }
    date.call_method0("isoformat")?.extract()
}
