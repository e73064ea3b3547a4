//! `/api/token…`

use super::Dispatch;
use crate::{
    endpoint::token::{Activate, Create, Deactivate, Delete, List},
    error::{Error, Result},
    model::{NewToken, Token, TokenId, TokenRequest, Username},
};

/// Bearer tokens. These calls accept only the account's username and password. With a token they fail
/// with [`Error::BasicAuthRequired`], and nothing is sent.
#[derive(Clone, Debug)]
pub struct Tokens<'a, D> {
    via: &'a D,
    owner: Option<Username>,
}

impl<'a, D: Dispatch> Tokens<'a, D> {
    /// The handle for a client.
    pub fn new(via: &'a D) -> Self {
        Self { via, owner: None }
    }

    /// The tokens of a sub-account instead of the caller's own. For the parent account only.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `username`.
    pub fn of<U>(&self, username: U) -> Result<Self>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        Ok(Self { via: self.via, owner: Some(username.try_into()?) })
    }

    /// The tokens, without their secrets: `GET /api/tokens/`.
    pub fn list(&self) -> D::Reply<Vec<Token>> {
        self.via.dispatch(Ok(List { owner: self.owner.clone() }))
    }

    /// Creates a token: `POST /api/token/create/`. Only this response holds its secret.
    ///
    /// It is never sent twice. If the response is lost, the error is [`Error::OutcomeUnknown`].
    ///
    /// Errors: [`Error::PlanLimit`] when the plan includes no tokens, or no more.
    pub fn create(&self, new: TokenRequest) -> D::Reply<NewToken> {
        self.via.dispatch(Ok(Create { new, owner: self.owner.clone() }))
    }

    /// Reactivates a token: `POST /api/token/activate/`.
    ///
    /// Errors: [`Error::BadRequest`] for a token that has expired.
    pub fn activate<I>(&self, id: I) -> D::Reply<Token>
    where
        I: TryInto<TokenId>,
        Error: From<I::Error>,
    {
        let id = id.try_into().map_err(Error::from);
        self.via.dispatch(id.map(|id| Activate { id, owner: self.owner.clone() }))
    }

    /// Deactivates a token until it is activated again: `POST /api/token/deactivate/`.
    pub fn deactivate<I>(&self, id: I) -> D::Reply<Token>
    where
        I: TryInto<TokenId>,
        Error: From<I::Error>,
    {
        let id = id.try_into().map_err(Error::from);
        self.via.dispatch(id.map(|id| Deactivate { id, owner: self.owner.clone() }))
    }

    /// Deletes a token permanently: `POST /api/token/delete/`.
    pub fn delete<I>(&self, id: I) -> D::Reply<()>
    where
        I: TryInto<TokenId>,
        Error: From<I::Error>,
    {
        let id = id.try_into().map_err(Error::from);
        self.via.dispatch(id.map(|id| Delete { id, owner: self.owner.clone() }))
    }
}
