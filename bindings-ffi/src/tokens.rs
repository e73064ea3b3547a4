//! `/api/token…`

use crate::{
    BlockingClient, Client,
    calls::calls,
    model::{NewToken, Token},
};
use proxymesh::binding::{of, token_request};

calls! {
    /// Lists the tokens, without their secrets: `GET /api/tokens/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The sub-account to list; by default, your own account. Only the parent account may name one.
    fn tokens_list(account, username: Option<String>) -> Vec<Token> {
        of(account.tokens(), username.as_deref())?.list()
    }

    /// Creates a token: `POST /api/token/create/`. The result contains its secret, which the service shows only once. The call is
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
    /// * `PlanLimit`: The plan does not include tokens, or allows no more.
    /// * `OutcomeUnknown`: No response came. `list` tells whether the token was created.
    fn tokens_create(
        account,
        label: Option<String>,
        expires_at: Option<String>,
        username: Option<String>,
    ) -> NewToken {
        of(account.tokens(), username.as_deref())?.create(token_request(label.as_deref(), expires_at.as_deref())?)
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
        of(account.tokens(), username.as_deref())?.activate(id)
    }

    /// Makes a token unusable until it is activated again: `POST /api/token/deactivate/`.
    ///
    /// # Arguments
    ///
    /// * `id`: The token's number.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    fn tokens_deactivate(account, id: i64, username: Option<String>) -> Token {
        of(account.tokens(), username.as_deref())?.deactivate(id)
    }

    /// Deletes a token permanently: `POST /api/token/delete/`.
    ///
    /// # Arguments
    ///
    /// * `id`: The token's number.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    fn tokens_delete(account, id: i64, username: Option<String>) -> () {
        of(account.tokens(), username.as_deref())?.delete(id)
    }
}
