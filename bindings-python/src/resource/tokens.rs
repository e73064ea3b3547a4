//! `client.tokens`: `/api/token…`

use super::{checked, text, whole};
use crate::{
    client::Shared,
    model::{NewToken, Token},
    run::Caller,
};
use proxymesh::{TokenId, TokenRequest};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDate, PyString},
};
use std::sync::Arc;

/// Bearer tokens. These calls take the account's username and password only: with a token they raise
/// `BasicAuthRequiredError`, and nothing is sent. From `Client.tokens`.
#[pyclass(frozen, module = "proxymesh")]
pub(crate) struct Tokens(pub(crate) Arc<Shared>);

#[pymethods]
impl Tokens {
    /// The tokens, without their secrets: `GET /api/tokens/`.
    ///
    /// Args:
    ///     username: The sub-account whose tokens are meant, if not the caller's.
    #[pyo3(signature = (*, username: "str | None" = None) -> "builtins.list[Token]")]
    fn list(&self, py: Python<'_>, username: Option<&Bound<'_, PyString>>) -> PyResult<Vec<Token>> {
        let caller = self.0.caller(py)?;
        tokens(&caller, py, username)?.list()?.iter().map(|token| Token::from_core(py, token)).collect()
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
    fn create(
        &self,
        py: Python<'_>,
        label: Option<&Bound<'_, PyString>>,
        expires_at: Option<&Bound<'_, PyAny>>,
        username: Option<&Bound<'_, PyString>>,
    ) -> PyResult<NewToken> {
        let mut request = TokenRequest::new();
        if let Some(label) = label {
            request = checked(py, request.label(text(py, "label", label)?))?;
        }
        if let Some(expires_at) = expires_at {
            request = checked(py, request.expires_at(date(py, expires_at)?.as_str()))?;
        }
        let caller = self.0.caller(py)?;
        NewToken::from_core(py, &tokens(&caller, py, username)?.create(request)?)
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
    fn activate(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyAny>,
        username: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Token> {
        let caller = self.0.caller(py)?;
        Token::from_core(py, &tokens(&caller, py, username)?.activate(number(py, id)?)?)
    }

    /// Makes a token unusable until it is activated: `POST /api/token/deactivate/`.
    ///
    /// Args:
    ///     id: The token's number.
    ///     username: The sub-account it belongs to, if not the caller.
    #[pyo3(signature = (id: "int", *, username: "str | None" = None) -> "Token")]
    fn deactivate(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyAny>,
        username: Option<&Bound<'_, PyString>>,
    ) -> PyResult<Token> {
        let caller = self.0.caller(py)?;
        Token::from_core(py, &tokens(&caller, py, username)?.deactivate(number(py, id)?)?)
    }

    /// Deletes a token for good: `POST /api/token/delete/`.
    ///
    /// Args:
    ///     id: The token's number.
    ///     username: The sub-account it belongs to, if not the caller.
    #[pyo3(signature = (id: "int", *, username: "str | None" = None) -> "None")]
    fn delete(
        &self,
        py: Python<'_>,
        id: &Bound<'_, PyAny>,
        username: Option<&Bound<'_, PyString>>,
    ) -> PyResult<()> {
        let caller = self.0.caller(py)?;
        tokens(&caller, py, username)?.delete(number(py, id)?)
    }
}

/// The caller's own tokens, or a sub-account's.
fn tokens<'a, 'py>(
    caller: &'a Caller<'py>,
    py: Python<'_>,
    username: Option<&Bound<'_, PyString>>,
) -> PyResult<proxymesh::resource::Tokens<'a, Caller<'py>>> {
    match username {
        None => Ok(caller.tokens()),
        Some(username) => checked(py, caller.tokens().of(text(py, "username", username)?)),
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
