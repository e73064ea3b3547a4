//! `/api/token…`

use crate::{
    BlockingClient, Client,
    calls::calls,
    model::{NewToken, Token},
};
use proxymesh::binding::{of, token_request};

calls! {
    /// The tokens, without their secrets: `GET /api/tokens/`.
    fn tokens_list(account, username: Option<String>) -> Vec<Token> {
        of(account.tokens(), username.as_deref())?.list()
    }

    /// Creates a token: `POST /api/token/create/`. It expires on `expires_at`, of the form `YYYY-MM-DD`.
    fn tokens_create(
        account,
        label: Option<String>,
        expires_at: Option<String>,
        username: Option<String>,
    ) -> NewToken {
        of(account.tokens(), username.as_deref())?.create(token_request(label.as_deref(), expires_at.as_deref())?)
    }

    /// Makes a token usable again: `POST /api/token/activate/`.
    fn tokens_activate(account, id: i64, username: Option<String>) -> Token {
        of(account.tokens(), username.as_deref())?.activate(id)
    }

    /// Makes a token unusable until it is activated: `POST /api/token/deactivate/`.
    fn tokens_deactivate(account, id: i64, username: Option<String>) -> Token {
        of(account.tokens(), username.as_deref())?.deactivate(id)
    }

    /// Deletes a token for good: `POST /api/token/delete/`.
    fn tokens_delete(account, id: i64, username: Option<String>) -> () {
        of(account.tokens(), username.as_deref())?.delete(id)
    }
}
