//! `/api/token…`

use crate::{
    calls::calls,
    model::{NewToken, Token},
};
use proxymesh::binding::{of, token_request};

calls! {
    /// Lists the tokens, without their secrets: `GET /api/tokens/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The sub-account whose tokens to list; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such sub-account.
    fn tokens_list(account, username: Option<String>) -> Vec<Token> {
        of(account.tokens(), username.as_deref())?.list()
    }

    /// Creates a token: `POST /api/token/create/`. Only this response contains its secret. If the response is lost, the
    /// request is not sent again.
    ///
    /// # Arguments
    ///
    /// * `label`: A note to store with it, at most 100 characters.
    /// * `expires_at`: The date on which it expires; by default, it never expires.
    /// * `username`: The sub-account to create it for; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `PlanLimit`: The plan does not include tokens, or does not allow more.
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such sub-account.
    /// * `OutcomeUnknown`: The response was lost. Call `list` to find out whether the token was created.
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
    /// * `id`: The token's ID.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The token has expired.
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such token or sub-account.
    fn tokens_activate(account, id: i64, username: Option<String>) -> Token {
        of(account.tokens(), username.as_deref())?.activate(id)
    }

    /// Makes a token unusable until it is activated again: `POST /api/token/deactivate/`.
    ///
    /// # Arguments
    ///
    /// * `id`: The token's ID.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such token or sub-account.
    fn tokens_deactivate(account, id: i64, username: Option<String>) -> Token {
        of(account.tokens(), username.as_deref())?.deactivate(id)
    }

    /// Deletes a token permanently: `POST /api/token/delete/`.
    ///
    /// # Arguments
    ///
    /// * `id`: The token's ID.
    /// * `username`: The sub-account that it belongs to; by default, your own account.
    ///
    /// # Errors
    ///
    /// * `PermissionDenied`: The sub-account is not yours, or you are not the parent account.
    /// * `NotFound`: There is no such token or sub-account.
    fn tokens_delete(account, id: i64, username: Option<String>) -> () {
        of(account.tokens(), username.as_deref())?.delete(id)
    }
}
