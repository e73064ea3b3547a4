//! `client.sub_accounts`: `/api/sub/…`

use super::handle;
use crate::input::{some_text, text, whole};
use proxymesh::binding::SubAccountParts;
use pyo3::{prelude::*, types::PyString};

/// The fields that create and edit can set, named like their arguments.
macro_rules! parts {
    ($( $text:ident ),+; $( $limit:ident ),+) => {
        SubAccountParts {
            $( $text: some_text(stringify!($text), $text)?, )+
            $( $limit: $limit.map(|value| whole(stringify!($limit), value)).transpose()?, )+
        }
    };
}

handle! {
    /// Sub-accounts. Only the parent account may make these calls. See `client.sub_accounts`.
    SubAccounts, AsyncSubAccounts {
        /// Creates a sub-account: `POST /api/sub/create/`. If the response is lost, the request is not sent again.
        ///
        /// Args:
        ///     username: The username, 1 to 30 characters: ASCII letters, digits, and `.` `@` `+` `-` `_`.
        ///     password: The password, 1 to 128 characters.
        ///     first_name: The first name, at most 20 characters.
        ///     last_name: The last name, at most 20 characters.
        ///     email: The email address, at most 255 characters.
        ///     monthly_limit: The limit per billing period in whole gigabytes; 0 means no limit.
        ///     total_limit: The limit on the total usage in whole gigabytes; 0 means no limit.
        ///
        /// Raises:
        ///     BadRequestError: The username is taken.
        ///     PlanLimitError: The plan does not allow more sub-accounts.
        ///     OutcomeUnknownError: The response was lost. Call `get` to find out whether the sub-account was created.
        #[pyo3(signature = (
            username: "str",
            *,
            password: "str | None" = None,
            first_name: "str | None" = None,
            last_name: "str | None" = None,
            email: "str | None" = None,
            monthly_limit: "int | None" = None,
            total_limit: "int | None" = None,
        ) -> "SubAccount")]
        fn create(py, caller, username: &Bound<'_, PyString>,
            password: Option<&Bound<'_, PyString>>,
            first_name: Option<&Bound<'_, PyString>>,
            last_name: Option<&Bound<'_, PyString>>,
            email: Option<&Bound<'_, PyString>>,
            monthly_limit: Option<&Bound<'_, PyAny>>,
            total_limit: Option<&Bound<'_, PyAny>>) {
            let parts = parts!(password, first_name, last_name, email; monthly_limit, total_limit);
            caller.sub_accounts().create(parts.create(text("username", username)?)?)
        }

        /// Changes only the given fields: `POST /api/sub/edit/`. An empty string clears a name or the email address.
        ///
        /// Args:
        ///     username: The username of the sub-account.
        ///     password: The password, 1 to 128 characters.
        ///     first_name: The first name, at most 20 characters.
        ///     last_name: The last name, at most 20 characters.
        ///     email: The email address, at most 255 characters.
        ///     monthly_limit: The limit per billing period in whole gigabytes; 0 means no limit.
        ///     total_limit: The limit on the total usage in whole gigabytes; 0 means no limit.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (
            username: "str",
            *,
            password: "str | None" = None,
            first_name: "str | None" = None,
            last_name: "str | None" = None,
            email: "str | None" = None,
            monthly_limit: "int | None" = None,
            total_limit: "int | None" = None,
        ) -> "SubAccount")]
        fn edit(py, caller, username: &Bound<'_, PyString>,
            password: Option<&Bound<'_, PyString>>,
            first_name: Option<&Bound<'_, PyString>>,
            last_name: Option<&Bound<'_, PyString>>,
            email: Option<&Bound<'_, PyString>>,
            monthly_limit: Option<&Bound<'_, PyAny>>,
            total_limit: Option<&Bound<'_, PyAny>>) {
            let parts = parts!(password, first_name, last_name, email; monthly_limit, total_limit);
            caller.sub_accounts().edit(parts.edit(text("username", username)?)?)
        }

        /// Gets a sub-account with its usage and limits: `GET /api/sub/get/`.
        ///
        /// Args:
        ///     username: The username of the sub-account.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (username: "str") -> "SubAccount")]
        fn get(py, caller, username: &Bound<'_, PyString>) {
            caller.sub_accounts().get(text("username", username)?)
        }

        /// Lets a deactivated sub-account use the proxies again: `POST /api/sub/activate/`.
        ///
        /// Args:
        ///     username: The username of the sub-account.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (username: "str") -> "SubAccount")]
        fn activate(py, caller, username: &Bound<'_, PyString>) {
            caller.sub_accounts().activate(text("username", username)?)
        }

        /// Stops a sub-account from using the proxies: `POST /api/sub/deactivate/`. The proxies then respond to it with 402.
        ///
        /// Args:
        ///     username: The username of the sub-account.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (username: "str") -> "SubAccount")]
        fn deactivate(py, caller, username: &Bound<'_, PyString>) {
            caller.sub_accounts().deactivate(text("username", username)?)
        }

        /// Deletes a sub-account permanently: `POST /api/sub/delete/`.
        ///
        /// Args:
        ///     username: The username of the sub-account.
        ///
        /// Raises:
        ///     NotFoundError: There is no such sub-account.
        ///     PermissionDeniedError: The sub-account is not yours.
        #[pyo3(signature = (username: "str") -> "None")]
        fn delete(py, caller, username: &Bound<'_, PyString>) {
            caller.sub_accounts().delete(text("username", username)?)
        }
    }
}
