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
    /// The tokens, without their secrets: `GET /api/tokens/`.
    fn tokens_list(account, username: Option<String>) -> Vec<Token> {
        of(account.tokens(), username)?.list()
    }

    /// Creates a token: `POST /api/token/create/`. It expires on `expires_at`, of the form `YYYY-MM-DD`.
    fn tokens_create(
        account,
        label: Option<String>,
        expires_at: Option<String>,
        username: Option<String>,
    ) -> NewToken {
        of(account.tokens(), username)?.create(request(label, expires_at)?)
    }

    /// Makes a token usable again: `POST /api/token/activate/`.
    fn tokens_activate(account, id: i64, username: Option<String>) -> Token {
        of(account.tokens(), username)?.activate(id)
    }

    /// Makes a token unusable until it is activated: `POST /api/token/deactivate/`.
    fn tokens_deactivate(account, id: i64, username: Option<String>) -> Token {
        of(account.tokens(), username)?.deactivate(id)
    }

    /// Deletes a token for good: `POST /api/token/delete/`.
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
