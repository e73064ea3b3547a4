//! `/api/sub/…`

use crate::{calls::calls, model::SubAccount};
use proxymesh::binding::SubAccountParts;

/// The fields that create and edit can set. Fields that are not given are not sent.
#[derive(uniffi::Record)]
pub struct SubAccountFields {
    /// The password, 1 to 128 characters.
    pub password: Option<String>,
    /// The first name, at most 20 characters.
    pub first_name: Option<String>,
    /// The last name, at most 20 characters.
    pub last_name: Option<String>,
    /// The email address, at most 255 characters.
    pub email: Option<String>,
    /// The limit per billing period in whole gigabytes; 0 means no limit.
    pub monthly_limit: Option<i64>,
    /// The limit on the total usage in whole gigabytes; 0 means no limit.
    pub total_limit: Option<i64>,
}

impl SubAccountFields {
    fn parts(&self) -> SubAccountParts<'_> {
        SubAccountParts {
            password: self.password.as_deref(),
            first_name: self.first_name.as_deref(),
            last_name: self.last_name.as_deref(),
            email: self.email.as_deref(),
            monthly_limit: self.monthly_limit,
            total_limit: self.total_limit,
        }
    }
}

calls! {
    /// Creates a sub-account: `POST /api/sub/create/`. If the response is lost, the request is not sent again.
    ///
    /// # Arguments
    ///
    /// * `username`: The username, 1 to 30 characters: ASCII letters, digits, and `.` `@` `+` `-` `_`.
    ///
    /// # Errors
    ///
    /// * `BadRequest`: The username is taken.
    /// * `PlanLimit`: The plan does not allow more sub-accounts.
    /// * `OutcomeUnknown`: The response was lost. Call `get` to find out whether the sub-account was
    ///   created.
    fn sub_accounts_create(account, username: String, fields: SubAccountFields) -> SubAccount {
        account.sub_accounts().create(fields.parts().create(&username)?)
    }

    /// Changes only the given fields: `POST /api/sub/edit/`. An empty string clears a name or the email address.
    ///
    /// # Arguments
    ///
    /// * `username`: The username of the sub-account.
    ///
    /// # Errors
    ///
    /// * `NotFound`: There is no such sub-account.
    /// * `PermissionDenied`: The sub-account is not yours.
    fn sub_accounts_edit(account, username: String, fields: SubAccountFields) -> SubAccount {
        account.sub_accounts().edit(fields.parts().edit(&username)?)
    }

    /// Gets a sub-account with its usage and limits: `GET /api/sub/get/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The username of the sub-account.
    ///
    /// # Errors
    ///
    /// * `NotFound`: There is no such sub-account.
    /// * `PermissionDenied`: The sub-account is not yours.
    fn sub_accounts_get(account, username: String) -> SubAccount {
        account.sub_accounts().get(username.as_str())
    }

    /// Lets a deactivated sub-account use the proxies again: `POST /api/sub/activate/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The username of the sub-account.
    ///
    /// # Errors
    ///
    /// * `NotFound`: There is no such sub-account.
    /// * `PermissionDenied`: The sub-account is not yours.
    fn sub_accounts_activate(account, username: String) -> SubAccount {
        account.sub_accounts().activate(username.as_str())
    }

    /// Stops a sub-account from using the proxies: `POST /api/sub/deactivate/`. The proxies then respond to it with 402.
    ///
    /// # Arguments
    ///
    /// * `username`: The username of the sub-account.
    ///
    /// # Errors
    ///
    /// * `NotFound`: There is no such sub-account.
    /// * `PermissionDenied`: The sub-account is not yours.
    fn sub_accounts_deactivate(account, username: String) -> SubAccount {
        account.sub_accounts().deactivate(username.as_str())
    }

    /// Deletes a sub-account permanently: `POST /api/sub/delete/`.
    ///
    /// # Arguments
    ///
    /// * `username`: The username of the sub-account.
    ///
    /// # Errors
    ///
    /// * `NotFound`: There is no such sub-account.
    /// * `PermissionDenied`: The sub-account is not yours.
    fn sub_accounts_delete(account, username: String) -> () {
        account.sub_accounts().delete(username.as_str())
    }
}
