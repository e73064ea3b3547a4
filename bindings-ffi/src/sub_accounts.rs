//! `/api/sub/…`

use crate::{BlockingClient, Client, calls::calls, model::SubAccount};
use proxymesh::binding::SubAccountParts;

/// What create and edit may set. What is none is not sent.
#[derive(uniffi::Record)]
pub struct SubAccountFields {
    /// The password.
    #[uniffi(default)]
    pub password: Option<String>,
    /// The first name.
    #[uniffi(default)]
    pub first_name: Option<String>,
    /// The last name.
    #[uniffi(default)]
    pub last_name: Option<String>,
    /// The e-mail address.
    #[uniffi(default)]
    pub email: Option<String>,
    /// Whole gigabytes it may use in a billing period; 0 is no limit.
    #[uniffi(default)]
    pub monthly_limit: Option<i64>,
    /// Whole gigabytes it may use ever; 0 is no limit.
    #[uniffi(default)]
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
    /// Creates a sub-account: `POST /api/sub/create/`.
    fn sub_accounts_create(account, username: String, fields: SubAccountFields) -> SubAccount {
        account.sub_accounts().create(fields.parts().create(&username)?)
    }

    /// Changes what is given, and nothing else: `POST /api/sub/edit/`.
    fn sub_accounts_edit(account, username: String, fields: SubAccountFields) -> SubAccount {
        account.sub_accounts().edit(fields.parts().edit(&username)?)
    }

    /// A sub-account with its usage and limits: `GET /api/sub/get/`.
    fn sub_accounts_get(account, username: String) -> SubAccount {
        account.sub_accounts().get(username.as_str())
    }

    /// Lets it use the proxies again: `POST /api/sub/activate/`.
    fn sub_accounts_activate(account, username: String) -> SubAccount {
        account.sub_accounts().activate(username.as_str())
    }

    /// Stops it from using the proxies: `POST /api/sub/deactivate/`.
    fn sub_accounts_deactivate(account, username: String) -> SubAccount {
        account.sub_accounts().deactivate(username.as_str())
    }

    /// Deletes it for good: `POST /api/sub/delete/`.
    fn sub_accounts_delete(account, username: String) -> () {
        account.sub_accounts().delete(username.as_str())
    }
}
