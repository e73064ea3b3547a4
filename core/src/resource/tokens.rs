//! `/api/token…`

use super::Dispatch;
use crate::{
    endpoint::token::{Activate, Create, Deactivate, Delete, List},
    error::{Error, Result},
    model::{NewToken, Token, TokenId, TokenRequest, Username},
};

/// Bearer tokens. These calls require the parent account's username and password. With a token, they fail with
/// [`Error::BasicAuthRequired`], and nothing is sent.
#[derive(Clone, Debug)]
pub struct Tokens<'a, D> {
    via: &'a D,
    owner: Option<Username>,
}

impl<'a, D: Dispatch> Tokens<'a, D> {
    /// Creates a handle that sends its calls with `via`.
    pub fn new(via: &'a D) -> Self {
        Self { via, owner: None }
    }

    /// Returns a handle for the tokens of a sub-account. Its calls fail with [`Error::PermissionDenied`] if the sub-account is
    /// not yours, and with [`Error::NotFound`] if it does not exist.
    ///
    /// # Errors
    ///
    /// [`Error::Validation`] with the field `username` if it breaks a rule.
    pub fn of<U>(&self, username: U) -> Result<Self>
    where
        U: TryInto<Username>,
        Error: From<U::Error>,
    {
        Ok(Self { via: self.via, owner: Some(username.try_into()?) })
    }

    /// Lists the tokens, without their secrets: `GET /api/tokens/`.
    pub fn list(&self) -> D::Reply<Vec<Token>> {
        self.via.dispatch(Ok(List { owner: self.owner.clone() }))
    }

    /// Creates a token: `POST /api/token/create/`. Only this response contains its secret.
    ///
    /// If the response is lost, the request is not sent again. The error is then [`Error::OutcomeUnknown`]. Call
    /// [`list`](Self::list) to find out whether the token was created.
    ///
    /// Errors: [`Error::PlanLimit`] if the plan does not include tokens, or does not allow more.
    pub fn create(&self, new: TokenRequest) -> D::Reply<NewToken> {
        self.via.dispatch(Ok(Create { new, owner: self.owner.clone() }))
    }

    /// Makes a deactivated token usable again: `POST /api/token/activate/`.
    ///
    /// Errors: [`Error::BadRequest`] if the token has expired, [`Error::NotFound`] if there is no such token.
    pub fn activate<I>(&self, id: I) -> D::Reply<Token>
    where
        I: TryInto<TokenId>,
        Error: From<I::Error>,
    {
        let id = id.try_into().map_err(Error::from);
        self.via.dispatch(id.map(|id| Activate { id, owner: self.owner.clone() }))
    }

    /// Makes a token unusable until it is activated again: `POST /api/token/deactivate/`.
    ///
    /// Errors: [`Error::NotFound`] if there is no such token.
    pub fn deactivate<I>(&self, id: I) -> D::Reply<Token>
    where
        I: TryInto<TokenId>,
        Error: From<I::Error>,
    {
        let id = id.try_into().map_err(Error::from);
        self.via.dispatch(id.map(|id| Deactivate { id, owner: self.owner.clone() }))
    }

    /// Deletes a token permanently: `POST /api/token/delete/`.
    ///
    /// Errors: [`Error::NotFound`] if there is no such token.
    pub fn delete<I>(&self, id: I) -> D::Reply<()>
    where
        I: TryInto<TokenId>,
        Error: From<I::Error>,
    {
        let id = id.try_into().map_err(Error::from);
        self.via.dispatch(id.map(|id| Delete { id, owner: self.owner.clone() }))
    }
}
