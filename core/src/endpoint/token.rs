//! `/api/token…`: Bearer tokens. These calls accept only the parent's username and password.

use super::{Call, Endpoint, Finding, Found, Mismatch, Params, ReadBack, Replay, json, nothing};
use crate::model::{NewToken, Token, TokenId, TokenRequest, Username};
use serde::Deserialize;

/// `GET /api/tokens/`
pub struct List {
    /// The sub-account whose tokens to list; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for List {
    type Response = Vec<Token>;
    const CALL: &'static Call = &Call::get("tokens.list", "/api/tokens/").basic_only();

    fn params(&self, params: &mut Params) {
        params.add_some("username", self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<Vec<Token>, Mismatch> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object with tokens")]
        struct Tokens {
            tokens: Vec<Token>,
        }
        json(body).map(|Tokens { tokens }| tokens)
    }
}

/// `POST /api/token/create/`
pub struct Create {
    /// The label and expiry date of the token.
    pub new: TokenRequest,
    /// The sub-account to create it for; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for Create {
    type Response = NewToken;
    const CALL: &'static Call = &Call::post("tokens.create", "/api/token/create/", Replay::Once)
        .basic_only()
        .secret_response()
        .documented(&[(402, "the plan does not include tokens, or its limit has been reached")])
        .recovery_hint("check with tokens.list; if the token was created, its secret is lost: delete it and create another");

    fn params(&self, params: &mut Params) {
        params.add_some("label", self.new.label.as_ref());
        params.add_some("expires_at", self.new.expires_at);
        params.add_some("username", self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<NewToken, Mismatch> {
        json(body)
    }
}

/// `POST /api/token/deactivate/`
pub struct Deactivate {
    /// The ID of the token.
    pub id: TokenId,
    /// The sub-account that it belongs to; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for Deactivate {
    type Response = Token;
    const CALL: &'static Call =
        &Call::post("tokens.deactivate", "/api/token/deactivate/", Replay::Idempotent)
            .recovery_hint("check with tokens.list")
            .basic_only();

    fn params(&self, params: &mut Params) {
        write(params, self.id, self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<Token, Mismatch> {
        json(body)
    }
}

/// `POST /api/token/activate/`
pub struct Activate {
    /// The ID of the token.
    pub id: TokenId,
    /// The sub-account that it belongs to; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for Activate {
    type Response = Token;
    const CALL: &'static Call = &Call::post("tokens.activate", "/api/token/activate/", Replay::Idempotent)
        .recovery_hint("check with tokens.list")
        .basic_only();

    fn params(&self, params: &mut Params) {
        write(params, self.id, self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<Token, Mismatch> {
        json(body)
    }
}

/// `POST /api/token/delete/`
pub struct Delete {
    /// The ID of the token.
    pub id: TokenId,
    /// The sub-account that it belongs to; `None` means your own account.
    pub owner: Option<Username>,
}

impl Endpoint for Delete {
    type Response = ();
    const CALL: &'static Call = &Call::post("tokens.delete", "/api/token/delete/", Replay::Verifiable)
        .basic_only()
        // The documentation does not say which of the two statuses the service returns.
        .already_applied(&[400, 404])
        .recovery_hint("check with tokens.list");

    fn params(&self, params: &mut Params) {
        write(params, self.id, self.owner.as_ref());
    }

    fn decode(body: &[u8]) -> Result<(), Mismatch> {
        nothing(body)
    }

    fn read_back(&self) -> Option<ReadBack<()>> {
        let id = self.id.get();
        ReadBack::with(&List { owner: self.owner.clone() }, move |found| match found {
            Found::Response(tokens) => {
                Finding::confirmed_if(tokens.iter().all(|token| token.id != id).then_some(()))
            }
            Found::Nothing => Finding::Unclear,
        })
    }
}

fn write(params: &mut Params, id: TokenId, owner: Option<&Username>) {
    params.add("id", id.get());
    params.add_some("username", owner);
}
