//! `/api/token…`

use crate::{
    BlockingClient, Client,
    calls::calls,
    model::{NewToken, Token},
};
use proxymesh::{
    TokenRequest,
    resource::{Dispatch, Tokens},
};

calls! {
    /// Lists the tokens, without their secrets: `GET /api/tokens/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The sub-account to list; by default, your own account. Only the parent account may name one.
    fn tokens_list(account, username: Option<String>) -> Vec<Token> {
        of(account.tokens(), username)?.list()
    }

    /// Creates a token: `POST /api/token/create/`. The answer holds its secret, which the service shows only this once. The call is
    /// never sent twice.
    ///
    /// # Arguments
    ///
    /// * `label`: A note to keep with it, at most 100 characters.
    /// * `expires_at`: The date on which it expires; by default, it never does.
    /// * `username`: The sub-account that it is for; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `PlanLimit`: The plan has no tokens, or allows no more.
    /// * `OutcomeUnknown`: No answer came. `list` tells whether the token was created.
    fn tokens_create(
        account,
        label: Option<String>,
        expires_at: Option<String>,
        username: Option<String>,
    ) -> NewToken {
        of(account.tokens(), username)?.create(request(label, expires_at)?)
    }

    /// Makes a deactivated token usable again: `POST /api/token/activate/`.
    ///
    /// # Arguments
    ///
    /// * `id`: The token's number.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The token has expired.
    fn tokens_activate(account, id: i64, username: Option<String>) -> Token {
        of(account.tokens(), username)?.activate(id)
    }

    /// Makes a token unusable until it is activated again: `POST /api/token/deactivate/`.
    ///
    /// # Arguments
    ///
    /// * `id`: The token's number.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    fn tokens_deactivate(account, id: i64, username: Option<String>) -> Token {
        of(account.tokens(), username)?.deactivate(id)
    }

    /// Deletes a token permanently: `POST /api/token/delete/`.
    ///
    /// # Arguments
    ///
    /// * `id`: The token's number.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    fn tokens_delete(account, id: i64, username: Option<String>) -> () {
        of(account.tokens(), username)?.delete(id)
    }
}

/// The caller's own tokens, or a sub-account's.
fn of<D: Dispatch>(tokens: Tokens<'_, D>, username: Option<String>) -> proxymesh::Result<Tokens<'_, D>> {
    match username {
        None => Ok(tokens),
        Some(username) => tokens.of(username.as_str()),
    }
}

fn request(label: Option<String>, expires_at: Option<String>) -> proxymesh::Result<TokenRequest> {
    let mut request = TokenRequest::new();
    if let Some(label) = label {
        request = request.label(&label)?;
    }
    if let Some(date) = expires_at {
        request = request.expires_at(date.as_str())?;
    }
    Ok(request)
}
